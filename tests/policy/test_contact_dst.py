"""Nights on which a clock is set forward or back: the earliest time is the first quarter hour anybody could find."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from arrears.rules.contact import contact_window, may_contact, zones_of
from arrears.rules.contact_kinds import clears_at
from arrears.rules.contact_values import Facts, Planned, Rule, RuleBook
from arrears.rules.hours import BarredTime, Timetable, day_bounds
from hypothesis import given, settings
from hypothesis import strategies as st

QUARTER = timedelta(minutes=15)
LOOK_AHEAD = timedelta(hours=40)
NIGHTS = [
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Europe/London", date(2026, 3, 29)),
    ("Europe/London", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # by half an hour
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Pacific/Auckland", date(2026, 4, 5)),
    ("Pacific/Auckland", date(2026, 9, 27)),
    ("America/Santiago", date(2026, 4, 4)),  # at midnight, back
    ("America/Santiago", date(2026, 9, 6)),  # at midnight, forward: that date has none
]

opened = st.tuples(st.integers(0, 16), st.integers(1, 96)).filter(lambda hours: hours[0] < hours[1])
timetables = st.lists(st.none() | opened, min_size=7, max_size=7).map(
    lambda days: Timetable(tuple(day and (day[0] * 15, day[1] * 15) for day in days))
)
barred = st.builds(
    BarredTime,
    st.sets(st.integers(0, 6), min_size=1).map(frozenset),
    st.integers(0, 95).map(lambda quarter: quarter * 15),
    st.integers(1, 96).map(lambda quarter: quarter * 15),
)


def quarters(start, length):
    return (start + number * QUARTER for number in range(length // QUARTER))


def is_silent(book, facts, contact):
    """As may_contact, without the search for an earliest time."""
    zones = zones_of(facts.zones)
    return all(clears_at(rule, facts, contact, zones) is None for rule in book.rules)


def book_of(timetable):
    common = {"citation": "x", "effect": "deny"}
    return RuleBook(
        (
            Rule(id="x.hours", kind="hours", timetable=timetable, **common),
            Rule(id="x.asked", kind="inconvenient", **common),
        )
    )


@pytest.mark.parametrize(("name", "night"), NIGHTS, ids=[f"{name}-{night}" for name, night in NIGHTS])
@given(timetable=timetables, times=st.lists(barred, max_size=2), after=st.integers(-24, 104), other=st.booleans())
@settings(max_examples=25, deadline=None)
def test_earliest_time_on_such_a_night_is_the_first_allowed_quarter(name, night, *, timetable, times, after, other):
    start = day_bounds(night, ZoneInfo(name))[0]
    facts = Facts(zones=(name, "Asia/Kathmandu") if other else (name,), inconvenient=times)
    book, contact = book_of(timetable), Planned(start + after * QUARTER, "call", "n1")

    decision = may_contact(book, facts, contact)

    first = next((at for at in quarters(contact.at, LOOK_AHEAD) if is_silent(book, facts, contact.during(at))), None)
    if first is None:
        assert decision.earliest_at is None or decision.earliest_at >= contact.at + LOOK_AHEAD
    else:
        assert decision.earliest_at == first


@pytest.mark.parametrize(("name", "night"), NIGHTS, ids=[f"{name}-{night}" for name, night in NIGHTS])
@given(timetable=timetables, times=st.lists(barred, max_size=2))
@settings(max_examples=15, deadline=None)
def test_window_planned_on_such_a_night_holds_only_allowed_quarters(name, night, timetable, times):
    start, until = day_bounds(night, ZoneInfo(name))
    facts, book = Facts(zones=(name,), inconvenient=times), book_of(timetable)

    decision = contact_window(book, facts, Planned(start, "call", "n1"), until)

    if decision.is_allowed:
        length = decision.not_after_at - decision.not_before_at
        assert length > timedelta(0)
        assert all(is_silent(book, facts, Planned(at, "call", "n1")) for at in quarters(decision.not_before_at, length))


def test_clock_set_back_opens_hours_twice():
    zone = ZoneInfo("America/New_York")
    half_past_one = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # 01:30, the first of two
    book = book_of(Timetable(((60, 90),) * 7))

    decision = may_contact(book, Facts(zones=("America/New_York",)), Planned(half_past_one, "call", "n1"))

    assert decision.earliest_at == datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
    assert decision.earliest_at.astimezone(zone).hour == 1
