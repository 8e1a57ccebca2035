"""The kinds of rule a pack file may hold, and the values ``rules.contact`` reads that they become.

Belongs here: keys, closed lists and what may not be combined. What a kind means stands in ``rules.contact_kinds``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from arrears.policy.documents import Document
from arrears.rules.contact_values import KNOWN_OUTCOMES, Rule
from arrears.rules.hours import Minutes, Timetable

Channel = Literal[
    "sms", "email", "push", "chat", "call", "voice_bot", "voicemail_drop", "letter", "visit"
]  # the closed list; a channel outside it is a mistake, never a contact nobody minds
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Key = Literal["person", "party", "contact_point", "collector", "debt"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|(24):(00)")


def _outcome(value: object) -> object:
    if value not in KNOWN_OUTCOMES:
        raise ValueError(f"one of {', '.join(sorted(KNOWN_OUTCOMES))}")
    return value


Outcome = Annotated[str, BeforeValidator(_outcome)]


def minutes_of(value: object) -> int:
    """``"08:00"`` as minutes after midnight."""
    match = CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('quoted times from "00:00" to "24:00"')
    return int(match[0][:2]) * 60 + int(match[0][3:])


def _window(value: object) -> Minutes:
    """``["08:00", "22:00"]`` as minutes after midnight."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:  # noqa: PLR2004  from and to
        raise ValueError('two times, such as ["08:00", "22:00"]')
    opening, closing = (minutes_of(part) for part in value)
    if opening >= closing:
        raise ValueError("the window is empty")
    return opening, closing


Window = Annotated[Minutes, BeforeValidator(_window)]


class _RuleDocument(Document):
    """What every rule says of itself. What it does not name it does not ask: no channels means all.

    Attributes:
        kind: What it does.
        id: ``<pack>.<what>``, or another authority's name before the dot. One id may stand more than once in a pack,
            each time for other dates.
        citation: Where it stands.
        effect: Its force; planning heeds every one.
        confidence: How sure we are that the law says so.
        channels: Channels it minds.
        exempt_channels: Channels it does not mind.
        parties: Relations to the debtor it minds (consumer, relative ...).
        exempt_parties: Relations it does not mind: on a block, the list of who is allowed. Unknown ones are not in it.
        places: Places it minds.
        exempt_places: Places it does not mind.
        unless_purposes: Purposes it does not mind, planned or counted.
        when_content: It minds only a contact that holds one of these words (debt_words ...).
        unless_content: It does not mind a contact that holds one of these.
        unless_dpd_over: It does not mind debts more days past due than this. Unknown days are not more.
        unless_dpd_under: It does not mind debts fewer days past due than this. Unknown days are not fewer.
        unless_flags: Flags that silence it.
        unless_consents: Purposes of a consent that silences it (hours, third_person), for the planned channel.
        valid_from: First day it holds.
        valid_to: First day it no longer holds.
    """

    kind: str
    id: str = Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")
    citation: str = Field(min_length=1)
    effect: Literal["deny", "presumption", "soft", "safe_harbour", "house"]
    confidence: Literal["firm", "interpretation", "advisory", "recalled"]
    channels: frozenset[Channel] = frozenset()
    exempt_channels: frozenset[Channel] = frozenset()
    parties: frozenset[str] = frozenset()
    exempt_parties: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    exempt_places: frozenset[str] = frozenset()
    unless_purposes: frozenset[str] = frozenset()
    when_content: frozenset[str] = frozenset()
    unless_content: frozenset[str] = frozenset()
    unless_dpd_over: int | None = Field(default=None, ge=0)
    unless_dpd_under: int | None = Field(default=None, ge=1)
    unless_flags: tuple[str, ...] = ()
    unless_consents: tuple[Literal["hours", "third_person"], ...] = ()
    valid_from: date = date.min
    valid_to: date = date.max

    @model_validator(mode="after")
    def _valid_for_a_time(self) -> _RuleDocument:
        if self.valid_from >= self.valid_to:
            raise ValueError("valid_to must be later than valid_from")
        return self

    def rule(self) -> Rule:
        """As the engine's value."""
        return Rule(**{name: getattr(self, name) for name in _RuleDocument.model_fields})


