"""Caps and rests: how many contacts so far count, and from when there is room for another.

Belongs here: counting windows, cool-downs, and consent to frequency, which exempts from both. Every day is a local
date in the person's first zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from arrears.rules.contact_values import ALWAYS, NEVER, counts, shares_key
from arrears.rules.hours import midnight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo
    from zoneinfo import ZoneInfo

    from arrears.rules.contact_values import Consent, Facts, Flag, Planned, PriorContact, Rule

FREQUENCY_CONSENT_DAYS = 7  # 12 CFR 1006.14(b)(3)(i): the day it is received is day 1


def cap_clears(rule: Rule, facts: Facts, planned: Planned, zone: ZoneInfo) -> datetime | None:
    """When a cap has room again; None when it has room for every debt of the contact.

    Source:
        ARR-CON-02: as many outgoing contacts in the window as the limit allows bar another.
    """
    if facts.history is None or len(facts.history) < rule.limit:
        return None
    on = planned.at.astimezone(zone).date()
    counted = [contact for contact in facts.history if counts(rule, contact) and shares_key(rule, contact, planned)]
    clears = []
    for debt in _debts(rule, planned):
        known = Frequency.of(rule, facts, planned, debt, zone)
        if known.covers(planned.at):
            continue
        dates = [
            contact.at.astimezone(zone).date()
            for contact in counted
            if _is_about(contact, debt) and not known.covers(contact.at)
        ]
        full_until = _room_on(rule, on, dates)
        if full_until is not None:
            room_at = NEVER if full_until == date.max else midnight(full_until, zone)
            clears.append(min(room_at, known.next_after(planned.at)))
    return max(clears, default=None)


def cooldown_clears(rule: Rule, facts: Facts, planned: Planned, zone: ZoneInfo) -> datetime | None:
    """When the rest after the last conversation is over; None when it is over for every debt of the contact.

    Source:
        ARR-CON-03: the conversation's date, whoever began it, is day 1 of ``days``.
    """
    on = planned.at.astimezone(zone).date()
    talks = [contact for contact in facts.history or () if counts(rule, contact) and shares_key(rule, contact, planned)]
    clears = []
    for debt in _debts(rule, planned):
        known = Frequency.of(rule, facts, planned, debt, zone)
        if known.covers(planned.at):
            continue
        days = [contact.at.astimezone(zone).date() for contact in talks if _is_about(contact, debt)]
        last = max((day for day in days if day <= on), default=None)
        if last is not None and last + timedelta(days=rule.days) > on:
            rested_at = midnight(last + timedelta(days=rule.days), zone)
            clears.append(min(rested_at, known.next_after(planned.at)))
    return max(clears, default=None)


def rest_after_flags_clears(rule: Rule, flags: Iterable[Flag], planned: Planned, zone: ZoneInfo) -> datetime | None:
    """When the rest after the latest of these flags began is over; its first date is day 1, its end changes nothing.

    A flag of unknown beginning counts from its end: the rest is over then at the latest.
    """
    clears = []
    for flag in flags:
        began = flag.ends_at if flag.starts_at == ALWAYS else flag.starts_at
        began = None if began is None or began.year == NEVER.year else began  # some sources' word for "no end"
        if flag.starts_at < planned.end:
            rested = None if began is None else began.astimezone(zone).date() + timedelta(days=rule.days)
            clears.append(NEVER if rested is None else midnight(rested, zone))
    latest = max(clears, default=None)
    return None if latest is None or latest <= planned.at else latest


class Frequency:
    """The consents to be contacted more often than a rule allows, for one debt of one person.

    A consent covers contacts on its channel for at most seven dates, until its own end, and until the next
    conversation about the debt; the conversation itself may be the contact it covers.
    """

    def __init__(self, consents: Sequence[Consent], talks: Sequence[datetime], zone: tzinfo) -> None:
        self.consents, self.talks, self.zone = consents, talks, zone

    @classmethod
    def of(cls, rule: Rule, facts: Facts, planned: Planned, debt: str | None, zone: ZoneInfo) -> Frequency:
        """What the rule heeds of them; a consent linked to no debt covers none."""
        if not rule.frequency_consent or debt is None:
            return NO_FREQUENCY
        consents = [
            consent
            for consent in facts.consents or ()
            if consent.purpose == "frequency" and consent.channel == planned.channel and debt in consent.debts
        ]
        if not consents:
            return NO_FREQUENCY
        talks = [
            contact.at
            for contact in facts.history or ()
            if contact.outcome == "conversation" and contact.party_id == planned.party_id and _is_about(contact, debt)
        ]
        return cls(consents, talks, zone)

    def covers(self, at: datetime) -> bool:
        """Whether a contact at that instant was or would be made with such a consent."""
        return any(
            consent.given_at <= at
            and (consent.ends_at is None or at < consent.ends_at)
            and (at.astimezone(self.zone).date() - consent.given_at.astimezone(self.zone).date()).days
            < FREQUENCY_CONSENT_DAYS
            and not any(consent.given_at < talk < at for talk in self.talks)
            for consent in self.consents
        )

    def next_after(self, at: datetime) -> datetime:
        """First later instant at which one is given; NEVER when none is known."""
        return min((consent.given_at for consent in self.consents if consent.given_at > at), default=NEVER)


def _debts(rule: Rule, planned: Planned) -> Sequence[str | None]:
    """The debts counted apart; one None where they are counted together or none is named."""
    return sorted(planned.debts) if ("debt" in rule.count_key or rule.frequency_consent) and planned.debts else (None,)


def _is_about(contact: PriorContact, debt: str | None) -> bool:
    return debt is None or not contact.debts or debt in contact.debts


def _room_on(rule: Rule, on: date, dates: list[date]) -> date | None:
    """First date on which fewer than ``limit`` of ``dates`` are in the window (date.max: none); None if so today."""
    first = window_start(rule, on)
    inside = sorted(day for day in dates if first <= day <= on)
    if len(inside) < rule.limit:
        return None
    if rule.limit == 0 or rule.window == "ever":
        return date.max
    if rule.window == "rolling_days":
        return inside[-rule.limit] + timedelta(days=rule.days)
    if rule.window == "calendar_week":
        return first + timedelta(days=7)
    if rule.window == "calendar_month":
        return (first + timedelta(days=31)).replace(day=1)
    return on + timedelta(days=1)


def window_start(rule: Rule, on: date) -> date:
    """First date of the window a cap counts in on ``on``, which is its last date that matters."""
    if rule.window == "ever":
        return date.min
    if rule.window == "rolling_days":
        return on - timedelta(days=rule.days - 1)
    if rule.window == "calendar_week":
        return on - timedelta(days=on.weekday())
    return on.replace(day=1) if rule.window == "calendar_month" else on


NO_FREQUENCY = Frequency((), (), UTC)
