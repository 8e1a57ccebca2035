"""A step whose day nobody could act on is taken on the next day that can, once; history is never caught up with."""

import uuid
from datetime import timedelta

import pytest
from arrears.jobs.day import Day
from arrears.jobs.freshness import content_hash_of
from arrears.jobs.plan import plan
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import FACTS, NOTIFICATION, PUBLISH_LEDGER
from pydantic import SecretStr
from sqlalchemy import insert, text
from support.books import FIRST, rows_of
from support.floor import NEXT, STRATEGY, aged, make_floor, put_ledger, work

THIRD, FOURTH = (FIRST + timedelta(days=number) for number in (2, 3))
SECOND_STEP = "- {id: hello, day: 0, purpose: reminder, channels: [push, sms], template: hello}"
TWO_STEPS = f"{SECOND_STEP}\n          {SECOND_STEP.replace('hello, day: 0', 'again, day: 1')}"


@pytest.fixture
def settings(tmp_path, warehouse_url):
    with transaction(warehouse_url) as connection:
        for table in ("ops.publish_ledger", "ops.notification"):
            connection.execute(text(f"DELETE FROM {table}"))
    return make_floor(tmp_path).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})


def steps(settings, day):
    """Step and key of everything planned."""
    return [(row["step_id"], row["step_key"]) for row in rows_of(settings, "out__contact_plan_daily", day)]


def run(settings, day, late, *, released=True, given_out=True):
    """Plan a day of a loan that late, and publish it: as its own run does, or as a backfill, which releases nothing."""
    put_ledger(settings, day, [aged("l1", late), aged("l2", 0)])
    work(settings, day)
    opened = Day.open("book", day, settings=settings)
    facts = {contract.table: opened.lake.known(opened.key(contract.table)) for contract in FACTS}
    empty = {name: {} for name in ("contract_versions", "control_totals", "inputs")}
    about = {"publication_id": uuid.uuid4(), "portfolio": "book", "business_date": day, "run_ref": ""}
    count = len(steps(settings, day)) if released and given_out else 0
    with transaction(settings.warehouse) as connection:
        values = {**about, **empty, "content_hash": content_hash_of(facts)}
        connection.execute(insert(PUBLISH_LEDGER).values(**values, released_contacts=count if released else None))
        names = {column.name for column in NOTIFICATION.columns}
        for row in rows_of(settings, "out__contact_plan_daily", day)[:count]:
            given = {name: value for name, value in row.items() if name in names}
            given |= {"loan_ids": ["l1"], "portfolio": "book", "business_date": day}
            connection.execute(insert(NOTIFICATION).values(**given))
    return steps(settings, day)


def test_step_of_a_day_that_was_only_backfilled_is_taken_once_the_day_after(settings):
    run(settings, FIRST, 0)
    missed = run(settings, NEXT, 1, released=False)

    caught_up = run(settings, THIRD, 2)
    before = plan("book", THIRD, settings=settings)["content_hash"]  # made again, its own release is no news to it
    afterwards = run(settings, FOURTH, 3)

    assert [step for step, _ in missed] == ["hello"]
    assert caught_up == missed == steps(settings, THIRD)
    assert before == plan("book", THIRD, settings=settings)["content_hash"]
    assert afterwards == []


def test_step_of_a_day_that_was_never_run_is_taken_by_the_next(settings):
    (settings.strategies / "path.yaml").write_text(STRATEGY.replace(SECOND_STEP, TWO_STEPS))
    book = settings.portfolios / "book/portfolio.yaml"
    book.write_text(f"{book.read_text()}allowed_gaps: [{THIRD}]\n")

    found = [[step for step, _ in run(settings, day, late)] for day, late in ((FIRST, 5), (THIRD, 7), (FOURTH, 8))]

    assert found == [["hello"], ["again"], []]


@pytest.mark.parametrize(
    ("catch_up_days", "is_live", "expected"),
    [(2, True, ["hello"]), (1, True, []), (0, True, []), (2, False, [])],
    ids=["in time", "too old", "of its day alone", "history, whose steps somebody else took"],
)
def test_missed_step_is_taken_while_it_makes_sense(settings, catch_up_days, is_live, expected):
    step = SECOND_STEP.replace("day: 0", f"day: 0, catch_up_days: {catch_up_days}")
    (settings.strategies / "path.yaml").write_text(STRATEGY.replace(SECOND_STEP, step))
    run(settings, FIRST, 0, released=is_live)
    for day, late in ((NEXT, 1), (THIRD, 2)):
        run(settings, day, late, released=False)

    assert [step for step, _ in run(settings, FOURTH, 3)] == expected


def test_step_whose_window_had_passed_when_its_day_was_published_is_taken_the_day_after(settings):
    late = run(settings, FIRST, 5, given_out=False)

    assert run(settings, NEXT, 6) == late
    assert [step for step, _ in late] == ["hello"]


@pytest.mark.parametrize("state", ["sent", "unknown", "suppressed", "expired", "rejected_final", "cancelled", "held"])
def test_step_that_the_outbox_had_is_never_planned_again(settings, state):
    run(settings, FIRST, 5)
    with transaction(settings.warehouse) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(f"UPDATE ops.notification SET state_code = '{state}'"))

    assert run(settings, NEXT, 6) == []
