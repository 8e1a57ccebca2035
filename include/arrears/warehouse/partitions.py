"""Monthly partitions of the facts that grow with the book: made by whoever publishes, before the transaction; upkeep.

A partition is made as a table of its own and then attached: readers and writers of the fact go on meanwhile, where
``CREATE TABLE ... PARTITION OF`` would shut them out until the publication commits. None is ever detached or dropped:
a publication deletes and inserts the rows of its date. The jobs own nothing: ``ops.make_partition`` does it for them.

What a publication deleted stays in the way of readers until the server vacuums: by itself it waits for a fifth of a
month's rows. So whoever publishes has the date's tables vacuumed afterwards, and their statistics know the new date.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import text

from arrears.kept import kept_value
from arrears.warehouse.connection import session, transaction
from arrears.warehouse.tables import FACTS

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('arrears.partitions', 0))")
MAKE = text("SELECT ops.make_partition(:fact, :first)")
BOUNDS = text(
    "SELECT parent.relname AS fact, child.relname AS partition, "
    "pg_get_expr(child.relpartbound, child.oid) AS bound "
    "FROM pg_inherits JOIN pg_class parent ON parent.oid = inhparent JOIN pg_class child ON child.oid = inhrelid "
    "JOIN pg_namespace n ON n.oid = parent.relnamespace WHERE n.nspname = 'mart' AND parent.relkind = 'p'"
)


def ensure_partitions(url: str, business_date: date) -> None:
    """Make the month's partition of every fact that has none; asked once a month by a process that keeps things.

    Raises:
        WarehouseUnreachableError: The server did not answer.
        WarehouseSchemaError: The warehouse was never upgraded.
    """
    first = business_date.replace(day=1)
    kept_value(("partitions", url, first), partial(_ensure, url, first))


def vacuum(url: str, business_date: date) -> None:
    """Vacuum and analyze the tables that hold the date's facts: nobody waits for it, and it waits for nobody.

    A server before PostgreSQL 17 lets only owners do so: it passes the tables over, and its autovacuum comes later.

    Raises:
        WarehouseUnreachableError: The server did not answer. What is published stays published.
    """
    first = business_date.replace(day=1)
    with session(url) as connection:
        partitions = _partitions(connection, first)
        for contract in FACTS:
            place = partitions[contract.mart] if contract.grows else contract.mart
            connection.execute(text(f'VACUUM (ANALYZE, SKIP_LOCKED, TRUNCATE FALSE) mart."{place}"'))


def _ensure(url: str, first: date) -> bool:
    with transaction(url) as connection:
        connection.execute(LOCK)
        there = _partitions(connection, first)
        for contract in FACTS:
            if contract.grows and contract.mart not in there:
                connection.execute(MAKE, {"fact": contract.mart, "first": first})
    return True


def _partitions(connection: Connection, first: date) -> dict[str, str]:
    """Partition for the month, by fact: its own, or the one of everything before partitions were."""
    found = {}
    for row in connection.execute(BOUNDS):
        begins, _, ends = row.bound.removeprefix("FOR VALUES FROM (").removesuffix(")").partition(") TO (")
        is_begun = begins == "MINVALUE" or begins.strip("'") <= first.isoformat()
        if is_begun and first.isoformat() < ends.strip("'"):
            found[row.fact] = row.partition
    return found
