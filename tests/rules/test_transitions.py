"""What changed between two days: each loan's movement, once."""

from datetime import date

import pytest
from arrears.rules.transitions import LoanState, events_of, is_missing
from support.ageing import BUCKETS

CURRENT = LoanState("active")
RESTRUCTURED = date(2026, 2, 1)


@pytest.mark.parametrize(
    ("then", "now", "events"),
    [
        pytest.param(CURRENT, CURRENT, "", id="nothing_happened"),
        pytest.param(CURRENT, LoanState("active", 1), "newly_overdue", id="first_day_past_due"),
        pytest.param(CURRENT, LoanState("active", 9), "newly_overdue", id="first_day_seen_late"),
        pytest.param(None, LoanState("active", 40), "newly_overdue", id="new_in_the_ledger_and_past_due"),
        pytest.param(None, CURRENT, "", id="new_in_the_ledger_and_current"),
        pytest.param(LoanState("active", 7), LoanState("active", 8), "", id="one_day_older_in_its_bucket"),
        pytest.param(LoanState("active", 30), LoanState("active", 31), "rolled_forward", id="rolled_forward"),
        pytest.param(LoanState("active", 95), LoanState("active", 3), "rolled_back", id="rolled_back"),
        pytest.param(LoanState("active", 7), CURRENT, "cured", id="cured"),
        pytest.param(LoanState("active", 7), LoanState("paid_off"), "paid_off", id="paid_off_from_arrears"),
        pytest.param(CURRENT, LoanState("paid_off"), "", id="paid_off_while_current"),
        pytest.param(LoanState("active", 7), LoanState("sold"), "sold", id="sold_from_arrears"),
        pytest.param(LoanState("active", 7), LoanState("settled"), "settled", id="settled_from_arrears"),
        pytest.param(
            LoanState("charged_off", 400), LoanState("transferred"), "transferred", id="transferred_after_loss"
        ),
        pytest.param(
            LoanState("active", 70), LoanState("active", 0, RESTRUCTURED), "re_aged", id="new_schedule_is_no_cure"
        ),
        pytest.param(
            LoanState("active", 70), LoanState("active", 3, RESTRUCTURED), "re_aged", id="new_schedule_is_no_roll_back"
        ),
        pytest.param(
            LoanState("active", 70, RESTRUCTURED),
            LoanState("active", 0, RESTRUCTURED),
            "cured",
            id="cured_on_the_new_schedule",
        ),
        pytest.param(
            LoanState("active", 0, RESTRUCTURED),
            LoanState("active", 1, RESTRUCTURED),
            "newly_overdue",
            id="late_again_on_the_new_schedule",
        ),
        pytest.param(
            LoanState("active", 120),
            LoanState("charged_off", 121),
            "charged_off",
            id="charged_off_in_its_bucket",
        ),
        pytest.param(
            LoanState("active", 90),
            LoanState("charged_off", 91),
            "charged_off rolled_forward",
            id="charged_off_beside_another",
        ),
        pytest.param(LoanState("charged_off", 5), LoanState("charged_off", 6), "", id="charged_off_before"),
        pytest.param(LoanState("charged_off", 5), LoanState("charged_off"), "cured", id="charged_off_and_paid_up"),
    ],
)
def test_events_of_two_days(then, now, events):
    assert " ".join(sorted(events_of(then, now, BUCKETS))) == events


def test_first_day_marks_what_it_found():
    assert events_of(None, LoanState("active", 40), BUCKETS, is_first_day=True) == {"initial_load"}
    assert events_of(None, CURRENT, BUCKETS, is_first_day=True) == set()


def test_correction_stands_beside_what_the_day_did():
    assert events_of(LoanState("active", 7), CURRENT, BUCKETS, is_corrected=True) == {"cured", "corrected"}


@pytest.mark.parametrize(
    ("then", "now", "was_missing", "answer"),
    [
        pytest.param(CURRENT, None, False, True, id="open_loan_vanished"),
        pytest.param(None, None, True, True, id="still_missing"),
        pytest.param(LoanState("sold"), None, False, False, id="ended_loan_need_not_stay"),
        pytest.param(CURRENT, CURRENT, False, False, id="there"),
        pytest.param(None, LoanState("sold"), True, False, id="came_back_to_say_how_it_ended"),
    ],
)
def test_missing_is_open_when_last_seen_and_not_there(then, now, was_missing, answer):
    assert is_missing(then, now, was_missing=was_missing) is answer
