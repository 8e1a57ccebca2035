"""What a person sees while days run: one line per portfolio and date, live on a terminal, plain lines elsewhere.

Belongs here: words and layout. Does not belong here: asking Airflow, or deciding what is wrong.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from types import TracebackType

    from rich.console import Console, RenderableType

    from arrears.local.api import Task

# Airflow's words for an instance that is at work now, and ours.
AT_WORK = {
    "running": "",
    "queued": "queued",
    "up_for_retry": "will retry",
    "up_for_reschedule": "waits",
    "deferred": "waits",
    "restarting": "restarts",
}
OVER = {"success", "failed", "skipped", "upstream_failed", "removed"}


@dataclass(frozen=True)
class DayView:
    """One day as it stands.

    Attributes:
        portfolio: Portfolio name.
        business_date: The day.
        kind: backfill, or today's run.
        state: Airflow's state of the run; empty before there is one.
        tasks: Its task instances.
        seconds: Since the drive began, until the run was over.
    """

    portfolio: str
    business_date: date
    kind: str
    state: str
    tasks: Sequence[Task]
    seconds: float


def steps_now(tasks: Sequence[Task]) -> str:
    """The steps at work, in few words: ``extract 3/12, validate (will retry)``; empty when none is."""
    words = []
    for step in dict.fromkeys(task.task_id for task in tasks):
        instances = [task for task in tasks if task.task_id == step]
        states = Counter(AT_WORK[task.state] for task in instances if task.state in AT_WORK)
        if not states:
            continue
        count = f" {sum(task.state in OVER for task in instances)}/{len(instances)}" if len(instances) > 1 else ""
        waiting = "" if states[""] else f" ({states.most_common(1)[0][0]})"
        words.append(f"{step}{count}{waiting}")
    return ", ".join(words)


class Progress:
    """The display of one drive; use as a context manager.

    Args:
        console: Where to print; a terminal gets a live table.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._said: dict[tuple[str, date], str] = {}
        self._live = Live(console=console, transient=True, refresh_per_second=8) if console.is_terminal else None

    @property
    def seconds(self) -> float:
        """Since the display began."""
        return time.monotonic() - self._began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.rest()

    def say(self, words: str) -> None:
        """What is done now, beside the days."""
        if self._live:
            self._live.start()
            self._live.update(Spinner("dots", text=f" {words} ({self.seconds:.0f} s)"))
        else:
            self.keep(words)

    def keep(self, words: str) -> None:
        """A line that stays."""
        self._console.print(f"{self.seconds:6.1f} s  {words}", highlight=False, markup=False, soft_wrap=True)

    def rest(self) -> None:
        """Nothing is done now: leave the terminal to others."""
        if self._live:
            self._live.update("")
            self._live.stop()

    def show(self, days: Sequence[DayView]) -> None:
        """The days as they stand."""
        if self._live:
            self._live.start()
            self._live.update(_table(days))
        for day in days:
            words = _words(day)
            if self._said.get((day.portfolio, day.business_date)) != words:
                self._said[day.portfolio, day.business_date] = words
                if not self._live or day.state in {"success", "failed"}:
                    self.keep(f"{day.portfolio} {day.business_date} ({day.kind}): {words}")


def _words(day: DayView) -> str:
    if day.state in {"success", "failed"}:
        return f"{day.state} after {day.seconds:.0f} s"
    return steps_now(day.tasks) or day.state or "to come"


def _table(days: Sequence[DayView]) -> RenderableType:
    table = Table("portfolio", "business date", "run", "step", "tasks", "seconds", box=None, pad_edge=False)
    table.columns[4].justify = table.columns[5].justify = "right"
    colours = {"success": "green", "failed": "red"}
    for day in days:
        done = sum(task.state in OVER for task in day.tasks)
        table.add_row(
            day.portfolio,
            str(day.business_date),
            day.kind,
            day.state if day.state in colours else steps_now(day.tasks) or day.state,
            f"{done}/{len(day.tasks)}",
            f"{day.seconds:.0f}",
            style=colours.get(day.state, ""),
        )
    return table
