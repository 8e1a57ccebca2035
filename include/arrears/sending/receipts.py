"""What providers say afterwards: delivered, read, bounced, failed; in any order, more than once, of strangers too.

Belongs here: the log of receipts, and what one does to the outbox. A receipt is kept before anything is done about it,
so none is lost; one that comes before we know of its message waits for it. A later stage is never undone by an earlier
one. Whether a callback is genuine was checked before (``feedback.signature``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from arrears.errors import ReceiptRefusedError
from arrears.sending.values import ADDRESS_DEAD
from arrears.warehouse.feedback_tables import FEEDBACK_DELIVERY
from arrears.warehouse.tables import NOTIFICATION, NOTIFICATION_EVENT
from arrears.warehouse.tables import RECEIPT as LOG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

STEP, KEPT = NOTIFICATION.c, LOG.c
# Stages in their order; what is further stands. A bounce after "delivered" is news, "delivered" after it is not.
STAGES = {"accepted": 0, "delivered": 1, "read": 2, "failed": 3, "bounced": 3, "invalid": 3}
DEAD_ADDRESS = ("bounced", "invalid")
REJECTED = ("rejected_retryable", "rejected_final")
PERHAPS_SENT = ("claimed", "unknown", *REJECTED)
TRIED = ("planned", "held", "expired")  # after a rejected attempt: to be tried again, today or by a later day's plan
NOT_REACHED = ("failed", *DEAD_ADDRESS)
LONGEST = 200
WAITS = timedelta(days=3)  # so long a receipt may come before its message is known
KEYS = ("provider_code", "delivery_id", "row_number")
NAMES = ("provider_code", "provider_reference", "reference")

Row = dict[str, Any]


@dataclass(frozen=True)
class Receipt:
    """One receipt.

    Attributes:
        status: accepted, delivered, read, failed, bounced (hard) or invalid (no such number).
        provider_reference: What the provider called the message when it took it; or
        reference: our own name for it.
    """

    status: str
    provider_reference: str | None = None
    reference: str | None = None

    @classmethod
    def of(cls, said: object) -> Receipt:
        """From a callback's or a file's fields: ``status``, and ``id`` (theirs) or ``reference`` (ours), or both.

        Raises:
            ReceiptRefusedError: It is no receipt; its values are not repeated.
        """
        wanted = f"id or reference, and status, one of {', '.join(STAGES)}"
        if not isinstance(said, dict) or said.get("status") not in tuple(STAGES):
            raise ReceiptRefusedError("no receipt", wanted, "receipt")
        names = [said.get(name) for name in ("id", "reference")]
        if not any(names) or any(name is not None and not _is_reference(name) for name in names):
            raise ReceiptRefusedError("a receipt of nothing", wanted, "receipt")
        return cls(str(said["status"]), *names)


def _is_reference(given: object) -> bool:
    return isinstance(given, str) and 0 < len(given) <= LONGEST and given.isprintable()


def keep(connection: Connection, provider: str, delivery_id: str, receipts: Sequence[tuple[int, Receipt]]) -> bool:
    """Write receipts into the log; False when the delivery was taken in before, and nothing is written."""
    rows = [
        {
            "provider_code": provider,
            "delivery_id": delivery_id,
            "row_number": number,
            "provider_reference": one.provider_reference,
            "reference": one.reference,
            "status_code": one.status,
            "outcome_code": "open",
        }
        for number, one in receipts
    ]
    written = insert(LOG).values(rows).on_conflict_do_nothing().returning(KEPT.row_number)
    return len(connection.execute(written).all()) == len(rows)


def waiting(connection: Connection, limit: int, delivery: tuple[str, str] | None = None) -> list[Row]:
    """Receipts that something is to be done about.

    Args:
        connection: In any transaction.
        limit: So many at most.
        delivery: Of this provider and delivery only, new ones; else all that are open, and strangers whose message has
            become known since.
    """
    is_due: ColumnElement[bool] = KEPT.outcome_code == "open"
    if delivery is None:
        is_late = and_(
            KEPT.outcome_code == "unmatched",
            KEPT.received_at > func.clock_timestamp() - WAITS,
            exists().where(_meant_by({name: KEPT[name] for name in NAMES})),
        )
        is_due = or_(is_due, is_late)
    else:
        is_due = and_(is_due, KEPT.provider_code == delivery[0], KEPT.delivery_id == delivery[1])
    asked = select(LOG).where(is_due).order_by(KEPT.received_at, *(KEPT[key] for key in KEYS)).limit(limit)
    return [dict(row) for row in connection.execute(asked).mappings()]


def message_of(connection: Connection, receipt: Mapping[str, Any]) -> Row | None:
    """The message it speaks of, locked; None: a stranger's, or another provider's."""
    asked = select(NOTIFICATION).where(_meant_by(receipt)).order_by(STEP.step_key).limit(1).with_for_update()
    found = connection.execute(asked).mappings().one_or_none()
    return None if found is None else dict(found)


def _meant_by(receipt: Mapping[str, Any]) -> ColumnElement[bool]:
    """Messages of the receipt's provider that bear a name it gives; a name that it does not give is nobody's."""
    theirs, ours = receipt["provider_reference"], receipt["reference"]
    pairs = ((STEP.provider_reference, theirs), (STEP.reference, theirs), (STEP.reference, ours))
    named = [column == name for column, name in pairs if name is not None]
    return and_(STEP.provider_code == receipt["provider_code"], or_(false(), *named))


def apply(connection: Connection, receipt: Mapping[str, Any]) -> str:
    """Move the row that a receipt speaks of, and note in the log what became of the receipt.

    A provider that says so has the message, whatever we knew: it settles what is unknown, what its dispatcher is still
    waiting to hear, and what the provider seemed to refuse, which would have been sent again.

    Returns:
        taken, known (no news) or unmatched.
    """
    row = message_of(connection, receipt)
    outcome = "unmatched"
    if row is not None:
        outcome = "taken" if is_news(row, receipt["status_code"]) else "known"
        if outcome == "taken":
            _move(connection, row, receipt)
    mine = update(LOG).where(*(KEPT[key] == receipt[key] for key in KEYS))
    connection.execute(mine.values(outcome_code=outcome))
    return outcome


def attempt_of(connection: Connection, row: Mapping[str, Any]) -> Row | None:
    """When and to which point the row's last attempt was, of which a receipt speaks: it may have gone on elsewhere."""
    event = NOTIFICATION_EVENT.c
    asked = select(event.contact_point_id, event.at).where(
        event.step_key == row["step_key"],
        event.attempt_no == row["attempt_no"],
        event.state_code == "claimed",
        event.contact_point_id.is_not(None),
    )
    found = connection.execute(asked.limit(1)).mappings().one_or_none()
    return None if found is None else dict(found)


