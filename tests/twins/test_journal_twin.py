"""Tie-out, contagion and bucket history: each scalar rule and its SELECT agree on generated books."""

from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest
from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import select_text
from arrears.engine.tables import DuckTables
from arrears.jobs.age import put_buckets
from arrears.rules.bucket_history import Stay, history_after
from arrears.rules.buckets import bucket_of
from arrears.rules.contagion import is_non_performing
from arrears.rules.tie_out import Overdue, counted_by_source, differs, payoff_parts
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ageing import BUCKETS
from support.books import ARROW, FILLER

DAY = date(2026, 3, 2)
COMPONENTS = ("principal", "interest", "fee", "penalty")
CURRENT = ("0", "0")


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as made:
        yield made


def register(connection, view, table, rows):
    columns = CONTRACTS[table].columns
    made = pa.table(
        {
            c.name: pa.array(
                [row.get(c.name, None if c.nullable else FILLER.get(c.type.value)) for row in rows],
                ARROW[c.type.value],
            )
            for c in columns
        }
    )
    connection.register(view, made)


def select(connection, table, parameters):
    text = select_text(table)
    bound = {name: value for name, value in parameters.items() if f"${name}" in text}
    return connection.sql(text, params=bound).to_arrow_table().to_pylist()


# ------------------------------------------------------------------------------------------------------- tie-out
amounts = st.sampled_from([0, 0, 40, 100, 101])
instalments = st.lists(
    st.builds(
        lambda days, parts: Overdue(DAY - timedelta(days=days), days, dict(zip(COMPONENTS, parts, strict=True))),
        st.sampled_from([1, 5, 31, 31, 62]),
        st.tuples(amounts, amounts, amounts, amounts),
    ),
    max_size=4,
)
told = st.none() | st.sampled_from([0, 1, 5, 31, 62, 100, 101, 200])


@settings(max_examples=150, deadline=None)
@given(
    overdue=instalments,
    source=st.tuples(told, told, told),
    parts=st.lists(st.none() | st.sampled_from([0, 100]), min_size=4, max_size=4),
    counted=st.sets(st.sampled_from(COMPONENTS), min_size=1),
    tolerance=st.sampled_from([0, 100]),
    tie=st.tuples(st.sampled_from([0, 1]), st.sampled_from([0, 1])),
)
def test_tie_out_lists_what_the_rule_says(connection, overdue, source, parts, counted, tolerance, tie):  # noqa: PLR0917
    days, minor, payoff = source
    names = ("outstanding_principal_minor", "accrued_interest_minor", "outstanding_fee_minor")
    loan = {
        "loan_id": "l1",
        "status_code": "active",
        "source_past_due_days": days,
        "source_past_due_minor": minor,
        "payoff_minor": payoff,
        **dict(zip((*names, "outstanding_penalty_minor"), parts, strict=True)),
    }
    register(connection, "raw__loan", "raw__loan", [loan])
    rows = [
        {
            "loan_id": "l1",
            "seq": number,
            "overdue_on": one.overdue_on,
            "past_due_days": one.past_due_days,
            **{f"past_due_{name}_minor": one.open_minor[name] for name in COMPONENTS},
        }
        for number, one in enumerate(overdue, 1)
    ]
    table = "core__instalment_delinquency_daily"
    register(connection, table, table, rows)

    found = select(
        connection,
        "core__source_difference_daily",
        {
            "tolerance_minor": tolerance,
            "tie_days": tie[0],
            "tie_minor": tie[1],
            **{f"counts_{name}": name in counted for name in COMPONENTS},
        },
    )

    ours = counted_by_source(overdue, counted, tolerance)
    whole = payoff_parts(parts)
    expected = {"past_due_days": (ours[0], days, tie[0]), "past_due_minor": (ours[1], minor, tie[1])}
    if whole is not None:
        expected["payoff_minor"] = (whole, payoff, tie[1])
    assert {row["figure_code"]: (row["ours"], row["theirs"]) for row in found} == {
        figure: (mine, theirs) for figure, (mine, theirs, within) in expected.items() if differs(mine, theirs, within)
    }


def test_fees_alone_are_no_arrears_where_the_source_does_not_count_them():
    late_fee = [
        Overdue(DAY - timedelta(days=40), 40, {"fee": 500}),
        Overdue(DAY - timedelta(days=9), 9, {"principal": 7}),
    ]

    assert counted_by_source(late_fee, {"principal", "interest"}, 0) == (9, 7)
    assert counted_by_source(late_fee, COMPONENTS, 0) == (40, 507)


# ----------------------------------------------------------------------------------------------------- contagion
@settings(max_examples=60, deadline=None)
@given(
    book=st.lists(
        st.tuples(st.sampled_from("abc"), st.lists(st.sampled_from([0, 0, 5, 90, 91]), min_size=4, max_size=4))
    ),
    is_contagious=st.sampled_from([True, True, False]),
)
def test_customers_turn_and_turn_back_as_the_rule_says_day_after_day(connection, book, is_contagious):
    earlier, was = [], dict.fromkeys("abc", False)
    for number in range(4):
        rows = [
            {"loan_id": f"l{at}", "borrower_id": who, "is_open": True, "past_due_days": days[number]}
            for at, (who, days) in enumerate(book)
        ]
        register(connection, "core__loan_delinquency_daily", "core__loan_delinquency_daily", rows[::2])
        register(connection, "core__missing_loan_daily", "core__missing_loan_daily", rows[1::2])
        register(connection, "previous__customer_status", "core__customer_status_daily", earlier)

        earlier = select(
            connection,
            "core__customer_status_daily",
            {
                "business_date": DAY + timedelta(days=number),
                "is_contagious": is_contagious,
                "non_performing_days": 90,
            },
        )

        was = {
            who: is_contagious
            and is_non_performing(
                [row["past_due_days"] for row in rows if row["borrower_id"] == who],
                was_non_performing=was[who],
                threshold_days=90,
            )
            for who in "abc"
        }
        assert {row["loan_id"] for row in earlier} == {row["loan_id"] for row in rows if was[row["borrower_id"]]}


