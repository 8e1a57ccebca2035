"""What others may do to waiting outbox rows: hold, release, suppress, cancel them, in the caller's transaction.

Belongs here: changes of rows that nobody is sending. Claiming, sending and settling stand in ``arrears.sending``. A row
that is being sent at this instant (``claimed``) is touched by none of these: its sender has checked everything a moment
ago, and its outcome follows. Every change is in ``ops.notification_event`` with its author and reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import any_, func, literal, update

from arrears.errors import RuleInputError
from arrears.warehouse.tables import NOTIFICATION

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from sqlalchemy import ColumnElement, Connection

STEP = NOTIFICATION.c
WAITING = ("planned", "rejected_retryable")  # may be claimed when due
OPEN = ("held", *WAITING)  # nothing of them is under way
# Of a day that is over: nobody was reached, surely. A later day's plan may take such a step up again, nothing else may.
UNREACHED = (*WAITING, "rejected_final", "expired")
TIME_PASSED = ("not_after_passed", "another_day")  # why an expired one was; else somebody decided against it


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which rows: those that meet every criterion given. ``portfolio`` alone is the whole portfolio.

    Attributes:
        person_id: The human, over all portfolios unless one is named.
        borrower_id: party_id of the main borrower.
        loan_id: Rows that speak of this loan.
        business_date: The day they were planned for.
        reason_code: Why they stand where they stand.
        approval_id: The question they wait for.
    """

    portfolio: str | None = None
    step_key: str | None = None
    case_id: str | None = None
    person_id: str | None = None
    borrower_id: str | None = None
    loan_id: str | None = None
    contact_point_id: str | None = None
    channel_code: str | None = None
    business_date: date | None = None
    reason_code: str | None = None
    approval_id: UUID | None = None

    @property
    def criteria(self) -> list[ColumnElement[bool]]:
        """As conditions on the outbox.

        Raises:
            RuleInputError: No criterion: everything is a stop's work, not a scope's.
        """
        given = {name: value for name, value in vars(self).items() if value is not None}
        loan_id = given.pop("loan_id", None)
        found: list[ColumnElement[bool]] = [STEP[name] == value for name, value in given.items()]
        if loan_id is not None:
            found.append(literal(loan_id) == any_(STEP.loan_ids))
        if not found:
            raise RuleInputError(
                "a scope without a criterion", "at least one; `outbox stop` stops everything", "outbox"
            )
        return found


def hold(connection: Connection, scope: Scope, *, actor: str, reason: str) -> int:
    """Keep waiting rows from being sent until ``release``.

    Args:
        connection: With the caller's transaction.
        scope: Which rows.
        actor: Who.
        reason: Why, in code words.

    Returns:
        Rows held.
    """
    return _move(connection, scope, WAITING, "held", actor, reason)


def release(connection: Connection, scope: Scope, *, actor: str, reason: str) -> int:
    """Let held rows be sent, those whose time has not passed; as ``hold``."""
    return _move(connection, scope, ("held",), "planned", actor, reason, STEP.not_after_at > func.clock_timestamp())


def suppress(connection: Connection, scope: Scope, *, actor: str, reason: str) -> int:
    """End open rows because what is known now forbids them (paid, disputed, opted out ...); as ``hold``."""
    return _move(connection, scope, OPEN, "suppressed", actor, reason)


def cancel(connection: Connection, scope: Scope, *, actor: str, reason: str, states: tuple[str, ...] = OPEN) -> int:
    """End open rows, or those of them in ``states``, because somebody decided so; as ``hold``."""
    return _move(connection, scope, states, "cancelled", actor, reason)


def lapse(connection: Connection, scope: Scope, *, actor: str, reason: str) -> int:
    """End held rows that nobody approved; as ``hold``."""
    return _move(connection, scope, ("held",), "expired", actor, reason)


def expire(connection: Connection, *, actor: str) -> int:
    """End open rows whose time has passed, in every portfolio.

    Returns:
        Rows expired.
    """
    passed = STEP.not_after_at <= func.clock_timestamp()
    return _change(connection, OPEN, "expired", actor, "not_after_passed", [passed])


def _move(  # noqa: PLR0913, PLR0917  one statement's parts
    connection: Connection,
    scope: Scope,
    states: tuple[str, ...],
    state: str,
    actor: str,
    reason: str,
    *more: ColumnElement[bool],
) -> int:
    return _change(connection, states, state, actor, reason, [*scope.criteria, *more])


def _change(  # noqa: PLR0913, PLR0917  as above
    connection: Connection,
    states: tuple[str, ...],
    state: str,
    actor: str,
    reason: str,
    criteria: list[ColumnElement[bool]],
) -> int:
    changed = update(NOTIFICATION).where(STEP.state_code.in_(states), *criteria)
    return connection.execute(changed.values(state_code=state, reason_code=reason, changed_by=actor)).rowcount
