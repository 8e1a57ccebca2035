"""The scalar ageing rule and the pipeline's SELECTs give the same rows for generated books."""

from datetime import date, timedelta

import duckdb
import pytest
from arrears.rules.ageing import Terms
from arrears.rules.allocation import COMPONENTS, Instalment, Transaction
from arrears.rules.pauses import Pause
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ageing import Loan, by_rule, by_sql

START = date(2026, 1, 1)
KINDS = ("repayment", "repayment", "waiver", "charge", "chargeback", "reversal")
STATUSES = ("active", "active", "active", "charged_off", "paid_off", "settled", "sold", "transferred", "cancelled")

days = st.integers(0, 120).map(lambda number: START + timedelta(days=number))
amounts = st.integers(0, 60)


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as made:
        yield made


@st.composite
def schedules(draw):
    seqs = draw(st.lists(st.integers(1, 9), max_size=5, unique=True))
    return tuple(Instalment(seq, draw(days), *(draw(amounts) for _ in COMPONENTS)) for seq in seqs)


@st.composite
def accounts(draw, loan_id):
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=7))
    ids = [f"{loan_id}-{number}" for number in range(len(kinds))]
    return tuple(
        Transaction(
            transaction_id,
            kind,
            draw(days),
            draw(st.integers(1, 250 if kind == "repayment" else 60)),
            draw(st.sampled_from(ids)) if kind == "reversal" else None,
        )
        for transaction_id, kind in zip(ids, kinds, strict=True)
    )


@st.composite
def pauses(draw):
    starts_on = draw(days)
    length = draw(st.none() | st.integers(0, 40))
    return Pause(starts_on, None if length is None else starts_on + timedelta(days=length))


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
        )
        for loan_id in draw(st.sampled_from([("a",), ("a", "b"), ("a", "b", "c", "d")]))
    )


terms_of_house = st.builds(
    Terms,
    convention=st.sampled_from(["elapsed", "inclusive"]),
    grace_days=st.integers(0, 10),
    tolerance_minor=st.sampled_from([0, 0, 1, 40, 100]),
    allocation_order=st.permutations(COMPONENTS).map(tuple),
)


@settings(max_examples=250, deadline=None)
@given(book=books(), as_of=days, terms=terms_of_house)
def test_select_gives_what_the_rule_says(connection, book, as_of, terms):
    expected = {loan.loan_id: by_rule(loan, as_of, terms) for loan in book}

    assert by_sql(connection, book, as_of, terms) == expected


@settings(max_examples=60, deadline=None)
@given(book=books(), as_of=days, terms=terms_of_house)
def test_instalments_sum_to_their_loan(connection, book, as_of, terms):
    aged = by_sql(connection, book, as_of, terms)

    for row in aged.values():
        assert sum(each["past_due_minor"] for each in row["instalments"]) == row["past_due_minor"]
        for component in COMPONENTS:
            name = f"past_due_{component}_minor"
            assert sum(each[name] for each in row["instalments"]) == row[name]
        assert sum(row[f"past_due_{component}_minor"] for component in COMPONENTS) == row["past_due_minor"]
        assert 0 <= row["delinquent_days"] <= row["past_due_days"] - row["paused_days"]


@settings(max_examples=60, deadline=None)
@given(book=books(), as_of=days, terms=terms_of_house, data=st.data())
def test_order_of_delivery_does_not_matter(connection, book, as_of, terms, data):
    shuffled = [
        Loan(
            loan.loan_id,
            tuple(data.draw(st.permutations(loan.schedule))),
            tuple(data.draw(st.permutations(loan.transactions))),
            tuple(data.draw(st.permutations(loan.pauses))),
            loan.status_code,
            loan.grace_days,
        )
        for loan in data.draw(st.permutations(book))
    ]

    assert by_sql(connection, shuffled, as_of, terms) == by_sql(connection, book, as_of, terms)
