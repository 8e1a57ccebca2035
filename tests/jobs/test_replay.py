"""The breach monitor: contacts that were made, judged once each by what was known and valid when they were made."""

import shutil
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from arrears.contact.one_by_one import answer_candidates as answer
from arrears.contact.replay import replay_contacts
from arrears.jobs.day import Day
from arrears.jobs.replay import replay
from support.books import FIRST, put, rows_of
from support.floor import NEXT, aged, ledger_of, make_floor, put_ledger, work

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)  # 12:00 in Shanghai, on a Sunday: the day before the first
NIGHT = NOON + timedelta(hours=11)
DAY = timedelta(days=1)
PACK = """\
pack: law
title: A law of this test
{head}rules:
  - {{id: law.{name}, citation: somewhere, confidence: firm, effect: deny, {rule}}}
"""


@pytest.fixture
def settings(tmp_path):
    return make_floor(tmp_path, packs="[cn_gbt45251]")


def contact(contact_id, at, **change):
    row = {
        "contact_id": contact_id,
        "party_id": "b1",
        "contact_point_id": "m-b1",
        "channel_code": "call",
        "direction_code": "out",
        "purpose_code": "collection",
        "started_at": at,
        "outcome_code": "no_answer",
    }
    return {**row, **change}


def loan(loan_id="l1", borrower="b1", product="tour"):
    rest = {"currency": "CNY", "status_code": "active"}
    return {"loan_id": loan_id, "borrower_id": borrower, "product_code": product, **rest}


def judge(settings, *contacts, day=FIRST, loans=(), **raw):
    """Work the day with these contacts in its ledger."""
    put_ledger(settings, day, [aged("l1", 5)], contact=list(contacts), loan=[loan(), *loans], **raw)
    return work(settings, day)[-1]


def found(settings, day=FIRST):
    """Rules and missing facts by contact."""
    rows = rows_of(settings, "core__contact_breach_daily", day)
    return {
        one: {row["rule_id"] for row in rows if row["contact_id"] == one and row["rule_id"]}
        for one in {row["contact_id"] for row in rows}
    }


def write_pack(settings, name, rule, head=""):
    """A deployment of its own packs, with one rule."""
    folder = settings.portfolios.parent / "own-policies"
    folder.mkdir()
    (folder / "law.yaml").write_text(PACK.format(head=head, name=name, rule=rule))
    book = settings.portfolios / "book/portfolio.yaml"
    book.write_text(book.read_text().replace("[cn_gbt45251]", "[law]"))
    return settings.model_copy(update={"policies": folder})


def test_call_at_night_is_a_breach_and_one_at_noon_is_none(settings):
    done = judge(settings, contact("noon", NOON), contact("night", NIGHT))

    rows = {row["contact_id"]: row for row in rows_of(settings, "core__contact_breach_daily", FIRST)}
    night = rows["night"]
    assert found(settings) == {"noon": set(), "night": {"cn_gbt45251.hours"}}
    assert (done["replayed"], done["breaches_by_rule"]) == (2, {"cn_gbt45251.hours": 1})
    assert (night["effect_code"], night["loan_id"], night["person_id"]) == ("deny", "l1", "p-b1")
    assert night["occurred_at"] == NIGHT
    assert night["pack"].startswith("cn_gbt45251@")
    assert night["citation"].startswith("GB/T 45251")


def test_contact_is_replayed_on_the_day_it_becomes_known_and_only_then(settings):
    judge(settings, contact("known", NIGHT - DAY))
    late, new = contact("late", NIGHT - 9 * DAY), contact("new", NIGHT + DAY)
    judge(settings, contact("known", NIGHT - DAY), late, new, day=NEXT)

    first, then = found(settings), found(settings, NEXT)

    assert first == {"known": {"cn_gbt45251.hours"}}
    assert then == {"late": {"cn_gbt45251.hours"}, "new": {"cn_gbt45251.hours"}}


def test_replaying_again_leaves_the_same_rows(settings):
    first = judge(settings, contact("night", NIGHT), contact("noon", NOON))
    day = Day.open("book", FIRST, settings=settings)
    before = day.lake.manifest(day.key("core__contact_breach_daily")).content_hash

    again = replay(day)

    assert {name: first[name] for name in again} == again
    assert day.lake.manifest(day.key("core__contact_breach_daily")).content_hash == before


def test_only_what_came_before_counts_in_a_cap(settings):
    talks = [contact(f"talk{n}", NOON + timedelta(hours=n), outcome_code="conversation") for n in range(5)]

    judge(settings, *reversed(talks))

    assert {name for name, rules in found(settings).items() if rules} == {"talk3", "talk4"}
    assert found(settings)["talk3"] == {"cn_gbt45251.voice_3_per_day"}


