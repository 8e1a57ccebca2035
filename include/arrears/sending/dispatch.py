"""The dispatcher: works one shard of one channel, message by message, by the rules of ``protocol``.

Belongs here: the order of claim, judgement, intent, delivery and record, and when a run ends. What may be sent is the
judge's answer (``recheck``), how it is delivered the channel's.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from arrears.errors import ClaimTooOldError, ConfigurationError, PayloadChangedError, WarehouseUnreachableError
from arrears.failpoints import failpoint
from arrears.sending import claims
from arrears.sending.limits import Breaker, Pace, take_from_day
from arrears.sending.protocol import (
    can_tell,
    check_lease,
    may_ask_again,
    may_look_up,
    may_write,
    state_after,
    state_after_look_up,
    takes_other_way,
)
from arrears.sending.values import Found, LookUp, Message, Outcome, Reply, Settles, next_way, reference_of
from arrears.warehouse.connection import coded, own_session, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from uuid import UUID

    from sqlalchemy import Connection

    from arrears.sending.claims import Row, Shard
    from arrears.sending.values import Channel

ACTOR = "dispatch"
RECORD_SECONDS = 10.0
SET_ASIDE = timedelta(minutes=15)  # a row that cannot be judged: long enough for the others, short enough to be mended

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Go:
    """The message may be sent now.

    Attributes:
        message: Rendered, with the attempt's number.
        contacted_on: The person's local date.
    """

    message: Message
    contacted_on: date


@dataclass(frozen=True)
class No:
    """It may not.

    Attributes:
        state: ``suppressed``, ``held`` or ``expired``; ``planned``: not before ``until``.
        reason: Rule ids or facts, in code words.
    """

    state: str
    reason: str
    until: datetime | None = None


class Judge(Protocol):
    """Whoever checks everything again at the moment of sending."""

    def __call__(self, connection: Connection, row: Row, now: datetime) -> Go | No:
        """Judge one locked row; the connection is inside the claim's transaction, alone with the person."""


@dataclass(frozen=True)
class Terms:
    """How a shard is worked.

    Attributes:
        lease_seconds: How long a claim holds.
        max_attempts: Definite rejections after which a row is given up.
        back_off_seconds: Wait after the first rejection; doubles, with jitter.
        per_second: Messages a second that this dispatcher may send; 0: as fast as it can.
        daily_cap: Attempts a day over all dispatchers of the channel; None: no cap.
        outages: Failures in a row after which the provider is left alone for this run.
        run_seconds: When a run stops claiming.
        rehearses: Sandboxes only: a row need not wait for its window, and is judged as of its beginning.
    """

    lease_seconds: float = 120.0
    max_attempts: int = 4
    back_off_seconds: float = 300.0
    per_second: float = 0.0
    daily_cap: int | None = None
    outages: int = 5
    run_seconds: float = 480.0
    rehearses: bool = False


