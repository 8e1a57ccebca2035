"""One business date on real Airflow servers, timed by Airflow's own records."""

import time
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from arrears.local.airflow import USER, LocalAirflow
from arrears.local.api import AirflowApi
from arrears.warehouse.migrate import upgrade

DAG_ID = "collections_daily__bench"
PARSE_SECONDS, RUN_SECONDS = 90, 7200
TASKS = (
    "SELECT task_id, extract(epoch FROM start_date), extract(epoch FROM end_date) FROM task_instance "
    "WHERE dag_id = %s AND run_id = %s AND start_date IS NOT NULL"
)
RUN = (
    "SELECT run_id, state, extract(epoch FROM start_date), extract(epoch FROM end_date) FROM dag_run "
    "WHERE dag_id = %s AND partition_key = %s ORDER BY id DESC LIMIT 1"
)


@dataclass(frozen=True)
class Timed:
    """Seconds of one run: start to end, without any task at work, and by task (a mapped one from first to last)."""

    seconds: float
    idle_seconds: float
    tasks: dict[str, float]


@contextmanager
def airflow(home, postgres, environment):
    """The four components up and healthy, and stopped afterwards."""
    servers = LocalAirflow(home, postgres)
    told = {**servers.airflow_environment(environment), "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False"}
    try:
        servers.migrate(told)
        servers.start_api_server(told)
        upgrade(environment["ARREARS_WAREHOUSE_URL"])
        servers.start_others(told)
        yield servers
    finally:
        servers.stop()


def timed_day(servers, postgres, day):
    """Trigger the date, wait for its end, and read how long what took."""
    with AirflowApi(servers.address, USER, servers.password) as api:
        give_up = time.monotonic() + PARSE_SECONDS
        while api.parsed_at(DAG_ID) is None:
            if time.monotonic() > give_up:
                raise TimeoutError(f"no DAG {DAG_ID}: {api.import_errors()}")
            time.sleep(0.5)
        api.pause(DAG_ID, paused=False)
        api.trigger(DAG_ID, day)
        return _timed(postgres, day, servers)


def _timed(postgres, day, servers):
    give_up = time.monotonic() + RUN_SECONDS
    with psycopg.connect(postgres.url("airflow").replace("+psycopg", ""), autocommit=True) as connection:
        while True:
            run_id, state, start, end = connection.execute(RUN, (DAG_ID, day.isoformat())).fetchone()
            if state == "success":
                break
            if state == "failed" or time.monotonic() > give_up:
                raise RuntimeError(f"{DAG_ID} {day}: {state}; {servers.home.log}")
            servers.refuse_dead()
            time.sleep(1)
        spans = connection.execute(TASKS, (DAG_ID, run_id)).fetchall()
    tasks = {
        name: float(max(e for n, _, e in spans if n == name) - min(s for n, s, _ in spans if n == name))
        for name in dict.fromkeys(name for name, start, _ in sorted(spans, key=lambda span: span[1]))
    }
    return Timed(float(end - start), float(end - start) - _covered(spans), tasks)


def _covered(spans):
    """Seconds in which at least one task was at work."""
    covered, until = 0.0, 0.0
    for _, start, end in sorted(spans, key=lambda span: span[1]):
        covered += max(0.0, float(end) - max(float(start), until))
        until = max(until, float(end))
    return covered
