"""Staging: the lake's tables of one date copied into ``stg`` as Arrow batches, and audited there.

Nobody reads ``stg`` but the audit and the publish transaction, and both look only at the rows of one publication.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import bindparam, delete, func, select

from arrears.contracts.model import ColumnType
from arrears.engine.duckdb import quoted
from arrears.errors import PublishAuditError, SchemaRefusedError
from arrears.failpoints import failpoint
from arrears.progress import rows_done
from arrears.warehouse.connection import bulk_connection, transaction
from arrears.warehouse.migrate import check_tables
from arrears.warehouse.tables import FACTS, STG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import duckdb
    from sqlalchemy import Select

    from arrears.contracts.model import Contract
    from arrears.lake import Manifest

BATCH_ROWS = 65_536
ARROW = {
    ColumnType.TEXT: pa.string(),
    ColumnType.BIGINT: pa.int64(),
    ColumnType.INTEGER: pa.int32(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.INSTANT: pa.timestamp("us", tz="UTC"),
}
NUMBERS = (ColumnType.BIGINT, ColumnType.INTEGER)


@dataclass(frozen=True)
class Figures:
    """What one fact table holds, in figures that must be the same in the lake, in staging and in the mart.

    Attributes:
        rows: Row count.
        sums: Sum of every whole-number column, NULL counted as 0.
    """

    rows: int
    sums: dict[str, int]


def stage(
    url: str, lake: duckdb.DuckDBPyConnection, manifests: Mapping[str, Manifest], publication_id: str
) -> dict[str, Figures]:
    """Copy the published rows of every fact into ``stg``, in one transaction.

    What an earlier publication of the same date left there goes first.

    Args:
        url: The warehouse.
        lake: Engine with a view by the name of each fact's lake table.
        manifests: Manifest by lake table.
        publication_id: Marks the rows.

    Returns:
        By lake table, the figures of what was copied, counted in the lake.

    Raises:
        SchemaRefusedError: The lake's columns are not the contract's.
        WarehouseSchemaError: The warehouse's columns are not the contract's.
        WarehouseUnreachableError: The server did not answer.
    """
    with transaction(url) as connection:
        check_tables(connection)
    figures = {}
    with bulk_connection(url) as connection, connection.cursor() as cursor:
        for contract in FACTS:
            manifest = manifests[contract.table]
            cursor.execute(
                f"DELETE FROM stg.{quoted(contract.mart)} "
                f"WHERE portfolio = '{manifest.portfolio}' AND business_date = '{manifest.business_date}'"
            )
            cursor.adbc_ingest(
                contract.mart,
                _reader(lake, contract, manifest.load_id, publication_id),
                mode="append",
                db_schema_name="stg",
            )
            figures[contract.table] = lake_figures(lake, contract)
            rows_done(contract.mart, figures[contract.table].rows)
            failpoint("publish.in_staging")
        connection.commit()
    return figures


def audit(url: str, expected: Mapping[str, Figures], publication_id: str) -> None:
    """Compare what is staged with what the lake holds; what staged rows must be besides is the gate's.

    Raises:
        PublishAuditError: A count or sum differs; the staged rows stay for inspection.
    """
    wrong = []
    with transaction(url) as connection:
        for contract in FACTS:
            found = connection.execute(_counted(contract), {"publication_id": publication_id}).one()
            wrong += _differences(contract, expected[contract.table], _figures(_numbers(contract), found))
    if wrong:
        raise PublishAuditError("; ".join(wrong), "the figures of the lake", publication_id)


def clear(url: str, portfolio: str, business_date: date) -> None:
    """Take the staged rows of one date away.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    with transaction(url) as connection:
        for table in STG.values():
            connection.execute(
                delete(table).where(table.c.portfolio == portfolio, table.c.business_date == business_date)
            )


def _reader(
    lake: duckdb.DuckDBPyConnection, contract: Contract, load_id: str, publication_id: str
) -> pa.RecordBatchReader:
    """Published rows as batches whose schema is exactly the staging table's.

    Raises:
        SchemaRefusedError: A column has another Arrow type: COPY would reinterpret its bytes.
    """
    columns = ", ".join(quoted(column.name) for column in contract.all_columns)
    reader = lake.sql(
        f"SELECT {columns}, $load_id::VARCHAR AS load_id, $publication_id::VARCHAR AS publication_id "
        f"FROM {quoted(contract.table)} WHERE {contract.mart_rows}",
        params={"load_id": load_id, "publication_id": publication_id},
    ).to_arrow_reader(BATCH_ROWS)
    wanted = [(column.name, ARROW[column.type]) for column in contract.all_columns]
    wanted += [("load_id", pa.string()), ("publication_id", pa.string())]
    if not reader.schema.equals(pa.schema(wanted)):
        wrong = [f"{field.name} {field.type}" for field in reader.schema if (field.name, field.type) not in wanted]
        raise SchemaRefusedError("; ".join(wrong), "the Arrow types of the contract", contract.table)
    return reader


def lake_figures(lake: duckdb.DuckDBPyConnection, contract: Contract) -> Figures:
    """Figures of the rows that a fact publishes, counted in the lake."""
    numbers = _numbers(contract)
    sums = "".join(f", coalesce(sum({quoted(name)}), 0)" for name in numbers)
    counted = lake.execute(f"SELECT count(*){sums} FROM {quoted(contract.table)} WHERE {contract.mart_rows}")
    [values] = counted.fetchall()  # to the end: an engine with an open result starts no reader
    return _figures(numbers, values)


@cache
def _counted(contract: Contract) -> Select[Any]:
    """SELECT of one row about one publication's staged rows: their figures."""
    table = STG[contract.table]
    sums = [func.coalesce(func.sum(table.c[name]), 0) for name in _numbers(contract)]
    return select(func.count(), *sums).where(table.c.publication_id == bindparam("publication_id"))


def _figures(numbers: list[str], values: Any) -> Figures:  # noqa: ANN401  a row of either engine
    rows, *sums = values
    return Figures(int(rows), dict(zip(numbers, (int(value) for value in sums), strict=True)))


def _numbers(contract: Contract) -> list[str]:
    return [column.name for column in contract.columns if column.type in NUMBERS]


def _differences(contract: Contract, expected: Figures, staged: Figures) -> list[str]:
    pairs = {"rows": (expected.rows, staged.rows)}
    pairs |= {name: (expected.sums[name], staged.sums[name]) for name in expected.sums}
    return [
        f"stg.{contract.mart}: {name} {found}, not {wanted}"
        for name, (wanted, found) in pairs.items()
        if found != wanted
    ]
