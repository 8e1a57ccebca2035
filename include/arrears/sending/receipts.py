"""What providers say afterwards: delivered, read, bounced, failed; in any order, more than once, of strangers too.

Belongs here: what a receipt does to the outbox. Whether a callback is genuine is checked before (its signature); a
receipt that was taken is no news the second time, and a later stage is never undone by an earlier one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from arrears.errors import ReceiptRefusedError
from arrears.warehouse.tables import NOTIFICATION, NOTIFICATION_EVENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

STEP, EVENT = NOTIFICATION.c, NOTIFICATION_EVENT.c
# Stages in their order; what is further stands. A bounce after "delivered" is news, "delivered" after it is not.
STAGES = {"accepted": 0, "handed_over": 0, "delivered": 1, "read": 2, "failed": 3, "bounced": 3, "invalid": 3}
DEAD_ADDRESS = ("bounced", "invalid")


@dataclass(frozen=True)
class Receipt:
    """One receipt.

    Attributes:
        provider_reference: What the provider called the message when it took it, or our own reference.
        status: accepted, delivered, read, failed, bounced (hard) or invalid (no such number).
    """

    provider_reference: str
    status: str

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Receipt:
        """From a callback's or a file's fields.

        Raises:
            ReceiptRefusedError: It is no receipt; its values are not repeated.
        """
        reference, status = said.get("id"), said.get("status")
        if not isinstance(reference, str) or not 0 < len(reference) <= 200 or status not in STAGES:  # noqa: PLR2004
            raise ReceiptRefusedError("no receipt", f"id, and status of {sorted(STAGES)}", "receipt")
        return cls(reference, str(status))


def take(connection: Connection, provider: str, receipts: Iterable[Receipt]) -> dict[str, Any]:
    """Move the rows that the receipts speak of.

    Args:
        connection: With the caller's transaction.
        provider: Whose receipts: another's message of the same reference is none of theirs.
        receipts: In any order.

    Returns:
        ``taken``, ``known`` (no news), ``unknown`` (no such message) as counts, and ``dead_points``: contact points
        that a hard bounce or an invalid number has shown to be dead, as (portfolio, contact_point_id).
    """
    done: Counter[str] = Counter()
    dead: list[tuple[str, str]] = []
    for receipt in receipts:
        mine = STEP.provider_code == provider, STEP.provider_reference == receipt.provider_reference
        found = connection.execute(select(NOTIFICATION).where(*mine).with_for_update()).mappings().one_or_none()
        row: dict[str, Any] = dict(found or {})
        if not row:
            done["unknown"] += 1
        elif _is_news(row, receipt):
            _move(connection, row, receipt, provider)
            done["taken"] += 1
            if receipt.status in DEAD_ADDRESS:
                dead.append((row["portfolio"], row["contact_point_id"]))
        else:
            done["known"] += 1
    return {**done, "dead_points": dead}


def _is_news(row: Mapping[str, Any], receipt: Receipt) -> bool:
    stage = STAGES[receipt.status]
    before = STAGES.get(row["delivery_code"] or "", 0)
    return bool(row["state_code"] == "unknown" or (row["state_code"] == "sent" and stage > before))


def _move(connection: Connection, row: Mapping[str, Any], receipt: Receipt, provider: str) -> None:
    """A receipt about an unknown attempt settles it: the provider has it."""
    values = {"delivery_code": receipt.status, "reason_code": "receipt", "changed_by": f"receipt:{provider}"}
    if row["state_code"] == "unknown":
        values["state_code"] = "sent"
    connection.execute(update(NOTIFICATION).where(STEP.step_key == row["step_key"]).values(values))
