"""Drives real DAG runs through the REST API: starts the demo's days, watches them, and finds out why one failed.

Belongs here: which runs are started how, and when they are over. Does not belong here: servers and summaries.

All days are started at once: a day waits by itself for the day before (``ARR-RUN-PREDECESSOR``).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from arrears.errors import LocalServerError, RunFailedError
from arrears.local.progress import AT_WORK, DayView

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from arrears.local.api import AirflowApi, Run, Task
    from arrears.local.demo import Demo
    from arrears.local.progress import Progress

POLL_SECONDS = 1.0
LOOKING_SHARE = 0.1  # looking costs the API server what it then lacks for the tasks: a tenth of the time at most
PARSE_SECONDS = 90
STILL_SECONDS = 600
OVER_SECONDS = 15
SENDING = "contact_dispatch"
SEND_SECONDS = 300
CODE = re.compile(r"\bARR-[A-Z]+(?:-[A-Z0-9]+)+\b")
RUNBOOK = re.compile(r"docs/runbooks/[A-Z0-9-]+\.md")


@dataclass(frozen=True)
class Failure:
    """Why a day failed.

    Attributes:
        place: Portfolio, date and step.
        message: The task's own last words.
        runbook: Page that says what to do, relative to the repository.
    """

    place: str
    message: str
    runbook: str


@dataclass(frozen=True)
class Drive:
    """One drive of all days of the demos.

    Args:
        api: A session with the running Airflow.
        progress: Told how the days stand.
        still_alive: Raises when a server has died.
    """

    api: AirflowApi
    progress: Progress
    still_alive: Callable[[], None]

    def run(self, days: Sequence[tuple[Demo, tuple[date, ...]]]) -> Failure | None:
        """Run every date of every demo: the last as today's run, those before it as a backfill.

        Args:
            days: Demo portfolios with their business dates, oldest first, at least two.

        Returns:
            None when all succeeded, else why the first one failed.

        Raises:
            LocalServerError: A server died, or a DAG file cannot be read.
            RunFailedError: The days were not over in time.
        """
        for demo, _ in days:
            self._wait_until_parsed(demo.dag_id)
        for demo, dates in days:
            self._start(demo.dag_id, dates)
        try:
            return self._watch(days)
        finally:
            for demo, _ in days:
                self.api.pause(demo.dag_id, paused=True)

    def send(self) -> Failure | None:
        """Run the dispatcher's DAG once: what today's plans have put into the outbox goes out.

        Returns:
            None when it succeeded, else why not.

        Raises:
            LocalServerError: A server died, or the DAG file cannot be read.
            RunFailedError: It was not over in time.
        """
        self._wait_until_parsed(SENDING)
        self.api.pause(SENDING, paused=False)
        run, give_up = self.api.start(SENDING), time.monotonic() + SEND_SECONDS
        try:
            while not run.is_over:
                if time.monotonic() > give_up:
                    raise RunFailedError(f"{SENDING} is not over after {SEND_SECONDS} s", "a minute", "var/log/")
                self.still_alive()
                time.sleep(POLL_SECONDS)
                run = self.api.run(SENDING, run.run_id)
        finally:
            self.api.pause(SENDING, paused=True)
        if run.state == "success":
            return None
        failed = [task for task in self.api.tasks(SENDING, run.run_id) if task.state == "failed"]
        words = last_words(self.api.log(SENDING, run.run_id, failed[0])) if failed else "no task says why (killed?)"
        return _failure_of(SENDING, words)

    def _wait_until_parsed(self, dag_id: str) -> None:
        """Until the DAG processor has read today's file: what it knew before may be an older version."""
        asked, give_up = datetime.now(UTC), time.monotonic() + PARSE_SECONDS
        while True:
            parsed = self.api.parsed_at(dag_id)
            if parsed is not None and datetime.fromisoformat(parsed) >= asked:
                return
            self.still_alive()
            errors = self.api.import_errors()
            if errors:
                raise LocalServerError(f"a DAG file cannot be read: {errors[0]}", "importable DAG files", "dags/")
            if time.monotonic() > give_up:
                raise LocalServerError(f"no DAG {dag_id} after {PARSE_SECONDS} s", "the DAG", "dags/")
            time.sleep(POLL_SECONDS / 4)

    def _start(self, dag_id: str, dates: tuple[date, ...]) -> None:
        self.api.cancel_backfills(dag_id)
        for business_date in dates:
            for run in self.api.runs(dag_id, business_date):
                if not run.is_over:  # its servers were stopped under it
                    self.api.fail(dag_id, run.run_id)
        self.api.backfill(dag_id, dates[0], dates[-2])
        today = [run for run in self.api.runs(dag_id, dates[-1]) if run.run_type != "backfill"]
        if today:
            self.api.clear(dag_id, today[0].run_id)
        else:
            self.api.trigger(dag_id, dates[-1])
        self.api.pause(dag_id, paused=False)

    def _watch(self, days: Sequence[tuple[Demo, tuple[date, ...]]]) -> Failure | None:
        patience = Patience(STILL_SECONDS)
        runs = {
            (demo, business_date): self._current(demo.dag_id, business_date, is_last=business_date == dates[-1])
            for demo, dates in days
            for business_date in dates
        }
        views: dict[tuple[Demo, date], DayView] = {}
        while True:
            began = time.monotonic()
            for (demo, business_date), run in runs.items():
                known = views.get((demo, business_date))
                if known and known.state in {"success", "failed"}:
                    continue
                views[demo, business_date] = view = self._look(demo, business_date, run)
                if view.state == "failed" or any(task.state == "failed" for task in view.tasks):
                    self.progress.show(list(views.values()))
                    return self._failure(demo, business_date, run)
            self.progress.show(list(views.values()))
            if all(view.state == "success" for view in views.values()):
                return None
            if patience.is_over([(view.state, view.tasks) for view in views.values()]):
                open_days = ", ".join(
                    f"{view.portfolio} {view.business_date}" for view in views.values() if view.state != "success"
                )
                raise RunFailedError(f"{open_days}: nothing moved for {STILL_SECONDS} s", "a step a minute", "var/log/")
            self.still_alive()
            time.sleep(max(POLL_SECONDS, (time.monotonic() - began) / LOOKING_SHARE))

    def _look(self, demo: Demo, business_date: date, run: Run) -> DayView:
        """The day as it stands; the run itself is asked only when its tasks leave its state open."""
        tasks = self.api.tasks(demo.dag_id, run.run_id)
        at_work = any(task.state in AT_WORK for task in tasks)
        state = "running" if at_work else self.api.run(demo.dag_id, run.run_id).state
        kind = "backfill" if run.run_type == "backfill" else "today"
        return DayView(demo.portfolio, business_date, kind, state, tasks, self.progress.seconds)

    def _current(self, dag_id: str, business_date: date, *, is_last: bool) -> Run:
        runs = self.api.runs(dag_id, business_date)
        wanted = [run for run in runs if (run.run_type != "backfill") == is_last]
        if not wanted:
            raise LocalServerError(f"Airflow made no run for {business_date}", "one run per date", dag_id)
        return wanted[0]

    def _failure(self, demo: Demo, business_date: date, run: Run) -> Failure:
        """What the failed task said; waits a little for Airflow to close the run, so that its callbacks are heard."""
        give_up = time.monotonic() + OVER_SECONDS
        while not self.api.run(demo.dag_id, run.run_id).is_over and time.monotonic() < give_up:
            time.sleep(POLL_SECONDS)
        day = f"{demo.portfolio} {business_date}"
        failed = [task for task in self.api.tasks(demo.dag_id, run.run_id) if task.state == "failed"]
        if not failed:
            return _failure_of(day, "the run failed and no task says why (killed?)")
        return _failure_of(f"{day} {_name(failed[0])}", last_words(self.api.log(demo.dag_id, run.run_id, failed[0])))


