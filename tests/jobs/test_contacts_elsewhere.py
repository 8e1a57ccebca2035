"""Caps count a person's contacts over portfolios and the outbox, as they were known when the day was cut."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from arrears.contracts.ledger import extract_of
from arrears.contracts.raw_loans import LOAN
from arrears.jobs.day import Day
from arrears.jobs.elsewhere import ELSEWHERE
from arrears.jobs.freshness import moved_inputs
from arrears.jobs.plan import plan
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import NOTIFICATION
from pydantic import SecretStr
from sqlalchemy import insert
from support.books import FIRST, put, rows_of
from support.floor import aged, make_floor, put_ledger, work

MORNING = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)  # 09:30 in Shanghai on the first day
ONE_PER_DAY, THREE_PER_WEEK = "house_humane.one_per_day", "house_humane.three_per_7_days"
CALL = {
    "party_id": "x1",
    "channel_code": "call",
    "direction_code": "out",
    "purpose_code": "collection",
    "outcome_code": "no_answer",
}


@pytest.fixture
def settings(tmp_path):
    """A deployment with the portfolios ``book`` and ``other``."""
    made = make_floor(tmp_path)
    shutil.copytree(made.portfolios / "book", made.portfolios / "other")
    return made


def put_other(settings, *starts, person="p-b1", day=FIRST):
    """The other portfolio's ledger: the party ``x1``, who is that person, called at these instants."""
    put(settings, "raw__party", day, [{"party_id": "x1", "person_id": person}], "other")
    put(settings, "raw__contact_point", day, [], "other")
    calls = [{**CALL, "contact_id": f"c{number}", "started_at": at} for number, at in enumerate(starts)]
    put(settings, "raw__contact", day, calls, "other")


def denials(settings, day=FIRST):
    return {row["rule_id"] for row in rows_of(settings, "core__contact_decision_daily", day) if row["rule_id"]}


def states(settings):
    return {row["borrower_id"]: row["state_code"] for row in rows_of(settings, "out__contact_plan_daily", FIRST)}


@pytest.mark.parametrize(
    ("starts", "fired"),
    [
        pytest.param([MORNING], {ONE_PER_DAY}, id="today"),
        pytest.param([MORNING - timedelta(days=n) for n in (1, 3, 6)], {THREE_PER_WEEK}, id="three in the week"),
        pytest.param([MORNING - timedelta(days=n) for n in (1, 7, 8)], set(), id="one in the week"),
    ],
)
def test_contact_of_another_portfolio_counts_for_its_person_alone(settings, starts, fired):
    put_other(settings, *starts)
    put_ledger(settings, FIRST, [aged("l1", 5), aged("l2", 5)])

    work(settings, FIRST)

    assert denials(settings) & {ONE_PER_DAY, THREE_PER_WEEK} == fired
    assert states(settings) == {"b1": "blocked" if fired else "planned", "b2": "planned"}


def test_own_and_other_contacts_are_counted_together(settings):
    put_other(settings, *(MORNING - timedelta(days=n) for n in (2, 4)))
    own = {**CALL, "contact_id": "own", "party_id": "b1", "started_at": MORNING - timedelta(days=6)}
    put_ledger(settings, FIRST, [aged("l1", 5)], contact=[own])

    work(settings, FIRST)

    assert THREE_PER_WEEK in denials(settings)


@pytest.mark.parametrize(("person", "state"), [("p-b1", "blocked"), ("p-nobody", "planned")])
def test_person_planned_by_another_portfolio_today_is_not_planned_again(settings, person, state):
    put_other(settings, person=person)
    planned = {"case_id": "c", "step_key": "k", "state_code": "planned", "channel_code": "sms", "person_id": person}
    put(settings, "out__contact_plan_daily", FIRST, [{**planned, "not_before_at": MORNING}], "other")
    put_ledger(settings, FIRST, [aged("l1", 5)])

    work(settings, FIRST)

    assert states(settings) == {"b1": state}
    assert (ONE_PER_DAY in denials(settings)) == (state == "blocked")


