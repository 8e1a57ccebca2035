"""Ages a folder of ledger files without a portfolio, a lake or a warehouse: what ``arrears age`` runs.

Belongs here: from files to rows. Files are read by ``arrears.sources`` as strictly as an extract is; what may stand in
them is checked in ``arrears.jobs.ledger_files``. Nothing is set aside: one row that cannot be aged ends the command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from arrears.contracts import CONTRACTS
from arrears.contracts.raw_loans import TERMINAL_STATUSES
from arrears.engine.duckdb import connect, literal
from arrears.engine.tables import DuckTables
from arrears.errors import ConfigurationError
from arrears.jobs.accounts import LOANS, make_ages
from arrears.jobs.age import ageing_parameters, put_buckets
from arrears.jobs.ledger_files import NOUNS, check_ledger, read_ledger
from arrears.portfolio_terms import Ageing, BucketRow, BucketRows
from arrears.rules.buckets import Bucket, check_buckets
from arrears.settings import load_settings
from arrears.source_terms import FileSource

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import duckdb
    import pyarrow as pa

COLUMNS = (
    "loan_id",
    "past_due_days",
    "delinquent_days",
    "past_due_on",
    "past_due_minor",
    "past_due_principal_minor",
    "past_due_interest_minor",
    "past_due_fee_minor",
    "past_due_penalty_minor",
    "bucket",
    "contract_bucket",
    "is_open",
)
DEFAULT_BUCKETS = (("0", 0, 0), ("1-30", 1, 30), ("31-60", 31, 60), ("61-90", 61, 90), ("91+", 91, None))


class LedgerConfig(BaseModel):
    """How to age: the keys of a portfolio.yaml that ageing needs; its other keys are ignored.

    Attributes:
        ageing: Day count.
        buckets: Contiguous from 0.
        source: Only for a folder in the source's own shape, which the SELECTs beside the file map.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    ageing: Ageing = Ageing()
    buckets: BucketRows = tuple(
        BucketRow.model_validate({"code": code, "from": from_days, "to": to_days})
        for code, from_days, to_days in DEFAULT_BUCKETS
    )
    source: dict[str, Any] = {}
    currency: str | None = None

    @field_validator("buckets")
    @classmethod
    def _contiguous(cls, rows: tuple[BucketRow, ...]) -> tuple[BucketRow, ...]:
        check_buckets(_buckets(rows))
        return rows

    @property
    def bucket_set(self) -> tuple[Bucket, ...]:
        """The buckets as rule values."""
        return _buckets(self.buckets)


def age_ledger(directory: Path, as_of: date, config: Path | None = None) -> pa.Table:
    """Age every loan of a folder.

    Args:
        directory: Holds ``loan``, ``instalment``, ``transaction`` and optionally ``pause``, each .csv, .csv.gz or
            .parquet with the core columns; or, with a portfolio.yaml of a file source, that source's own files.
        as_of: Date the ages hold for; transactions effective after it do not count, and a loan that ended after it
            (``status_on``) is open.
        config: YAML with ``ageing`` and ``buckets``; without it ``elapsed``, no grace, no tolerance, penalty - fee -
            interest - principal, buckets of 30 days.

    Returns:
        One row a loan, sorted by loan_id: ``COLUMNS``.

    Raises:
        ConfigurationError: The configuration is wrong.
        SourceNotReadyError: A file is missing.
        SourceColumnsError: A column is missing.
        SourceTypeError: A column has a type that may not carry its contract type.
        SourceFileError: A file or a value cannot be read.
        RejectLimitError: A row breaks a rule of its contract.
        EmptyTableError: There are no loans or no instalments.
    """
    terms = _config(config)
    with connect(load_settings()) as connection:
        read_ledger(connection, directory, as_of, _mapping(directory, terms, config))
        check_ledger(connection, terms.currency)
        _put_ledger(connection, as_of)
        tables = DuckTables(connection)
        put_buckets(tables, terms.bucket_set)
        known = ageing_parameters(terms.ageing, terms.bucket_set, as_of) | {"closing_date": as_of, "timezone": "UTC"}
        make_ages(tables, terms.ageing.waterfalls, known)
        rows: pa.Table = connection.sql(f"SELECT {', '.join(COLUMNS)} FROM {LOANS} ORDER BY loan_id").to_arrow_table()
    return rows


def write_rows(rows: pa.Table, path: Path) -> None:
    """Write the rows as CSV or Parquet, by the file's ending.

    Raises:
        ConfigurationError: Another ending, or a folder that is not there.
    """
    writers = {".csv": pacsv.write_csv, ".parquet": pq.write_table}
    if path.suffix not in writers or not path.parent.is_dir():
        raise ConfigurationError("a file that cannot be written", "FILE.csv or FILE.parquet in a folder", str(path))
    writers[path.suffix](rows, path)


def _put_ledger(connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Views ``raw__*`` over the extracts, with what the files may leave out filled in."""
    ended = ", ".join(map(literal, TERMINAL_STATUSES))
    still_open = f"CASE WHEN status_code IN ({ended}) AND status_on > {literal(str(as_of))}::DATE THEN 'active' ELSE "
    amounts = ", ".join(f"coalesce({name}, 0) AS {name}" for name in CONTRACTS["raw__instalment"].totals)
    filled = {
        "loan": f"{still_open} coalesce(status_code, 'active') END AS status_code",
        "instalment": amounts,
        "transaction": "coalesce(transaction_id, '#' || lpad(row_number::VARCHAR, 12, '0')) AS transaction_id",
    }
    for noun in NOUNS:
        replaced = f"* REPLACE ({filled[noun]})" if noun in filled else "*"
        connection.execute(f"CREATE VIEW raw__{noun} AS SELECT {replaced} FROM extract__{noun}")


def _buckets(rows: tuple[BucketRow, ...]) -> tuple[Bucket, ...]:
    return tuple(Bucket(row.code, row.from_days, row.to_days) for row in rows)


def _config(path: Path | None) -> LedgerConfig:
    if path is None:
        return LedgerConfig()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError):
        raise ConfigurationError("not readable as YAML", "one mapping of keys", str(path)) from None
    if not isinstance(content, dict):
        raise ConfigurationError("no mapping at the top", "keys as in a portfolio.yaml", str(path))
    try:
        return LedgerConfig.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(
            f"key {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(wrong, "keys and values as documented", str(path)) from None


def _mapping(directory: Path, terms: LedgerConfig, config: Path | None) -> tuple[FileSource, dict[str, str]] | None:
    """The portfolio's own files and SELECTs, where the folder has no ``loan`` file of the core's shape."""
    if config is None or terms.source.get("kind") != "files" or any(directory.glob("loan.*")):
        return None
    try:
        source = FileSource.model_validate({**terms.source, "directory": str(directory.resolve())})
    except ValidationError as error:
        raise ConfigurationError(f"{error.error_count()} mistakes under source", "a file source", str(config)) from None
    selects = {noun: config.parent / f"{noun}.sql" for noun in NOUNS}
    return source, {noun: path.read_text(encoding="utf-8") for noun, path in selects.items() if path.is_file()}
