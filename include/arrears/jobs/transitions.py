"""The job ``transitions``: what changed on every loan since the previous published day, and what stands in doubt.

Belongs here: the order in which the journal of a day is made: missing loans, source tie-out, customers' status, the
past as now known, events. The rules are readable in ``arrears.rules``: ``transitions``, ``tie_out``, ``contagion``,
``bucket_history``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.engine.duckdb import select_text
from arrears.engine.tables import DuckTables
from arrears.errors import LoanMissingError
from arrears.jobs.accounts import INSTALMENTS, LOANS
from arrears.jobs.age import put_buckets
from arrears.jobs.corrections import past_of
from arrears.jobs.day import Day, Work, summary
from arrears.jobs.previous import previous_date, read_previous
from arrears.rules.buckets import bucket_of

if TYPE_CHECKING:
    from datetime import date

    from arrears.settings import Settings

EVENTS = "core__delinquency_event_daily"
MISSING = "core__missing_loan_daily"
DIFFERENCES = "core__source_difference_daily"
CUSTOMERS = "core__customer_status_daily"
HISTORY = "core__bucket_history_daily"
PREVIOUS = "previous__loan_delinquency"
PREVIOUS_MISSING = "previous__missing_loan"
PREVIOUS_HISTORY = "previous__bucket_history"
COMPONENTS = ("principal", "interest", "fee", "penalty")


def transitions(
    portfolio: str, business_date: date, *, run_ref: str = "", settings: Settings | None = None
) -> dict[str, Any]:
    """Write the day's missing loans, source differences, customers' status, bucket history and events.

    Returns:
        The events' manifest in short; events by code; ``compared_with``; ``missing_loans``, open when last seen and in
        no row of today's ledger (a loan that vanishes is no cure: its case stays); ``source_differences``;
        ``non_performing_loans`` and ``corrected_loans``.

    Raises:
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: The day is not aged yet.
        LoanMissingError: More open loans vanished since then than the portfolio allows.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    compared_with = previous_date(day)
    missing = _missing(day, compared_with)
    differences = _tie_out(day)
    non_performing = _customers(day, compared_with)
    events = _events(day, compared_with)
    return {
        **events,
        "compared_with": None if compared_with is None else compared_with.isoformat(),
        "missing_loans": missing,
        "source_differences": differences,
        "non_performing_loans": non_performing,
    }


def _missing(day: Day, compared_with: date | None) -> int:
    with day.work() as work:
        work.read(LOANS)
        read_previous(work, LOANS, compared_with, view=PREVIOUS)
        read_previous(work, MISSING, compared_with, view=PREVIOUS_MISSING)
        written = work.write(MISSING, {"compared_with": compared_with, "missing_code": LoanMissingError.code})
        if not written.rows:
            return 0
        work.read(MISSING)
        vanished, were_open = work.connection.execute(
            f"SELECT (SELECT count(*) FROM {MISSING} WHERE last_seen_on = $compared_with), "
            f"(SELECT count(*) FROM {PREVIOUS} WHERE is_open)",
            {"compared_with": compared_with},
        ).fetchall()[0]
    limit = day.folder.portfolio.missing_limit_pct
    if 100 * vanished > limit * were_open:
        raise LoanMissingError(
            f"{vanished} of {were_open} open loans are in no row of the ledger",
            f"at most {limit} %, or the status with which each ended",
            f"{day.name} {day.business_date}, raw__loan",
        )
    return written.rows


def _tie_out(day: Day) -> int:
    config = day.folder.portfolio
    parameters = {
        "tolerance_minor": config.ageing.tolerance_minor,
        "tie_days": config.tie_out.tolerance_days,
        "tie_minor": config.tie_out.tolerance_minor,
        **{f"counts_{name}": name in config.aged_components for name in COMPONENTS},
    }
    with day.work() as work:
        work.read_optional("raw__loan")
        work.read_optional(INSTALMENTS)
        return work.write(DIFFERENCES, parameters).rows


def _customers(day: Day, compared_with: date | None) -> int:
    config = day.folder.portfolio
    parameters = {
        "is_contagious": config.contagion == "customer",
        "non_performing_days": config.non_performing_days,
    }
    with day.work() as work:
        work.read(LOANS)
        work.read(MISSING)
        read_previous(work, CUSTOMERS, compared_with, view="previous__customer_status")
        return work.write(CUSTOMERS, parameters).rows


def _events(day: Day, compared_with: date | None) -> dict[str, Any]:
    buckets = day.folder.portfolio.bucket_set
    current_bucket = bucket_of(0, buckets)
    parameters = {"compared_with": compared_with, "current_bucket": current_bucket}
    past = past_of(day, compared_with)
    with day.work() as work:
        work.read(LOANS)
        for table in ("raw__loan", INSTALMENTS, "raw__instalment", "raw__transaction", "raw__pause"):
            work.read_optional(table)
        read_previous(work, LOANS, compared_with, view=PREVIOUS)
        read_previous(work, MISSING, compared_with, view=PREVIOUS_MISSING)
        read_previous(work, "raw__loan", compared_with, view="previous__loan")
        read_previous(work, HISTORY, compared_with, view=PREVIOUS_HISTORY)
        put_buckets(DuckTables(work.connection), buckets)
        past.put(work, current_bucket)
        work.connection.execute(f"CREATE TABLE correction AS {select_text('correction__loan')}", parameters)
        work.write(HISTORY, parameters)
        manifest = work.write(EVENTS, parameters)
        work.read(EVENTS)
        return {**summary(manifest), "events": _counted(work)}


def _counted(work: Work) -> dict[str, int]:
    rows = work.connection.execute(
        f"SELECT event_code, count(*) FROM {EVENTS} GROUP BY event_code ORDER BY event_code"
    ).fetchall()
    return dict(rows)
