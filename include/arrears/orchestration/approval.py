"""Approval of a plan: the last task of a day, which has a person asked, and the task that waits for the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

from arrears.orchestration.callbacks import PREFIX
from arrears.orchestration.defaults import approval_timeout

if TYPE_CHECKING:
    from airflow.sdk import Context

APPROVAL_DAG = "contact_approval"
TASK = "ask_for_approval"
ANSWER = "answer"
# One question for each content that was published, however often the task runs.
RUN_ID = "{{ dag.dag_id }}__{{ partition_key }}__{{ ti.xcom_pull(task_ids='publish')['content_hash'][:12] }}"


class AskForApproval(TriggerDagRunOperator):
    """Triggers ``contact_approval`` for the day if its publication held anything, and waits for nothing."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  Airflow's own arguments
        super().__init__(
            **{
                "task_id": TASK,
                "trigger_dag_id": APPROVAL_DAG,
                "trigger_run_id": RUN_ID,
                "logical_date": None,
                "skip_when_already_exists": True,
                "wait_for_completion": False,
                "openlineage_inject_parent_info": False,
                **options,
            }
        )

    def execute(self, context: Context) -> Any:  # noqa: ANN401  Airflow's signature
        """Trigger, or do nothing: most days nothing is held."""
        published = context["ti"].xcom_pull(task_ids="publish")
        if not published.get("held_because"):
            return None
        portfolio = context["dag"].dag_id.removeprefix(PREFIX)
        self.conf = {"portfolio": portfolio, "business_date": context["partition_key"]}
        return super().execute(context)


class ApprovePlan(ApprovalOperator):
    """Shows what the task ``ask`` found, and waits for an answer; none in time is *Reject*."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  Airflow's own arguments
        super().__init__(
            **{
                "task_id": "approve",
                "subject": "{{ ti.xcom_pull(task_ids='ask')['subject'] }}",
                "body": "{{ ti.xcom_pull(task_ids='ask')['body'] }}",
                "defaults": self.REJECT,
                "response_timeout": approval_timeout(),
                "execution_timeout": None,  # of work; waiting is no work
                "retries": 0,
                **options,
            }
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:  # noqa: ANN401  Airflow's signature
        """Say what was answered before *Reject* skips what follows: ``settle`` begins while this still ends."""
        answer = {name: event.get(name) for name in ("chosen_options", "responded_by_user")}
        context["ti"].xcom_push(key=ANSWER, value=answer)
        return super().execute_complete(context, event)
