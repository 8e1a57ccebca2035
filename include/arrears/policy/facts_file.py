"""Files of facts: packs, what is known, one planned contact, and where it is a worked case the answer expected.

Belongs here: the shape of such a file (``tests/policy/cases.yaml`` is one) and the values it becomes. A file holds
``cases``, or is one. Beside the keys named here a case may hold words for its readers; its facts may not.
Defaults of a contact: direction out, outcome no_answer, party consumer, collector A, debts [D1], place personal,
number n1, purpose collection.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, model_validator

from arrears.policy.documents import Document, read_document
from arrears.policy.packs import load_rules
from arrears.policy.rule_documents import WEEKDAYS, Channel, Weekday, minutes_of
from arrears.rules.contact import zones_of
from arrears.rules.contact_values import ALWAYS, Consent, Facts, Flag, Planned, PriorContact
from arrears.rules.hours import DAY_MINUTES, BarredTime, midnight

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from arrears.rules.contact_values import RuleBook


def _clock(value: object) -> int:
    """``"06:00"``, or the number YAML makes of an unquoted 13:00: both are minutes after midnight."""
    return value if isinstance(value, int) and 0 <= value <= DAY_MINUTES else minutes_of(value)


def _day(value: object) -> object:
    """A date, quoted or not."""
    return value.date() if isinstance(value, datetime) else value


def _code(value: object) -> object:
    """A code word as the packs write it: no typist's capital may keep a rule from seeing it."""
    return value.strip().lower() if isinstance(value, str) else value


Code = Annotated[str, BeforeValidator(_code)]
Clock = Annotated[int, BeforeValidator(_clock)]
Day = Annotated[date, BeforeValidator(_day)]


class FactDocument(Document):
    """Base of every fact: an unknown key is a mistake, for nobody would heed it; ``note`` is for readers."""

    note: str = ""


class ConsumerDocument(FactDocument):
    """The person.

    Attributes:
        timezones: Zones the person may be in; the first decides the local date. Empty: nobody knows.
        public_holidays: There.
    """

    timezones: tuple[str, ...]
    public_holidays: tuple[Day, ...] = ()


class FlagDocument(FactDocument):
    """A flag with its time and its subject; a flag that is only named holds always, for the person."""

    code: Code
    starts_at: AwareDatetime = ALWAYS
    ends_at: AwareDatetime | None = None
    loan_id: str | None = None
    contact_point_id: str | None = None

    def value(self) -> Flag:
        """As the engine's value."""
        return Flag(self.code, self.starts_at, self.ends_at, self.loan_id, self.contact_point_id)


class MediumStopDocument(FactDocument):
    """A request to stop a medium, a number or address, or one by the other."""

    channel: Channel | None = None
    number: str | None = None
    given_at: AwareDatetime = ALWAYS
    withdrawn_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _stops_something(self) -> MediumStopDocument:
        if self.channel is None and self.number is None:
            raise ValueError("a stop names a channel, a number, or both")
        return self

    def value(self) -> Flag:
        """As the engine's value."""
        code = f"opt_out_{self.channel}" if self.channel else "opt_out"
        return Flag(code, self.given_at, self.withdrawn_at, None, self.number)


class ConsentFactDocument(FactDocument):
    """A consent to a channel and purpose."""

    channel: Channel
    purpose: Literal["collection", "service", "hours", "third_person"] = "collection"
    given_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    scope: Literal["manual", "autodialled", "prerecorded", "ai_voice", ""] = ""
    number: str | None = None

    def value(self) -> Consent:
        """As the engine's value."""
        return Consent(self.channel, self.purpose, self.given_at, self.ends_at, self.scope, self.number)


class FrequencyConsentDocument(FactDocument):
    """A consent to be contacted about these debts more often than a rule allows, for seven dates at most."""

    channel: Channel = "call"
    given_at: AwareDatetime
    valid_through: Day | None = None
    revoked_at: AwareDatetime | None = None
    debts: tuple[str, ...] = ("D1",)

    def value(self, zone: ZoneInfo | None) -> Consent:
        """As the engine's value; the last day is one of the person's."""
        ends = [_after(self.valid_through, zone), self.revoked_at]
        ends_at = min((end for end in ends if end is not None), default=None)
        return Consent(self.channel, "frequency", self.given_at, ends_at, debts=frozenset(self.debts))


class InconvenientTimeDocument(FactDocument):
    """A time of the week the person has called inconvenient; one that ends at or before its start ends a day later."""

    days: tuple[Weekday, ...] = WEEKDAYS
    start: Clock = 0
    end: Clock = DAY_MINUTES
    channels: tuple[Channel, ...] = ()

    def value(self) -> BarredTime:
        """As the engine's value."""
        weekdays = frozenset(WEEKDAYS.index(day) for day in self.days)
        return BarredTime(weekdays, self.start, self.end, frozenset(self.channels))


