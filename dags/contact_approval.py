"""Asks a person before a plan is sent that departs from its history.

**What it does.** A publication whose plan departs from the four weeks before it (contacts by channel, share of blocked
cases, loans past due, another version of strategy or packs) writes its contacts as `held` and triggers this DAG, which
shows the reasons and figures and waits, without a worker, for *Approve* or *Reject* under *Required Actions*. Approved
contacts become `planned`; after *Reject*, or without an answer in four hours, they expire. No other day waits for it.

**Reads**: the question in `ops.contact_approval` that the run's parameter names, and no other of the day.

**Writes**: the decision with its author into `ops.contact_approval` and `ops.audit_entry`; states of
`ops.notification`.

**Safe to rerun?** Yes: the first decision stands, a second changes nothing.

**If late**: the contacts of the day are not sent. Nothing else waits.

**Runbook**: the task's *Runbook* link, or `docs/runbooks/<code>.md` of the code in its log; `docs/how-to/approvals.md`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, TriggerRule, dag, get_current_context, task
from arrears.orchestration.approval import ANSWER, ApprovePlan
from arrears.orchestration.callbacks import run_failed
from arrears.orchestration.defaults import START_DATE, task_defaults


@dag(
    dag_id="contact_approval",
    schedule=None,
    start_date=START_DATE,
    catchup=False,
    max_active_runs=32,
    default_args=task_defaults(),
    params={
        "approval_id": Param("", type="string", description="Which question: approval_id of ops.contact_approval"),
    },
    on_failure_callback=run_failed,
    doc_md=__doc__,
    tags=["contact", "impact:tier-1"],
)
def contact_approval() -> None:
    """Make the DAG."""

    @task.short_circuit
    def ask() -> dict[str, Any] | None:
        from arrears.jobs.contact_approval import question

        return question(get_current_context()["params"]["approval_id"])

    @task
    def approved() -> None:
        """What a rejection skips; what was decided is settled all the same."""

    @task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=timedelta(minutes=10))
    def settle() -> dict[str, Any]:
        from arrears.jobs.contact_approval import settle

        pull = get_current_context()["ti"].xcom_pull
        return settle(pull(task_ids="ask")["approval_id"], pull(task_ids="approve", key=ANSWER))

    ask() >> ApprovePlan() >> approved() >> settle()


contact_approval()
