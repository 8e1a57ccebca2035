"""The job ``cases``: who has a case today, what each loan adds to it, what is held, and what closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.contact.coding import TEXT, table_of
from arrears.engine.duckdb import select_text
from arrears.jobs.day import Day, summary
from arrears.jobs.previous import previous_date, read_previous
from arrears.jobs.promises import PROMISES, write_promises
from arrears.jobs.reported import read_with_reports
from arrears.rules import traits
from arrears.rules.buckets import bucket_of
from arrears.rules.case_states import REOPENED_FROM, STATE_OF_ENDING, moves
from arrears.rules.cases import CLOSE_REASONS, HOLD_CODES
from arrears.rules.hours import day_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from arrears.jobs.day import Work
    from arrears.settings import Settings

PREVIOUS = {
    "core__case_daily": "previous__case",
    "core__case_loan_daily": "previous__case_loan",
    "core__case_watch_daily": "previous__watch",
    "out__contact_plan_daily": "previous__plan",
}
TRAIT_OF = (
    "core__instalment_delinquency_daily",
    "core__bucket_history_daily",
    "raw__contact_point",
    "raw__contact",
    "raw__score",
)
TRAITS = {
    "vulnerable_flags": ["vulnerable"],
    "spell_days": traits.SPELL_WINDOW_DAYS,
    "broken_days": traits.BROKEN_WINDOW_DAYS,
    "reached_days": traits.REACHED_WINDOW_DAYS,
    "habitual_spells": traits.HABITUAL_SPELLS,
    "low_risk_days": traits.LOW_RISK_DAYS,
    "high_risk_days": traits.HIGH_RISK_DAYS,
}
CASE_MOVE = pa.schema([("from_state_code", TEXT), ("to_state_code", TEXT), ("event_code", TEXT)])
ENDING_STATE = pa.schema([("close_reason_code", TEXT), ("state_code", TEXT)])
LEDGER = ("raw__loan", "raw__party", "raw__pause")


def cases(
    portfolio: str, business_date: date, *, run_ref: str = "", settings: Settings | None = None
) -> dict[str, Any]:
    """Write ``core__promise_daily`` and the ``core__case`` tables: of loans, cases, watches and traits.

    Returns:
        The cases' manifest in short, and how many were opened, re-opened, carried, closed and are held.

    Raises:
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: The loans are not aged yet.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    compared_with = previous_date(day)
    start, end = day_bounds(business_date, day.folder.portfolio.zone)
    terms = day.folder.portfolio.cases
    parameters = {
        "portfolio": day.name,
        "currency": day.folder.portfolio.currency,
        "current_bucket": bucket_of(0, day.folder.portfolio.bucket_set),
        "hold_codes": list(HOLD_CODES),
        "close_reasons": list(CLOSE_REASONS),
        "reopened_from": list(REOPENED_FROM),
        "reopen_days": terms.reopen_days,
        "watch_days": terms.watch_days,
        "compared_with": compared_with,
        "day_start": start,
        "day_end": end,
    }
    write_promises(day, compared_with)
    with day.work() as work:
        work.read("core__loan_delinquency_daily")
        work.read("core__source_difference_daily")
        for table in LEDGER:
            work.read_optional(table)
        read_with_reports(work, "flag")
        parameters["is_cash_known"] = work.read_optional("raw__transaction")
        for table, view in PREVIOUS.items():
            read_previous(work, table, compared_with, view=view)
        work.connection.register("case_move", move_table())
        work.connection.register("ending_state", ending_table())
        read_live_promises(work)
        work.write("core__case_loan_daily", parameters)
        work.read("core__case_loan_daily")
        manifest = work.write("core__case_daily", parameters)
        work.read("core__case_daily")
        work.write("core__case_watch_daily", parameters)
        write_traits(work, parameters)
        counted = work.connection.execute(
            "SELECT count(*) FILTER (WHERE event_code = 'opened'), count(*) FILTER (WHERE event_code = 'reopened'), "
            "count(*) FILTER (WHERE event_code = 'carried'), "
            "count(*) FILTER (WHERE event_code = 'closed'), count(hold_code) FROM core__case_daily"
        ).fetchall()
    opened, reopened, carried, closed, held = counted[0]
    return {
        **summary(manifest),
        "opened": opened,
        "reopened": reopened,
        "carried": carried,
        "closed": closed,
        "held": held,
    }


def write_traits(work: Work, parameters: Mapping[str, Any]) -> None:
    """Write ``core__case_trait_daily``, in the connection that has the cases."""
    for table in TRAIT_OF:
        work.read_optional(table)
    work.write("core__case_trait_daily", {**TRAITS, **parameters})


def move_table() -> pa.Table:
    """The table of moves, as the SELECT joins it."""
    rows = [(before, after, event) for (before, after), event in moves().items()]
    return table_of(CASE_MOVE, rows)


def ending_table() -> pa.Table:
    """State by close reason, as the SELECT joins it."""
    return table_of(ENDING_STATE, list(STATE_OF_ENDING.items()))


def read_live_promises(work: Work) -> None:
    """Make ``live_promise``: loans under a promise or plan that was alive when the day was cut."""
    work.read(PROMISES)
    work.connection.execute(f"CREATE OR REPLACE TABLE live_promise AS {select_text('read__live_promise')}")