def test_frappe_customer_is_npa_until_all_loans_are_clean():
    """frappe/lending 0f62e258, test_npa_marking_for_customer_via_scheduler; first dues 2024-04-05 and 2024-07-05."""
    as_of = date(2024, 7, 6)
    days = {1: (as_of - date(2024, 4, 5)).days + 1, 2: (as_of - date(2024, 7, 5)).days + 1}  # the due date is day 1

    marked = is_non_performing(days.values(), was_non_performing=False, threshold_days=90)
    worst_paid = is_non_performing([0, days[2]], was_non_performing=marked, threshold_days=90)
    all_paid = is_non_performing([0, 0], was_non_performing=worst_paid, threshold_days=90)

    assert (marked, worst_paid, all_paid) == (True, True, False)
    assert not is_non_performing([days[2]], was_non_performing=False, threshold_days=90)


# ------------------------------------------------------------------------------------------------ bucket history
stays = st.sampled_from([0, 0, 1, 31, 61])
corrections = st.none() | st.tuples(st.integers(1, 5), st.lists(stays, min_size=6, max_size=6))
loan_days = st.lists(st.tuples(st.none() | stays, corrections), min_size=7, max_size=7)


def pair_of(days):
    code = bucket_of(days, BUCKETS)
    return code, code


@settings(max_examples=60, deadline=None)
@given(books=st.lists(loan_days, min_size=1, max_size=3))
def test_history_is_the_rules_history_without_overlap_or_gap(connection, books):
    previous, known = [], {f"l{at}": [] for at in range(len(books))}
    for number in range(7):
        today = DAY + timedelta(days=number)
        loans, late_entry, recomputed, expected = [], [], [], {}
        for name, book in zip(known, books, strict=True):
            days, correction = book[number]
            pair = None if days is None else pair_of(days)
            if days is not None:
                loans.append(
                    {
                        "loan_id": name,
                        "is_open": True,
                        "past_due_days": days,
                        "bucket": pair[0],
                        "contract_bucket": pair[1],
                    }
                )
            since, again = None, {}
            if correction is not None and correction[0] <= number and days is not None:
                since = today - timedelta(days=correction[0])
                dates = [since + timedelta(days=each) for each in range(correction[0])]
                again = dict(zip(dates, map(pair_of, correction[1]), strict=False))
                late_entry.append({"loan_id": name, "from_on": since})
                recomputed += [(name, on_date, one) for on_date, one in again.items()]
            expected[name] = history_after(
                known[name], pair, today, current=CURRENT, corrected_from=since, recomputed=again
            )

        previous = after(connection, today, loans, previous, late_entry, recomputed)

        found = {name: [] for name in known}
        for row in previous:
            stay = Stay((row["bucket"], row["contract_bucket"]), *(row[c] for c in TIMES))
            found[row["loan_id"]].append(stay)
        for name, stood in known.items():
            assert sorted(found[name], key=repr) == sorted(expected[name], key=repr)
            known[name] = sorted((s for s in found[name] if s.known_to is None), key=lambda s: s.valid_from)
            if stood or known[name]:
                assert sum(stay.valid_to is None for stay in known[name]) == 1
            assert all(
                a.valid_to == b.valid_from and a.pair != b.pair
                for a, b in zip(known[name], known[name][1:], strict=False)
            )


TIMES = ("valid_from", "valid_to", "known_from", "known_to")


def after(connection, today, loans, previous, late_entry, recomputed):  # noqa: PLR0917
    register(connection, "core__loan_delinquency_daily", "core__loan_delinquency_daily", loans)
    register(connection, "core__instalment_delinquency_daily", "core__instalment_delinquency_daily", [])
    register(connection, "previous__bucket_history", "core__bucket_history_daily", previous)
    put_buckets(DuckTables(connection), BUCKETS)
    entries = pa.schema([("loan_id", pa.string()), ("from_on", pa.date32())])
    connection.register("late_entry", pa.Table.from_pylist(late_entry, entries))
    connection.register(
        "recomputed",
        pa.table(
            {
                "loan_id": pa.array([name for name, _, _ in recomputed], pa.string()),
                "seq": pa.array([0] * len(recomputed), pa.int32()),
                "on_date": pa.array([on_date for _, on_date, _ in recomputed], pa.date32()),
                "bucket": pa.array([pair[0] for _, _, pair in recomputed], pa.string()),
                "contract_bucket": pa.array([pair[1] for _, _, pair in recomputed], pa.string()),
            }
        ),
    )
    return select(connection, "core__bucket_history_daily", {"business_date": today, "current_bucket": "0"})
