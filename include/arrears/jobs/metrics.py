"""The job ``metrics``: the day's measures, each one SELECT with numerator and denominator.

Belongs here: which tables each measure is made from, and in which order. What a measure means stands in
``arrears.metrics``; ratios are made by the ``bi`` views.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.contracts.ledger import LEDGER
from arrears.engine.duckdb import select_text
from arrears.engine.tables import DuckTables
from arrears.jobs.accounts import make_charges, make_schedule
from arrears.jobs.age import FOREVER, ageing_parameters, put_buckets
from arrears.jobs.day import Day, Work, summary
from arrears.jobs.previous import previous_date, read_previous
from arrears.portfolio import closing_date
from arrears.rules.hours import midnight

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from arrears.settings import Settings

LOANS, INSTALMENTS = "core__loan_delinquency_daily", "core__instalment_delinquency_daily"
EVENTS, CASES, CASE_LOANS = "core__delinquency_event_daily", "core__case_daily", "core__case_loan_daily"
ASSIGNED, PLAN = "out__assignment_daily", "out__contact_plan_daily"
EVER, ENTERED = "core__ever_past_due_daily", "core__entered_loan_daily"
PAYMENTS, ATTEMPTS = "out__payment_allocated_daily", "out__contact_attempt_daily"
PREVIOUS = "previous__loan_delinquency"


def metrics(
    portfolio: str, business_date: date, *, run_ref: str = "", settings: Settings | None = None
) -> dict[str, Any]:
    """Write every measure of the day.

    Tables that are made from the same ones share an engine, so that a manifest names what it may be made from.

    Returns:
        The summary row's manifest in short.

    Raises:
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: An earlier step has not run.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    compared_with = previous_date(day)
    _portfolio(day, compared_with)
    _events(day)
    _cohorts(day, compared_with)
    _payments(day, compared_with)
    _attempts(day, compared_with)
    _promises(day, compared_with)
    _work(day, compared_with)
    return _summary(day, compared_with)


def _portfolio(day: Day, compared_with: date | None) -> None:
    """Distribution, PAR, roll matrices."""
    with day.work() as work:
        work.read(LOANS)
        work.read_optional("raw__loan")
        put_buckets(DuckTables(work.connection), day.folder.portfolio.bucket_set)
        work.write("out__portfolio_daily")
        work.write("out__par_daily")
    with day.work() as work:
        work.read(LOANS)
        put_buckets(DuckTables(work.connection), day.folder.portfolio.bucket_set)
        read_previous(work, LOANS, compared_with, view=PREVIOUS)
        month_before = _month_end_before(day)
        read_previous(work, LOANS, month_before, view="month__loan_delinquency")
        spans = {"compared_with": compared_with, "month_before": month_before}
        work.write("out__bucket_migration_daily", spans)


def _month_end_before(day: Day) -> date | None:
    """On a month-end close, the business date of the month-end close before, if the lake still has it."""
    if day.business_date.day != 1:
        return None
    earlier = (day.business_date - timedelta(days=1)).replace(day=1)
    return earlier if day.lake.find(day.key(LOANS, earlier)) is not None else None


def _events(day: Day) -> None:
    with day.work() as work:
        work.read(EVENTS)
        work.write("out__delinquency_event_total_daily")


def _cohorts(day: Day, compared_with: date | None) -> None:
    """Entries into arrears and what became of them; vintages."""
    with day.work() as work:
        work.read(INSTALMENTS)
        work.read(LOANS)
        _make_schedule(work)
        work.read_optional("raw__transaction")
        _make_due(work)
        work.read_optional("raw__loan")
        work.write("out__entry_daily")
    with day.work() as work:
        work.read(LOANS)
        read_previous(work, EVER, compared_with, view="previous__ever_past_due")
        work.write(EVER)
        work.read(EVER)
        work.read_optional("raw__loan")
        work.write("out__vintage_monthly")
    with day.work() as work:
        work.read(INSTALMENTS)
        work.read(LOANS)
        _make_schedule(work)
        _put_cash(work)
        read_previous(work, ENTERED, compared_with, view="previous__entered_loan")
        work.write(ENTERED)
        work.read(ENTERED)
        _make_due(work)
        work.read_optional("raw__loan")
        work.write("out__due_cohort_daily")


def _make_schedule(work: Work) -> None:
    """Make ``schedule``: when each instalment is due, deferrals heeded."""
    work.read("raw__instalment")
    work.read_optional("raw__pause")
    make_schedule(DuckTables(work.connection), _ageing_parameters(work.day))


def _make_due(work: Work) -> None:
    """Make ``due_instalment`` of the schedule and the transactions: what falls due, charges included."""
    tables = DuckTables(work.connection)
    make_charges(tables, _ageing_parameters(work.day) | {"zone": work.day.folder.portfolio.timezone})
    tables.make("due_instalment", "due__instalment", {})