def test_contact_that_the_person_began_is_not_judged_but_counts(settings):
    talks = [contact(f"talk{n}", NOON + timedelta(hours=n), outcome_code="conversation") for n in range(3)]

    judge(settings, *talks, contact("in", NIGHT, direction_code="in"))

    assert set(found(settings)) == {"talk0", "talk1", "talk2"}


@pytest.mark.parametrize(
    ("starts", "ends", "is_breach"),
    [
        pytest.param(NOON - DAY, None, True, id="said before"),
        pytest.param(NOON, None, True, id="said at that instant"),
        pytest.param(NOON + timedelta(seconds=1), None, False, id="said afterwards"),
        pytest.param(NOON - DAY, NOON, False, id="taken back before"),
    ],
)
def test_flag_holds_as_it_stood_at_the_instant(settings, starts, ends, is_breach):
    settings = write_pack(settings, "stop", "kind: medium_stop")
    flag = {"flag_id": "f", "flag_code": "opt_out", "party_id": "b1", "starts_at": starts, "ends_at": ends}

    judge(settings, contact("noon", NOON), flag=[flag])

    assert found(settings) == {"noon": {"law.stop"} if is_breach else set()}


@pytest.mark.parametrize(("back", "is_breach"), [(0, True), (1, False)])
def test_inconvenient_time_counts_from_the_day_it_was_known(settings, back, is_breach):
    settings = write_pack(settings, "asked", "kind: inconvenient")
    flag = {"flag_id": "f", "flag_code": "inconvenient_time_all_1100_1300", "party_id": "b1"}

    judge(settings, contact("noon", NOON - back * DAY), flag=[{**flag, "starts_at": NOON - timedelta(hours=13)}])

    assert found(settings) == {"noon": {"law.asked"} if is_breach else set()}


@pytest.mark.parametrize(
    ("rule", "is_breach"),
    [
        ("kind: block, channels: [call], valid_from: 2026-03-01", True),
        ("kind: block, channels: [call], valid_from: 2026-03-02", False),
        ("kind: block, channels: [call], valid_to: 2026-03-01", False),
    ],
)
def test_rule_judges_the_days_it_is_valid(settings, rule, is_breach):
    settings = write_pack(settings, "none", rule)

    judge(settings, contact("noon", NOON))

    assert found(settings) == {"noon": {"law.none"} if is_breach else set()}


def test_dates_on_which_the_same_times_were_inconvenient_are_asked_about_together(settings, monkeypatch):
    settings = write_pack(settings, "asked", "kind: inconvenient")
    flag = {"flag_id": "f", "flag_code": "inconvenient_time_all_1100_1300", "party_id": "b1"}
    known = {**flag, "starts_at": NOON - 5 * DAY - timedelta(hours=13), "ends_at": NOON - 2 * DAY}
    asked = []
    monkeypatch.setattr("arrears.contact.replay.answer_candidates", lambda *a, **k: asked.append(answer(*a, **k)))

    judge(settings, *(contact(f"c{back}", NOON - back * DAY) for back in range(8)), flag=[known])

    assert {one for one, rules in found(settings).items() if rules} == {
        "c2",
        "c3",
        "c4",
        "c5",
    }  # in force as the day of c2 began
    assert len(asked) == 2


def test_hours_are_broken_only_where_every_zone_of_the_person_says_so(settings):
    point = ledger_of([aged("l1", 5)])["contact_point"][0]
    away = {**point, "contact_point_id": "away", "timezone": "Europe/London"}

    judge(
        settings,
        contact("early", NOON - timedelta(hours=3)),
        contact("night", NIGHT + DAY / 8),
        contact_point=[point, away],
    )

    assert found(settings) == {"early": {"insufficient_facts.time_zone"}, "night": {"insufficient_facts.time_zone"}}


def test_point_without_a_zone_is_not_judged_by_the_clock(settings):
    point = {**ledger_of([aged("l1", 5)])["contact_point"][0], "timezone": None}

    judge(settings, contact("night", NIGHT), contact_point=[point])

    assert found(settings) == {"night": {"insufficient_facts.time_zone"}}


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        pytest.param(["guarantor"], {"law.debtor"}, id="who is not the debtor"),
        pytest.param([], {"insufficient_facts.party"}, id="nobody knows who"),
        pytest.param(["guarantor", "reference"], {"insufficient_facts.party"}, id="two parts in the debt"),
    ],
)
def test_part_in_the_debt_must_be_known(settings, roles, expected):
    settings = write_pack(settings, "debtor", "kind: block, exempt_parties: [consumer]")
    people = [*ledger_of([aged("l1", 5)])["party"], {"party_id": "x", "person_id": "p-x"}]
    points = [*ledger_of([aged("l1", 5)])["contact_point"]]
    points = [*points, {**points[0], "contact_point_id": "m-x", "party_id": "x"}]
    parts = [{"loan_id": "l1", "party_id": "x", "role_code": role, "is_obligor": False} for role in roles]

    judge(
        settings,
        contact("other", NOON, party_id="x", contact_point_id="m-x"),
        party=people,
        contact_point=points,
        loan_party=parts,
    )

    assert found(settings)["other"] == expected


