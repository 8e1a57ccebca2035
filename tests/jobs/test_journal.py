"""What the job transitions keeps beside its events: missing loans, corrections, source differences, customers."""

from datetime import UTC, datetime, timedelta

import pytest
from arrears.errors import LoanMissingError
from arrears.jobs.age import age
from arrears.jobs.transitions import transitions
from support.books import FIRST, PORTFOLIO, make_book, put, rows_of
from support.facts import put_day

NEXT, THIRD, FOURTH = (FIRST + timedelta(days=number) for number in (1, 2, 3))
EVENTS, HISTORY, MISSING = (
    "core__delinquency_event_daily",
    "core__bucket_history_daily",
    "core__missing_loan_daily",
)


def loan(loan_id, **more):
    return {
        "loan_id": loan_id,
        "borrower_id": "b1",
        "product_code": "p",
        "currency": "CNY",
        "status_code": "active",
        "disbursed_on": FIRST - timedelta(days=400),
        "outstanding_principal_minor": 500,
        **more,
    }


def due(loan_id, on, minor=100, seq=1):
    return {"loan_id": loan_id, "seq": seq, "due_on": on, "principal_minor": minor}


def paid(loan_id, on, booked_on, minor=100):
    return {
        "transaction_id": f"{loan_id}-{on}",
        "loan_id": loan_id,
        "kind_code": "repayment",
        "effective_on": on,
        "booked_at": datetime(booked_on.year, booked_on.month, booked_on.day, 4, tzinfo=UTC),
        "amount_minor": minor,
    }


def work(settings, day, loans, schedule, payments=()):
    """Age and journal a day; what else publishing needs of it is there, so that the next may follow."""
    put_day(settings, day)
    put(settings, "raw__loan", day, loans)
    put(settings, "raw__instalment", day, schedule)
    put(settings, "raw__transaction", day, list(payments))
    age("book", day, settings=settings)
    return transitions("book", day, settings=settings)


def events(settings, day):
    return {(row["loan_id"], row["event_code"]): row for row in rows_of(settings, EVENTS, day)}


def stays(settings, day, loan_id):
    """(bucket, valid_from, valid_to) as known on the day."""
    return [
        (row["contract_bucket"], row["valid_from"], row["valid_to"])
        for row in rows_of(settings, HISTORY, day)
        if row["loan_id"] == loan_id and row["seq"] == 0 and row["known_to"] is None
    ]


@pytest.fixture
def settings(tmp_path):
    return make_book(tmp_path)


def test_loan_that_vanished_and_came_back_late_is_in_the_same_spell(settings):
    late, schedule = [loan("a"), loan("z")], [due("a", FIRST - timedelta(days=29)), due("z", FIRST - timedelta(days=2))]
    work(settings, FIRST, late, schedule)

    gone = work(settings, NEXT, late[1:], schedule[1:])
    still = work(settings, THIRD, late[1:], schedule[1:])
    back = work(settings, FOURTH, late, schedule)

    assert [one["missing_loans"] for one in (gone, still, back)] == [1, 1, 0]
    assert [(row["loan_id"], row["error_code"], row["last_seen_on"]) for row in rows_of(settings, MISSING, THIRD)] == [
        ("a", "ARR-VAL-005", FIRST)
    ]
    assert set(events(settings, FOURTH)) == {("a", "rolled_forward")}
    assert stays(settings, THIRD, "a") == [("1-30", FIRST, None)]
    assert stays(settings, FOURTH, "a") == [("1-30", FIRST, FOURTH), ("31-60", FOURTH, None)]


def test_more_missing_loans_than_allowed_stop_the_day(settings):
    late = [loan("a"), loan("b"), loan("z")]
    schedule = [due(name, FIRST - timedelta(days=2)) for name in "abz"]
    work(settings, FIRST, late, schedule)

    with pytest.raises(LoanMissingError, match=r"2 of 3 open loans.*at most 50\.0 %"):
        work(settings, NEXT, late[2:], schedule[2:])


def test_payment_booked_late_corrects_the_past_and_says_what_was_and_what_is(settings):
    late, schedule = [loan("a"), loan("z")], [due("a", FIRST - timedelta(days=5)), due("z", FIRST - timedelta(days=2))]
    work(settings, FIRST, late, schedule)
    work(settings, NEXT, late, schedule)
    effective = FIRST - timedelta(days=2)

    result = work(settings, THIRD, late, schedule, [paid("a", effective, NEXT)])

    row = events(settings, THIRD)["a", "corrected"]
    assert result["events"] == {"corrected": 1, "cured": 1}
    assert (row["from_past_due_days"], row["to_past_due_days"], row["corrected_from"]) == (6, 0, FIRST)
    assert (row["from_past_due_minor"], row["to_past_due_minor"], row["to_bucket"]) == (100, 0, "0")
    assert stays(settings, NEXT, "a") == [("1-30", FIRST, None)]
    assert stays(settings, THIRD, "a") == [("0", FIRST, None)]
    assert [
        (row["contract_bucket"], row["valid_from"], row["known_from"])
        for row in rows_of(settings, HISTORY, THIRD)
        if row["known_to"] == THIRD and row["seq"] == 0
    ] == [("1-30", FIRST, FIRST)]
    assert transitions("book", THIRD, settings=settings) == result


