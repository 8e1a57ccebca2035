"""Promises to pay: first in, first out, with tolerance and grace; what is reversed is not there."""

from datetime import date

import pytest
from arrears.errors import RuleInputError
from arrears.rules.promises import Credit, PromisedPart, outcomes, standing_credits

LOAN = "L1"


def on(day):
    return date(2026, 3, day)


def promise(name, due, amount, *, made=1, cancelled=None, loans=(LOAN,), seq=1):
    return PromisedPart(name, seq, frozenset(loans), on(made), on(due), amount, cancelled and on(cancelled))


def paid(day, amount, loan=LOAN, name=None):
    return Credit(name or f"{day:02}-{amount}-{loan}", loan, on(day), amount)


def judge(parts, credits_made, close, *, tolerance=0, grace=0):
    found = outcomes(parts, credits_made, closing_date=on(close), tolerance_minor=tolerance, grace_days=grace)
    return [(one.part.promise_id, one.matched_minor, one.state_code) for one in found]


ONE = [promise("A", 10, 500)]
TWO = [promise("A", 10, 500), promise("B", 20, 300)]


@pytest.mark.parametrize(
    ("parts", "credits_made", "close", "said"),
    [
        pytest.param(ONE, [], 9, [("A", 0, "open")], id="nothing_paid_before_the_day"),
        pytest.param(ONE, [], 10, [("A", 0, "broken")], id="nothing_paid_by_the_close_of_the_day"),
        pytest.param(ONE, [paid(10, 500)], 10, [("A", 500, "kept")], id="paid_on_the_day"),
        pytest.param(ONE, [paid(4, 500)], 4, [("A", 500, "kept")], id="paid_early_is_kept_at_once"),
        pytest.param(ONE, [paid(11, 500)], 11, [("A", 0, "broken")], id="paid_a_day_late"),
        pytest.param(ONE, [paid(4, 200)], 9, [("A", 200, "open")], id="paid_in_part_before_the_day"),
        pytest.param(ONE, [paid(4, 200)], 10, [("A", 200, "part_kept")], id="paid_in_part"),
        pytest.param(ONE, [paid(4, 200), paid(9, 300)], 9, [("A", 500, "kept")], id="paid_in_two_parts"),
        pytest.param(ONE, [paid(4, 900)], 9, [("A", 500, "kept")], id="paid_too_much"),
        pytest.param([promise("A", 10, 500, made=5)], [paid(4, 500)], 10, [("A", 0, "broken")], id="paid_before_made"),
        pytest.param([promise("A", 5, 500, made=5)], [paid(5, 500)], 5, [("A", 500, "kept")], id="made_due_paid_same"),
        pytest.param(
            TWO, [paid(9, 800)], 9, [("A", 500, "kept"), ("B", 300, "kept")], id="what_is_left_goes_to_the_next"
        ),
        pytest.param(TWO, [paid(9, 600)], 10, [("A", 500, "kept"), ("B", 100, "open")], id="the_next_has_part_of_it"),
        pytest.param(
            TWO,
            [paid(12, 400)],
            12,
            [("A", 0, "broken"), ("B", 300, "kept")],
            id="money_too_late_for_one_keeps_the_next",
        ),
        pytest.param(
            [promise("B", 20, 300), promise("A", 10, 500)],
            [paid(9, 500)],
            10,
            [("A", 500, "kept"), ("B", 0, "open")],
            id="due_first_is_served_first_whatever_the_order",
        ),
        pytest.param(
            [promise("A", 10, 500, made=5), promise("B", 10, 500, made=2)],
            [paid(9, 500)],
            10,
            [("B", 500, "kept"), ("A", 0, "broken")],
            id="of_one_day_the_one_made_first",
        ),
        pytest.param(
            [promise("A", 10, 500, made=8), promise("B", 20, 300, made=1)],
            [paid(5, 300), paid(9, 500)],
            10,
            [("A", 500, "kept"), ("B", 300, "kept")],
            id="money_from_before_one_was_made_serves_the_other",
        ),
        pytest.param([promise("A", 10, 500, cancelled=6)], [paid(9, 500)], 10, [("A", 0, "cancelled")], id="cancelled"),
        pytest.param(
            [promise("A", 10, 500, cancelled=6)], [paid(6, 500)], 10, [("A", 500, "kept")], id="kept_then_cancelled"
        ),
        pytest.param(
            [promise("A", 10, 500, cancelled=11)], [], 11, [("A", 0, "broken")], id="broken_before_it_was_cancelled"
        ),
        pytest.param(
            [promise("A", 10, 500, cancelled=6), promise("B", 20, 500, made=6)],
            [paid(12, 500)],
            12,
            [("A", 0, "cancelled"), ("B", 500, "kept")],
            id="cancelled_one_takes_nothing_from_its_successor",
        ),
        pytest.param(
            [promise("A", 10, 500, loans=("L1", "L2"))],
            [paid(5, 200, "L1"), paid(6, 300, "L2")],
            10,
            [("A", 500, "kept")],
            id="one_promise_for_two_loans",
        ),
        pytest.param(ONE, [paid(5, 500, "L2")], 10, [("A", 0, "broken")], id="paid_on_another_loan"),
        pytest.param(
            [promise("A", 5, 300, seq=1), promise("A", 15, 300, seq=2)],
            [paid(5, 300)],
            15,
            [("A", 300, "kept"), ("A", 0, "broken")],
            id="instalments_first_kept_second_broken",
        ),
        pytest.param(
            [promise("A", 5, 300, seq=1), promise("A", 15, 300, seq=2)],
            [paid(7, 600)],
            7,
            [("A", 0, "broken"), ("A", 300, "kept")],
            id="instalments_first_late_second_early",
        ),
    ],
)
def test_promise_is_what_was_paid_in_time(parts, credits_made, close, said):
    assert judge(parts, credits_made, close) == said


