"""Why a loan is as many days past due as it is, in figures and in one sentence."""

from datetime import UTC, datetime, timedelta

import pytest
from arrears.errors import RuleInputError
from arrears.jobs.explain import explain, in_text
from support.books import FIRST, make_book, put


def days_ago(number):
    return FIRST - timedelta(days=number)


def entry(name, kind, on, amount, reverses=None):
    return {
        "transaction_id": name,
        "loan_id": "late",
        "kind_code": kind,
        "effective_on": on,
        "booked_at": datetime(2026, 3, 1, tzinfo=UTC),
        "amount_minor": amount,
        "reverses_id": reverses,
    }


@pytest.fixture
def settings(tmp_path):
    made = make_book(tmp_path)
    loans = [("late", "active"), ("paid", "active"), ("ended", "sold"), ("new", "active")]
    put(made, "raw__loan", FIRST, [{"loan_id": name, "status_code": code, "currency": "CNY"} for name, code in loans])
    schedule = [
        {"loan_id": "late", "seq": 3, "due_on": days_ago(34), "principal_minor": 46000, "interest_minor": 2000},
        {"loan_id": "paid", "seq": 1, "due_on": days_ago(2), "principal_minor": 0},
        {"loan_id": "new", "seq": 1, "due_on": FIRST, "principal_minor": 100},
    ]
    put(made, "raw__instalment", FIRST, schedule)
    account = [
        entry("t1", "repayment", days_ago(30), 36000),
        entry("t2", "repayment", days_ago(9), 48000),
        entry("t3", "reversal", days_ago(8), 48000, "t2"),
        entry("t4", "repayment", FIRST + timedelta(days=1), 100),
    ]
    put(made, "raw__transaction", FIRST, account)
    put(made, "raw__pause", FIRST, [{"loan_id": "late", "starts_on": days_ago(5), "ends_on": days_ago(3)}])
    return made


def test_sentence_says_which_instalment_lacks_what(settings):
    found = explain("book", FIRST, "late", settings=settings)

    assert found["why"] == (
        f"34 days past due: instalment 3 of {days_ago(34)} lacks 120.00 CNY of 480.00 CNY; "
        "2 paused days; grace 0; delinquent 32 -> 31-60"
    )


def test_allocation_and_account_are_shown(settings):
    found = explain("book", FIRST, "late", settings=settings)

    assert [
        (row["component"], row["due_minor"], row["paid_minor"], row["unpaid_minor"]) for row in found["allocation"]
    ] == [
        ("interest", 2000, 2000, 0),
        ("principal", 46000, 34000, 12000),
    ]
    assert {row["transaction_id"]: row["effect"] for row in found["transactions"]} == {
        "t1": "counts",
        "t2": "annulled by t3",
        "t3": "reverses t2",
        "t4": f"not effective by {FIRST}",
    }
    assert found["pauses"] == [
        {"starts_on": days_ago(5), "ends_on": days_ago(3), "effect_code": "classification_freeze"}
    ]


def test_text_shows_each_subtraction_with_its_rule_and_each_payment_with_its_spending(settings):
    lines = in_text(explain("book", FIRST, "late", settings=settings)).splitlines()

    freeze = f"classification_freeze from {days_ago(5)} until {days_ago(3)}"
    for said in (
        f"      34  past_due_days    elapsed, {days_ago(34)} to {FIRST} (ARR-AGE-01, ARR-AGE-08)",
        "       2  paused_days      taken off, inside the past-due span only (ARR-AGE-05)",
        "      32  delinquent_days  what is left (ARR-AGE-06)",
        f"  {days_ago(30)}  repayment 360.00 CNY [t1]: counts",
        "      20.00 CNY interest of instalment 3",
        "      340.00 CNY principal of instalment 3",
        f"  {days_ago(9)}  repayment 480.00 CNY [t2]: annulled by t3",
        f"  {freeze}: its days are not counted, the bucket is held (ARR-AGE-05, ARR-BKT-03)",
        "Past due in all 120.00 CNY: 120.00 CNY principal",
        "Bucket 31-60 by bucket_days, 31-60 by past_due_days (ARR-BKT-01)",
        f"Falls due next: nothing, the last date is {days_ago(34)} (ARR-ALC-01)",
    ):
        assert said in lines


def test_entries_stand_in_the_order_of_the_replay_whatever_they_are_called(settings):
    account = [
        entry("a", "repayment", days_ago(1), 50000),
        entry("b", "charge", days_ago(50), 500) | {"component_code": "fee"},
        entry("c", "repayment", days_ago(30), 1000),
    ]
    put(settings, "raw__transaction", FIRST, account)

    found = explain("book", FIRST, "late", settings=settings)

    text = in_text(found)
    assert [each["transaction_id"] for each in found["transactions"]] == ["b", "c", "a"]
    assert "      adds 5.00 CNY fee of instalment 3\n" in text
    assert "      25.00 CNY is kept for later\n" in text
    assert found["past_due_components"] == {}


def test_deferred_schedule_is_the_one_explained(settings):
    moved = {"loan_id": "late", "starts_on": days_ago(40), "ends_on": days_ago(20), "effect_code": "deferral"}
    put(settings, "raw__pause", FIRST, [moved])

    found = explain("book", FIRST, "late", settings=settings)

    assert (found["past_due_on"], found["past_due_days"]) == (days_ago(14), 14)


@pytest.mark.parametrize(
    ("loan", "why"),
    [
        pytest.param("paid", f"Not past due: everything due as of {FIRST} is paid", id="paid"),
        pytest.param("ended", "Not past due: the loan has ended (sold)", id="ended"),
        pytest.param("new", f"Not past due: nothing is due as of {FIRST}", id="due_today"),
    ],
)
def test_current_loan_says_why_it_is(settings, loan, why):
    assert explain("book", FIRST, loan, settings=settings)["why"] == why


def test_shortfall_within_tolerance_is_said(settings):
    path = settings.portfolios / "book/portfolio.yaml"
    path.write_text(f"{path.read_text()}ageing: {{tolerance_minor: 12000}}\n")

    why = explain("book", FIRST, "late", settings=settings)["why"]

    assert why == "Not past due: 120.00 CNY are missing, within the tolerance of 120.00 CNY"


def test_instalment_paid_to_nearly_all_of_it_is_said(settings):
    path = settings.portfolios / "book/portfolio.yaml"
    path.write_text(f"{path.read_text()}ageing: {{full_payment_pct: 75}}\n")

    why = explain("book", FIRST, "late", settings=settings)["why"]

    assert why.endswith("within the tolerance of 0.00 CNY, or of instalments paid to 75 %")


def test_unknown_loan_is_refused(settings):
    with pytest.raises(RuleInputError, match="no loan 'nobody'"):
        explain("book", FIRST, "nobody", settings=settings)