@dataclass
class Dispatcher:
    """One run over one shard.

    Attributes:
        url: The warehouse.
        channel: Where messages go.
        judge: Checks again.
        shard: Which rows.
        terms: How.
        clock: Wall clock; only windows and dates are read from it.
    """

    url: str
    channel: Channel
    judge: Judge
    shard: Shard
    terms: Terms = field(default_factory=Terms)
    clock: Callable[[], datetime] = field(default_factory=lambda: utc_now)
    done: Counter[str] = field(default_factory=Counter)
    _failure: Exception | None = field(default=None, repr=False)

    def run(self) -> dict[str, int]:
        """Settle what can be settled, then send what is due, until nothing is, or time is up, or the provider fails.

        A row that cannot be judged, delivered or settled keeps nobody else from their message: it is set aside, the
        others go on, and the run raises at its end what the first of such rows raised.

        Returns:
            Rows by what became of them; ``busy`` when another dispatcher works the shard.

        Raises:
            LeaseTooShortError: The lease does not outlast the channel's timeouts.
            PayloadChangedError: An attempt would have been repeated with another content; it stays unknown.
            WarehouseUnreachableError: The warehouse did not answer; what was being sent is found again as unknown.
        """
        check_lease(self.terms.lease_seconds, self.channel.capabilities, self.channel.code)
        if self.terms.rehearses and not self.channel.capabilities.is_sandbox:
            raise ConfigurationError(
                "a rehearsal that reaches people", "rehearse with sandboxes only", self.channel.code
            )
        breaker, pace = Breaker(self.terms.outages), Pace(self.terms.per_second)
        give_up = time.monotonic() + self.terms.run_seconds
        with own_session(self.url) as connection:
            with connection.begin():
                if not claims.hold_shard(connection, self.shard):
                    self.done["busy"] += 1
                    return dict(self.done)
            self._settle(connection)
            while time.monotonic() < give_up:
                if breaker.is_open:
                    self.done["breaker_open"] += 1
                    break
                pace.wait()
                if not self._one(connection, breaker):
                    break
        if self._failure is not None:
            raise self._failure
        return dict(self.done)

    @contextmanager
    def _going_on(self, connection: Connection, row: Row) -> Iterator[None]:
        """Keep a row's failure to the row. One of the session is the run's: the shard's lock is gone with it."""
        try:
            with coded():
                yield
        except WarehouseUnreachableError:
            raise
        except Exception as error:
            if connection.closed or connection.invalidated:
                raise
            self._failure = self._failure or error
            self.done["failed"] += 1
            log.warning("%s set aside: %s", row["step_key"][:16], getattr(error, "code", type(error).__name__))

    # ------------------------------------------------------------------------------------------------ one message
    def _one(self, connection: Connection, breaker: Breaker) -> bool:
        """Claim and send one message, or find why not; False when nothing is due or nothing may be sent any more."""
        began = time.monotonic()  # before the claim: its age is never thought smaller than it is
        with connection.begin() as intent:
            now = self.clock()
            row = claims.next_due(connection, self.shard, now, is_early=self.terms.rehearses)
            if row is None:
                return False
            claims.be_alone_with(connection, row["person_key"])
            answer = self._judgement(connection, row, now)
            if isinstance(answer, No):
                self._refuse(connection, row, answer)
                return True
            claim_id = self._claim(connection, row, answer)
            if claim_id is None:
                return True
            if not take_from_day(connection, self.channel.code, self.clock().date(), self.terms.daily_cap):
                intent.rollback()
                self.done["daily_cap"] += 1
                return False
            failpoint("dispatch.before_intent")
        failpoint("dispatch.after_intent")
        outcome = self._attempt(connection, row, answer.message, began)
        failpoint("dispatch.before_record")
        self._record(connection, claim_id, row, outcome)
        failpoint("dispatch.after_record")
        breaker.note(is_outage=outcome.is_outage)
        return True

    def _judgement(self, connection: Connection, row: Row, now: datetime) -> Go | No:
        at = max(now, row["not_before_at"]) if self.terms.rehearses else now
        with self._going_on(connection, row), connection.begin_nested():
            return self.judge(connection, row, at)
        return No("planned", "failed_to_judge", until=now + SET_ASIDE)

    def _refuse(self, connection: Connection, row: Row, answer: No) -> None:
        if answer.until is not None:
            claims.put_off(connection, row["step_key"], answer.until, answer.reason, ACTOR)
            self.done["put_off"] += 1
        else:
            claims.end_unsent(connection, row["step_key"], answer.state, answer.reason, ACTOR)
            self.done[answer.state] += 1

    def _claim(self, connection: Connection, row: Row, answer: Go) -> UUID | None:
        claim_id = claims.claim(
            connection,
            row,
            lease_seconds=self.terms.lease_seconds,
            contacted_on=answer.contacted_on,
            payload_hash=answer.message.payload_hash,
            provider=self.channel.provider,
            actor=ACTOR,
        )
        if claim_id is None:
            self._refuse(connection, row, No("suppressed", "house.one_per_person_and_day"))
        return claim_id

    def _attempt(self, connection: Connection, row: Row, message: Message, began: float) -> Outcome:
        """Deliver; a channel that breaks may have sent, unless it had not come to its first byte."""
        written = Event()
        with self._going_on(connection, row):
            return self._deliver(message, began, written.set)
        return Outcome(Reply.UNKNOWN if written.is_set() else Reply.NOT_NOW, "channel_failed", is_outage=True)

    def _deliver(self, message: Message, began: float, note: Callable[[], None] = lambda: None) -> Outcome:
        def before_write() -> None:
            failpoint("dispatch.before_check")
            age = time.monotonic() - began
            if not may_write(age, self.terms.lease_seconds):
                raise ClaimTooOldError(
                    f"a claim of {age:.1f} s", f"less than half its lease of {self.terms.lease_seconds:g} s", "dispatch"
                )
            note()
            failpoint("dispatch.after_check")

        return self.channel.deliver(message, before_write)

    def _record(self, connection: Connection, claim_id: UUID, row: Row, outcome: Outcome) -> None:
        """Write the outcome, on another connection should this one be gone; else it is found again as unknown."""
        attempt_no = row["attempt_no"] + 1
        is_over = takes_other_way(outcome.reply, attempt_no, self.terms.max_attempts)
        other = next_way(row, self.clock()) if is_over else None
        values = self._values(outcome, attempt_no, has_other_way=other is not None)

        def write(to: Connection) -> bool:
            is_mine = claims.record(to, claim_id, outcome.reply, ACTOR, values)
            if is_mine and other is not None:
                claims.take_other_way(to, claim_id, *other, ACTOR)
            return is_mine

        try:
            with connection.begin():
                write(connection)
        except Exception as error:
            if not self._record_elsewhere(write):
                raise
            raise WarehouseUnreachableError(
                "the dispatcher's session broke after a delivery; its outcome is recorded",
                "a session that lasts, for the shard's lock is gone with it",
                f"{self.shard.channel}/{self.shard.number}",
            ) from error
        self.done[values["state_code"]] += 1

    def _record_elsewhere(self, write: Callable[[Connection], bool]) -> bool:
        give_up = time.monotonic() + RECORD_SECONDS
        while time.monotonic() < give_up:
            with suppress(WarehouseUnreachableError), transaction(self.url) as other:
                return write(other)
            time.sleep(0.2)
        return False

    def _values(self, outcome: Outcome, attempt_no: int, *, has_other_way: bool) -> dict[str, Any]:
        state = state_after(outcome.reply, attempt_no, self.terms.max_attempts, has_other_way=has_other_way)
        values: dict[str, Any] = {"state_code": state, "reason_code": outcome.reason}
        if outcome.provider_reference:
            values["provider_reference"] = outcome.provider_reference
        if state == "sent" and self.channel.capabilities.hands_over:
            values["delivery_code"] = "handed_over"
        if state.startswith("rejected"):
            values["contacted_on"] = None  # nobody was reached: the person's day is free again
        if state == "rejected_retryable":
            wait = self.terms.back_off_seconds * 2 ** (attempt_no - 1) * random.uniform(0.5, 1.5)  # noqa: S311  jitter
            values["next_try_at"] = self.clock() + timedelta(seconds=0 if outcome.reply is Reply.GIVEN_UP else wait)
        return values

    # ------------------------------------------------------------------------------------------------- settling
    def _settle(self, connection: Connection) -> None:
        """Declare dead claims unknown, and settle what the provider can tell."""
        with connection.begin():
            self.done["unknown"] += claims.abandon_dead_claims(connection, self.shard, ACTOR)
        if self.channel.capabilities.settles is Settles.BY_PERSON:
            return
        with connection.begin():
            rows = claims.unknown_rows(connection, self.shard)
        settle = self._look_up if self.channel.capabilities.settles is Settles.BY_LOOK_UP else self._ask_again
        for row in rows:
            if can_tell(self.channel.provider, row["provider_code"]):
                with self._going_on(connection, row):
                    settle(connection, row)

    def _look_up(self, connection: Connection, row: Row) -> None:
        capabilities = self.channel.capabilities
        waited = float(row["since_expiry"]), float(row["since_last"])
        if not may_look_up(capabilities.settles, *waited, capabilities.lag_seconds):
            return
        answer = self.channel.look_up(reference_of(row["step_key"], row["attempt_no"]))
        state, reason = state_after_look_up(answer.found, was_absent_before=claims.was_absent_before(row))
        if answer.found is not Found.NO_ANSWER:
            self._write_settlement(connection, row, state, reason, answer)

    def _ask_again(self, connection: Connection, row: Row) -> None:
        """Send the same key and content once more while the provider remembers it: it delivers once.

        Should the first attempt never have arrived, this one is the delivery: so everything is checked again.
        """
        may = may_ask_again(self.channel.capabilities, float(row["since_first"]), self.terms.lease_seconds)
        if float(row["since_expiry"]) < 0 or not may:
            return
        began = time.monotonic()
        with connection.begin():
            claims.be_alone_with(connection, row["person_key"])
            answer = self.judge(connection, {**row, "attempt_no": row["attempt_no"] - 1}, self.clock())
        if isinstance(answer, No) or answer.contacted_on != row["contacted_on"]:
            return
        if answer.message.payload_hash != row["payload_hash"]:
            raise PayloadChangedError(
                "another content than the attempt had", "the same key with the same content", row["step_key"][:16]
            )
        outcome = self._deliver(answer.message, began)
        failpoint("dispatch.before_settlement")
        if outcome.reply is Reply.SENT:
            found = LookUp(Found.ACCEPTED, outcome.provider_reference)
            self._write_settlement(connection, row, "sent", "asked_again", found)

    def _write_settlement(self, connection: Connection, row: Row, state: str, reason: str, answer: LookUp) -> None:
        with connection.begin():
            if claims.settle(connection, row, state, reason, ACTOR, answer.provider_reference):
                self.done["unknown" if state == "unknown" else f"settled_{state}"] += 1
