"""The scalar ageing rule and the pipeline's SELECTs give the same rows for generated books."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest
from arrears.rules.account import COMPONENTS, PAYMENT_KINDS, Instalment, Transaction
from arrears.rules.ageing import Terms
from arrears.rules.allocation import Waterfall, Waterfalls
from arrears.rules.materiality import Materiality
from arrears.rules.pauses import Pause
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.ageing import Loan, by_rule, by_sql

START = date(2026, 1, 1)
KINDS = (
    *("repayment", "repayment", "waiver", "goodwill_credit", "merchant_refund"),
    *("charge", "chargeback", "credit_refund", "reversal", "undo", "undo"),
)
STATUSES = ("active", "active", "active", "charged_off", "paid_off", "settled", "sold", "transferred", "cancelled")

# A coarse grid: due dates, payments and as-of dates meet on the same day, which is where rules go wrong.
days = st.integers(0, 12).map(lambda number: START + timedelta(days=10 * number))
as_ofs = st.builds(lambda day, off: day + timedelta(days=off), days, st.sampled_from([0, 0, 1, -1]))
amounts = st.integers(0, 60)
bookings = st.none() | days.map(lambda day: datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
orders = st.permutations(COMPONENTS).map(tuple)
waterfalls = st.builds(
    Waterfall,
    orders,
    orders,
    orders,
    st.sampled_from(["horizontal", "vertical"]),
    st.sampled_from(["next", "last", "reamortise"]),
)


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as made:
        yield made


@st.composite
def schedules(draw):
    seqs = draw(st.lists(st.integers(1, 9), max_size=5, unique=True))
    kinds = st.sampled_from([None, None, None, "down_payment"])
    return tuple(Instalment(seq, draw(days), *(draw(amounts) for _ in COMPONENTS), draw(kinds)) for seq in seqs)


@st.composite
def accounts(draw, loan_id):
    """Transactions of one loan; an ``undo`` reverses the one before it, so that reversals of reversals are common."""
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=7))
    ids = [f"{loan_id}-{number}" for number in range(len(kinds))]
    account = []
    for number, kind in enumerate(kinds):
        amount = draw(st.integers(1, 250 if kind == "repayment" else 60))
        if kind == "undo":
            entry = Transaction(ids[number], "reversal", draw(days), amount, ids[max(0, number - 1)])
        elif kind == "reversal":
            entry = Transaction(ids[number], kind, draw(days), amount, draw(st.sampled_from(ids)))
        else:
            component = draw(st.sampled_from([None, "fee", "penalty"])) if kind == "charge" else None
            entry = Transaction(ids[number], kind, draw(days), amount, None, draw(bookings), component)
        account.append(entry)
    return tuple(account)


@st.composite
def pauses(draw):
    starts_on = draw(days)
    length = draw(st.none() | st.integers(0, 40))
    effect = draw(st.sampled_from([None, None, "classification_freeze", "deferral", "contact_hold"]))
    return Pause(starts_on, None if length is None else starts_on + timedelta(days=length), effect)


@st.composite
def books(draw):
    return tuple(
        Loan(
            loan_id,
            draw(schedules()),
            draw(accounts(loan_id)),
            tuple(draw(st.lists(pauses(), max_size=4))),
            draw(st.sampled_from(STATUSES)),
            draw(st.none() | st.integers(0, 20)),
            draw(st.sampled_from([None, "subtract", "threshold"])),
            draw(st.sampled_from([1, 100, 2000])),
        )
        for loan_id in draw(st.sampled_from([("a",), ("a", "b"), ("a", "b", "c", "d")]))
    )


terms_of_house = st.builds(
    Terms,
    convention=st.sampled_from(["elapsed", "elapsed", "inclusive", "months_ots", "months_mba"]),
    grace_days=st.integers(0, 10),
    tolerance_minor=st.sampled_from([0, 0, 1, 40, 100]),
    waterfalls=st.one_of(
        orders.map(lambda order: Waterfalls(Waterfall.of(order))),
        st.builds(Waterfalls, waterfalls, st.dictionaries(st.sampled_from(PAYMENT_KINDS), waterfalls, max_size=2)),
    ),
    grace_code=st.sampled_from(["subtract", "threshold"]),
    full_payment_pct=st.sampled_from([100, 100, 90, 70]),
    materiality=st.none() | st.builds(Materiality, st.sampled_from([0, 40, 100]), st.sampled_from([0, 100, 2000])),
)


def on(day):
    return START + timedelta(days=day)


def paid(number, day, amount=100):
    return Transaction(f"t{number}", "repayment", on(day), amount)


def undo(number, day):
    return Transaction(f"t{number}", "reversal", on(day), 1, f"t{number - 1}")


# Meetings that chance brings too seldom.
THIRD_REVERSAL = Loan("a", (Instalment(1, on(0), 100),), (paid(1, 1), undo(2, 2), undo(3, 3), undo(4, 4)))
TIE_AT_TOLERANCE = Loan("a", (Instalment(2, on(0), 30), Instalment(1, on(0), 30)))
CHARGE_AT_TIE = Loan(
    "a", (Instalment(2, on(9), 30), Instalment(1, on(9), 30)), (Transaction("t1", "charge", on(5), 7), paid(2, 1, 50))
)
REVERSED_TODAY = Loan("a", (Instalment(1, on(0), 100),), (paid(1, 1), undo(2, 20)))
DUE_TODAY_WITHIN_TOLERANCE = Loan("a", (Instalment(1, on(0), 20), Instalment(2, on(20), 90)))


@settings(max_examples=150, deadline=None)
@example(book=(THIRD_REVERSAL,), as_of=on(20), terms=Terms())
@example(book=(TIE_AT_TOLERANCE,), as_of=on(20), terms=Terms(tolerance_minor=40))
@example(book=(CHARGE_AT_TIE,), as_of=on(20), terms=Terms())
@example(book=(REVERSED_TODAY,), as_of=on(20), terms=Terms())
@example(book=(DUE_TODAY_WITHIN_TOLERANCE,), as_of=on(20), terms=Terms(tolerance_minor=40))
@given(book=books(), as_of=as_ofs, terms=terms_of_house)
def test_select_gives_what_the_rule_says(connection, book, as_of, terms):
    expected = {loan.loan_id: by_rule(loan, as_of, terms) for loan in book}

    assert by_sql(connection, book, as_of, terms) == expected


@settings(max_examples=30, deadline=None)
@given(book=books(), as_of=as_ofs, terms=terms_of_house)
def test_instalments_sum_to_their_loan(connection, book, as_of, terms):
    aged = by_sql(connection, book, as_of, terms)

    for row in aged.values():
        assert sum(each["past_due_minor"] for each in row["instalments"]) == row["past_due_minor"]
        for component in COMPONENTS:
            name = f"past_due_{component}_minor"
            assert sum(each[name] for each in row["instalments"]) == row[name]
        assert sum(row[f"past_due_{component}_minor"] for component in COMPONENTS) == row["past_due_minor"]
        assert 0 <= row["delinquent_days"] <= max(0, row["past_due_days"] - row["paused_days"])


@settings(max_examples=30, deadline=None)
@given(book=books(), as_of=as_ofs, terms=terms_of_house, data=st.data())
def test_order_of_delivery_does_not_matter(connection, book, as_of, terms, data):
    shuffled = [
        Loan(
            loan.loan_id,
            tuple(data.draw(st.permutations(loan.schedule))),
            tuple(data.draw(st.permutations(loan.transactions))),
            tuple(data.draw(st.permutations(loan.pauses))),
            loan.status_code,
            loan.grace_days,
            loan.grace_code,
            loan.exposure_minor,
        )
        for loan in data.draw(st.permutations(book))
    ]

    assert by_sql(connection, shuffled, as_of, terms) == by_sql(connection, book, as_of, terms)
