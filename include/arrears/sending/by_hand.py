"""What people do to the outbox: settle what nobody knows, cancel, release, stop, start; each into the audit trail.

Belongs here: the action and its audit entry in one transaction. The screen stands in ``arrears.cli_outbox``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from arrears.errors import OutboxStateError, RuleInputError
from arrears.sending.claims import settle as write_settlement
from arrears.warehouse import outbox
from arrears.warehouse.audit import record
from arrears.warehouse.tables import NOTIFICATION, NOTIFICATION_EVENT, OUTBOX_STOP

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arrears.warehouse.outbox import Scope

STEP, STOP, EVENT = NOTIFICATION.c, OUTBOX_STOP.c, NOTIFICATION_EVENT.c
SCOPES = ("all", "portfolio", "region", "product", "channel", "template", "agency", "list")
SETTLED = {"sent": "sent", "not-sent": "rejected_retryable", "give-up": "cancelled"}
SHOWN = ("step_key", "portfolio", "case_id", "channel_code", "state_code", "reason_code", "attempt_no", "changed_at")

Row = dict[str, Any]


def rows_of(connection: Connection, *, state: str | None, portfolio: str | None, limit: int) -> list[Row]:
    """Rows, those that changed last first; identifiers and codes only."""
    asked = select(*(STEP[name] for name in SHOWN)).order_by(STEP.changed_at.desc()).limit(limit)
    if state is not None:
        asked = asked.where(STEP.state_code == state)
    if portfolio is not None:
        asked = asked.where(STEP.portfolio == portfolio)
    return [dict(row) for row in connection.execute(asked).mappings()]


def totals(connection: Connection) -> list[Row]:
    """Rows by portfolio, channel and state."""
    names = (STEP.portfolio, STEP.channel_code, STEP.state_code)
    asked = select(*names, func.count().label("messages")).group_by(*names).order_by(*names)
    return [dict(row) for row in connection.execute(asked).mappings()]


def parked(connection: Connection, portfolio: str) -> list[Row]:
    """Held rows of a portfolio by day, channel and reason; ``in_time`` of them can still be sent when released."""
    names = (STEP.business_date, STEP.channel_code, STEP.reason_code, STEP.changed_by)
    in_time = func.count().filter(STEP.not_after_at > func.clock_timestamp())
    asked = (
        select(*names, func.count().label("messages"), in_time.label("in_time"))
        .where(STEP.portfolio == portfolio, STEP.state_code == "held")
        .group_by(*names)
        .order_by(STEP.business_date.desc(), *names[1:])
    )
    return [dict(row) for row in connection.execute(asked).mappings()]


def history_of(connection: Connection, step_key: str) -> list[Row]:
    """Every state a row ever had, oldest first."""
    names = ("at", "state_code", "delivery_code", "attempt_no", "channel_code", "provider_code", "reason_code", "actor")
    asked = select(*(EVENT[name] for name in names)).where(EVENT.step_key == step_key).order_by(EVENT.event_id)
    return [dict(row) for row in connection.execute(asked).mappings()]


def settle(connection: Connection, step_key: str, answer: str, *, actor: str, reason: str) -> str:
    """Say what became of an attempt that nobody knows about.

    Args:
        connection: With the action's transaction.
        step_key: The row, or the beginning of its key that no other row has.
        answer: ``sent``, ``not-sent`` (it may be tried again while its time lasts) or ``give-up``.
        actor: Who says so.
        reason: How they know.

    Returns:
        The row's state.

    Raises:
        OutboxStateError: It is not ``unknown``.
    """
    row = _row(connection, step_key)
    state = SETTLED.get(answer)
    if state is None:
        raise RuleInputError(f"answer {answer!r}", f"one of {sorted(SETTLED)}", "outbox settle")
    if row["state_code"] != "unknown" or not write_settlement(connection, row, state, "settled_by_person", actor):
        raise OutboxStateError(f"a row that is {row['state_code']}", "one that is unknown", row["step_key"][:16])
    _note(connection, actor, "outbox.settle", row["step_key"], reason, {"state": "unknown"}, {"state": state})
    return state


def cancel(connection: Connection, step_key: str, *, actor: str, reason: str) -> str:
    """End a row that is waiting or held.

    Raises:
        OutboxStateError: It is neither.
    """
    row = _row(connection, step_key)
    if not outbox.cancel(connection, outbox.Scope(step_key=row["step_key"]), actor=actor, reason="cancelled_by_person"):
        raise OutboxStateError(
            f"a row that is {row['state_code']}", "one that is held or waiting", row["step_key"][:16]
        )
    before, after = {"state": row["state_code"]}, {"state": "cancelled"}
    _note(connection, actor, "outbox.cancel", row["step_key"], reason, before, after)
    return "cancelled"


def release(connection: Connection, scope: Scope, *, actor: str, reason: str) -> int:
    """Let held rows be sent, those whose time has not passed; the number of them."""
    count = outbox.release(connection, scope, actor=actor, reason="released_by_person")
    given = {name: str(value) for name, value in vars(scope).items() if value is not None}
    _note(connection, actor, "outbox.release", "outbox", reason, given, {"released": count})
    return count


def cancel_parked(connection: Connection, scope: Scope, *, actor: str, reason: str) -> int:
    """End held rows; the number of them. Rows that are waiting to be sent stay."""
    count = outbox.cancel(connection, scope, actor=actor, reason="cancelled_by_person", states=("held",))
    given = {name: str(value) for name, value in vars(scope).items() if value is not None}
    _note(connection, actor, "outbox.cancel", "outbox", reason, given, {"cancelled": count})
    return count


def stop(connection: Connection, scope: str, value: str, *, actor: str, reason: str) -> int:
    """Stop sending, for all or for what the scope names; no claim that begins after the commit is let through.

    Returns:
        Number of the stop, for ``start``.
    """
    if scope not in SCOPES or (scope == "all") != (not value):
        raise RuleInputError(
            f"scope {scope!r} with value {value!r}", f"all, or one of {SCOPES[1:]} with a value", "stop"
        )
    made = insert(OUTBOX_STOP).values(scope_code=scope, scope_value=value, reason=reason, started_by=actor)
    number = int(connection.execute(made.returning(STOP.stop_id)).scalar_one())
    _note(connection, actor, "outbox.stop", f"{scope}:{value}", reason, None, {"stop_id": number})
    return number


def start(connection: Connection, stop_id: int, *, actor: str, reason: str) -> None:
    """End a stop.

    Raises:
        OutboxStateError: There is no such stop, or it has ended.
    """
    ended = update(OUTBOX_STOP).where(STOP.stop_id == stop_id, STOP.ended_at.is_(None))
    if not connection.execute(ended.values(ended_at=func.clock_timestamp(), ended_by=actor)).rowcount:
        raise OutboxStateError(f"no stop {stop_id} that holds", "one of `arrears outbox stops`", "outbox start")
    _note(connection, actor, "outbox.start", f"stop {stop_id}", reason, {"stop_id": stop_id}, None)


def stops(connection: Connection) -> list[Row]:
    """Stops that hold."""
    return [dict(row) for row in connection.execute(select(OUTBOX_STOP).where(STOP.ended_at.is_(None))).mappings()]


def _row(connection: Connection, step_key: str) -> Row:
    asked = select(NOTIFICATION).where(STEP.step_key.startswith(step_key, autoescape=True)).limit(2).with_for_update()
    found = connection.execute(asked).mappings().all()
    if len(found) != 1:
        raise OutboxStateError(f"{len(found) or 'no'} rows of that key", "exactly one", step_key[:16])
    return dict(found[0])


def _note(  # noqa: PLR0913, PLR0917  an entry is its parts
    connection: Connection, actor: str, action: str, subject: str, reason: str, before: Row | None, after: Row | None
) -> None:
    record(connection, actor=actor, action=action, subject=subject, reason=reason, before=before, after=after)
