"""Which transactions count, where they fall due, and what a payment settles."""

from datetime import date

import pytest
from arrears.errors import RuleInputError
from arrears.rules.account import COMPONENTS, Instalment, Receiver, Transaction, receivers, standing_transactions
from arrears.rules.allocation import Waterfall, Waterfalls, replay

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
        pytest.param("charge", JAN, Receiver(1, FEB, "fee"), id="charge_before_the_first_due_date"),
        pytest.param("charge", FEB, Receiver(1, FEB, "fee"), id="charge_on_a_due_date_belongs_to_it"),
        pytest.param(
            "chargeback", FEB, Receiver(2, MAR, "principal"), id="chargeback_on_a_due_date_belongs_to_the_next"
        ),
        pytest.param("charge", APR, Receiver(3, APR, "fee"), id="charge_after_the_last_makes_one_more"),
        pytest.param("chargeback", MAR, Receiver(2, MAR, "principal"), id="chargeback_on_the_last_belongs_to_it"),
        pytest.param("chargeback", APR, Receiver(3, APR, "principal"), id="chargeback_after_the_last_makes_one_more"),
        pytest.param("credit_refund", JAN, Receiver(1, FEB, "principal"), id="refund_falls_due_like_a_chargeback"),
    ],
)
def test_entry_falls_due_with_its_instalment(kind, on, expected):
    found = receivers(PLAN, [Transaction("t1", kind, on, 7)])

    assert found == {"t1": expected}


def test_down_payment_takes_no_charge():
    plan = (
        Instalment(1, FEB, 50, kind_code="down_payment"),
        *(Instalment(n, on, 100) for n, on in ((2, MAR), (3, APR))),
    )

    found = receivers(plan, [Transaction("t1", "charge", FEB, 7, component_code="penalty")])

    assert found == {"t1": Receiver(2, MAR, "penalty")}


def test_late_entries_share_one_instalment_of_the_latest_date():
    late = [Transaction("t1", "charge", date(2026, 4, 9), 7), Transaction("t2", "chargeback", date(2026, 4, 6), 40)]

    account = replay(PLAN, late, date(2026, 5, 1), Waterfalls())

    extra = account.obligations[-1]
    assert (extra.seq, extra.due_on) == (3, date(2026, 4, 9))
    assert extra.owed == {"principal": 40, "interest": 0, "fee": 7, "penalty": 0}


def unpaid(account):
    return " | ".join(" ".join(str(row.unpaid_minor(name)) for name in COMPONENTS) for row in account.obligations)


def spread(amount, on, waterfall, kind="repayment"):
    plan = [Instalment(1, FEB, 4, 3, 2, 1), Instalment(2, MAR, 8, 6, 4, 2), Instalment(3, APR, 8, 6, 4, 2)]
    return replay(plan, [Transaction("t1", kind, on, amount)], date(2026, 5, 1), Waterfalls(waterfall))


@pytest.mark.parametrize(
    ("amount", "order", "left"),
    [
        pytest.param(3, "penalty fee interest principal", "4 3 0 0 | 8 6 4 2 | 8 6 4 2", id="penalty_then_fee"),
        pytest.param(3, "principal interest fee penalty", "1 3 2 1 | 8 6 4 2 | 8 6 4 2", id="principal_first"),
        pytest.param(12, "penalty fee interest principal", "0 0 0 0 | 8 6 4 0 | 8 6 4 2", id="oldest_before_the_next"),
        pytest.param(99, "penalty fee interest principal", "0 0 0 0 | 0 0 0 0 | 0 0 0 0", id="surplus_is_kept"),
    ],
)
def test_plain_waterfall_settles_the_oldest_first(amount, order, left):
    waterfall = Waterfall.of(order.split())

    account = spread(amount, JAN, waterfall)

    assert waterfall.is_plain
    assert unpaid(account) == left
    assert account.overpaid_minor == max(0, amount - 50)


PRINCIPAL_FIRST = ("principal", "interest", "fee", "penalty")


@pytest.mark.parametrize(
    ("amount", "on", "waterfall", "left"),
    [
        pytest.param(
            5,
            APR,
            Waterfall(processing="vertical"),
            "4 3 0 0 | 8 6 4 0 | 8 6 4 2",
            id="vertical_takes_all_penalties_first",
        ),
        pytest.param(
            5, MAR, Waterfall(past_due=PRINCIPAL_FIRST), "0 2 2 1 | 8 6 4 2 | 8 6 4 2", id="past_due_has_its_own_order"
        ),
        pytest.param(
            13, MAR, Waterfall(due=PRINCIPAL_FIRST), "0 0 0 0 | 5 6 4 2 | 8 6 4 2", id="due_has_its_own_order"
        ),
        pytest.param(
            3,
            JAN,
            Waterfall(in_advance=PRINCIPAL_FIRST),
            "1 3 2 1 | 8 6 4 2 | 8 6 4 2",
            id="in_advance_has_its_own_order",
        ),
        pytest.param(5, JAN, Waterfall(prepays="last"), "4 3 2 1 | 8 6 4 2 | 8 6 1 0", id="last_instalment_in_advance"),
        pytest.param(
            21, FEB, Waterfall(prepays="last"), "0 0 0 0 | 8 6 4 2 | 8 1 0 0", id="what_is_due_comes_before_the_last"
        ),
        pytest.param(
            9,
            FEB,
            Waterfall(prepays="reamortise"),
            "1 0 0 0 | 8 6 4 2 | 8 6 4 2",
            id="nothing_in_advance_before_what_is_due",
        ),
        pytest.param(
            21,
            FEB,
            Waterfall(prepays="reamortise"),
            "0 0 0 0 | 8 6 0 0 | 8 6 1 0",
            id="even_parts_component_after_component",
        ),
        pytest.param(
            15,
            FEB,
            Waterfall(prepays="reamortise"),
            "0 0 0 0 | 8 6 4 0 | 8 6 3 0",
            id="half_a_minor_unit_goes_to_the_even_side",
        ),
    ],
)
def test_waterfall_minds_the_date(amount, on, waterfall, left):
    account = spread(amount, on, waterfall)

    assert not waterfall.is_plain
    assert unpaid(account) == left


