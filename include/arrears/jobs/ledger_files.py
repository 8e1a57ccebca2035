"""Reads a folder of ledger files as extracts and refuses the first row that breaks its contract.

Belongs here: finding the files, which columns may be left out, naming offenders by file, line, column and rule. How a
file is split and a text is read stands in ``arrears.sources``.
"""

from __future__ import annotations

import csv
import gzip
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from arrears.contracts import CONTRACTS
from arrears.contracts.model import ColumnType, Severity
from arrears.engine.duckdb import literal, quoted
from arrears.errors import (
    EmptyTableError,
    RejectLimitError,
    SourceColumnsError,
    SourceFileError,
    SourceNotReadyError,
)
from arrears.quality.offenders import make_offender_table, note_offenders, parents_first
from arrears.source_terms import FileSource, SourceFile
from arrears.sources.convert import MALFORMED, UNREADABLE, extract_select
from arrears.sources.files import rows_of_files
from arrears.sources.staging import CARRIERS, Staged, check_delivery, stage

if TYPE_CHECKING:
    from datetime import date

    import duckdb

    from arrears.contracts.model import Contract

NOUNS = ("loan", "instalment", "transaction", "pause")
OPTIONAL = "pause"
ENDINGS = (".csv", ".csv.gz", ".parquet")
NEEDED = {
    "loan": {"loan_id"},
    "instalment": {"loan_id", "seq", "due_on"},
    "transaction": {"loan_id", "kind_code", "effective_on", "amount_minor"},
    "pause": {"loan_id", "starts_on"},
}
# What ageing reads. Checks of other columns are the pipeline's concern, not this command's.
READ = {
    "loan": {"loan_id", "status_code", "grace_days", "grace_code"},
    "instalment": {
        *NEEDED["instalment"],
        *("principal_minor", "interest_minor", "fee_minor", "penalty_minor", "kind_code"),
    },
    "transaction": {*NEEDED["transaction"], "transaction_id", "reverses_id", "component_code"},
    "pause": {*NEEDED["pause"], "ends_on", "effect_code"},
}
EXPECTED = "; ".join(
    f"{name} columns: {CARRIERS[kind]}" for name, kind in (("amount", ColumnType.BIGINT), ("date", ColumnType.DATE))
)
SHOWN = 5  # offenders named in a message


def read_ledger(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    as_of: date,
    mapping: tuple[FileSource, dict[str, str]] | None,
) -> None:
    """Make tables ``extract__loan``, ``extract__instalment``, ``extract__transaction`` and ``extract__pause``.

    Args:
        connection: Where they are made.
        directory: The folder.
        as_of: Stands for both dates in the SELECTs of a mapping.
        mapping: Source and SELECT by noun, for files in another shape than the core's; None for the core's.

    Raises:
        SourceNotReadyError: A file is missing.
        SourceColumnsError: A column is missing or twice.
        SourceTypeError: A column has a type that may not carry its contract type.
        SourceFileError: A file cannot be read.
        SourceQueryError: A SELECT of the mapping does not run.
    """
    for noun in NOUNS:
        contract = _readable(noun)
        source, select = _core_file(directory, noun) if mapping is None else (mapping[0], mapping[1].get(noun))
        if source is None or select is None:
            if noun != OPTIONAL:
                raise SourceNotReadyError(f"no {noun}", f"{noun} as {', '.join(ENDINGS)}", str(directory))
            empty = ", ".join(
                f"NULL::{column.type.value} AS {quoted(column.name)}"
                for column in CONTRACTS[f"extract__{noun}"].columns
            )
            connection.execute(f"CREATE TABLE extract__{noun} AS SELECT {empty} WHERE FALSE")
            continue
        with (
            tempfile.TemporaryDirectory(prefix="arrears-age-") as name,
            rows_of_files(
                source,
                select,
                {"business_date": as_of, "closing_date": as_of},
                connection=connection,
                folder=Path(name),
                where=f"{noun}.sql",
            ) as delivered,
        ):
            check_delivery(contract, delivered.reader.schema, f"{directory}/{noun}")
            rows = Path(name) / "rows.parquet"
            staged = Staged(rows, stage(delivered.reader, rows, f"extract__{noun}"), delivered.malformed, "")
            connection.execute(f"CREATE TABLE extract__{noun} AS {extract_select(contract, staged)}")


