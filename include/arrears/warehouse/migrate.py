"""Brings a database to the version this code needs: tables by frozen migrations, then views and rights.

Tables hold data, so each change of them is a migration that never changes again. Views and rights hold none: they are
made anew from their one definition whenever it has changed, in the same transaction. A change that takes a column from
a view is refused by PostgreSQL itself: BI relies on it, so it needs a new view beside the old one.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from arrears.errors import WarehouseSchemaError
from arrears.warehouse.bi import create_views
from arrears.warehouse.connection import transaction
from arrears.warehouse.roles import become_owner, grant
from arrears.warehouse.tables import SCHEMAS, metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection, Dialect

COLUMNS = text(
    "SELECT n.nspname || '.' || c.relname AS place, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type "
    "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = ANY(:schemas) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped "
    "AND NOT c.relispartition"
)


def upgrade(url: str) -> None:
    """Make or upgrade everything; does nothing when it is up to date. Safe to run from several processes at once.

    Args:
        url: Of a login that is, or may become, ``arrears_owner``; the first time, of one that may make roles.

    Raises:
        WarehouseUnreachableError: The server did not answer.
        WarehouseSchemaError: The login may not create what is needed, or a view would lose a column.
    """
    with transaction(url) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('arrears.upgrade', 0))"))
        become_owner(connection)
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS ops"))  # home of Alembic's own table
        config = Config()
        config.set_main_option("script_location", str(files("arrears.warehouse").joinpath("migrations")))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        create_views(connection)
        grant(connection)


def check_tables(connection: Connection) -> None:
    """Refuse a database whose tables are not those this code was written for, column by column.

    COPY of Arrow batches takes a column of another type without a word, so this is asked before every staging.

    Raises:
        WarehouseSchemaError: Names every column that is missing or of another type.
    """
    found = {(row.place, row.name): row.type for row in connection.execute(COLUMNS, {"schemas": list(SCHEMAS)})}
    dialect: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    wrong = []
    for place, table in metadata.tables.items():
        for column in table.columns:
            wanted = column.type.compile(dialect).lower()
            there = found.get((place, column.name), "missing")
            if there != wanted:
                wrong.append(f"{place}.{column.name} is {there}, not {wanted}")
    if wrong:
        raise WarehouseSchemaError("; ".join(wrong), "the upgraded warehouse of this version", "warehouse")
