"""Which transactions count, where they fall due, and what a payment settles."""

from datetime import date

import pytest
from arrears.errors import RuleInputError
from arrears.rules.allocation import (
    COMPONENTS,
    Instalment,
    Transaction,
    allocate,
    obligations,
    pool_minor,
    standing_transactions,
)

JAN, FEB, MAR, APR = (date(2026, month, 5) for month in (1, 2, 3, 4))
PLAN = (Instalment(1, FEB, 100, 10), Instalment(2, MAR, 100, 10))


def paid(number, on, amount=50):
    return Transaction(f"t{number}", "repayment", on, amount)


def undo(number, target, on):
    return Transaction(f"t{number}", "reversal", on, 1, f"t{target}")


@pytest.mark.parametrize(
    ("transactions", "standing"),
    [
        pytest.param([paid(1, FEB)], "t1", id="counts_on_the_day_it_is_effective"),
        pytest.param([paid(1, MAR)], "", id="does_not_count_before_it_is_effective"),
        pytest.param([paid(1, JAN), undo(2, 1, FEB)], "", id="reversal_annuls_its_original"),
        pytest.param([paid(1, JAN), undo(2, 1, MAR)], "t1", id="reversal_of_tomorrow_annuls_nothing_yet"),
        pytest.param([paid(1, JAN), undo(2, 1, JAN), undo(3, 1, FEB)], "", id="two_reversals_annul_once"),
        pytest.param([paid(1, JAN), undo(2, 1, JAN), undo(3, 2, FEB)], "t1", id="reversed_reversal_has_no_effect"),
        pytest.param(
            [paid(1, JAN), undo(2, 1, JAN), undo(3, 2, FEB), undo(4, 3, FEB)], "", id="third_reversal_annuls_again"
        ),
        pytest.param([Transaction("t1", "charge", JAN, 5), undo(2, 1, JAN)], "", id="reversed_charge_never_happened"),
    ],
)
def test_standing_transactions(transactions, standing):
    found = standing_transactions(transactions, FEB)

    assert " ".join(each.transaction_id for each in found) == standing


@pytest.mark.parametrize(
    ("kind", "on", "expected"),
    [
        pytest.param("charge", JAN, (1, "fee", FEB), id="charge_before_the_first_due_date"),
        pytest.param("charge", FEB, (1, "fee", FEB), id="charge_on_a_due_date_belongs_to_it"),
        pytest.param("chargeback", FEB, (2, "principal", MAR), id="chargeback_on_a_due_date_belongs_to_the_next"),
        pytest.param("charge", APR, (3, "fee", APR), id="charge_after_the_last_makes_one_more"),
        pytest.param("chargeback", MAR, (3, "principal", MAR), id="chargeback_on_the_last_makes_one_more"),
    ],
)
def test_entry_falls_due_with_its_instalment(kind, on, expected):
    owed = obligations(PLAN, [Transaction("t1", kind, on, 7)])

    seq, component, due_on = expected
    receiver = next(each for each in owed if each.seq == seq)
    before = next((each for each in PLAN if each.seq == seq), Instalment(seq, due_on))
    assert receiver.due_on == due_on
    assert receiver.amount_minor(component) - before.amount_minor(component) == 7
    assert sum(each.total_minor for each in owed) == 220 + 7


def test_late_entries_share_one_instalment_of_the_first_date():
    late = [Transaction("t1", "charge", date(2026, 4, 9), 7), Transaction("t2", "chargeback", date(2026, 4, 6), 40)]

    owed = obligations(PLAN, late)

    assert owed[-1] == Instalment(3, date(2026, 4, 6), principal_minor=40, fee_minor=7)


def test_pool_holds_repayments_and_waivers_only():
    entries = [paid(1, JAN), Transaction("t2", "waiver", JAN, 20), Transaction("t3", "charge", JAN, 9)]

    assert pool_minor(entries) == 70


@pytest.mark.parametrize(
    ("pool", "order", "unpaid"),
    [
        pytest.param(0, "penalty fee interest principal", "4 3 2 1 | 8 6 4 2", id="nothing_paid"),
        pytest.param(3, "penalty fee interest principal", "4 3 0 0 | 8 6 4 2", id="penalty_then_fee"),
        pytest.param(3, "principal interest fee penalty", "1 3 2 1 | 8 6 4 2", id="principal_first"),
        pytest.param(12, "penalty fee interest principal", "0 0 0 0 | 8 6 4 0", id="oldest_before_the_next"),
        pytest.param(99, "penalty fee interest principal", "0 0 0 0 | 0 0 0 0", id="surplus_is_dropped"),
    ],
)
def test_waterfall_settles_the_oldest_first(pool, order, unpaid):
    owed = [Instalment(1, FEB, 4, 3, 2, 1), Instalment(2, MAR, 8, 6, 4, 2)]

    found = allocate(owed, pool, order.split())

    assert " | ".join(" ".join(str(row.unpaid_minor(name)) for name in COMPONENTS) for row in found) == unpaid


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: allocate(PLAN, 1, ("fee", "fee", "interest", "principal")), id="order_repeats"),
        pytest.param(lambda: obligations((*PLAN, Instalment(1, APR)), []), id="number_twice"),
        pytest.param(lambda: obligations((Instalment(1, APR, -1),), []), id="negative_obligation"),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(RuleInputError):
        call()
