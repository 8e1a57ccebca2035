"""The truth told from the plan is what the delivered rows add up to, paid out by hand, row by row.

An oracle for the oracle: plain Python over the ledger's rows as closed, sharing nothing with the plan or the ageing.
"""

from collections import defaultdict
from datetime import date, timedelta

import duckdb
import pyarrow.parquet as pq
import pytest
from arrears.sources.demo import Order, last_days, world
from arrears.sources.demo.calendar import number_of
from arrears.sources.demo.files import LedgerFiles
from arrears.sources.demo.lender import LENDERS
from arrears.sources.demo.load import make_chunk
from arrears.sources.demo.truth import truth

AS_OF = date(2026, 3, 16)
LOANS = 4_000
COMPONENTS = ("penalty", "fee", "interest", "principal")  # the order in which a payment is used up
TOLERANCE_MINOR = 100  # a yuan, a dollar


@pytest.fixture(scope="module", params=sorted(LENDERS))
def order(request):
    return Order.of(request.param, loans=LOANS, seed=11, dates=last_days(AS_OF))


@pytest.fixture(scope="module")
def chunk(order):
    return make_chunk(order, 0, 1, LOANS)


@pytest.fixture(scope="module")
def plan(order):
    return world.make(order, 0, 1, LOANS)


def rows_by_loan(path):
    found = defaultdict(list)
    for row in pq.read_table(path).to_pylist():
        found[row.get("loan_id")].append(row)
    return found


def open_rows(schedule, transactions):
    """What is left of each instalment after every payment, oldest first, in the order of the components."""
    owed = sorted((dict(row) for row in schedule), key=lambda row: row["seq"])
    reversed_ids = {row["reverses_id"] for row in transactions if row["kind_code"] == "reversal"}
    money = 0
    for row in transactions:
        if row["kind_code"] in ("repayment", "waiver") and row["transaction_id"] not in reversed_ids:
            money += row["amount_minor"]
        elif row["kind_code"] == "charge":
            after = [each for each in owed if each["due_on"] >= row["effective_on"]]
            if not after:
                extra = {f"{name}_minor": 0 for name in COMPONENTS}
                after = [{"seq": owed[-1]["seq"] + 1, "due_on": row["effective_on"], **extra}]
                owed += after
            after[0]["fee_minor"] += row["amount_minor"]
        elif row["kind_code"] == "chargeback":
            next(each for each in owed if each["due_on"] > row["effective_on"])["principal_minor"] += row[
                "amount_minor"
            ]
    for row in owed:
        for name in COMPONENTS:
            used = min(money, row[f"{name}_minor"])
            row[f"{name}_minor"] -= used
            money -= used
    assert money == 0
    return owed


def expected_of(loan, schedule, transactions, pauses, as_of):
    """The loan's figures, worked out day by day and coin by coin."""
    owed = open_rows(schedule, transactions)
    left = {name: sum(row[f"{name}_minor"] for row in owed) for name in COMPONENTS}
    is_open = loan["status_code"] in ("active", "charged_off")
    late = [row for row in owed if row["due_on"] < as_of] if is_open else []
    since, short = None, 0
    for row in late:
        short += sum(row[f"{name}_minor"] for name in COMPONENTS)
        since = since or (row["due_on"] if short > TOLERANCE_MINOR else None)
    late = late if since else []
    span = [since + timedelta(days=day) for day in range((as_of - since).days)] if since else []
    ticked = [
        day
        for day in span
        if any(pause["starts_on"] <= day and (not pause["ends_on"] or day < pause["ends_on"]) for pause in pauses)
    ]
    return {
        "status_code": loan["status_code"],
        "is_paid": sum(left.values()) == 0,
        "past_due_on": since,
        "past_due_days": len(span),
        "paused_days": len(ticked),
        "delinquent_days": max(0, len(span) - len(ticked) - (loan["grace_days"] or 0)),
        "past_due_minor": short if since else 0,
        **{f"past_due_{name}_minor": sum(row[f"{name}_minor"] for row in late) for name in COMPONENTS},
        "outstanding_principal_minor": left["principal"] if is_open else 0,
    }


@pytest.mark.parametrize("days_back", [0, 1, 2, 45, 200])
def test_truth_is_what_the_rows_add_up_to(tmp_path, chunk, plan, days_back):
    as_of = AS_OF - timedelta(days=days_back)
    with LedgerFiles(tmp_path, as_of) as files:
        files.write(chunk.tables)
    ledger = {noun: rows_by_loan(tmp_path / f"{noun}.parquet") for noun in ("instalment", "transaction", "pause")}
    loans = {row["loan_id"]: row for row in pq.read_table(tmp_path / "loan.parquet").to_pylist()}
    hosts = set(chunk.planted["loan_id"].to_pylist())

    wrong, late = [], 0
    for row in truth(plan, number_of(as_of)).to_pylist():
        if row["loan_id"] in hosts:
            continue
        loan = loans[row["loan_id"]]
        ours = expected_of(loan, *(ledger[noun][row["loan_id"]] for noun in ledger), as_of)
        is_paid = ours.pop("is_paid")
        late += row["past_due_days"] > 0
        if {name: row[name] for name in ours} != ours or loan["outstanding_principal_minor"] != (
            row["outstanding_principal_minor"]
        ):
            wrong.append((row, ours))
        if row["is_open"] and is_paid:
            wrong.append((row, "paid, and still open"))

    assert wrong == []
    assert late > 40


def test_truth_has_something_of_everything(chunk):
    expected = chunk.truth
    (counted,) = duckdb.sql(
        "SELECT count(*) FILTER (past_due_days > 0), count(*) FILTER (paused_days > 0),"
        " count(*) FILTER (past_due_penalty_minor > 0), count(*) FILTER (past_due_fee_minor > 0),"
        " count(*) FILTER (delinquent_days > 30), count(*) FILTER (status_code = 'charged_off') FROM expected"
    ).fetchall()

    assert expected.num_rows > 0
    assert min(counted) > 0, counted
