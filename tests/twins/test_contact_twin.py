"""The scalar contact policy and its set-based form give equal answers: every rule, the decision, the earliest time."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest
from arrears.contact.sets import decide
from arrears.rules.contact import contact_window, may_contact
from arrears.rules.contact_values import ALWAYS, Consent, Facts, Flag, Planned, PriorContact, Rule, RuleBook
from arrears.rules.hours import BarredTime, Timetable
from hypothesis import given, settings
from hypothesis import strategies as st

# Days around the clock changes of these zones in 2026; one zone that nobody can read.
ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Shanghai", "America/St_Johns")
NIGHTS = tuple(date(2026, *day) for day in ((3, 7), (3, 8), (3, 29), (4, 5), (10, 3), (10, 4), (10, 25), (11, 1)))
CHANNELS = ("call", "sms", "voice_bot", "letter")
PARTIES = ("consumer", "relative")
PLACES = ("personal", "workplace")
PURPOSES = ("collection", "service")
OUTCOMES = ("conversation", "no_answer", "busy", "handed_over")
CONTENT = ("debt_words", "opt_out_notice")
CODES = ("opt_out_call", "opt_out_sms", "inconvenient_place_workplace", "dispute", "agreed")
NAMED = (*CODES, "opt_out_{channel}", "inconvenient_place_{place}")
CONSENTS = ("collection", "hours", "frequency")
MANNERS = ("", "manual", "ai_voice")
POINTS = ("n1", "n2")
PLANNED_POINTS = (*POINTS * 6, None)
DEBTS = ("D1", "D2")
COLLECTORS = ("A", "B")


def some(values, *, largest=2):
    return st.sets(st.sampled_from(values), max_size=largest).map(frozenset)


minutes = st.integers(0, 24 * 4).map(lambda quarters: 15 * quarters)
windows = st.tuples(minutes, minutes).filter(lambda pair: pair[0] < pair[1])
hours = st.none() | windows | st.just((8 * 60, 21 * 60)) | st.just((90, 150))
timetables = st.builds(
    Timetable,
    st.lists(hours, min_size=7, max_size=7).map(tuple) | hours.map(lambda one: (one,) * 7),
    holiday=hours,
    minds_holidays=st.booleans(),
)
instants = st.builds(
    lambda night, minute, seconds: (
        datetime(night.year, night.month, night.day, tzinfo=UTC) + timedelta(minutes=15 * minute, seconds=seconds)
    ),
    st.sampled_from(NIGHTS),
    st.integers(-200, 200),
    st.sampled_from([0, 0, 0, 59, 400]),
)
codes = st.lists(st.sampled_from(NAMED), max_size=2).map(tuple)
days_past_due = st.none() | st.sampled_from([5, 15, 40])
scopes = {
    "citation": st.just("somewhere"),
    "effect": st.sampled_from(["deny", "soft"]),
    "channels": some(CHANNELS),
    "exempt_channels": some(CHANNELS, largest=1),
    "parties": some(PARTIES, largest=1),
    "exempt_parties": some(PARTIES, largest=1),
    "places": some(PLACES, largest=1),
    "exempt_places": some(PLACES, largest=1),
    "unless_purposes": some(PURPOSES, largest=1),
    "unless_content": some(CONTENT, largest=1),
    "when_content": some(CONTENT, largest=1),
    "unless_dpd_over": days_past_due,
    "unless_dpd_under": days_past_due,
    "unless_flags": codes,
    "unless_consents": st.lists(st.sampled_from(CONSENTS), max_size=1).map(tuple),
    "valid_from": st.sampled_from([date.min, date.min, *NIGHTS]),
    "valid_to": st.sampled_from([date.max, date.max, date(2026, 10, 26)]),
}
loose = {name: scopes[name] for name in ("citation", "effect", "unless_flags", "valid_to")}
few_days = st.integers(1, 9)
keys = st.sets(st.sampled_from(["party", "collector", "contact_point", "debt"]), max_size=2).map(
    lambda names: tuple(sorted(names))
)
KINDS = {
    "hours": {"timetable": timetables, "one_reply": st.booleans()},
    "inconvenient": {"one_reply": st.booleans()},
    "cap": {
        "limit": st.integers(0, 3),
        "window": st.sampled_from(["calendar_day", "rolling_days", "calendar_week", "calendar_month", "ever"]),
        "days": few_days,
        "count_key": keys,
        "count_outcomes": some(OUTCOMES, largest=1),
        "exclude_outcomes": some(OUTCOMES, largest=1),
        "frequency_consent": st.booleans(),
    },
    "cooldown": {"days": few_days, "count_key": keys, "frequency_consent": st.booleans()},
    "block": {"when_flags": codes, "one_reply": st.booleans()},
    "require": {"require_content": st.sampled_from(CONTENT)},
    "freshness": {"days": few_days, "evidence": codes},
    "consent": {
        "consent_purpose": st.sampled_from(CONSENTS),
        "consent_scopes": some(MANNERS, largest=1),
        "same_contact_point": st.booleans(),
    },
}


def rules_of(kind, **fields):
    """Rules that mind few contacts, and rules that mind nearly all."""
    own = {**KINDS[kind], **fields, "id": st.just(f"t.{kind}"), "kind": st.just(kind)}
    return st.builds(Rule, **own, **loose) | st.builds(Rule, **own, **scopes)


rules = st.one_of(
    *(rules_of(kind) for kind in KINDS),
    rules_of(
        "cooldown",
        after_flags=st.lists(st.sampled_from(NAMED), min_size=1, max_size=2).map(tuple),
        count_key=st.just(()),
    ),
)
books = st.lists(rules, max_size=4).map(
    lambda found: RuleBook(
        tuple(Rule(**{**vars(rule), "id": f"{rule.id}_{number}"}) for number, rule in enumerate(found))
    )
)
common = {
    "channel": st.sampled_from(CHANNELS),
    "party": st.sampled_from(PARTIES),
    "party_id": st.sampled_from(("p", "q")),
    "place": st.sampled_from(PLACES),
    "purpose": st.sampled_from(PURPOSES),
    "collector": st.sampled_from(COLLECTORS),
    "debts": some(DEBTS),
}
contacts = st.builds(
    PriorContact,
    at=instants,
    outcome=st.sampled_from(OUTCOMES),
    direction=st.sampled_from(["out", "out", "in"]),
    contact_point_id=st.sampled_from((*POINTS, None)),
    **common,
)
ends = st.none() | instants
flags = st.builds(
    Flag,
    code=st.sampled_from(CODES),
    starts_at=st.just(ALWAYS) | instants,
    ends_at=ends,
    loan_id=st.none() | st.sampled_from(DEBTS),
    contact_point_id=st.none() | st.sampled_from(POINTS),
)
consents = st.builds(
    Consent,
    channel=st.sampled_from(CHANNELS),
    purpose=st.sampled_from(CONSENTS),
    given_at=instants,
    ends_at=ends,
    scope=st.sampled_from(MANNERS),
    contact_point_id=st.none() | st.sampled_from(POINTS),
    debts=some(DEBTS),
)
barred_times = st.builds(
    BarredTime,
    st.sets(st.integers(0, 6), min_size=1).map(frozenset),
    minutes.filter(lambda minute: minute < 24 * 60),
    minutes,
    some(CHANNELS, largest=1),
)


def known(values, **options):
    """A list of facts; now and then nobody can say."""
    return st.sampled_from([True] * 24 + [False]).flatmap(
        lambda is_known: st.lists(values, max_size=8, **options) if is_known else st.none()
    )


facts = st.builds(
    Facts,
    zones=st.lists(st.sampled_from([*ZONES * 5, "Nowhere/Bad"]), min_size=1, max_size=2).map(tuple),
    flags=known(flags),
    history=known(contacts, unique_by=lambda contact: contact.at),
    consents=known(consents),
    inconvenient=known(barred_times),
    holidays=some(NIGHTS),
    is_party_known=st.sampled_from([True] * 24 + [False]),
)
planned = st.builds(
    Planned,
    at=instants,
    contact_point_id=st.sampled_from(PLANNED_POINTS),
    content=some(CONTENT),
    days_past_due=days_past_due,
    **common,
)
questions = st.lists(st.tuples(facts, planned), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as made:
        made.execute("SET TimeZone = 'UTC'")
        yield made


@settings(max_examples=60, deadline=None)
@given(book=books, questions=questions)
def test_instant_is_answered_equally(connection, book, questions):
    assert decide(connection, book, questions) == [may_contact(book, *question) for question in questions]


@settings(max_examples=60, deadline=None)
@given(book=books, questions=questions, hours=st.integers(1, 30))
def test_day_is_answered_equally(connection, book, questions, hours):
    days = [(known, contact.during(contact.at, contact.at + timedelta(hours=hours))) for known, contact in questions]

    found = decide(connection, book, days)

    assert found == [contact_window(book, known, contact.during(contact.at), contact.until) for known, contact in days]
