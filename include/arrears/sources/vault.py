"""Keeps what was delivered in rejected rows where only the vault's readers see it, and nowhere else.

Belongs here: the one place that writes rejected values. They never reach a log, a message, XCom, the lake or a mart.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import text

from arrears.settings import ENVIRONMENT_FILE
from arrears.warehouse.connection import transaction
from arrears.warehouse.sealing import Vault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from arrears.settings import Settings

CHUNK_ROWS = 5_000
LONGEST_IDENTIFIER = 80
SEPARATORS = re.compile(r"[\s,;|\"']+")
READ = text(
    "SELECT row_number, source_file, source_line, rule_id, delivered FROM vault.rejected_row "
    "WHERE portfolio = :portfolio AND business_date = :business_date AND table_name = :table_name "
    "ORDER BY row_number, rule_id"
)
FORGET = text(
    "DELETE FROM vault.rejected_row "
    "WHERE portfolio = :portfolio AND business_date = :business_date AND table_name = :table_name"
)
FORGET_DAYS = text(
    "DELETE FROM vault.rejected_row WHERE portfolio = :portfolio AND business_date = ANY(CAST(:dates AS DATE[]))"
)
COUNT_DAYS = text(
    "SELECT business_date, count(*) AS rows FROM vault.rejected_row WHERE portfolio = :portfolio GROUP BY 1"
)
KEEP = text(
    "INSERT INTO vault.rejected_row "
    "(portfolio, business_date, table_name, row_number, source_file, source_line, rule_id, delivered) VALUES "
    "(:portfolio, :business_date, :table_name, :row_number, :source_file, :source_line, :rule_id, :delivered)"
)


@dataclass(frozen=True)
class RejectedRow:
    """One row and one rule it offends.

    Attributes:
        row_number: Ordinal in the extract, from 1.
        source_file: File or SELECT.
        source_line: Line in the file, or ordinal.
        rule_id: The rule.
        delivered: Values as text by column; may hold anything a source can send.
    """

    row_number: int
    source_file: str | None
    source_line: int | None
    rule_id: str
    delivered: Mapping[str, str | None]

    @property
    def shown(self) -> dict[str, str | None]:
        """The values; NUL, which PostgreSQL cannot hold, is shown as U+FFFD."""
        return {name: value and value.replace("\0", "\ufffd") for name, value in self.delivered.items()}


def keep_rejected(
    settings: Settings, portfolio: str, business_date: date, table: str, rows: Iterable[RejectedRow]
) -> int:
    """Replace what the vault holds of one table of the day; without a warehouse, in a file that only we can read.

    Args:
        settings: Which warehouse; or the lake whose neighbour ``vault/`` takes the files.
        portfolio: Folder name.
        business_date: The day.
        table: ``extract__`` for rows that could not be read, ``raw__`` for rows that offend a rule.
        rows: All of them, for a row and rule once.

    Returns:
        Rows kept.

    Raises:
        WarehouseUnreachableError: The warehouse did not answer; what it held is unchanged.
        WarehouseSchemaError: It has no vault.
    """
    if settings.warehouse_url is None:
        return _keep_in_file(_file(settings.lake_url, portfolio, business_date, table), rows)
    key = {"portfolio": portfolio, "business_date": business_date, "table_name": table}
    kept = 0
    with transaction(settings.warehouse) as connection:
        connection.execute(FORGET, key)
        vault = None
        for chunk in _chunks(rows):
            vault = vault or Vault(connection, settings.keys)
            connection.execute(KEEP, [{**key, **asdict(row), "delivered": _sealed(vault, key, row)} for row in chunk])
            kept += len(chunk)
    return kept


def rejected_rows(settings: Settings, portfolio: str, business_date: date, table: str) -> list[RejectedRow]:
    """What the warehouse's vault holds of one table of the day, opened; for whoever mends the source.

    Raises:
        ConfigurationError: There is no master key.
        VaultSealError: A row does not open.
        WarehouseUnreachableError: The warehouse did not answer.
    """
    key = {"portfolio": portfolio, "business_date": business_date, "table_name": table}
    with transaction(settings.warehouse) as connection:
        vault = Vault(connection, settings.keys)
        found = connection.execute(READ, key).all()
        return [
            RejectedRow(row.row_number, row.source_file, row.source_line, row.rule_id, _opened(vault, key, row))
            for row in found
        ]


def _sealed(vault: Vault, key: Mapping[str, Any], row: RejectedRow) -> bytes:
    """Under the day's key: nobody knows for sure whom a row is about that could not be read. Never that of the erased.

    A row that names somebody who was erased is kept without its values: a rerun brings nothing back.
    """
    portfolio, subject = key["portfolio"], f"day:{key['business_date']}"
    shown = row.shown
    if any(_is_erased(vault, portfolio, word) for word in words_of(shown)):
        shown = dict.fromkeys(shown)
    return vault.seal(portfolio, subject, _place(key, row), json.dumps(shown)) or b""


def words_of(values: Mapping[str, str | None]) -> set[str]:
    """What may name somebody in a row's values: each whole, and its words, for a line that is no row has but words."""
    said = [value for value in values.values() if value]
    return {*said, *(word for value in said for word in SEPARATORS.split(value) if word)}


