"""The plan of a day: channels in order, points in order, one contact a person, every denial kept."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from arrears.contact.facts import FactBook, Point
from arrears.contact.plan import CaseDue, day_rules, plan_day
from arrears.contact.strategy import DueStep, Step
from arrears.policy.packs import load_rules
from arrears.rules.contact_values import Consent, Flag, PriorContact, RuleBook
from arrears.rules.hours import day_bounds
from arrears.settings import INCLUDE

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 5, 11)
PHONE = Point("n1", "b1", "mobile", "personal", "Asia/Shanghai")
OFFICE = Point("n0", "b1", "landline", "workplace", "Asia/Shanghai")
MAIL = Point("m1", "b1", "email", "personal", None)


def rules(*packs):
    return day_rules(load_rules(packs or ("cn_gbt45251", "house_humane"), INCLUDE / "policies"))


def case(case_id="C-1", *, channels=("voice_bot", "sms"), person="p1", borrower="b1", days=12, **change):
    step = Step(id="reminder", day=0, channels=channels, template="friendly")
    fields = {
        "person_id": person,
        "is_party_known": True,
        "language": "zh-CN",
        "amount_minor": 30000,
        "loan_ids": ("l1",),
        "has_worker": True,
    }
    return CaseDue(
        case_id=case_id,
        borrower_id=borrower,
        delinquent_days=days,
        due=DueStep(step, 0, f"key-{case_id}"),
        **{**fields, **change},
    )


def facts(points=(PHONE, MAIL), *, flags=(), history=(), consents=()):
    return FactBook(
        frozenset({date(2026, 6, 19)}),
        points={"p1": list(points)},
        flags=None if flags is None else {"p1": list(flags)},
        history=None if history is None else {"p1": list(history)},
        consents=None if consents is None else {"p1": list(consents)},
    )


def plan(cases, known=None, book=None, day=MONDAY):
    return plan_day(
        cases, book or rules(), known or facts(), bounds=day_bounds(day, ZONE), zone=ZONE, strategy="test@1"
    )


def denials(made):
    return {(row["case_id"], row["channel_code"], row["rule_id"]) for row in made.decisions if not row["is_allowed"]}


def test_first_allowed_channel_is_planned_and_the_denied_one_before_it_is_kept():
    made = plan([case()])

    (row,) = made.plan
    assert (row["state_code"], row["channel_code"], row["contact_point_id"]) == ("planned", "sms", "n1")
    assert row["not_before_at"] == datetime(2026, 5, 11, 1, tzinfo=UTC)
    assert row["not_after_at"] == datetime(2026, 5, 11, 12, tzinfo=UTC)
    assert denials(made) == {("C-1", "voice_bot", "house_humane.voice_bot_consent")}
    assert [(one["channel_code"], one["rule_id"]) for one in made.decisions if one["is_allowed"]] == [("sms", "")]
    assert row["reason"] == (
        "reminder: voice_bot denied by house_humane.voice_bot_consent; sms 09:00-20:00 Asia/Shanghai; "
        "12 delinquent days"
    )


def test_consent_opens_the_channel_that_is_tried_first():
    made = plan([case()], facts(consents=[Consent("voice_bot", "collection", datetime(2026, 1, 1, tzinfo=UTC))]))

    assert made.plan[0]["channel_code"] == "voice_bot"
    assert denials(made) == set()


def test_blocked_case_lists_every_rule_with_citation_and_earliest_time():
    talked = PriorContact(datetime(2026, 5, 11, 1, 30, tzinfo=UTC), "sms", "delivered")
    made = plan([case(channels=("sms", "push"))], facts(history=[talked], flags=[Flag("opt_out_sms")]))

    (row,) = made.plan
    assert (row["state_code"], row["channel_code"], row["not_before_at"]) == ("blocked", None, None)
    assert denials(made) == {
        ("C-1", "sms", "house_humane.one_per_day"),
        ("C-1", "sms", "house_humane.opt_out"),
        ("C-1", "push", "insufficient_facts.contact_point"),
        ("C-1", "push", "house_humane.one_per_day"),
    }
    assert all(one["citation"] and one["effect_code"] for one in made.decisions)


def test_contact_made_today_blocks_until_tomorrow():
    talked = PriorContact(datetime(2026, 5, 11, 1, 30, tzinfo=UTC), "call", "conversation")

    made = plan([case(channels=("sms",))], facts(history=[talked]))

    assert made.decisions[0]["rule_id"] == "house_humane.one_per_day"
    assert made.decisions[0]["earliest_at"] == datetime(2026, 5, 12, 1, tzinfo=UTC)
    assert "earliest 2026-05-12 09:00 Asia/Shanghai" in made.plan[0]["reason"]


@pytest.mark.parametrize(
    ("packs", "rule"),
    [(("house_humane",), "house_humane.one_per_day"), (("cn_gbt45251",), "house.one_per_person_and_day")],
    ids=["by the house pack", "by the plan itself where no pack says so"],
)
def test_second_case_of_a_person_is_blocked_whichever_party_it_stands_under(packs, rule):
    other = Point("n2", "b2", "mobile", "personal", "Asia/Shanghai")
    cases = [case("C-1", days=5, channels=("sms",)), case("C-2", days=50, borrower="b2", channels=("sms",))]

    made = plan(cases, facts((PHONE, other)), rules(*packs))

    assert {row["case_id"]: row["state_code"] for row in made.plan} == {"C-1": "blocked", "C-2": "planned"}
    assert denials(made) == {("C-1", "sms", rule)}


def test_second_case_goes_when_the_first_is_blocked_itself():
    cases = [case("C-1", days=50, channels=("push",)), case("C-2", days=5, channels=("sms",))]

    made = plan(cases)

    assert {row["case_id"]: row["state_code"] for row in made.plan} == {"C-1": "blocked", "C-2": "planned"}


def test_point_that_may_not_be_used_gives_way_to_the_next():
    home = Point("n9", "b1", "landline", "home", "Asia/Shanghai")

    made = plan(
        [case(channels=("call",))], facts((OFFICE, PHONE, home), flags=[Flag("opt_out", contact_point_id="n1")])
    )

    assert made.plan[0]["contact_point_id"] == "n9"
    assert denials(made) == set()


def test_nobody_calls_a_case_that_nobody_works():
    made = plan([case(channels=("call", "sms"), has_worker=False)])

    assert made.plan[0]["channel_code"] == "sms"
    assert denials(made) == {("C-1", "call", "house.no_worker")}


def test_sunday_is_planned_for_nobody():
    made = plan([case(channels=("sms", "email"))], day=MONDAY + timedelta(days=6))

    assert denials(made) == {("C-1", "sms", "house_humane.hours"), ("C-1", "email", "house_humane.hours")}
    assert {row["earliest_at"] for row in made.decisions} == {datetime(2026, 5, 18, 1, tzinfo=UTC)}


def test_letter_may_be_made_on_sunday():
    postal = Point("a1", "b1", "postal", "home", "Asia/Shanghai")

    made = plan([case(channels=("letter",))], facts((postal,)), rules("house_humane"), day=MONDAY + timedelta(days=6))

    assert made.plan[0]["state_code"] == "planned"


@pytest.mark.parametrize(
    ("known", "change", "missing"),
    [
        (facts((MAIL,)), {"channels": ("email",)}, "time_zone"),
        (facts(flags=None), {"channels": ("sms",)}, "flags"),
        (facts(history=None), {"channels": ("sms",)}, "contact_history"),
        (facts(consents=None), {"channels": ("sms",)}, "consent"),
        (facts(), {"channels": ("sms",), "is_party_known": False}, "party"),
        (facts(), {"channels": ("visit",)}, "contact_point"),
    ],
    ids=["zone", "flags", "history", "consents", "party", "point"],
)
def test_missing_fact_blocks(known, change, missing):
    made = plan([case(**change)], known)

    assert made.plan[0]["state_code"] == "blocked"
    assert {row["rule_id"] for row in made.decisions} == {f"insufficient_facts.{missing}"}


def test_portfolio_without_a_pack_contacts_nobody():
    made = plan([case(channels=("sms",))], book=day_rules(RuleBook(())))

    assert {row["rule_id"] for row in made.decisions} == {"insufficient_facts.pack"}


def test_zone_of_another_point_narrows_the_window():
    home = Point("n9", "b1", "landline", "home", "Europe/London")

    made = plan([case(channels=("sms",))], facts((PHONE, home)), rules("cn_gbt45251"))

    assert made.plan[0]["not_before_at"] == datetime(2026, 5, 11, 7, tzinfo=UTC)  # 08:00 in London
    assert made.plan[0]["not_after_at"] == datetime(2026, 5, 11, 14, tzinfo=UTC)  # 22:00 in Shanghai
