"""A held plan on a real Airflow: a person is asked, approves or refuses, and no worker waits meanwhile."""

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from arrears.rules.departure import Departure
from arrears.warehouse.approval import ask
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import NOTIFICATION
from sqlalchemy import insert, text
from support.servers import BOOK, WAIT_SECONDS, running_floor

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(900)]
DAG_ID = "contact_approval"


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    with running_floor(tmp_path_factory.mktemp("floor")) as floor:
        wait_for(lambda: floor.api.parsed_at(DAG_ID) is not None)
        floor.api.pause(DAG_ID, paused=False)
        yield floor


def hold(floor, day, key):
    """One held contact of a day, and its question."""
    now, approval_id = datetime.now(UTC), uuid4()
    with transaction(floor.deployment.warehouse_url) as connection:
        connection.execute(
            insert(NOTIFICATION).values(
                step_key=key,
                portfolio=BOOK.portfolio,
                case_id=key,
                borrower_id=key,
                business_date=day,
                step_id="first",
                channel_code="sms",
                contact_point_id=key,
                template_code="t",
                language="en",
                not_before_at=now,
                not_after_at=now + timedelta(hours=5),
                state_code="held",
                reason_code="plan_departs",
            )
        )
        ask(connection, approval_id, BOOK.portfolio, day, [Departure("volume", "sms", "900", "50 to 200")], 1)
    return approval_id


def state_of(floor, key):
    with transaction(floor.deployment.warehouse_url) as connection:
        return connection.execute(
            text("SELECT state_code, changed_by, reason_code FROM ops.notification WHERE step_key = :key"), {"key": key}
        ).one()


def run_for(floor, approval_id):
    """A run of the DAG, and its address; the client has no call for runs without a partition."""
    conf = {"approval_id": str(approval_id)}
    made = floor.api._ask(  # noqa: SLF001
        "POST", f"/api/v2/dags/{DAG_ID}/dagRuns", json={"logical_date": None, "conf": conf}
    )
    return f"/api/v2/dags/{DAG_ID}/dagRuns/{made['dag_run_id']}"


def say(floor, run, answer):
    """Answer as soon as anybody could: Airflow may still count the asking worker as running, and lose the try."""
    wait_for(lambda: task_of(floor, run, "approve")["state"] == "awaiting_input")
    return floor.api._ask(  # noqa: SLF001
        "PATCH", f"{run}/taskInstances/approve/-1/hitlDetails", json={"chosen_options": [answer], "params_input": {}}
    )


def end_of(floor, run):
    wait_for(lambda: floor.api._ask("GET", run)["state"] in ("success", "failed"))  # noqa: SLF001
    return {name: task_of(floor, run, name)["state"] for name in ("ask", "approve", "settle")}


WELL = {"ask": "success", "approve": "success", "settle": "success"}


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [("Approve", "planned", "approved"), ("Reject", "expired", "approval_refused")],
    ids=["approved", "refused"],
)
def test_what_a_person_answers_is_done(floor, answer, state, reason):
    key = f"held-{answer}"
    run = run_for(floor, hold(floor, floor.dates[-1], key))

    say(floor, run, answer)

    assert end_of(floor, run) == WELL
    found = state_of(floor, key)
    assert (found.state_code, found.reason_code) == (state, reason)
    assert found.changed_by not in ("publish", "contact_approval")  # the person who answered


def test_an_answer_outlives_the_try_that_asked(floor):
    key = "held-lost"
    run = run_for(floor, hold(floor, floor.dates[-1], key))
    said = say(floor, run, "Approve")
    assert end_of(floor, run) == WELL
    assert state_of(floor, key).state_code == "planned"

    tries = {"dry_run": False, "only_failed": False, "dag_run_id": run.rpartition("/")[2], "task_ids": ["approve"]}
    tries |= {"include_downstream": True, "include_upstream": False}
    floor.api._ask("POST", f"/api/v2/dags/{DAG_ID}/clearTaskInstances", json=tries)  # noqa: SLF001

    assert end_of(floor, run) == WELL  # nobody was asked again: nobody answers here
    again = floor.api._ask("GET", f"{run}/taskInstances/approve/-1/hitlDetails")  # noqa: SLF001
    assert (again["responded_at"], again["chosen_options"]) == (said["responded_at"], ["Approve"])


def test_no_other_day_waits_for_an_answer(floor):
    key = "held-waits"
    run = run_for(floor, hold(floor, floor.dates[0], key))
    wait_for(lambda: task_of(floor, run, "approve")["state"] == "awaiting_input")

    for day in floor.dates[:2]:
        floor.api.trigger(BOOK.dag_id, day)
        floor.wait(day)

    assert task_of(floor, run, "approve")["state"] == "awaiting_input"
    assert state_of(floor, key).state_code == "held"
    say(floor, run, "Reject")
    assert end_of(floor, run) == WELL


def task_of(floor, run, task):
    found = floor.api._ask("GET", f"{run}/taskInstances")["task_instances"]  # noqa: SLF001
    return next(one for one in found if one["task_id"] == task)


def wait_for(is_so):
    give_up = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.1)