def _is_erased(vault: Vault, portfolio: str, value: str) -> bool:
    return len(value) <= LONGEST_IDENTIFIER and vault.is_erased(portfolio, f"named:{value}")


def _opened(vault: Vault, key: Mapping[str, Any], row: Any) -> dict[str, str | None]:  # noqa: ANN401  a row
    opened = vault.open(key["portfolio"], f"day:{key['business_date']}", _place(key, row), row.delivered)
    return json.loads(opened) if opened else {}


def _place(key: Mapping[str, Any], row: Any) -> str:  # noqa: ANN401  a row
    return f"{key['table_name']}/{row.row_number}/{row.rule_id}"


def rejected_lines(  # noqa: PLR0913  a row is known by all of it
    settings: Settings, portfolio: str, business_date: date, table: str, rule_id: str, *, most: int
) -> list[tuple[int, str]]:
    """Lines that are no rows, as the vault holds them: row number in the extract, and the line.

    For whoever looks for whom a line speaks of: it is told nowhere.

    Raises:
        ConfigurationError: There is no master key.
        VaultSealError: A row does not open.
        WarehouseUnreachableError: The warehouse did not answer.
    """
    if settings.warehouse_url is not None:
        rows = rejected_rows(settings, portfolio, business_date, table)
        found = ((row.row_number, row.delivered.get("line")) for row in rows if row.rule_id == rule_id)
        return [(number, line) for number, line in islice(found, most) if line]
    path = _file(settings.lake_url, portfolio, business_date, table)
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        kept = (json.loads(line) for line in file)
        lines = ((row["row_number"], row["delivered"]["line"]) for row in kept if row["rule_id"] == rule_id)
        return list(islice(lines, most))


def rejected_days(settings: Settings, portfolio: str) -> dict[date, int]:
    """Rows that the vault holds of a portfolio, by date.

    Raises:
        WarehouseUnreachableError: The warehouse did not answer.
    """
    if settings.warehouse_url is None:
        folders = _folder(settings.lake_url, portfolio).glob("*-*-*")
        return {date.fromisoformat(path.name): sum(map(_lines, path.glob("*.jsonl"))) for path in folders}
    with transaction(settings.warehouse) as connection:
        found = connection.execute(COUNT_DAYS, {"portfolio": portfolio}).all()
    return {row.business_date: row.rows for row in found}


def forget_rejected(settings: Settings, portfolio: str, dates: Collection[date]) -> None:
    """Take the rejected values of these dates out of the vault.

    Raises:
        WarehouseUnreachableError: The warehouse did not answer; what it held is unchanged.
    """
    if settings.warehouse_url is None:
        for day in dates:
            shutil.rmtree(_folder(settings.lake_url, portfolio) / day.isoformat(), ignore_errors=True)
        return
    with transaction(settings.warehouse) as connection:
        connection.execute(FORGET_DAYS, {"portfolio": portfolio, "dates": list(dates)})
        # The keys too: then the values are gone from every copy of the database as well.
        Vault(connection, settings.keys).destroy(portfolio, [f"day:{day}" for day in dates])


def _chunks(rows: Iterable[RejectedRow]) -> Iterator[list[RejectedRow]]:
    left = iter(rows)
    while chunk := list(islice(left, CHUNK_ROWS)):
        yield chunk


def _file(lake_url: str, portfolio: str, business_date: date, table: str) -> Path:
    return _folder(lake_url, portfolio) / business_date.isoformat() / f"{table}.jsonl"


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _folder(lake_url: str, portfolio: str) -> Path:
    """Beside a local lake; beside the settings' file when the lake is far away."""
    files, root = fsspec.core.url_to_fs(lake_url)
    beside = Path(root).parent if isinstance(files, LocalFileSystem) else ENVIRONMENT_FILE.parent
    return beside / "vault" / portfolio


def _keep_in_file(path: Path, rows: Iterable[RejectedRow]) -> int:
    path.parents[2].mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    kept = 0
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({**asdict(row), "delivered": row.shown}, ensure_ascii=False) + "\n")
            kept += 1
    partial.replace(path)
    if not kept:
        path.unlink()
    return kept
