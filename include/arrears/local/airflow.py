"""The four Airflow components of one machine: their configuration, migration, start, health and end.

Belongs here: everything that decides how Airflow runs locally, in one environment and one start order.
Does not belong here: what is run on it (``run.py``) and its REST API (``api.py``).
"""

from __future__ import annotations

import base64
import importlib.metadata
import json
import os
import secrets
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import psycopg

from arrears.errors import LocalServerError
from arrears.local.home import LOOPBACK, Home, recalled, remembered, remembered_port, write_private
from arrears.local.processes import Server, stop
from arrears.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from arrears.local.celery import CeleryCluster
    from arrears.local.postgres import EmbeddedPostgres

USER = "admin"
API_SERVER = "api-server"
# The API server stands apart: the others, and every task, need it to be there first and to be there last.
COMPONENTS: dict[str, tuple[str, ...]] = {
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
PRELOADED = (
    "airflow.executors.local_executor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.dag_processing.dagbag",
    "airflow.providers.openlineage.plugins.listener",
    "airflow.providers.standard.sensors.python",
    "adbc_driver_postgresql.dbapi",
    "alembic.command",
    "duckdb",
    "great_expectations",
    "holidays",
    "pandas",
    "psycopg",
    "pyarrow.parquet",
    "pydantic_settings",
    "sqlalchemy.dialects.postgresql.psycopg",
    "arrears.orchestration.preload",
)
HEALTH_SECONDS = 120
GRACE_SECONDS = 5
API_GRACE_SECONDS = 3
POLL_SECONDS = 0.1
LINEAGE_VARIABLE = "AIRFLOW__OPENLINEAGE__TRANSPORT"  # the one setting of Airflow that the caller's shell may choose
# Not the script of that name: its first line breaks when the checkout is moved.
AIRFLOW = (sys.executable, "-m", "airflow")


@dataclass(frozen=True)
class LocalAirflow:
    """Airflow on this machine, its metadata in the embedded PostgreSQL.

    Args:
        home: Folders of the deployment.
        postgres: The running metadata server.
        dags: Folder of DAG files.
        workers: Celery workers that run the tasks; none for the scheduler's own processes (LocalExecutor).
    """

    home: Home
    postgres: EmbeddedPostgres
    dags: Path = REPOSITORY / "dags"
    workers: int = 0

    @property
    def cluster(self) -> CeleryCluster | None:
        """Broker and workers, where there are any."""
        if not self.workers:
            return None
        from arrears.local.celery import CeleryCluster  # noqa: PLC0415  Celery's client is an optional extra

        return CeleryCluster(self.home, self.postgres, self.workers, PRELOADED)

    @property
    def address(self) -> str:
        """Where the UI and the REST API answer; its port is chosen by ``airflow_environment``."""
        return f"http://{LOOPBACK}:{recalled(self._ports, 'api')}"

    @property
    def password(self) -> str:
        """Password of the one user, generated once."""
        return remembered(self._secrets, "password", lambda: secrets.token_urlsafe(18))

    def start_api_server(self, environment: Mapping[str, str]) -> None:
        """Start the API server and come back at once: it takes seconds in which other work can be done.

        Args:
            environment: From ``airflow_environment``.
        """
        # Written by us, or Airflow makes one up, prints it into its log and leaves the file readable to all.
        write_private(self._passwords, json.dumps({USER: self.password}))
        self.home.lineage.parent.mkdir(parents=True, exist_ok=True)
        if self.cluster:
            self.cluster.start_broker()
        self._start(API_SERVER, ("api-server", "--host", LOOPBACK), environment)

    def start_others(self, environment: Mapping[str, str]) -> None:
        """Wait for the API server, start the other three, and wait until all are healthy.

        Raises:
            LocalServerError: A component died or did not become healthy, with the end of its log.
        """
        self._wait_for({"metadatabase"})
        for name, arguments in COMPONENTS.items():
            self._start(name, arguments, environment)
        if self.cluster:
            self.cluster.start_workers(AIRFLOW, environment)
        self._wait_for({"metadatabase", "scheduler", "dag_processor", "triggerer"})

    def stop(self) -> None:
        """End every component and everything it started, the API server last; safe to call at any time."""
        if self.cluster:
            self.cluster.stop()
        stop([self.server(name) for name in COMPONENTS], grace_seconds=GRACE_SECONDS)
        # A browser's open connection would keep it for minutes, and nobody is left to be served.
        stop([self.server(API_SERVER)], grace_seconds=API_GRACE_SECONDS)

    def refuse_dead(self) -> None:
        """Look whether all four still run.

        Raises:
            LocalServerError: One does not.
        """
        for name in (API_SERVER, *COMPONENTS):
            server = self.server(name)
            if not server.is_alive():
                raise LocalServerError(f"the {name} ended by itself\n{server.log_end()}", "a server", str(server.log))

    def server(self, name: str) -> Server:
        """The process record of one component."""
        return Server(name, self.home.run / f"{name}.json", self.home.log / f"{name}.log")

    def migrate(self, environment: Mapping[str, str]) -> bool:
        """Bring the metadata database to this Airflow's schema when it is not there yet.

        Returns:
            Whether anything had to be done. Asking Airflow takes seconds even when nothing has to be, so the version
            that migrated this very database is kept in it.

        Raises:
            LocalServerError: ``airflow db migrate`` failed.
        """
        version = importlib.metadata.version("apache-airflow-core")
        url = self.postgres.url("airflow").replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            known = connection.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'airflow'"
            )
            if known.fetchone() == (f"migrated by {version}",):
                return False
            log = self.home.log / "db-migrate.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("wb") as output:
                done = subprocess.run(  # noqa: S603
                    [*AIRFLOW, "db", "migrate"], check=False, stdout=output, stderr=output, env=dict(environment)
                )
            if done.returncode != 0:
                raise LocalServerError("airflow db migrate failed", "a migrated metadata database", str(log))
            connection.execute(f"COMMENT ON DATABASE airflow IS 'migrated by {version}'")
        return True

    def airflow_environment(self, tasks: Mapping[str, str]) -> dict[str, str]:
        """Everything the components and their tasks are told, for one start: of all of them, or of one beside the rest.

        Args:
            tasks: Variables for the tasks, such as ``ARREARS_WAREHOUSE_URL``.

        Returns:
            A whole environment; what is set here wins over what the caller's shell says.
        """
        is_up = self.server(API_SERVER).is_alive()  # then the port is taken, by it
        port = recalled(self._ports, "api") if is_up else remembered_port(self._ports, "api")
        metadata = self.postgres.url("airflow", driver="psycopg2")
        return {
            **os.environ,
            **tasks,
            "PATH": os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath))),
            "PYTHONUNBUFFERED": "1",
            "AIRFLOW_HOME": str(self.home.airflow),
            "AIRFLOW_CONFIG": str(self.home.airflow / "airflow.cfg"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__FERNET_KEY": self._secret("fernet_key"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self._passwords),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{LOOPBACK}:{port}/execution/",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
            "AIRFLOW__DATABASE__CHECK_MIGRATIONS": "False",
            "AIRFLOW__API__HOST": LOOPBACK,
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": f"http://{LOOPBACK}:{port}",
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": self._secret("api_secret_key"),
            "AIRFLOW__API_AUTH__JWT_SECRET": self._secret("jwt_secret", octets=64),
            # The default of 1 is waited between two tasks of a chain; 0.1 keeps a fifth of a core busy with looking.
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            # Tasks are forked from a server that has imported what is heavy: an import costs each of them seconds
            # (Great Expectations alone 5 of CPU). No module of ours: an edit is seen by the next task.
            "AIRFLOW__SCHEDULER__MP_START_METHOD": "forkserver",
            "AIRFLOW__SCHEDULER__MP_FORKSERVER_PRELOAD": ",".join(PRELOADED),
            # How long a finished task may keep its worker: its supervisor often sees the end only at the next heartbeat
            # (measured with the default of 5: a third of 63 short tasks held one of 4 workers for 5 s).
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
            "AIRFLOW__OPENLINEAGE__NAMESPACE": "arrears",
            "AIRFLOW__OPENLINEAGE__EXTRACTORS": "arrears.orchestration.lineage.JobExtractor",
            "AIRFLOW__OPENLINEAGE__TRANSPORT": os.environ.get(LINEAGE_VARIABLE, self._lineage_to_file()),
            # The default, a fork of a process that has run DuckDB's and Arrow's threads, may hang on a lock of theirs.
            "AIRFLOW__OPENLINEAGE__EXECUTE_IN_THREAD": "True",
            **(self.cluster.environment() if self.cluster else {}),
        }

    def _lineage_to_file(self) -> str:
        """One event a line, foreign exceptions' messages left out."""
        file = {"type": "file", "log_file_path": str(self.home.lineage), "append": True}
        scrubber = "arrears.orchestration.lineage.ForeignMessagesLeftOut"
        return json.dumps({"type": "transform", "transformer_class": scrubber, "transport": file})

    @property
    def _ports(self) -> Path:
        return self.home.airflow / "ports.json"

    @property
    def _secrets(self) -> Path:
        return self.home.airflow / "secrets.json"

    @property
    def _passwords(self) -> Path:
        return self.home.airflow / "passwords.json"

    def _secret(self, name: str, *, octets: int = 32) -> str:
        return remembered(self._secrets, name, lambda: base64.urlsafe_b64encode(os.urandom(octets)).decode("ascii"))

    def _start(self, name: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self.server(name).start([*AIRFLOW, *arguments], environment)

    def _wait_for(self, healthy: set[str]) -> None:
        give_up = time.monotonic() + HEALTH_SECONDS
        while not healthy <= self._healthy():
            for name in (API_SERVER, *COMPONENTS):
                server = self.server(name)
                if server.record.exists() and not server.is_alive():
                    raise LocalServerError(
                        f"the {name} ended while starting\n{server.log_end()}", "a server", str(server.log)
                    )
            if time.monotonic() > give_up:
                missing = ", ".join(sorted(healthy - self._healthy()))
                raise LocalServerError(
                    f"{missing} not healthy after {HEALTH_SECONDS} s", "a healthy server", str(self.home.log)
                )
            time.sleep(POLL_SECONDS)

    def _healthy(self) -> set[str]:
        try:
            answer = httpx.get(f"{self.address}/api/v2/monitor/health", timeout=5)
        except httpx.HTTPError:
            return set()
        return (
            {name for name, part in answer.json().items() if part["status"] == "healthy"}
            if answer.is_success
            else set()
        )