class _ContactDocument(FactDocument):
    ts: AwareDatetime
    channel: Channel
    party: Code = "consumer"
    party_id: str | None = None
    place: Code = "personal"
    purpose: Code = "collection"
    collector: str = "A"
    debts: tuple[str, ...] = ("D1",)
    number: str | None = "n1"

    def common(self) -> dict[str, Any]:
        """What a planned contact and one so far share."""
        return {
            "at": self.ts,
            "channel": self.channel,
            "contact_point_id": self.number,
            "party": self.party,
            "party_id": self.party_id or self.party,
            "place": self.place,
            "purpose": self.purpose,
            "collector": self.collector,
            "debts": frozenset(self.debts),
        }


class PriorContactDocument(_ContactDocument):
    """A contact so far."""

    direction: Literal["out", "in"] = "out"
    outcome: Code = "no_answer"
    content: tuple[Code, ...] = ()

    def value(self) -> PriorContact:
        """As the engine's value."""
        return PriorContact(**self.common(), direction=self.direction, outcome=self.outcome)


class PlannedDocument(_ContactDocument):
    """The contact somebody would like to make."""

    direction: Literal["out"] = "out"
    content: tuple[Code, ...] = ()

    def value(self, days_past_due: int | None) -> Planned:
        """As the engine's value."""
        return Planned(**self.common(), content=frozenset(self.content), days_past_due=days_past_due)


class GivenDocument(FactDocument):
    """What is known.

    Attributes:
        flags: Codes, or codes with their time and subject.
        medium_stops: Media and numbers the person has stopped.
        consents: Consents to a channel.
        frequency_consents: Consents to be contacted more often.
        inconvenient: Times called inconvenient.
        inconvenient_places: Places called inconvenient.
        dates: Last day of a deferral or a breathing space, by the name a pack gives it.
        days_past_due: Of the debts; left out: nobody knows.
        sms: When something last confirmed that the number is the person's, by what it was.
        prior_contacts: Contacts so far.
    """

    consumer: ConsumerDocument
    flags: tuple[Code | FlagDocument, ...] = ()
    medium_stops: tuple[MediumStopDocument, ...] = ()
    consents: tuple[ConsentFactDocument, ...] = ()
    frequency_consents: tuple[FrequencyConsentDocument, ...] = ()
    inconvenient: tuple[InconvenientTimeDocument, ...] = ()
    inconvenient_places: tuple[Code, ...] = ()
    dates: dict[Code, Day] = Field(default_factory=dict)
    days_past_due: int | None = Field(default=None, ge=0)
    sms: dict[str, AwareDatetime] = Field(default_factory=dict)
    prior_contacts: tuple[PriorContactDocument, ...] = ()

    def value(self) -> Facts:
        """As the engine's value."""
        zones = zones_of(self.consumer.timezones)
        zone = zones[0] if zones else None
        flags = [Flag(flag) if isinstance(flag, str) else flag.value() for flag in self.flags]
        flags += [stop.value() for stop in self.medium_stops]
        flags += [Flag(f"inconvenient_place_{place}") for place in self.inconvenient_places]
        flags += [Flag(name, ends_at=_after(last, zone)) for name, last in self.dates.items()]
        flags += [Flag("number_confirmed", starts_at=at) for at in self.sms.values()]
        consents = [consent.value() for consent in self.consents]
        return Facts(
            zones=self.consumer.timezones,
            flags=flags,
            history=[contact.value() for contact in self.prior_contacts],
            consents=consents + [consent.value(zone) for consent in self.frequency_consents],
            inconvenient=[time.value() for time in self.inconvenient],
            holidays=frozenset(self.consumer.public_holidays),
        )


class ExpectedDocument(Document):
    """The answer a reader of the rule would give; on allow, ``rule_id`` is the rule under test."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    decision: Literal["allow", "deny"]
    rule_id: str
    earliest_allowed: AwareDatetime | None = None

    @property
    def names_earliest(self) -> bool:
        """Whether it says when, "never" included."""
        return "earliest_allowed" in self.model_fields_set


class CaseDocument(Document):
    """Facts and one planned contact."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = "contact"
    packs: tuple[str, ...] = Field(min_length=1)
    given: GivenDocument
    planned: PlannedDocument
    expected: ExpectedDocument | None = None

    @property
    def question(self) -> tuple[Facts, Planned]:
        """As the engine's values."""
        return self.given.value(), self.planned.value(self.given.days_past_due)

    def book(self, folder: Path) -> RuleBook:
        """The rules of its packs, whomever they bind."""
        return load_rules(self.packs, folder)


class FactsFile(Document):
    """A file of cases, or one case that is a file."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    cases: tuple[CaseDocument, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _one_case(cls, content: dict[str, Any]) -> dict[str, Any]:
        return content if "cases" in content else {"cases": [content]}


def read_facts(path: Path) -> tuple[CaseDocument, ...]:
    """Every case of a file.

    Raises:
        ConfigurationError: Anything in it is wrong, by file, line and key.
    """
    return read_document(path, FactsFile).cases


def _after(last: date | None, zone: ZoneInfo | None) -> datetime | None:
    """First instant after a local date; None where it is not known, which is for ever."""
    return None if last is None or zone is None else midnight(last + timedelta(days=1), zone)
