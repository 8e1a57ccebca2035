"""The job age: from the day's ledger to every loan's and instalment's age."""

from datetime import UTC, date, datetime, timedelta

import pytest
from arrears.errors import PartitionMissingError
from arrears.jobs.age import age
from support.books import FIRST, make_book, put, rows_of

LOANS, INSTALMENTS = "core__loan_delinquency_daily", "core__instalment_delinquency_daily"


def days_ago(number):
    return FIRST - timedelta(days=number)


def loan(loan_id, status="active", **more):
    return {"loan_id": loan_id, "status_code": status, "outstanding_principal_minor": 500, **more}


def instalment(loan_id, seq, due_on, principal=100, interest=10):
    return {"loan_id": loan_id, "seq": seq, "due_on": due_on, "principal_minor": principal, "interest_minor": interest}


def paid(loan_id, on, amount):
    return {
        "transaction_id": f"{loan_id}-{on}",
        "loan_id": loan_id,
        "kind_code": "repayment",
        "effective_on": on,
        "booked_at": datetime(2026, 3, 1, tzinfo=UTC),
        "amount_minor": amount,
    }


@pytest.fixture
def settings(tmp_path):
    made = make_book(tmp_path)
    book = [loan("late", grace_days=3), loan("paid"), loan("new"), loan("ended", "settled"), loan("off", "charged_off")]
    schedule = [instalment("late", 1, days_ago(40)), instalment("late", 2, days_ago(10))]
    schedule += [instalment("paid", 1, days_ago(40)), instalment("new", 1, FIRST)]
    schedule += [instalment("ended", 1, days_ago(400)), instalment("off", 1, days_ago(200))]
    put(made, "raw__loan", FIRST, book)
    put(made, "raw__instalment", FIRST, schedule)
    put(made, "raw__transaction", FIRST, [paid("late", days_ago(5), 30), paid("paid", days_ago(1), 110)])
    return made


def test_every_loan_has_one_row_with_its_age(settings):
    age("book", FIRST, settings=settings)

    rows = {row["loan_id"]: row for row in rows_of(settings, LOANS, FIRST)}
    figures = (
        "past_due_days",
        "delinquent_days",
        "past_due_instalments",
        "past_due_minor",
        "bucket",
        "contract_bucket",
    )
    assert {loan_id: tuple(row[name] for name in figures) for loan_id, row in rows.items()} == {
        "late": (40, 37, 2, 190, "31-60", "31-60"),
        "paid": (0, 0, 0, 0, "0", "0"),
        "new": (0, 0, 0, 0, "0", "0"),
        "ended": (0, 0, 0, 0, "0", "0"),
        "off": (200, 200, 1, 110, "91+", "91+"),
    }
    assert {loan_id for loan_id, row in rows.items() if not row["is_open"]} == {"ended"}
    assert rows["ended"]["outstanding_principal_minor"] == 0
    assert rows["late"]["past_due_on"] == days_ago(40)
    assert (rows["late"]["as_of"], rows["late"]["closing_date"]) == (FIRST, days_ago(1))


def test_instalments_say_what_their_loan_lacks(settings):
    age("book", FIRST, settings=settings)

    rows = [row for row in rows_of(settings, INSTALMENTS, FIRST) if row["loan_id"] == "late"]
    figures = ("seq", "past_due_days", "past_due_minor", "past_due_principal_minor", "past_due_interest_minor")
    assert [tuple(row[name] for name in figures) for row in rows] == [(1, 40, 80, 80, 0), (2, 10, 110, 100, 10)]


def test_pauses_come_off_delinquent_days(settings):
    put(settings, "raw__pause", FIRST, [{"loan_id": "late", "starts_on": days_ago(9), "ends_on": days_ago(2)}])

    age("book", FIRST, settings=settings)

    late = next(row for row in rows_of(settings, LOANS, FIRST) if row["loan_id"] == "late")
    assert (late["past_due_days"], late["paused_days"], late["delinquent_days"], late["bucket"]) == (40, 7, 30, "1-30")


def test_ageing_twice_gives_the_same_hashes(settings):
    first = age("book", FIRST, settings=settings)

    assert age("book", FIRST, settings=settings) == first
    assert first["rows"] == 5
    assert first["past_due_minor"] == 300
    assert first["past_due_instalments"] == 3


def test_day_that_is_not_validated_is_refused(settings):
    with pytest.raises(PartitionMissingError):
        age("book", date(2026, 3, 9), settings=settings)