def check_ledger(connection: duckdb.DuckDBPyConnection, currency: str | None) -> None:
    """Refuse a ledger with a value that cannot be read or a row that breaks a rule; the message names the first few.

    Args:
        connection: Holds the extracts.
        currency: The one currency of the loans, where the configuration names it.

    Raises:
        EmptyTableError: There are no loans or no instalments.
        SourceFileError: A value or a line cannot be read.
        RejectLimitError: A row breaks a rule.
    """
    contracts = [_readable(noun, knows_currency=currency is not None) for noun in NOUNS]
    for contract in contracts:
        rows = connection.execute(f"SELECT count(*) FROM extract__{contract.noun}").fetchall()[0][0]
        if rows == 0 and not contract.may_be_empty:
            raise EmptyTableError("no rows", "at least one row", contract.noun)
    make_offender_table(connection)
    for contract in parents_first(contracts):
        note_offenders(connection, contract, [each.table for each in contracts], {"currency": currency})
    unreadable = _named(connection, f"rule_id IN ({literal(MALFORMED)}, {literal(UNREADABLE)})")
    if unreadable:
        raise SourceFileError(unreadable, EXPECTED, "ledger")
    broken = _named(connection, "TRUE")
    if broken:
        raise RejectLimitError(broken, "every row within its contract", "ledger")


def _named(connection: duckdb.DuckDBPyConnection, condition: str) -> str:
    """The first offenders in words, "" without any."""
    rows = connection.execute(
        "SELECT source_file, source_line, column_name, rule_id, count(*) OVER () AS offences FROM offender "
        f"WHERE {condition} ORDER BY source_file, source_line, rule_id, column_name LIMIT {SHOWN}"
    ).fetchall()
    if not rows:
        return ""
    named = [
        f"{file} line {line}{column and f', column {column}'}, rule {rule}" for file, line, column, rule, _ in rows
    ]
    more = rows[0][4] - len(rows)
    return "; ".join(named) + (f"; and {more} more" if more else "")


def _readable(noun: str, *, knows_currency: bool = False) -> Contract:
    """The contract as far as ageing depends on it: columns it can do without are nullable, other checks are gone."""
    contract = CONTRACTS[f"raw__{noun}"]
    known = READ[noun] | ({"currency"} if knows_currency else set())
    return replace(
        contract,
        columns=tuple(replace(column, nullable=column.name not in NEEDED[noun]) for column in contract.columns),
        checks=tuple(
            check
            for check in contract.checks
            if check.severity is Severity.FAIL and check.column in known and "closing_date" not in check.offends
        ),
    )


def _core_file(directory: Path, noun: str) -> tuple[FileSource, str] | tuple[None, None]:
    """Source and SELECT of one file that has the core's columns; nothing when there is no such file."""
    found = [path for path in sorted(directory.glob(f"{noun}.*")) if path.name.removeprefix(noun) in ENDINGS]
    if not found:
        return None, None
    if len(found) > 1:
        raise SourceFileError(f"{len(found)} files of {noun}", "one of them", str(directory))
    header = _header(found[0])
    if len(set(header)) != len(header):
        raise SourceColumnsError("a column twice", "each column once", f"{found[0].name} line 1")
    # Instants are left out: ageing knows dates only.
    known = {c.name for c in CONTRACTS[f"raw__{noun}"].columns if c.type is not ColumnType.INSTANT}
    columns = [name for name in header if name in known]
    missing = NEEDED[noun] - set(columns)
    if missing:
        raise SourceColumnsError(
            f"{', '.join(sorted(missing))} missing",
            f"columns {', '.join(sorted(NEEDED[noun]))}",
            f"{found[0].name} line 1",
        )
    is_parquet = found[0].suffix == ".parquet"
    declared = SourceFile(
        pattern=found[0].name, format="parquet" if is_parquet else "csv", columns=() if is_parquet else tuple(header)
    )
    kind = f"{noun}_file"
    lineage = [name for name in ("source_file", "source_line") if name not in columns]
    select = f"SELECT {', '.join(map(quoted, columns + lineage))} FROM {kind}"
    return FileSource(kind="files", directory=str(directory.resolve()), files={kind: declared}), select


def _header(path: Path) -> list[str]:
    try:
        if path.suffix == ".parquet":
            return list(pq.read_schema(path).names)
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (OSError, EOFError, UnicodeError, csv.Error, zlib.error, pa.ArrowException):
        raise SourceFileError("not readable from its start", "a complete file, in UTF-8", path.name) from None
    if not header:
        raise SourceFileError("no header", "a header and rows", path.name)
    return header
