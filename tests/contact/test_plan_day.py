"""The plan of a day: channels in order, points in order, one contact a person, every denial kept."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from arrears.contact.facts import Known, make_derived_relations
from arrears.contact.paths import DueStep
from arrears.contact.plan import CaseDue, Terms, day_rules, plan_day
from arrears.contact.sets import CONSENT, FLAG, PRIOR, row_of
from arrears.contact.strategy import Step
from arrears.policy.packs import load_rules
from arrears.rules.contact_values import Consent, Flag, PriorContact, RuleBook
from arrears.rules.hours import day_bounds
from arrears.settings import INCLUDE

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 5, 11)


class Point(NamedTuple):
    contact_point_id: str
    party_id: str
    kind_code: str
    place_code: str
    timezone: str | None


PHONE = Point("n1", "b1", "mobile", "personal", "Asia/Shanghai")
OFFICE = Point("n0", "b1", "landline", "workplace", "Asia/Shanghai")
MAIL = Point("m1", "b1", "email", "personal", None)


def rules(*packs):
    return day_rules(load_rules(packs or ("cn_gbt45251", "house_humane"), INCLUDE / "policies"))


def case(case_id="C-1", *, channels=("voice_bot", "sms"), person="p1", borrower="b1", days=12, **change):
    step = Step(id="reminder", day=0, channels=channels, template="friendly")
    fields = {
        "due": DueStep(step, 0, f"key-{case_id}"),
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
        **{**fields, **change},
    )


def facts(points=(PHONE, MAIL), **known):
    """Points, and flags, history and consents of ``p1``: none when left out, not delivered when None."""
    return {"points": points, "flags": (), "history": (), "consents": (), **known}


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as made:
        yield made


@pytest.fixture
def plan(connection):
    """Plan cases of the person ``p1`` on a day."""

    def planned(cases, known=None, book=None, day=MONDAY):
        known = known or facts()
        bounds = day_bounds(day, ZONE)
        reach = [{"person_id": "p1", "preference": n, **one._asdict()} for n, one in enumerate(known["points"])]
        connection.register("contact_reach", pa.Table.from_pylist(reach))
        for name, kind, schema in (
            ("contact_made", "history", PRIOR),
            ("contact_flag", "flags", FLAG),
            ("contact_consent", "consents", CONSENT),
        ):
            rows = [{"person_id": "p1", **row_of(value)} for value in known[kind] or ()]
            connection.register(name, pa.Table.from_pylist(rows, schema))
        make_derived_relations(connection, bounds[0])
        delivered = {kind: known[kind] is not None for kind in ("flags", "history", "consents")}
        holidays = frozenset({date(2026, 6, 19)})
        terms = Terms({"@": book or rules()}, bounds, ZONE, strategy="test@1", packs="test@0")
        return plan_day(connection, cases, Known(**delivered, holidays=holidays), terms)

    return planned


def denials(made):
    return {(row["case_id"], row["channel_code"], row["rule_id"]) for row in made.decisions if not row["is_allowed"]}


def test_first_allowed_channel_is_planned_and_the_denied_one_before_it_is_kept(plan):
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


def test_consent_opens_the_channel_that_is_tried_first(plan):
    made = plan([case()], facts(consents=[Consent("voice_bot", "collection", datetime(2026, 1, 1, tzinfo=UTC))]))

    assert made.plan[0]["channel_code"] == "voice_bot"
    assert denials(made) == set()


def test_blocked_case_lists_every_rule_with_citation_and_earliest_time(plan):
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


def test_contact_made_today_blocks_until_tomorrow(plan):
    called = PriorContact(datetime(2026, 5, 11, 1, 30, tzinfo=UTC), "call", "no_answer")

    made = plan([case(channels=("sms",))], facts(history=[called]))

    assert made.decisions[0]["rule_id"] == "house_humane.one_per_day"
    assert made.decisions[0]["earliest_at"] == datetime(2026, 5, 12, 1, tzinfo=UTC)
    assert "earliest 2026-05-12 09:00 Asia/Shanghai" in made.plan[0]["reason"]


@pytest.mark.parametrize(
    ("packs", "rule"),
    [(("house_humane",), "house_humane.one_per_day"), (("cn_gbt45251",), "house.one_per_person_and_day")],
    ids=["by the house pack", "by the plan itself where no pack says so"],
)
def test_second_case_of_a_person_is_blocked_whichever_party_it_stands_under(plan, packs, rule):
    other = Point("n2", "b2", "mobile", "personal", "Asia/Shanghai")
    cases = [case("C-1", days=5, channels=("sms",)), case("C-2", days=50, borrower="b2", channels=("sms",))]

    made = plan(cases, facts((PHONE, other)), rules(*packs))

    assert {row["case_id"]: row["state_code"] for row in made.plan} == {"C-1": "blocked", "C-2": "planned"}
    assert denials(made) == {("C-1", "sms", rule)}


def test_second_case_goes_when_the_first_is_blocked_itself(plan):
    cases = [case("C-1", days=50, channels=("push",)), case("C-2", days=5, channels=("sms",))]

    made = plan(cases)

    assert {row["case_id"]: row["state_code"] for row in made.plan} == {"C-1": "blocked", "C-2": "planned"}


def test_point_that_may_not_be_used_gives_way_to_the_next(plan):
    home = Point("n9", "b1", "landline", "home", "Asia/Shanghai")

    made = plan(
        [case(channels=("call",))], facts((OFFICE, PHONE, home), flags=[Flag("opt_out", contact_point_id="n1")])
    )

    assert made.plan[0]["contact_point_id"] == "n9"
    assert {(row["point_rank"], row["rule_id"]) for row in made.decisions} == {
        (1, "house_humane.no_workplace"),
        (2, "house_humane.opt_out"),
        (3, ""),
    }


def test_nobody_calls_a_case_that_nobody_works(plan):
    made = plan([case(channels=("call", "sms"), has_worker=False)])

    assert made.plan[0]["channel_code"] == "sms"
    assert denials(made) == {("C-1", "call", "house.no_worker")}


def test_sunday_is_planned_for_nobody(plan):
    made = plan([case(channels=("sms", "email"))], day=MONDAY + timedelta(days=6))

    assert denials(made) == {("C-1", "sms", "house_humane.hours"), ("C-1", "email", "house_humane.hours")}
    assert {row["earliest_at"] for row in made.decisions} == {datetime(2026, 5, 18, 1, tzinfo=UTC)}


def test_letter_may_be_made_on_sunday(plan):
    postal = Point("a1", "b1", "postal", "home", "Asia/Shanghai")

    made = plan([case(channels=("letter",))], facts((postal,)), rules("house_humane"), day=MONDAY + timedelta(days=6))

    assert made.plan[0]["state_code"] == "planned"


@pytest.mark.parametrize(
    ("known", "change", "missing"),
    [
        (facts((MAIL,)), {"channels": ("email",)}, ["time_zone"]),
        (facts(flags=None), {"channels": ("sms",)}, ["flags", "inconvenient_times"]),
        (facts(history=None), {"channels": ("sms",)}, ["contact_history"]),
        (facts(consents=None), {"channels": ("sms",)}, ["consent"]),
        (facts(), {"channels": ("sms",), "is_party_known": False}, ["party"]),
        (facts(), {"channels": ("visit",)}, ["contact_point"]),
    ],
    ids=["zone", "flags", "history", "consents", "party", "point"],
)
def test_missing_fact_blocks(plan, known, change, missing):
    made = plan([case(**change)], known)

    assert made.plan[0]["state_code"] == "blocked"
    assert {row["rule_id"] for row in made.decisions} == {f"insufficient_facts.{name}" for name in missing}


def test_portfolio_without_a_pack_contacts_nobody(plan):
    made = plan([case(channels=("sms",))], book=day_rules(RuleBook(())))

    assert {row["rule_id"] for row in made.decisions} == {"insufficient_facts.pack"}


def test_zone_of_another_point_narrows_the_window(plan):
    home = Point("n9", "b1", "landline", "home", "Europe/London")

    made = plan([case(channels=("sms",))], facts((PHONE, home)), rules("cn_gbt45251"))

    assert made.plan[0]["not_before_at"] == datetime(2026, 5, 11, 7, tzinfo=UTC)  # 08:00 in London
    assert made.plan[0]["not_after_at"] == datetime(2026, 5, 11, 14, tzinfo=UTC)  # 22:00 in Shanghai


def test_inconvenient_time_said_as_a_flag_narrows_the_window(plan):
    said = Flag("inconvenient_time_mon_0900_1700")

    made = plan([case(channels=("sms",))], facts(flags=[said]))

    assert made.plan[0]["not_before_at"] == datetime(2026, 5, 11, 9, tzinfo=UTC)  # 17:00 in Shanghai
    assert made.plan[0]["not_after_at"] == datetime(2026, 5, 11, 12, tzinfo=UTC)


def test_content_of_the_step_is_what_a_pack_asks_for(plan):
    known, book = facts(), rules("us_reg_f")
    bare = plan([case(channels=("sms",))], known, book)
    step = Step(id="reminder", day=0, channels=("sms",), template="friendly", content={"opt_out_notice"})

    full = plan([case(due=DueStep(step, 0, "key"))], known, book)

    assert "us_reg_f.opt_out_notice" in {row["rule_id"] for row in bare.decisions}
    assert "us_reg_f.opt_out_notice" not in {row["rule_id"] for row in full.decisions}


def test_who_said_stop_is_left_alone_though_no_pack_says_so():
    named = {rule.id for rule in day_rules(load_rules(["cn_gbt45251"], INCLUDE / "policies")).rules}
    own = {rule.id for rule in rules().rules}

    assert {"house.opt_out", "house.one_per_person_and_day", "house.wrong_number", "house.supervisor_pause"} <= named
    assert not {"house.opt_out", "house.one_per_person_and_day"} & own  # house_humane has both
