"""May this person be contacted: the one readable definition, pure, asked when planning and again when sending.

Belongs here: what a contact rule means. Which rules bind is data (``include/policies``), read by ``arrears.policy``.
All rules of all packs apply, every one that fires is listed, and a fact that is missing denies.
A day is a local date in the person's first zone; hours hold in every zone the person may be in.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from arrears.rules.contact_values import NEVER, Decision, Facts, Fired, Flag, Planned, PriorContact, Rule, RuleBook
from arrears.rules.hours import (
    HORIZON_DAYS,
    is_open,
    longest,
    midnight,
    next_open,
    next_quarter,
    open_spans,
    zone_named,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from zoneinfo import ZoneInfo

MOMENT = timedelta(microseconds=1)


def may_contact(book: RuleBook, facts: Facts, planned: Planned) -> Decision:
    """Whether the contact may be made at ``planned.at``.

    Args:
        book: Rules that bind.
        facts: What is known.
        planned: The contact; all its instants time-zone-aware.

    Returns:
        Every rule that fires; facts that are missing fire as ``insufficient_facts.*``.

    Source:
        ARR-CON-01..06; GB/T 45251-2025, CBA guideline, 12 CFR 1006.6 and 1006.14 as cited in the packs.
    """
    fired = tuple(rule for rule, _ in _firing(book, facts, planned))
    missing = _missing_facts(book, facts, planned)
    listed = missing + tuple(Fired(rule.id, rule.citation, rule.effect) for rule in fired)
    return Decision(listed, None if missing else _earliest(book, facts, planned))


def contact_window(book: RuleBook, facts: Facts, planned: Planned, until: datetime) -> Decision:
    """Whether, and between which instants, the contact may be made within ``[planned.at, until)``.

    Hours do not deny a day, they narrow it: to the longest span in which every hours rule is open in every zone.
    They deny when there is none. Every other rule must be silent throughout that span.

    Args:
        book: Rules that bind.
        facts: What is known.
        planned: The contact; ``planned.at`` opens the period asked about.
        until: First instant after that period.
    """
    whole = planned.during(planned.at, until)
    missing = _missing_facts(book, facts, whole)
    if missing:
        return Decision(missing + _listed(_firing(book, facts, whole, skip="hours")), None)
    zone = _zones(facts.zones)[0]
    hours = [
        rule
        for rule in book.of(whole, planned.at.astimezone(zone).date())
        if rule.kind == "hours" and not _is_lifted(rule, facts, whole)
    ]
    timetables = tuple(rule.timetable for rule in hours if rule.timetable is not None)
    spans = open_spans(timetables, facts.zones, (planned.at, until), facts.holidays)
    if not spans:
        shut = [
            rule
            for rule in hours
            if rule.timetable and not open_spans((rule.timetable,), facts.zones, (planned.at, until), facts.holidays)
        ]
        barred = tuple(Fired(rule.id, rule.citation, rule.effect) for rule in shut or hours)
        others = _listed(_firing(book, facts, whole, skip="hours"))
        return Decision(barred + others, _earliest(book, facts, planned))
    opening, closing = longest(spans)
    narrowed = planned.during(opening, closing)
    fired = _listed(_firing(book, facts, narrowed, skip="hours"))
    if fired:
        return Decision(fired, _earliest(book, facts, planned.during(opening)))
    return Decision((), opening, opening, closing)


def _listed(firing: Iterable[tuple[Rule, datetime]]) -> tuple[Fired, ...]:
    return tuple(Fired(rule.id, rule.citation, rule.effect) for rule, _ in firing)


# ------------------------------------------------------------------------------------------------- missing facts
def _missing_facts(book: RuleBook, facts: Facts, planned: Planned) -> tuple[Fired, ...]:
    wanting = {
        "pack": not book.rules,
        "party": not facts.is_party_known,
        "contact_point": planned.contact_point_id is None,
        "time_zone": not _zones(facts.zones),
        "flags": facts.flags is None,
        "contact_history": facts.history is None,
        "consent": facts.consents is None and any(rule.kind == "consent" for rule in book.rules),
    }
    return tuple(
        Fired(f"insufficient_facts.{name}", "a fact that is missing denies (ARR-CON-06)", "deny")
        for name, is_missing in wanting.items()
        if is_missing
    )


@lru_cache(maxsize=512)
def _zones(names: tuple[str, ...]) -> tuple[ZoneInfo, ...]:
    """The zones; none at all when one of them cannot be read, for then nobody knows the local time."""
    zones = tuple(zone_named(name) for name in names)
    return tuple(zone for zone in zones if zone is not None) if all(zones) else ()


# ---------------------------------------------------------------------------------------------------- rule kinds
def _firing(book: RuleBook, facts: Facts, planned: Planned, *, skip: str = "") -> list[tuple[Rule, datetime]]:
    """The rules that fire, each with the first instant at which it no longer would (NEVER: no waiting helps)."""
    zones = _zones(facts.zones)
    on = planned.at.astimezone(zones[0] if zones else UTC).date()
    firing = []
    for rule in book.of(planned, on):
        if rule.kind == skip or (rule.unless_flags and _is_lifted(rule, facts, planned)):
            continue
        clears_at = KINDS[rule.kind](rule, facts, planned, zones)
        if clears_at is not None:
            firing.append((rule, min(clears_at, _lifted_from(rule, facts, planned, zones))))
    return firing


def _hours(rule: Rule, facts: Facts, planned: Planned, zones: tuple[ZoneInfo, ...]) -> datetime | None:
    """ARR-CON-01: outside the hours of any zone the person may be in."""
    assert rule.timetable is not None  # noqa: S101  the loader gives every hours rule one
    shut = [zone for zone in zones if not is_open(rule.timetable, planned.at, zone, facts.holidays)]
    if not shut:
        return None
    return max(next_open(rule.timetable, planned.at, zone, facts.holidays) or NEVER for zone in shut)


def _cap(rule: Rule, facts: Facts, planned: Planned, zones: tuple[ZoneInfo, ...]) -> datetime | None:
    """ARR-CON-02: as many outgoing contacts in the window as the limit allows, for any debt of the contact."""
    if facts.history is None or len(facts.history) < rule.limit or not zones:
        return None
    on = planned.at.astimezone(zones[0]).date()
    clears = [_cap_clears(rule, on, dates) for dates in _counted(rule, facts.history, planned, zones[0])]
    latest = max((day for day in clears if day is not None), default=None)
    if latest is None:
        return None
    return NEVER if latest == date.max else midnight(latest, zones[0])


def _cap_clears(rule: Rule, on: date, dates: list[date]) -> date | None:
    """First date at which fewer than ``limit`` of ``dates`` are in the window; None when that is so on ``on``."""
    days = {"calendar_day": 1, "rolling_days": rule.days, "ever": None}[rule.window]
    inside = sorted(day for day in dates if day <= on and (days is None or day > on - timedelta(days=days)))
    if len(inside) < rule.limit:
        return None
    return date.max if days is None or rule.limit == 0 else inside[-rule.limit] + timedelta(days=days)


def _cooldown(rule: Rule, facts: Facts, planned: Planned, zones: tuple[ZoneInfo, ...]) -> datetime | None:
    """ARR-CON-03: a conversation, whoever began it, whose date is day 1 of a rest of ``days`` days."""
    if not facts.history or not zones:
        return None
    on = planned.at.astimezone(zones[0]).date()
    talks = [day for dates in _counted(rule, facts.history, planned, zones[0]) for day in dates if day <= on]
    rested = max(talks, default=date.min) + timedelta(days=rule.days)
    return midnight(rested, zones[0]) if talks and rested > on else None


def _block(rule: Rule, facts: Facts, planned: Planned, _: tuple[ZoneInfo, ...]) -> datetime | None:
    """ARR-CON-04: barred by party, place or purpose, or while a flag holds."""
    if not rule.when_flags:
        return NEVER
    if not facts.flags:
        return None
    holding = _holding(rule.when_flags, facts, planned)
    return max(flag.ends_at or NEVER for flag in holding) if holding else None


def _consent(rule: Rule, facts: Facts, planned: Planned, _: tuple[ZoneInfo, ...]) -> datetime | None:
    """ARR-CON-05: no consent for this channel and purpose in force throughout."""
    if facts.consents is None:
        return None  # listed as insufficient_facts.consent
    fitting = [
        consent
        for consent in facts.consents
        if consent.channel == planned.channel and consent.purpose == rule.consent_purpose
    ]
    until = planned.until or planned.at + MOMENT
    if any(one.given_at <= planned.at and (one.ends_at is None or one.ends_at >= until) for one in fitting):
        return None
    return min((one.given_at for one in fitting if one.given_at > planned.at), default=NEVER)


KINDS: dict[str, Callable[[Rule, Facts, Planned, tuple[ZoneInfo, ...]], datetime | None]] = {
    "hours": _hours,
    "cap": _cap,
    "cooldown": _cooldown,
    "block": _block,
    "consent": _consent,
}


def _is_lifted(rule: Rule, facts: Facts, planned: Planned) -> bool:
    """Whether a flag silences the rule throughout the time asked about."""
    until = planned.until or planned.at + MOMENT
    return any(
        flag.starts_at <= planned.at and (flag.ends_at is None or flag.ends_at >= until)
        for flag in _concerning(rule.unless_flags, facts, planned)
    )


def _lifted_from(rule: Rule, facts: Facts, planned: Planned, zones: tuple[ZoneInfo, ...]) -> datetime:
    """First later instant at which a flag, or the rule's own end, will silence it; NEVER when none is known."""
    starts = [flag.starts_at for flag in _concerning(rule.unless_flags, facts, planned)]
    end = [midnight(rule.valid_to, zones[0])] if zones and rule.valid_to < date.max else []
    return min((at for at in starts + end if at > planned.at), default=NEVER)