def test_payment_of_the_day_before_corrects_nothing(settings):
    late, schedule = [loan("a"), loan("z")], [due("a", FIRST - timedelta(days=5)), due("z", FIRST - timedelta(days=2))]
    work(settings, FIRST, late, schedule)

    result = work(settings, NEXT, late, schedule, [paid("a", FIRST, FIRST)])

    assert result["events"] == {"cured": 1}
    assert stays(settings, NEXT, "a") == [("1-30", FIRST, NEXT), ("0", NEXT, None)]


def test_skipped_day_loses_no_event_and_the_day_after_reports_the_same(settings, tmp_path):
    text = PORTFOLIO.replace("buckets:", f"allowed_gaps: [{THIRD}]\nbuckets:")
    (tmp_path / "portfolios/book/portfolio.yaml").write_text(text)
    loans = [loan("a"), loan("z")]
    schedule = [due("a", FIRST), due("z", FIRST - timedelta(days=29))]
    work(settings, FIRST, loans, schedule)

    work(settings, THIRD, loans, schedule)
    first = events(settings, THIRD)
    again = transitions("book", THIRD, settings=settings)

    assert set(first) == {("a", "newly_overdue"), ("z", "rolled_forward")}
    assert {row["compared_with"] for row in first.values()} == {FIRST}
    assert events(settings, THIRD) == first
    assert again["events"] == {"newly_overdue": 1, "rolled_forward": 1}
    assert work(settings, FOURTH, loans, schedule)["events"] == {}


def test_source_that_counts_otherwise_is_listed(settings):
    loans = [
        loan("same", source_past_due_days=5, source_past_due_minor=100),
        loan("days", source_past_due_days=4, source_past_due_minor=100),
        loan("amount", source_past_due_days=5, source_past_due_minor=90),
        loan("clean", source_past_due_days=1, source_past_due_minor=0),
        loan("silent"),
    ]
    schedule = [due(one["loan_id"], FIRST - timedelta(days=5)) for one in loans if one["loan_id"] != "clean"]
    schedule.append(due("clean", FIRST + timedelta(days=5)))

    result = work(settings, FIRST, loans, schedule)

    assert result["source_differences"] == 3
    assert [
        (row["loan_id"], row["figure_code"], row["ours"], row["theirs"])
        for row in rows_of(settings, "core__source_difference_daily", FIRST)
    ] == [("amount", "past_due_minor", 100, 90), ("clean", "past_due_days", 0, 1), ("days", "past_due_days", 5, 4)]


def test_frappe_customer_stays_non_performing_until_every_loan_is_clean(settings, tmp_path):
    """frappe/lending 0f62e258, test_npa_marking_for_customer_via_scheduler, on our dates: one loan 93 days, one 2."""
    text = PORTFOLIO.replace("buckets:", "contagion: customer\nnon_performing_days: 90\nbuckets:")
    (tmp_path / "portfolios/book/portfolio.yaml").write_text(text)
    loans = [loan("old"), loan("new"), loan("other", borrower_id="b2")]
    schedule = [due(name, FIRST - timedelta(days=ago)) for name, ago in (("old", 93), ("new", 2), ("other", 90))]
    old, new = paid("old", FIRST, FIRST), paid("new", NEXT, NEXT)

    counts = [
        work(settings, day, loans, schedule, payments)["non_performing_loans"]
        for day, payments in ((FIRST, []), (NEXT, [old]))
    ]

    marked = rows_of(settings, "core__customer_status_daily", NEXT)
    assert counts[0] == 2
    assert {row["loan_id"] for row in marked} == {"old", "new", "other"}  # the other customer's 91st day
    assert {row["since_on"] for row in marked if row["borrower_id"] == "b1"} == {FIRST}
    assert work(settings, THIRD, loans, schedule, [old, new])["non_performing_loans"] == 1


def test_a_year_of_weeks_later_the_journal_is_the_same(settings, tmp_path):
    shift = timedelta(days=364)
    other = make_book(tmp_path / "shifted")
    moved = PORTFOLIO.replace("2026-03-02", str(FIRST + shift))
    (tmp_path / "shifted/portfolios/book/portfolio.yaml").write_text(moved)
    found = []
    for made, by in ((settings, timedelta()), (other, shift)):
        loans = [loan("a", disbursed_on=FIRST - timedelta(days=400) + by), loan("z", disbursed_on=FIRST + by)]
        schedule = [due("a", FIRST - timedelta(days=30) + by), due("z", FIRST + by)]
        work(made, FIRST + by, loans, schedule)
        work(made, NEXT + by, loans, schedule)
        found.append(
            [
                (row["loan_id"], row["event_code"], row["from_past_due_days"], row["to_past_due_days"])
                for row in rows_of(made, EVENTS, NEXT + by)
            ]
        )

    assert found[0] == found[1] == [("a", "rolled_forward", 30, 31), ("z", "newly_overdue", 0, 1)]
