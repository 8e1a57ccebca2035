"""The job ``age``: how old every loan's and every instalment's arrears are.

Belongs here: binding a portfolio's terms to the two SELECTs. The rule itself is readable in ``arrears.rules.ageing``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.jobs.accounts import replay_accounts
from arrears.jobs.day import Day, summary
from arrears.rules.ageing import counted_until
from arrears.rules.buckets import bucket_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import duckdb

    from arrears.portfolio import Ageing
    from arrears.rules.buckets import Bucket
    from arrears.settings import Settings

INSTALMENTS = "core__instalment_delinquency_daily"
LOANS = "core__loan_delinquency_daily"
FOREVER = 2**31 - 1  # days; stands for the open end of the last bucket


def age(portfolio: str, business_date: date, *, run_ref: str = "", settings: Settings | None = None) -> dict[str, Any]:
    """Write ``core__instalment_delinquency_daily`` and, from it, ``core__loan_delinquency_daily``.

    Returns:
        The loans' manifest in short, and the number of past-due instalments.

    Raises:
        PartitionMissingError: The day is not validated yet.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    config = day.folder.portfolio
    with day.work() as work:
        for table in ("raw__loan", "raw__instalment", "raw__transaction"):
            work.read(table)
        work.read_optional("raw__pause")
        put_buckets(work.connection, config.bucket_set)
        as_of = config.as_of(business_date)
        parameters = ageing_parameters(config.ageing, config.bucket_set, as_of) | {"timezone": config.timezone}
        replay_accounts(work.connection, config.ageing.waterfalls, parameters)
        instalments = work.write(INSTALMENTS, parameters)
        work.read(INSTALMENTS)
        loans = work.write(LOANS, parameters)
    return {**summary(loans), "past_due_instalments": instalments.rows}


def put_buckets(connection: duckdb.DuckDBPyConnection, buckets: Sequence[Bucket]) -> None:
    """Make the buckets readable to a SELECT as ``bucket(code, from_days, to_days)``, both bounds inclusive."""
    rows = {
        "code": pa.array([bucket.code for bucket in buckets], pa.string()),
        "from_days": pa.array([bucket.from_days for bucket in buckets], pa.int32()),
        "to_days": pa.array([FOREVER if b.to_days is None else b.to_days for b in buckets], pa.int32()),
    }
    connection.register("bucket", pa.table(rows))


def ageing_parameters(ageing: Ageing, buckets: Sequence[Bucket], as_of: date) -> dict[str, Any]:
    """Bound parameters of the two ageing SELECTs, ``$closing_date`` apart.

    Args:
        ageing: The portfolio's day count.
        buckets: A set that ``check_buckets`` accepts.
        as_of: Date the ages hold for; transactions effective after it do not count.
    """
    ranks = {f"{component}_rank": rank for rank, component in enumerate(ageing.waterfalls.default.past_due, 1)}
    return {
        "as_of": as_of,
        "counted_until": counted_until(as_of, ageing.convention),
        "grace_days": ageing.grace_days,
        "tolerance_minor": ageing.tolerance_minor,
        "current_bucket": bucket_of(0, buckets),
        **ranks,
    }
