"""The job transitions: each event once, the first day's load, loans that vanish."""

from datetime import timedelta

import pytest
from arrears.errors import PredecessorMissingError
from arrears.jobs.transitions import transitions
from support.books import FIRST, make_book, put, rows_of
from support.facts import put_day

NEXT = FIRST + timedelta(days=1)
LOANS, EVENTS = "core__loan_delinquency_daily", "core__delinquency_event_daily"


def loan(loan_id, days, status="active"):
    bucket = "0" if days == 0 else "1-30" if days <= 30 else "31-60"
    return {
        "loan_id": loan_id,
        "status_code": status,
        "is_open": status == "active",
        "past_due_days": days,
        "past_due_minor": 10 * days,
        "contract_bucket": bucket,
    }


@pytest.fixture
def settings(tmp_path):
    made = make_book(tmp_path)
    put_day(made, FIRST)
    then = [("a", 30), ("b", 0), ("c", 5), ("d", 9), ("gone", 3), ("sold", 0, "sold")]
    put(made, LOANS, FIRST, [loan(*one) for one in then])
    return made


def events_of(settings, business_date):
    return {(row["loan_id"], row["event_code"]): row for row in rows_of(settings, EVENTS, business_date)}


def test_first_day_marks_what_is_past_due_as_loaded(settings):
    result = transitions("book", FIRST, settings=settings)

    assert set(events_of(settings, FIRST)) == {(name, "initial_load") for name in ("a", "c", "d", "gone")}
    assert result["events"] == {"initial_load": 4}
    assert result["compared_with"] is None


def test_next_day_names_what_changed_and_counts_what_vanished(settings):
    put(settings, LOANS, NEXT, [loan("a", 31), loan("b", 1), loan("c", 0), loan("d", 0, "paid_off"), loan("e", 0)])

    result = transitions("book", NEXT, settings=settings)

    found = events_of(settings, NEXT)
    assert {key: (row["past_due_minor"], row["from_bucket"], row["to_bucket"]) for key, row in found.items()} == {
        ("a", "rolled_forward"): (310, "1-30", "31-60"),
        ("b", "newly_overdue"): (10, "0", "1-30"),
        ("c", "cured"): (50, "1-30", "0"),
        ("d", "paid_off"): (90, "1-30", "0"),
    }
    assert {row["compared_with"] for row in found.values()} == {FIRST}
    assert result["missing_loans"] == 2
    assert transitions("book", NEXT, settings=settings) == result


def test_day_without_its_predecessor_waits(settings):
    later = NEXT + timedelta(days=1)
    put(settings, LOANS, later, [loan("a", 31)])

    with pytest.raises(PredecessorMissingError, match=f"{NEXT} is not published"):
        transitions("book", later, settings=settings)
