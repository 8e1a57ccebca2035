"""A dropped partition: gone for readers, its facts still known, on any file system."""

import duckdb
import fsspec
import pytest
from arrears.errors import PartitionDroppedError, PartitionMissingError
from arrears.lake import Lake
from support.things import DAY, KEY, ONE, write


@pytest.fixture
def connection():
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.fixture(params=["file", "memory"])
def lake(request, tmp_path):
    if request.param == "file":
        return Lake(f"file://{tmp_path / 'lake'}")
    fsspec.filesystem("memory").store.clear()
    return Lake("memory://lake", cache=tmp_path / "cache")


def test_dropped_partition_has_no_rows_and_keeps_its_facts(lake, connection):
    written = write(lake, connection)

    lake.drop(KEY)

    assert lake.find(KEY) is None
    assert lake.known(KEY) == written
    assert (lake.dates("book", KEY.table), lake.dropped_dates("book"), lake.stored("book")) == ([], [DAY], {})
    with pytest.raises(PartitionDroppedError):
        lake.view(connection, KEY)


def test_dropping_again_changes_nothing(lake, connection):
    written = write(lake, connection)

    lake.drop(KEY)
    lake.drop(KEY)

    assert lake.known(KEY) == written


def test_partition_never_written_is_missing_not_dropped(lake, connection):
    lake.drop(KEY)

    assert lake.known(KEY) is None
    with pytest.raises(PartitionMissingError):
        lake.view(connection, KEY)


def test_partition_written_after_it_was_dropped_is_there(lake, connection):
    write(lake, connection)
    lake.drop(KEY)

    again = write(lake, connection, ONE)

    assert lake.find(KEY) == lake.known(KEY) == again
    assert (lake.dates("book", KEY.table), lake.dropped_dates("book")) == ([DAY], [])
    assert list(lake.stored("book")) == [KEY]
