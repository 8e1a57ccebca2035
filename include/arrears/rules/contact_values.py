"""The values the contact rule reads and answers with: rules as data, facts, the planned contact, the decision.

Belongs here: shapes, each field's meaning, nothing that decides. What a rule means stands in ``contact``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arrears.rules.hours import Timetable

Scope = tuple[str, str, str, str, date]  # channel, party, place, purpose, local date

ALWAYS = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a pack. An empty set of channels, parties, places or purposes means all of them.

    Attributes:
        id: Stable id, ``<pack>.<what>``.
        citation: Where the rule stands.
        effect: Force of the rule; planning heeds every one of them.
        kind: hours, cap, cooldown, block or consent.
        when_flags: Block only while one of these holds; ``{channel}`` stands for the planned channel.
        unless_flags: The rule is silent while one of these holds.
        timetable: Hours only.
        limit: Cap only: contacts allowed in the window.
        window: Cap only: calendar_day, rolling_days or ever.
        days: Length of a rolling window or a cool-down; the date itself is day 1.
        count_key: What a counted contact must share with the planned one beside the person concerned:
            party, contact_point, collector, debt.
        count_outcomes: Only contacts with these outcomes count; empty for all.
        exclude_outcomes: These do not count.
        consent_purpose: Consent only: purpose that must have been consented to.
    """

    id: str
    citation: str
    effect: str
    kind: str
    channels: frozenset[str] = frozenset()
    exempt_channels: frozenset[str] = frozenset()
    parties: frozenset[str] = frozenset()
    exempt_parties: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    unless_purposes: frozenset[str] = frozenset()
    when_flags: tuple[str, ...] = ()
    unless_flags: tuple[str, ...] = ()
    timetable: Timetable | None = None
    limit: int = 0
    window: str = ""
    days: int = 1
    count_key: tuple[str, ...] = ()
    count_outcomes: frozenset[str] = frozenset()
    exclude_outcomes: frozenset[str] = frozenset()
    consent_purpose: str = ""
    valid_from: date = date.min
    valid_to: date = date.max


@dataclass(frozen=True)
class Flag:
    """A fact that holds from ``starts_at`` until before ``ends_at`` (None: until further notice).

    It concerns the person, unless it names a loan or a contact point.
    """

    code: str
    starts_at: datetime = ALWAYS
    ends_at: datetime | None = None
    loan_id: str | None = None
    contact_point_id: str | None = None


@dataclass(frozen=True)
class Consent:
    """A consent in force from ``given_at`` until before ``ends_at`` (expiry or withdrawal, the earlier)."""

    channel: str
    purpose: str
    given_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True)
class PriorContact:
    """A contact so far. No debts named means unknown ones: it counts for each."""

    at: datetime
    channel: str
    outcome: str
    direction: str = "out"
    purpose: str = "collection"
    party: str = "consumer"
    party_id: str = ""
    place: str = "personal"
    contact_point_id: str | None = None
    collector: str = ""
    debts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Facts:
    """What is known of a person. None means nobody can say, which denies; empty means there is none.

    Attributes:
        zones: IANA zones the person may be in; the first decides the local date.
        holidays: Public holidays there.
        is_party_known: Whether the source says who the person is.
    """

    zones: tuple[str, ...]
    flags: Sequence[Flag] | None = ()
    history: Sequence[PriorContact] | None = ()
    consents: Sequence[Consent] | None = ()
    holidays: frozenset[date] = frozenset()
    is_party_known: bool = True


@dataclass(frozen=True)
class Planned:
    """One contact somebody would like to make, at an instant or, with ``until``, at any in ``[at, until)``."""

    at: datetime
    channel: str
    contact_point_id: str | None
    party: str = "consumer"
    party_id: str = ""
    place: str = "personal"
    purpose: str = "collection"
    collector: str = ""
    debts: frozenset[str] = frozenset()
    until: datetime | None = None

    def during(self, at: datetime, until: datetime | None = None) -> Planned:
        """The same contact at another time."""
        return Planned(
            at,
            self.channel,
            self.contact_point_id,
            self.party,
            self.party_id,
            self.place,
            self.purpose,
            self.collector,
            self.debts,
            until,
        )


@dataclass(frozen=True)
class Fired:
    """A rule that forbids."""

    rule_id: str
    citation: str
    effect: str


@dataclass(frozen=True)
class Decision:
    """The answer.

    Attributes:
        fired: Every rule that forbids, in pack order.
        earliest_at: First quarter hour at which nothing fires, the facts held constant; None when no waiting helps.
        not_before_at: For a day: first lawful instant; None when denied.
        not_after_at: For a day: first instant too late; None when denied.
    """

    fired: tuple[Fired, ...]
    earliest_at: datetime | None
    not_before_at: datetime | None = None
    not_after_at: datetime | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether nothing fired."""
        return not self.fired


@dataclass
class RuleBook:
    """The rules that bind a portfolio, in pack order, with those of each kind of contact looked up once."""

    rules: tuple[Rule, ...]
    _scopes: dict[Scope, tuple[Rule, ...]] = field(default_factory=dict, repr=False)

    def of(self, planned: Planned, on: date) -> tuple[Rule, ...]:
        """The rules that mind such a contact on that local date."""
        scope = (planned.channel, planned.party, planned.place, planned.purpose, on)
        if scope not in self._scopes:
            self._scopes[scope] = tuple(rule for rule in self.rules if _minds(rule, scope))
        return self._scopes[scope]


def _minds(rule: Rule, scope: Scope) -> bool:
    channel, party, place, purpose, on = scope
    return (
        (not rule.channels or channel in rule.channels)
        and channel not in rule.exempt_channels
        and (not rule.parties or party in rule.parties)
        and party not in rule.exempt_parties
        and (not rule.places or place in rule.places)
        and purpose not in rule.unless_purposes
        and rule.valid_from <= on < rule.valid_to
    )
