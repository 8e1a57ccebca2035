"""Numbers and addresses: in the vault, read one by one at the moment of sending, and kept nowhere else.

Belongs here: the one place that reads them. They are loaded by ``load_addresses``, from the source's own extract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from arrears.sending.values import Private
from arrears.warehouse.tables import CONTACT_VALUE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

VALUE = CONTACT_VALUE.c


def address_of(connection: Connection, portfolio: str, contact_point_id: str) -> Private | None:
    """The number, address or token of a point; None when the vault has none."""
    asked = select(VALUE.value).where(VALUE.portfolio == portfolio, VALUE.contact_point_id == contact_point_id)
    found = connection.execute(asked).scalar_one_or_none()
    return None if found is None else Private(found)


def load_addresses(connection: Connection, portfolio: str, rows: Iterable[tuple[str, str]]) -> int:
    """Put values of contact points into the vault, over what it has of them.

    Args:
        connection: With the caller's transaction.
        portfolio: Folder name.
        rows: contact_point_id and value.

    Returns:
        Rows written.
    """
    given = [{"portfolio": portfolio, "contact_point_id": point, "value": value} for point, value in rows]
    if not given:
        return 0
    put = insert(CONTACT_VALUE)
    put = put.on_conflict_do_update(
        index_elements=["portfolio", "contact_point_id"],
        set_={"value": put.excluded.value, "loaded_at": func.clock_timestamp()},
    )
    connection.execute(put, given)
    return len(given)