def _holding(codes: tuple[str, ...], facts: Facts, planned: Planned) -> list[Flag]:
    """The flags of these codes that hold for this contact at any instant asked about."""
    until = planned.until or planned.at + MOMENT
    return [
        flag
        for flag in _concerning(codes, facts, planned)
        if flag.starts_at < until and (flag.ends_at is None or flag.ends_at > planned.at)
    ]


def _concerning(codes: tuple[str, ...], facts: Facts, planned: Planned) -> list[Flag]:
    """The flags of these codes about the person, the planned contact point or a loan of the contact."""
    if not codes or not facts.flags:
        return []
    wanted = {code.replace("{channel}", planned.channel) for code in codes}
    return [
        flag
        for flag in facts.flags
        if flag.code in wanted
        and (flag.loan_id is None or flag.loan_id in planned.debts)
        and flag.contact_point_id in (None, planned.contact_point_id)
    ]


def _counted(rule: Rule, history: Sequence[PriorContact], planned: Planned, zone: ZoneInfo) -> list[list[date]]:
    """Local dates of the contacts that count, one list for each debt where debts are counted apart."""
    counted = [contact for contact in history if _counts(rule, contact, planned)]
    debts: Iterable[str | None] = sorted(planned.debts) if "debt" in rule.count_key and planned.debts else (None,)
    return [
        [
            contact.at.astimezone(zone).date()
            for contact in counted
            if debt is None or not contact.debts or debt in contact.debts
        ]
        for debt in debts
    ]


