"""What runs and tasks say of themselves, so that a run that was killed and said nothing more can be found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import RUN_LEDGER

ENTRY = RUN_LEDGER.c
Day = date | str | None  # a run without a date has no partition key, which is what went wrong with it


@dataclass(frozen=True)
class Trouble:
    """A run or task whose last word is not that it finished.

    Attributes:
        business_date: The day; None when the run had none.
        run_ref: The run.
        task: Task; empty for the run itself.
        state_code: ``failed``, or ``started``: still at work, or killed.
        error_code: Code of the failure; empty when it only started.
        message: What happened, without row values.
        runbook: Page that says what to do.
        at: When it was written.
    """

    business_date: date | None
    run_ref: str
    task: str
    state_code: str
    error_code: str
    message: str
    runbook: str
    at: datetime


def started(url: str, portfolio: str, business_date: Day, run_ref: str, task: str = "") -> None:
    """Write that a task, or with ``task`` empty the run, began.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    _append(url, portfolio, business_date, run_ref=run_ref, task=task, state_code="started")


def finished(url: str, portfolio: str, business_date: Day, run_ref: str, task: str = "") -> None:
    """Write that it ended well.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    _append(url, portfolio, business_date, run_ref=run_ref, task=task, state_code="finished")


def failed(  # noqa: PLR0913  a failure is its parts
    url: str,
    portfolio: str,
    business_date: Day,
    run_ref: str,
    task: str = "",
    *,
    error_code: str,
    message: str,
    runbook: str,
) -> None:
    """Write that it failed, and how; ``message`` holds no row values.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    _append(
        url,
        portfolio,
        business_date,
        run_ref=run_ref,
        task=task,
        state_code="failed",
        error_code=error_code,
        message=message,
        runbook=runbook,
    )


def last_failure(url: str, portfolio: str, run_ref: str, task: str = "") -> tuple[str, str, str] | None:
    """Code, message and runbook of the last failure that a run wrote; None when there was none.

    Args:
        url: The warehouse.
        portfolio: Folder name.
        run_ref: The run.
        task: Of this task alone; empty for any task of the run.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    last = (
        select(ENTRY.error_code, ENTRY.message, ENTRY.runbook)
        .where(ENTRY.portfolio == portfolio, ENTRY.run_ref == run_ref, ENTRY.state_code == "failed")
        .where(ENTRY.task == task if task else ENTRY.task != "")
        .order_by(ENTRY.entry_id.desc())
        .limit(1)
    )
    with transaction(url) as connection:
        row = connection.execute(last).one_or_none()
    return None if row is None else (row.error_code, row.message, row.runbook)


def entries_of(url: str, portfolio: str, run_ref: str) -> list[Trouble]:
    """Everything that a run and its tasks said, oldest first.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    said = select(RUN_LEDGER).where(ENTRY.portfolio == portfolio, ENTRY.run_ref == run_ref).order_by(ENTRY.entry_id)
    with transaction(url) as connection:
        rows = connection.execute(said).all()
    return [_entry(row) for row in rows]


def newest_run(url: str, portfolio: str, business_date: date) -> str | None:
    """The run that last spoke of a date; None when none did.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    newest = (
        select(ENTRY.run_ref)
        .where(ENTRY.portfolio == portfolio, ENTRY.business_date == business_date)
        .order_by(ENTRY.entry_id.desc())
        .limit(1)
    )
    with transaction(url) as connection:
        return connection.scalar(newest)


def troubles(url: str, portfolio: str) -> list[Trouble]:
    """Runs and tasks whose newest entry is ``failed`` or ``started``, oldest first.

    A date that a later run finished is no trouble any more, whatever earlier runs of it said; nor is a task of a run
    that finished.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    newest = (
        select(RUN_LEDGER)
        .where(ENTRY.portfolio == portfolio)
        .ext(distinct_on(ENTRY.business_date, ENTRY.run_ref, ENTRY.task))
        .order_by(ENTRY.business_date, ENTRY.run_ref, ENTRY.task, ENTRY.entry_id.desc())
    )
    with transaction(url) as connection:
        rows = connection.execute(newest).all()
    finished_at: dict[date | None, int] = {}
    for row in rows:
        if row.state_code == "finished" and not row.task:
            finished_at[row.business_date] = max(row.entry_id, finished_at.get(row.business_date, 0))
    open_entries = sorted(
        (row for row in rows if row.state_code != "finished" and row.entry_id > finished_at.get(row.business_date, 0)),
        key=lambda row: row.entry_id,
    )
    return [_entry(row) for row in open_entries]


def _entry(row: Any) -> Trouble:  # noqa: ANN401  a row of the ledger
    return Trouble(
        row.business_date,
        row.run_ref,
        row.task,
        row.state_code,
        row.error_code or "",
        row.message or "",
        row.runbook or "",
        row.at,
    )


def _append(url: str, portfolio: str, business_date: Day, **values: Any) -> None:  # noqa: ANN401  column values
    with transaction(url) as connection:
        connection.execute(insert(RUN_LEDGER).values(portfolio=portfolio, business_date=_date(business_date), **values))


def _date(business_date: Day) -> date | None:
    """The partition key as a date; a key that is none leaves it out, the message says why."""
    if isinstance(business_date, date) or business_date is None:
        return business_date
    try:
        return date.fromisoformat(business_date)
    except ValueError:
        return None
