"""The views: ``bi``, the only interface for BI, from ``views/*.sql``, and those of ``ops``, from ``views/ops/*.sql``.

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

from arrears.contracts.model import PiiClass
from arrears.engine.duckdb import quoted
from arrears.warehouse.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEADER = re.compile(r"^-- (?:(?P<key>[A-Za-z0-9_]+): )?(?P<words>.+)$")
PSEUDONYM_MARK = f" [{PiiClass.PSEUDONYM.value}]"  # read back by bi.data_dictionary


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
        inherited: dict[str, str] = {}
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


def _views_below(*place: str) -> tuple[View, ...]:
    folder = files("arrears.warehouse").joinpath(*place)
    found = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return tuple(View.parse(name.removesuffix(".sql"), folder.joinpath(name).read_text("utf-8")) for name in found)


def create_views(connection: Connection) -> None:
    """Create or replace the views and their comments, unless the database already has exactly these."""
    _create(
        connection, "ops", "Outbox, feedback, ledgers: what is appended and never published over", operational_views()
    )
    _create(connection, "bi", "Documented views for BI; no names, no numbers, no addresses", views())


def _create(connection: Connection, schema: str, says: str, wanted: tuple[View, ...]) -> None:
    definition = hashlib.sha256(repr(wanted).encode()).hexdigest()
    schema_comment = f"{says}. Definition {definition}"
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    there = text("SELECT obj_description(CAST(:schema AS regnamespace), 'pg_namespace')")
    if connection.execute(there, {"schema": schema}).scalar() == schema_comment:
        return
    for view in wanted:
        place = f"{schema}.{quoted(view.name)}"
        connection.exec_driver_sql(f"CREATE OR REPLACE VIEW {place} AS\n{view.select}".replace("%", "%%"))
        _comment(connection, f"VIEW {place}", view.comment)
        columns = connection.execute(
            text("SELECT attname FROM pg_attribute WHERE attrelid = CAST(:place AS regclass) AND attnum > 0"),
            {"place": place},
        )
        for column in columns.scalars():
            _comment(connection, f"COLUMN {place}.{quoted(column)}", view.meanings[column])
    _comment(connection, f"SCHEMA {schema}", schema_comment)


def _comment(connection: Connection, what: str, words: str) -> None:
    literal = words.replace("'", "''").replace("%", "%%")
    connection.exec_driver_sql(f"COMMENT ON {what} IS '{literal}'")


def _meanings(place: str) -> dict[str, str]:
    """Meaning by column of a table, identifiers of people marked."""
    return {
        column.name: f"{column.comment}{PSEUDONYM_MARK if column.info.get('pii') == PiiClass.PSEUDONYM.value else ''}"
        for column in metadata.tables[place].columns
    }
