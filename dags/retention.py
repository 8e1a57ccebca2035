"""What has had its time leaves the lake and the vault; every week, and by default it only says what would go.

**What it does.** For each portfolio: the full snapshots (extract, ledger and core tables) of business dates older than
`ARREARS_KEEP_FULL_SNAPSHOTS_DAYS`, except month ends within `ARREARS_KEEP_MONTH_ENDS_MONTHS`, the newest published
date, and all that a stale date still needs. The vault's rejected values of those dates go too, of month ends as well.
With the parameter `dry_run` off they are dropped; the schedule drops only where `ARREARS_RETENTION_DRY_RUN=false`.

**Reads**: the lake's manifests, the publish ledger, the vault's counts.

**Writes**: nothing in a dry run; else it deletes the files of those partitions and leaves their facts in
`dropped.json`, and deletes rows of `vault.rejected_row`. Nothing published changes.

**Safe to rerun?** Yes: what is gone is passed over, and what a killed run left behind is taken away.

**If late**: the lake keeps growing, by about 220 MB a day for a million loans; rejected values stay longer than they
should.

**Runbook**: the task's *Runbook* link, or `docs/runbooks/<code>.md` of the code in its log; `docs/how-to/retention.md`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from arrears.orchestration.callbacks import run_failed
from arrears.orchestration.defaults import START_DATE, portfolio_names, retention_is_dry, task_defaults


@dag(
    dag_id="retention",
    schedule="0 3 * * 0",
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(),
    params={"dry_run": Param(retention_is_dry(), type="boolean", description="List only; off: drop what is listed")},
    on_failure_callback=run_failed,
    doc_md=__doc__,
    tags=["lake", "impact:tier-3"],
)
def retention() -> None:
    """Make the DAG."""

    @task(map_index_template="{{ portfolio }}")
    def drop_expired(portfolio: str) -> dict[str, Any]:
        from arrears.jobs.retention import retention

        context = get_current_context()
        context["portfolio"] = portfolio
        return retention(portfolio, dry_run=context["params"]["dry_run"], run_ref=context["dag_run"].run_id)

    drop_expired.expand(portfolio=portfolio_names())


retention()
