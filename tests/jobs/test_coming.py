"""Steps about nothing that is late, or that nobody collects, are sent as planned: they are no dunning."""

from datetime import timedelta

import pytest
from arrears.jobs.recheck import Recheck
from arrears.sending.channels.spool import Spool, messages
from arrears.sending.claims import SHARDS, Shard
from arrears.sending.dispatch import Dispatcher, Terms
from arrears.settings import INCLUDE
from arrears.warehouse.connection import transaction
from arrears.warehouse.feedback_tables import FEEDBACK_EVENT
from arrears.warehouse.partitions import ensure_partitions
from arrears.warehouse.tables import DATA_FRESHNESS, MART, NOTIFICATION
from pydantic import SecretStr
from sqlalchemy import insert, text
from support.books import rows_of
from support.floor import aged, make_floor, put_ledger, work
from support.outbox import empty_outbox
from support.sending_floor import DAY, SENDER, TEN, loan_row, prepare

STEPS = """\
      - id: coming
        path: pre_due
        steps:
          - {id: tomorrow, day: -1, purpose: reminder, channels: [sms], template: due_soon}
      - id: first
        path: first_loan
        steps:
          - {id: explain, day: 1, purpose: service, channels: [sms], template: first_loan}
      - id: in_hardship
        path: held
        when: {hold: [hardship]}
        steps:
          - {id: support, day: 0, purpose: service, channels: [sms], template: hardship_support}
      - id: early
"""
PLAN = MART["out__contact_plan_daily"]


@pytest.fixture(scope="module")
def floor(tmp_path_factory, warehouse_url):
    """One instalment of 700.00 falls due tomorrow, a first loan is of yesterday, and one borrower is in hardship."""
    folder = tmp_path_factory.mktemp("floor")
    made = make_floor(folder).model_copy(
        update={
            "warehouse_url": SecretStr(warehouse_url),
            "templates": INCLUDE / "templates",
            "outbox_folder": folder / "outbox",
        }
    )
    strategy = folder / "strategies/path.yaml"
    strategy.write_text(
        strategy.read_text().replace("      - id: early\n", STEPS).replace("template: hello", "template: due_soon")
    )
    (folder / "portfolios/book/sender.yaml").write_text(SENDER)
    loan = {"product_code": "card", "principal_minor": 70_000, "maturity_on": DAY + timedelta(days=1)}
    said = [
        {"loan_id": "l1", "borrower_id": "b1", "disbursed_on": DAY - timedelta(days=60), **loan},
        {"loan_id": "l2", "borrower_id": "b2", "disbursed_on": DAY - timedelta(days=1), **loan},
        {"loan_id": "l3", "borrower_id": "b3", "disbursed_on": DAY - timedelta(days=90), **loan},
    ]
    due = {"seq": 1, "principal_minor": 70_000, "interest_minor": 0, "fee_minor": 0, "penalty_minor": 0}
    instalments = [
        {"loan_id": "l1", "due_on": DAY + timedelta(days=1), **due},
        {"loan_id": "l2", "due_on": DAY + timedelta(days=30), **due},
    ]
    loans = [aged(f"l{number}", days, product_code="card") for number, days in ((1, 0), (2, 0), (3, 5))]
    flag = [{"flag_code": "hardship", "party_id": "b3", "starts_at": TEN - timedelta(days=2)}]
    put_ledger(made, DAY, loans, loan=said, instalment=instalments, transaction=[], flag=flag)
    work(made, DAY)
    planned = [row for row in rows_of(made, "out__contact_plan_daily", DAY) if row["state_code"] == "planned"]
    return made, [row | {"portfolio": "book", "business_date": DAY, "load_id": "x"} for row in planned]


@pytest.fixture
def settings(floor):
    made, planned = floor
    names = {column.name for column in NOTIFICATION.columns}
    rows = [
        {name: value for name, value in row.items() if name in names} | {"loan_ids": row["loan_ids"].split(",")}
        for row in planned
    ]
    ensure_partitions(made.warehouse, DAY)
    prepare(made, rows, DAY, people=0)
    with transaction(made.warehouse) as connection:
        connection.execute(text(f"DELETE FROM {PLAN}"))
        connection.execute(insert(MART["core__loan_delinquency_daily"]), [loan_row(3, DAY)])
        columns = {column.name for column in PLAN.columns}
        connection.execute(
            insert(PLAN), [{name: value for name, value in row.items() if name in columns} for row in planned]
        )
    yield made
    empty_outbox(made.warehouse)
    with transaction(made.warehouse) as connection:
        connection.execute(text(f"DELETE FROM {PLAN}"))


def send(settings):
    way = Spool("sms", settings.outbox_folder / "sandbox")
    for number in range(SHARDS):
        shard = Shard("sms", number)
        Dispatcher(
            settings.warehouse, way, Recheck(settings, way), shard, Terms(lease_seconds=60), clock=lambda: TEN
        ).run()
    with transaction(settings.warehouse) as connection:
        asked = text("SELECT borrower_id, state_code, reason_code FROM ops.notification ORDER BY 1")
        return [tuple(row) for row in connection.execute(asked)]


def test_what_is_not_late_is_spoken_of_as_planned(settings):
    assert send(settings) == [(borrower, "sent", "sandbox_written") for borrower in ("b1", "b2", "b3")]

    said = sorted(one["body"] for one in messages(settings.outbox_folder / "sandbox"))
    assert sum("¥700.00" in body for body in said) == 1
    assert all("2026年3月1日" in body for body in said)


@pytest.mark.parametrize(("amount", "reason"), [(70_000, "paid"), (100, "part_paid")])
def test_whoever_is_paying_the_coming_instalment_is_not_reminded(settings, amount, reason):
    detail = {"amount_minor": amount, "currency": "CNY", "state_code": "pending"}
    event = {"event_id": "e", "portfolio": "book", "source_code": "desk", "kind_code": "payment_notice"}
    event |= {"source_ref": "1", "revision": 1, "content_hash": "0", "person_id": "p-b1", "party_id": "b1"}
    event |= {"loan_ids": ["l1"], "occurred_at": TEN, "received_at": TEN, "detail": detail}
    with transaction(settings.warehouse) as connection:
        connection.execute(insert(FEEDBACK_EVENT).values(**event))

    found = send(settings)

    assert found[0] == ("b1", "suppressed", reason)
    assert [state for _, state, _ in found] == ["suppressed", "sent", "sent"]


@pytest.mark.parametrize(
    ("minutes", "found"), [(0, "sent"), (1, "suppressed")], ids=["published together", "corrected since"]
)
def test_amount_of_a_plan_older_than_its_ledger_is_not_spoken_of(settings, minutes, found):
    """The correction may be a payment in advance; the explanation of the first loan speaks of no amount."""
    common = {"portfolio": "book", "business_date": DAY, "status_code": "published", "rows": 1, "load_id": "x"}
    common |= {"content_hash": "x", "contract_version": 1}
    loan = MART["core__loan_delinquency_daily"]
    at = ((PLAN, TEN), (loan, TEN + timedelta(minutes=minutes)))
    with transaction(settings.warehouse) as connection:
        connection.execute(text("DELETE FROM ops.data_freshness"))
        rows = [{**common, "dataset": fact.name, "published_at": published} for fact, published in at]
        connection.execute(insert(DATA_FRESHNESS), rows)

    done = send(settings)
    with transaction(settings.warehouse) as connection:
        connection.execute(text("DELETE FROM ops.data_freshness"))

    assert [state for _, state, _ in done] == [found, "sent", "sent"]
