"""A full disk is told by its code, whichever library met it."""

import errno
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from arrears.engine.duckdb import connect, storage_told
from arrears.errors import StorageError
from support.books import make_book


def test_full_device_is_told_when_duckdb_meets_it(tmp_path):
    with pytest.raises(StorageError, match="no space left"), connect(make_book(tmp_path)) as connection:
        connection.execute("COPY (SELECT * FROM range(1000000)) TO '/dev/full' (FORMAT csv)")


def test_full_device_is_told_when_python_meets_it(tmp_path):
    settings = make_book(tmp_path)

    with pytest.raises(StorageError, match="no space left"), connect(settings), Path("/dev/full").open("w") as full:
        full.write("x" * 100_000)


def test_read_only_disk_is_told():
    with pytest.raises(StorageError, match="read-only"), storage_told():
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_other_failures_stay_what_they_are():
    with pytest.raises(FileNotFoundError), storage_told():
        pq.read_table("/nonexistent.parquet")
