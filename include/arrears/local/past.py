"""Fills the demos' past by the command line, side by side, one process per portfolio, before Airflow runs their days.

Belongs here: starting and watching those processes. What they do stands in ``arrears.jobs.history``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arrears.errors import RunFailedError
from arrears.local.processes import Server, stop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from arrears.local.home import Home

POLL_SECONDS = 0.5
SAY_SECONDS = 5
GRACE_SECONDS = 5


@dataclass(frozen=True)
class Past:
    """The past of some portfolios.

    Args:
        home: Folders of the deployment.
        until: First business date that is no past, by portfolio.
    """

    home: Home
    until: Mapping[str, date]

    def start(self, environment: Mapping[str, str]) -> None:
        """Start a process for each portfolio; together they use all cores."""
        threads = max((os.cpu_count() or 1) // max(len(self.until), 1), 1)
        for portfolio, until in self.until.items():
            asked = ("--portfolio", portfolio, "--until", until.isoformat(), "--json")
            call = (sys.executable, "-m", "arrears", "history", *asked)
            self.process(portfolio).start(call, {"ARREARS_THREADS": str(threads), **environment})

    def wait(self, say: Callable[[str], None]) -> None:
        """Wait for all of them.

        Args:
            say: Told every few seconds how far they are.

        Raises:
            RunFailedError: One ended before all its dates were published; the message is its own.
        """
        said = 0.0
        waiting = set(self.until)
        while waiting:
            far = {portfolio: self._far(portfolio) for portfolio in self.until}
            if time.monotonic() - said > SAY_SECONDS:
                said = time.monotonic()
                say("history: " + ", ".join(f"{portfolio} {done}/{of or '?'}" for portfolio, (done, of) in far.items()))
            for portfolio in sorted(waiting):
                if not self.process(portfolio).is_alive():
                    done, of = self._far(portfolio)  # what it wrote last
                    if of is None or done < of:
                        raise RunFailedError(
                            f"its history ended after {done} dates\n{self.process(portfolio).log_end()}",
                            "every date published",
                            portfolio,
                        )
                    waiting.remove(portfolio)
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End every process that is left; safe to call at any time."""
        stop([self.process(portfolio) for portfolio in self.until], grace_seconds=GRACE_SECONDS)

    def process(self, portfolio: str) -> Server:
        """The process record of one portfolio."""
        name = f"history-{portfolio}"
        return Server(name, self.home.run / f"{name}.json", self.home.log / f"{name}.log")

    def _far(self, portfolio: str) -> tuple[int, int | None]:
        """Dates done, and how many there are, as soon as it has said so."""
        for line in reversed(self.process(portfolio).log.read_text(encoding="utf-8", errors="replace").splitlines()):
            with suppress(ValueError, KeyError):  # the line being written, or another's
                said = json.loads(line)
                return said["done"], said["of"]
        return 0, None
