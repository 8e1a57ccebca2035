"""How old arrears are: conventions, tolerance, grace, pauses, what ends."""

from datetime import date, timedelta

import pytest
from arrears.rules.account import Instalment, Transaction
from arrears.rules.ageing import NOT_PAST_DUE, Terms, age_of_loan
from arrears.rules.pauses import Pause

DUE = (date(2026, 1, 10), date(2026, 2, 10), date(2026, 3, 10))
PLAN = tuple(Instalment(seq, due_on, 100, 20) for seq, due_on in enumerate(DUE, 1))


def age(as_of, paid=0, *, pauses=(), status_code="active", **terms):
    account = [Transaction("t", "repayment", date(2025, 12, 1), paid)] if paid else []
    return age_of_loan(PLAN, account, pauses, as_of=as_of, terms=Terms(**terms), status_code=status_code)


@pytest.mark.parametrize(
    ("convention", "offset", "days"),
    [
        pytest.param("elapsed", -1, 0, id="elapsed_day_before"),
        pytest.param("elapsed", 0, 0, id="elapsed_due_date_is_current"),
        pytest.param("elapsed", 1, 1, id="elapsed_day_after_is_day_1"),
        pytest.param("inclusive", -1, 0, id="inclusive_day_before"),
        pytest.param("inclusive", 0, 1, id="inclusive_due_date_is_day_1"),
        pytest.param("inclusive", 1, 2, id="inclusive_day_after_is_day_2"),
    ],
)
def test_convention_decides_about_the_due_date(convention, offset, days):
    found = age(DUE[0] + timedelta(days=offset), convention=convention)

    assert found.past_due_days == days
    assert (found.past_due_on == DUE[0]) == (days > 0)


@pytest.mark.parametrize(
    ("paid", "due_on", "minor"),
    [
        pytest.param(0, DUE[0], 360, id="nothing_paid"),
        pytest.param(119, DUE[0], 241, id="partial_payment_moves_no_date"),
        pytest.param(120, DUE[1], 240, id="oldest_paid_moves_to_the_next"),
        pytest.param(359, DUE[2], 1, id="one_unit_short"),
        pytest.param(360, None, 0, id="all_paid"),
        pytest.param(500, None, 0, id="overpaid"),
    ],
)
def test_oldest_unpaid_instalment_gives_the_date(paid, due_on, minor):
    found = age(date(2026, 3, 20), paid)

    assert (found.past_due_on, found.past_due_minor) == (due_on, minor)


@pytest.mark.parametrize(
    ("tolerance", "paid", "due_on", "minor", "instalments"),
    [
        pytest.param(40, 320, None, 0, 0, id="shortfall_equal_to_tolerance_is_forgiven"),
        pytest.param(40, 319, DUE[2], 41, 1, id="one_more_is_not"),
        pytest.param(40, 90, DUE[1], 270, 2, id="small_rest_of_the_oldest_is_passed_over"),
        pytest.param(30, 90, DUE[1], 270, 2, id="rest_equal_to_tolerance_is_passed_over_and_still_owed"),
        pytest.param(29, 90, DUE[0], 270, 3, id="larger_rest_is_the_oldest"),
    ],
)
def test_tolerance_is_cumulative_and_hides_no_amount(tolerance, paid, due_on, minor, instalments):
    found = age(date(2026, 3, 20), paid, tolerance_minor=tolerance)

    assert (found.past_due_on, found.past_due_minor, found.past_due_instalments) == (due_on, minor, instalments)
    assert sum(each.past_due_minor for each in found.unpaid) == minor


@pytest.mark.parametrize(
    ("grace", "pauses", "expected"),
    [
        pytest.param(0, [], (31, 0, 31), id="neither"),
        pytest.param(5, [], (31, 0, 26), id="grace"),
        pytest.param(40, [], (31, 0, 0), id="grace_never_below_zero"),
        pytest.param(0, [Pause(date(2026, 1, 15), date(2026, 1, 20))], (31, 5, 26), id="pause"),
        pytest.param(3, [Pause(date(2026, 1, 1), date(2026, 1, 12))], (31, 2, 26), id="pause_before_counts_not"),
        pytest.param(0, [Pause(date(2026, 1, 1))], (31, 31, 0), id="paused_throughout"),
    ],
)
def test_grace_and_pauses_touch_delinquent_days_only(grace, pauses, expected):
    found = age(date(2026, 2, 10), pauses=pauses, grace_days=grace)

    assert (found.past_due_days, found.paused_days, found.delinquent_days) == expected


def test_inclusive_full_pause_cancels_all_days_and_no_more():
    found = age(DUE[0], pauses=[Pause(date(2026, 1, 1))], convention="inclusive")

    assert (found.past_due_days, found.paused_days, found.delinquent_days) == (1, 1, 0)


def test_instalments_know_pauses_but_no_grace():
    found = age(date(2026, 2, 20), pauses=[Pause(date(2026, 2, 1), date(2026, 2, 15))], grace_days=30)

    assert [(each.past_due_days, each.delinquent_days) for each in found.unpaid] == [(41, 27), (10, 5)]
    assert found.delinquent_days == 0


def test_reversal_brings_the_old_due_date_back():
    account = [
        Transaction("t1", "repayment", DUE[0], 120),
        Transaction("t2", "reversal", date(2026, 2, 5), 120, "t1"),
    ]

    before, after = (
        age_of_loan(PLAN, account, (), as_of=as_of, terms=Terms()) for as_of in (date(2026, 2, 4), date(2026, 2, 5))
    )

    assert before == NOT_PAST_DUE
    assert (after.past_due_on, after.past_due_days) == (DUE[0], 26)


@pytest.mark.parametrize("status", ["paid_off", "settled", "sold", "transferred", "cancelled"])
def test_ended_loan_is_all_zeros(status):
    assert age(date(2026, 3, 20), status_code=status) == NOT_PAST_DUE


def test_charged_off_loan_still_ages():
    assert age(date(2026, 3, 20), status_code="charged_off").past_due_days == 69


def test_loan_without_schedule_has_nothing_due():
    assert age_of_loan((), (), (), as_of=DUE[0], terms=Terms()) == NOT_PAST_DUE
