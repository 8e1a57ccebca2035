"""Approval of a plan: the last task of a day, which has a person asked, and the task that waits for the answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk.exceptions import AirflowRuntimeError
from airflow.sdk.execution_time.hitl import get_hitl_detail_content_detail
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from arrears.errors import ApprovalUnknownError
from arrears.orchestration.defaults import approval_timeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow.sdk import Context

APPROVAL_DAG = "contact_approval"
TASK = "ask_for_approval"
ANSWER = "answer"


class AskForApproval(TriggerDagRunOperator):
    """Triggers ``contact_approval`` for the day if its publication held anything, and waits for nothing."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  Airflow's own arguments
        super().__init__(
            **{
                "task_id": TASK,
                "trigger_dag_id": APPROVAL_DAG,
                "logical_date": None,
                "skip_when_already_exists": True,
                "wait_for_completion": False,
                "openlineage_inject_parent_info": False,
                **options,
            }
        )

    def execute(self, context: Context) -> Any:  # noqa: ANN401  Airflow's signature
        """Trigger, or do nothing: most days nothing is held. One run for each question, however often this runs.

        Raises:
            ApprovalUnknownError: The publication says nothing of questions: it was made before the last upgrade.
        """
        published, day = context["ti"].xcom_pull(task_ids="publish"), str(context["partition_key"])
        if "approval_id" not in published:
            raise ApprovalUnknownError("a publication of an earlier release", "clear `publish`, then this task", day)
        approval_id = published["approval_id"]
        if approval_id is None:
            return None
        self.conf = {"approval_id": approval_id}
        self.trigger_run_id = f"{context['dag'].dag_id}__{day}__{approval_id[:8]}"
        return super().execute(context)


class EarlierAnswer(BaseTrigger):
    """What a person answered an earlier try of the same question, if anybody did: only a trigger may look.

    It looks after a moment: an answer that comes while Airflow still counts the asking worker as running is what loses
    a try (see ``ApprovePlan``), and this one is not to lose the next.
    """

    MOMENT = 5.0  # seconds

    def __init__(self, ti_id: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ti_id = ti_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Where the triggerer finds this class, and with what it makes one."""
        return f"{type(self).__module__}.{type(self).__name__}", {"ti_id": self.ti_id}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event: the answer as the operator takes it, or one without ``chosen_options``."""
        await asyncio.sleep(self.MOMENT)
        try:
            found = await sync_to_async(get_hitl_detail_content_detail)(ti_id=UUID(self.ti_id))
        except AirflowRuntimeError as error:
            if (error.error.detail or {}).get("status_code") != 404:  # noqa: PLR2004  the earlier try never asked
                raise
            yield TriggerEvent({"chosen_options": None})  # type: ignore[no-untyped-call]
            return
        user = found.responded_by_user
        answer = {
            "chosen_options": list(found.chosen_options or ()) if found.response_received else None,
            "params_input": found.params_input or {},
            "responded_at": found.responded_at,
            "responded_by_user": {"id": user.id, "name": user.name} if user else None,
        }
        yield TriggerEvent(answer)  # type: ignore[no-untyped-call]


class ApprovePlan(ApprovalOperator):
    """Shows what the task ``ask`` found, and waits for an answer; none in time is *Reject*.

    Airflow 3.3.2 fails a try as "killed externally" when the answer comes before the scheduler has heard that the
    asking worker ended (the local executor keeps no list of what runs; seen with answers within a second). A person's
    word is not lost with the try: the next one takes what was answered, and asks only when nothing was.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  Airflow's own arguments
        super().__init__(
            **{
                "task_id": "approve",
                "subject": "{{ ti.xcom_pull(task_ids='ask')['subject'] }}",
                "body": "{{ ti.xcom_pull(task_ids='ask')['body'] }}",
                "defaults": self.REJECT,
                "response_timeout": approval_timeout(),
                "execution_timeout": None,  # of work; waiting is no work
                "retry_delay": timedelta(seconds=5),
                **options,
            }
        )

    def execute(self, context: Context) -> Any:  # noqa: ANN401  Airflow's signature
        """Ask, or take what an earlier try was answered."""
        if context["ti"].try_number > 1:
            self.defer(trigger=EarlierAnswer(str(context["ti"].id)), method_name=self.take_or_ask.__name__)
        return super().execute(context)

    def take_or_ask(self, context: Context, event: dict[str, Any]) -> Any:  # noqa: ANN401  Airflow's signature
        """Go on with the answer of an earlier try; ask where there is none."""
        if event["chosen_options"]:
            return self.execute_complete(context, event)
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:  # noqa: ANN401  Airflow's signature
        """Say what was answered before *Reject* skips what follows: ``settle`` begins while this still ends."""
        answer = {name: event.get(name) for name in ("chosen_options", "responded_by_user")}
        context["ti"].xcom_push(key=ANSWER, value=answer)
        return super().execute_complete(context, event)
