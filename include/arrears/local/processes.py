"""Servers as process sessions: started apart from the terminal, recorded, and stopped to the last child.

Belongs here: one recorded operating-system session per server.
Does not belong here: what the servers are and when they are ready.

A session, not a process group: Airflow puts every task into a process group of its own, and only the session
still says whose child it is.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from arrears.local.home import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

POLL_SECONDS = 0.05
CLOCK_SLACK_SECONDS = 1.0


@dataclass(frozen=True)
class Server:
    """One server process, its children, its log and its record.

    Args:
        name: Short name, unique in the deployment.
        record: File that remembers the process while it may be alive.
        log: File that takes its output; begun anew at each start.
    """

    name: str
    record: Path
    log: Path

    def start(self, call: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start ``call`` as the leader of a new session."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603
                call,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        started = psutil.Process(process.pid).create_time()
        write_private(self.record, json.dumps({"session": process.pid, "started": started}))

    def is_alive(self) -> bool:
        """Whether the process that was started (not only some child of it) runs."""
        return bool(self.leader())

    def leader(self) -> list[psutil.Process]:
        """The process that was started, while it runs: one or none."""
        return [process for process in self.processes() if process.pid == _session_of(process.pid)]

    def processes(self) -> list[psutil.Process]:
        """Every live process of the recorded session."""
        recorded = self._recorded()
        if recorded is None:
            return []
        session, started = recorded
        return [
            process
            for process in psutil.process_iter()
            if _session_of(process.pid) == session and _is_live_since(process, started)
        ]

    def log_end(self, lines: int = 15) -> str:
        """The last lines of the log, for an error message."""
        if not self.log.exists():
            return "no log"
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def forget(self) -> None:
        """Drop the record of a server that is gone."""
        self.record.unlink(missing_ok=True)

    def _recorded(self) -> tuple[int, float] | None:
        if not self.record.exists():
            return None
        kept = json.loads(self.record.read_text(encoding="utf-8"))
        return int(kept["session"]), float(kept["started"])


def stop(servers: Iterable[Server], *, grace_seconds: float) -> None:
    """Ask these servers to end, wait, and end whatever is left of them.

    Args:
        servers: Servers that may run; those that do not are only forgotten.
        grace_seconds: Time to end by themselves.
    """
    servers = list(servers)
    for server in servers:
        _signal(server.leader(), signal.SIGTERM)
    give_up = time.monotonic() + grace_seconds
    while time.monotonic() < give_up and any(server.processes() for server in servers):
        time.sleep(POLL_SECONDS)
    for server in servers:
        while left := server.processes():
            _signal(left, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        server.forget()


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _is_live_since(process: psutil.Process, started: float) -> bool:
    # An older process of the same session number belongs to someone else: numbers are used again.
    try:
        is_live = process.status() != psutil.STATUS_ZOMBIE
        return bool(is_live and process.create_time() >= started - CLOCK_SLACK_SECONDS)
    except psutil.NoSuchProcess:
        return False