def delivery_of(event_id: int) -> str:
    """Name under which a refusal is reported as a dead address, once."""
    return f"refusal {event_id}"


def refused_addresses(connection: Connection, limit: int) -> list[Row]:
    """Refusals that said of an address that nobody is there, and are not reported yet; with whose it is."""
    event, delivered = NOTIFICATION_EVENT.c, FEEDBACK_DELIVERY.c
    is_reported = exists().where(
        delivered.portfolio == event.portfolio,
        delivered.source_code == event.provider_code,
        delivered.delivery_id == func.concat("refusal ", event.event_id),
    )
    asked = (
        select(NOTIFICATION_EVENT, STEP.borrower_id, STEP.person_id)
        .join(NOTIFICATION, STEP.step_key == event.step_key)
        .where(event.reason_code == ADDRESS_DEAD, event.at > func.clock_timestamp() - WAITS, ~is_reported)
        .order_by(event.event_id)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(asked).mappings()]


def is_news(row: Mapping[str, Any], status: str) -> bool:
    """Whether a receipt says more of its message than is known; that a refused one reached nobody is none."""
    was_tried = row["state_code"] in TRIED and row["attempt_no"] > 0
    if was_tried or row["state_code"] in REJECTED:
        return status not in NOT_REACHED
    before = STAGES.get(row["delivery_code"] or "", 0)
    return bool(row["state_code"] in PERHAPS_SENT or (row["state_code"] == "sent" and STAGES[status] > before))


def _move(connection: Connection, row: Row, receipt: Mapping[str, Any]) -> None:
    values: Row = {
        "state_code": "sent",
        "delivery_code": receipt["status_code"],
        "reason_code": "receipt",
        "changed_by": f"receipt:{receipt['provider_code']}",
    }
    if row["provider_reference"] is None:
        values["provider_reference"] = receipt["provider_reference"]
    change = update(NOTIFICATION).where(STEP.step_key == row["step_key"])
    if row["contacted_on"] is None:  # it counted as never made: it was, on its day, unless another has been since
        try:
            with connection.begin_nested():
                connection.execute(change.values(**values, contacted_on=row["business_date"]))
        except IntegrityError:
            connection.execute(change.values(**values, contacted_on=None))
    else:
        connection.execute(change.values(values))
