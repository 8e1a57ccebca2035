"""Shared by all tests: a real PostgreSQL with a fresh warehouse for each test module, and where local data lies."""

import itertools
import os
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest
from arrears.engine import duckdb
from arrears.keys import new_key
from arrears.local.postgres import EmbeddedPostgres
from arrears.warehouse.migrate import upgrade
from sqlalchemy import make_url

OPEN_ENGINE = duckdb._engine  # noqa: SLF001  what the jobs open
os.environ.setdefault("ARREARS_MASTER_KEYS", f"1:{new_key()}")  # of this run of the tests
DATABASE_NUMBERS = itertools.count(1)


def pytest_addoption(parser):
    parser.addoption("--superlender-dir", type=Path, help="Folder with the superlender CSV files, which are not ours")
    parser.addoption("--cases", type=Path, action="append", default=[], help="File or folder of worked contact cases")
    parser.addoption("--screenshots", type=Path, help="Folder for the pictures of docs/pages.md")
    parser.addoption("--write-snapshots", action="store_true", help="Write what tests/warehouse/bi_contract.json holds")
    parser.addoption("--floor-examples", type=int, default=4, help="Histories of a collections floor to try")
    parser.addoption("--oracle-dir", type=Path, help="Folder with reference results that are not part of the project")


@pytest.fixture(scope="session", autouse=True)
def cheap_jobs():
    """One engine for all jobs of this process, and no waiting for the disk: half of what a small date costs.

    Each use of an engine has a database of its own, as in a process that runs many dates. What a crash leaves is
    tested by killing other processes, which have neither.
    """
    engines = {}
    with ExitStack() as closing, pytest.MonkeyPatch.context() as patched:

        @contextmanager
        def one_engine(settings):
            if threading.current_thread() is not threading.main_thread():
                with OPEN_ENGINE(settings) as engine:
                    yield engine
                return
            key = (os.getpid(), settings.memory_limit, settings.threads)  # an engine does not outlive a fork
            if key not in engines:
                engines[key] = closing.enter_context(OPEN_ENGINE(settings))
            yield engines[key]

        patched.setattr(duckdb, "_engine", one_engine)
        patched.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def postgres():
    """One embedded server for the session."""
    with tempfile.TemporaryDirectory(prefix="arrears-test-pg-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder))
        server.start()
        try:
            with _administration(server) as connection:
                # The server may be killed, the machine not: what it has written need not be on the disk.
                for setting in ("fsync", "full_page_writes"):
                    connection.execute(f"ALTER SYSTEM SET {setting} = off")
                connection.execute("SELECT pg_reload_conf()")
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def database_of_own(postgres):
    """Makes an empty database for a ``with`` body, and tells its URL."""
    return partial(fresh_database, postgres)


@pytest.fixture(scope="session")
def upgraded_database(postgres):
    """Name of an upgraded, empty warehouse that others are copied from."""
    with fresh_database(postgres) as url:
        upgrade(url)
        yield make_url(url).database


@pytest.fixture(scope="module")
def warehouse_url(postgres, upgraded_database):
    """SQLAlchemy URL of an upgraded, empty warehouse that this test module has for itself.

    A copy has no rights on the database itself; tests of those upgrade their own (``tests/warehouse``).
    """
    with fresh_database(postgres, template=upgraded_database) as url:
        yield url


@pytest.fixture
def own_warehouse_url(postgres, upgraded_database):
    """SQLAlchemy URL of an upgraded, empty warehouse that one test has for itself."""
    with fresh_database(postgres, template=upgraded_database) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres):
    """SQLAlchemy URL of a database in which nothing is."""
    with fresh_database(postgres) as url:
        yield url


@contextmanager
def fresh_database(server, template="template1"):
    """A database of its own, dropped afterwards."""
    name = f"test_{next(DATABASE_NUMBERS)}"
    with _administration(server) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield server.url(name)
    finally:
        with _administration(server) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _administration(server):
    return psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True)
