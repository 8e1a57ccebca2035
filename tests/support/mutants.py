"""Every way in which one contact rule may be weakened by a slip of the pen: the rule, a little more lenient.

Each mutant differs from the rule in one thing. A worked case that expects the rule must notice it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, get_args

from arrears.policy.packs import load_rules
from arrears.policy.rule_documents import Channel
from arrears.rules.contact import may_contact
from arrears.rules.contact_values import RuleBook
from arrears.rules.hours import DAY_MINUTES, Timetable

from support.worked_cases import POLICIES, disagreement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from arrears.policy.facts_file import CaseDocument
    from arrears.rules.contact_values import Facts, Planned, Rule

QUARTER = 15  # minutes
SHORTER = {"calendar_month": "calendar_week", "calendar_week": "calendar_day", "ever": "calendar_month"}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CHANNELS = get_args(Channel)
OTHERS = ("spouse", "relative", "friend", "neighbour", "employer", "contact_person", "emergency_contact", "reference")


def mutants_of(rule: Rule) -> Iterator[tuple[str, Rule | None]]:
    """What was done to the rule, and the rule it became; None where it is gone."""
    yield "removed", None
    if rule.timetable is not None:
        yield from ((what, replace(rule, timetable=hours)) for what, hours in _wider(rule.timetable))
    if rule.kind == "cap":
        yield from _roomier(rule)
    if rule.kind in ("cap", "cooldown") and not rule.after_flags:
        yield from _counted_apart(rule)
    if rule.valid_from != date.min:
        yield "in force a day later", replace(rule, valid_from=rule.valid_from + timedelta(days=1))
    if rule.valid_to != date.max:
        yield "in force a day shorter", replace(rule, valid_to=rule.valid_to - timedelta(days=1))
    yield from _shorter(rule)
    yield from _narrower(rule)
    yield from _excepted(rule)


def _wider(hours: Timetable) -> Iterator[tuple[str, Timetable]]:
    """A quarter of an hour more, on each day or, where all are alike, on all; a barred day opened."""
    days = (*hours.weekdays, hours.holiday) if hours.minds_holidays else hours.weekdays
    if len(set(days)) == 1:
        yield from ((what, Timetable((more,) * 7)) for what, more in _more(days[0]))
        return
    for number, day in enumerate(days):
        name = (*WEEKDAYS, "holidays")[number]
        for what, more in _more(day):
            changed = (*days[:number], more, *days[number + 1 :], None)
            yield f"{name} {what}", Timetable(changed[:7], changed[7], hours.minds_holidays)
    if hours.minds_holidays:
        yield "holidays forgotten", Timetable(hours.weekdays)


def _more(day: tuple[int, int] | None) -> Iterator[tuple[str, tuple[int, int]]]:
    if day is None:
        yield "opened", (0, DAY_MINUTES)
        return
    yield "opens a quarter earlier", (day[0] - QUARTER, day[1])
    yield "closes a quarter later", (day[0], day[1] + QUARTER)


def _roomier(rule: Rule) -> Iterator[tuple[str, Rule]]:
    yield "limit + 1", replace(rule, limit=rule.limit + 1)
    if rule.window == "rolling_days":
        yield "window a day shorter", replace(rule, days=rule.days - 1)
        yield "window a calendar month", replace(rule, window="calendar_month")
        yield "window a calendar week", replace(rule, window="calendar_week")
    elif rule.window in SHORTER:
        yield "window shorter", replace(rule, window=SHORTER[rule.window])
    for outcome in sorted(rule.count_outcomes) if len(rule.count_outcomes) > 1 else ():
        yield f"{outcome} not counted", replace(rule, count_outcomes=rule.count_outcomes - {outcome})


def _counted_apart(rule: Rule) -> Iterator[tuple[str, Rule]]:
    for key in ("party", "contact_point", "collector", "debt"):
        # Where consent to frequency counts, debts are looked at one by one anyway.
        if key not in rule.count_key and not (key == "debt" and rule.frequency_consent):
            yield f"counted apart by {key}", replace(rule, count_key=(*rule.count_key, key))


def _shorter(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """A day less, or a condition less, in each figure that is neither hours nor a cap."""
    if rule.kind == "cooldown":
        yield "a day shorter", replace(rule, days=rule.days - 1)
    if rule.kind == "freshness":
        yield "a day older", replace(rule, days=rule.days + 1)
    if rule.same_contact_point:
        yield "any contact point", replace(rule, same_contact_point=False)
    if rule.consent_scopes:
        yield "any scope", replace(rule, consent_scopes=frozenset())
    if rule.unless_dpd_over is not None:
        yield "exempt a day earlier", replace(rule, unless_dpd_over=rule.unless_dpd_over - 1)
    if rule.unless_dpd_under is not None:
        yield "exempt a day longer", replace(rule, unless_dpd_under=rule.unless_dpd_under + 1)


def _narrower(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """One name fewer in each list of what makes the rule hold."""
    for name in ("when_content", "when_flags", "after_flags"):
        listed = getattr(rule, name)
        for one in sorted(listed) if len(listed) > 1 else ():
            yield f"{name} without {one}", replace(rule, **{name: type(listed)(x for x in listed if x != one)})


def _excepted(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """One exception more: a channel, a party, a place, or the purpose of collecting."""
    for channel in CHANNELS:
        if (not rule.channels or channel in rule.channels) and channel not in rule.exempt_channels:
            yield f"except {channel}", replace(rule, exempt_channels=rule.exempt_channels | {channel})
    parties = rule.parties or (OTHERS if rule.exempt_parties else ())
    for party in sorted(set(parties) - rule.exempt_parties):
        yield f"except {party}", replace(rule, exempt_parties=rule.exempt_parties | {party})
    for place in sorted(rule.places):
        yield f"except at {place}", replace(rule, exempt_places=rule.exempt_places | {place})
    yield "except to collect", replace(rule, unless_purposes=rule.unless_purposes | {"collection"})


def survivors(cases: Iterable[CaseDocument], packs: Iterable[str]) -> tuple[int, list[str]]:
    """How many mutants were made, and those that no case notices."""
    books: dict[tuple[str, ...], tuple[Rule, ...]] = {}
    asked = defaultdict(list)
    for case in cases:
        if case.packs not in books:
            books[case.packs] = load_rules(case.packs, POLICIES).rules
        for rule in books[case.packs]:
            asked[rule.id].append((case, case.question))
    made, alive = 0, []
    for rule in load_rules(list(packs), POLICIES).rules:
        # The cases that expect the rule notice first.
        concerned = sorted(asked[rule.id], key=lambda one: _rank(one[0], rule.id))
        for what, mutant in mutants_of(rule):
            made += 1
            if not _is_noticed(concerned, books, rule, mutant):
                alive.append(f"{rule.id}: {what}")
    return made, alive


def _rank(case: CaseDocument, rule_id: str) -> tuple[bool, bool]:
    return case.expected.rule_id != rule_id, case.expected.decision == "allow"


def _is_noticed(
    asked: list[tuple[CaseDocument, tuple[Facts, Planned]]],
    books: dict[tuple[str, ...], tuple[Rule, ...]],
    rule: Rule,
    mutant: Rule | None,
) -> bool:
    @cache
    def mutated(packs: tuple[str, ...]) -> RuleBook:
        rules = (mutant if one == rule else one for one in books[packs])
        return RuleBook(tuple(one for one in rules if one is not None))

    return any(disagreement(case, may_contact(mutated(case.packs), *question)) for case, question in asked)
