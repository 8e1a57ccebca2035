"""What a result must be before it is written, and what a written file holds.

Belongs here: the contract's refusal of wrong columns and types, and the content hash. Where files lie: ``store``.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from arrears.engine.duckdb import literal, parquet, quoted
from arrears.errors import SchemaRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

    from arrears.contracts.model import Contract

HALF = (1 << 64) - 1


def check_schema(
    connection: duckdb.DuckDBPyConnection, contract: Contract, select: str, parameters: Mapping[str, Any]
) -> None:
    """Refuse a SELECT whose columns or types are not the contract's: an uncast SUM is a HUGEINT, money is no float.

    Raises:
        SchemaRefusedError: Names every column that differs.
    """
    described = connection.execute(f"DESCRIBE {select}", dict(parameters)).fetchall()
    found = {name: kind for name, kind, *_ in described}
    wanted = {column.name: column.type.value for column in contract.columns}
    wrong = [f"{name} is {found[name]}, not {kind}" for name, kind in wanted.items() if found.get(name, kind) != kind]
    wrong += [f"{name} is missing" for name in wanted if name not in found]
    wrong += [f"{name} is not in the contract" for name in found if name not in wanted]
    if wrong or len(described) != len(found):
        raise SchemaRefusedError(
            "; ".join(wrong) or "a column twice", "every column CAST to its contract type", contract.table
        )


def fingerprint(
    connection: duckdb.DuckDBPyConnection, contract: Contract, part: Path, stands: Mapping[str, str], where: str
) -> tuple[int, dict[str, int], str]:
    """Row count, totals and content hash of a written file.

    The hash is SHA-256 over contract version, row count and the sum of the rows' MD5 halves; a row is its columns'
    texts, each after its length in bytes (-1 for NULL), so neither order nor engine nor file layout can move it.

    Args:
        connection: Where the file is read.
        contract: Of its columns.
        part: The file.
        stands: Text by leading column that is the same in every row: read once here, not in every row.
        where: The partition, for errors.

    Raises:
        SchemaRefusedError: A column that may not be NULL is.
    """
    varying = [column.name for column in contract.all_columns if column.name not in stands]
    names = [quoted(name) for name in varying]
    start = "".join(f"{len(text.encode())}:{text}" for text in stands.values())
    row = ", ".join(f"coalesce(strlen({name}::VARCHAR), -1), ':', {name}::VARCHAR" for name in names)
    totals = "".join(f", coalesce(sum({quoted(name)}), 0)" for name in contract.totals)
    required = [column.name for column in contract.all_columns if not column.nullable]
    holes = " OR ".join(f"{quoted(name)} IS NULL" for name in required)
    (values,) = connection.execute(
        f"SELECT count(*), coalesce(sum((m & {HALF}::UHUGEINT)::UBIGINT), 0), coalesce(sum((m >> 64)::UBIGINT), 0)"
        f"{totals}, count(*) FILTER (WHERE {holes}) FROM "
        f"(SELECT *, md5_number(concat({literal(start)}, {row})) AS m FROM {parquet([str(part)])})"
    ).fetchall()
    rows, lower, upper = values[:3]
    if values[-1]:
        raise SchemaRefusedError(_holes(connection, required, part), "no NULL in these columns", where)
    sums = dict(zip(contract.totals, (int(value) for value in values[3:-1]), strict=True))
    return rows, sums, _hash_of(contract, rows, lower, upper)


def nothing_of(contract: Contract) -> tuple[int, dict[str, int], str]:
    """What ``fingerprint`` says of a file without rows."""
    return 0, dict.fromkeys(contract.totals, 0), _hash_of(contract, 0, 0, 0)


def _hash_of(contract: Contract, rows: int, lower: int, upper: int) -> str:
    canonical = f"{contract.table}:{contract.version}:{rows}:{lower}:{upper}"
    return hashlib.sha256(canonical.encode()).hexdigest()


def _holes(connection: duckdb.DuckDBPyConnection, required: Sequence[str], part: Path) -> str:
    """How many rows of a file lack which of these columns."""
    nulls = ", ".join(f"count(*) - count({quoted(name)})" for name in required)
    (counted,) = connection.execute(f"SELECT {nulls} FROM {parquet([str(part)])}").fetchall()
    return "; ".join(f"{number} rows without {name}" for name, number in zip(required, counted, strict=True) if number)
