"""Facts given as rows, asked through the ``bi`` views of both engines."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from arrears.metrics.engines import make_views
from arrears.warehouse.connection import transaction
from arrears.warehouse.partitions import ensure_partitions
from arrears.warehouse.tables import FACTS, MART
from sqlalchemy import insert, text

from support.facts import table_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Rows = list[dict[str, Any]]
BY_MART = {contract.mart: contract for contract in FACTS}


def given(facts: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, pa.Table]:
    """Whole rows by fact: what a row leaves out is NULL where it may be, else a filler; portfolio ``book``."""
    tables = {}
    for name, rows in facts.items():
        table = table_of(BY_MART[name], [dict(row) for row in rows])
        days = pa.array([row.get("business_date", date(2026, 6, 1)) for row in rows], pa.date32())
        tables[name] = table.add_column(0, "business_date", days).add_column(
            0, "portfolio", pa.array(["book"] * len(rows), pa.string())
        )
    return tables


def by_duckdb(facts: Mapping[str, pa.Table], query: str) -> Rows:
    """Rows of a query over the views, asked of DuckDB."""
    with duckdb.connect() as connection:
        make_views(connection, facts)
        return connection.sql(query).to_arrow_table().to_pylist()


def by_postgres(url: str, facts: Mapping[str, pa.Table], query: str) -> Rows:
    """The same, asked of PostgreSQL; nothing is left behind."""
    for day in {day for table in facts.values() for day in table["business_date"].to_pylist()}:
        ensure_partitions(url, day)
    with transaction(url) as connection:
        undone = connection.begin_nested()
        for name, table in facts.items():
            rows = [{**row, "load_id": "load"} for row in table.to_pylist()]
            connection.execute(insert(MART[BY_MART[name].table]), rows)
        found = [dict(row) for row in connection.execute(text(query)).mappings()]
        undone.rollback()
    return found
