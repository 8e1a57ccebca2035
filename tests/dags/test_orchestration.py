"""Business date from the partition key only; retries by error class; callbacks keep values out of messages."""

from types import SimpleNamespace

import pytest
from airflow.sdk import RetryAction
from arrears import errors
from arrears.orchestration import run as run_module
from arrears.orchestration.callbacks import describe
from arrears.orchestration.defaults import retry_policy
from arrears.settings import Settings


def context(key, run_type="scheduled"):
    return {"partition_key": key, "dag_run": SimpleNamespace(run_id="run-1", run_type=run_type)}


def test_run_takes_its_date_from_the_partition_key(monkeypatch):
    monkeypatch.setattr(run_module, "get_current_context", lambda: context("2026-03-05", "backfill"))

    run = run_module.current_run()

    assert run.business_date.isoformat() == "2026-03-05"
    assert run.is_backfill


@pytest.mark.parametrize("key", [None, "", "yesterday", "2026-02-31"])
def test_run_without_a_date_ends_with_its_code(monkeypatch, key):
    monkeypatch.setattr(run_module, "get_current_context", lambda: context(key))

    with pytest.raises(errors.RunKeyMissingError, match="ARR-RUN-KEY"):
        run_module.current_run()


@pytest.mark.parametrize(
    ("error", "action", "seconds"),
    [
        pytest.param(errors.PredecessorMissingError("a", "b"), RetryAction.RETRY, 7, id="predecessor_waits"),
        pytest.param(errors.SourceUnreachableError("a", "b"), RetryAction.RETRY, 30, id="source_away_waits"),
        pytest.param(errors.WarehouseUnreachableError("a", "b"), RetryAction.RETRY, 30, id="warehouse_away_waits"),
        pytest.param(errors.RejectLimitError("a", "b"), RetryAction.FAIL, None, id="bad_data_fails_at_once"),
        pytest.param(errors.ConfigurationError("a", "b"), RetryAction.FAIL, None, id="bad_configuration_fails_at_once"),
        pytest.param(ValueError("x"), RetryAction.DEFAULT, None, id="unknown_error_keeps_the_tasks_retries"),
    ],
)
def test_retry_follows_the_error_class(error, action, seconds):
    policy = retry_policy(Settings(predecessor_retry_seconds=7))

    decision = policy.evaluate(error, try_number=1, max_tries=3)

    assert decision.action is action
    assert (decision.retry_delay.total_seconds() if decision.retry_delay else None) == seconds


def test_policy_agrees_with_the_classes_flag():
    policy = retry_policy(Settings())
    leaves = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.ArrearsError)]

    assert len(leaves) > 20
    for cls in leaves:
        retried = policy.evaluate(cls("a", "b"), try_number=1, max_tries=3).action is RetryAction.RETRY
        assert retried is cls.retryable, cls.__name__


def test_foreign_error_text_stays_out_of_the_ledger():
    code, message, runbook = describe(ValueError("secret 13800000000"))

    assert code == "ARR-RUN-FAILED"
    assert "13800000000" not in message
    assert runbook == "docs/runbooks/ARR-RUN-FAILED.md"


def test_coded_error_keeps_its_code_and_words():
    error = errors.ControlTotalError("1 minor unit more", "equal totals", "transaction")

    assert describe(error) == ("ARR-VAL-002", str(error), "docs/runbooks/ARR-VAL-002.md")
