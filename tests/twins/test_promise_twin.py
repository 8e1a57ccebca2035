"""The scalar rule of promises and the pipeline's SELECTs agree on generated borrowers, loans and money."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest
from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import select_text
from arrears.rules.promises import Credit, PromisedPart, outcomes, standing_credits
from arrears.warehouse.feedback_known import PROMISE
from hypothesis import given, settings
from hypothesis import strategies as st
from support.books import ARROW, FILLER

FIRST = date(2026, 3, 2)
LOANS = {"H1": ("H1a", "H1b"), "H2": ("H2a",)}  # by borrower
days = st.integers(0, 9)
amounts = st.sampled_from([1, 100, 250, 500, 501])


@st.composite
def parts(draw):
    """Promises of both borrowers, some in instalments, some cancelled."""
    made = []
    for number in range(draw(st.integers(1, 6))):
        owned = LOANS[draw(st.sampled_from(sorted(LOANS)))]
        loans = draw(st.lists(st.sampled_from(owned), min_size=1, unique=True))
        on = draw(days)
        cancelled = draw(st.none() | st.integers(on, 12))
        for seq in range(1, draw(st.integers(1, 3)) + 1):
            due = draw(st.integers(on, 12))
            made.append((f"P{number}", seq, tuple(loans), on, due, draw(amounts), cancelled))
    return made


money = st.lists(
    st.tuples(
        st.sampled_from(["repayment", "repayment", "repayment", "chargeback"]),
        st.sampled_from([loan for loans in LOANS.values() for loan in loans]),
        days,
        amounts,
        st.booleans(),  # reversed
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as made:
        made.execute("SET TimeZone = 'UTC'")
        yield made


def day(number):
    return FIRST + timedelta(days=number)


def register(connection, view, table, rows):
    columns = {
        column.name: pa.array(
            [row.get(column.name, None if column.nullable else FILLER.get(column.type.value)) for row in rows],
            ARROW[column.type.value],
        )
        for column in CONTRACTS[table].all_columns
    }
    connection.register(view, pa.table(columns))


def by_select(connection, promised, entries, *, close, tolerance, grace):
    noon = [datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(days=number) for number in range(13)]
    reported = [
        {
            "promise_id": name,
            "seq": seq,
            "source_code": "desk",
            "loan_ids": list(loans),
            "made_at": noon[made],
            "due_on": day(due),
            "currency": "CNY",
            "amount_minor": amount,
            "cancelled_at": None if cancelled is None else noon[cancelled],
        }
        for name, seq, loans, made, due, amount, cancelled in promised
    ]
    connection.register("feedback_promise", pa.Table.from_pylist(reported, schema=PROMISE))
    register(connection, "raw__promise", "raw__promise", [])
    register(connection, "raw__contact", "raw__contact", [])
    loans = [{"loan_id": loan, "borrower_id": who} for who, owned in LOANS.items() for loan in owned]
    register(connection, "raw__loan", "raw__loan", loans)
    register(connection, "core__loan_delinquency_daily", "core__loan_delinquency_daily", loans)
    register(connection, "previous__promise", "core__promise_daily", [])
    rows = []
    for number, (kind, loan, on, amount, is_reversed) in enumerate(entries):
        row = {"loan_id": loan, "effective_on": day(on), "amount_minor": amount}
        rows.append({**row, "transaction_id": f"T{number}", "kind_code": kind, "reverses_id": None})
        if is_reversed:
            undone = {"transaction_id": f"R{number}", "kind_code": "reversal", "reverses_id": f"T{number}"}
            rows.append({**row, **undone})
    register(connection, "raw__transaction", "raw__transaction", rows)
    values = {
        "zone": "UTC",
        "day_end": datetime(2026, 4, 30, tzinfo=UTC),
        "as_of": date(2026, 4, 30),
        "business_date": day(close + 1),
        "closing_date": day(close),
        "tolerance_minor": tolerance,
        "grace_days": grace,
    }
    for select, table in (
        ("account__eventful_transaction", "eventful_transaction"),
        ("account__annulled", "annulled"),
        ("promise__part", "promise_part"),
        ("promise__credit", "promise_credit"),
        ("promise__match", "promise_match"),
        ("core__promise_daily", "judged"),
    ):
        statement = select_text(select)
        bound = {name: value for name, value in values.items() if f"${name}" in statement}
        connection.execute(f"CREATE OR REPLACE TABLE {table} AS {statement}", bound)
    found = connection.execute("SELECT promise_id, seq, matched_minor, state_code FROM judged").fetchall()
    return {(name, seq): (matched, state) for name, seq, matched, state in found}


def by_rule(promised, entries, *, close, tolerance, grace):
    said = {}
    for owned in LOANS.values():
        own = [
            PromisedPart(name, seq, frozenset(loans), day(made), day(due), amount, None if gone is None else day(gone))
            for name, seq, loans, made, due, amount, gone in promised
            if loans[0] in owned
        ]
        standing = [
            (kind, Credit(f"T{number}", loan, day(on), amount))
            for number, (kind, loan, on, amount, is_reversed) in enumerate(entries)
            if loan in owned and not is_reversed
        ]
        paid = standing_credits(
            [credit for kind, credit in standing if kind == "repayment"],
            [credit for kind, credit in standing if kind == "chargeback"],
        )
        for one in outcomes(own, paid, closing_date=day(close), tolerance_minor=tolerance, grace_days=grace):
            said[one.part.promise_id, one.part.seq] = (one.matched_minor, one.state_code)
    return said


terms_of = st.fixed_dictionaries(
    {"close": st.integers(0, 14), "tolerance": st.sampled_from([0, 1, 300]), "grace": st.integers(0, 2)}
)


@settings(deadline=None)
@given(parts(), money, terms_of)
def test_rule_and_selects_agree(connection, promised, entries, terms):
    assert by_select(connection, promised, entries, **terms) == by_rule(promised, entries, **terms)
