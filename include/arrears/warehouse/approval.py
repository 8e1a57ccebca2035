"""Plans that wait for a person: asked for in the publication's transaction, decided once, audited.

Belongs here: the questions, and what a decision does to the held rows of the outbox. Why a plan is held stands in
``rules.departure``; who asks the person is the DAG ``contact_approval``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from arrears.errors import ApprovalUnknownError
from arrears.warehouse import outbox
from arrears.warehouse.audit import record
from arrears.warehouse.connection import transaction
from arrears.warehouse.feedback_tables import CONTACT_APPROVAL
from arrears.warehouse.tables import NOTIFICATION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

    from sqlalchemy import Connection

    from arrears.rules.departure import Departure

HELD_BECAUSE = "plan_departs"  # reason of a row that the publication held: others may be held for other reasons
ASKED, APPROVED, REFUSED, TIMED_OUT = "asked", "approved", "refused", "timed_out"

APPROVAL, STEP = CONTACT_APPROVAL.c, NOTIFICATION.c


@dataclass(frozen=True)
class Asked:
    """One question.

    Attributes:
        approval_id: The publication that asks.
        portfolio: Folder name.
        business_date: The day.
        reasons: What departs, as mappings of words.
        held: Contacts held.
        state_code: Where it stands.
    """

    approval_id: UUID
    portfolio: str
    business_date: date
    reasons: list[dict[str, str]]
    held: int
    state_code: str


QUESTION = select(*(APPROVAL[name] for name in Asked.__dataclass_fields__))


def ask(  # noqa: PLR0913, PLR0917  a question is its parts
    connection: Connection,
    approval_id: UUID,
    portfolio: str,
    business_date: date,
    reasons: Sequence[Departure],
    held: int,
) -> None:
    """Ask for a decision, in the publication's transaction: held rows and their question are there together.

    It is about the day's held rows that no earlier question is about: an answer moves what it was asked about.
    """
    connection.execute(
        insert(CONTACT_APPROVAL).values(
            approval_id=approval_id,
            portfolio=portfolio,
            business_date=business_date,
            reasons=[asdict(one) for one in reasons],
            held=held,
            state_code=ASKED,
            asked_at=func.clock_timestamp(),
        )
    )
    connection.execute(
        update(NOTIFICATION)
        .where(
            STEP.portfolio == portfolio,
            STEP.business_date == business_date,
            STEP.state_code == "held",
            STEP.reason_code == HELD_BECAUSE,
            STEP.approval_id.is_(None),
        )
        .values(approval_id=approval_id)
    )


def asked(url: str, approval_id: UUID) -> Asked:
    """One question, answered or not.

    Raises:
        ApprovalUnknownError: There is no such question.
        WarehouseUnreachableError: The server did not answer.
    """
    with transaction(url) as connection:
        found = connection.execute(QUESTION.where(APPROVAL.approval_id == approval_id)).mappings().one_or_none()
    if found is None:
        raise _unknown(approval_id)
    return Asked(**found)


def newest_waiting(url: str, portfolio: str, business_date: date) -> Asked | None:
    """The newest question about a day's plan that nobody has answered; None when there is none.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    with transaction(url) as connection:
        return next((one for one in waiting(connection, portfolio) if one.business_date == business_date), None)


def waiting(connection: Connection, portfolio: str) -> list[Asked]:
    """A portfolio's questions that nobody has answered, the newest first."""
    unanswered = QUESTION.where(APPROVAL.portfolio == portfolio, APPROVAL.state_code == ASKED)
    newest_first = unanswered.order_by(APPROVAL.asked_at.desc())
    return [Asked(**row) for row in connection.execute(newest_first).mappings()]


def decide(url: str, approval_id: UUID, *, state_code: str, decided_by: str | None) -> dict[str, Any]:
    """``decide_within`` a transaction of its own.

    Raises:
        ApprovalUnknownError: There is no such question.
        WarehouseUnreachableError: The server did not answer; nothing moved.
    """
    with transaction(url) as connection:
        return decide_within(connection, approval_id, state_code=state_code, decided_by=decided_by)


def decide_within(
    connection: Connection, approval_id: UUID, *, state_code: str, decided_by: str | None, reason: str = ""
) -> dict[str, Any]:
    """Write a decision down and move the held rows, once: a second decision changes nothing.

    Of the rows it was asked about: approved ones whose time has not passed become ``planned``, all others expire. No
    decision is a refusal. What a later publication of the day holds waits for its own question.

    Args:
        connection: With the caller's transaction.
        approval_id: The question.
        state_code: ``approved``, ``refused`` or ``timed_out``.
        decided_by: Who; None when time ran out.
        reason: Why, in their words; without any, the audit trail says what was asked.

    Returns:
        State and rows moved, as decided first.

    Raises:
        ApprovalUnknownError: There is no such question.
    """
    found = connection.execute(
        select(CONTACT_APPROVAL).where(APPROVAL.approval_id == approval_id).with_for_update()
    ).one_or_none()
    if found is None:
        raise _unknown(approval_id)
    if found.state_code != ASKED:
        return {"state": found.state_code, "moved": found.moved, "decided_by": found.decided_by}
    actor = decided_by or "contact_approval"
    scope = outbox.Scope(portfolio=found.portfolio, approval_id=approval_id, reason_code=HELD_BECAUSE)
    moved = outbox.release(connection, scope, actor=actor, reason="approved") if state_code == APPROVED else 0
    lapsed = outbox.lapse(connection, scope, actor=actor, reason=f"approval_{state_code}")
    connection.execute(
        update(CONTACT_APPROVAL)
        .where(APPROVAL.approval_id == approval_id)
        .values(
            state_code=state_code,
            decided_by=decided_by,
            decided_at=func.clock_timestamp(),
            moved=moved if state_code == APPROVED else lapsed,
        )
    )
    record(
        connection,
        actor=actor,
        action=f"contact_approval.{state_code}",
        subject=f"{found.portfolio} {found.business_date} {approval_id}",
        reason=reason or "; ".join(f"{one['code']} {one['what']}".strip() for one in found.reasons) or "asked",
        before={"state": ASKED, "held": found.held},
        after={"state": state_code, "released": moved, "expired": lapsed},
    )
    return {"state": state_code, "moved": moved if state_code == APPROVED else lapsed, "decided_by": decided_by}


def _unknown(approval_id: object) -> ApprovalUnknownError:
    return ApprovalUnknownError("no such question", "a plan that a publication holds", f"approval {approval_id}")
