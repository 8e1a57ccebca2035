"""The job ``plan``: due steps, the first lawful channel, every denial kept; the same plan whenever it runs again."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from arrears.contact.plan import plan_day
from arrears.errors import ConfigurationError, PartitionMissingError
from arrears.jobs.plan import plan
from support.books import FIRST, rows_of
from support.floor import NEXT, STRATEGY, aged, ledger_of, make_floor, put_ledger, shifts, work

MORNING = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)  # 09:30 in Shanghai on the first day


@pytest.fixture
def settings(tmp_path):
    return make_floor(tmp_path)


def planned(settings, day):
    return {row["borrower_id"]: row for row in rows_of(settings, "out__contact_plan_daily", day)}


def denials(settings, day):
    found = rows_of(settings, "core__contact_decision_daily", day)
    return {(row["channel_code"], row["rule_id"]) for row in found if not row["is_allowed"]}


def test_due_case_is_planned_on_its_first_lawful_channel(settings):
    put_ledger(settings, FIRST, [aged("l1", 5), aged("l2", 0)])

    *_, done = work(settings, FIRST)

    row = planned(settings, FIRST)["b1"]
    assert (done["planned"], done["blocked"], done["planned_by_channel"]) == (1, 0, {"sms": 1})
    assert (row["state_code"], row["channel_code"], row["contact_point_id"]) == ("planned", "sms", "m-b1")
    assert (row["step_id"], row["template_code"], row["purpose_code"]) == ("hello", "hello", "reminder")
    assert (row["strategy"], row["person_id"], row["past_due_minor"]) == ("path@3", "p-b1", 5000)
    assert row["not_before_at"] == datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert row["not_after_at"] == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert denials(settings, FIRST) == {("push", "insufficient_facts.contact_point")}
    assert (done["candidates"], done["blocked_share_by_rule"]) == (2, {"insufficient_facts.contact_point": 0.5})


def test_contact_made_today_blocks_and_is_counted_by_rule(settings):
    contact = {
        "contact_id": "c",
        "party_id": "b1",
        "channel_code": "call",
        "direction_code": "out",
        "purpose_code": "collection",
        "started_at": MORNING,
        "outcome_code": "no_answer",
    }
    put_ledger(settings, FIRST, [aged("l1", 40)], contact=[contact])

    *_, done = work(settings, FIRST)

    assert (done["planned"], done["blocked"]) == (0, 1)
    assert done["blocked_by_rule"] == {"house_humane.one_per_day": 1}
    assert (done["candidates"], done["blocked_share_by_rule"]) == (1, {"house_humane.one_per_day": 1.0})
    (row,) = rows_of(settings, "core__contact_decision_daily", FIRST)
    assert row["citation"].startswith("house policy")
    assert row["effect_code"] == "house"
    assert row["earliest_at"] == datetime(2026, 3, 3, 1, tzinfo=UTC)


def test_held_case_has_no_step_and_held_loan_leaves_the_amount(settings):
    flags = [
        {"flag_id": "f1", "flag_code": "hardship", "party_id": "b1", "starts_at": MORNING - timedelta(days=9)},
        {"flag_id": "f2", "flag_code": "dispute", "loan_id": "l2", "starts_at": MORNING - timedelta(days=9)},
    ]
    put_ledger(settings, FIRST, [aged("l1", 5), aged("l2", 50), aged("l3", 4, borrower_id="b2")], flag=flags)

    work(settings, FIRST)

    found = planned(settings, FIRST)
    assert set(found) == {"b2"}
    assert (found["b2"]["step_id"], found["b2"]["past_due_minor"]) == ("hello", 4000)


def test_plan_names_what_else_may_be_used_in_the_step_s_order(settings):
    (settings.strategies / "path.yaml").write_text(STRATEGY.replace("[push, sms]", "[push, email, letter, sms]"))
    loans = [aged("l1", 5), aged("l2", 5)]
    (mobile, other) = ledger_of(loans)["contact_point"]
    kinds = {"mail": "email", "mail-2": "email", "m-b1": "mobile"}  # no postal address
    points = [{**mobile, "contact_point_id": name, "kind_code": kind} for name, kind in kinds.items()]
    opt_out = {"flag_id": "f", "flag_code": "opt_out", "contact_point_id": "mail-2", "starts_at": MORNING}
    put_ledger(settings, FIRST, loans, contact_point=[*points, other], flag=[opt_out])

    work(settings, FIRST)

    found = planned(settings, FIRST)
    window = {"not_before_at": "2026-03-02T01:00:00+00:00", "not_after_at": "2026-03-02T12:00:00+00:00"}
    assert (found["b1"]["channel_code"], found["b1"]["contact_point_id"]) == ("email", "mail")
    assert json.loads(found["b1"]["other_ways"]) == [{"channel_code": "sms", "contact_point_id": "m-b1", **window}]
    assert (found["b2"]["channel_code"], found["b2"]["other_ways"]) == ("sms", None)


def test_opt_out_of_a_point_blocks_that_point_alone(settings):
    loans = [aged("l1", 5), aged("l2", 5)]
    second = {**ledger_of(loans)["contact_point"][1], "contact_point_id": "spare"}
    points = [*ledger_of(loans)["contact_point"], second]
    flags = [
        {"flag_id": "f1", "flag_code": "opt_out", "contact_point_id": "m-b1", "starts_at": MORNING - timedelta(days=9)},
        {"flag_id": "f2", "flag_code": "opt_out", "contact_point_id": "m-b2", "starts_at": MORNING - timedelta(days=9)},
    ]
    put_ledger(settings, FIRST, loans, contact_point=points, flag=flags)

    work(settings, FIRST)

    found = planned(settings, FIRST)
    assert {name: row["contact_point_id"] for name, row in found.items()} == {"b1": None, "b2": "spare"}
    assert ("sms", "house_humane.opt_out") in denials(settings, FIRST)


def test_invalid_point_is_never_used(settings):
    loans = [aged("l1", 5)]
    point = {**ledger_of(loans)["contact_point"][0], "invalid_from": MORNING - timedelta(days=1)}
    put_ledger(settings, FIRST, loans, contact_point=[point])

    work(settings, FIRST)

    assert planned(settings, FIRST)["b1"]["state_code"] == "blocked"
    assert ("sms", "insufficient_facts.contact_point") in denials(settings, FIRST)


@pytest.mark.parametrize(
    ("row", "stopped"),
    [
        pytest.param({"loan_id": "l1"}, {"b1"}, id="a loan"),
        pytest.param({"loan_id": "l2"}, {"b1"}, id="another loan of the same case"),
        pytest.param({"loan_id": "l4"}, set(), id="a loan that is not late"),
        pytest.param({"party_id": "b2"}, {"b2"}, id="a person"),
        pytest.param({"loan_id": "l3", "party_id": "b1"}, {"b1", "b3"}, id="a loan and a person"),
        pytest.param({}, set(), id="nobody"),
        pytest.param({"loan_id": "l1", "party_id": "b2", "severity_code": "warn"}, set(), id="a warning"),
    ],
)
@pytest.mark.parametrize("few", [0, 10_000], ids=["set-based", "one by one"])
def test_rejected_row_stops_the_case_or_person_it_speaks_of(settings, monkeypatch, row, stopped, few):
    monkeypatch.setattr("arrears.jobs.plan.plan_day", partial(plan_day, few=few))
    flag = {"flag_id": "f", "flag_code": "dispute", "loan_id": "l2", "starts_at": MORNING - timedelta(days=9)}
    owners = {"l1": "b1", "l2": "b1", "l3": "b3", "l4": "b2", "l5": "b2"}
    loans = [aged(loan, 0 if loan == "l4" else 5, borrower_id=owner) for loan, owner in owners.items()]
    put_ledger(settings, FIRST, loans, flag=[flag], quarantine=[{"severity_code": "fail", **row}])

    *_, done = work(settings, FIRST)

    found = planned(settings, FIRST)
    assert {name for name, one in found.items() if one["state_code"] == "blocked"} == stopped
    assert set(found) == {"b1", "b2", "b3"}
    assert done["blocked_by_rule"].get("insufficient_facts.rejected_row", 0) == len(stopped)


def test_two_parties_of_one_person_get_one_contact(settings):
    loans = [aged("l1", 5), aged("l2", 9)]
    people = [{**row, "person_id": "same"} for row in ledger_of(loans)["party"]]
    put_ledger(settings, FIRST, loans, party=people)

    work(settings, FIRST)

    found = planned(settings, FIRST)
    assert {name: row["state_code"] for name, row in found.items()} == {"b1": "blocked", "b2": "planned"}
    assert ("sms", "house_humane.one_per_day") in denials(settings, FIRST)


def test_step_blocked_yesterday_is_due_again_under_its_key(settings):
    saturday, sunday, monday = (FIRST - timedelta(days=2 - number) for number in range(3))
    folder = settings.portfolios / "book/portfolio.yaml"
    folder.write_text(folder.read_text().replace("2026-03-02", str(saturday)))
    put_ledger(settings, saturday, [aged("l2", 0), aged("l1", 0)])
    work(settings, saturday)
    for day, late in ((sunday, 1), (monday, 2)):
        put_ledger(settings, day, [aged("l1", late), aged("l2", 0)])
        work(settings, day)

    blocked, again = planned(settings, sunday)["b1"], planned(settings, monday)["b1"]
    assert (blocked["state_code"], again["state_code"]) == ("blocked", "planned")
    assert ("sms", "house_humane.hours") in denials(settings, sunday)
    assert again["step_key"] == blocked["step_key"]


def test_planned_step_is_not_due_again(settings):
    for day, late in ((FIRST, 5), (NEXT, 6)):
        put_ledger(settings, day, [aged("l1", late)])
        work(settings, day)

    assert len(planned(settings, FIRST)) == 1
    assert planned(settings, NEXT) == {}


def test_case_without_a_free_agent_is_not_called(settings):
    put_ledger(settings, FIRST, [aged("l1", 40)], agent_shift=shifts(FIRST, a1=5))

    *_, done = work(settings, FIRST)

    assert done["blocked_by_rule"] == {"house.no_worker": 1}


def test_machine_worked_queue_calls_nobody(settings):
    (settings.strategies / "path.yaml").write_text(STRATEGY.replace("[push, sms]", "[call, sms]"))
    put_ledger(settings, FIRST, [aged("l1", 5)])

    work(settings, FIRST)

    assert planned(settings, FIRST)["b1"]["channel_code"] == "sms"
    assert denials(settings, FIRST) == {("call", "house.no_worker")}


@pytest.mark.parametrize(
    ("table", "missing"),
    [("flag", "flags"), ("contact", "contact_history"), ("consent", "consent"), ("party", "party")],
)
def test_table_that_is_not_delivered_blocks_everybody(settings, table, missing):
    put_ledger(settings, FIRST, [aged("l1", 5)], without=(table,))

    work(settings, FIRST)

    assert planned(settings, FIRST)["b1"]["state_code"] == "blocked"
    assert ("sms", f"insufficient_facts.{missing}") in denials(settings, FIRST)


def test_rerun_leaves_the_same_hashes(settings):
    put_ledger(settings, FIRST, [aged("l1", 5), aged("l2", 40), aged("l3", 20)])
    *_, first = work(settings, FIRST)

    assert plan("book", FIRST, settings=settings) == first


def test_strategy_that_names_an_unknown_bucket_is_refused(settings):
    (settings.strategies / "path.yaml").write_text(STRATEGY.replace("31-60", "M2"))
    put_ledger(settings, FIRST, [aged("l1", 5)])

    with pytest.raises(ConfigurationError, match="M2"):
        plan("book", FIRST, settings=settings)


def test_cases_must_be_there(settings):
    with pytest.raises(PartitionMissingError):
        plan("book", FIRST, settings=settings)


def test_one_message_a_person_and_day_holds_over_debts_and_records(settings):
    (settings.strategies / "path.yaml").write_text(STRATEGY.replace("[push, sms]", "[sms, email, letter]"))
    loans = [aged("l1", 5), aged("l2", 9), aged("l3", 3)]
    ledger = ledger_of(loans)
    people = [{**row, "person_id": "same"} for row in ledger["party"]]
    points = [
        {**row, "contact_point_id": f"{kind}-{row['party_id']}", "kind_code": kind}
        for row in ledger["contact_point"]
        for kind in ("mobile", "email", "postal")
    ]
    put_ledger(settings, FIRST, loans, party=people, contact_point=points)

    *_, done = work(settings, FIRST)

    assert (done["planned"], done["blocked"]) == (1, 2)
    assert done["blocked_by_rule"] == {"house_humane.one_per_day": 2}
    assert denials(settings, FIRST) == {(channel, "house_humane.one_per_day") for channel in ("sms", "email", "letter")}


@pytest.mark.parametrize(
    ("setting", "state", "effects"),
    [
        pytest.param("", "planned", set(), id="a pack that binds others only is left out"),
        pytest.param("unbound_packs_as_house: true\n", "blocked", {"house"}, id="and holds as a rule of the house"),
    ],
)
def test_pack_that_does_not_bind_holds_where_the_portfolio_says_so(settings, setting, state, effects):
    book = settings.portfolios / "book/portfolio.yaml"
    book.write_text(book.read_text().replace("[cn_gbt45251, house_humane]", "[us_reg_f, house_default]") + setting)
    flag = {"flag_id": "f", "flag_code": "written_cease", "party_id": "b1", "starts_at": MORNING - timedelta(days=9)}
    put_ledger(settings, FIRST, [aged("l1", 5)], flag=[flag])

    work(settings, FIRST)

    rows = rows_of(settings, "core__contact_decision_daily", FIRST)
    fired = {row["effect_code"] for row in rows if row["rule_id"].startswith("us_reg_f.")}
    assert planned(settings, FIRST)["b1"]["state_code"] == state
    assert fired == effects


@pytest.mark.parametrize("few", [0, 10_000], ids=["set-based", "one by one"])
def test_both_forms_of_the_policy_plan_the_same_day(tmp_path, monkeypatch, few):
    settings = make_floor(tmp_path)
    (settings.strategies / "path.yaml").write_text(STRATEGY.replace("[push, sms]", "[voice_bot, sms, email]"))
    loans = [aged(f"l{number}", (1, 5, 20, 29, 45)[number % 5]) for number in range(40)]
    people = [{**row, "person_id": f"p{at % 33}"} for at, row in enumerate(ledger_of(loans)["party"])]
    flags = [
        {"flag_id": f"f{number}", "flag_code": code, "party_id": f"b{number}", "starts_at": MORNING - timedelta(days=3)}
        for number, code in enumerate(["opt_out_sms", "promise", "inconvenient_time_all_0900_1800", "attorney_known"])
    ]
    contacts = [
        {
            "contact_id": f"c{number}",
            "party_id": f"b{number % 17}",
            "channel_code": "call",
            "direction_code": "in" if number % 7 == 0 else "out",
            "purpose_code": "collection",
            "started_at": MORNING - timedelta(hours=7 * number),
            "outcome_code": "conversation" if number % 5 == 0 else "no_answer",
        }
        for number in range(50)
    ]
    put_ledger(settings, FIRST, loans, party=people, flag=flags, contact=contacts)
    work(settings, FIRST)
    expected = [
        rows_of(settings, table, FIRST) for table in ("core__contact_decision_daily", "out__contact_plan_daily")
    ]
    monkeypatch.setattr("arrears.jobs.plan.plan_day", partial(plan_day, few=few))

    plan("book", FIRST, settings=settings)

    again = [rows_of(settings, table, FIRST) for table in ("core__contact_decision_daily", "out__contact_plan_daily")]
    assert again == expected
    assert len({row["rule_id"] for row in expected[0]}) > 6
    assert {row["state_code"] for row in expected[1]} == {"planned", "blocked"}


def test_packs_of_a_state_bind_who_lives_there_and_whose_home_nobody_knows(tmp_path):
    settings = make_floor(tmp_path, packs="[us_wa, house_default]")
    homes = {"1": "US-WA", "2": "US-CA", "3": "US", "4": None}
    texts = [
        {
            "contact_id": f"c{number}{day}",
            "party_id": f"b{number}",
            "channel_code": "sms",
            "direction_code": "out",
            "purpose_code": "collection",
            "started_at": MORNING - timedelta(days=day),
            "outcome_code": "delivered",
        }
        for number in homes
        for day in (1, 2, 3)
    ]
    loans = [{"loan_id": f"l{number}", "residence_region_code": home} for number, home in homes.items()]
    put_ledger(settings, FIRST, [aged(f"l{number}", 5) for number in homes], contact=texts, loan=loans)

    work(settings, FIRST)

    states = {borrower: row["state_code"] for borrower, row in planned(settings, FIRST).items()}
    assert states == {"b1": "blocked", "b2": "planned", "b3": "blocked", "b4": "blocked"}
    assert ("sms", "us_wa.contacts_3_per_week") in denials(settings, FIRST)


def test_consent_counts_for_the_number_and_the_manner_it_was_given_for(tmp_path):
    settings = make_floor(tmp_path, packs="[us_tcpa, house_default]")
    given = {"1": ("m-b1", "autodialled"), "2": ("m-b9", "autodialled"), "3": ("m-b3", "manual"), "4": (None, None)}
    consents = [
        {
            "consent_id": f"k{number}",
            "party_id": f"b{number}",
            "channel_code": "sms",
            "purpose_code": "collection",
            "contact_point_id": point,
            "scope_code": scope,
            "given_at": MORNING - timedelta(days=9),
        }
        for number, (point, scope) in given.items()
    ]
    put_ledger(settings, FIRST, [aged(f"l{number}", 5) for number in given], consent=consents)

    work(settings, FIRST)

    states = {borrower: row["state_code"] for borrower, row in planned(settings, FIRST).items()}
    assert states == {"b1": "planned", "b2": "blocked", "b3": "blocked", "b4": "blocked"}
    assert ("sms", "us_tcpa.text") in denials(settings, FIRST)


@pytest.mark.parametrize(("second", "opens"), [(40, 0), (5, 6)], ids=["as old", "young"])
def test_rule_that_spares_old_debts_is_not_lifted_from_a_young_one_beside_it(tmp_path, second, opens):
    settings = make_floor(tmp_path, packs="[ph_mc18]")
    put_ledger(settings, FIRST, [aged("l1", 40), aged("l11", second, borrower_id="b1")])

    work(settings, FIRST)

    row = planned(settings, FIRST)["b1"]
    assert row["not_before_at"].astimezone(ZoneInfo("Asia/Shanghai")).hour == opens


def test_flag_until_9999_bars_its_person_and_stops_nobody_else_s_plan(settings):
    """So some sources say "no end"; the last quarter hour of that year has no next one."""
    ends_at = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    flag = {
        "flag_id": "f1",
        "flag_code": "opt_out",
        "party_id": "b1",
        "starts_at": datetime(2026, 2, 20, tzinfo=UTC),
        "ends_at": ends_at,
    }
    put_ledger(settings, FIRST, [aged("l1", 5), aged("l2", 5, borrower_id="b2")], flag=[flag])

    *_, done = work(settings, FIRST)

    assert (done["planned"], done["blocked"]) == (1, 1)