@pytest.mark.parametrize(
    ("credits_made", "close", "tolerance", "grace", "said"),
    [
        pytest.param([paid(10, 499)], 10, 1, 0, ("A", 499, "kept"), id="short_within_tolerance"),
        pytest.param([paid(10, 498)], 10, 1, 0, ("A", 498, "part_kept"), id="short_by_more"),
        pytest.param([], 10, 900, 0, ("A", 0, "broken"), id="tolerance_never_keeps_a_promise_by_itself"),
        pytest.param([paid(10, 1)], 10, 900, 0, ("A", 1, "kept"), id="something_within_a_wide_tolerance"),
        pytest.param([], 11, 0, 2, ("A", 0, "open"), id="grace_is_running"),
        pytest.param([paid(12, 500)], 12, 0, 2, ("A", 500, "kept"), id="paid_on_the_last_day_of_grace"),
        pytest.param([paid(13, 500)], 13, 0, 2, ("A", 0, "broken"), id="paid_after_grace"),
    ],
)
def test_tolerance_and_grace(credits_made, close, tolerance, grace, said):
    assert judge(ONE, credits_made, close, tolerance=tolerance, grace=grace) == [said]


@pytest.mark.parametrize(
    ("backs", "left"),
    [
        pytest.param([], [(4, 200), (8, 300)], id="none"),
        pytest.param([(9, 300)], [(4, 200)], id="takes_the_last"),
        pytest.param([(9, 400)], [(4, 100)], id="and_part_of_the_one_before"),
        pytest.param([(5, 150)], [(4, 50), (8, 300)], id="leaves_what_came_later"),
        pytest.param([(9, 100), (9, 100)], [(4, 200), (8, 100)], id="several_together"),
        pytest.param([(9, 900)], [], id="more_than_was_paid"),
        pytest.param([(2, 100)], [(4, 200), (8, 300)], id="before_anything_was_paid"),
    ],
)
def test_chargeback_takes_back_what_was_paid_last_before_it(backs, left):
    charged = [paid(day, amount, name=f"back{number}") for number, (day, amount) in enumerate(backs)]

    found = standing_credits([paid(4, 200), paid(8, 300)], charged)

    assert sorted((one.credited_on.day, one.amount_minor) for one in found) == left


def test_reversal_reopens_before_the_day_and_breaks_after_it():
    money = [paid(4, 500)]

    assert judge(ONE, money, 8) == [("A", 500, "kept")]
    assert judge(ONE, [], 8) == [("A", 0, "open")]  # reversed on the 8th
    assert judge(ONE, [], 12) == [("A", 0, "broken")]


def test_kept_rates_of_the_reference():
    """reliability.md 3.4: 60/80 = 75 %; 36,000/60,000 = 60 %; with partial payments 39,500/60,000 = 65.8 %."""
    parts = [promise(f"K{number:02}", 10, 600, loans=(f"K{number}",)) for number in range(60)]
    parts += [promise(f"P{number:02}", 10, 1200, loans=(f"P{number}",)) for number in range(10)]
    parts += [promise(f"B{number:02}", 10, 1200, loans=(f"B{number}",)) for number in range(10)]
    parts += [promise("open", 20, 900), promise("gone", 10, 900, cancelled=2)]
    money = [paid(5, 600, f"K{number}") for number in range(60)] + [paid(5, 350, f"P{number}") for number in range(10)]

    found = outcomes(parts, money, closing_date=on(10), tolerance_minor=0, grace_days=0)

    due = [one for one in found if one.state_code in ("kept", "part_kept", "broken")]
    kept = [one for one in due if one.state_code == "kept"]
    promised = sum(one.part.amount_minor for one in due)
    assert (len(kept), len(due), len(kept) / len(due)) == (60, 80, 0.75)
    assert (sum(one.part.amount_minor for one in kept), promised) == (36_000, 60_000)
    assert round(100 * sum(one.matched_minor for one in due) / promised, 1) == 65.8


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(promise("A", 10, 0), id="of_nothing"),
        pytest.param(promise("A", 3, 500, made=5), id="due_before_it_was_made"),
        pytest.param(promise("A", 10, 500, loans=()), id="of_no_loan"),
    ],
)
def test_no_promise_at_all_is_refused(wrong):
    with pytest.raises(RuleInputError, match="A"):
        outcomes([wrong], [], closing_date=on(10), tolerance_minor=0, grace_days=0)
