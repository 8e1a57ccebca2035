"""CeleryExecutor for real: Redis, two workers on loopback, the days run across both, one worker killed in mid-task."""

import os
import shutil
import signal
import time

import pytest
from filelock import FileLock
from support.servers import BOOK, WAIT_SECONDS, running_floor

pytestmark = [
    pytest.mark.celery,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(
        shutil.which("redis-server") is None,
        reason="no redis-server on the PATH (Debian: apt-get install redis-server)",
    ),
]


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    with running_floor(tmp_path_factory.mktemp("celery"), workers=2) as floor:
        yield floor


def tries(floor, business_date):
    """Task instances of the date as Airflow knows them, with the worker that ran each as its host."""
    run_id = floor.run_of(business_date).run_id
    path = f"/api/v2/dags/{BOOK.dag_id}/dagRuns/{run_id}/taskInstances"
    return floor.api._ask("GET", path)["task_instances"]  # noqa: SLF001  the client does not tell hosts


def test_day_runs_across_both_workers(floor):
    first = floor.dates[0]

    floor.api.trigger(BOOK.dag_id, first)
    floor.wait(first)

    workers = [task["hostname"] for task in tries(floor, first)]
    assert set(workers) == {"worker-1", "worker-2"}


def test_task_of_a_killed_worker_ends_right_after_a_plain_retry(floor, record_property):
    second = floor.dates[1]
    cluster = floor.deployment.airflow.cluster
    partition = floor.deployment.home.var / "lake" / BOOK.portfolio / "out__quarantine" / f"business_date={second}"
    partition.mkdir(parents=True)

    with FileLock(str(partition / ".lock")):  # the task waits for it, in the middle of its work
        floor.api.trigger(BOOK.dag_id, second)
        floor.wait_for_task(second, "validate", {"running"})
        held = wait_for_host(floor, second, "validate")
        survivor = next(name for name in cluster.names if name != held["hostname"])
        processes = cluster.worker(held["hostname"]).processes()
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
        killed_at = time.monotonic()
    floor.wait_for_task(second, "validate", {"up_for_retry"})
    seen_after = time.monotonic() - killed_at
    floor.wait(second)

    (validate,) = [task for task in tries(floor, second) if task["task_id"] == "validate"]
    record_property("seconds until the scheduler saw it", round(seen_after))
    record_property("seconds until the day was over", round(time.monotonic() - killed_at))
    assert len(processes) >= 3  # the worker, its pool process, the task
    assert held["state"] == "running"
    assert seen_after < 60
    assert (validate["state"], validate["try_number"], validate["hostname"]) == ("success", 2, survivor)
    assert {task["hostname"] for task in tries(floor, second) if task["start_date"] > validate["start_date"]} == {
        survivor
    }


def test_hashes_are_those_of_local_executor(floor, tmp_path_factory):
    days = floor.dates[:2]
    of_celery = {day: floor.hashes(day) for day in days}

    with running_floor(tmp_path_factory.mktemp("local")) as local:
        for day in days:
            local.api.trigger(BOOK.dag_id, day)
        for day in days:
            local.wait(day)
        of_local = {day: local.hashes(day) for day in local.dates[:2]}

    assert set(of_local) == set(of_celery), "midnight passed between the two deployments"
    assert of_celery == of_local


def wait_for_host(floor, business_date, task_id):
    """The running task, as soon as the lake's lock holds it up."""
    give_up = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < give_up:
        (task,) = [task for task in tries(floor, business_date) if task["task_id"] == task_id]
        if task["hostname"]:
            time.sleep(3)  # into its work: it has read the extracts and waits
            return task
        time.sleep(0.1)
    raise AssertionError("the task never said where it runs")
