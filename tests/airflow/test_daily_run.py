"""The daily DAG on a real Airflow and a real PostgreSQL: wrong order, killed tasks, tasks cleared alone.

Every outcome is compared with an undisturbed run of the same dates by the command line's path into another lake.
"""

import os
import signal
import time

import psutil
import pytest
from support.servers import BOOK, WAIT_SECONDS, running_floor

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(900)]

STEPS = [
    "wait_for_source",
    "extract",
    "validate",
    "age",
    "transitions",
    "cases",
    "assign",
    "plan",
    "metrics",
    "publish",
    "ask_for_approval",
]


@pytest.fixture(scope="module")
def strike(tmp_path_factory):
    """The file that makes the fail point strike."""
    return tmp_path_factory.mktemp("strike") / "strike"


@pytest.fixture(scope="module")
def floor(tmp_path_factory, strike):
    failing = {"ARREARS_FAILPOINT": "publish.before_commit", "ARREARS_FAILPOINT_FILE": str(strike)}
    with running_floor(tmp_path_factory.mktemp("floor"), environment=failing) as floor:
        yield floor


@pytest.fixture(scope="module")
def undisturbed(floor, tmp_path_factory):
    """Content hashes by date of the same days, made without Airflow."""
    return floor.undisturbed(tmp_path_factory.mktemp("other"))


def test_dates_started_in_the_wrong_order_end_right(floor, undisturbed):
    first, second, _ = floor.dates
    floor.api.trigger(BOOK.dag_id, second)
    floor.wait_for_task(second, "transitions", {"up_for_retry"})

    floor.api.trigger(BOOK.dag_id, first)
    floor.wait(first)
    floor.wait(second)

    assert floor.hashes(first) == undisturbed[first]
    assert floor.hashes(second) == undisturbed[second]


def test_publish_killed_in_its_transaction_ends_as_if_undisturbed(floor, undisturbed, strike):
    today = floor.dates[2]
    strike.touch()

    floor.api.trigger(BOOK.dag_id, today)
    floor.wait_for_task(today, "publish", {"up_for_retry"})
    floor.clear(today, task_ids=["publish"])
    floor.wait(today)

    assert not strike.exists(), "the fail point never struck"
    assert floor.hashes(today) == undisturbed[today]
    assert floor.ledger()[0] == 3


@pytest.mark.parametrize("step", ["validate", "age", "plan"])
def test_task_killed_midway_and_cleared_gives_equal_hashes(floor, undisturbed, step):
    today = floor.dates[2]
    before = floor.ledger()
    floor.clear(today, task_ids=[step], include_downstream=True)

    killed = kill_task(floor, today, step)
    floor.wait_for_task(today, step, {"up_for_retry"})
    floor.clear(today, task_ids=[step])
    floor.wait(today)

    assert killed > 0
    assert floor.hashes(today) == undisturbed[today]
    assert floor.ledger() == before


@pytest.mark.parametrize("step", STEPS)
def test_task_cleared_alone_sends_nothing_and_changes_nothing(floor, undisturbed, step):
    today = floor.dates[2]
    before = floor.ledger()

    floor.clear(today, task_ids=[step])
    floor.wait(today)

    assert floor.hashes(today) == undisturbed[today]
    assert floor.ledger() == before


def test_earlier_day_run_again_leaves_later_days_as_they_are(floor, undisturbed):
    before = floor.ledger()

    floor.api.clear(BOOK.dag_id, floor.run_of(floor.dates[0]).run_id)
    floor.wait(floor.dates[0])

    assert {day: floor.hashes(day) for day in floor.dates} == undisturbed
    assert floor.ledger() == before


def test_run_without_partition_key_ends_with_its_code(floor):
    made = floor.api._ask(  # noqa: SLF001  a mistake that the client does not offer
        "POST", f"/api/v2/dags/{BOOK.dag_id}/dagRuns", json={"logical_date": None}
    )

    give_up = time.monotonic() + WAIT_SECONDS
    while not floor.api.run(BOOK.dag_id, made["dag_run_id"]).is_over and time.monotonic() < give_up:
        time.sleep(0.5)
    (task,) = [one for one in floor.api.tasks(BOOK.dag_id, made["dag_run_id"]) if one.task_id == "wait_for_source"]
    log = str(floor.api.log(BOOK.dag_id, made["dag_run_id"], task))
    assert task.state == "failed"
    assert "ARR-RUN-KEY" in log
    assert "docs/runbooks/ARR-RUN-KEY.md" in log


def test_runbook_page_shows_the_recorded_error_only_after_login(floor):
    runs = floor.api._ask("GET", f"/api/v2/dags/{BOOK.dag_id}/dagRuns", params={"state": "failed"})  # noqa: SLF001
    query = {"dag_id": BOOK.dag_id, "run_id": runs["dag_runs"][0]["dag_run_id"], "task_id": "wait_for_source"}

    shown = floor.api._client.get("/arrears/runbook", params=query)  # noqa: SLF001
    refused = floor.api._client.get("/arrears/runbook", params=query, headers={"Authorization": ""})  # noqa: SLF001

    assert shown.status_code == 200
    assert "ARR-RUN-KEY" in shown.text
    assert "Check in this order" in shown.text
    assert refused.status_code == 401


def kill_task(floor, business_date, step):
    """SIGKILL the process that works on the step, as soon as it is there; its number, 0 when it never was."""
    run_id = floor.run_of(business_date).run_id
    path = f"/api/v2/dags/{BOOK.dag_id}/dagRuns/{run_id}/taskInstances/{step}"
    give_up = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < give_up:
        found = floor.api._ask("GET", path)  # noqa: SLF001  the client does not tell a try's id
        for process in psutil.process_iter(["cmdline"]) if found["state"] == "running" else ():
            if f"airflow worker -- {found['id']}" in " ".join(process.info["cmdline"] or []):
                os.kill(process.pid, signal.SIGKILL)
                return process.pid
    return 0
