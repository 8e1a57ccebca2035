"""What each kind of contact rule means: whether it fires, and until when.

Belongs here: one function a kind, each answering the first instant before which the rule cannot fall silent (NEVER:
no waiting helps), or None while it is silent; and what silences a rule. Counting stands in ``contact_counting``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.rules.contact_counting import cap_clears, cooldown_clears, rest_after_flags_clears
from arrears.rules.contact_values import ALWAYS, MEDIUM, MOMENT, NEVER
from arrears.rules.hours import is_barred, is_open, midnight, next_free, next_open

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from arrears.rules.contact_values import Consent, Facts, Flag, Planned, Rule

TIMING = ("hours", "inconvenient")  # these narrow a day, they do not bar it


def clears_at(rule: Rule, facts: Facts, planned: Planned, zones: tuple[ZoneInfo, ...]) -> datetime | None:
    """First instant before which the rule does not fall silent, or None when it is silent at ``planned.at``.

    Args:
        rule: A rule that minds the contact.
        facts: What is known.
        planned: The contact.
        zones: Where the person may be; none at all when that is not known.
    """
    if is_lifted(rule, facts, planned):
        return None
    clears = KINDS[rule.kind](rule, facts, planned, zones)
    if clears is None or (rule.one_reply and _is_reply(rule, facts, planned, zones)):
        return None
    return min(clears, _lifted_from(rule, facts, planned, zones))


# --------------------------------------------------------------------------------------------------------- kinds
def _hours(rule: Rule, facts: Facts, planned: Planned, zones: tuple[ZoneInfo, ...]) -> datetime | None:
    """ARR-CON-01: outside the hours of any zone the person may be in."""
    assert rule.timetable is not None  # noqa: S101  the loader gives every hours rule one
    shut = [zone for zone in zones if not is_open(rule.timetable, planned.at, zone, facts.holidays)]
    if not shut:
        return None
    return max(next_open(rule.timetable, planned.at, zone, facts.holidays) or NEVER for zone in shut)


def _inconvenient(_: Rule, facts: Facts, planned: Planned, zones: tuple[ZoneInfo, ...]) -> datetime | None:
    """ARR-CON-08: at a time the person has called inconvenient, in any zone the person may be in."""
    times = [time for time in facts.inconvenient or () if not time.channels or planned.channel in time.channels]
    barred = [zone for zone in zones if is_barred(times, planned.at, zone)]
    return max((next_free(times, planned.at, zone) for zone in barred), default=None)


def _cap(rule: Rule, facts: Facts, planned: Planned, zones: tuple[ZoneInfo, ...]) -> datetime | None:
    return cap_clears(rule, facts, planned, zones[0]) if zones else None


def _cooldown(rule: Rule, facts: Facts, planned: Planned, zones: tuple[ZoneInfo, ...]) -> datetime | None:
    if not zones:
        return None
    if rule.after_flags:
        return rest_after_flags_clears(rule, _concerning(rule.after_flags, facts, planned), planned, zones[0])
    return cooldown_clears(rule, facts, planned, zones[0])


def _block(rule: Rule, facts: Facts, planned: Planned, _: tuple[ZoneInfo, ...]) -> datetime | None:
    """ARR-CON-04: barred by party, place, purpose or content, or while a flag holds."""
    if not rule.when_flags:
        return NEVER
    holding = [
        flag
        for flag in _concerning(rule.when_flags, facts, planned)
        if flag.starts_at < planned.end and (flag.ends_at is None or flag.ends_at > planned.at)
    ]
    return max(flag.ends_at or NEVER for flag in holding) if holding else None


def _require(_: Rule, __: Facts, ___: Planned, ____: tuple[ZoneInfo, ...]) -> datetime | None:
    """ARR-CON-09: content that must be there is not; a contact that holds it is not minded at all."""
    return NEVER


def _freshness(rule: Rule, facts: Facts, planned: Planned, zones: tuple[ZoneInfo, ...]) -> datetime | None:
    """ARR-CON-10: no evidence at most ``days`` dates old, that stands throughout."""
    if not zones:
        return None
    last = (planned.end - MOMENT).astimezone(zones[0]).date()
    evidence = [flag for flag in _concerning(rule.evidence, facts, planned) if flag.loan_id is None or planned.debts]
    if any(
        flag.starts_at != ALWAYS
        and flag.starts_at <= planned.at
        and (flag.ends_at is None or flag.ends_at >= planned.end)
        and (last - flag.starts_at.astimezone(zones[0]).date()).days <= rule.days
        for flag in evidence
    ):
        return None
    return min((flag.starts_at for flag in evidence if flag.starts_at > planned.at), default=NEVER)


def _consent(rule: Rule, facts: Facts, planned: Planned, _: tuple[ZoneInfo, ...]) -> datetime | None:
    """ARR-CON-05: no consent for this channel, purpose, scope and point in force throughout."""
    if facts.consents is None:
        return None  # listed as insufficient_facts.consent
    fitting = [
        consent
        for consent in facts.consents
        if consent.channel == planned.channel
        and consent.purpose == rule.consent_purpose
        and (not rule.consent_scopes or consent.scope in rule.consent_scopes)
        and consent.contact_point_id in _points(rule, planned)
    ]
    if any(_holds(consent, planned) for consent in fitting):
        return None
    return min((one.given_at for one in fitting if one.given_at > planned.at), default=NEVER)


KINDS: dict[str, Callable[[Rule, Facts, Planned, tuple[ZoneInfo, ...]], datetime | None]] = {
    "hours": _hours,
    "inconvenient": _inconvenient,
    "cap": _cap,
    "cooldown": _cooldown,
    "block": _block,
    "require": _require,
    "freshness": _freshness,
    "consent": _consent,
}


# ------------------------------------------------------------------------------------------------ what silences it
def is_lifted(rule: Rule, facts: Facts, planned: Planned) -> bool:
    """Whether a flag or a consent silences the rule throughout the time asked about.

    What holds for some of the debts silences nothing about the others.
    """
    lifted = {
        flag.loan_id
        for flag in _concerning(rule.unless_flags, facts, planned)
        if flag.starts_at <= planned.at and (flag.ends_at is None or flag.ends_at >= planned.end)
    }
    return (
        None in lifted
        or (bool(planned.debts) and planned.debts <= lifted)
        or any(_holds(consent, planned) for consent in _lifting(rule, facts, planned))
    )


def _lifted_from(rule: Rule, facts: Facts, planned: Planned, zones: tuple[ZoneInfo, ...]) -> datetime:
    """First later instant at which a fact, or the rule's own end, may silence it; NEVER when none is known."""
    starts = [flag.starts_at for flag in _concerning(rule.unless_flags, facts, planned)]
    starts += [consent.given_at for consent in _lifting(rule, facts, planned)]
    if rule.one_reply:
        starts += [contact.at for contact in facts.history or () if contact.direction == "in"]
    if zones and rule.valid_to.year < NEVER.year:
        starts.append(midnight(rule.valid_to, zones[0]))
    return min((at for at in starts if at > planned.at), default=NEVER)


