"""The four Airflow components: what they are told, and, started for real, that they run days and leave nothing."""

import stat
import time
from dataclasses import dataclass
from datetime import date, timedelta
from io import StringIO

import httpx
import psutil
import psycopg
import pytest
from arrears.errors import LocalServerError
from arrears.local.airflow import API_SERVER, COMPONENTS, USER, LocalAirflow
from arrears.local.api import AirflowApi
from arrears.local.demo import Demo
from arrears.local.drive import Drive
from arrears.local.home import Home
from arrears.local.postgres import EmbeddedPostgres
from arrears.local.progress import Progress
from rich.console import Console

PROBE = Demo("probe", "Asia/Shanghai", loans=0, seed=0)
TODAY = date(2026, 2, 3)
DATES = tuple(TODAY - timedelta(days=back) for back in (2, 1, 0))
# The daily DAG in small: mapped, each date waiting for the one before, failing when a file says so.
DAG_FILE = """
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from airflow.sdk import CronPartitionTimetable, dag, get_current_context, task

FOLDER = Path({folder!r})

@dag(dag_id="collections_daily__probe", start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False,
     schedule=CronPartitionTimetable("0 0 * * *", timezone="Asia/Shanghai", key_format="%Y-%m-%d"),
     default_args={{"retries": 20, "retry_delay": timedelta(seconds=1)}})
def probe():
    @task
    def extract(noun):
        return noun

    @task
    def transitions():
        day = date.fromisoformat(get_current_context()["partition_key"])
        if day > date(2026, 2, 1) and not (FOLDER / str(day - timedelta(days=1))).exists():
            raise RuntimeError("the day before is not there")

    @task(retries=0)
    def publish():
        context = get_current_context()
        if (FOLDER / "fail").exists():
            raise RuntimeError("ARR-VAL-001 [raw__loan]: too many. Runbook: docs/runbooks/ARR-VAL-001.md")
        with (FOLDER / context["partition_key"]).open("a") as file:
            file.write(str(context["dag_run"].run_type.value) + "\\n")

    extract.expand(noun=["loan", "instalment"]) >> transitions() >> publish()

probe()
"""


@dataclass(frozen=True)
class Machine:
    """A deployment of its own, with a DAG folder of its own."""

    airflow: LocalAirflow
    environment: dict
    published: object

    def start(self):
        self.airflow.start_api_server(self.environment)
        self.airflow.start_others(self.environment)

    def drive(self):
        """Run all dates once; the failure, and what was printed."""
        printed = StringIO()
        with (
            AirflowApi(self.airflow.address, USER, self.airflow.password) as api,
            Progress(Console(file=printed)) as progress,
        ):
            failure = Drive(api, progress, self.airflow.refuse_dead).run([(PROBE, DATES)])
        return failure, printed.getvalue()

    def processes(self):
        return [process for name in (API_SERVER, *COMPONENTS) for process in self.airflow.server(name).processes()]


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("machine")
    for name in ("dags", "published"):
        (folder / name).mkdir()
    (folder / "dags" / "collections_daily.py").write_text(DAG_FILE.format(folder=str(folder / "published")))
    home = Home(folder / "var")
    postgres = EmbeddedPostgres(home.postgres)
    postgres.start()
    airflow = LocalAirflow(home, postgres, folder / "dags")
    environment = {**airflow.airflow_environment({}), "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False"}
    yield Machine(airflow, environment, folder / "published")
    airflow.stop()
    postgres.stop()


def test_environment_holds_no_default_secret_and_no_other_address(machine):
    told = machine.environment
    secrets = [told[name] for name in told if name.endswith(("FERNET_KEY", "JWT_SECRET", "API__SECRET_KEY"))]

    assert len(set(secrets)) == 3
    assert all(len(secret) >= 44 for secret in secrets)
    assert told["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert told["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].startswith("http://127.0.0.1:")
    assert f":{machine.airflow.postgres.password}@127.0.0.1:" in told["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]


def test_environment_keeps_its_secrets_over_restarts(machine):
    again = machine.airflow.airflow_environment({})

    ours = [name for name in again if name.startswith("AIRFLOW")]
    assert len(ours) > 20
    assert [machine.environment[name] for name in ours] == [again[name] for name in ours]


def test_secrets_are_private_files(machine):
    file = machine.airflow.home.airflow / "secrets.json"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert machine.environment["AIRFLOW__API_AUTH__JWT_SECRET"] in file.read_text()


def test_component_that_dies_while_starting_is_named_with_its_last_words(tmp_path, machine):
    broken = LocalAirflow(Home(tmp_path), machine.airflow.postgres, tmp_path)
    told = {**broken.airflow_environment({}), "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "no-such-dialect://"}
    try:
        broken.start_api_server(told)

        with pytest.raises(LocalServerError, match=r"the api-server ended while starting\n(.|\n)*ArgumentError"):
            broken.start_others(told)
    finally:
        broken.stop()


@pytest.mark.airflow
@pytest.mark.timeout(600)
def test_days_run_through_real_components_twice_then_fail_and_leave_nothing(machine):
    assert machine.airflow.migrate(machine.environment)
    assert not machine.airflow.migrate(machine.environment)
    machine.start()

    first = machine.drive()
    second = machine.drive()
    (machine.published / "fail").touch()
    third, printed = machine.drive()
    family = machine.processes()
    machine.airflow.stop()

    assert (first[0], second[0]) == (None, None)
    assert "probe 2026-02-03 (today): success" in first[1]
    runs = {str(day): (machine.published / str(day)).read_text().split() for day in DATES}
    assert runs == {
        "2026-02-01": ["backfill", "backfill"],
        "2026-02-02": ["backfill", "backfill"],
        "2026-02-03": ["manual", "manual"],
    }
    assert third.place.endswith(" publish")
    assert third.message.startswith("ARR-VAL-001 [raw__loan]: too many.")
    assert third.runbook == "docs/runbooks/ARR-VAL-001.md"
    assert "failed" in printed
    assert len(family) >= 8  # four components, four workers
    assert not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.airflow
@pytest.mark.timeout(300)
def test_login_is_generated_private_and_required(machine):
    machine.airflow.migrate(machine.environment)
    machine.airflow.start_api_server(machine.environment)
    give_up = time.monotonic() + 60
    while True:
        try:
            anonymous = httpx.get(f"{machine.airflow.address}/api/v2/dags")
            break
        except httpx.ConnectError:
            assert time.monotonic() < give_up
            time.sleep(0.2)

    guesses = [
        httpx.post(f"{machine.airflow.address}/auth/token", json={"username": USER, "password": guess})
        for guess in (USER, "airflow")
    ]

    assert anonymous.status_code == 401
    assert [guess.status_code for guess in guesses] == [401, 401]
    passwords = machine.airflow.home.airflow / "passwords.json"
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    log = (machine.airflow.home.log / "api-server.log").read_text()
    assert machine.airflow.password not in log
    with AirflowApi(machine.airflow.address, USER, machine.airflow.password) as api:
        assert api.import_errors() == []
    machine.airflow.stop()


def test_metadata_is_migrated_once_per_version(machine):
    """What decides is kept in the database itself: another database is not taken for the migrated one."""
    url = machine.airflow.postgres.url("airflow").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("COMMENT ON DATABASE airflow IS 'migrated by 0.0.0'")
    told = {**machine.environment, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "no-such-dialect://"}

    with pytest.raises(LocalServerError, match="airflow db migrate failed"):
        machine.airflow.migrate(told)
