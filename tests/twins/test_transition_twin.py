"""The scalar transition rule and the pipeline's SELECT name the same events for generated pairs of days."""

from datetime import date

import duckdb
import pyarrow as pa
import pytest
from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import select_text
from arrears.engine.tables import DuckTables
from arrears.jobs.age import put_buckets
from arrears.jobs.transitions import EVENTS, MISSING, PREVIOUS, PREVIOUS_MISSING
from arrears.rules.buckets import bucket_of
from arrears.rules.transitions import LoanState, events_of, is_missing
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ageing import BUCKETS
from support.books import ARROW, FILLER

LOANS = CONTRACTS["core__loan_delinquency_daily"]
days = st.sampled_from([0, 0, 1, 29, 30, 31, 60, 61, 90, 91, 400])
restructured = st.sampled_from([None, None, date(2026, 2, 1), date(2026, 2, 9)])
open_states = st.builds(LoanState, st.sampled_from(["active", "charged_off"]), days, restructured)
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
    register(connection, view, LOANS, rows)


def put_ledger(connection, view, book):
    rows = [
        {"loan_id": loan_id, "restructured_on": state.restructured_on}
        for loan_id, state in book.items()
        if state is not None
    ]
    register(connection, view, CONTRACTS["raw__loan"], rows)


def register(connection, view, contract, rows):
    columns = {
        column.name: pa.array(
            [row.get(column.name, FILLER.get(column.type.value)) for row in rows], ARROW[column.type.value]
        )
        for column in contract.columns
    }
    connection.register(view, pa.table(columns))


def journal(connection, then, now, *, missing, corrected, is_first_day):
    """Rows of both SELECTs: the loans that are missing today, and the events."""
    put(connection, PREVIOUS, {name: state for name, state in then.items() if name not in missing})
    put(connection, PREVIOUS_MISSING, {name: state for name, state in then.items() if name in missing})
    connection.execute(
        f"CREATE OR REPLACE TABLE last_seen AS SELECT *, DATE '2026-02-27' AS last_seen_on FROM {PREVIOUS_MISSING}"
    )
    connection.unregister(PREVIOUS_MISSING)
    connection.execute(f"CREATE OR REPLACE VIEW {PREVIOUS_MISSING} AS FROM last_seen")
    put(connection, LOANS.table, now)
    put_ledger(connection, "previous__loan", {name: state for name, state in then.items() if name not in missing})
    put_ledger(connection, "raw__loan", now)
    put_buckets(DuckTables(connection), BUCKETS)
    connection.register(
        "correction",
        pa.table(
            {
                "loan_id": pa.array(sorted(corrected), pa.string()),
                "corrected_from": pa.array([date(2026, 2, 20)] * len(corrected), pa.date32()),
                "past_due_days": pa.array([4] * len(corrected), pa.int32()),
                "past_due_minor": pa.array([40] * len(corrected), pa.int64()),
                "contract_bucket": pa.array(["1-30"] * len(corrected), pa.string()),
            }
        ),
    )
    compared_with = None if is_first_day else date(2026, 3, 2)
    answers = {}
    for table, parameters in (
        (MISSING, {"compared_with": compared_with, "missing_code": "ARR-VAL-005"}),
        (EVENTS, {"compared_with": compared_with}),
    ):
        found = connection.execute(select_text(table), parameters).fetchall()
        names = [column.name for column in CONTRACTS[table].columns]
        answers[table] = [dict(zip(names, row, strict=True)) for row in found]
    return answers[MISSING], answers[EVENTS]


@settings(max_examples=200, deadline=None)
@given(
    pairs=st.lists(
        st.tuples(states, states, st.booleans(), st.sampled_from([False, False, True])), min_size=1, max_size=6
    ),
    is_first_day=st.booleans(),
)
def test_select_names_the_events_of_the_rule(connection, pairs, is_first_day):
    book = {f"l{number}": pair for number, pair in enumerate(pairs)}
    then = {} if is_first_day else {name: pair[0] for name, pair in book.items() if pair[0] is not None}
    missing = {name for name, state in then.items() if book[name][2] and state.is_open and not state.restructured_on}
    now = {name: pair[1] for name, pair in book.items() if pair[1] is not None}
    corrected = {name for name in now if book[name][3] and not is_first_day}

    gone, rows = journal(connection, then, now, missing=missing, corrected=corrected, is_first_day=is_first_day)

    assert sorted((row["loan_id"], row["event_code"]) for row in rows) == sorted(
        (loan_id, event)
        for loan_id, state in now.items()
        for event in events_of(
            # a loan that was missing is rescheduled by nobody: the ledger of that day did not have it
            replaced(then.get(loan_id), state, was_missing=loan_id in missing),
            state,
            BUCKETS,
            is_first_day=is_first_day,
            is_corrected=loan_id in corrected,
        )
    )
    for row in rows:
        state, before = now[row["loan_id"]], then.get(row["loan_id"])
        was = state.past_due_days == 0 and row["event_code"] != "charged_off"
        assert row["past_due_minor"] == 10 * ((before.past_due_days if before else 0) if was else state.past_due_days)
        assert row["from_bucket"] == (bucket_of(before.past_due_days, BUCKETS) if before else None)
        assert row["from_past_due_days"] == (before.past_due_days if before else None)
        is_past = row["event_code"] == "corrected"
        assert row["to_past_due_days"] == (4 if is_past else state.past_due_days)
        assert row["to_bucket"] == ("1-30" if is_past else bucket_of(state.past_due_days, BUCKETS))
        assert row["corrected_from"] == (date(2026, 2, 20) if is_past else None)
    assert {row["loan_id"]: row["last_seen_on"] for row in gone} == {
        name: date(2026, 2, 27) if name in missing else date(2026, 3, 2)
        for name, state in then.items()
        if is_missing(state if name not in missing else None, now.get(name), was_missing=name in missing)
    }


def replaced(then, now, *, was_missing):
    return LoanState(then.status_code, then.past_due_days, now.restructured_on) if was_missing else then


@given(pairs=st.lists(st.tuples(open_states, open_states), min_size=2, max_size=6), order=st.randoms())
@settings(max_examples=50, deadline=None)
def test_order_of_rows_changes_no_event(connection, pairs, order):
    then = {f"l{number}": pair[0] for number, pair in enumerate(pairs)}
    now = {f"l{number}": pair[1] for number, pair in enumerate(pairs)}
    shuffled = order.sample(sorted(now), len(now))
    same = {"missing": set(), "corrected": set(), "is_first_day": False}

    _, as_given = journal(connection, then, now, **same)
    _, otherwise = journal(
        connection, {name: then[name] for name in reversed(shuffled)}, {name: now[name] for name in shuffled}, **same
    )

    def key(row):
        return row["loan_id"], row["event_code"]

    assert sorted(otherwise, key=key) == sorted(as_given, key=key)
