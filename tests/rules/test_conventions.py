"""How lateness is counted: months, grace, what is nearly paid, and since when it is material."""

from datetime import date

import pytest
from arrears.rules.account import Instalment, Transaction
from arrears.rules.ageing import Terms, age_of_loan
from arrears.rules.conventions import after_grace, counts_as_late, whole_months
from arrears.rules.materiality import Materiality


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        pytest.param(date(2025, 3, 10), date(2025, 4, 9), 0, id="day_before_the_next_due_date"),
        pytest.param(date(2025, 3, 10), date(2025, 4, 10), 1, id="next_due_date"),
        pytest.param(date(2024, 1, 31), date(2024, 2, 29), 1, id="last_day_stands_for_a_day_the_month_lacks"),
        pytest.param(date(2023, 1, 31), date(2023, 2, 27), 0, id="day_before_that"),
        pytest.param(date(2024, 2, 29), date(2025, 2, 28), 12, id="a_year_from_a_leap_day"),
        pytest.param(date(2025, 12, 15), date(2026, 1, 15), 1, id="over_the_new_year"),
    ],
)
def test_month_is_over_on_the_same_day_of_the_next(since, until, months):
    assert whole_months(since, until) == months


@pytest.mark.parametrize(
    ("days", "grace", "subtract", "threshold"),
    [
        pytest.param(3, 5, 0, 0, id="within_grace"),
        pytest.param(5, 5, 0, 0, id="its_last_day"),
        pytest.param(6, 5, 1, 6, id="past_it"),
        pytest.param(40, 0, 40, 40, id="no_grace"),
    ],
)
def test_threshold_counts_in_full_once_it_is_passed(days, grace, subtract, threshold):
    assert after_grace(days, grace, "subtract") == subtract
    assert after_grace(days, grace, "threshold") == threshold


@pytest.mark.parametrize(
    ("unpaid", "pct", "is_late"),
    [
        pytest.param(1, 100, True, id="everything_is_asked"),
        pytest.param(0, 100, False, id="nothing_is_missing"),
        pytest.param(30, 90, False, id="ninety_per_cent_is_enough"),
        pytest.param(31, 90, True, id="a_unit_less_is_not"),
    ],
)
def test_nearly_paid_instalment_of_300_may_pass(unpaid, pct, is_late):
    assert counts_as_late(unpaid, 300, pct) == is_late


DUE = (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))
PLAN = tuple(Instalment(seq, due_on, 100) for seq, due_on in enumerate(DUE, 1))


@pytest.mark.parametrize(
    ("paid", "materiality", "exposure", "days"),
    [
        pytest.param([], Materiality(50), 1000, 79, id="since_the_first_due_date"),
        pytest.param([], Materiality(100), 1000, 48, id="since_the_amount_is_above_the_threshold"),
        pytest.param([], Materiality(0, 2000), 1000, 20, id="and_above_the_share_of_the_exposure"),
        pytest.param([], Materiality(300), 1000, 0, id="never_above"),
        pytest.param([(date(2026, 2, 10), 100)], Materiality(50), 1000, 79, id="paying_the_oldest_restarts_nothing"),
        pytest.param([(date(2026, 2, 10), 150)], Materiality(50), 1000, 20, id="falling_to_the_threshold_does"),
        pytest.param([(date(2026, 3, 5), 300)], Materiality(50), 1000, 0, id="all_is_paid"),
    ],
)
def test_material_days_follow_the_amount(paid, materiality, exposure, days):
    account = [Transaction(f"t{number}", "repayment", on, amount) for number, (on, amount) in enumerate(paid)]

    found = age_of_loan(
        PLAN, account, (), as_of=date(2026, 3, 21), terms=Terms(materiality=materiality), exposure_minor=exposure
    )

    assert found.material_days == days
