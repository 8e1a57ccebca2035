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
from sqlalchemy.dialects.postgresql import insert as upsert
from support.books import FIRST, rows_of
from support.floor import NEXT, STRATEGY, aged, make_floor, put_ledger, work

THIRD, FOURTH = (FIRST + timedelta(days=number) for number in (2, 3))
SENT = [("claimed", "intent"), ("sent", "accepted")]
STEP = "- {id: hello, day: 0, purpose: reminder, channels: [push, sms], template: hello}"
TWO_STEPS = f"{STEP}\n          {STEP.replace('hello, day: 0', 'again, day: 1')}"


@pytest.fixture
def settings(tmp_path, warehouse_url):
    with transaction(warehouse_url) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("ops.publish_ledger", "ops.notification", "ops.notification_event"):
            connection.execute(text(f"DELETE FROM {table}"))
    return make_floor(tmp_path).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})


def steps(settings, day):
    """Step and key of everything planned."""
    return [(row["step_id"], row["step_key"]) for row in rows_of(settings, "out__contact_plan_daily", day)]


def run(settings, day, late, *, released=True, given_out=True, moves=SENT):
    """Plan a day of a loan that late, and publish it: as its own run does, or as a backfill, which releases nothing.

    What it released goes through ``moves`` of state and reason.
    """
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
            given = {name: value for name, value in row.items() if name in names and name != "state_code"}
            given |= {"loan_ids": ["l1"], "portfolio": "book", "business_date": day}
            there = upsert(NOTIFICATION).values(**given, state_code="planned")
            anew = {"business_date": day, "state_code": "planned", "reason_code": "planned"}
            connection.execute(there.on_conflict_do_update(index_elements=["step_key"], set_=anew))
        for state, reason in moves:
            change = f"state_code = '{state}', reason_code = '{reason}' WHERE business_date = '{day}'"
            connection.execute(text(f"UPDATE ops.notification SET {change}"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # and all that at noon of the day
        noon = f"UPDATE ops.notification_event SET at = '{day}T04:00Z' WHERE at > '{FOURTH + timedelta(days=9)}'"
        connection.execute(text(noon))
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
    (settings.strategies / "path.yaml").write_text(STRATEGY.replace(STEP, TWO_STEPS))
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
    step = STEP.replace("day: 0", f"day: 0, catch_up_days: {catch_up_days}")
    (settings.strategies / "path.yaml").write_text(STRATEGY.replace(STEP, step))
    run(settings, FIRST, 0, released=is_live)
    for day, late in ((NEXT, 1), (THIRD, 2)):
        run(settings, day, late, released=False)

    assert [step for step, _ in run(settings, FOURTH, 3)] == expected


def test_step_whose_window_had_passed_when_its_day_was_published_is_taken_the_day_after(settings):
    late = run(settings, FIRST, 5, given_out=False)

    assert run(settings, NEXT, 6) == late
    assert [step for step, _ in late] == ["hello"]


@pytest.mark.parametrize(
    "moves",
    [
        SENT,
        SENT[:1],
        [("claimed", "intent"), ("unknown", "claim_abandoned")],
        [("suppressed", "paid")],
        [("cancelled", "by_hand")],
        [("held", "plan_departs")],
        [("held", "plan_departs"), ("expired", "approval_refused")],
        [("held", "plan_departs"), ("expired", "not_after_passed")],
    ],
    ids=lambda moves: " ".join(moves[-1]),
)
def test_step_that_may_have_reached_somebody_or_was_decided_against_is_never_planned_again(settings, moves):
    run(settings, FIRST, 5, moves=moves)

    assert run(settings, NEXT, 6) == []


@pytest.mark.parametrize(
    "moves",
    [
        [],
        [("expired", "not_after_passed")],
        [("claimed", "intent"), ("rejected_retryable", "gateway_503"), ("expired", "not_after_passed")],
        [("claimed", "intent"), ("rejected_final", "address_dead")],
    ],
    ids=["no dispatcher ran", "its time passed", "the provider was away all day", "refused for good"],
)
def test_step_that_surely_reached_nobody_is_planned_the_day_after(settings, moves):
    planned = run(settings, FIRST, 5, moves=moves)

    again = run(settings, NEXT, 6)
    plan("book", NEXT, settings=settings)  # made again, what it has sent itself is no news to it

    assert [step for step, _ in planned] == ["hello"]
    assert again == planned == steps(settings, NEXT)
