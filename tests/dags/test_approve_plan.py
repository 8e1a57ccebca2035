"""The operator that asks a person: what was answered is taken by the next try, and nobody is asked twice for it.

That Airflow loses a try, and that this saves the answer, is seen on a real one: tests/airflow/test_contact_approval.py.
"""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest
from airflow.sdk.api.datamodels._generated import HITLDetailResponse, HITLUser
from airflow.sdk.exceptions import (
    AirflowRuntimeError,
    DagRunTriggerException,
    ErrorType,
    TaskAwaitingInput,
    TaskDeferred,
)
from airflow.sdk.execution_time.comms import ErrorResponse
from arrears.errors import ApprovalUnknownError
from arrears.orchestration import approval
from arrears.orchestration.approval import ApprovePlan, AskForApproval, EarlierAnswer

AT = datetime(2026, 3, 2, 2, tzinfo=UTC)
APPROVED = HITLDetailResponse(
    response_received=True,
    responded_at=AT,
    responded_by_user=HITLUser(id="7", name="supervisor"),
    chosen_options=["Approve"],
    params_input={},
)
TIMED_OUT = APPROVED.model_copy(update={"responded_by_user": None, "chosen_options": ["Reject"]})
UNANSWERED = HITLDetailResponse(response_received=False, responded_at=None, chosen_options=[], params_input={})


class Instance(SimpleNamespace):
    """A task instance, with what it pushed."""

    def xcom_push(self, key, value):
        self.pushed[key] = value


def context(try_number):
    return {"ti": Instance(id=uuid4(), try_number=try_number, pushed={}), "task_instance": Instance(id=uuid4())}


@pytest.fixture
def asked(monkeypatch):
    """Questions that were put to people."""
    found = []
    monkeypatch.setattr("airflow.providers.standard.operators.hitl.upsert_hitl_detail", lambda **one: found.append(one))
    return found


def looked_up(monkeypatch, answer):
    """The one event of the trigger, when Airflow says that."""

    def answers(ti_id):
        del ti_id
        if isinstance(answer, int):
            error = ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"status_code": answer})
            raise AirflowRuntimeError(error)
        return answer

    async def events():
        return [event.payload async for event in EarlierAnswer(str(uuid4())).run()]

    monkeypatch.setattr(EarlierAnswer, "MOMENT", 0)
    monkeypatch.setattr(approval, "get_hitl_detail_content_detail", answers)
    (payload,) = asyncio.run(events())
    return payload


def test_first_try_asks_and_a_later_one_looks_first(asked):
    with pytest.raises(TaskAwaitingInput):
        ApprovePlan().execute(context(1))
    with pytest.raises(TaskDeferred) as deferred:
        ApprovePlan().execute(context(2))

    assert len(asked) == 1
    assert isinstance(deferred.value.trigger, EarlierAnswer)
    assert deferred.value.method_name == "take_or_ask"
    path, given = deferred.value.trigger.serialize()
    assert (path, set(given)) == ("arrears.orchestration.approval.EarlierAnswer", {"ti_id"})


@pytest.mark.parametrize(
    ("answer", "chosen", "user"),
    [(APPROVED, ["Approve"], {"id": "7", "name": "supervisor"}), (TIMED_OUT, ["Reject"], None)],
    ids=["by a person", "time ran out"],
)
def test_what_an_earlier_try_was_answered_is_taken(monkeypatch, asked, answer, chosen, user):
    now = context(2)

    ApprovePlan().take_or_ask(now, looked_up(monkeypatch, answer))

    assert now["ti"].pushed == {"answer": {"chosen_options": chosen, "responded_by_user": user}}
    assert asked == []


@pytest.mark.parametrize("answer", [UNANSWERED, 404], ids=["nobody has answered", "nobody was asked"])
def test_where_nothing_was_answered_it_asks(monkeypatch, asked, answer):
    now = context(2)

    with pytest.raises(TaskAwaitingInput):
        ApprovePlan().take_or_ask(now, looked_up(monkeypatch, answer))

    assert now["ti"].pushed == {}
    assert len(asked) == 1


def test_airflow_that_does_not_answer_is_no_missing_answer(monkeypatch):
    with pytest.raises(AirflowRuntimeError):
        looked_up(monkeypatch, 503)


def published(summary):
    instance = SimpleNamespace(xcom_pull=lambda task_ids: {"publish": summary}[task_ids])
    return {"ti": instance, "dag": SimpleNamespace(dag_id="collections_daily__book"), "partition_key": "2026-03-02"}


def test_each_question_has_a_run_of_its_own():
    question = "0a1b2c3d-0000-4000-8000-000000000000"

    with pytest.raises(DagRunTriggerException) as triggered:
        AskForApproval().execute(published({"approval_id": question}))

    assert triggered.value.dag_run_id == "collections_daily__book__2026-03-02__0a1b2c3d"
    assert triggered.value.conf == {"approval_id": question}


def test_nothing_is_asked_where_nothing_is_held():
    assert AskForApproval().execute(published({"approval_id": None})) is None


def test_publication_of_an_earlier_release_says_what_to_clear():
    with pytest.raises(ApprovalUnknownError, match="clear `publish`"):
        AskForApproval().execute(published({"held_because": []}))
