"""The values the contact rule reads and answers with: rules as data, facts, the planned contact, the decision.

Belongs here: shapes, each field's meaning, and which rule minds which contact. What a rule means stands in ``contact``
and the modules beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arrears.rules.hours import BarredTime, Timetable

# channel, party, place, purpose, content, days past due, local date
Scope = tuple[str, str, str, str, frozenset[str], int | None, date]

ALWAYS = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
KNOWN_OUTCOMES = frozenset(
    {
        "conversation",
        "no_answer",
        "voicemail",
        "voicemail_full",
        "dropped",
        "rejected",
        "busy",
        "not_in_service",
        "unable_to_reach_or_leave_message",
        "delivered",
        "read",
        "sent",
        "received",
    }
)
KNOWN_CHANNELS = frozenset({"sms", "email", "push", "chat", "call", "voice_bot", "voicemail_drop", "letter", "visit"})
MEDIUM = {"voice_bot": "call", "voicemail_drop": "call"}  # who stops calls stops these too


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a pack. An empty set of channels, parties, places or purposes means all of them.

    Attributes:
        id: Stable id, ``<pack>.<what>``.
        citation: Where the rule stands.
        effect: Force of the rule; planning heeds every one of them.
        kind: hours, inconvenient, cap, cooldown, block, require, freshness or consent.
        unless_purposes: Purposes it does not mind, planned or counted.
        unless_content: It does not mind a contact whose content holds one of these.
        when_content: It minds only a contact whose content holds one of these.
        require_content: Require only: what the content must hold.
        unless_dpd_over: It does not mind debts more days past due than this; unknown days do not count as more.
        unless_dpd_under: It does not mind debts fewer days past due than this; unknown days do not count as fewer.
        when_flags: Block only while one of these holds; ``{channel}`` stands for the planned channel and the medium
            it belongs to, ``{place}`` for the planned place.
        unless_flags: The rule is silent while one of these holds.
        unless_consents: The rule is silent while a consent to one of these purposes is in force for the channel.
        one_reply: Silent for one reply to somebody who wrote at a barred time or by a stopped medium.
        timetable: Hours only.
        limit: Cap only: contacts allowed in the window.
        window: Cap only: rolling_days, calendar_day, calendar_week (from Monday), calendar_month or ever.
        days: Length of a rolling window, of a cool-down (the date itself is day 1), or oldest age of evidence.
        count_key: What a counted contact must share with the planned one beside the person concerned:
            party, contact_point, collector, debt.
        count_outcomes: Only contacts with these outcomes count; empty for all.
        exclude_outcomes: These do not count.
        frequency_consent: Contacts made with a consent to frequency neither count nor are barred.
        after_flags: Cool-down only: it begins when one of these flags does, not with a conversation.
        evidence: Freshness only: flags whose start says how old the evidence is.
        consent_purpose: Consent only: purpose that must have been consented to.
        consent_scopes: Consent only: one of these must have been consented to; empty for any.
        same_contact_point: Consent only: given for that very number or address.
    """

    id: str
    citation: str
    effect: str
    kind: str
    pack: str = ""
    confidence: str = ""
    channels: frozenset[str] = frozenset()
    exempt_channels: frozenset[str] = frozenset()
    parties: frozenset[str] = frozenset()
    exempt_parties: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    exempt_places: frozenset[str] = frozenset()
    unless_purposes: frozenset[str] = frozenset()
    unless_content: frozenset[str] = frozenset()
    when_content: frozenset[str] = frozenset()
    require_content: str = ""
    unless_dpd_over: int | None = None
    unless_dpd_under: int | None = None
    when_flags: tuple[str, ...] = ()
    unless_flags: tuple[str, ...] = ()
    unless_consents: tuple[str, ...] = ()
    one_reply: bool = False
    timetable: Timetable | None = None
    limit: int = 0
    window: str = ""
    days: int = 1
    count_key: tuple[str, ...] = ()
    count_outcomes: frozenset[str] = frozenset()
    exclude_outcomes: frozenset[str] = frozenset()
    frequency_consent: bool = False
    after_flags: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    consent_purpose: str = ""
    consent_scopes: frozenset[str] = frozenset()
    same_contact_point: bool = False
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
    """A consent in force from ``given_at`` until before ``ends_at`` (expiry or withdrawal, the earlier).

    Attributes:
        purpose: What for: collection, service, hours, third_person, frequency.
        scope: How: manual, autodialled, prerecorded, ai_voice; "" where it was not said.
        contact_point_id: The number or address it was given for; None: not for one.
        debts: Frequency only: the debts it was given for. A consent linked to none covers none.
    """

    channel: str
    purpose: str
    given_at: datetime
    ends_at: datetime | None = None
    scope: str = ""
    contact_point_id: str | None = None
    debts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PriorContact:
    """A contact so far. No debts named means unknown ones: it counts for each.

    An outcome outside ``KNOWN_OUTCOMES`` (claimed, unknown, handed_over ...) may have been any of them: it counts
    wherever an outcome would.
    """

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
        inconvenient: Times the person has called inconvenient.
        holidays: Public holidays there.
        is_party_known: Whether the source says who the person is.
    """

    zones: tuple[str, ...]
    flags: Sequence[Flag] | None = ()
    history: Sequence[PriorContact] | None = ()
    consents: Sequence[Consent] | None = ()
    inconvenient: Sequence[BarredTime] | None = ()
    holidays: frozenset[date] = frozenset()
    is_party_known: bool = True


@dataclass(frozen=True)
class Planned:
    """One contact somebody would like to make, at an instant or, with ``until``, at any in ``[at, until)``.

    Attributes:
        content: What it holds, in code words: opt_out_notice, debt_words ...
        days_past_due: Of its debts, the oldest; None where unknown.
    """

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
    content: frozenset[str] = frozenset()
    days_past_due: int | None = None

    @property
    def end(self) -> datetime:
        """First instant after the time asked about."""
        return self.until or self.at + MOMENT

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
            self.content,
            self.days_past_due,
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

    def __post_init__(self) -> None:
        """Days past due tell contacts apart only where a rule asks for them."""
        self._asks_dpd = any(
            rule.unless_dpd_over is not None or rule.unless_dpd_under is not None for rule in self.rules
        )

    def of(self, planned: Planned, on: date) -> tuple[Rule, ...]:
        """The rules that mind such a contact on that local date."""
        dpd = planned.days_past_due if self._asks_dpd else None
        scope = (planned.channel, planned.party, planned.place, planned.purpose, planned.content, dpd, on)
        if scope not in self._scopes:
            self._scopes[scope] = tuple(
                rule for rule in self.rules if rule.valid_from <= on < rule.valid_to and minds(rule, planned)
            )
        return self._scopes[scope]


def minds(rule: Rule, planned: Planned) -> bool:
    """Whether the rule is about such a contact: by what is planned alone, whatever the day, the flags, the history."""
    dpd = planned.days_past_due
    return (
        concerns(rule, planned)
        and not rule.unless_content & planned.content
        and (not rule.when_content or bool(rule.when_content & planned.content))
        and not (rule.require_content and rule.require_content in planned.content)
        and not (rule.unless_dpd_over is not None and dpd is not None and dpd > rule.unless_dpd_over)
        and not (rule.unless_dpd_under is not None and dpd is not None and dpd < rule.unless_dpd_under)
    )


def concerns(rule: Rule, contact: Planned | PriorContact) -> bool:
    """Whether the rule is about the contact's channel, party, place and purpose, planned or past.

    A channel that nobody knows may be any that the rule names.
    """
    return (
        (not rule.channels or contact.channel in rule.channels or contact.channel not in KNOWN_CHANNELS)
        and contact.channel not in rule.exempt_channels
        and (not rule.parties or contact.party in rule.parties)
        and contact.party not in rule.exempt_parties
        and (not rule.places or contact.place in rule.places)
        and contact.place not in rule.exempt_places
        and contact.purpose not in rule.unless_purposes
    )


def counts(rule: Rule, contact: PriorContact) -> bool:
    """Whether a cap or a cool-down counts such a contact, its key (party, point, collector, debt) apart.

    A cap counts what went out; a cool-down counts conversations, whoever began them. Where the outcome is not known
    it may have been any.

    Source:
        ARR-CON-02, ARR-CON-03.
    """
    is_open = contact.outcome not in KNOWN_OUTCOMES
    if rule.kind == "cooldown":
        return concerns(rule, contact) and (contact.outcome == "conversation" or is_open)
    return (
        contact.direction != "in"
        and concerns(rule, contact)
        and (not rule.count_outcomes or is_open or contact.outcome in rule.count_outcomes)
        and contact.outcome not in rule.exclude_outcomes
    )


def shares_key(rule: Rule, contact: PriorContact, planned: Planned) -> bool:
    """Whether a past contact shares with the planned one what the rule counts apart; debts are counted one by one.

    What is not said of either may be the same.
    """
    return (
        ("party" not in rule.count_key or may_be(contact.party_id, planned.party_id))
        and ("collector" not in rule.count_key or may_be(contact.collector, planned.collector))
        and ("contact_point" not in rule.count_key or contact.contact_point_id in (None, planned.contact_point_id))
    )


def may_be(one: str, other: str) -> bool:
    """Whether two names may be of the same; "" is the name of nobody knows who."""
    return one == other or not one or not other
