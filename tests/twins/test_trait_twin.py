"""What a strategy may know of a case: the SELECT and the readable rule say the same of any case."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import connect, select_text
from arrears.jobs.cases import TRAITS
from arrears.rules.traits import behaviour_of, contactability_of, promise_of, risk_band_of
from arrears.settings import Settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.books import ARROW

DAY = date(2026, 3, 2)
START = datetime(2026, 3, 1, 16, tzinfo=UTC)
TABLES = (
    *("core__case_daily", "core__case_loan_daily", "core__instalment_delinquency_daily"),
    *("core__bucket_history_daily", "core__loan_delinquency_daily", "core__promise_daily"),
    *("raw__party", "raw__contact_point", "raw__contact", "raw__flag", "raw__score"),
)
maybe_days = st.none() | st.integers(0, 120)
facts = st.fixed_dictionaries(
    {
        "is_watched": st.booleans(),
        "is_first_payment": st.booleans(),
        "spells": st.lists(st.integers(350, 380) | st.integers(0, 30), max_size=4),
        "past_due_days": st.sampled_from([1, 15, 16, 59, 60, 90]),
        "score": st.sampled_from([None, "low", "medium", "high", "other"]),
        "is_vulnerable": st.booleans(),
        "has_point": st.booleans(),
        "reached": maybe_days,
        "broken": st.none() | st.integers(0, 30),
        "broken_state": st.sampled_from(["broken", "part_kept"]),
    }
)


@pytest.fixture(scope="module")
def engine():
    with connect(Settings()) as connection:
        yield connection


def tables_of(cases):
    rows = {table: [] for table in TABLES}
    for number, case in enumerate(cases):
        borrower, loan, key = f"b{number}", f"l{number}", f"C{number}"
        own = {"case_id": key, "borrower_id": borrower, "past_due_days": case["past_due_days"]}
        rows["core__case_daily"].append({**own, "is_watched": case["is_watched"], "episode_on": DAY})
        rows["core__case_loan_daily"].append({"case_id": key, "loan_id": loan, "state_code": "past_due"})
        seq = 1 if case["is_first_payment"] else 2
        rows["core__instalment_delinquency_daily"].append({"loan_id": loan, "seq": seq})
        for spell, ago in enumerate(case["spells"]):
            late = {"loan_id": f"{loan}-{spell}", "seq": 0, "bucket": "1-30"}
            ended = DAY - timedelta(days=ago)
            rows["core__bucket_history_daily"].append({**late, "valid_from": date(2020, 1, 1), "valid_to": ended})
            rows["core__loan_delinquency_daily"].append({"loan_id": f"{loan}-{spell}", "borrower_id": borrower})
        rows["raw__party"].append({"party_id": borrower, "person_id": f"p{number}"})
        if case["has_point"]:
            rows["raw__contact_point"].append({"contact_point_id": f"m{number}", "party_id": borrower})
        if case["reached"] is not None:
            at = START - timedelta(days=case["reached"])
            rows["raw__contact"].append({"party_id": borrower, "outcome_code": "conversation", "started_at": at})
        if case["is_vulnerable"]:
            rows["raw__flag"].append({"party_id": borrower, "flag_code": "vulnerable", "starts_at": START})
        if case["score"]:
            rows["raw__score"].append({"party_id": borrower, "band_code": case["score"], "scored_at": START})
        if case["broken"] is not None:
            since = DAY - timedelta(days=case["broken"])
            broken = {"borrower_id": borrower, "state_code": case["broken_state"], "since_on": since}
            rows["core__promise_daily"].append(broken)
            rows["core__promise_daily"].append({**broken, "state_code": "kept", "since_on": DAY})
    return rows


def by_sql(engine, cases):
    for table, rows in tables_of(cases).items():
        columns = CONTRACTS[table].columns
        arrays = {c.name: pa.array([row.get(c.name) for row in rows], ARROW[c.type.value]) for c in columns}
        engine.register(table, pa.table(arrays))
    text = select_text("core__case_trait_daily")
    known = {
        **TRAITS,
        "business_date": DAY,
        "current_bucket": "0",
        "day_start": START,
        "day_end": START + timedelta(days=1),
    }
    bound = {name: value for name, value in known.items() if f"${name}" in text}
    found = engine.sql(text, params=bound).to_arrow_table().to_pylist()
    return {row["case_id"]: row for row in found}


def by_rule(case):
    spells = sum(ago < 365 for ago in case["spells"])
    behaviour = behaviour_of(
        is_watched=case["is_watched"], is_first_payment=case["is_first_payment"], earlier_spells=spells
    )
    reached = case["reached"] is not None and case["reached"] <= 90
    return {
        "behaviour_code": behaviour,
        "promise_code": promise_of(case["broken"]),
        "risk_band_code": risk_band_of(behaviour, case["past_due_days"], case["score"]),
        "contactability_code": contactability_of(has_point=case["has_point"], is_reached=reached),
        "is_vulnerable": case["is_vulnerable"],
        "earlier_spells": spells,
    }


@given(st.lists(facts, min_size=1, max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_select_and_rule_say_the_same(engine, cases):
    found = by_sql(engine, cases)

    assert len(found) == len(cases)
    for number, case in enumerate(cases):
        key = f"C{number}"
        assert found[key] == {"case_id": key, **by_rule(case)}


@pytest.mark.parametrize(
    ("days", "said"), [(None, "none"), (0, "recently_broken"), (13, "recently_broken"), (14, "none")]
)
def test_broken_promise_is_recent_for_fourteen_days(days, said):
    assert promise_of(days) == said