class Patience:
    """Ends when what is watched has not changed for a while: a slow machine is waited for, a stuck day is not.

    Args:
        seconds: For how long it may stand still.
        clock: Seconds that never go back.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._seen: object = None
        self._since = clock()

    def is_over(self, seen: object) -> bool:
        """Whether it ends now; ``seen`` is what is watched, as it is now."""
        if seen != self._seen:
            self._seen, self._since = seen, self._clock()
        return self._clock() - self._since > self._seconds


def last_words(log: Sequence[dict[str, Any]]) -> str:
    """The message of the exception that ended a task, from its structured log.

    Args:
        log: Lines as Airflow's REST API gives them.

    Returns:
        The coded message, where there is one; else type and text of the last exception; else the last error line.
    """
    exceptions = [part for line in log for part in line.get("error_detail") or ()]
    coded = [part for part in exceptions if CODE.match(str(part["exc_value"]))]
    if coded:
        return str(coded[-1]["exc_value"])
    if exceptions:
        return f"{exceptions[-1]['exc_type']}: {exceptions[-1]['exc_value']}"
    errors = [str(line["event"]) for line in log if line.get("level") in {"error", "critical"}]
    return errors[-1] if errors else "the task ended without a word (killed?)"


def _failure_of(place: str, message: str) -> Failure:
    found = RUNBOOK.search(message)
    return Failure(place, message, found[0] if found else f"docs/runbooks/{RunFailedError.code}.md")


def _name(task: Task) -> str:
    return task.task_id if task.map_index < 0 else f"{task.task_id} [{task.label}]"
