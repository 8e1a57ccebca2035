"""All servers of the one-machine deployment, started in order and stopped whatever happens.

Belongs here: the order, what each server is told of the others, and the guarantee that nothing is left running.
Does not belong here: what is done while they run (``run.py``, ``cli.py``).
"""

from __future__ import annotations

import os
import secrets
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from arrears.keys import new_key
from arrears.local.airflow import LocalAirflow
from arrears.local.demo import business_dates
from arrears.local.home import LOOPBACK, Home, recalled, remembered, write_private
from arrears.local.past import Past
from arrears.local.postgres import EmbeddedPostgres
from arrears.local.webhook import LocalWebhook
from arrears.settings import ENVIRONMENT_FILE, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from pathlib import Path
    from types import FrameType

    from arrears.local.demo import Demo
    from arrears.rules.business_dates import BusinessDates

WAREHOUSE = "arrears"
JOBS_LOGIN = "arrears_jobs"


@dataclass(frozen=True)
class Deployment:
    """One machine's servers.

    Args:
        home: Folders of the deployment.
        demos: Demo portfolios whose ledgers it holds.
        workers: Celery workers, which need a Redis; none for LocalExecutor.
    """

    home: Home
    demos: tuple[Demo, ...]
    workers: int = 0

    @property
    def postgres(self) -> EmbeddedPostgres:
        """The embedded server: Airflow's metadata, and the warehouse unless a URL names another."""
        return EmbeddedPostgres(self.home.postgres)

    @property
    def airflow(self) -> LocalAirflow:
        """The four components."""
        return LocalAirflow(self.home, self.postgres, workers=self.workers)

    @property
    def webhook(self) -> LocalWebhook:
        """What receives signed feedback, once ``start_webhook`` has been called."""
        return LocalWebhook(self.home)

    @property
    def has_own_warehouse(self) -> bool:
        """Whether the warehouse is the embedded server's, not one that the settings name."""
        configured = load_settings().warehouse_url
        ours = (self._jobs_password, self.postgres.password)
        return configured is None or make_url(configured.get_secret_value()).password in ours

    @property
    def warehouse_url(self) -> str:
        """SQLAlchemy URL of the warehouse as the jobs log in, password included: never print it."""
        if not self.has_own_warehouse:
            return load_settings().warehouse
        own = make_url(self.owner_url).set(username=JOBS_LOGIN, password=self._jobs_password)
        return own.render_as_string(hide_password=False)

    @property
    def owner_url(self) -> str:
        """The same as whoever migrates it."""
        if self.has_own_warehouse:
            return self.postgres.url(WAREHOUSE)
        settings = load_settings()
        return settings.warehouse_owner_url.get_secret_value() if settings.warehouse_owner_url else settings.warehouse

    @property
    def bi_url(self) -> str | None:
        """What a BI tool connects with: it reads the ``bi`` views and nothing else. None for a server of yours."""
        if not self.has_own_warehouse:
            return None
        return f"postgresql://{self._bi_login}:{self._bi_password}@{LOOPBACK}:{self.postgres.port}/{WAREHOUSE}"

    @contextmanager
    def started(self, *, is_scheduling: bool, say: Callable[[str], None]) -> Iterator[None]:
        """Hold the lock, run all servers, and stop them at the end, also on Ctrl-C, SIGTERM or an exception.

        Args:
            is_scheduling: Whether unpaused DAGs start runs by their own schedule.
            say: Told in a few words what is done now.

        Raises:
            LocalServerError: A server did not start.
            WarehouseUnreachableError: The server that the settings name did not answer.
        """
        with self.home.locked(), _termination_as_interrupt():
            try:
                self._start(is_scheduling=is_scheduling, say=say)
                yield
            finally:
                say("stopping the servers")
                with _undisturbed():
                    self.stop()

    def start_webhook(self) -> None:
        """Start the feedback webhook beside the servers that are up.

        Raises:
            LocalServerError: It did not start.
        """
        self.webhook.start(self._task_environment())

    def stop(self) -> None:
        """Stop whatever runs of this deployment; safe at any time."""
        self.webhook.stop()
        self._past.stop()
        self.airflow.stop()
        self.postgres.stop()

    def _start(self, *, is_scheduling: bool, say: Callable[[str], None]) -> None:
        self.webhook.stop()  # what a killed run has left
        self._past.stop()
        self.airflow.stop()
        say("PostgreSQL 18")
        self.postgres.start()
        environment = {
            **self.airflow.airflow_environment(self._task_environment()),
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": str(is_scheduling),
        }
        say("Airflow's metadata")
        self.airflow.migrate(environment)
        say("the Airflow API server, and meanwhile the warehouse and the demo ledgers")
        self.airflow.start_api_server(environment)
        self._prepare_warehouse()
        self._tell_the_command_line()
        self._past.start(environment)
        self._past.wait(say)
        say("scheduler, DAG processor and triggerer")
        self.airflow.start_others(environment)

    def _prepare_warehouse(self) -> None:
        from arrears.sources.demo import fill_demo  # noqa: PLC0415  seconds of imports while the API server starts
        from arrears.sources.demo.schema import SCHEMA  # noqa: PLC0415
        from arrears.warehouse.roles import let_jobs_read  # noqa: PLC0415

        self.make_warehouse()
        for demo in self.demos:
            first, last = self.business_dates.first, self.dates(demo)[-1]
            fill_demo(
                demo.portfolio,
                loans=demo.loans,
                seed=demo.seed,
                business_dates=self.business_dates.between(first, last),
                target=self._inbox(demo)[0] if demo.inbox else self.owner_url,
                truth=self.home.var / "demo" / demo.portfolio / "truth.parquet",
            )
        let_jobs_read(self.owner_url, (SCHEMA,))

    def make_warehouse(self) -> None:
        """Bring the warehouse to this version, and let the jobs and BI log in."""
        from arrears.warehouse.migrate import upgrade  # noqa: PLC0415  as above
        from arrears.warehouse.roles import BI, JOBS, create_login  # noqa: PLC0415

        upgrade(self.owner_url)
        if self.has_own_warehouse:
            create_login(self.owner_url, BI, self._bi_password)
            create_login(self.owner_url, JOBS, self._jobs_password)

    def _task_environment(self) -> dict[str, str]:
        settings = load_settings()
        lake = settings.lake_url if "lake_url" in settings.model_fields_set else f"file://{self.home.var / 'lake'}"
        return {
            **self._addresses(),
            "ARREARS_LAKE_URL": lake,
            "ARREARS_OUTBOX_FOLDER": str(self.home.var / "outbox"),
            "ARREARS_PREDECESSOR_RETRY_SECONDS": os.environ.get("ARREARS_PREDECESSOR_RETRY_SECONDS", "5"),
        }

    def _addresses(self) -> dict[str, str]:
        """Where the warehouse is, and what the demo portfolios' folders ask for."""
        folders = {
            variable: folder
            for demo in self.demos
            if demo.inbox
            for variable, folder in zip(demo.inbox, self._inbox(demo), strict=True)
        }
        return {
            "ARREARS_WAREHOUSE_URL": self.warehouse_url,
            "ARREARS_MASTER_KEYS": self._master_keys,
            **self._experiment_key(),
            "ARREARS_DEMO_FIRST_DATE": self.business_dates.first.isoformat(),
            "ARREARS_DEMO_DAILY_FROM": self._daily_from,
            **folders,
        }

    def _experiment_key(self) -> dict[str, str]:
        """The key of the demo's experiment, made once, unless the settings have another."""
        kept = self.home.var / "experiment.json"
        if load_settings().experiment_secret.decode() not in ("", recalled(kept, "key")):
            return {}
        return {"ARREARS_EXPERIMENT_KEY": remembered(kept, "key", lambda: secrets.token_urlsafe(32))}

    def _tell_the_command_line(self) -> None:
        """Let ``python -m arrears`` work on the same data while the servers run, without any variable set."""
        if self.home.var != ENVIRONMENT_FILE.parent or not self.has_own_warehouse:
            return
        told = self._addresses()
        known = ENVIRONMENT_FILE.read_text(encoding="utf-8").splitlines() if ENVIRONMENT_FILE.exists() else []
        kept = [line for line in known if line.partition("=")[0].strip() not in told]
        write_private(ENVIRONMENT_FILE, "\n".join([*kept, *(f"{name}={value}" for name, value in told.items())]) + "\n")

    def dates(self, demo: Demo) -> tuple[date, ...]:
        """The demo's business dates that Airflow runs here, oldest first."""
        return demo.dates(self._pins)

    @property
    def business_dates(self) -> BusinessDates:
        """The dates of all demos here, their past included."""
        return business_dates(self.demos, self._pins)

    @property
    def _daily_from(self) -> str:
        """As the portfolio folders want it: empty when there is no past of month ends."""
        dates = self.business_dates
        return "" if dates.daily_from == dates.first else dates.daily_from.isoformat()

    @property
    def _past(self) -> Past:
        return Past(self.home, {demo.portfolio: self.dates(demo)[0] for demo in self.demos if demo.past_days})

    @property
    def _pins(self) -> Path:
        return self.home.pins

    def _inbox(self, demo: Demo) -> tuple[str, str]:
        """Folders of a demo's inbox and of its archive."""
        return str(self.home.var / "inbox" / demo.portfolio), str(self.home.var / "archive" / demo.portfolio)

    @property
    def _bi_login(self) -> str:
        from arrears.warehouse.roles import BI_LOGIN  # noqa: PLC0415

        return BI_LOGIN

    @property
    def _bi_password(self) -> str:
        return remembered(self.home.var / "bi.json", "password", lambda: secrets.token_urlsafe(18))

    @property
    def _jobs_password(self) -> str:
        return remembered(self.home.var / "jobs.json", "password", lambda: secrets.token_urlsafe(24))

    @property
    def _master_keys(self) -> str:
        """As the settings say, or made once: without them nothing sealed can be read again."""
        told = load_settings().master_keys.get_secret_value()
        return told or remembered(self.home.var / "keys.json", "master_keys", lambda: f"1:{new_key()}")


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the work as Ctrl-C does, through every ``finally``."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C must not leave servers behind."""
    before = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
