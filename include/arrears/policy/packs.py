"""Contact packs ``include/policies/<pack>.yaml``: what a file may say, and the rules it becomes.

Belongs here: the shape of a pack and its readable mistakes. What a rule means stands in ``rules.contact``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal

import holidays
from pydantic import BeforeValidator, Field, field_validator, model_validator

from arrears.errors import ConfigurationError
from arrears.policy.documents import Document, read_document
from arrears.rules.contact_values import Rule, RuleBook
from arrears.rules.hours import HORIZON_DAYS, Minutes, Timetable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Channel = Literal["sms", "email", "push", "call", "voice_bot", "letter", "visit"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|(24):(00)")


def _minutes(value: object) -> Minutes:
    """``["08:00", "22:00"]`` as minutes after midnight."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:  # noqa: PLR2004  from and to
        raise ValueError('two times, such as ["08:00", "22:00"]')
    found = [CLOCK.fullmatch(part) if isinstance(part, str) else None for part in value]
    if not all(found):
        raise ValueError('quoted times from "00:00" to "24:00"')
    opening, closing = (int(match[0][:2]) * 60 + int(match[0][3:]) for match in found if match)
    if opening >= closing:
        raise ValueError("the window is empty")
    return opening, closing


Window = Annotated[Minutes, BeforeValidator(_minutes)]


class _RuleDocument(Document):
    """What every rule says of itself.

    Attributes:
        kind: hours, cap, cooldown, block or consent.
        id: ``<pack>.<what>``, or another authority's name before the dot.
        citation: Where it stands.
        effect: Its force; planning heeds every one.
        confidence: How sure we are that the law says so.
        channels: Channels it minds; left out: all.
        exempt_channels: Channels it does not mind.
        parties: Relations to the debtor it minds (consumer, relative ...); left out: all.
        exempt_parties: Relations it does not mind.
        places: Places it minds; left out: all.
        unless_purposes: Purposes it does not mind, planned or counted.
        unless_flags: Flags that silence it.
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
    unless_purposes: frozenset[str] = frozenset()
    unless_flags: tuple[str, ...] = ()
    valid_from: date = date.min
    valid_to: date = date.max

    @model_validator(mode="after")
    def _valid_for_a_time(self) -> _RuleDocument:
        if self.valid_from >= self.valid_to:
            raise ValueError("valid_to is after valid_from")
        return self

    def _common(self) -> Rule:
        names = set(_RuleDocument.model_fields) - {"confidence"}
        return Rule(**{name: getattr(self, name) for name in names})


class HoursDocument(_RuleDocument):
    """Hours in which contact is lawful.

    Attributes:
        all_days: The same hours every day; or
        days: Hours by weekday, null where the day is barred.
        holiday: Hours of public holidays, null where they are barred; left out, a holiday is a weekday.
    """

    kind: Literal["hours"]
    all_days: Window | None = None
    days: dict[Weekday, Window | None] | None = None
    holiday: Window | None = None

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
        return replace(self._common(), timetable=timetable)


class WindowDocument(Document):
    """The window a cap counts in."""

    type: Literal["calendar_day", "rolling_days", "ever"]
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
        count_key: What a counted contact shares with the planned one, beside the person: [] counts every contact.
        count_outcomes: Only these count; left out: all.
        exclude_outcomes: These do not.
    """

    kind: Literal["cap"]
    max: int = Field(ge=0)
    window: WindowDocument
    count_key: tuple[Literal["party", "contact_point", "collector", "debt"], ...] = ()
    count_outcomes: frozenset[str] = frozenset()
    exclude_outcomes: frozenset[str] = frozenset()

    def rule(self) -> Rule:
        """As the engine's value."""
        return replace(
            self._common(),
            limit=self.max,
            window=self.window.type,
            days=self.window.days,
            count_key=self.count_key,
            count_outcomes=self.count_outcomes,
            exclude_outcomes=self.exclude_outcomes,
        )


class CooldownDocument(_RuleDocument):
    """Rest after a conversation: its date is day 1 of ``days``."""

    kind: Literal["cooldown"]
    days: int = Field(ge=1, le=365)
    count_key: tuple[Literal["party", "contact_point", "collector", "debt"], ...] = ()

    def rule(self) -> Rule:
        """As the engine's value."""
        return replace(self._common(), days=self.days, count_key=self.count_key)


class BlockDocument(_RuleDocument):
    """No contact: of these parties or at these places, or while one of ``when_flags`` holds."""

    kind: Literal["block"]
    when_flags: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _not_everything(self) -> BlockDocument:
        if not (self.when_flags or self.parties or self.places or self.channels):
            raise ValueError("a block names flags, parties, places or channels")
        return self

    def rule(self) -> Rule:
        """As the engine's value."""
        return replace(self._common(), when_flags=self.when_flags)


class ConsentDocument(_RuleDocument):
    """No contact on ``channels`` without a consent in force for ``purpose``."""

    kind: Literal["consent"]
    purpose: Literal["collection", "service", "hours"]

    @field_validator("channels")
    @classmethod
    def _names_channels(cls, channels: frozenset[str]) -> frozenset[str]:
        if not channels:
            raise ValueError("a consent rule names its channels")
        return channels

    def rule(self) -> Rule:
        """As the engine's value."""
        return replace(self._common(), consent_purpose=self.purpose)


class PackDocument(Document):
    """One pack file.

    Attributes:
        pack: File name.
        title: Words for people.
        leaves_out: What the law says beside, and this pack does not check.
        rules: At least one.
    """

    pack: str
    title: str = Field(min_length=1)
    leaves_out: tuple[str, ...] = ()
    rules: tuple[
        Annotated[
            HoursDocument | CapDocument | CooldownDocument | BlockDocument | ConsentDocument,
            Field(discriminator="kind"),
        ],
        ...,
    ] = Field(min_length=1)

    @field_validator("rules")
    @classmethod
    def _ids_differ(cls, rules: tuple[_RuleDocument, ...]) -> tuple[_RuleDocument, ...]:
        ids = [rule.id for rule in rules]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"an id twice: {', '.join(twice)}")
        return rules


def load_pack(path: Path) -> PackDocument:
    """Read one pack file.

    Raises:
        ConfigurationError: Anything in it is wrong, by file, line and key.
    """
    pack = read_document(path, PackDocument)
    if pack.pack != path.stem:
        raise ConfigurationError(f"pack {pack.pack!r}", f"the file's name {path.stem!r}", path.name)
    return pack


def load_rules(packs: Sequence[str], folder: Path) -> RuleBook:
    """The rules of several packs together: all apply.

    Args:
        packs: File names without suffix.
        folder: Where they are.

    Raises:
        ConfigurationError: A file is wrong, or two packs use one rule id.
    """
    rules = tuple(rule.rule() for name in packs for rule in load_pack(folder / f"{name}.yaml").rules)
    ids = [rule.id for rule in rules]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ConfigurationError(f"rule ids {', '.join(twice)} in two packs", "an id of its own each", ", ".join(packs))
    return RuleBook(rules)


@lru_cache(maxsize=64)
def public_holidays(country: str, day: date) -> frozenset[date]:
    """Public holidays from that day's year on, as far as an earliest time may lie.

    Args:
        country: ISO 3166 code.
        day: Business date.

    Raises:
        ConfigurationError: The ``holidays`` library does not know the country.
    """
    years = range(day.year - 1, day.year + 2 + HORIZON_DAYS // 365)
    try:
        return frozenset(holidays.country_holidays(country, years=years))
    except NotImplementedError:
        raise ConfigurationError(
            f"holidays {country!r}", "a country of the holidays library", "portfolio.yaml"
        ) from None