def test_rerun_knows_what_the_first_run_knew(settings):
    put_other(settings, MORNING - timedelta(days=1))
    put_ledger(settings, FIRST, [aged("l1", 5)])
    *_, first = work(settings, FIRST)
    put_other(settings, MORNING - timedelta(days=1), MORNING)

    again = plan("book", FIRST, settings=settings)

    day = Day.open("book", FIRST, settings=settings)
    assert again == first
    assert states(settings) == {"b1": "planned"}
    assert f"other:raw__contact@{FIRST}" in day.lake.manifest(day.key(ELSEWHERE)).inputs
    assert [moved for moved in moved_inputs(day) if "elsewhere" in moved or "other" in moved] == []


def test_new_cut_of_the_day_looks_again(settings):
    put_other(settings)
    put_ledger(settings, FIRST, [aged("l1", 5)])
    work(settings, FIRST)
    put_other(settings, MORNING)
    day = Day.open("book", FIRST, settings=settings)
    with day.work() as opened:
        opened.empty("raw__loan")
        columns = ", ".join(f"NULL::{column.type.value} AS {column.name}" for column in extract_of(LOAN).columns)
        select = f"SELECT {columns} WHERE FALSE"
        known = {"inputs": {}, "known_until": "2026-03-02T02:00:00+00:00"}
        day.lake.write(opened.connection, extract_of(LOAN), day.key("extract__loan"), select, {}, **known)

    plan("book", FIRST, settings=settings)

    assert states(settings) == {"b1": "blocked"}


def test_ledger_after_the_day_is_not_looked_at(settings):
    put_other(settings, MORNING, day=FIRST + timedelta(days=1))
    put_ledger(settings, FIRST, [aged("l1", 5)])

    work(settings, FIRST)

    assert states(settings) == {"b1": "planned"}


@pytest.fixture
def connected(settings, warehouse_url):
    """The same deployment with a warehouse whose outbox is empty."""
    with transaction(warehouse_url) as connection:
        connection.execute(NOTIFICATION.delete())
    return settings.model_copy(update={"warehouse_url": SecretStr(warehouse_url)})


def given(settings, state, *, portfolio="other", day=FIRST, person="p-b1", came_to=None):
    """A row of the outbox, of nine in the morning that day."""
    values = dict.fromkeys(("case_id", "step_id", "contact_point_id", "template_code", "language"), "x")
    values["delivery_code"] = came_to
    start = MORNING - timedelta(minutes=30) + (day - FIRST)
    values |= {"step_key": f"{portfolio}{state}{day}", "portfolio": portfolio, "business_date": day}
    values |= {"person_id": person, "borrower_id": "b1", "channel_code": "sms", "state_code": state}
    values |= {"not_before_at": start, "not_after_at": start + timedelta(hours=11)}
    with transaction(settings.warehouse) as connection:
        connection.execute(insert(NOTIFICATION).values(values))


@pytest.mark.parametrize(
    ("state", "came_to", "portfolio", "expected"),
    [
        ("claimed", None, "other", "blocked"),
        ("unknown", None, "other", "blocked"),
        ("sent", "handed_over", "other", "blocked"),
        ("sent", "withdrawn", "other", "planned"),
        ("planned", None, "other", "planned"),
        ("expired", None, "other", "planned"),
        ("sent", None, "book", "planned"),
    ],
)
def test_what_the_outbox_may_have_sent_counts(connected, state, came_to, portfolio, expected):
    given(connected, state, portfolio=portfolio, came_to=came_to)
    put_ledger(connected, FIRST, [aged("l1", 5)])

    work(connected, FIRST)

    assert states(connected) == {"b1": expected}


@pytest.mark.parametrize(("reported", "expected"), [(False, "blocked"), (True, "planned")])
def test_own_outbox_counts_until_the_ledger_reports_the_contact(connected, reported, expected):
    given(connected, "sent", portfolio="book", day=FIRST - timedelta(days=1))
    contacts = [
        {**CALL, "contact_id": f"o{back}", "party_id": "b1", "channel_code": "sms", "outcome_code": "delivered"}
        | {"started_at": MORNING - timedelta(days=back)}
        for back in ((1, 3) if reported else (3, 4))
    ]
    put_ledger(connected, FIRST, [aged("l1", 5)], contact=contacts)

    work(connected, FIRST)

    assert states(connected) == {"b1": expected}
    assert (THREE_PER_WEEK in denials(connected)) == (expected == "blocked")
