"""A small portfolio in a folder of its own, and lake partitions written from rows."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from arrears.contracts import CONTRACTS
from arrears.jobs.day import Day
from arrears.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

FIRST = date(2026, 3, 2)
PORTFOLIO = """\
title: Test book
currency: CNY
timezone: Asia/Shanghai
holidays: CN
language: zh-CN
first_business_date: 2026-03-02
missing_limit_pct: 50
buckets:
  - {code: "0", from: 0, to: 0}
  - {code: "1-30", from: 1, to: 30}
  - {code: "31-60", from: 31, to: 60}
  - {code: "61-90", from: 61, to: 90}
  - {code: "91+", from: 91}
collector_type: first_party
packs: [house]
strategy: early
queues: {"1-30": bot, "31-60": named, "61-90": named, "91+": field}
source: {kind: database, url: "sqlite://"}
"""

ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
}
FILLER = {"VARCHAR": "x", "BIGINT": 0, "INTEGER": 0, "BOOLEAN": True, "DATE": FIRST}


def make_book(folder: Path, first: str = "2026-03-02") -> Settings:
    """Settings of a deployment in ``folder`` with one portfolio ``book``; a ``first`` of a month begins month ends."""
    for name in ("portfolios/book", "policies", "strategies"):
        (folder / name).mkdir(parents=True)
    begins = f"{first}\ndaily_from: {FIRST}" if first != FIRST.isoformat() else first
    (folder / "portfolios/book/portfolio.yaml").write_text(PORTFOLIO.replace(FIRST.isoformat(), begins))
    for noun in ("loan", "instalment", "transaction"):
        (folder / "portfolios/book" / f"{noun}.sql").write_text("SELECT 1")
    (folder / "policies/house.yaml").write_text("pack: house\n")
    (folder / "strategies/early.yaml").write_text("strategy: early\n")
    return Settings(
        warehouse_url=None,
        lake_url=f"file://{folder / 'lake'}",
        portfolios=folder / "portfolios",
        policies=folder / "policies",
        strategies=folder / "strategies",
    )


def put(
    settings: Settings, table: str, business_date: date, rows: list[dict[str, Any]], portfolio: str = "book"
) -> None:
    """Write rows as a partition; columns that a row leaves out are NULL where they may be, else a filler."""
    contract = CONTRACTS[table]
    columns = {
        column.name: pa.array(
            [row.get(column.name, None if column.nullable else FILLER.get(column.type.value)) for row in rows],
            type=ARROW[column.type.value],
        )
        for column in contract.columns
    }
    day = Day.open(portfolio, business_date, settings=settings)
    with day.work() as work:
        work.connection.register("given", pa.table(columns))
        work.write(table, select="SELECT * FROM given")


def rows_of(settings: Settings, table: str, business_date: date, portfolio: str = "book") -> list[dict[str, Any]]:
    """Rows of a partition as dictionaries, without the standard columns, sorted by key."""
    day = Day.open(portfolio, business_date, settings=settings)
    with day.work() as work:
        work.read(table)
        key = ", ".join(CONTRACTS[table].key)
        found = work.connection.sql(
            f'SELECT * EXCLUDE (portfolio, business_date) FROM "{table}" ORDER BY {key}'
        ).to_arrow_table()
    return found.to_pylist()
