"""The outbox as a dispatcher sees it: what is due, the claim (the committed intent), and the outcome.

Belongs here: statements, each a piece of one transaction that the caller opens. When which is called, and what follows,
stands in ``dispatch``.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, and_, cast, exists, extract, func, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from arrears.sending.protocol import ABSENT_ONCE, CLAIMABLE, recordable, state_of_abandoned_claim
from arrears.sending.values import reference_of
from arrears.warehouse.tables import NOTIFICATION, NOTIFICATION_EVENT, OUTBOX_STOP

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date, datetime

    from sqlalchemy import ColumnElement, Connection

    from arrears.sending.values import Reply, Way

STEP, STOP, EVENT = NOTIFICATION.c, OUTBOX_STOP.c, NOTIFICATION_EVENT.c
SHARDS = 4  # a constant: dispatchers that disagreed about it could hold two locks over one row
NOW = func.clock_timestamp()
# What the row itself says; the other scopes (region, product, agency, list) are asked of what it is about.
ROW_SCOPES = {"portfolio": STEP.portfolio, "channel": STEP.channel_code, "template": STEP.template_code}

Row = dict[str, Any]


@dataclass(frozen=True)
class Shard:
    """A part of a channel's rows that one dispatcher works at a time.

    Attributes:
        channel: Channel code.
        number: From 0, below ``SHARDS``.
    """

    channel: str
    number: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Shard:
        """The shard that the row belongs to; ``rows`` says the same in SQL."""
        first = hashlib.md5(row["step_key"].encode(), usedforsecurity=False).digest()[0]
        return cls(row["channel_code"], first % SHARDS)

    @property
    def rows(self) -> ColumnElement[bool]:
        """Its rows of the outbox."""
        byte = func.get_byte(func.decode(func.md5(STEP.step_key), "hex"), 0)
        return and_(STEP.channel_code == self.channel, cast(byte, Integer) % SHARDS == self.number)

    @property
    def lock(self) -> ColumnElement[int]:
        """Key of the session lock that its dispatcher holds."""
        return func.hashtextextended(f"arrears.dispatch:{self.channel}/{self.number}", 0)


def hold_shard(connection: Connection, shard: Shard) -> bool:
    """Take the shard's session lock, which ends with the session, not with the transaction; False: another has it."""
    return bool(connection.execute(select(func.pg_try_advisory_lock(shard.lock))).scalar_one())


def work_by_channel(connection: Connection, *, is_early: bool = False) -> dict[str, dict[int, int]]:
    """Rows by channel and shard with anything to do now: due, left behind by a dead dispatcher, or unknown."""
    byte = func.get_byte(func.decode(func.md5(STEP.step_key), "hex"), 0)
    number = (cast(byte, Integer) % SHARDS).label("number")
    asked = select(STEP.channel_code, number, func.count().label("rows")).where(
        or_(_is_due(NOW, is_early=is_early), STEP.state_code.in_(("claimed", "unknown")))
    )
    found: dict[str, dict[int, int]] = {}
    for row in connection.execute(asked.group_by(STEP.channel_code, number).order_by(STEP.channel_code, number)):
        found.setdefault(row.channel_code, {})[row.number] = row.rows
    return found


def unknown_by_channel(connection: Connection) -> dict[str, int]:
    """Attempts of which nobody knows whether they were made."""
    asked = select(STEP.channel_code, func.count().label("rows")).where(STEP.state_code == "unknown")
    return {row.channel_code: row.rows for row in connection.execute(asked.group_by(STEP.channel_code))}