def test_kind_of_payment_may_have_its_own_waterfall():
    waterfalls = Waterfalls(Waterfall(), {"merchant_refund": Waterfall(prepays="last")})

    account = replay(PLAN, [Transaction("t1", "merchant_refund", JAN, 110)], JAN, waterfalls)

    assert not waterfalls.is_plain
    assert unpaid(account) == "100 10 0 0 | 0 0 0 0"


@pytest.mark.parametrize(
    ("later", "left", "overpaid"),
    [
        pytest.param(Transaction("t2", "charge", MAR, 7), "0 0 0 0 | 0 0 0 0", 23, id="charge_is_paid_by_it"),
        pytest.param(Transaction("t2", "charge", MAR, 40), "0 0 0 0 | 0 0 10 0", 0, id="charge_beyond_it_is_owed"),
        pytest.param(Transaction("t2", "chargeback", FEB, 30), "0 0 0 0 | 0 0 0 0", 0, id="chargeback_takes_it"),
        pytest.param(
            Transaction("t2", "chargeback", FEB, 50), "0 0 0 0 | 20 0 0 0", 0, id="chargeback_beyond_it_is_owed"
        ),
        pytest.param(Transaction("t2", "credit_refund", FEB, 30), "0 0 0 0 | 0 0 0 0", 0, id="refund_pays_it_out"),
        pytest.param(
            Transaction("t2", "credit_refund", FEB, 31), "0 0 0 0 | 1 0 0 0", 0, id="refund_beyond_it_is_owed"
        ),
    ],
)
def test_what_was_overpaid_is_kept_and_used(later, left, overpaid):
    account = replay(PLAN, [Transaction("t1", "repayment", JAN, 250), later], MAR, Waterfalls())

    assert unpaid(account) == left
    assert account.overpaid_minor == overpaid


def test_charge_after_a_payment_does_not_take_what_was_paid_in_advance():
    entries = [Transaction("t1", "repayment", JAN, 160), Transaction("t2", "charge", FEB, 7)]

    account = replay(PLAN, entries, FEB, Waterfalls())

    assert unpaid(account) == "0 0 7 0 | 60 0 0 0"


def test_reversed_payment_leaves_the_others_as_if_it_had_never_been():
    entries = [paid(1, JAN, 110), paid(2, FEB, 110), undo(3, 1, FEB)]

    account = replay(PLAN, entries, FEB, Waterfalls())

    assert unpaid(account) == "0 0 0 0 | 100 10 0 0"
    assert set(account.splits) == {"t2"}


@pytest.mark.parametrize(
    ("entries", "shortfall"),
    [
        pytest.param([Transaction("t1", "chargeback", JAN, 40)], (JAN, 40), id="nothing_paid_of_it"),
        pytest.param([paid(1, JAN, 40), Transaction("t2", "chargeback", JAN, 40)], None, id="no_more_than_was_paid"),
        pytest.param([paid(1, JAN, 10), Transaction("t2", "chargeback", JAN, 40)], (JAN, 30), id="more_than_was_paid"),
        pytest.param(
            [
                Transaction("t1", "chargeback", date(2026, 1, 6), 40),
                Transaction("t2", "chargeback", date(2026, 1, 9), 20),
            ],
            (date(2026, 1, 6), 60),
            id="since_the_first",
        ),
        pytest.param(
            [
                Transaction("t1", "chargeback", date(2026, 1, 6), 40),
                Transaction("t2", "chargeback", date(2026, 1, 9), 20),
                paid(3, date(2026, 1, 20), 45),
            ],
            (date(2026, 1, 9), 15),
            id="payments_meet_the_oldest_first",
        ),
    ],
)
def test_shortfall_of_a_chargeback(entries, shortfall):
    account = replay(PLAN, entries, date(2026, 1, 31), Waterfalls())

    assert account.obligations[0].shortfall == shortfall


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: Waterfall(due=("fee", "fee", "interest", "principal")), id="order_repeats"),
        pytest.param(lambda: Waterfall(processing="diagonal"), id="unknown_processing"),
        pytest.param(lambda: Waterfall(prepays="first"), id="unknown_prepayment"),
        pytest.param(lambda: replay((*PLAN, Instalment(1, APR)), [], JAN, Waterfalls()), id="number_twice"),
        pytest.param(lambda: replay((Instalment(1, APR, -1),), [], JAN, Waterfalls()), id="negative_obligation"),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(RuleInputError):
        call()