class HoursDocument(_RuleDocument):
    """Hours in which contact is lawful.

    Attributes:
        all_days: The same hours every day; or
        days: Hours by weekday, null where the day is barred.
        holiday: Hours of public holidays, null where they are barred; left out, a holiday is a weekday.
        one_reply: One reply to somebody who wrote in the same closed stretch, on the same channel, is not minded.
    """

    kind: Literal["hours"]
    all_days: Window | None = None
    days: dict[Weekday, Window | None] | None = None
    holiday: Window | None = None
    one_reply: bool = False

    @model_validator(mode="after")
    def _every_day_once(self) -> HoursDocument:
        if (self.all_days is None) == (self.days is None):
            raise ValueError("either all_days or days")
        if self.days is not None and set(self.days) != set(WEEKDAYS):
            raise ValueError(f"days names each of {', '.join(WEEKDAYS)}")
        return self

    def rule(self) -> Rule:
        """As the engine's value."""
        weekdays = tuple(self.days[name] if self.days is not None else self.all_days for name in WEEKDAYS)
        timetable = Timetable(weekdays, self.holiday, minds_holidays="holiday" in self.model_fields_set)
        return replace(super().rule(), timetable=timetable, one_reply=self.one_reply)


class InconvenientDocument(_RuleDocument):
    """No contact at times the person has called inconvenient (a fact of the person)."""

    kind: Literal["inconvenient"]
    one_reply: bool = False

    def rule(self) -> Rule:
        """As the engine's value."""
        return replace(super().rule(), one_reply=self.one_reply)


class WindowDocument(Document):
    """The window a cap counts in; weeks begin on Monday."""

    type: Literal["rolling_days", "calendar_day", "calendar_week", "calendar_month", "ever"]
    days: int = Field(default=1, ge=1, le=365)

    @model_validator(mode="after")
    def _days_where_they_matter(self) -> WindowDocument:
        if ("days" in self.model_fields_set) != (self.type == "rolling_days"):
            raise ValueError("rolling_days has days, the others have none")
        return self


class CapDocument(_RuleDocument):
    """At most ``max`` contacts in a window.

    Attributes:
        max: Contacts allowed.
        window: Where they are counted.
        count_key: What a counted contact shares with the planned one; the person always.
        count_outcomes: Only these count; left out: all.
        exclude_outcomes: These do not.
        frequency_consent: What the person agreed to beyond it neither counts nor is barred.
    """

    kind: Literal["cap"]
    max: int = Field(ge=0)
    window: WindowDocument
    count_key: tuple[Key, ...] = ()
    count_outcomes: frozenset[Outcome] = frozenset()
    exclude_outcomes: frozenset[Outcome] = frozenset()
    frequency_consent: bool = False

    def rule(self) -> Rule:
        """As the engine's value."""
        return replace(
            super().rule(),
            limit=self.max,
            window=self.window.type,
            days=self.window.days,
            count_key=_keys(self.count_key),
            count_outcomes=self.count_outcomes,
            exclude_outcomes=self.exclude_outcomes,
            frequency_consent=self.frequency_consent,
        )


class CooldownDocument(_RuleDocument):
    """Rest of ``days`` dates, the first being that of a conversation, or of the beginning of one of ``after_flags``."""

    kind: Literal["cooldown"]
    days: int = Field(ge=1, le=365)
    count_key: tuple[Key, ...] = ()
    after_flags: tuple[str, ...] = ()
    frequency_consent: bool = False

    @model_validator(mode="after")
    def _one_beginning(self) -> CooldownDocument:
        if self.after_flags and (self.count_key or self.frequency_consent):
            raise ValueError("after_flags counts no conversations: neither count_key nor frequency_consent")
        return self

    def rule(self) -> Rule:
        """As the engine's value."""
        return replace(
            super().rule(),
            days=self.days,
            count_key=_keys(self.count_key),
            after_flags=self.after_flags,
            frequency_consent=self.frequency_consent,
        )