def _is_reply(rule: Rule, facts: Facts, planned: Planned, zones: tuple[ZoneInfo, ...]) -> bool:
    """Whether the person wrote last on this channel, while the rule already barred, and has had no reply.

    A conversation the person began was its own reply. Hours and inconvenient times are one stretch: what is written in
    the evening is not answered the next evening.

    Source:
        ARR-CON-11; 12 CFR 1006 Supp. I cmt 6(b)(1)-1, 14(h)(1)-3, as the pack cites them.
    """
    exchanged = [
        contact
        for contact in facts.history or ()
        if contact.channel == planned.channel and contact.party_id == planned.party_id and contact.at <= planned.at
    ]
    if not exchanged:
        return False
    last = max(exchanged, key=lambda contact: (contact.at, contact.direction == "out"))
    if (
        last.direction != "in"
        or last.outcome == "conversation"
        or last.contact_point_id not in (None, planned.contact_point_id)
    ):
        return False
    # A stop that came with the message itself is no time at which the person wrote in spite of it.
    wrote_at = last.at - MOMENT if rule.kind == "block" else last.at
    barred_until = KINDS[rule.kind](rule, facts, planned.during(wrote_at), zones)
    return barred_until is not None and barred_until > planned.at


def _points(rule: Rule, planned: Planned) -> tuple[str | None, ...]:
    """The points a consent may have been given for."""
    return (planned.contact_point_id,) if rule.same_contact_point else (None, planned.contact_point_id)


def _holds(consent: Consent, planned: Planned) -> bool:
    return consent.given_at <= planned.at and (consent.ends_at is None or consent.ends_at >= planned.end)


def _lifting(rule: Rule, facts: Facts, planned: Planned) -> list[Consent]:
    """The consents that would silence the rule for this contact."""
    if not rule.unless_consents:
        return []
    return [
        consent
        for consent in facts.consents or ()
        if consent.purpose in rule.unless_consents
        and consent.channel == planned.channel
        and consent.contact_point_id in (None, planned.contact_point_id)
    ]


def _concerning(codes: tuple[str, ...], facts: Facts, planned: Planned) -> list[Flag]:
    """The flags of these codes about the person, the planned contact point or a loan of the contact.

    A contact that names no debt may be about any.
    """
    if not codes or not facts.flags:
        return []
    wanted = {named for code in codes for named in codes_for(code, planned.channel, planned.place)}
    return [
        flag
        for flag in facts.flags
        if flag.code in wanted
        and (flag.loan_id is None or not planned.debts or flag.loan_id in planned.debts)
        and flag.contact_point_id in (None, planned.contact_point_id)
    ]


def codes_for(code: str, channel: str, place: str) -> set[str]:
    """The flags a code of a rule stands for: who stops calls stops machine calls and voicemail drops too."""
    channels = {channel, MEDIUM.get(channel, channel)}
    return {code.replace("{channel}", name).replace("{place}", place) for name in channels}
