"""The scalar transition rule and the pipeline's SELECT name the same events for generated pairs of days."""

from datetime import date

import duckdb
import pyarrow as pa
import pytest
from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import select_text
from arrears.jobs.age import put_buckets
from arrears.jobs.transitions import EVENTS, PREVIOUS
from arrears.rules.buckets import bucket_of
from arrears.rules.transitions import LoanState, events_of
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ageing import BUCKETS
from support.books import ARROW, FILLER

LOANS = CONTRACTS["core__loan_delinquency_daily"]
days = st.sampled_from([0, 0, 1, 29, 30, 31, 60, 61, 90, 91, 400])
open_states = st.builds(LoanState, st.sampled_from(["active", "charged_off"]), days)
ended_states = st.builds(LoanState, st.sampled_from(["paid_off", "settled", "sold", "transferred", "cancelled"]))
states = st.none() | open_states | ended_states


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as made:
        yield made


def put(connection, view, book):
    rows = [
        {
            "loan_id": loan_id,
            "status_code": state.status_code,
            "is_open": state.status_code in ("active", "charged_off"),
            "past_due_days": state.past_due_days,
            "past_due_minor": 10 * state.past_due_days,
            "contract_bucket": bucket_of(state.past_due_days, BUCKETS),
        }
        for loan_id, state in book.items()
        if state is not None
    ]
    columns = {
        column.name: pa.array(
            [row.get(column.name, FILLER.get(column.type.value)) for row in rows], ARROW[column.type.value]
        )
        for column in LOANS.columns
    }
    connection.register(view, pa.table(columns))


@settings(max_examples=200, deadline=None)
@given(pairs=st.lists(st.tuples(states, states), min_size=1, max_size=6), is_first_day=st.booleans())
def test_select_names_the_events_of_the_rule(connection, pairs, is_first_day):
    then = {} if is_first_day else {f"l{number}": pair[0] for number, pair in enumerate(pairs)}
    now = {f"l{number}": pair[1] for number, pair in enumerate(pairs)}
    put(connection, PREVIOUS, then)
    put(connection, LOANS.table, now)
    put_buckets(connection, BUCKETS)

    found = connection.execute(
        select_text(EVENTS), {"compared_with": None if is_first_day else date(2026, 3, 2)}
    ).fetchall()

    names = [column.name for column in CONTRACTS[EVENTS].columns]
    rows = [dict(zip(names, row, strict=True)) for row in found]
    assert sorted((row["loan_id"], row["event_code"]) for row in rows) == sorted(
        (loan_id, event)
        for loan_id, state in now.items()
        if state is not None
        for event in events_of(then.get(loan_id), state, BUCKETS, is_first_day=is_first_day)
    )
    for row in rows:
        state, before = now[row["loan_id"]], then.get(row["loan_id"])
        was = row["event_code"] in ("cured", "paid_off", "closed")
        assert row["past_due_minor"] == 10 * (before if was else state).past_due_days
        assert row["from_bucket"] == (bucket_of(before.past_due_days, BUCKETS) if before else None)
        assert row["to_bucket"] == bucket_of(state.past_due_days, BUCKETS)