def _ageing_parameters(day: Day) -> dict[str, Any]:
    config = day.folder.portfolio
    return ageing_parameters(config.ageing, config.bucket_set, config.as_of(day.business_date))


def _put_cash(work: Work) -> None:
    """Make ``cash``: every transaction of the day's ledger that moves cash."""
    work.read_optional("raw__transaction")
    _cash_view(work, "cash", "raw__transaction")


def _cash_view(work: Work, name: str, ledger: str) -> None:
    select = select_text("cash__entry").replace("ledger_transaction", ledger)
    work.connection.execute(f"CREATE VIEW {name} AS {select}")


def _payments(day: Day, compared_with: date | None) -> None:
    config = day.folder.portfolio
    parameters = _ageing_parameters(day) | {"zone": config.timezone, "currency": config.currency}
    with day.work() as work:
        _put_cash(work)
        if compared_with is None:
            work.connection.execute("CREATE VIEW previous__cash AS SELECT * FROM cash")
        else:
            read_previous(work, "raw__transaction", compared_with, view="previous__transaction")
            _cash_view(work, "previous__cash", "previous__transaction")
        for table in (LOANS, CASE_LOANS):
            work.read_optional(table)
        work.read_optional("raw__contact")
        _make_schedule(work)
        read_previous(work, LOANS, compared_with, view=PREVIOUS)
        make_charges(DuckTables(work.connection), parameters)
        work.write(PAYMENTS, parameters)


def _attempts(day: Day, compared_with: date | None) -> None:
    config = day.folder.portfolio
    since = midnight(compared_with or day.closing_date, config.zone)
    with day.work() as work:
        has_contacts = work.read_optional("raw__contact")
        has_promises = work.read_optional("raw__promise")
        read_previous(work, "raw__contact", compared_with, view="previous__contact")
        work.read(CASES)
        read_previous(work, ASSIGNED, compared_with, view="previous__assignment")
        work.write(ATTEMPTS, {"zone": config.timezone, "has_promises": has_promises})
        work.read(ATTEMPTS)
        has_flags = work.read_optional("raw__flag")
        answered = {"has_contacts": has_contacts, "has_flags": has_flags}
        bounds = {"since": since, "until": midnight(day.business_date, config.zone)}
        work.write("out__pressure_daily", {"currency": config.currency, **answered, **bounds})


def _promises(day: Day, compared_with: date | None) -> None:
    with day.work() as work:
        work.read_optional("core__promise_daily")
        work.write("out__promise_daily", {"compared_close": compared_with and closing_date(compared_with)})


def _work(day: Day, compared_with: date | None) -> None:
    """Queues, agents, and the members that the day knows."""
    config = day.folder.portfolio
    with day.work() as work:
        for table in (ASSIGNED, CASES):
            work.read(table)
        work.read_optional("raw__queue")
        has_shifts = work.read_optional("raw__agent_shift")
        read_previous(work, ASSIGNED, compared_with, view="previous__assignment")
        work.write("out__queue_daily", {"has_shifts": has_shifts})
        for table in (LOANS, PLAN, ATTEMPTS, PAYMENTS):
            work.read(table)
        work.read_optional("raw__contact")
        work.write("out__agent_daily", {"has_shifts": has_shifts, "currency": config.currency})
        put_buckets(DuckTables(work.connection), config.bucket_set)
        _put_bucket_queues(work, config.queues)
        work.write("out__member_daily", {"forever": FOREVER})


def _put_bucket_queues(work: Work, queues: Mapping[str, str]) -> None:
    """Make ``bucket_queue(code, queue_id)``: which queue works which bucket."""
    rows = {"code": pa.array(list(queues), pa.string()), "queue_id": pa.array(list(queues.values()), pa.string())}
    work.connection.register("bucket_queue", pa.table(rows))


def _summary(day: Day, compared_with: date | None) -> dict[str, Any]:
    with day.work() as work:
        for table in (LOANS, EVENTS, CASES, ASSIGNED, PLAN, "out__quarantine", "out__par_daily"):
            work.read(table)
        _put_cash(work)
        has_costs = work.read_optional("raw__cost")
        parameters = {
            "currency": day.folder.portfolio.currency,
            "compared_with": compared_with,
            "rows_delivered": _rows(day, "extract__"),
            "rows_accepted": _rows(day, "raw__"),
            "has_costs": has_costs,
        }
        return summary(work.write("out__summary_daily", parameters))


def _rows(day: Day, layer: str) -> int:
    """Rows of the day's ledger in that layer, over all tables."""
    known = (day.lake.known(day.key(f"{layer}{contract.noun}")) for contract in LEDGER)
    return sum(manifest.rows for manifest in known if manifest is not None)
