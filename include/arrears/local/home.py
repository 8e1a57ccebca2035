"""Where the one-machine deployment keeps what it must remember: paths, ports, generated secrets, the lock.

Belongs here: files under ``var/`` and the two facts about a network port that outlive a process.
Does not belong here: what is started with them.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arrears.errors import LocalServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Home:
    """The folders of one deployment.

    Args:
        var: Absolute path of everything the deployment writes; all that ``make clean`` removes of it.
    """

    var: Path

    @property
    def log(self) -> Path:
        """One log file per server."""
        return self.var / "log"

    @property
    def run(self) -> Path:
        """Process records and the lock."""
        return self.var / "run"

    @property
    def lineage(self) -> Path:
        """OpenLineage events of every run, one a line."""
        return self.var / "lineage" / "events.jsonl"

    @property
    def pins(self) -> Path:
        """What the first run chose for the demos: their dates, and how much history."""
        return self.var / "demo.json"

    @property
    def postgres(self) -> Path:
        """The embedded server's folder."""
        return self.var / "postgres"

    @property
    def airflow(self) -> Path:
        """``AIRFLOW_HOME``."""
        return self.var / "airflow"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the deployment: one ``run`` or ``up`` at a time.

        Raises:
            LocalServerError: Another process holds it.
        """
        self.run.mkdir(parents=True, exist_ok=True)
        with (self.run / "lock").open("a+", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as held:
                raise LocalServerError(
                    f"the servers belong to process {self.lock_holder()}, a `make up` or `make run`",
                    "no other of them at work; stop it with `make down`",
                    str(self.run / "lock"),
                ) from held
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            try:
                yield
            finally:
                lock.truncate(0)

    def lock_holder(self) -> int | None:
        """Process id of the ``run`` or ``up`` at work, or None."""
        path = self.run / "lock"
        if not path.exists():
            return None
        with path.open("r+", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read() or 0) or None
        return None


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def recalled(path: Path, key: str) -> str | None:
    """The value of ``key`` in the private JSON file ``path``, or None."""
    return _read(path).get(key)


def remembered(path: Path, key: str, make: Callable[[], str]) -> str:
    """The same, made and kept the first time it is asked for."""
    kept = _read(path)
    if key not in kept:
        kept[key] = make()
        write_private(path, json.dumps(kept, indent=2))
    return kept[key]


def forget(path: Path, key: str) -> None:
    """Drop ``key``, so that it is made anew."""
    kept = _read(path)
    if kept.pop(key, None) is not None:
        write_private(path, json.dumps(kept, indent=2))


def _read(path: Path) -> dict[str, str]:
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return kept


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def remembered_port(path: Path, key: str) -> int:
    """A loopback port for a server about to start: the one it had, or a free one if that is taken."""
    if not port_is_free(int(remembered(path, key, _free_port))):
        forget(path, key)
    return int(remembered(path, key, _free_port))


def _free_port() -> str:
    # Under the range that systems hand out for outgoing connections, so that none of those takes it meanwhile.
    candidates = (20_000 + secrets.randbelow(12_000) for _ in range(1_000))
    return str(next(port for port in candidates if port_is_free(port)))
