"""CeleryExecutor on one machine: a Redis broker and several workers on loopback, the topology of docker-compose.yml.

Belongs here: broker and workers, and what Airflow is told of them. Does not belong here: Airflow's own components.

A worker that dies with its tasks is seen by the scheduler alone: the tasks' heartbeats stop, and after
``HEARTBEAT_TIMEOUT`` each is taken up for an ordinary retry, which any other worker gets. Redis would deliver the dead
worker's messages again only after ``VISIBILITY_TIMEOUT``; that one is kept longer than any task may run, so that no
task at work is delivered twice. A message that no worker took is queued again after ``QUEUED_TIMEOUT``.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import redis

from arrears.errors import LocalServerError
from arrears.local.home import LOOPBACK, Home, recalled, remembered, remembered_port, write_private
from arrears.local.processes import Server, stop

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from arrears.local.postgres import EmbeddedPostgres

SLOTS = 2
# Seconds. In production the first may be minutes: it only has to be longer than a worker's longest pause.
HEARTBEAT_TIMEOUT = 15
QUEUED_TIMEOUT = 60
VISIBILITY_TIMEOUT = 3 * 3600  # above the longest `execution_timeout`, which is 2 hours
START_SECONDS = 120
GRACE_SECONDS = 10
POLL_SECONDS = 0.2
# A broker's messages are worth nothing without the servers: nothing is kept on disk.
CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
save ""
appendonly no
dir "{folder}"
"""
# Airflow's own: a worker reaches it through the execution API alone, with a token for each task.
NOT_FOR_WORKERS = (
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
)
NAME_VARIABLE = "ARREARS_WORKER_NAME"


def worker_name() -> str:
    """What Airflow calls the host of this process: workers of one machine would all have the same name."""
    return os.environ.get(NAME_VARIABLE, LOOPBACK)


@dataclass(frozen=True)
class CeleryCluster:
    """One broker and its workers.

    Args:
        home: Folders of the deployment.
        postgres: The running metadata server, which keeps the results too.
        size: Number of workers.
        preloaded: Modules that a worker imports once, before it forks tasks.
    """

    home: Home
    postgres: EmbeddedPostgres
    size: int
    preloaded: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The workers' names, which Airflow shows as the host of a task."""
        return tuple(f"worker-{number}" for number in range(1, self.size + 1))

    def worker(self, name: str) -> Server:
        """The process record of one worker."""
        return Server(name, self.home.run / f"{name}.json", self.home.log / f"{name}.log")

    def environment(self) -> dict[str, str]:
        """What Airflow's components and the workers are told."""
        port = remembered_port(self._state, "port")
        results = self.postgres.url("airflow", driver="psycopg2")
        return {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": f"{__name__}.worker_name",
            "AIRFLOW__CELERY__BROKER_URL": f"redis://:{self._password}@{LOOPBACK}:{port}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{results}",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(SLOTS),
            "AIRFLOW__CELERY__SYNC_PARALLELISM": "1",
            "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG": json.dumps({"imports": self.preloaded}),
            "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": str(VISIBILITY_TIMEOUT),
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT),
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": str(QUEUED_TIMEOUT),
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
        }

    def start_broker(self) -> None:
        """Start Redis on the port that ``environment`` chose, with a password, for this machine only.

        Raises:
            LocalServerError: There is no ``redis-server``, or it does not answer.
        """
        program = shutil.which("redis-server")
        if program is None:
            raise LocalServerError("there is no redis-server", "Redis; on Debian: apt-get install redis-server")
        port = int(recalled(self._state, "port") or 0)
        configuration = self.home.run / "redis.conf"
        write_private(
            configuration,
            CONFIGURATION.format(host=LOOPBACK, port=port, password=self._password, folder=self.home.run),
        )
        self._redis.start([program, str(configuration)], {"PATH": os.defpath, "LC_ALL": "C"})
        give_up = time.monotonic() + START_SECONDS
        with redis.Redis(LOOPBACK, port, password=self._password) as client:
            while True:
                try:
                    client.ping()
                except redis.ConnectionError:
                    if time.monotonic() > give_up or not self._redis.is_alive():
                        raise LocalServerError(
                            f"Redis does not answer\n{self._redis.log_end()}", "a broker", str(self._redis.log)
                        ) from None
                    time.sleep(POLL_SECONDS)
                else:
                    return

    def start_workers(self, program: tuple[str, ...], environment: Mapping[str, str]) -> None:
        """Start every worker and wait until the broker knows them all.

        Args:
            program: The ``airflow`` command.
            environment: From ``LocalAirflow.airflow_environment``; the API server of it must be healthy.

        Raises:
            LocalServerError: One ended, or was not there in time.
        """
        for name in self.names:
            self.start_worker(name, program, environment)
        give_up = time.monotonic() + START_SECONDS
        while not all(self._is_ready(name) for name in self.names):
            for name in self.names:
                worker = self.worker(name)
                if not worker.is_alive() or time.monotonic() > give_up:
                    raise LocalServerError(f"{name} did not start\n{worker.log_end()}", "a worker", str(worker.log))
            time.sleep(POLL_SECONDS)

    def start_worker(self, name: str, program: tuple[str, ...], environment: Mapping[str, str]) -> None:
        """Start one worker and come back at once."""
        call = [*program, "celery", "worker", "--celery-hostname", name, "--skip-serve-logs", "--without-gossip"]
        told = {key: value for key, value in environment.items() if key not in NOT_FOR_WORKERS}
        self.worker(name).start(call, {**told, NAME_VARIABLE: name})

    def stop(self) -> None:
        """End workers and broker; safe to call at any time."""
        stop([self.worker(name) for name in self.names], grace_seconds=GRACE_SECONDS)
        stop([self._redis], grace_seconds=GRACE_SECONDS)

    def _is_ready(self, name: str) -> bool:
        return f"celery@{name} ready" in self.worker(name).log_end(lines=200)

    @property
    def _redis(self) -> Server:
        return Server("redis", self.home.run / "redis.json", self.home.log / "redis.log")

    @property
    def _state(self) -> Path:
        return self.home.airflow / "redis.json"

    @property
    def _password(self) -> str:
        return remembered(self._state, "password", lambda: secrets.token_urlsafe(24))
