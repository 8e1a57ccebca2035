"""The journal of one piece of work: what it read and wrote, and nothing where none is kept."""

from datetime import timedelta

import duckdb
import pytest
from arrears.lake import Lake, PartitionKey, kept_journal
from support.things import DAY, KEY, ONE, TWO, write

DAY_BEFORE = PartitionKey(KEY.portfolio, KEY.table, DAY - timedelta(days=1))


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def lake(tmp_path):
    return Lake(f"file://{tmp_path / 'lake'}")


def test_journal_has_what_is_read_and_what_is_written(lake, connection):
    before = write(lake, connection, ONE, key=DAY_BEFORE)

    with kept_journal() as journal:
        lake.view(connection, DAY_BEFORE, "before")
        written = write(lake, connection, TWO)
        lake.view(connection, KEY)  # read again what it has just written: no input

    assert list(journal.read.values()) == [before]
    assert list(journal.written.values()) == [written]


def test_partition_that_holds_the_same_rows_already_counts_as_written(lake, connection):
    there = write(lake, connection)

    with kept_journal() as journal:
        write(lake, connection)

    assert list(journal.written.values()) == [there]


def test_journal_ends_with_its_block(lake, connection):
    with kept_journal() as journal:
        pass
    write(lake, connection)
    lake.view(connection, KEY)

    assert (journal.read, journal.written) == ({}, {})
