"""What a channel is given, what it answers, and what it can do.

Belongs here: shapes. What follows from an answer stands in ``protocol``; how a channel comes to it, in ``channels``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from arrears.pii import Private as Private  # noqa: PLC0414, TC001  its home; whoever speaks of messages has it here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Settles(StrEnum):
    """How an attempt whose outcome nobody knows can be settled."""

    BY_PERSON = "by_person"  # the provider can tell nothing: SMTP, most files
    BY_LOOK_UP = "by_look_up"  # the provider finds a message by our reference
    BY_ASKING_AGAIN = "by_asking_again"  # the provider takes the same key twice and delivers once, for a while


@dataclass(frozen=True)
class Capabilities:
    """What a channel's provider can do, as its deployment declares it.

    Attributes:
        settles: How an unknown outcome is settled.
        seconds: The longest one delivery can take: all its timeouts added. The claim's lease is longer.
        lag_seconds: How long an accepted message may stay invisible to a look-up.
        window_seconds: How long the provider remembers a key; only where it takes one twice.
        hands_over: Whether somebody else acts later (dialler, bot, printer, visitor): it expires the same day, and is
            taken back by a stop delta.
        is_sandbox: Whether it reaches no real person.
    """

    settles: Settles
    seconds: float
    lag_seconds: float = 0.0
    window_seconds: float = 0.0
    hands_over: bool = False
    is_sandbox: bool = False


@dataclass(frozen=True)
class Content:
    """What is said.

    Attributes:
        template: Template, version and locale.
        subject: Title; empty where the channel has none.
        body: The text.
        facts: Figures a campaign or a worklist carries beside the text (amount, currency, case ...); no PII.
    """

    template: str
    subject: Private
    body: Private
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """One attempt as the channel gets it.

    Attributes:
        step_key: Row of the outbox.
        attempt_no: Which attempt.
        channel: Channel code.
        address: Number, address or token, read from the vault a moment ago.
        not_after: First instant too late, ISO 8601 in UTC, for whoever acts later.
    """

    step_key: str
    attempt_no: int
    channel: str
    address: Private
    content: Content
    portfolio: str = ""
    not_after: str = ""

    @property
    def reference(self) -> str:
        """Our name for the attempt, at the provider too: the key it de-duplicates and looks up by."""
        return reference_of(self.step_key, self.attempt_no)

    @property
    def payload_hash(self) -> str:
        """SHA-256 over everything the provider would be told, so that one key never carries two contents."""
        content = self.content
        said = [
            self.channel,
            self.address.reveal(),
            content.template,
            content.subject.reveal(),
            content.body.reveal(),
            dict(content.facts),
        ]
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def reference_of(step_key: str, attempt_no: int) -> str:
    """Reference of an attempt: of nothing that a rerun would change."""
    return hashlib.sha256(f"{step_key}:{attempt_no}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Way:
    """A channel and a point by which a step may be taken, within a window of its day."""

    channel_code: str
    contact_point_id: str
    not_before_at: datetime
    not_after_at: datetime


def next_way(row: Mapping[str, Any], now: datetime) -> tuple[Way, list[dict[str, str]]] | None:
    """The next way of a row of the outbox whose time has not passed, and those after it; None: there is none."""
    for number, one in enumerate(row["ways"]):
        ends_at = datetime.fromisoformat(one["not_after_at"])
        if ends_at > now:
            begins_at = datetime.fromisoformat(one["not_before_at"])
            return Way(one["channel_code"], one["contact_point_id"], begins_at, ends_at), row["ways"][number + 1 :]
    return None


ADDRESS_DEAD = "address_dead"  # reason of a rejection: nobody is there, and nobody will be


class Reply(StrEnum):
    """What is known after an attempt."""

    SENT = "sent"  # the provider said that it has it
    NOT_NOW = "rejected_retryable"  # it surely has it not; another time it may take it
    NEVER = "rejected_final"  # it surely has it not, and will not take it
    UNKNOWN = "unknown"  # it may have it
    GIVEN_UP = "given_up"  # we stopped before a byte of it was written


@dataclass(frozen=True)
class Outcome:
    """A channel's answer.

    Attributes:
        reason: In code words, never the provider's prose.
        provider_reference: What the provider calls it.
        is_outage: Whether it says something of the provider's health.
    """

    reply: Reply
    reason: str
    provider_reference: str | None = None
    is_outage: bool = False


class Found(StrEnum):
    """What a look-up says."""

    ACCEPTED = "accepted"
    ABSENT = "absent"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True)
class LookUp:
    """A look-up's answer, with the provider's reference where it has one."""

    found: Found
    provider_reference: str | None = None


class Channel(Protocol):
    """One way to reach people, through one provider."""

    @property
    def code(self) -> str:
        """Channel code."""

    @property
    def provider(self) -> str:
        """Who delivers."""

    @property
    def capabilities(self) -> Capabilities:
        """What the provider can do."""

    def deliver(self, message: Message, before_write: Callable[[], None]) -> Outcome:
        """Hand the message to the provider.

        Args:
            message: What, and to whom.
            before_write: Called right before the first byte that could make the provider act; when it raises
                ``ClaimTooOldError``, nothing may be written, and the outcome is ``GIVEN_UP``.
        """

    def look_up(self, reference: str) -> LookUp:
        """Ask for a message by our reference; NO_ANSWER where the provider cannot tell."""

    def close(self) -> None:
        """Let go of connections and files."""


class CampaignChannel(Channel, Protocol):
    """One whose other side acts later, and can be asked not to."""

    def take_back(self, reference: str) -> bool:
        """Have it forget a message; False: it has acted already, or did not answer."""