def _counts(rule: Rule, contact: PriorContact, planned: Planned) -> bool:
    is_talk = rule.kind == "cooldown"
    return (
        (contact.outcome == "conversation" if is_talk else contact.direction == "out")
        and (not rule.channels or contact.channel in rule.channels)
        and contact.channel not in rule.exempt_channels
        and (not rule.parties or contact.party in rule.parties)
        and contact.party not in rule.exempt_parties
        and (not rule.places or contact.place in rule.places)
        and contact.purpose not in rule.unless_purposes
        and (not rule.count_outcomes or contact.outcome in rule.count_outcomes)
        and contact.outcome not in rule.exclude_outcomes
        and ("party" not in rule.count_key or contact.party_id == planned.party_id)
        and ("collector" not in rule.count_key or contact.collector == planned.collector)
        and ("contact_point" not in rule.count_key or contact.contact_point_id in (None, planned.contact_point_id))
    )


# --------------------------------------------------------------------------------------------------- earliest time
def _earliest(book: RuleBook, facts: Facts, planned: Planned) -> datetime | None:
    """First quarter hour from ``planned.at`` at which nothing fires.

    Each rule says when it alone would fall silent; no common answer can be earlier than the latest of them, so
    stepping to it and asking again until nothing fires finds the first.
    """
    at = next_quarter(planned.at)
    last = planned.at + timedelta(days=HORIZON_DAYS)
    while at <= last:
        firing = _firing(book, facts, planned.during(at))
        if not firing:
            return at
        latest = max(clears_at for _, clears_at in firing)
        if latest == NEVER:
            return None
        at = next_quarter(latest)
    return None
