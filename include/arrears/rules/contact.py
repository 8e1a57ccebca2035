"""May this person be contacted: the one readable definition, pure, asked when planning and again when sending.

Belongs here: the decision over all rules, and the earliest time. What one rule means stands in ``contact_kinds``;
which rules bind is data (``include/policies``), read by ``arrears.policy``. All rules of all packs apply, every one
that fires is listed, and a fact that is missing denies. A day is a local date in the person's first zone; hours hold
in every zone the person may be in.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from arrears.errors import RuleInputError
from arrears.rules.contact_kinds import TIMING, clears_at, is_lifted
from arrears.rules.contact_values import KNOWN_CHANNELS, Decision, Facts, Fired, Planned, Rule, RuleBook
from arrears.rules.hours import HORIZON_DAYS, Span, free_spans, longest, next_quarter, open_spans, zone_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

UNKNOWN_PARTIES = ("", "unknown")


def may_contact(book: RuleBook, facts: Facts, planned: Planned) -> Decision:
    """Whether the contact may be made at ``planned.at``.

    Args:
        book: Rules that bind.
        facts: What is known.
        planned: The contact; all its instants time-zone-aware.

    Returns:
        Every rule that fires, in pack order; facts that are missing fire as ``insufficient_facts.*``. The earliest time
        of an allowed contact is ``planned.at``.

    Raises:
        RuleInputError: An instant without a time zone: nobody can say when it was.

    Source:
        ARR-CON-01..11; the laws as cited in the packs.
    """
    _refuse_naive(facts, planned)
    missing = _missing_facts(book, facts, planned)
    fired = missing + _listed(_firing(book, facts, planned))
    if not fired:
        return Decision((), planned.at)
    return Decision(fired, None if missing else _earliest(book, facts, planned))


def contact_window(book: RuleBook, facts: Facts, planned: Planned, until: datetime) -> Decision:
    """Whether, and between which instants, the contact may be made within ``[planned.at, until)``.

    Hours and inconvenient times do not deny a day, they narrow it: to the longest span in which every hours rule is
    open, and nothing is called inconvenient, in every zone. They deny when there is none. Every other rule must be
    silent throughout that span. A reply that hours would tolerate is for the moment of sending, not for a plan.

    Args:
        book: Rules that bind.
        facts: What is known.
        planned: The contact; ``planned.at`` opens the period asked about.
        until: First instant after that period.

    Raises:
        RuleInputError: An instant without a time zone.
    """
    _refuse_naive(facts, planned)
    whole = planned.during(planned.at, until)
    missing = _missing_facts(book, facts, whole)
    if missing:
        return Decision(missing + _listed(_firing(book, facts, whole, skip=TIMING)), None)
    bounds, zone = (planned.at, until), zones_of(facts.zones)[0]
    timing = [
        rule
        for rule in book.of(whole, planned.at.astimezone(zone).date())
        if rule.kind in TIMING and not is_lifted(rule, facts, whole)
    ]
    spans = _spans(timing, facts, whole, bounds)
    if not spans:
        shut = [rule for rule in timing if not _spans([rule], facts, whole, bounds)]
        barred = tuple(_fired(rule) for rule in shut or timing)
        others = _listed(_firing(book, facts, whole, skip=TIMING))
        order = {rule.id: place for place, rule in enumerate(book.rules)}
        listed = tuple(sorted(barred + others, key=lambda each: order[each.rule_id]))
        return Decision(listed, _earliest(book, facts, planned))
    opening, closing = longest(spans)
    fired = _listed(_firing(book, facts, planned.during(opening, closing), skip=TIMING))
    if fired:
        return Decision(fired, _earliest(book, facts, planned.during(opening)))
    return Decision((), opening, opening, closing)


def _refuse_naive(facts: Facts, planned: Planned) -> None:
    """Every instant knows its zone; Python would take one that does not for the machine's own local time."""
    if planned.at.tzinfo is None or any(contact.at.tzinfo is None for contact in facts.history or ()):
        raise RuleInputError("an instant without a time zone", "time-zone-aware instants", "contact policy")


def _spans(timing: Sequence[Rule], facts: Facts, planned: Planned, bounds: Span) -> tuple[Span, ...]:
    """The spans within ``bounds`` that these rules leave open."""
    timetables = tuple(rule.timetable for rule in timing if rule.timetable is not None)
    spans = open_spans(timetables, facts.zones, bounds, facts.holidays)
    if not facts.inconvenient or all(rule.kind != "inconvenient" for rule in timing):
        return spans
    times = [time for time in facts.inconvenient if not time.channels or planned.channel in time.channels]
    return free_spans(spans, times, facts.zones)


def _listed(firing: Iterable[tuple[Rule, datetime]]) -> tuple[Fired, ...]:
    return tuple(_fired(rule) for rule, _ in firing)


def _fired(rule: Rule) -> Fired:
    return Fired(rule.id, rule.citation, rule.effect)


# ------------------------------------------------------------------------------------------------- missing facts
def _missing_facts(book: RuleBook, facts: Facts, planned: Planned) -> tuple[Fired, ...]:
    kinds = {rule.kind for rule in book.rules}
    wanting = {
        "pack": not book.rules,
        "party": not facts.is_party_known or planned.party in UNKNOWN_PARTIES,
        "contact_point": planned.contact_point_id is None,
        "channel": planned.channel not in KNOWN_CHANNELS,
        "time_zone": not zones_of(facts.zones),
        "flags": facts.flags is None,
        "contact_history": facts.history is None,
        "consent": facts.consents is None and "consent" in kinds,
        "inconvenient_times": facts.inconvenient is None and "inconvenient" in kinds,
    }
    return tuple(
        Fired(f"insufficient_facts.{name}", "a fact that is missing denies (ARR-CON-06)", "deny")
        for name, is_missing in wanting.items()
        if is_missing
    )


@lru_cache(maxsize=512)
def zones_of(names: tuple[str, ...]) -> tuple[ZoneInfo, ...]:
    """The zones; none at all when one of them cannot be read, for then nobody knows the local time."""
    zones = tuple(zone_named(name) for name in names)
    return tuple(zone for zone in zones if zone is not None) if all(zones) else ()


def _firing(book: RuleBook, facts: Facts, planned: Planned, *, skip: Sequence[str] = ()) -> list[tuple[Rule, datetime]]:
    """The rules that fire, each with the first instant at which it may no longer."""
    zones = zones_of(facts.zones)
    on = planned.at.astimezone(zones[0] if zones else UTC).date()
    firing = []
    for rule in book.of(planned, on):
        if rule.kind not in skip:
            clears = clears_at(rule, facts, planned, zones)
            if clears is not None:
                firing.append((rule, clears))
    return firing


def _earliest(book: RuleBook, facts: Facts, planned: Planned) -> datetime | None:
    """First quarter hour from ``planned.at`` at which nothing fires.

    Each rule says before when it alone cannot fall silent; no common answer is earlier than the latest of them, so
    stepping to it and asking again until nothing fires finds the first.
    """
    at = next_quarter(planned.at)
    last = planned.at + timedelta(days=HORIZON_DAYS)
    while at <= last:
        firing = _firing(book, facts, planned.during(at))
        if not firing:
            return at
        latest = max(clears for _, clears in firing)
        if latest > last:  # NEVER, or so late that it has no next quarter hour
            return None
        at = next_quarter(latest)
    return None
