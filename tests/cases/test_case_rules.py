"""Who has a case, what closes it, what holds it: small books by hand, and the SQL twin on generated ones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import connect, select_text
from arrears.rules.buckets import Bucket, bucket_of
from arrears.rules.cases import (
    CLOSE_REASONS,
    HOLD_CODES,
    LoanToday,
    OpenCase,
    case_id_of,
    case_today,
    close_reason,
    loan_hold,
    loan_state,
)
from arrears.rules.hours import day_bounds
from arrears.settings import Settings
from hypothesis import given, settings
from hypothesis import strategies as st
from support.books import ARROW

DAY = date(2026, 3, 2)
BUCKETS = (Bucket("M0", 0, 0), Bucket("M1", 1, 30), Bucket("M2", 31, None))
EARLIER = OpenCase(DAY - timedelta(days=9), frozenset({"l1", "l2"}))


def loan(loan_id, past_due_days, *, delinquent_days=None, status="active", borrower="b1", amount=None):
    delinquent = past_due_days if delinquent_days is None else delinquent_days
    amount = 100 * past_due_days if amount is None else amount
    is_open = status in ("active", "charged_off")
    return LoanToday(
        loan_id, borrower, is_open, status, past_due_days, delinquent, amount, bucket_of(delinquent, BUCKETS)
    )


def today(loans, previous=None, flags=None):
    return case_today("book", DAY, "b1", loans, previous=previous, flags=flags or {})


def test_case_opens_with_every_past_due_loan_of_the_borrower():
    case = today([loan("l1", 3), loan("l2", 2, delinquent_days=0), loan("l3", 0), loan("l4", 9, borrower="b2")])

    assert (case.event_code, case.opened_on) == ("opened", DAY)
    assert [part.loan_id for part in case.parts] == ["l1", "l2"]
    assert case.hold_code is None


@pytest.mark.parametrize(
    "loans",
    [[loan("l1", 0)], [loan("l1", 2, delinquent_days=0)], [loan("l1", 8, status="sold")], []],
    ids=["current", "within grace", "ended", "no loans"],
)
def test_no_case_without_a_delinquent_open_loan(loans):
    assert today(loans) is None


def test_paused_case_is_carried_and_held_not_cured():
    case = today([loan("l1", 12, delinquent_days=0), loan("l2", 0)], EARLIER, {"l1": {"paused"}})

    assert (case.event_code, case.close_reason_code, case.hold_code) == ("carried", None, "paused")


def test_vanished_loan_keeps_the_case_open_and_held():
    case = today([loan("l2", 0)], EARLIER)

    assert (case.event_code, case.hold_code) == ("carried", "missing")
    assert {part.loan_id: part.state_code for part in case.parts} == {"l1": "missing", "l2": "current"}


def test_charged_off_loan_is_worked_on():
    case = today([loan("l1", 200, status="charged_off"), loan("l2", 0)], EARLIER)

    assert (case.event_code, case.hold_code) == ("carried", None)


def test_held_loan_leaves_the_others_at_work():
    case = today([loan("l1", 40), loan("l2", 5)], EARLIER, {"l1": {"dispute"}})

    assert case.hold_code is None
    assert [part.loan_id for part in case.parts if part.is_worked] == ["l2"]


def test_case_whose_loans_are_all_held_names_the_gravest():
    case = today([loan("l1", 40), loan("l2", 5)], EARLIER, {"l1": {"hardship"}, "l2": {"deceased", "dispute"}})

    assert case.hold_code == "deceased"


def test_flag_that_stops_nothing_holds_nothing():
    assert loan_hold("past_due", 5, {"opt_out", "watch_list"}) is None


def test_loan_of_another_borrower_has_left_the_case():
    case = today([loan("l1", 40, borrower="b2"), loan("l2", 0)], EARLIER)

    assert (case.event_code, case.close_reason_code) == ("closed", "transferred")


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ({"current"}, "cured"),
        ({"current", "paid_off"}, "cured"),
        ({"paid_off"}, "paid_off"),
        ({"paid_off", "settled"}, "settled"),
        ({"current", "sold", "cancelled"}, "sold"),
        ({"cancelled", "paid_off"}, "cancelled"),
        ({"transferred", "settled"}, "transferred"),
    ],
)
def test_case_closes_with_its_least_favourable_ending(states, reason):
    assert close_reason(states) == reason


def test_case_id_is_stable_and_another_when_the_case_opens_again():
    first = case_id_of("book", "b1", DAY)

    assert first == case_id_of("book", "b1", DAY)
    assert len(first) == 18
    assert len({first, case_id_of("book", "b1", DAY + timedelta(days=1)), case_id_of("other", "b1", DAY)}) == 3


def test_loan_state_of_an_ended_loan_is_its_status():
    assert loan_state("b1", loan("l1", 8, status="paid_off")) == "paid_off"


# ------------------------------------------------------------------------------------------------------- the twin
LOANS = ("l1", "l2", "l3", "l4")
BORROWERS = ("b1", "b2", "b3")
STATUSES = ("active", "active", "active", "charged_off", "paid_off", "settled", "sold", "transferred", "cancelled")
FLAGS = ("dispute", "hardship", "deceased", "opt_out")


@st.composite
def loans_of_day(draw):
    book = []
    for loan_id in LOANS:
        if draw(st.integers(0, 9)) == 0:
            continue  # vanished
        status = draw(st.sampled_from(STATUSES))
        days = draw(st.sampled_from([0, 0, 1, 5, 31, 70])) if status in ("active", "charged_off") else 0
        delinquent = draw(st.sampled_from([days, days, max(0, days - 5)]))
        borrower = draw(st.sampled_from([BORROWERS[LOANS.index(loan_id) // 2]] * 8 + ["b3"]))
        book.append(loan(loan_id, days, delinquent_days=delinquent, status=status, borrower=borrower))
    return book


subjects = st.sampled_from(
    [*(("party_id", name) for name in (*BORROWERS, "b9")), *(("loan_id", name) for name in LOANS)]
)
flags_of_day = st.lists(
    st.tuples(st.sampled_from(FLAGS), subjects, st.integers(-40, 30), st.none() | st.integers(1, 40)), max_size=3
)
pauses_of_day = st.lists(
    st.tuples(st.sampled_from(LOANS), st.integers(-3, 1), st.none() | st.integers(-2, 3)), max_size=2
)
differing_loans = st.sets(st.sampled_from(LOANS), max_size=2)
days = st.lists(st.tuples(loans_of_day(), flags_of_day, pauses_of_day, differing_loans), min_size=3, max_size=3)
parties = st.lists(
    st.tuples(st.sampled_from(["p1", "p2"]), st.sampled_from([False, False, False, True])), min_size=4, max_size=4
)


def table(name, rows):
    columns = CONTRACTS[name].columns
    return pa.table({c.name: pa.array([row.get(c.name) for row in rows], ARROW[c.type.value]) for c in columns})


@given(days, parties)
@settings(max_examples=60, deadline=None)
def test_sql_and_scalar_rule_agree_over_three_days(book, people):
    party_rows = [
        {"party_id": party, "person_id": person, "is_minor": minor}
        for party, (person, minor) in zip((*BORROWERS, "b9"), people, strict=True)
    ]
    previous_cases, previous_loans = [], []
    open_cases = {}
    for number, (loans, flags, pauses, differing) in enumerate(book):
        day = DAY + timedelta(days=number)
        start, _ = day_bounds(day, ZoneInfo("Asia/Shanghai"))
        flag_rows = [
            {
                "flag_code": code,
                field: name,
                "starts_at": start + timedelta(hours=begins),
                "ends_at": None if length is None else start + timedelta(hours=begins + length),
            }
            for code, (field, name), begins, length in flags
        ]
        pause_rows = [
            {
                "loan_id": name,
                "starts_on": day + timedelta(days=begins),
                "ends_on": None if length is None else day + timedelta(days=begins + length),
            }
            for name, begins, length in pauses
        ]

        found_loans, found_cases = by_sql(
            day,
            loans,
            previous_cases,
            previous_loans,
            differing=differing,
            party=party_rows,
            flag=flag_rows,
            pause=pause_rows,
        )
        expected = by_rule(day, loans, open_cases, party_rows, flag_rows, pause_rows, differing)

        assert cases_of(found_cases, found_loans) == expected
        previous_cases, previous_loans = found_cases, found_loans
        open_cases = {
            borrower: OpenCase(case["opened_on"], frozenset(case["parts"]))
            for borrower, case in expected.items()
            if case["event_code"] != "closed"
        }


def by_sql(day, loans, previous_cases, previous_loans, *, differing=(), **raw):
    start, end = day_bounds(day, ZoneInfo("Asia/Shanghai"))
    parameters = {
        "portfolio": "book",
        "business_date": day,
        "currency": "CNY",
        "current_bucket": "M0",
        "hold_codes": list(HOLD_CODES),
        "close_reasons": list(CLOSE_REASONS),
        "day_start": start,
        "day_end": end,
    }
    with connect(Settings()) as connection:
        connection.register("core__loan_delinquency_daily", table_of_loans(loans))
        differences = [
            {"loan_id": name, "figure_code": figure} for name in differing for figure in ("past_due_days", "x")
        ]
        connection.register("core__source_difference_daily", table("core__source_difference_daily", differences))
        connection.register("previous__case", table("core__case_daily", previous_cases))
        connection.register("previous__case_loan", table("core__case_loan_daily", previous_loans))
        for noun, rows in raw.items():
            connection.register(f"raw__{noun}", table(f"raw__{noun}", rows))
        answers = []
        for name in ("core__case_loan_daily", "core__case_daily"):
            text = select_text(name)
            bound = {key: value for key, value in parameters.items() if f"${key}" in text}
            connection.execute(f"CREATE TABLE {name} AS {text}", bound)
            answers.append(connection.sql(f"FROM {name}").to_arrow_table().to_pylist())
    return answers


def table_of_loans(loans):
    return table("core__loan_delinquency_daily", [vars(one) for one in loans])


def by_rule(day, loans, open_cases, party_rows, flag_rows, pause_rows, differing):  # noqa: PLR0917  the day's tables
    person_of = {row["party_id"]: row["person_id"] for row in party_rows}
    start, end = day_bounds(day, ZoneInfo("Asia/Shanghai"))
    holding = [
        row for row in flag_rows if row["starts_at"] < end and (row["ends_at"] is None or row["ends_at"] > start)
    ]
    paused = {
        row["loan_id"]
        for row in pause_rows
        if row["starts_on"] <= day and (row["ends_on"] is None or row["ends_on"] > day)
    }
    cases = {}
    for borrower in BORROWERS:
        person = person_of[borrower]
        personal = {row["flag_code"] for row in holding if person_of.get(row.get("party_id")) == person}
        personal |= {"minor" for row in party_rows if row["person_id"] == person and row["is_minor"]}
        flags = {
            name: personal
            | {row["flag_code"] for row in holding if row.get("loan_id") == name}
            | ({"paused"} if name in paused else set())
            | ({"source_difference"} if name in differing else set())
            for name in LOANS
        }
        case = case_today("book", day, borrower, loans, previous=open_cases.get(borrower), flags=flags)
        if case is not None:
            cases[borrower] = shown(case)
    return cases


def shown(case):
    late = [part for part in case.parts if part.state_code == "past_due"]
    worked = [part for part in case.parts if part.is_worked]
    most = max((part.delinquent_days for part in worked), default=0)
    return {
        "case_id": case.case_id,
        "opened_on": case.opened_on,
        "event_code": case.event_code,
        "close_reason_code": case.close_reason_code,
        "hold_code": case.hold_code,
        "past_due_loans": len(late),
        "past_due_minor": sum(part.past_due_minor for part in late),
        "past_due_days": max((part.past_due_days for part in late), default=0),
        "delinquent_days": max((part.delinquent_days for part in late), default=0),
        "bucket": bucket_of(max((part.delinquent_days for part in late), default=0), BUCKETS),
        "missing_loans": sum(part.state_code == "missing" for part in case.parts),
        "worked_minor": sum(part.past_due_minor for part in worked),
        "worked_delinquent_days": most,
        "worked_bucket": bucket_of(most, BUCKETS),
        "parts": {part.loan_id: (part.state_code, part.hold_code, part.past_due_minor) for part in case.parts},
    }


def cases_of(cases, loans):
    keys = [key for key in shown(today([loan("l1", 3)])) if key != "parts"]
    found = {}
    for case in cases:
        parts = [row for row in loans if row["case_id"] == case["case_id"]]
        assert (case["closed_on"] is None) == (case["event_code"] != "closed")
        found[case["borrower_id"]] = {
            **{key: case[key] for key in keys},
            "parts": {row["loan_id"]: (row["state_code"], row["hold_code"], row["past_due_minor"]) for row in parts},
        }
    return found


def test_flag_bounds_are_half_open():
    start, end = day_bounds(DAY, ZoneInfo("Asia/Shanghai"))
    rows = [
        {"flag_code": "dispute", "loan_id": "l1", "starts_at": datetime(2026, 1, 1, tzinfo=UTC), "ends_at": start},
        {"flag_code": "dispute", "loan_id": "l2", "starts_at": end, "ends_at": None},
    ]

    _, cases = by_sql(DAY, [loan("l1", 3), loan("l2", 4)], [], [], party=[], flag=rows, pause=[])

    assert [case["hold_code"] for case in cases] == [None]
    assert cases[0]["worked_minor"] == 700
