"""What every task of Arrears shares: retries by error class, callbacks, and where a portfolio's schedule comes from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from airflow.sdk import CronPartitionTimetable, ExceptionRetryPolicy, RetryAction, RetryRule

from arrears import log_filter
from arrears.contracts.ledger import LEDGER
from arrears.errors import (
    ApprovalAnswerMissingError,
    ArrearsError,
    ClaimTooOldError,
    PredecessorMissingError,
    PublishLockedError,
    SourceNotReadyError,
    SourceUnreachableError,
    StorageError,
    WarehouseUnreachableError,
)
from arrears.orchestration.callbacks import task_failed
from arrears.settings import Settings, load_settings

START_DATE = datetime(2016, 1, 1, tzinfo=UTC)  # static: a moving date would make a new DAG version on every parse
DEADLINE_HOURS = 8  # the default of `source_deadline_hours`
RETRIES = 3
RETRY_DELAY = timedelta(seconds=30)
# Each task reads every portfolio's file when it parses the DAG file: in C that takes an eighth of the time.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def retry_policy(settings: Settings) -> ExceptionRetryPolicy:
    """Retry what may pass by itself, fail at once what will not; unknown exceptions keep the task's own retries."""
    return ExceptionRetryPolicy(
        rules=[
            RetryRule(
                exception=PredecessorMissingError,
                action=RetryAction.RETRY,
                retry_delay=timedelta(seconds=settings.predecessor_retry_seconds),
                reason="the day before is not published yet",
            ),
            RetryRule(
                exception=[
                    SourceNotReadyError,
                    SourceUnreachableError,
                    StorageError,
                    WarehouseUnreachableError,
                    PublishLockedError,
                    ClaimTooOldError,
                    ApprovalAnswerMissingError,
                ],
                action=RetryAction.RETRY,
                retry_delay=RETRY_DELAY,
                reason="may pass by itself",
            ),
            RetryRule(exception=ArrearsError, action=RetryAction.FAIL, reason="the same input fails the same way"),
        ]
    )


def task_defaults() -> dict[str, Any]:
    """``default_args`` of every DAG; whoever asks, a task or the DAG processor, has the log filter from then on."""
    log_filter.install()
    return {
        "owner": "collections-data",
        "retries": RETRIES,
        "retry_delay": RETRY_DELAY,
        "retry_policy": retry_policy(load_settings()),
        # Of several days at once, one that has begun is finished before the next ones take its workers.
        "weight_rule": "upstream",
        "on_failure_callback": task_failed,
        "execution_timeout": timedelta(hours=2),
    }


def predecessor_retries() -> int:
    """Tries of the one task that waits for the day before."""
    return load_settings().predecessor_retries


def source_wait() -> timedelta:
    """Time between two looks for a late source."""
    return timedelta(seconds=load_settings().source_wait_seconds)


def approval_timeout() -> timedelta:
    """How long a person may take to approve a plan; without an answer it is not sent."""
    return timedelta(hours=load_settings().approval_hours)


def retention_is_dry() -> bool:
    """Whether the weekly retention only lists, unless its trigger form says otherwise."""
    return load_settings().retention_dry_run


def portfolio_names() -> list[str]:
    """Folders that get a DAG, sorted."""
    return sorted(path.parent.name for path in load_settings().portfolios.glob("*/portfolio.yaml"))


def portfolios_with_feedback() -> list[str]:
    """Folders that say who reports to them, sorted."""
    return sorted(path.parents[1].name for path in load_settings().portfolios.glob("*/feedback/sources.yaml"))


def ledger_nouns(portfolio: str) -> list[str]:
    """Tables the portfolio maps, in the contract's order, for the mapped extract."""
    folder = load_settings().portfolios / portfolio
    files = {**{contract.noun: f"{contract.noun}.sql" for contract in LEDGER}, "control_total": "control.sql"}
    return [noun for noun, file in files.items() if (folder / file).is_file()]


def schedule_of(portfolio: str) -> CronPartitionTimetable:
    """Midnight of every day in the portfolio's zone, the day as partition key."""
    timezone = str(_lenient(portfolio).get("timezone", "UTC"))
    if not _is_zone(timezone):
        timezone = "UTC"
    return CronPartitionTimetable("0 0 * * *", timezone=timezone, key_format="%Y-%m-%d")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, no name at all, a folder of zones
        return False
    return True


def source_deadline(portfolio: str) -> timedelta:
    """How long a source that has not delivered is waited for."""
    hours = _lenient(portfolio).get("source_deadline_hours")
    return timedelta(hours=hours if isinstance(hours, int) else DEADLINE_HOURS)


def _lenient(portfolio: str) -> dict[str, Any]:
    """The portfolio's file unchecked: a mistake in it must not take the other DAGs away.

    It fails this portfolio's first task instead, with every mistake explained.
    """
    try:
        text = (load_settings().portfolios / portfolio / "portfolio.yaml").read_text(encoding="utf-8")
        content = _content(text)
    except (OSError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}


@lru_cache(maxsize=64)
def _content(text: str) -> Any:  # noqa: ANN401  whatever YAML says
    return yaml.load(text, Loader=LOADER)  # noqa: S506  one of the two safe loaders
