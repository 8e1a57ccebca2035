"""Who has a case, what closes it, what holds it: small books by hand, and the SQL twin on generated ones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import connect, select_text
from arrears.jobs.cases import ending_table, move_table
from arrears.rules.buckets import Bucket, bucket_of
from arrears.rules.case_states import NONE, REOPENED_FROM, Standing, move, moves, state_of
from arrears.rules.cases import (
    CLOSE_REASONS,
    HOLD_CODES,
    ClosedCase,
    Known,
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
from support.small_floor import LIVE_PROMISE

DAY = date(2026, 3, 2)
BUCKETS = (Bucket("M0", 0, 0), Bucket("M1", 1, 30), Bucket("M2", 31, None))
EARLIER = OpenCase(DAY - timedelta(days=9), frozenset({"l1", "l2"}))


def loan(loan_id, past_due_days, *, delinquent_days=None, status="active", borrower="b1", amount=None, anew=None):
    delinquent = past_due_days if delinquent_days is None else delinquent_days
    amount = 100 * past_due_days if amount is None else amount
    is_open = status in ("active", "charged_off")
    bucket = bucket_of(delinquent, BUCKETS)
    return LoanToday(
        loan_id, borrower, is_open, status, past_due_days, delinquent, amount, bucket, amount - amount // 10, anew
    )


def today(loans, previous=None, flags=None, **more):
    return case_today("book", DAY, "b1", loans, previous=previous, flags=flags or {}, **more)


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


# ---------------------------------------------------------------------------------------------- states and moves
CURED = ClosedCase(DAY - timedelta(days=40), DAY - timedelta(days=10), "cured", 2)


@pytest.mark.parametrize(
    ("standing", "state"),
    [
        pytest.param(Standing(), "open", id="nothing yet"),
        pytest.param(Standing(is_treated=True), "in_treatment", id="a step was planned"),
        pytest.param(Standing(is_treated=True, has_promise=True), "promised", id="a promise pauses treatment"),
        pytest.param(Standing(has_promise=True, has_plan=True), "plan", id="a plan goes before a promise"),
        pytest.param(Standing(is_held=True, has_plan=True), "hold", id="a hold goes before everything"),
        pytest.param(Standing("cured", has_promise=True), "cured", id="cured ends a promise"),
        pytest.param(Standing("relieved"), "closed_other", id="relief is no cure"),
        pytest.param(Standing("cancelled"), "closed_other", id="cancelled"),
        pytest.param(Standing("sold", is_held=True), "sold", id="sold out of a hold"),
    ],
)
def test_state_follows_from_the_day(standing, state):
    assert state_of(standing) == state


@pytest.mark.parametrize(
    ("before", "standing", "event"),
    [
        pytest.param(NONE, Standing(), "opened", id="first day"),
        pytest.param(NONE, Standing(is_held=True), "opened", id="opened into a hold"),
        pytest.param("cured", Standing(), "reopened", id="back after a cure"),
        pytest.param("open", Standing(is_treated=True), "treated", id="first step"),
        pytest.param("promised", Standing(is_treated=True), "promise_ended", id="broken promise"),
        pytest.param("plan", Standing(has_promise=True), "promised", id="a promise after a plan"),
        pytest.param("hold", Standing(is_treated=True), "released", id="hold over"),
        pytest.param("in_treatment", Standing(is_treated=True), "unchanged", id="another day"),
        pytest.param("hold", Standing("cured"), "cured", id="paid during a hold"),
    ],
)
def test_move_is_named(before, standing, event):
    assert move(before, standing)[1] == event


@pytest.mark.parametrize("before", ["sold", "paid_off", "settled", "transferred"])
def test_closed_case_that_was_no_cure_never_opens_again(before):
    with pytest.raises(KeyError):
        move(before, Standing())


def test_every_open_state_can_end_in_every_way_and_no_pair_has_two_events():
    known = moves()

    for state in ("open", "in_treatment", "promised", "plan", "hold"):
        assert {known[state, end] for end in ("cured", "paid_off", "settled", "sold", "transferred", "closed_other")}


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        pytest.param(30, ("reopened", DAY - timedelta(days=40), 3), id="within the days"),
        pytest.param(31, ("opened", DAY, 1), id="a day too late"),
    ],
)
def test_arrears_back_within_reopen_days_re_open_the_same_case(ago, expected):
    closed = ClosedCase(DAY - timedelta(days=40), DAY - timedelta(days=ago), "cured", 2)

    case = today([loan("l1", 1)], closed=closed, reopen_days=30)

    assert (case.event_code, case.opened_on, case.episodes) == expected
    assert case.episode_on == DAY
    assert case.is_watched


@pytest.mark.parametrize(
    ("cash", "anew", "reason"),
    [
        pytest.param(900, None, "cured", id="principal and interest paid, the penalty waived"),
        pytest.param(899, None, "relieved", id="one short of what was due"),
        pytest.param(2000, DAY, "relieved", id="a new schedule in between"),
        pytest.param(2000, EARLIER.opened_on - timedelta(days=1), "cured", id="a new schedule before the case"),
        pytest.param(None, None, "cured", id="no cash is delivered"),
    ],
)
def test_only_cash_cures(cash, anew, reason):
    previous = OpenCase(EARLIER.opened_on, frozenset({"l1"}), peaks={"l1": 900})

    case = today([loan("l1", 0, anew=anew)], previous, known=Known(cash=None if cash is None else {"l1": cash}))

    assert case.close_reason_code == reason


def test_charge_off_is_a_stage_in_which_work_goes_on():
    case = today([loan("l1", 200, status="charged_off")], EARLIER)

    assert (case.stage_code, case.state_code, case.hold_code) == ("recovery", "open", None)


def test_promise_on_a_held_loan_pauses_nothing():
    case = today([loan("l1", 4), loan("l2", 5)], EARLIER, {"l1": {"dispute"}}, known=Known(promised=frozenset({"l1"})))

    assert case.state_code == "open"


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
        anew = draw(st.sampled_from([None, None, None, DAY - timedelta(days=3), DAY + timedelta(days=1)]))
        book.append(loan(loan_id, days, delinquent_days=delinquent, status=status, borrower=borrower, anew=anew))
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
promises_of_day = st.dictionaries(st.sampled_from(LOANS), st.booleans(), max_size=2)
payments = st.lists(
    st.tuples(
        st.sampled_from(LOANS),
        st.integers(-2, 5),
        st.sampled_from([100, 450, 6300]),
        st.sampled_from(["repayment", "repayment", "chargeback", "waiver", "reversal"]),
    ),
    max_size=5,
)
days = st.lists(
    st.tuples(loans_of_day(), flags_of_day, pauses_of_day, differing_loans, promises_of_day), min_size=5, max_size=5
)
parties = st.lists(
    st.tuples(st.sampled_from(["p1", "p2"]), st.sampled_from([False, False, False, True])), min_size=4, max_size=4
)


def table(name, rows):
    columns = CONTRACTS[name].columns
    return pa.table({c.name: pa.array([row.get(c.name) for row in rows], ARROW[c.type.value]) for c in columns})


@given(days, parties, payments)
@settings(max_examples=40, deadline=None)
def test_sql_and_scalar_rule_agree_over_five_days(book, people, paid):
    party_rows = [
        {"party_id": party, "person_id": person, "is_minor": minor}
        for party, (person, minor) in zip((*BORROWERS, "b9"), people, strict=True)
    ]
    ledger = entries(paid)
    previous = {"case": [], "case_loan": [], "watch": [], "plan": []}
    open_cases, closed_cases = {}, {}
    for number, (loans, flags, pauses, differing, promises) in enumerate(book):
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
        known = [row for row in ledger if row["effective_on"] < day]

        found_loans, found_cases, watched = by_sql(
            day,
            loans,
            previous,
            differing=differing,
            promises=promises,
            party=party_rows,
            flag=flag_rows,
            pause=pause_rows,
            transaction=known,
        )
        expected = by_rule(
            day, loans, (open_cases, closed_cases), party_rows, flag_rows, pause_rows, differing, promises, known
        )

        assert cases_of(found_cases, found_loans) == {name: shown(case) for name, case in expected.items()}
        # Every second borrower has a step planned every day: what the next day calls treated.
        planned = [
            {"case_id": row["case_id"], "state_code": "planned" if row["borrower_id"] != "b2" else "blocked"}
            for row in found_cases
        ]
        previous = {"case": found_cases, "case_loan": found_loans, "watch": watched, "plan": planned}
        for borrower, case in expected.items():
            if case.close_reason_code in REOPENED_FROM:
                closed_cases[borrower] = ClosedCase(case.opened_on, day, case.close_reason_code, case.episodes)
        open_cases = {borrower: left_open(case) for borrower, case in expected.items() if case.event_code != "closed"}


def left_open(case):
    return OpenCase(
        case.opened_on,
        frozenset(part.loan_id for part in case.parts),
        case.episode_on,
        case.episodes,
        case.state_code,
        case.first_treated_on,
        case.steps_planned,
        {part.loan_id: part.peak_core_minor for part in case.parts},
    )


def entries(paid):
    rows = []
    for number, (loan_id, offset, amount, kind) in enumerate(paid):
        day = DAY + timedelta(days=offset)
        undoes = next((row for row in rows if row["loan_id"] == loan_id and row["kind_code"] != "reversal"), None)
        if kind == "reversal" and undoes is None:
            continue
        rows.append(
            {
                "transaction_id": f"t{number}",
                "loan_id": loan_id,
                "kind_code": kind,
                "effective_on": day,
                "booked_at": datetime(day.year, day.month, day.day, 8, tzinfo=UTC),
                "amount_minor": undoes["amount_minor"] if kind == "reversal" else amount,
                "reverses_id": undoes["transaction_id"] if kind == "reversal" else None,
            }
        )
    return rows


def cash_since(ledger, since):
    kinds = {row["transaction_id"]: row["kind_code"] for row in ledger}
    cash = dict.fromkeys(LOANS, 0)
    for row in ledger:
        if row["effective_on"] >= since:
            undone = kinds.get(row["reverses_id"])
            sign = (row["kind_code"] == "repayment" or undone == "chargeback") - (
                row["kind_code"] == "chargeback" or undone == "repayment"
            )
            cash[row["loan_id"]] += sign * row["amount_minor"]
    return cash


EMPTY = {"case": [], "case_loan": [], "watch": [], "plan": []}
LAKE = {
    "case": "core__case_daily",
    "case_loan": "core__case_loan_daily",
    "watch": "core__case_watch_daily",
    "plan": "out__contact_plan_daily",
}


def by_sql(day, loans, previous, *, differing=(), promises=None, transaction=(), **raw):
    start, end = day_bounds(day, ZoneInfo("Asia/Shanghai"))
    parameters = {
        "portfolio": "book",
        "business_date": day,
        "currency": "CNY",
        "current_bucket": "M0",
        "hold_codes": list(HOLD_CODES),
        "close_reasons": list(CLOSE_REASONS),
        "reopened_from": list(REOPENED_FROM),
        "reopen_days": 1,
        "watch_days": 2,
        "compared_with": day - timedelta(days=1),
        "is_cash_known": True,
        "day_start": start,
        "day_end": end,
    }
    with connect(Settings()) as connection:
        connection.register("core__loan_delinquency_daily", table_of_loans(loans))
        agreed = [{"loan_id": one.loan_id, "restructured_on": one.restructured_on} for one in loans]
        connection.register("raw__loan", table("raw__loan", agreed))
        connection.register("raw__transaction", table("raw__transaction", list(transaction)))
        differences = [
            {"loan_id": name, "figure_code": figure} for name in differing for figure in ("past_due_days", "x")
        ]
        connection.register("core__source_difference_daily", table("core__source_difference_daily", differences))
        for name, rows in previous.items():
            connection.register(f"previous__{name}", table(LAKE[name], rows))
        for noun, rows in raw.items():
            connection.register(f"raw__{noun}", table(f"raw__{noun}", rows))
        connection.register("case_move", move_table())
        connection.register("ending_state", ending_table())
        live = [{"loan_id": name, "is_plan": plan, "due_on": day} for name, plan in (promises or {}).items()]
        connection.register("live_promise", pa.Table.from_pylist(live, LIVE_PROMISE))
        answers = []
        for name in ("core__case_loan_daily", "core__case_daily", "core__case_watch_daily"):
            text = select_text(name)
            bound = {key: value for key, value in parameters.items() if f"${key}" in text}
            connection.execute(f"CREATE TABLE {name} AS {text}", bound)
            answers.append(connection.sql(f"FROM {name}").to_arrow_table().to_pylist())
    return answers


def table_of_loans(loans):
    parts = {"past_due_interest_minor": 0}
    rows = [{**vars(one), **parts, "past_due_principal_minor": one.core_due_minor} for one in loans]
    return table("core__loan_delinquency_daily", rows)


def by_rule(day, loans, before, party_rows, flag_rows, pause_rows, differing, promises, ledger):  # noqa: PLR0917  the day's tables
    open_cases, closed_cases = before
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
        previous, closed = open_cases.get(borrower), closed_cases.get(borrower)
        known = Known(
            cash=cash_since(ledger, (previous.episode_on if previous else None) or day),
            promised=frozenset(name for name, is_plan in promises.items() if not is_plan),
            planned=frozenset(name for name, is_plan in promises.items() if is_plan),
            treated_on=day - timedelta(days=1) if borrower != "b2" else None,
            watch_days=2,
        )
        case = case_today(
            "book",
            day,
            borrower,
            loans,
            previous=previous,
            flags=flags,
            closed=closed if closed and day <= closed.closed_on + timedelta(days=2) else None,
            known=known,
            reopen_days=1,
        )
        if case is not None:
            cases[borrower] = case
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
        "episode_on": case.episode_on,
        "episodes": case.episodes,
        "state_code": case.state_code,
        "move_code": case.move_code,
        "stage_code": case.stage_code,
        "first_treated_on": case.first_treated_on,
        "steps_planned": case.steps_planned,
        "is_watched": case.is_watched,
        "past_due_loans": len(late),
        "past_due_minor": sum(part.past_due_minor for part in late),
        "past_due_days": max((part.past_due_days for part in late), default=0),
        "delinquent_days": max((part.delinquent_days for part in late), default=0),
        "bucket": bucket_of(max((part.delinquent_days for part in late), default=0), BUCKETS),
        "missing_loans": sum(part.state_code == "missing" for part in case.parts),
        "worked_minor": sum(part.past_due_minor for part in worked),
        "worked_delinquent_days": most,
        "worked_bucket": bucket_of(most, BUCKETS),
        "parts": {part.loan_id: part_of(vars(part)) for part in case.parts},
    }


def part_of(row):
    names = ("state_code", "hold_code", "past_due_minor", "peak_core_minor", "cash_minor")
    return tuple(row[name] for name in names)


def cases_of(cases, loans):
    keys = [key for key in shown(today([loan("l1", 3)])) if key != "parts"]
    found = {}
    for case in cases:
        parts = [row for row in loans if row["case_id"] == case["case_id"]]
        assert (case["closed_on"] is None) == (case["event_code"] != "closed")
        found[case["borrower_id"]] = {
            **{key: case[key] for key in keys},
            "parts": {row["loan_id"]: part_of(row) for row in parts},
        }
    return found


def test_flag_bounds_are_half_open():
    start, end = day_bounds(DAY, ZoneInfo("Asia/Shanghai"))
    rows = [
        {"flag_code": "dispute", "loan_id": "l1", "starts_at": datetime(2026, 1, 1, tzinfo=UTC), "ends_at": start},
        {"flag_code": "dispute", "loan_id": "l2", "starts_at": end, "ends_at": None},
    ]

    _, cases, _ = by_sql(DAY, [loan("l1", 3), loan("l2", 4)], EMPTY, party=[], flag=rows, pause=[])

    assert [case["hold_code"] for case in cases] == [None]
    assert cases[0]["worked_minor"] == 700
