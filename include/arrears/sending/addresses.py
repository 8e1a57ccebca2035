"""Numbers and addresses: sealed in the vault, opened one by one at the moment of sending, and kept nowhere else.

Belongs here: the one place that reads them. They are loaded by ``load_addresses``, from the source's own extract, and
kept with their time: what a message was sent to can still be said, what is current is sent to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from arrears.pii import Private
from arrears.warehouse.sealing import Vault
from arrears.warehouse.tables import CONTACT_VALUE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from sqlalchemy import Connection

    from arrears.keys import KeyRing

VALUE = CONTACT_VALUE.c


def address_of(connection: Connection, keys: KeyRing, portfolio: str, contact_point_id: str) -> Private | None:
    """The number, address or token of a point; None when the vault has none, or its subject is erased.

    Raises:
        VaultSealError: It does not open.
    """
    found = _current(connection, portfolio, contact_point_id)
    if found is None:
        return None
    opened = Vault(connection, keys).open(portfolio, found.subject, contact_point_id, found.sealed)
    return None if opened is None else Private(opened)


def load_addresses(connection: Connection, keys: KeyRing, portfolio: str, rows: Iterable[tuple[str, ...]]) -> int:
    """Put values of contact points into the vault; one that has changed ends the one before.

    Args:
        connection: With the caller's transaction.
        keys: The deployment's master keys.
        portfolio: Folder name.
        rows: contact_point_id, value and, where it is known, party_id, under whose key it is then sealed.

    Returns:
        Rows that are new or have changed; a subject that was erased gets none.
    """
    vault = Vault(connection, keys)
    written = 0
    for point, value, *party in rows:
        subject = f"party:{party[0]}" if party and party[0] else f"point:{point}"
        if vault.is_erased(portfolio, f"point:{point}"):
            continue
        there = _current(connection, portfolio, point)
        if there is not None and vault.open(portfolio, there.subject, point, there.sealed) == value:
            continue
        sealed = vault.seal(portfolio, subject, point, value)
        if sealed is None:
            continue
        now = connection.execute(select(func.clock_timestamp())).scalar_one()
        connection.execute(
            update(CONTACT_VALUE)
            .where(VALUE.portfolio == portfolio, VALUE.contact_point_id == point, VALUE.valid_to_at.is_(None))
            .values(valid_to_at=now)
        )
        connection.execute(
            insert(CONTACT_VALUE).values(
                portfolio=portfolio, contact_point_id=point, valid_from_at=now, subject=subject, sealed=sealed
            )
        )
        written += 1
    return written


def _current(connection: Connection, portfolio: str, contact_point_id: str) -> Any:  # noqa: ANN401  a row
    asked = select(VALUE.subject, VALUE.sealed).where(
        VALUE.portfolio == portfolio, VALUE.contact_point_id == contact_point_id, VALUE.valid_to_at.is_(None)
    )
    return connection.execute(asked).one_or_none()
