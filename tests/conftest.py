"""Shared by all tests: a real PostgreSQL with a fresh warehouse for each test module, and where local data lies."""

import itertools
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from arrears.local.postgres import EmbeddedPostgres
from arrears.warehouse.migrate import upgrade

DATABASE_NUMBERS = itertools.count(1)


def pytest_addoption(parser):
    parser.addoption("--superlender-dir", type=Path, help="Folder with the superlender CSV files, which are not ours")
    parser.addoption("--cases", type=Path, action="append", default=[], help="File or folder of worked contact cases")
    parser.addoption("--screenshots", type=Path, help="Folder for the pictures of docs/pages.md")
    parser.addoption("--floor-examples", type=int, default=4, help="Histories of a collections floor to try")
    parser.addoption("--oracle-dir", type=Path, help="Folder with reference results that are not part of the project")


@pytest.fixture(scope="session")
def postgres():
    """One embedded server for the session."""
    with tempfile.TemporaryDirectory(prefix="arrears-test-pg-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="module")
def warehouse_url(postgres):
    """SQLAlchemy URL of an upgraded, empty warehouse that this test module has for itself."""
    with fresh_database(postgres) as url:
        upgrade(url)
        yield url


@pytest.fixture
def empty_database_url(postgres):
    """SQLAlchemy URL of a database in which nothing is."""
    with fresh_database(postgres) as url:
        yield url


@contextmanager
def fresh_database(server):
    """A database of its own, dropped afterwards."""
    name = f"test_{next(DATABASE_NUMBERS)}"
    administration = server.url("postgres").replace("+psycopg", "")
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield server.url(name)
    finally:
        with psycopg.connect(administration, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
