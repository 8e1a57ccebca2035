"""The daily DAG on a real Airflow and a real PostgreSQL: wrong order, killed tasks, tasks cleared alone.

Every outcome is compared with an undisturbed run of the same dates by the command line's path into another lake.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest
from arrears.jobs.day import Day
from arrears.jobs.run_day import day_summary, run_day
from arrears.local.airflow import USER
from arrears.local.api import AirflowApi
from arrears.local.demo import Demo
from arrears.local.deployment import Deployment
from arrears.local.drive import last_words
from arrears.local.home import Home
from arrears.settings import Settings
from arrears.warehouse.migrate import upgrade

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(900)]

BOOK = Demo("demo_travel_cn", "Asia/Shanghai", loans=400, seed=7)
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
]
WAIT_SECONDS = 240


@dataclass
class Floor:
    """A running deployment with one small portfolio."""

    deployment: Deployment
    api: AirflowApi
    strike: Path

    @property
    def dates(self):
        return self.deployment.dates(BOOK)

    def settings(self):
        return Settings(
            warehouse_url=self.deployment.warehouse_url, lake_url=f"file://{self.deployment.home.var / 'lake'}"
        )

    def hashes(self, business_date):
        return day_summary(Day.open(BOOK.portfolio, business_date, settings=self.settings()))["content_hashes"]

    def run_of(self, business_date):
        return self.api.runs(BOOK.dag_id, business_date)[0]

    def wait(self, business_date, state="success"):
        give_up = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < give_up:
            run = self.run_of(business_date)
            if run.is_over:
                assert run.state == state, self.last_words(run.run_id)
                return run
            time.sleep(0.5)
        raise AssertionError(f"{business_date} is not over")

    def last_words(self, run_id):
        failed = [task for task in self.api.tasks(BOOK.dag_id, run_id) if task.state == "failed"]
        return {task.task_id: last_words(self.api.log(BOOK.dag_id, run_id, task)) for task in failed}

    def wait_for_task(self, business_date, task_id, states):
        give_up = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < give_up:
            run = self.run_of(business_date)
            found = [task for task in self.api.tasks(BOOK.dag_id, run.run_id) if task.task_id == task_id]
            if found and found[0].state in states:
                return found[0]
            time.sleep(0.1)
        raise AssertionError(f"{task_id} of {business_date} never came to {states}")

    def clear(self, business_date, **what):
        answer = {"dry_run": False, "only_failed": False, "include_downstream": False, **what}
        answer["dag_run_id"] = self.run_of(business_date).run_id
        self.api._ask("POST", f"/api/v2/dags/{BOOK.dag_id}/clearTaskInstances", json=answer)  # noqa: SLF001

    def ledger(self):
        url = self.deployment.warehouse_url.replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            count = "SELECT (SELECT count(*) FROM ops.publish_ledger), (SELECT count(*) FROM ops.notification)"
            return connection.execute(count).fetchone()


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    home = tmp_path_factory.mktemp("floor")
    strike = home / "strike"
    patch = pytest.MonkeyPatch()
    patch.setitem(Settings.model_config, "env_file", None)  # not the developer's own deployment
    patch.delenv("ARREARS_WAREHOUSE_URL", raising=False)
    patch.setenv("ARREARS_FAILPOINT", "publish.before_commit")
    patch.setenv("ARREARS_FAILPOINT_FILE", str(strike))
    deployment = Deployment(Home(home), (BOOK,))
    patch.setenv("ARREARS_DEMO_FIRST_DATE", deployment.dates(BOOK)[0].isoformat())
    with deployment.started(is_scheduling=False, say=print):
        patch.setenv("ARREARS_WAREHOUSE_URL", deployment.warehouse_url)
        with AirflowApi(deployment.airflow.address, USER, deployment.airflow.password) as api:
            give_up = time.monotonic() + 60
            while api.parsed_at(BOOK.dag_id) is None and time.monotonic() < give_up:
                time.sleep(0.5)
            api.pause(BOOK.dag_id, paused=False)
            yield Floor(deployment, api, strike)
    patch.undo()


@pytest.fixture(scope="module")
def undisturbed(floor, tmp_path_factory):
    """Content hashes by date of the same days, made without Airflow into another lake and another warehouse."""
    administration = floor.deployment.postgres.url("postgres").replace("+psycopg", "")
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute("CREATE DATABASE undisturbed")
    url = floor.deployment.postgres.url("undisturbed")
    upgrade(url)
    settings = Settings(warehouse_url=url, lake_url=f"file://{tmp_path_factory.mktemp('other')}")
    return {day: run_day(BOOK.portfolio, day, settings=settings)["content_hashes"] for day in floor.dates}


def test_dates_started_in_the_wrong_order_end_right(floor, undisturbed):
    first, second, _ = floor.dates
    floor.api.trigger(BOOK.dag_id, second)
    floor.wait_for_task(second, "transitions", {"up_for_retry"})

    floor.api.trigger(BOOK.dag_id, first)
    floor.wait(first)
    floor.wait(second)

    assert floor.hashes(first) == undisturbed[first]
    assert floor.hashes(second) == undisturbed[second]


def test_publish_killed_in_its_transaction_ends_as_if_undisturbed(floor, undisturbed):
    today = floor.dates[2]
    floor.strike.touch()

    floor.api.trigger(BOOK.dag_id, today)
    floor.wait_for_task(today, "publish", {"up_for_retry"})
    floor.clear(today, task_ids=["publish"])
    floor.wait(today)

    assert not floor.strike.exists(), "the fail point never struck"
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
