"""Properties of the contact rule on generated histories, zones and nights of a clock change; missing facts deny."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from arrears.contracts.raw_people import CHANNELS
from arrears.errors import RuleInputError
from arrears.policy.packs import Channel, load_rules, public_holidays
from arrears.rules.contact import contact_window, may_contact
from arrears.rules.contact_values import (
    ALWAYS,
    KNOWN_CHANNELS,
    Consent,
    Facts,
    Flag,
    Planned,
    PriorContact,
    Rule,
    RuleBook,
)
from arrears.rules.hours import BarredTime, Timetable, day_bounds, is_open, open_spans
from arrears.settings import INCLUDE
from hypothesis import given, settings
from hypothesis import strategies as st

QUARTER = timedelta(minutes=15)
NEW_YORK = ("America/New_York",)
MONDAY = datetime(2026, 5, 11, tzinfo=UTC)
PACKS = (
    "cn_gbt45251",
    "cn_cba2026",
    "house_humane",
    "us_reg_f",
    "us_nyc",
    "us_tcpa",
    "us_reg_f_safe_harbor",
    "kr_pdpa",
    "au_rg96",
    "ru_230fz",
    "ph_mc18",
)
ZONES = ("Asia/Shanghai", "America/New_York", "America/Los_Angeles", "Europe/London", "Australia/Lord_Howe")
CODES = (
    "opt_out",
    "opt_out_sms",
    "opt_out_call",
    "hardship",
    "promise",
    "dispute",
    "bankruptcy_stay",
    "agreed_other_hours",
    "attorney_known",
    "deferral_until",
    "number_confirmed",
    "inconvenient_place_home",
)

instants = st.integers(0, 4 * 24 * 20).map(lambda quarters: MONDAY + quarters * QUARTER)
contacts = st.builds(
    PriorContact,
    at=instants.map(lambda at: at - timedelta(days=12)),
    channel=st.sampled_from(["sms", "call", "voice_bot", "email"]),
    outcome=st.sampled_from(["conversation", "no_answer", "busy", "delivered", "received", "claimed"]),
    direction=st.sampled_from(["out", "out", "in"]),
    purpose=st.sampled_from(["collection", "collection", "service"]),
    contact_point_id=st.sampled_from(["n1", "n2"]),
    debts=st.sets(st.sampled_from(["D1", "D2"])).map(frozenset),
)
flags = st.builds(
    lambda code, starts, length: Flag(code, starts, None if length is None else starts + length * QUARTER),
    st.sampled_from(CODES),
    instants,
    st.none() | st.integers(1, 400),
)
consents = st.builds(
    lambda purpose, given, length, scope: Consent(
        "sms" if scope else "call",
        purpose,
        given - timedelta(days=3),
        None if length is None else given + (length - 200) * QUARTER,
        scope,
        "n1" if scope else None,
        frozenset({"D1"}),
    ),
    st.sampled_from(["collection", "frequency", "hours"]),
    instants,
    st.none() | st.integers(1, 400),
    st.sampled_from(["", "autodialled"]),
)
barred = st.builds(
    BarredTime,
    st.sets(st.integers(0, 6), min_size=1).map(frozenset),
    st.integers(0, 95).map(lambda quarter: quarter * 15),
    st.integers(1, 96).map(lambda quarter: quarter * 15),
    st.sampled_from([frozenset(), frozenset({"call"})]),
)
facts = st.builds(
    Facts,
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True).map(tuple),
    flags=st.lists(flags, max_size=2),
    history=st.lists(contacts, max_size=9),
    consents=st.lists(consents, max_size=2),
    inconvenient=st.lists(barred, max_size=2),
    holidays=st.just(frozenset({date(2026, 5, 13)})),
)
planned = st.builds(
    Planned,
    at=instants,
    channel=st.sampled_from(["sms", "call", "voice_bot", "email"]),
    contact_point_id=st.just("n1"),
    purpose=st.sampled_from(["collection", "service"]),
    debts=st.sampled_from([frozenset({"D1"}), frozenset({"D1", "D2"})]),
    place=st.sampled_from(["personal", "home"]),
    content=st.sampled_from([frozenset(), frozenset({"opt_out_notice"}), frozenset({"debt_words"})]),
    days_past_due=st.sampled_from([None, 15, 16]),
)
packs = st.lists(st.sampled_from(PACKS), min_size=1, max_size=4, unique=True)


def book_of(names):
    return load_rules(names, INCLUDE / "policies")


BOOKS = {name: book_of([name]) for name in PACKS}


def joined(names):
    return RuleBook(tuple(rule for name in names for rule in BOOKS[name].rules))


def fired(decision):
    return {one.rule_id for one in decision.fired}


COUNTING = {rule.id for book in BOOKS.values() for rule in book.rules if rule.kind in ("cap", "cooldown")}


@given(packs, facts, planned)
@settings(max_examples=300, deadline=None)
def test_earliest_time_is_allowed_and_the_quarter_before_it_is_not(names, known, contact):
    book = joined(names)
    decision = may_contact(book, known, contact)

    if decision.is_allowed:
        assert decision.earliest_at is not None
        assert decision.earliest_at - contact.at < QUARTER
    elif decision.earliest_at is not None:
        earliest = Planned(**{**vars(contact), "at": decision.earliest_at})
        before = Planned(**{**vars(contact), "at": decision.earliest_at - QUARTER})
        assert may_contact(book, known, earliest).is_allowed
        assert before.at < contact.at or not may_contact(book, known, before).is_allowed


@given(packs, facts, planned, contacts)
@settings(max_examples=200, deadline=None)
def test_another_prior_contact_never_turns_deny_into_allow(names, known, contact, extra):
    book = joined(names)
    more = Facts(**{**vars(known), "history": [*known.history, extra]})

    fewer_fired, more_fired = fired(may_contact(book, known, contact)), fired(may_contact(book, more, contact))

    assert fewer_fired & COUNTING <= more_fired
    assert extra.direction == "in" or fewer_fired <= more_fired  # who writes may be answered once


@given(packs, facts, planned, st.sampled_from(PACKS))
@settings(max_examples=200, deadline=None)
def test_another_pack_never_turns_deny_into_allow(names, known, contact, extra):
    fewer = fired(may_contact(joined(names), known, contact))
    more = fired(may_contact(joined([*names, extra]), known, contact))

    assert fewer <= more


@given(packs, facts, planned, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_order_of_history_changes_nothing(names, known, contact, random):
    shuffled = list(known.history)
    random.shuffle(shuffled)
    other = Facts(**{**vars(known), "history": shuffled})

    assert may_contact(joined(names), known, contact) == may_contact(joined(names), other, contact)


@given(packs, facts, planned, st.integers(0, 100))
@settings(max_examples=300, deadline=None)
def test_every_instant_of_a_planned_window_is_allowed(names, known, contact, share):
    book = joined(names)
    start, until = day_bounds(contact.at.date(), ZoneInfo("Asia/Shanghai"))
    whole_day = Planned(**{**vars(contact), "at": start})

    decision = contact_window(book, known, whole_day, until)

    if decision.is_allowed:
        assert start <= decision.not_before_at < decision.not_after_at <= until
        within = decision.not_before_at + (decision.not_after_at - decision.not_before_at) * share / 101
        assert may_contact(book, known, Planned(**{**vars(contact), "at": within})).is_allowed
    else:
        assert decision.fired
        assert decision.not_before_at is None


@pytest.mark.parametrize(
    ("name", "night"),
    [
        ("America/New_York", date(2026, 3, 8)),
        ("America/New_York", date(2026, 11, 1)),
        ("Europe/London", date(2026, 3, 29)),
        ("Europe/London", date(2026, 10, 25)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),
        ("Australia/Lord_Howe", date(2026, 10, 4)),
        ("America/Los_Angeles", date(2026, 3, 8)),
        ("Pacific/Auckland", date(2026, 9, 27)),
    ],
)
@pytest.mark.parametrize("hours", [(480, 1320), (90, 150), (0, 1440), (60, 180)], ids=lambda hours: f"{hours[0]}min")
def test_spans_on_a_night_of_a_clock_change_hold_only_open_instants(name, night, hours):
    zone, timetable = ZoneInfo(name), Timetable((hours,) * 7)
    bounds = day_bounds(night, zone)

    spans = open_spans((timetable,), (name,), bounds, frozenset())

    instants_open = [
        start + number * QUARTER for start, end in spans for number in range(int((end - start) / QUARTER) + 1)
    ]
    assert bounds[1] - bounds[0] != timedelta(days=1)
    assert all(is_open(timetable, at, zone, frozenset()) for at in instants_open if any(s <= at < e for s, e in spans))
    if hours == (480, 1320):
        assert [(s.astimezone(zone).hour, e.astimezone(zone).hour) for s, e in spans] == [(8, 22)]


def test_hours_of_two_zones_narrow_the_day_to_their_intersection():
    zones = ("America/New_York", "America/Los_Angeles")
    start, until = day_bounds(date(2026, 5, 11), ZoneInfo("America/New_York"))
    contact = Planned(at=start, channel="call", contact_point_id="n1")

    decision = contact_window(BOOKS["us_reg_f"], Facts(zones=zones), contact, until)

    assert decision.not_before_at == datetime(2026, 5, 11, 15, tzinfo=UTC)
    assert decision.not_after_at == datetime(2026, 5, 12, 1, tzinfo=UTC)


def test_sunday_denies_the_day_and_names_monday():
    start, until = day_bounds(date(2026, 5, 17), ZoneInfo("Asia/Shanghai"))
    contact = Planned(at=start, channel="sms", contact_point_id="n1")

    decision = contact_window(BOOKS["house_humane"], Facts(zones=("Asia/Shanghai",)), contact, until)

    assert fired(decision) == {"house_humane.hours"}
    assert decision.earliest_at == datetime(2026, 5, 18, 1, tzinfo=UTC)


def test_hours_that_never_meet_deny_under_both_rules():
    start, until = day_bounds(date(2026, 5, 11), ZoneInfo("Asia/Shanghai"))
    zones = ("Asia/Shanghai", "America/New_York", "Europe/London")
    contact = Planned(at=start, channel="sms", contact_point_id="n1")

    decision = contact_window(joined(["cn_gbt45251", "house_humane"]), Facts(zones=zones), contact, until)

    assert {"cn_gbt45251.hours", "house_humane.hours"} & fired(decision)
    assert decision.earliest_at is None


def test_flag_that_begins_within_the_window_denies_the_day():
    start, until = day_bounds(date(2026, 5, 11), ZoneInfo("Asia/Shanghai"))
    at_noon = Flag("opt_out", datetime(2026, 5, 11, 4, tzinfo=UTC))
    contact = Planned(at=start, channel="sms", contact_point_id="n1")

    decision = contact_window(BOOKS["house_humane"], Facts(zones=("Asia/Shanghai",), flags=[at_noon]), contact, until)

    assert fired(decision) == {"house_humane.opt_out"}


@pytest.mark.parametrize(
    "ends_at", [None, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
@pytest.mark.parametrize("starts_at", [ALWAYS, MONDAY])
def test_flag_without_an_end_or_with_one_in_9999_bars_for_good(starts_at, ends_at):
    known = Facts(zones=("Asia/Shanghai",), flags=[Flag("opt_out", starts_at, ends_at)])

    decision = may_contact(BOOKS["house_humane"], known, Planned(at=MONDAY, channel="sms", contact_point_id="n1"))

    assert "house_humane.opt_out" in fired(decision)
    assert decision.earliest_at is None


def test_agreement_on_hours_for_part_of_the_day_does_not_lift_them_for_all_of_it():
    start, until = day_bounds(date(2026, 5, 11), ZoneInfo("Asia/Shanghai"))
    until_noon = Flag("agreed_other_hours", ends_at=datetime(2026, 5, 11, 4, tzinfo=UTC))
    contact = Planned(at=start, channel="sms", contact_point_id="n1")

    decision = contact_window(BOOKS["cn_gbt45251"], Facts(zones=("Asia/Shanghai",), flags=[until_noon]), contact, until)

    assert decision.not_before_at == datetime(2026, 5, 11, 0, tzinfo=UTC)
    assert decision.not_after_at == datetime(2026, 5, 11, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("known", "channel", "pack", "hour"),
    [
        (
            Facts(zones=("Asia/Shanghai",), flags=[Flag("agreed_other_hours", MONDAY + timedelta(hours=15))]),
            "sms",
            "cn_gbt45251",
            15,
        ),
        (
            Facts(
                zones=("Asia/Shanghai",), consents=[Consent("voice_bot", "collection", MONDAY + timedelta(hours=26))]
            ),
            "voice_bot",
            "house_humane",
            26,
        ),
    ],
    ids=["an agreement on other hours", "a consent"],
)
def test_earliest_time_heeds_what_begins_later(known, channel, pack, hour):
    contact = Planned(at=MONDAY + timedelta(hours=14, minutes=30), channel=channel, contact_point_id="n1")

    decision = may_contact(BOOKS[pack], known, contact)

    assert decision.earliest_at == MONDAY + timedelta(hours=hour)


def test_consent_that_ends_within_the_window_is_none_for_the_day():
    start, until = day_bounds(date(2026, 5, 11), ZoneInfo("Asia/Shanghai"))
    till_noon = Consent("voice_bot", "collection", MONDAY, ends_at=datetime(2026, 5, 11, 4, tzinfo=UTC))
    contact = Planned(at=start, channel="voice_bot", contact_point_id="n1")

    decision = contact_window(
        BOOKS["house_humane"], Facts(zones=("Asia/Shanghai",), consents=[till_noon]), contact, until
    )

    assert fired(decision) == {"house_humane.voice_bot_consent"}


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"zones": ()}, "time_zone"),
        ({"zones": ("Mars/Base",)}, "time_zone"),
        ({"zones": ("Asia/Shanghai", "CN")}, "time_zone"),
        ({"flags": None}, "flags"),
        ({"history": None}, "contact_history"),
        ({"consents": None}, "consent"),
        ({"is_party_known": False}, "party"),
    ],
    ids=["no zone", "unknown zone", "one unknown zone of two", "flags", "history", "consents", "party"],
)
@pytest.mark.parametrize("ask", ["instant", "day"])
def test_missing_fact_denies_without_an_earliest_time(change, missing, ask):
    known = Facts(**{"zones": ("Asia/Shanghai",), **change})
    contact = Planned(at=datetime(2026, 5, 11, 4, tzinfo=UTC), channel="sms", contact_point_id="n1")

    if ask == "instant":
        decision = may_contact(BOOKS["house_humane"], known, contact)
    else:
        decision = contact_window(BOOKS["house_humane"], known, contact, contact.at + timedelta(hours=6))

    assert fired(decision) == {f"insufficient_facts.{missing}"}
    assert decision.earliest_at is None


@pytest.mark.parametrize("where", ["planned", "so far"])
@pytest.mark.parametrize("ask", [may_contact, contact_window])
def test_instant_without_a_zone_is_refused(where, ask):
    naive, aware = datetime(2026, 5, 11, 12), MONDAY  # noqa: DTZ001  what is refused
    history = [PriorContact(naive if where == "so far" else aware, "sms", "sent")]
    contact = Planned(at=naive if where == "planned" else aware, channel="sms", contact_point_id="n1")
    known = Facts(zones=("Asia/Shanghai",), history=history)

    until = () if ask is may_contact else (aware,)

    with pytest.raises(RuleInputError, match="without a time zone"):
        ask(BOOKS["house_humane"], known, contact, *until)


@pytest.mark.parametrize("channel", ["CALL", "whatsapp", ""])
def test_channel_nobody_knows_is_not_used_and_counts_as_any(channel):
    contact = Planned(at=MONDAY + timedelta(hours=16), channel=channel, contact_point_id="n1")
    call = replace(contact, channel="call")
    so_far = [PriorContact(MONDAY + timedelta(hours=15, minutes=n), channel, "no_answer") for n in range(7)]

    assert "insufficient_facts.channel" in fired(may_contact(BOOKS["us_reg_f"], Facts(NEW_YORK), contact))
    assert fired(may_contact(BOOKS["us_reg_f"], Facts(NEW_YORK, history=so_far), call)) == {"us_reg_f.calls_7_in_7"}
    assert set(get_args(Channel)) == KNOWN_CHANNELS == set(CHANNELS)


@pytest.mark.parametrize(
    ("lifted", "debts", "expected"),
    [
        ({"D1"}, {"D1"}, set()),
        ({"D1"}, {"D1", "D2"}, {"us_reg_f.attorney"}),
        ({"D1", "D2"}, {"D1", "D2"}, set()),
        ({None}, {"D1", "D2"}, set()),
        ({"D1"}, set(), {"us_reg_f.attorney"}),
    ],
    ids=["its debt", "one of two debts", "both, one by one", "the person", "no debt named"],
)
def test_exception_for_one_debt_is_none_for_another(lifted, debts, expected):
    flags = [Flag("attorney_known"), *(Flag("attorney_consents", loan_id=loan) for loan in lifted)]
    contact = Planned(MONDAY + timedelta(hours=16), "call", "n1", debts=frozenset(debts))

    assert fired(may_contact(BOOKS["us_reg_f"], Facts(NEW_YORK, flags=flags), contact)) == expected


def test_contact_that_names_no_debt_may_be_about_the_held_one():
    contact = Planned(MONDAY + timedelta(hours=16), "call", "n1")
    held = Facts(NEW_YORK, flags=[Flag("written_dispute_in_validation_period", loan_id="D2")])

    assert fired(may_contact(BOOKS["us_reg_f"], held, contact)) == {"us_reg_f.dispute_pause"}
    assert may_contact(BOOKS["us_reg_f"], held, replace(contact, debts=frozenset({"D1"}))).is_allowed


@pytest.mark.parametrize("unsaid", ["collector", "party_id", "direction"])
def test_what_a_contact_so_far_does_not_say_counts_against_the_next(unsaid):
    said = {"collector": "A", "party_id": "consumer", "direction": "out", unsaid: ""}
    calls = [PriorContact(MONDAY + timedelta(hours=15, minutes=n), "call", "no_answer", **said) for n in range(7)]
    contact = Planned(MONDAY + timedelta(hours=16), "call", "n1", party_id="consumer", collector="A")

    assert fired(may_contact(BOOKS["us_reg_f"], Facts(NEW_YORK, history=calls), contact)) == {"us_reg_f.calls_7_in_7"}


def test_contact_point_and_pack_must_be_known():
    nowhere = Planned(at=datetime(2026, 5, 11, 4, tzinfo=UTC), channel="sms", contact_point_id=None)

    assert fired(may_contact(RuleBook(()), Facts(zones=("Asia/Shanghai",)), nowhere)) == {
        "insufficient_facts.contact_point",
        "insufficient_facts.pack",
    }


def test_cap_of_none_allows_nothing_ever():
    none = Rule(id="x.none", citation="x", effect="deny", kind="cap", limit=0, window="calendar_day")
    contact = Planned(at=MONDAY, channel="sms", contact_point_id="n1")

    decision = may_contact(RuleBook((none,)), Facts(zones=("Asia/Shanghai",)), contact)

    assert (fired(decision), decision.earliest_at) == ({"x.none"}, None)


def test_rule_holds_from_its_first_day_until_before_its_last():
    book = BOOKS["cn_gbt45251"]
    night = Planned(at=datetime(2025, 2, 27, 23, tzinfo=ZoneInfo("Asia/Shanghai")), channel="sms", contact_point_id="n")

    assert may_contact(book, Facts(zones=("Asia/Shanghai",)), night).is_allowed
    next_night = Planned(**{**vars(night), "at": night.at + timedelta(days=1)})
    assert fired(may_contact(book, Facts(zones=("Asia/Shanghai",)), next_night)) == {"cn_gbt45251.hours"}


def test_public_holidays_of_china_hold_spring_festival_of_this_and_the_next_year():
    days = public_holidays("CN", date(2026, 2, 1))

    assert {date(2026, 2, 17), date(2026, 10, 1)} <= days
    assert max(days).year >= 2027
