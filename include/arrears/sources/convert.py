"""Reads delivered values as their contract types, strictly: what is not exactly of its form is no value of its type.

Belongs here: the forms, and the SELECT that turns a staged delivery into an extract. A text that does not fit is NULL
in the extract and its column is named in ``conversion_errors``; the text itself goes to the vault and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from arrears.contracts.model import ColumnType
from arrears.engine.duckdb import literal, parquet, quoted
from arrears.errors import SourceFileError
from arrears.sources.vault import RejectedRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

    from arrears.contracts.model import Column, Contract
    from arrears.sources.staging import Staged

MALFORMED = "file.columns"
UNREADABLE = "type"
LINEAGE = ("source_file", "source_line")
VAULT_ROWS = 10_000

INTEGER_FORM = r"\d{1,18}|-0{0,17}[1-9]\d{0,17}"  # a negative zero was a float, or is half of a number
DATE_FORM = r"\d{4}-\d{2}-\d{2}"
OFFSET_FORM = r"(Z|[+-](0\d|1[0-5])(:?[0-5]\d)?)"  # no zone is further off
INSTANT_FORM = rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{{1,6}})?)?{OFFSET_FORM}"
# No text of a ledger is free: each is an identifier, a list of them, or a code. What has a blank, an address's @ or the
# + of a number with its country is none, and does not reach the lake; a name written without blanks looks like one.
# Letters and signs of any script, but none that cannot be seen: two identifiers that look the same are the same.
IDENTIFIER_FORM = r"[^\pC\pZ@+][^\pC\pZ@]*"
IDENTIFIER_SIGNS = 128  # an entry of the warehouse's indexes holds no more than 2.7 kB
LONG = ("_ids", "portfolios", "source_file")  # lists, and a path: in no index
LONG_SIGNS = 4096
CODE_FORM = r"[A-Za-z0-9_.,:/+-]{1,64}"
OF_CODES = ("_code", "currency", "language", "languages", "timezone")
FIRST_INSTANT = "TIMESTAMPTZ '0001-01-01 00:00:00+00'"
LAST_INSTANT = "TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'"


def extract_select(contract: Contract, staged: Staged) -> str:
    """SELECT that delivers the extract: typed values, row numbers, and the columns that could not be read.

    Rows are numbered in the order of their file and line, else of their key, so that a source that answers in another
    order makes the same extract.

    Args:
        contract: Of the ledger table.
        staged: What the source delivered.
    """
    return f"SELECT * EXCLUDE (delivered) FROM ({_numbered(contract, staged)})"


def has_unreadable(connection: duckdb.DuckDBPyConnection, extracted: Path) -> bool:
    """Whether a written extract has a value that could not be read, or a line that is no row."""
    counted = connection.execute(f"SELECT count(conversion_errors) FROM {parquet([str(extracted)])}").fetchall()
    return bool(counted[0][0])


def refuse_unreadable(connection: duckdb.DuckDBPyConnection, extracted: Path, tolerated: frozenset[str]) -> None:
    """Refuse a written extract with a row that cannot be read, of any file but those.

    Raises:
        SourceFileError: Names the first file, line and column, and how many rows of the file.
    """
    names = ", ".join(literal(name) for name in sorted(tolerated)) or "''"
    first = connection.execute(
        "SELECT source_file, min(source_line), arg_min(conversion_errors, source_line), count(*) "
        f"FROM {parquet([str(extracted)])} WHERE conversion_errors IS NOT NULL AND source_file NOT IN ({names}) "
        "GROUP BY source_file ORDER BY source_file LIMIT 1"
    ).fetchone()
    if first is not None:
        file, line, columns, rows = first
        column = "" if columns == MALFORMED else f", column {columns.partition(',')[0]}"
        raise SourceFileError(
            f"{rows} rows that cannot be read, in a file that is refused whole for one",
            "rows of their types, or `unreadable: name`",
            f"{file} line {line}{column}",
        )


def unreadable_rows(connection: duckdb.DuckDBPyConnection, contract: Contract, staged: Staged) -> Iterator[RejectedRow]:
    """Rows with a value that could not be read and lines that are no rows, with what was delivered.

    Numbers the rows of the whole delivery: ask ``has_unreadable`` first.
    """
    delivered = ", ".join(f"{quoted(name)} := delivered.{quoted(name)}::VARCHAR" for name in staged.schema.names)
    reader = connection.sql(
        f"SELECT row_number, source_file, source_line, delivered._line AS line, struct_pack({delivered}) AS delivered "
        f"FROM ({_numbered(contract, staged)}) WHERE conversion_errors IS NOT NULL"
    ).to_arrow_reader(VAULT_ROWS)
    for batch in reader:
        for row in batch.to_pylist():
            line = row["line"]
            yield RejectedRow(
                row["row_number"],
                row["source_file"],
                row["source_line"],
                UNREADABLE if line is None else MALFORMED,
                row["delivered"] if line is None else {"line": line},
            )


def _numbered(contract: Contract, staged: Staged) -> str:
    """Typed values and row numbers beside the delivered row, which is kept as the struct ``delivered``.

    Rows are sorted as they were delivered and read as their types afterwards: a sort carries only what it must.
    """
    kinds = dict(zip(staged.schema.names, staged.schema.types, strict=True))
    if staged.malformed:
        kinds = {"source_file": pa.string(), "source_line": pa.int64()} | kinds
    values = {column.name: _value(column, kinds.get(column.name)) for column in contract.columns}
    typed = ", ".join(f"{value} AS {quoted(name)}" for name, value in values.items())
    failed = ", ".join(
        f"CASE WHEN {_is_given(name, kind)} AND {values[name]} IS NULL THEN {literal(name)} END"
        for name, kind in kinds.items()
    )
    errors = f"nullif(concat_ws(',', {failed}), '')"
    return (
        f"SELECT * REPLACE (coalesce(source_file, {literal(f'{contract.noun}.sql')}) AS source_file, "
        "CASE WHEN source_file IS NULL THEN row_number ELSE source_line END AS source_line) "
        f"FROM (SELECT {typed}, delivered, "
        f"CASE WHEN delivered._line IS NOT NULL THEN {literal(MALFORMED)} ELSE {errors} END AS conversion_errors, "
        f"row_number() OVER () AS row_number FROM ({_sorted(contract, staged)}) AS delivered)"
    )


def _sorted(contract: Contract, staged: Staged) -> str:
    """Rows as delivered, and lines that are no rows, in the order of file and line, else of their key."""
    there = staged.schema.names
    order = [quoted(name) for name in contract.key if name in there]
    order += [quoted(name) for name in there if name not in (*contract.key, *LINEAGE)]
    if staged.malformed or "source_line" in there:
        order = ["source_file", "TRY_CAST(source_line AS BIGINT)", *order]
    rows = f"SELECT *, NULL::VARCHAR AS _line FROM {parquet([str(staged.rows)])}"
    if staged.malformed:
        lines = f"SELECT source_file, source_line, line AS _line FROM {parquet([str(staged.malformed)])}"
        rows = f"{rows} UNION ALL BY NAME {lines}"
    return f"SELECT * FROM ({rows}) ORDER BY {', '.join([*order, '_line'])}"


def _is_given(name: str, kind: pa.DataType) -> str:
    delivered = f"delivered.{quoted(name)}"
    return f"{delivered} <> ''" if pa.types.is_string(kind) else f"{delivered} IS NOT NULL"


def _value(column: Column, kind: pa.DataType | None) -> str:
    """DuckDB expression of the typed value: NULL for an empty text and for anything not exactly of its form."""
    if kind is None:
        return f"NULL::{column.type.value}"
    delivered = f"delivered.{quoted(column.name)}"
    cast = f"TRY_CAST({delivered} AS {column.type.value})"
    is_text = pa.types.is_string(kind)
    if column.type is ColumnType.TEXT:
        form = literal(CODE_FORM if column.name.endswith(OF_CODES) else IDENTIFIER_FORM)
        most = LONG_SIGNS if column.name.endswith(LONG) else IDENTIFIER_SIGNS
        return (
            f"CASE WHEN length({delivered}) <= {most} AND regexp_full_match({delivered}, {form}) THEN {delivered} END"
        )
    if column.type is ColumnType.BOOLEAN:
        return f"CASE {delivered} WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END" if is_text else delivered
    if column.type is ColumnType.DATE:
        cast = f"CASE WHEN {cast} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN {cast} END"
    elif column.type is ColumnType.INSTANT:
        cast = f"CASE WHEN {cast} BETWEEN {FIRST_INSTANT} AND {LAST_INSTANT} THEN {cast} END"
    if not is_text:
        return cast
    form = {ColumnType.DATE: DATE_FORM, ColumnType.INSTANT: INSTANT_FORM}.get(column.type, INTEGER_FORM)
    return f"CASE WHEN regexp_full_match({delivered}, {literal(form)}) THEN {cast} END"
