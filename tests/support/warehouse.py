"""Rows put into the warehouse by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

BLANK = {
    "text": "",
    "bigint": 0,
    "integer": 0,
    "boolean": False,
    "jsonb": "{}",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "ARRAY": [],
}


def put_row(connection: Connection, table: str, **values: Any) -> None:
    """Insert a row in which what is not said, and may not be NULL, is blank, today, or now."""
    today: dict[str, Any] = {"date": date.today(), "timestamp with time zone": datetime.now(UTC)}  # noqa: DTZ011
    row = {name: {**BLANK, **today}[kind] for name, kind in _required(connection, table)} | values
    into = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})"
    connection.execute(text(into), row)


_KNOWN: dict[str, list[tuple[str, str]]] = {}


def _required(connection: Connection, table: str) -> list[tuple[str, str]]:
    if table not in _KNOWN:
        asked = text(
            "SELECT column_name, data_type FROM information_schema.columns WHERE is_nullable = 'NO' "
            "AND column_default IS NULL AND is_generated = 'NEVER' AND is_identity = 'NO' "
            "AND table_schema || '.' || table_name = :table"
        )
        _KNOWN[table] = [(name, kind) for name, kind in connection.execute(asked, {"table": table})]
    return _KNOWN[table]
