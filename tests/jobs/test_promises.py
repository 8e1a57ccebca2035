"""The job's promises: ledger and feedback, kept and broken, in the order of days."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from arrears.jobs import promises
from arrears.jobs.day import Day
from arrears.jobs.promises import write_promises
from arrears.warehouse.feedback_known import PROMISE
from support.books import make_book, put, rows_of

DAY = date(2026, 3, 10)
MADE = datetime(2026, 3, 2, 3, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path):
    return make_book(tmp_path)


def put_ledger(settings, day, *, paid=(), promises=None):
    put(settings, "raw__loan", day, [{"loan_id": "L1", "borrower_id": "B1"}])
    put(
        settings,
        "core__loan_delinquency_daily",
        day,
        [{"loan_id": "L1", "borrower_id": "B1", "past_due_days": 5, "contract_bucket": "1-30"}],
    )
    rows = [
        {
            "transaction_id": name,
            "loan_id": "L1",
            "kind_code": kind,
            "effective_on": on,
            "booked_at": MADE,
            "amount_minor": amount,
            "reverses_id": reverses,
        }
        for name, kind, on, amount, reverses in paid
    ]
    put(settings, "raw__transaction", day, rows)
    if promises is None:
        promises = [{"promise_id": "P1", "seq": 1, "due_on": date(2026, 3, 8), "amount_minor": 500}]
    filled = [{"loan_ids": "L1", "made_at": MADE, "currency": "CNY", **one} for one in promises]
    put(settings, "raw__promise", day, filled)


def judged(settings, day, before=None):
    written = write_promises(Day.open("book", day, settings=settings), before)
    rows = rows_of(settings, "core__promise_daily", day)
    return written, [(r["promise_id"], r["matched_minor"], r["state_code"], r["since_on"], r["bucket"]) for r in rows]


def test_promise_is_kept_then_broken_by_a_reversal_and_says_since_when(settings):
    tomorrow = DAY + timedelta(days=1)
    pay = ("T1", "repayment", date(2026, 3, 7), 500, None)
    put_ledger(settings, DAY, paid=[pay])
    put_ledger(settings, tomorrow, paid=[pay, ("T2", "reversal", DAY, 500, "T1")])
    put_ledger(settings, tomorrow + timedelta(days=1), paid=[pay, ("T2", "reversal", DAY, 500, "T1")])

    first, kept = judged(settings, DAY)
    again, _ = judged(settings, DAY)
    _, broken = judged(settings, tomorrow, DAY)
    _, still = judged(settings, tomorrow + timedelta(days=1), tomorrow)

    assert first.content_hash == again.content_hash
    assert kept == [("P1", 500, "kept", DAY, "1-30")]
    assert broken == [("P1", 0, "broken", tomorrow, "1-30")]
    assert still == broken


def test_portfolio_without_promises_has_an_empty_table(settings):
    put_ledger(settings, DAY, promises=[])

    assert judged(settings, DAY)[1] == []


def test_promise_made_after_the_day_is_not_known_to_it(settings):
    late = {
        "promise_id": "P2",
        "seq": 1,
        "due_on": date(2026, 3, 20),
        "amount_minor": 1,
        "made_at": datetime(2026, 3, 11, tzinfo=UTC),
    }
    put_ledger(settings, DAY, promises=[late])

    assert judged(settings, DAY)[1] == []


def reported_of(source, loan, **given):
    """What a source of feedback says of its promise 17."""
    said = {"promise_id": "17", "seq": 1, "source_code": source, "loan_ids": [loan], "made_at": MADE, "currency": "CNY"}
    return dict.fromkeys(PROMISE.names) | said | {"amount_minor": 500, "due_on": date(2026, 3, 20)} | given


@pytest.mark.parametrize(
    ("ledger", "said", "found"),
    [
        pytest.param(
            "L1",
            [reported_of("agency", "L2")],
            [("B1", "L1", "ledger", 400), ("B2", "L2", "agency", 500)],
            id="an agency's number is not the ledger's",
        ),
        pytest.param("L1", [reported_of("desk", "L1")], [("B1", "L1", "desk", 500)], id="one promise told twice"),
        pytest.param(
            None,
            [reported_of("agency", "L2"), reported_of("desk", "L1"), reported_of("desk", "L1", seq=2)],
            [("B2", "L2", "agency", 500), ("B1", "L1", "desk", 500), ("B1", "L1", "desk", 500)],
            id="two sources number alike",
        ),
    ],
)
def test_each_source_numbers_its_promises_for_itself(settings, monkeypatch, ledger, said, found):
    own = {"promise_id": "17", "seq": 1, "due_on": date(2026, 3, 20), "amount_minor": 400}
    put_ledger(settings, DAY, promises=[] if ledger is None else [own])
    owned = [{"loan_id": f"L{number}", "borrower_id": f"B{number}"} for number in (1, 2)]
    put(settings, "raw__loan", DAY, owned)
    put(settings, "core__loan_delinquency_daily", DAY, [{**one, "past_due_days": 5} for one in owned])
    monkeypatch.setattr(promises, "reported", lambda *_: pa.Table.from_pylist(said, PROMISE))

    judged(settings, DAY)

    rows = rows_of(settings, "core__promise_daily", DAY)
    seen = [(row["borrower_id"], row["loan_ids"], row["source_code"], row["amount_minor"]) for row in rows]
    assert sorted(seen) == sorted(found)
