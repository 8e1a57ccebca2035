"""What a source hands over, whichever kind it is: checked against the contract by name and type, staged as Parquet.

Belongs here: what every kind of source shares.
Does not belong here: how rows are had (``database``, ``files``) and what their values mean (``convert``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from arrears.contracts.model import ColumnType
from arrears.errors import SourceColumnsError, SourceTypeError
from arrears.progress import rows_done
from arrears.sources.limits import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from arrears.contracts.model import Contract

QUOTED_OR_REMARK = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/"
BIND = re.compile(rf"({QUOTED_OR_REMARK})|(?<![:\w]):(business_date|closing_date)\b", re.DOTALL)
ROW_GROUP = 100_000
INSTANT = pa.timestamp("us", tz="UTC")

CARRIERS = {
    ColumnType.TEXT: "text",
    ColumnType.BIGINT: "an integer, or its text (CAST an expression: a SUM is none)",
    ColumnType.INTEGER: "an integer, or its text (CAST an expression: a SUM is none)",
    ColumnType.DATE: "a date, or YYYY-MM-DD as text",
    ColumnType.INSTANT: "a timestamp with time zone, or text with an offset",
    ColumnType.BOOLEAN: "a boolean, or true / false as text",
}


@dataclass(frozen=True)
class Delivered:
    """The result of one SELECT while it is running.

    Attributes:
        reader: Its rows, as a stream.
        files: SHA-256 of the files it runs over, by name; empty for a database.
        malformed: Parquet file of lines that are no rows (``source_file``, ``source_line``, ``line``); None without.
        refusing: Files that are refused whole for one row that cannot be read.
    """

    reader: pa.RecordBatchReader
    files: Mapping[str, str] = field(default_factory=dict)
    malformed: Path | None = None
    refusing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Staged:
    """What one SELECT delivered, on local disk.

    Attributes:
        rows: Parquet file in the delivered types.
        schema: Its columns.
        malformed: As ``Delivered.malformed``.
        source: Hash of the SELECT and of the files it ran over.
        tolerated: Files whose rows may be unreadable, where others may not; None where all may.
        files: SHA-256 by name, of the files it ran over.
    """

    rows: Path
    schema: pa.Schema
    malformed: Path | None
    source: str
    tolerated: frozenset[str] | None = None
    files: Mapping[str, str] = field(default_factory=dict)


def bound(select: str, written: Callable[[str], str], kept: Callable[[str], str] = str) -> str:
    """The SELECT with its dates written in the dialect of whoever runs it.

    Args:
        select: With ``:business_date`` and ``:closing_date``.
        written: Name of a date to the text that stands for it.
        kept: Quoted text or remark, where such a name is no date, to what stands for it.
    """
    return BIND.sub(lambda match: kept(match[1]) if match[1] else written(match[2]), select.strip().rstrip(";")) + "\n"


def check_delivery(contract: Contract, schema: pa.Schema, where: str) -> None:
    """Refuse columns that are not the contract's, and types that may not carry theirs.

    Nullable columns may be left out; the lineage then names the SELECT. Money arrives as an integer or as text, never
    as a float or a decimal: what an uncast SUM makes of integers differs by engine, silently.

    Args:
        contract: Of the ledger table.
        schema: Delivered columns.
        where: File of the SELECT.

    Raises:
        SourceColumnsError: A column is missing, not in the contract, or there twice.
        SourceTypeError: Names each column with the type found and the types it may have.
    """
    wanted = {column.name: column for column in contract.columns}
    wrong = [f"{c.name} is missing" for c in contract.columns if not c.nullable and c.name not in schema.names]
    wrong += [
        f"column {shown(name, number)} is not in the contract"
        for number, name in enumerate(schema.names, 1)
        if name not in wanted
    ]
    wrong += [f"{name} is there twice" for name in wanted if schema.names.count(name) > 1]
    if wrong:
        raise SourceColumnsError("; ".join(wrong), f"the columns of {contract.noun} by name", where)
    refused = [
        (field, CARRIERS[wanted[field.name].type])
        for field in schema
        if not may_carry(field.type, wanted[field.name].type)
    ]
    if refused:
        raise SourceTypeError(
            "; ".join(f"{field.name} is {_type_name(field)}" for field, _ in refused),
            "; ".join(dict.fromkeys(carrier for _, carrier in refused)),
            where,
        )


def may_carry(delivered: pa.DataType, wanted: ColumnType) -> bool:
    """Whether a value of the delivered type can be read as the contract's type without loss or guess."""
    if pa.types.is_null(delivered) or _is_text(delivered):
        return True
    if wanted in (ColumnType.BIGINT, ColumnType.INTEGER):
        return bool(pa.types.is_integer(delivered))
    if wanted is ColumnType.DATE:
        return bool(pa.types.is_date32(delivered))
    if wanted is ColumnType.INSTANT:
        return bool(pa.types.is_timestamp(delivered)) and delivered.tz is not None
    return wanted is ColumnType.BOOLEAN and bool(pa.types.is_boolean(delivered))


def stage(reader: pa.RecordBatchReader, path: Path, table: str) -> pa.Schema:
    """Write a stream of record batches to one Parquet file, a batch at a time.

    Args:
        reader: The rows.
        path: The file.
        table: What they are, for whoever follows the progress.

    Returns:
        The staged schema: every text as plain text, every instant in UTC microseconds.
    """
    schema = pa.schema([pa.field(field.name, _staged_type(field.type)) for field in reader.schema])
    rows = 0
    with pq.ParquetWriter(path, schema, compression="lz4") as writer:
        for batch in reader:
            writer.write_batch(batch.cast(schema, safe=False), row_group_size=ROW_GROUP)
            rows += batch.num_rows
            rows_done(table, rows)
    return schema


def _type_name(field: pa.Field) -> str:
    """The source's own name of the type where its driver tells (PostgreSQL's numeric), else Arrow's."""
    told = (field.metadata or {}).get(b"POSTGRESQL:type")
    return told.decode() if told else str(field.type)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _staged_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return INSTANT
    return pa.string() if pa.types.is_null(kind) or _is_text(kind) else kind
