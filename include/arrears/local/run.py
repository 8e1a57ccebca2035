"""``make run``: from whatever there is to published metrics of the demo, on real servers, and all of them stopped.

Belongs here: the story of one run as its user sees it. Does not belong here: how its parts work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arrears.errors import RunFailedError
from arrears.local.airflow import USER
from arrears.local.api import AirflowApi
from arrears.local.drive import Drive, Failure
from arrears.local.progress import Progress
from arrears.local.sent import outbox_table, sample_messages
from arrears.local.summary import blocked_table, breach_table, published, summary_table

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console
    from rich.table import Table

    from arrears.local.demo import Demo
    from arrears.local.deployment import Deployment


@dataclass(frozen=True)
class DemoRun:
    """One ``make run``.

    Args:
        deployment: The servers and the demos they hold.
        console: Where progress, summary and failures are printed.
    """

    deployment: Deployment
    console: Console

    def run(self) -> bool:
        """Start everything, run every demo's days, print what was published or why not, stop everything.

        Returns:
            Whether every day was published.

        Raises:
            LocalServerError: A server did not start or died.
            RunFailedError: The days were not over in time.
        """
        days = [(demo, self.deployment.dates(demo)) for demo in self.deployment.demos]
        with Progress(self.console) as progress:
            with self.deployment.started(is_scheduling=False, say=progress.say):
                progress.keep("servers are up")
                before = {demo: self._published(demo, dates) for demo, dates in days}
                failure = self._drive(progress, days)
                tables = (
                    [] if failure else [table for demo, dates in days for table in self._tables(demo, dates, before)]
                )
            progress.keep("servers are stopped")
        if failure:
            self._print_failure(failure)
            return False
        for table in tables:
            self.console.print(table)
        names = [demo.portfolio for demo, _ in days]
        for panel in sample_messages(self.deployment.home.var / "outbox" / "sandbox", names):
            self.console.print(panel)
        self._print_notes(days)
        return True

    def _drive(self, progress: Progress, days: list[tuple[Demo, tuple[date, ...]]]) -> Failure | None:
        airflow = self.deployment.airflow
        with AirflowApi(airflow.address, USER, airflow.password) as api:
            drive = Drive(api, progress, airflow.refuse_dead)
            return drive.run(days) or drive.send()

    def _published(self, demo: Demo, dates: tuple[date, ...]) -> dict[date, dict[str, Any]]:
        return published(self.deployment.warehouse_url, demo.portfolio, dates)

    def _tables(
        self, demo: Demo, dates: tuple[date, ...], before: dict[Demo, dict[date, dict[str, Any]]]
    ) -> list[Table]:
        found = self._published(demo, dates)
        missing = [str(day) for day in dates if day not in found]
        if missing:
            raise RunFailedError(
                f"the runs succeeded, but {', '.join(missing)} is not published", "every date", demo.portfolio
            )
        url = self.deployment.warehouse_url
        return [
            outbox_table(url, demo.portfolio, dates[-1]),
            summary_table(demo.portfolio, found, before[demo]),
            blocked_table(url, demo.portfolio, dates),
            breach_table(url, demo.portfolio, dates),
        ]

    def _print_failure(self, failure: Failure) -> None:
        self.console.print(f"\nFailed: {failure.place}", style="bold red", highlight=False, markup=False)
        self.console.print(failure.message, highlight=False, markup=False, soft_wrap=True)
        self.console.print(f"Runbook: {failure.runbook}", highlight=False, soft_wrap=True)
        self.console.print("Whole log: `make up`, then the task in the UI. Servers' logs: var/log/", highlight=False)

    def _print_notes(self, days: list[tuple[Demo, tuple[date, ...]]]) -> None:
        for demo, dates in days:
            if demo.today() != dates[-1]:
                self.console.print(
                    f"{demo.portfolio}: its dates are pinned, and {dates[-1]} is no longer today in {demo.timezone}: "
                    "its plan can't be sent any more. `make clean` pins new dates.",
                    highlight=False,
                    soft_wrap=True,
                )
        self.console.print(
            "\nWhere to look next\n"
            "  make up                           the Airflow UI, these runs in it, and a line for BI tools\n"
            "  .venv/bin/python -m arrears ...   status, explain, check-portfolio, outbox (servers: `make up`)\n"
            "  docs/reference/tables.md          every table and view; docs/runbooks/ every error",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
        if self.deployment.has_own_warehouse:
            line = self.deployment.postgres.psql("arrears")
            self.console.print(f"  SQL, while `make up` runs:\n  {line}", highlight=False, markup=False, soft_wrap=True)
