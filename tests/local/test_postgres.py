"""The embedded server, for real: as whoever runs the tests, and, where that is root, as an ordinary user too."""

import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import psycopg
import pytest
from arrears.errors import LocalServerError
from arrears.local.postgres import SOCKET_PATH_LIMIT, EmbeddedPostgres
from arrears.settings import INCLUDE

IS_ROOT = os.getuid() == 0
SERVER = """
import sys
from pathlib import Path
import psycopg
from arrears.local.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
try:
    with psycopg.connect(server.url("arrears").replace("+psycopg", "")) as connection:
        print(connection.execute("SELECT current_database()").fetchone()[0])
finally:
    server.stop()
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    server = EmbeddedPostgres(tmp_path_factory.mktemp("server") / "postgres")
    yield server
    server.stop()


@pytest.fixture
def server(shared):
    """A running server; what a test stops or moves runs again in the next."""
    shared.start()
    return shared


def connect(server, **changes):
    parts = {"host": "127.0.0.1", "port": server.port, "user": "arrears", "password": server.password}
    return psycopg.connect(**{**parts, "dbname": "arrears", **changes})


def postmaster(server):
    return int((server.directory / "data" / "postmaster.pid").read_text().split()[0])


def test_server_has_both_databases_on_version_18(server):
    with connect(server) as connection:
        databases = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        version = connection.execute("SHOW server_version_num").fetchone()[0]

    assert {"airflow", "arrears"} <= databases
    assert version.startswith("18")


def test_server_started_twice_is_one_server(server):
    first = postmaster(server), server.port, server.password

    EmbeddedPostgres(server.directory).start()

    assert (postmaster(server), server.port, server.password) == first


def test_server_keeps_port_password_and_data_over_a_restart(server):
    before = server.port, server.password
    with connect(server, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (x int)")

    server.stop()
    server.start()

    assert (server.port, server.password) == before
    with connect(server) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_server_stopped_leaves_no_process(server):
    family = [psutil.Process(postmaster(server)), *psutil.Process(postmaster(server)).children(recursive=True)]

    server.stop()

    assert len(family) > 1
    assert not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert not server.is_running()


def test_server_moves_to_a_free_port_when_its_own_is_taken(server):
    server.stop()
    taken = server.port
    with socket.create_server(("127.0.0.1", taken)):
        server.start()

    assert server.port != taken
    with connect(server) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("password", [pytest.param("", id="none"), pytest.param("arrears", id="a guess")])
def test_server_refuses_tcp_without_its_password(server, password):
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(server, password=password)


def test_server_refuses_its_socket_without_its_password(server):
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(server, host=str(server.directory / "socket"), password="")


def test_server_answers_on_its_socket(server):
    with connect(server, host=str(server.directory / "socket")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_server_listens_on_loopback_only(server):
    with connect(server) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_server_keeps_its_secrets_to_its_owner(server):
    server.psql("arrears")
    secrets = [server.directory / name for name in ("server.json", "pgpass")]

    assert [stat.S_IMODE(file.stat().st_mode) for file in secrets] == [0o600, 0o600]
    assert all(server.password in file.read_text() for file in secrets)
    assert stat.S_IMODE((server.directory / "data").stat().st_mode) == 0o700
    assert not (server.directory / "initial-password").exists()


def test_psql_line_works_as_printed_and_hides_the_password(server):
    line = server.psql("arrears")

    answer = subprocess.run(f"{line} -Atc 'SELECT 41 + 1'", shell=True, check=True, capture_output=True, text=True)  # noqa: S602

    assert answer.stdout.strip() == "42"
    assert server.password not in line


def test_server_starts_over_a_lock_that_a_dead_machine_left(server):
    server.stop()
    lock = server.directory / "data" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{server.directory / 'data'}\n0\n{server.port}\n\n\n\n")

    server.start()

    with connect(server) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_server_refuses_the_data_of_another_version(server):
    server.stop()
    version = server.directory / "data" / "PG_VERSION"
    version.write_text("17\n")

    with pytest.raises(LocalServerError, match="data of PostgreSQL 17; expected data of 18"):
        server.start()

    version.write_text("18\n")


def test_server_below_a_path_too_long_for_a_socket_starts_all_the_same(tmp_path):
    server = EmbeddedPostgres(tmp_path / ("d" * SOCKET_PATH_LIMIT) / "postgres")
    try:
        server.start()

        with connect(server) as connection:
            folder = connection.execute("SHOW unix_socket_directories").fetchone()[0]
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.stop()
    assert not Path(folder).is_relative_to(tmp_path)
    shutil.rmtree(folder)


@pytest.mark.skipif(not IS_ROOT, reason="only root must become someone else to run PostgreSQL")
def test_root_runs_the_server_as_nobody_below_a_folder_of_its_own(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "postgres")
    try:
        server.start()

        assert psutil.Process(postmaster(server)).username() == "nobody"
        with connect(server) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.stop()


@pytest.mark.skipif(not IS_ROOT, reason="the other tests have just shown it: they ran as an ordinary user")
def test_ordinary_user_runs_the_server():
    entry = pwd.getpwnam("nobody")
    site = Path(psycopg.__file__).parents[1]
    as_nobody = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    environment = {"PYTHONPATH": os.pathsep.join((str(INCLUDE), str(site))), "PYTHONDONTWRITEBYTECODE": "1"}
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = shutil.which(name, path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip(f"no {name} in /usr that an ordinary user may run")
    reach = subprocess.run(
        [python, "-c", "import psycopg, arrears"], check=False, env=environment, cwd="/", **as_nobody
    )
    if reach.returncode != 0:
        pytest.skip("the checkout lies in a folder that an ordinary user may not read")
    with tempfile.TemporaryDirectory(prefix="arrears-nobody-") as folder:
        os.chown(folder, entry.pw_uid, entry.pw_gid)

        answer = subprocess.run(
            [python, "-c", SERVER, f"{folder}/postgres"],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            cwd="/",
            **as_nobody,
        )

    assert answer.stdout.strip() == "arrears", answer.stderr