def next_due(connection: Connection, shard: Shard, now: datetime, *, is_early: bool = False) -> Row | None:
    """Lock and return the row that is due soonest to pass, and that nothing stops; None when there is none.

    Args:
        connection: Inside the claim's transaction.
        shard: Which rows.
        now: With a zone.
        is_early: Whether a row need not wait for its window: for rehearsals.
    """
    asked = (
        select(NOTIFICATION)
        .where(shard.rows, _is_due(now, is_early=is_early), ~is_stopped())
        .order_by(STEP.not_after_at, STEP.step_key)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(asked).mappings().one_or_none()
    return None if row is None else dict(row)


def _is_due(now: Any, *, is_early: bool = False) -> ColumnElement[bool]:  # noqa: ANN401  an instant, or the server's clock
    return and_(
        STEP.state_code.in_(CLAIMABLE),
        true() if is_early else STEP.not_before_at <= now,
        STEP.not_after_at > now,
        or_(STEP.next_try_at.is_(None), STEP.next_try_at <= now),
    )


def is_stopped() -> ColumnElement[bool]:
    """Whether a stop that somebody has set covers the row, by what the row itself says."""
    covers = [and_(STOP.scope_code == scope, STOP.scope_value == column) for scope, column in ROW_SCOPES.items()]
    return exists().where(STOP.ended_at.is_(None), or_(STOP.scope_code == "all", *covers))


def is_stopped_by(connection: Connection, row: Row, about: Mapping[str, Collection[str]]) -> bool:
    """The same, by what the row says and by what it is about.

    Args:
        connection: In any transaction.
        row: Of the outbox.
        about: Values by scope (region, product, agency, list). An empty value is one that nobody knows: any stop of
            that scope covers it, as a fact that is missing denies.
    """
    values = {scope: {row[column.name]} for scope, column in ROW_SCOPES.items()} | {
        scope: set(given) for scope, given in about.items()
    }
    covers = [
        and_(STOP.scope_code == scope, true() if "" in given else STOP.scope_value.in_(given))
        for scope, given in values.items()
    ]
    holds = select(STOP.stop_id).where(STOP.ended_at.is_(None), or_(STOP.scope_code == "all", *covers))
    return connection.execute(holds.limit(1)).first() is not None


def be_alone_with(connection: Connection, person_key: str) -> None:
    """Wait until no other claim of this person is open, and keep others out until this transaction ends.

    What follows may count the person's contacts and then add one: nobody adds another in between.
    """
    key = func.hashtextextended(f"arrears.person:{person_key}", 0)
    connection.execute(select(func.pg_advisory_xact_lock(key)))


def claim(  # noqa: PLR0913  a claim is its parts
    connection: Connection,
    row: Row,
    *,
    lease_seconds: float,
    contacted_on: date,
    payload_hash: str,
    provider: str,
    actor: str,
) -> uuid.UUID | None:
    """Write the intent to send; it is one when the caller has committed.

    Returns:
        The claim; None when the person has a contact on that date already, which a unique index says.
    """
    claim_id = uuid.uuid4()
    intent = (
        update(NOTIFICATION)
        .where(STEP.step_key == row["step_key"])
        .values(
            state_code="claimed",
            reason_code="intent",
            changed_by=actor,
            attempt_no=row["attempt_no"] + 1,
            claim_id=claim_id,
            claim_expires_at=NOW + timedelta(seconds=lease_seconds),
            contacted_on=contacted_on,
            payload_hash=payload_hash,
            provider_code=provider,
            provider_reference=None,
            reference=reference_of(row["step_key"], row["attempt_no"] + 1),
            next_try_at=None,
        )
    )
    try:
        with connection.begin_nested():
            connection.execute(intent)
    except IntegrityError:
        return None
    return claim_id


def record(connection: Connection, claim_id: uuid.UUID, reply: Reply, actor: str, values: Mapping[str, Any]) -> bool:
    """Write the outcome of a claim; False when its row takes it no longer."""
    mine = update(NOTIFICATION).where(STEP.claim_id == claim_id, STEP.state_code.in_(recordable(reply)))
    return connection.execute(mine.values(changed_by=actor, **values)).rowcount == 1


def take_other_way(
    connection: Connection, claim_id: uuid.UUID, way: Way, rest: list[dict[str, str]], actor: str
) -> None:
    """Have a row that its provider has just refused go on by another way, in the transaction that says so.

    Two statements: the rejection stands in the history under the channel and the point that it is of.
    """
    mine = update(NOTIFICATION).where(STEP.claim_id == claim_id, STEP.state_code == "rejected_retryable")
    values = {**vars(way), "ways": rest, "state_code": "rejected_retryable", "reason_code": "other_way"}
    connection.execute(mine.values(changed_by=actor, next_try_at=None, **values))


def end_unsent(connection: Connection, step_key: str, state: str, reason: str, actor: str) -> None:
    """End or hold a row that the caller has locked."""
    change = update(NOTIFICATION).where(STEP.step_key == step_key)
    connection.execute(change.values(state_code=state, reason_code=reason, changed_by=actor))


def put_off(connection: Connection, step_key: str, until: datetime, reason: str, actor: str) -> None:
    """Leave a row that the caller has locked where it is, until then."""
    change = update(NOTIFICATION).where(STEP.step_key == step_key)
    connection.execute(change.values(next_try_at=until, reason_code=reason, changed_by=actor))


def abandon_dead_claims(connection: Connection, shard: Shard, actor: str) -> int:
    """Declare unknown what a dispatcher that is gone has left claimed.

    The caller holds the shard's lock, so nobody is at work in it, and the lease has passed, so nobody who only lost the
    lock writes any more.
    """
    gone = update(NOTIFICATION).where(shard.rows, STEP.state_code == "claimed", STEP.claim_expires_at < NOW)
    values = {"state_code": state_of_abandoned_claim(), "reason_code": "claim_abandoned", "changed_by": actor}
    return connection.execute(gone.values(values)).rowcount


def unknown_rows(connection: Connection, shard: Shard) -> list[Row]:
    """Attempts to be settled, with seconds since their claim surely ended, since the last look, since the intent."""
    first = (
        select(func.min(EVENT.at))
        .where(EVENT.step_key == STEP.step_key, EVENT.attempt_no == STEP.attempt_no, EVENT.state_code == "claimed")
        .scalar_subquery()
    )

    def since(instant: Any) -> Any:  # noqa: ANN401  an expression of an instant
        return extract("epoch", NOW - instant)

    asked = (
        select(
            NOTIFICATION,
            since(STEP.claim_expires_at).label("since_expiry"),
            since(STEP.changed_at).label("since_last"),
            since(first).label("since_first"),
        )
        .where(shard.rows, STEP.state_code == "unknown")
        .order_by(STEP.changed_at)
    )
    return [dict(row) for row in connection.execute(asked).mappings()]


def settle(  # noqa: PLR0913, PLR0917  a settlement is its parts
    connection: Connection,
    row: Row,
    state: str,
    reason: str,
    actor: str,
    provider_reference: str | None = None,
) -> bool:
    """Write what is known of an unknown attempt; False when it moved meanwhile."""
    values: dict[str, Any] = {"state_code": state, "reason_code": reason, "changed_by": actor}
    if state in ("rejected_retryable", "rejected_final", "cancelled"):
        values["contacted_on"] = None  # nobody was reached: the person's day is free again
    if provider_reference:
        values["provider_reference"] = provider_reference
    still = update(NOTIFICATION).where(
        STEP.step_key == row["step_key"], STEP.state_code == "unknown", STEP.attempt_no == row["attempt_no"]
    )
    return connection.execute(still.values(values)).rowcount == 1


def message_of(connection: Connection, channel: str, reference: str) -> Row | None:
    """The message that any of its attempts was sent under that name; None: nobody's."""
    number = func.generate_series(1, STEP.attempt_no - 1).column_valued("number")
    digest = func.sha256(func.convert_to(func.concat(STEP.step_key, ":", number), "UTF8"))
    is_earlier = exists(select(1).where(func.left(func.encode(digest, "hex"), 32) == reference).correlate(NOTIFICATION))
    attempt = (EVENT.step_key == STEP.step_key, EVENT.state_code == "claimed", EVENT.channel_code == channel)
    was_there = exists(select(1).where(*attempt).correlate(NOTIFICATION))  # it may have gone on by another way
    for is_it in (STEP.reference == reference, and_(STEP.attempt_no > 1, is_earlier)):
        asked = select(NOTIFICATION).where(is_it, or_(STEP.channel_code == channel, was_there))
        if found := connection.execute(asked).mappings().one_or_none():
            return dict(found)
    return None


def was_absent_before(row: Row) -> bool:
    """Whether the last look-up found nothing."""
    return bool(row["reason_code"] == ABSENT_ONCE)
