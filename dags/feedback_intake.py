"""What borrowers, agents and gateways answer: read every 15 minutes, kept once, and acted upon at once.

**What it does.** For each portfolio with a `feedback/sources.yaml`: takes in the files that wait in its inboxes and the
rows of its SELECTs. Call outcomes, promises, disputes, complaints, opt-outs, hardship requests, wrong numbers, payments
under way, agents' notes and supervisors' overrides are kept in an append-only log; waiting contacts that a report
forbids end in the same transaction. A bad row is put in quarantine with code, file, line and column; the rest acts.
Last, `ring` calls a supervisor for every person whose life may be at risk, each time until one has taken over.
(The webhook, `arrears feedback serve`, takes in signed requests by the same rules while the sender waits.)

**Reads**: inbox folders, source databases, the newest ledger in the lake (who is who).

**Writes**: `ops.feedback_event`, `ops.feedback_delivery`, `ops.feedback_rejected`, the vault; states of waiting rows in
`ops.notification`; moves taken files into the archive.

**Safe to rerun?** Yes, and to kill at any moment: a delivery is known by its bytes, a report by its reference.

**If late**: nobody hears it louder than borrowers: an opt-out of the last minutes is not yet obeyed. The log keeps the
order; nothing is lost.

**Runbook**: the task's *Runbook* link, or `docs/runbooks/<code>.md` of the code in its log; `docs/how-to/feedback.md`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import TriggerRule, dag, get_current_context, task
from arrears.orchestration.callbacks import run_failed
from arrears.orchestration.defaults import START_DATE, portfolios_with_feedback, task_defaults


@dag(
    dag_id="feedback_intake",
    schedule="*/15 * * * *",
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(),
    on_failure_callback=run_failed,
    doc_md=__doc__,
    tags=["feedback", "impact:tier-1"],
)
def feedback_intake() -> None:
    """Make the DAG."""

    @task(map_index_template="{{ portfolio }}", execution_timeout=timedelta(minutes=12))
    def take_in(portfolio: str) -> dict[str, Any]:
        from arrears.jobs.feedback_intake import feedback_intake

        get_current_context()["portfolio"] = portfolio
        return feedback_intake(portfolio)

    @task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(minutes=2))
    def ring() -> int:
        from arrears.orchestration.callbacks import call_supervisor

        return call_supervisor()

    take_in.expand(portfolio=portfolios_with_feedback()) >> ring()


feedback_intake()