@pytest.mark.parametrize(
    ("name", "rule", "loans", "expected"),
    [
        pytest.param(
            "notice", "kind: require, require_content: opt_out_notice", [], {"insufficient_facts.content"}, id="content"
        ),
        pytest.param(
            "late", "kind: block, unless_dpd_over: 15", [], {"insufficient_facts.days_past_due"}, id="days past due"
        ),
        pytest.param(
            "once",
            "kind: cap, max: 1, window: {type: calendar_day}, count_key: [debt]",
            [],
            {"law.once"},
            id="the only debt there is",
        ),
        pytest.param(
            "once",
            "kind: cap, max: 1, window: {type: calendar_day}, count_key: [debt]",
            [("l2", "b1")],
            {"insufficient_facts.debt"},
            id="one of two debts",
        ),
        pytest.param(
            "ai",
            "kind: consent, purpose: collection, scopes: [ai_voice]",
            [],
            {"insufficient_facts.consent_scope"},
            id="scope of a consent",
        ),
        pytest.param("any", "kind: consent, purpose: collection", [], {"law.any"}, id="no consent at all"),
    ],
)
def test_what_the_ledger_does_not_say_is_no_breach(settings, name, rule, loans, expected):
    settings = write_pack(settings, name, rule)

    judge(settings, contact("a", NOON), contact("b", NOON + DAY / 24), loans=[loan(*one) for one in loans])

    assert found(settings)["b"] == expected


@pytest.mark.parametrize(("other", "expected"), [("tour", "law.tours"), ("card", "insufficient_facts.pack")])
def test_pack_of_one_product_judges_who_has_no_other(settings, other, expected):
    settings = write_pack(settings, "tours", "kind: block, channels: [call]", head="binds: {products: [tour]}\n")

    judge(settings, contact("noon", NOON), loans=[loan("l2", "b1", other)])

    assert found(settings)["noon"] == {expected}


def test_contacts_of_another_portfolio_count_and_its_plans_do_not(settings):
    settings = write_pack(settings, "once", "kind: cap, max: 1, window: {type: calendar_day}")
    shutil.copytree(settings.portfolios / "book", settings.portfolios / "other")
    put(settings, "raw__party", FIRST, [{"party_id": "x", "person_id": "p-b1"}], "other")
    put(settings, "raw__contact_point", FIRST, [], "other")
    put(settings, "raw__contact", FIRST, [contact("o", NOON - DAY, party_id="x")], "other")
    plan = {"case_id": "c", "step_key": "k", "state_code": "planned", "channel_code": "sms", "person_id": "p-b1"}
    put(settings, "out__contact_plan_daily", FIRST, [{**plan, "not_before_at": NOON - DAY / 24}], "other")

    judge(settings, contact("same day", NOON - DAY + DAY / 24), contact("next day", NOON))

    assert found(settings) == {"same day": {"law.once"}, "next day": set()}


def test_both_forms_of_the_policy_find_the_same(tmp_path, monkeypatch):
    settings = make_floor(tmp_path, packs="[cn_gbt45251, us_reg_f, house_humane]")
    kinds = [("call", "conversation"), ("sms", "delivered"), ("voice_bot", "no_answer"), ("call", "unknown")]
    contacts = [
        contact(f"c{n}", NOON - n * DAY / 5, channel_code=channel, outcome_code=outcome, party_id=f"b{n % 3}")
        for n in range(90)
        for channel, outcome in [kinds[n % 4]]
    ]
    flags = [
        {"flag_id": "f1", "flag_code": "dispute", "loan_id": "l1", "starts_at": NOON - 9 * DAY},
        {"flag_id": "f2", "flag_code": "opt_out", "party_id": "b2", "starts_at": NOON - 5 * DAY, "ends_at": NOON - DAY},
        {
            "flag_id": "f3",
            "flag_code": "inconvenient_time_all_1100_1500",
            "party_id": "b1",
            "starts_at": NOON - 8 * DAY,
        },
    ]
    loans = [aged(f"l{n}", 5) for n in range(3)]
    ledger = {"contact": contacts, "flag": flags, "loan": [loan(f"l{n}", f"b{n}") for n in range(3)]}
    put_ledger(settings, FIRST, loans, **ledger)
    work(settings, FIRST)
    one_by_one = rows_of(settings, "core__contact_breach_daily", FIRST)
    monkeypatch.setattr("arrears.jobs.replay.replay_contacts", partial(replay_contacts, few=0))

    replay(Day.open("book", FIRST, settings=settings))

    assert rows_of(settings, "core__contact_breach_daily", FIRST) == one_by_one
    assert len({row["rule_id"] for row in one_by_one}) > 6
    assert len({row["contact_id"] for row in one_by_one}) == 90
