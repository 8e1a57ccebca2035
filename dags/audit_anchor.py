"""Signs, once a day, where the audit trail stands, and keeps the signature outside the warehouse.

**What it does.** Looks at every link of `ops.audit_entry` and every anchor; when all hold, it writes one more anchor:
number and hash of the last entry, the anchor before, and an HMAC under `ARREARS_MASTER_KEYS`. From then on the end of
the trail cannot be cut off, nor the whole of it be written anew, without `arrears audit verify` naming the place.

**Reads**: `ops.audit_entry`, the anchors.

**Writes**: one file in `ARREARS_AUDIT_URL` (`_audit` in the lake); files are added and never replaced.

**Safe to rerun?** Yes: the same head is anchored once a day.

**If late**: what people did since the last anchor could be cut off unseen; `arrears doctor` says how many entries.

**Runbook**: the task's *Runbook* link; `docs/runbooks/ARR-AUD-001.md` when the trail does not hold.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task
from arrears.orchestration.callbacks import run_failed
from arrears.orchestration.defaults import START_DATE, task_defaults


@dag(
    dag_id="audit_anchor",
    schedule="30 0 * * *",
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(),
    on_failure_callback=run_failed,
    doc_md=__doc__,
    tags=["audit", "impact:tier-3"],
)
def audit_anchor() -> None:
    """Make the DAG."""

    @task
    def sign() -> dict[str, Any]:
        from dataclasses import asdict
        from datetime import UTC, datetime

        from arrears.settings import load_settings
        from arrears.warehouse.anchors import anchor

        return asdict(anchor(load_settings(), datetime.now(UTC).date()))

    sign()


audit_anchor()
