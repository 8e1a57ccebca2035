"""A real Airflow and a real PostgreSQL with one small portfolio: what the slow tests stand on."""

import time
from contextlib import contextmanager
from dataclasses import dataclass

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

BOOK = Demo("demo_travel_cn", "Asia/Shanghai", loans=400, seed=7)
WAIT_SECONDS = 480


@dataclass
class Floor:
    """A running deployment with one small portfolio."""

    deployment: Deployment
    api: AirflowApi

    @property
    def book(self):
        (book,) = self.deployment.demos
        return book

    @property
    def dates(self):
        return self.deployment.dates(self.book)

    def settings(self):
        return Settings(
            warehouse_url=self.deployment.warehouse_url, lake_url=f"file://{self.deployment.home.var / 'lake'}"
        )

    def hashes(self, business_date):
        return day_summary(Day.open(self.book.portfolio, business_date, settings=self.settings()))["content_hashes"]

    def run_of(self, business_date):
        return self.api.runs(self.book.dag_id, business_date)[0]

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
        failed = [task for task in self.api.tasks(self.book.dag_id, run_id) if task.state == "failed"]
        return {task.task_id: last_words(self.api.log(self.book.dag_id, run_id, task)) for task in failed}

    def wait_for_task(self, business_date, task_id, states):
        give_up = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < give_up:
            run = self.run_of(business_date)
            found = [task for task in self.api.tasks(self.book.dag_id, run.run_id) if task.task_id == task_id]
            if found and found[0].state in states:
                return found[0]
            time.sleep(0.1)
        raise AssertionError(f"{task_id} of {business_date} never came to {states}")

    def clear(self, business_date, **what):
        answer = {"dry_run": False, "only_failed": False, "include_downstream": False, **what}
        answer["dag_run_id"] = self.run_of(business_date).run_id
        self.api._ask("POST", f"/api/v2/dags/{self.book.dag_id}/clearTaskInstances", json=answer)  # noqa: SLF001

    def undisturbed(self, folder):
        """Content hashes by date of the same days, made without Airflow into another lake and another warehouse."""
        postgres = self.deployment.postgres
        with psycopg.connect(postgres.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE DATABASE undisturbed")
        url = postgres.url("undisturbed")
        upgrade(url)
        settings = Settings(warehouse_url=url, lake_url=f"file://{folder}")
        return {day: run_day(self.book.portfolio, day, settings=settings)["content_hashes"] for day in self.dates}

    def ledger(self):
        url = self.deployment.warehouse_url.replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            count = "SELECT (SELECT count(*) FROM ops.publish_ledger), (SELECT count(*) FROM ops.notification)"
            return connection.execute(count).fetchone()


@contextmanager
def running_floor(home, *, book=BOOK, workers=0, environment=None):
    """Start the servers, unpause the portfolio's DAG, and stop everything at the end."""
    deployment = Deployment(Home(home), (book,), workers=workers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Settings.model_config, "env_file", None)  # not the developer's own deployment
        patch.delenv("ARREARS_WAREHOUSE_URL", raising=False)
        patch.setenv("ARREARS_DEMO_FIRST_DATE", deployment.dates(book)[0].isoformat())
        patch.setenv("ARREARS_EXPERIMENT_KEY", "only-for-these-tests")  # two floors draw the same arms
        for name, value in (environment or {}).items():
            patch.setenv(name, value)
        with deployment.started(is_scheduling=False, say=print):
            patch.setenv("ARREARS_WAREHOUSE_URL", deployment.warehouse_url)
            with AirflowApi(deployment.airflow.address, USER, deployment.airflow.password) as api:
                give_up = time.monotonic() + 60
                while api.parsed_at(book.dag_id) is None and time.monotonic() < give_up:
                    time.sleep(0.5)
                api.pause(book.dag_id, paused=False)
                yield Floor(deployment, api)
