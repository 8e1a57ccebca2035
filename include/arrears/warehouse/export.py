"""The ``bi`` views as Parquet, for readers of a lake: the same names, types and rows that BI tools see.

Belongs here: what is read and where it is written. A view of business dates is written a date at a time, below
``view/portfolio=P/business_date=D/``, every other view whole, below ``view/portfolio=P/``. A date exported again
replaces its own files alone. All views of one export are of one state of the warehouse, read as the BI role.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from arrears.engine.duckdb import quoted
from arrears.warehouse.bi import VERSION
from arrears.warehouse.connection import bulk_connection
from arrears.warehouse.roles import BI_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from adbc_driver_postgresql.dbapi import Cursor

FILE = "part.parquet"
OF_ALL = ("data_dictionary", "dim_channel", "dim_date")  # of no portfolio
RATIO = pa.decimal128(38, 10)  # what PostgreSQL calls numeric, whose digits no column states
COLUMNS = "SELECT view_name, column_name, type_name FROM bi.data_dictionary ORDER BY view_name, ordinal"


def export(url: str, portfolio: str, business_date: date, folder: Path) -> dict[str, int]:
    """Write every view, its rows of the portfolio and, where it has business dates, of the date.

    Args:
        url: The warehouse.
        portfolio: Folder name.
        business_date: The date.
        folder: Where the views' folders are, or will be.

    Returns:
        Rows by view.

    Raises:
        WarehouseUnreachableError: The server did not answer.
        WarehouseSchemaError: The warehouse was never upgraded.
    """
    with bulk_connection(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(f"SET LOCAL ROLE {BI_ROLE}")
        return {
            view: _write(cursor, view, columns, portfolio, business_date, folder)
            for view, columns in _columns(cursor).items()
        }


def _columns(cursor: Cursor) -> dict[str, dict[str, str]]:
    """Type by column by view."""
    cursor.execute(COLUMNS)
    found: dict[str, dict[str, str]] = {}
    for view, column, kind in cursor.fetchall():
        found.setdefault(view, {})[column] = kind
    return found


def _write(  # noqa: PLR0913, PLR0917  one file's parts
    cursor: Cursor, view: str, columns: dict[str, str], portfolio: str, business_date: date, folder: Path
) -> int:
    place, conditions = folder / view, []
    values: list[str] = []
    if "portfolio" in columns:
        place /= f"portfolio={portfolio}"
        conditions.append(f"portfolio = ${len(values) + 1}")
        values.append(portfolio)
    if columns.get("business_date") == "date":
        place /= f"business_date={business_date}"
        conditions.append(f"business_date = CAST(${len(values) + 1} AS date)")
        values.append(business_date.isoformat())
    # What the path says already is in no file: readers of such a folder take it from there.
    shown = [name for name in columns if name not in {"portfolio", "business_date"} or view in OF_ALL]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    names = ", ".join(quoted(name) for name in shown)
    cursor.execute(f"SELECT {names} FROM bi.{quoted(view)}{where}", values or None)
    reader = cursor.fetch_record_batch()
    schema = pa.schema(
        [
            pa.field(field.name, RATIO if columns[field.name] == "numeric" else _plain(field.type))
            for field in reader.schema
        ],
        metadata={"arrears.interface_version": str(VERSION)},
    )
    place.mkdir(parents=True, exist_ok=True)
    beside = place / f".{FILE}.{os.getpid()}"
    rows = 0
    try:
        with pq.ParquetWriter(beside, schema, compression="zstd") as writer:
            for batch in _cast(reader, schema):
                writer.write_batch(batch)
                rows += batch.num_rows
        beside.replace(place / FILE)
    finally:
        beside.unlink(missing_ok=True)
    return rows


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type without what only PostgreSQL's driver says of it."""
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _cast(reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        columns = [
            (one.storage if isinstance(one, pa.ExtensionArray) else one).cast(field.type)
            for one, field in zip(batch.columns, schema, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
