"""The job ``age``: how old every loan's and every instalment's arrears are.

Belongs here: binding a portfolio's terms to the two SELECTs. The rule itself is readable in ``arrears.rules.ageing``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import quoted
from arrears.engine.spark import SparkTables, session
from arrears.engine.tables import DuckTables
from arrears.jobs.accounts import INSTALMENTS, LOANS, make_ages
from arrears.jobs.day import Day, summary
from arrears.rules.buckets import bucket_of
from arrears.rules.conventions import counted_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from arrears.engine.tables import Tables
    from arrears.jobs.day import Work
    from arrears.lake import Manifest
    from arrears.portfolio_terms import Ageing
    from arrears.rules.buckets import Bucket
    from arrears.settings import Settings

LEDGER = ("raw__loan", "raw__instalment", "raw__transaction", "raw__pause")
MEMORY_LIMIT = "1500MB"  # ten million loans: a process of 1.7 GB instead of 2.5 GB, in the same CPU seconds
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
    with day.work(at_most=MEMORY_LIMIT) as work:
        for table in LEDGER:
            if CONTRACTS[table].required:
                work.read(table)
            else:
                work.read_optional(table)
        parameters = ageing_parameters(config.ageing, config.bucket_set, config.as_of(business_date)) | {
            "timezone": config.timezone,
            "closing_date": day.closing_date,
        }
        make = _on_duckdb if day.settings.engine == "duckdb" else _on_spark
        written = make(work, parameters)
    return {**summary(written[LOANS]), "past_due_instalments": written[INSTALMENTS].rows}


def _on_duckdb(work: Work, parameters: Mapping[str, Any]) -> dict[str, Manifest]:
    """The two tables stream from their SELECTs into the lake."""
    config, tables = work.day.folder.portfolio, DuckTables(work.connection)
    written: dict[str, Manifest] = {}

    def write(table: str) -> None:
        written[table] = work.write(table, parameters)
        work.read(table)

    put_buckets(tables, config.bucket_set)
    make_ages(tables, config.ageing.waterfalls, parameters, write)
    return written


def _on_spark(work: Work, parameters: Mapping[str, Any]) -> dict[str, Manifest]:
    """Spark ages where the lake's files are; the lake takes what comes of it as it takes everything."""
    config, lake = work.day.folder.portfolio, work.day.lake
    written: dict[str, Manifest] = {}
    with session(work.day.settings.engine) as spark:
        tables = SparkTables(spark)
        for table in LEDGER:
            if lake.known(work.day.key(table)) is None:
                tables.put(table, work.connection.sql(f"FROM {table}").to_arrow_table())
            else:
                tables.read(table, lake.paths(work.day.key(table)))
        put_buckets(tables, config.bucket_set)
        make_ages(tables, config.ageing.waterfalls, parameters)
        for table in (INSTALMENTS, LOANS):
            work.connection.register("aged_rows", tables.rows(table))
            columns = ", ".join(quoted(column.name) for column in CONTRACTS[table].columns)
            written[table] = work.write(table, select=f"SELECT {columns} FROM aged_rows")
            if table == INSTALMENTS:
                work.read(table)
    return written


def put_buckets(tables: Tables, buckets: Sequence[Bucket]) -> None:
    """Make the buckets readable to a SELECT as ``bucket(code, from_days, to_days)``, both bounds inclusive."""
    rows = {
        "code": pa.array([bucket.code for bucket in buckets], pa.string()),
        "from_days": pa.array([bucket.from_days for bucket in buckets], pa.int32()),
        "to_days": pa.array([FOREVER if b.to_days is None else b.to_days for b in buckets], pa.int32()),
    }
    tables.put("bucket", pa.table(rows))


def ageing_parameters(ageing: Ageing, buckets: Sequence[Bucket], as_of: date) -> dict[str, Any]:
    """Bound parameters of the two ageing SELECTs, ``$closing_date`` apart.

    Args:
        ageing: The portfolio's day count.
        buckets: A set that ``check_buckets`` accepts.
        as_of: Date the ages hold for; transactions effective after it do not count.
    """
    ranks = {f"{component}_rank": rank for rank, component in enumerate(ageing.waterfalls.default.past_due, 1)}
    materiality = ageing.materiality
    return {
        "as_of": as_of,
        "counted_until": counted_until(as_of, ageing.convention),
        "month_lag": {"months_ots": 1, "months_mba": 0}.get(ageing.convention),
        "grace_days": ageing.grace_days,
        "grace_code": ageing.grace,
        "tolerance_minor": ageing.tolerance_minor,
        "full_payment_pct": ageing.full_payment_pct,
        "material_minor": None if materiality is None else materiality.minor,
        "material_bps": None if materiality is None else materiality.bps,
        "current_bucket": bucket_of(0, buckets),
        **ranks,
    }
