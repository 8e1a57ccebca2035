"""Runs that failed, or that were killed and said nothing more, are found; those that ended well are not."""

from datetime import date

import pytest
from arrears.errors import WarehouseUnreachableError
from arrears.warehouse.connection import transaction
from arrears.warehouse.run_ledger import failed, finished, last_failure, started, troubles
from sqlalchemy import text

DAY = date(2026, 3, 2)
FAILURE = {"error_code": "ARR-VAL-001", "message": "too many rejects", "runbook": "docs/runbooks/ARR-VAL-001.md"}


@pytest.fixture
def url(warehouse_url):
    yield warehouse_url
    with transaction(warehouse_url) as connection:
        connection.execute(text("TRUNCATE ops.run_ledger"))


def found(url):
    return [(one.business_date, one.run_ref, one.task, one.state_code) for one in troubles(url, "book")]


def test_run_that_finished_is_no_trouble(url):
    started(url, "book", DAY, "run-1")
    finished(url, "book", DAY, "run-1")

    assert found(url) == []


def test_run_that_was_killed_is_started_and_never_finished(url):
    started(url, "book", DAY, "run-1")
    started(url, "other", DAY, "run-9")

    assert found(url) == [(DAY, "run-1", "", "started")]


def test_failure_keeps_code_message_and_runbook(url):
    started(url, "book", DAY, "run-1")
    failed(url, "book", DAY, "run-1", "validate", **FAILURE)

    task = troubles(url, "book")[1]

    assert (task.task, task.error_code, task.message, task.runbook) == ("validate", *FAILURE.values())
    assert last_failure(url, "book", "run-1") == tuple(FAILURE.values())


def test_run_cleared_and_finished_takes_its_failures_away(url):
    started(url, "book", DAY, "run-1")
    failed(url, "book", DAY, "run-1", "validate", **FAILURE)
    failed(url, "book", DAY, "run-1", **FAILURE)
    finished(url, "book", DAY, "run-1")

    assert found(url) == []


def test_later_run_of_the_date_that_finished_takes_earlier_failures_away(url):
    failed(url, "book", DAY, "run-1", "age", **FAILURE)
    finished(url, "book", DAY, "run-2")
    failed(url, "book", DAY, "run-3", "age", **FAILURE)

    assert found(url) == [(DAY, "run-3", "age", "failed")]


def test_last_failure_is_of_a_task_of_that_run(url):
    failed(url, "book", DAY, "run-1", "age", **FAILURE | {"error_code": "ARR-EXT-001"})
    failed(url, "book", DAY, "run-1", "plan", **FAILURE)
    failed(url, "book", DAY, "run-1", **FAILURE | {"error_code": "ARR-RUN-FAILED"})
    failed(url, "book", DAY, "run-2", "age", **FAILURE | {"error_code": "ARR-EXT-002"})

    assert last_failure(url, "book", "run-1")[0] == "ARR-VAL-001"
    assert last_failure(url, "book", "run-3") is None
    assert last_failure(url, "book", "run-1", "no such task") is None


@pytest.mark.parametrize("key", ["2026-03-02", DAY], ids=["partition key", "date"])
def test_day_is_given_as_partition_key_or_date(url, key):
    started(url, "book", key, "run-1")

    assert found(url) == [(DAY, "run-1", "", "started")]


@pytest.mark.parametrize("key", ["", "tomorrow", None])
def test_run_without_a_date_is_kept_without_one(url, key):
    failed(url, "book", key, "run-1", "ready", **FAILURE)

    assert found(url) == [(None, "run-1", "ready", "failed")]
    assert last_failure(url, "book", "run-1") == tuple(FAILURE.values())


def test_unreachable_ledger_is_coded():
    with pytest.raises(WarehouseUnreachableError):
        started("postgresql+psycopg://arrears:unspeakable@127.0.0.1:1/arrears", "book", DAY, "run-1")
