"""Airflow's own processes killed in the middle of a day, and a task that the kernel kills each time it is tried.

A component that is killed is started again, as a supervisor would; nothing else is done by hand, and the day ends as an
undisturbed one. A task that dies without a word calls no callback of its own: the DAG's tells whoever is on call.
"""

import json
import os
import signal
import time
from contextlib import suppress

import psutil
import pytest
from arrears.local.airflow import AIRFLOW, API_SERVER, COMPONENTS
from arrears.local.home import LOOPBACK
from support.listener import listening
from support.servers import BOOK, WAIT_SECONDS, running_floor

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(1200)]
CALLS = {**COMPONENTS, API_SERVER: ("api-server", "--host", LOOPBACK)}
QUICKLY = {  # lost tasks are noticed in seconds, not in five minutes
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
}


@pytest.fixture(scope="module")
def alerts():
    """A webhook that keeps what it is told."""
    with listening() as heard:
        yield heard


@pytest.fixture(scope="module")
def floor(tmp_path_factory, alerts):
    connection = json.dumps({"conn_type": "http", "host": alerts[1]})
    told = {**QUICKLY, "ARREARS_ALERT_CONNECTION": "on_call", "AIRFLOW_CONN_ON_CALL": connection}
    with running_floor(tmp_path_factory.mktemp("floor"), environment=told) as floor:
        yield floor


@pytest.fixture(scope="module")
def undisturbed(floor, tmp_path_factory):
    """Content hashes by date of the same days, made without Airflow."""
    return floor.undisturbed(tmp_path_factory.mktemp("other"))


@pytest.mark.parametrize(
    ("number", "names", "step"),
    [
        pytest.param(0, ["scheduler"], "plan", id="scheduler, and with it every task of LocalExecutor"),
        pytest.param(1, [API_SERVER], "validate", id="API server"),
        pytest.param(2, ["dag-processor", "triggerer"], "metrics", id="DAG processor and triggerer"),
    ],
)
def test_day_goes_on_by_itself_once_they_are_back(*, floor, undisturbed, record_property, number, names, step):
    day = floor.dates[number]
    floor.api.trigger(BOOK.dag_id, day)
    floor.wait_for_task(day, step, {"running"})

    environment = environment_of(floor)
    killed = sum(kill(floor, name) for name in names)
    for name in names:
        floor.deployment.airflow.server(name).start([*AIRFLOW, *CALLS[name]], environment)
    floor.deployment.airflow._wait_for({"metadatabase", "scheduler", "dag_processor", "triggerer"})  # noqa: SLF001
    floor.wait(day)

    record_property("killed", f"{' and '.join(names)} in {step}: {killed} processes")
    assert killed >= len(names)
    assert floor.hashes(day) == undisturbed[day]
    assert floor.ledger()[0] == number + 1


def test_task_that_the_kernel_kills_every_time_is_told_to_whoever_is_on_call(
    floor, undisturbed, alerts, record_property
):
    today, before, heard = floor.dates[2], floor.ledger(), len(alerts[0])
    floor.clear(today, task_ids=["age"])

    kills = 0
    give_up = time.monotonic() + WAIT_SECONDS
    while not floor.run_of(today).is_over and time.monotonic() < give_up:
        kills += kill_task(floor, today, "age")
        time.sleep(0.05)
    run = floor.run_of(today)
    while len(alerts[0]) == heard and time.monotonic() < give_up:
        time.sleep(0.5)

    record_property("tries", kills)
    # Airflow asks the last task alone, which nobody cleared: its run is green. Ours is not.
    assert (run.state, kills) == ("success", 4)
    told = alerts[0][heard:]
    assert [alert["subject"] for alert in told] == [f"ARR-RUN-FAILED {BOOK.portfolio} {today}"]
    assert "docs/runbooks/ARR-RUN-FAILED.md" in told[0]["text"]

    floor.clear(today, task_ids=["age"])  # what the runbook says
    floor.wait(today)
    assert floor.hashes(today) == undisturbed[today]
    assert floor.ledger() == before


def environment_of(floor):
    """What the components were started with, the API server's port included: a supervisor starts them with it again."""
    airflow, told = floor.deployment.airflow, floor.deployment._task_environment()  # noqa: SLF001  as a supervisor
    return {**airflow.airflow_environment(told), "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False"}


def kill(floor, name):
    """SIGKILL every process of a component; their number."""
    killed = 0
    for process in floor.deployment.airflow.server(name).processes():
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
            killed += 1
    return killed


def kill_task(floor, business_date, step):
    """SIGKILL the process that works on the step; whether there was one."""
    run_id = floor.run_of(business_date).run_id
    path = f"/api/v2/dags/{BOOK.dag_id}/dagRuns/{run_id}/taskInstances/{step}"
    found = floor.api._ask("GET", path)  # noqa: SLF001  the client does not tell a try's id
    for process in psutil.process_iter(["cmdline"]) if found["state"] == "running" else ():
        if f"airflow worker -- {found['id']}" in " ".join(process.info["cmdline"] or []):
            os.kill(process.pid, signal.SIGKILL)
            return 1
    return 0
