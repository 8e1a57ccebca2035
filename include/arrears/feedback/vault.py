"""What people wrote and what could not be read of reports: sealed into the vault, opened for whoever mends them.

Belongs here: the one place that knows whose key a report's words are under. Who may look stands in ``warehouse.roles``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from arrears.warehouse.feedback_tables import FEEDBACK_NOTE, FEEDBACK_REJECTED_VALUES
from arrears.warehouse.sealing import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from arrears.keys import KeyRing

VALUES, NOTE = FEEDBACK_REJECTED_VALUES.c, FEEDBACK_NOTE.c


def keep_note(  # noqa: PLR0913, PLR0917  a note is its parts
    connection: Connection, keys: KeyRing, portfolio: str, party_id: str, event_id: str, note: str
) -> None:
    """Keep the words of a report under the party's key; of somebody who was erased nothing is kept."""
    whose = f"party:{party_id}"
    sealed = Vault(connection, keys).seal(portfolio, whose, event_id, note)
    if sealed is not None:
        connection.execute(insert(FEEDBACK_NOTE).values(event_id=event_id, note=sealed, subject=whose))


def note_of(connection: Connection, keys: KeyRing, portfolio: str, event_id: str) -> str | None:
    """The words of a report; None when there are none, or they were erased."""
    row = connection.execute(select(FEEDBACK_NOTE).where(NOTE.event_id == event_id)).one_or_none()
    if row is None:
        return None
    return Vault(connection, keys).open(portfolio, row.subject, event_id, row.note)


def keep_rejected_report(
    connection: Connection, keys: KeyRing, key: Mapping[str, str], row_number: int, values: Mapping[str, Any]
) -> None:
    """Keep a row that was not taken in, under its delivery's key: nobody knows for sure whom it is about."""
    vault = Vault(connection, keys)
    sealed = vault.seal(*_where(key, row_number), json.dumps(values))
    made = upsert(FEEDBACK_REJECTED_VALUES).values(**key, row_number=row_number, delivered=sealed)
    connection.execute(made.on_conflict_do_nothing())


def rejected_reports(connection: Connection, keys: KeyRing, portfolio: str) -> list[tuple[dict[str, Any], str]]:
    """Keys and JSON of all rows that were not taken in."""
    vault = Vault(connection, keys)
    asked = select(FEEDBACK_REJECTED_VALUES).where(VALUES.portfolio == portfolio)
    asked = asked.order_by(VALUES.delivery_id, VALUES.row_number)
    found = []
    for row in connection.execute(asked).mappings().all():
        key = {name: row[name] for name in ("portfolio", "source_code", "delivery_id")}
        said = vault.open(*_where(key, row["row_number"]), row["delivered"]) or "{}"
        found.append(({**key, "row_number": row["row_number"]}, said))
    return found


def emptied_report(vault: Vault, key: Mapping[str, Any]) -> bytes | None:
    """What takes the place of a row's values when somebody it names is erased."""
    return vault.seal(*_where(key, key["row_number"]), "{}")


def _where(key: Mapping[str, Any], row_number: int) -> tuple[str, str, str]:
    delivery = key["delivery_id"]
    return key["portfolio"], f"delivery:{delivery}", f"{key['source_code']}/{delivery}/{row_number}"
