"""The views: ``bi``, the only interface for BI, from ``views/*.sql``, and those of ``ops`` and ``parity`` below it.

A file begins with comment lines: what the view says, ``Grain:``, ``Of:`` (the tables whose column meanings it inherits)
and one ``<column>:`` line for each column that has no table to inherit from. The views run with their owner's rights:
their reader needs none on the tables below. Identifiers of people (class PSEUDONYM) stay out of ``bi``, except
``agent_id``; the views of ``ops`` fold what is appended there, for our own jobs, and may hold them.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from arrears.contracts.chinese import CHINESE, in_both_languages, in_english
from arrears.contracts.model import STANDARD_COLUMNS, PiiClass
from arrears.engine.duckdb import quoted
from arrears.warehouse.tables import MART, metadata

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Table

VERSION = (
    1  # of the interface: raised when a view or a column goes, or has another type (tests/warehouse/bi_contract.json)
)
HEADER = re.compile(r"^-- (?:(?P<key>Grain|Of|[a-z][a-z0-9_]*): )?(?P<words>.+)$")  # "Productivity: cash" is a sentence
PSEUDONYM_MARK = f" [{PiiClass.PSEUDONYM.value}]"  # read back by bi.data_dictionary
COLUMNS = text(
    "SELECT relname, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
    "WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind = 'v' AND attnum > 0 ORDER BY relname, attnum"
)
COLUMN_TYPES = text(
    "SELECT attname, CAST(atttypid AS integer) FROM pg_attribute "
    "WHERE attrelid = CAST(:place AS regclass) AND attnum > 0 AND NOT attisdropped"
)
COLUMNS_DIFFER = "42P16"  # invalid_table_definition


@dataclass(frozen=True)
class View:
    """One view.

    Attributes:
        name: Without its schema.
        select: The SELECT.
        comment: What it says, and its grain.
        meanings: Comment by column; may hold more columns than the view.
    """

    name: str
    select: str
    comment: str
    meanings: dict[str, str]

    @classmethod
    def parse(cls, name: str, content: str) -> View:
        """Read a view file."""
        lines = content.splitlines()
        header = [line for line in lines if line.startswith("--")]
        words: list[str] = []
        own: dict[str, str] = {}
        for line in header:
            part = HEADER.match(line)
            if part is None:
                continue
            if part["key"] is None:
                words.append(part["words"])
            else:
                own[part["key"]] = part["words"]
        inherited = {column.name: column.meaning for column in STANDARD_COLUMNS}
        for place in reversed(own.pop("Of", "").split(", ")):
            if place:
                inherited |= _meanings(place)
        comment = f"{' '.join(words)} Grain: {own.pop('Grain')}"
        return cls(name, "\n".join(lines[len(header) :]).strip().rstrip(";"), comment, inherited | own)


@cache
def views() -> tuple[View, ...]:
    """All views of ``bi`` by name."""
    return _views_below("views")


@cache
def operational_views() -> tuple[View, ...]:
    """All views of ``ops`` by name; one reads only tables and the views before it."""
    return _views_below("views", "ops")


@cache
def parity_views() -> tuple[View, ...]:
    """All views of ``parity`` by name: of groups of people, for a restricted role."""
    return _views_below("views", "parity")


def _views_below(*place: str) -> tuple[View, ...]:
    folder = files("arrears.warehouse").joinpath(*place)
    found = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return tuple(View.parse(name.removesuffix(".sql"), folder.joinpath(name).read_text("utf-8")) for name in found)


def create_views(connection: Connection) -> None:
    """Create or replace the views and their comments, unless the database already has exactly these."""
    _create(
        connection, "ops", "Outbox, feedback, ledgers: what is appended and never published over", operational_views()
    )
    _create(connection, "parity", "Whether groups of people are treated alike; restricted", parity_views())
    says = f"Documented views for BI; no names, no numbers, no addresses. Interface version {VERSION}"
    _create(connection, "bi", says, views(), MART.values())


def _create(
    connection: Connection, schema: str, says: str, wanted: tuple[View, ...], below: Iterable[Table] = ()
) -> None:
    """Views of one schema with their comments, and the comments of the tables they stand on, in few statements."""
    # A migration says what a table's columns are in English; here both languages have their one home.
    tables = [_comment(f"COLUMN {table}.{quoted(one.name)}", one.comment) for table in below for one in table.columns]
    definition = hashlib.sha256(repr((wanted, CHINESE, tables)).encode()).hexdigest()
    schema_comment = f"{says}. Definition {definition}"
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    there = text("SELECT obj_description(CAST(:schema AS regnamespace), 'pg_namespace')")
    if connection.execute(there, {"schema": schema}).scalar() == schema_comment:
        return
    for view in wanted:
        _replace(connection, f"{schema}.{quoted(view.name)}", _escaped(view.select))
    comments = [*tables, _comment(f"SCHEMA {schema}", schema_comment)]
    columns = connection.execute(COLUMNS, {"schema": schema}).all()
    for view in wanted:
        place = f"{schema}.{quoted(view.name)}"
        comments.append(_comment(f"VIEW {place}", view.comment))
        comments += [
            _comment(f"COLUMN {place}.{quoted(column)}", in_both_languages(column, view.meanings[column]))
            for name, column in columns
            if name == view.name
        ]
    connection.exec_driver_sql("; ".join(comments))


def _replace(connection: Connection, place: str, select: str) -> None:
    """Create or replace one view; one that gains columns between those it has is dropped first.

    PostgreSQL replaces a view only when new columns come last. A reader that names its columns does not see where they
    stand; a view that would lose a column, or have one of another type, stays refused.
    """
    create = f"CREATE OR REPLACE VIEW {place} AS\n{select}"
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(create)
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != COLUMNS_DIFFER or not _keeps_columns(connection, place, select):
            raise
        connection.exec_driver_sql(f"DROP VIEW {place}")
        connection.exec_driver_sql(create)


def _keeps_columns(connection: Connection, place: str, select: str) -> bool:
    """Whether a SELECT has every column of the view there is, each of the same type."""
    there = connection.execute(COLUMN_TYPES, {"place": place})
    cursor = connection.exec_driver_sql(f"SELECT * FROM ({select}) AS wanted LIMIT 0").cursor
    assert cursor is not None  # noqa: S101  a SELECT has one
    wanted = {(column[0], column[1]) for column in cursor.description}
    return {(row.attname, row.atttypid) for row in there} <= wanted


def _comment(what: str, words: str | None) -> str:
    literal = (words or "").replace("'", "''")
    return f"COMMENT ON {what} IS '{_escaped(literal)}'"


def _escaped(sql: str) -> str:
    return sql.replace("%", "%%")


def _meanings(place: str) -> dict[str, str]:
    """Meaning by column of a table, identifiers of people marked."""
    return {
        column.name: f"{in_english(column.comment or '')}"
        f"{PSEUDONYM_MARK if column.info.get('pii') == PiiClass.PSEUDONYM.value else ''}"
        for column in metadata.tables[place].columns
    }