class BlockDocument(_RuleDocument):
    """No contact: of these parties, at these places, with such content ..., or while one of ``when_flags`` holds."""

    kind: Literal["block"]
    when_flags: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _not_everything(self) -> BlockDocument:
        conditions = set(_RuleDocument.model_fields) - {"kind", "id", "citation", "effect", "confidence", "valid_from"}
        if not any(getattr(self, name) for name in (conditions | {"when_flags"}) - {"valid_to"}):
            raise ValueError("a block names flags, parties, places, channels, purposes or content")
        return self

    def rule(self) -> Rule:
        """As the engine's value."""
        return replace(super().rule(), when_flags=self.when_flags)


class MediumStopDocument(_RuleDocument):
    """No contact by a medium, or at a number, the person has stopped: flags ``opt_out`` and ``opt_out_<channel>``."""

    kind: Literal["medium_stop"]
    one_reply: bool = False

    def rule(self) -> Rule:
        """As the engine's value: a block by flags."""
        stops = ("opt_out", "opt_out_{channel}")
        return replace(super().rule(), kind="block", when_flags=stops, one_reply=self.one_reply)


class UntilDocument(_RuleDocument):
    """No contact until a date agreed or granted is over: ``until_date`` is the flag whose end says so."""

    kind: Literal["until"]
    until_date: str = Field(pattern=r"^[a-z0-9_]+$")

    def rule(self) -> Rule:
        """As the engine's value: a block by that flag."""
        return replace(super().rule(), kind="block", when_flags=(self.until_date,))


class RequireDocument(_RuleDocument):
    """No contact whose content does not hold ``require_content``."""

    kind: Literal["require"]
    require_content: str = Field(pattern=r"^[a-z0-9_]+$")

    def rule(self) -> Rule:
        """As the engine's value."""
        return replace(super().rule(), require_content=self.require_content)


class FreshnessDocument(_RuleDocument):
    """No contact without evidence at most ``days`` dates old: the beginning of one of the flags ``evidence``."""

    kind: Literal["freshness"]
    days: int = Field(ge=1, le=3650)
    evidence: tuple[str, ...] = Field(min_length=1)

    def rule(self) -> Rule:
        """As the engine's value."""
        return replace(super().rule(), days=self.days, evidence=self.evidence)


class ConsentDocument(_RuleDocument):
    """No contact on ``channels`` without a consent in force for ``purpose``.

    Attributes:
        purpose: What it was given for.
        scopes: How it may be made; one of these must have been consented to; left out: any.
        same_contact_point: It must have been given for that very number or address.
    """

    kind: Literal["consent"]
    purpose: Literal["collection", "service", "hours"]
    scopes: frozenset[Literal["manual", "autodialled", "prerecorded", "ai_voice"]] = frozenset()
    same_contact_point: bool = False

    @field_validator("channels")
    @classmethod
    def _names_channels(cls, channels: frozenset[str]) -> frozenset[str]:
        if not channels:
            raise ValueError("a consent rule names its channels")
        return channels

    def rule(self) -> Rule:
        """As the engine's value."""
        return replace(
            super().rule(),
            consent_purpose=self.purpose,
            consent_scopes=self.scopes,
            same_contact_point=self.same_contact_point,
        )


def _keys(count_key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key for key in count_key if key != "person")


RuleDocument = Annotated[
    HoursDocument
    | InconvenientDocument
    | CapDocument
    | CooldownDocument
    | BlockDocument
    | MediumStopDocument
    | UntilDocument
    | RequireDocument
    | FreshnessDocument
    | ConsentDocument,
    Field(discriminator="kind"),
]
