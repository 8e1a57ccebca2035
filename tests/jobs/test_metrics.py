"""Measures with their golden numbers: PAR, roll matrix, entry, distribution, queue load, the day in one row."""

from datetime import UTC, date, datetime, timedelta

import pytest
from arrears.jobs.metrics import metrics
from support.books import FIRST, make_book, put, rows_of

NEXT = FIRST + timedelta(days=1)
LOANS = "core__loan_delinquency_daily"
NOTHING_TO_TELL = (  # tables of a whole day that no measure reads
    "core__bucket_history_daily",
    "core__contact_breach_daily",
    "core__customer_status_daily",
    "core__missing_loan_daily",
    "core__source_difference_daily",
    "out__data_quality_daily",
    "out__experiment_daily",
)


def loan(loan_id, principal, dpd, *, status="active", amount=0, bucket=None):
    bucket = bucket or (
        "0" if dpd == 0 else "1-30" if dpd <= 30 else "31-60" if dpd <= 60 else "61-90" if dpd <= 90 else "91+"
    )
    open_ = status in ("active", "charged_off")
    return {
        "loan_id": loan_id,
        "borrower_id": f"b-{loan_id}",
        "product_code": "travel",
        "currency": "CNY",
        "status_code": status,
        "is_open": open_,
        "past_due_days": dpd,
        "delinquent_days": dpd,
        "past_due_minor": amount,
        "outstanding_principal_minor": principal if open_ else 0,
        "bucket": bucket,
        "contract_bucket": bucket,
        "closing_date": FIRST - timedelta(days=1),
    }


def put_rest(settings, day, *, events=(), cases=(), assigned=(), plans=(), rejected=(), due=(), unpaid=()):
    put(settings, "core__delinquency_event_daily", day, list(events))
    put(settings, "core__case_daily", day, list(cases))
    put(settings, "out__assignment_daily", day, list(assigned))
    put(settings, "out__contact_plan_daily", day, list(plans))
    put(settings, "core__contact_decision_daily", day, [])
    put(settings, "out__quarantine", day, list(rejected))
    put(settings, "core__promise_daily", day, [])
    put(settings, "raw__instalment", day, list(due))
    put(settings, "core__instalment_delinquency_daily", day, list(unpaid))
    for table in NOTHING_TO_TELL:
        put(settings, table, day, [])


@pytest.fixture
def settings(tmp_path):
    return make_book(tmp_path)


def test_par_is_outstanding_principal_over_gross_portfolio(settings):
    book = [loan("a", 1000, 45, amount=100), loan("b", 2000, 10, amount=50), loan("c", 7000, 0)]
    put(settings, LOANS, FIRST, [*book, loan("gone", 500, 400, status="charged_off", amount=500)])
    put_rest(settings, FIRST)

    metrics("book", FIRST, settings=settings)

    par = {row["threshold_days"]: row for row in rows_of(settings, "out__par_daily", FIRST)}
    assert {days: (row["numerator_minor"], row["denominator_minor"]) for days, row in par.items()} == {
        1: (3000, 10000),
        30: (1000, 10000),
        60: (0, 10000),
        90: (0, 10000),
    }


def test_par_threshold_is_exceeded_not_reached(settings):
    put(settings, LOANS, FIRST, [loan("a", 1000, 30, amount=1), loan("b", 1000, 31, amount=1)])
    put_rest(settings, FIRST)

    metrics("book", FIRST, settings=settings)

    par30 = [row for row in rows_of(settings, "out__par_daily", FIRST) if row["threshold_days"] == 30]
    assert [(row["at_risk_loans"], row["numerator_minor"]) for row in par30] == [(1, 1000)]


def test_roll_matrix_rows_sum_to_their_bucket(settings):
    then = [
        loan("stay", 100, 0),
        loan("roll", 200, 10),
        loan("cure", 300, 20),
        loan("off", 400, 5),
        loan("lost", 50, 0),
        loan("void", 60, 3),
        loan("sold", 70, 3),
    ]
    now = [
        loan("stay", 100, 0),
        loan("roll", 190, 40),
        loan("cure", 250, 0),
        loan("off", 400, 0, status="paid_off"),
        loan("void", 60, 0, status="cancelled"),
        loan("sold", 70, 3, status="sold"),
        loan("new", 700, 0),
    ]
    put(settings, LOANS, FIRST, then)
    put_rest(settings, FIRST)
    metrics("book", FIRST, settings=settings)
    put(settings, LOANS, NEXT, now)
    put_rest(settings, NEXT)

    metrics("book", NEXT, settings=settings)

    matrix = {
        (row["from_bucket"], row["to_bucket"]): (
            row["loans"],
            row["outstanding_principal_minor"],
            row["direction_code"],
        )
        for row in rows_of(settings, "out__bucket_migration_daily", NEXT)
    }
    assert matrix == {
        ("0", "0"): (1, 100, "stay"),
        ("0", "missing"): (1, 50, "left"),
        ("1-30", "31-60"): (1, 200, "forward"),
        ("1-30", "0"): (1, 300, "cure"),
        ("1-30", "paid_off"): (1, 400, "paid_off"),
        ("1-30", "cancelled"): (1, 60, "left"),
        ("1-30", "sold"): (1, 70, "left"),
        ("new", "0"): (1, 700, "new"),
    }
    assert sum(loans for (source, _), (loans, *_) in matrix.items() if source != "new") == len(then)


def test_first_day_has_no_roll_matrix(settings):
    put(settings, LOANS, FIRST, [loan("a", 1000, 45, amount=100)])
    put_rest(settings, FIRST)

    metrics("book", FIRST, settings=settings)

    assert rows_of(settings, "out__bucket_migration_daily", FIRST) == []


def test_entry_is_unpaid_at_the_close_over_due_that_day(settings):
    due_on = FIRST - timedelta(days=1)
    old = {**loan("old", 900, 40, amount=9), "past_due_on": due_on - timedelta(days=40)}
    put(
        settings, LOANS, FIRST, [loan("a", 1000, 1, amount=4500), loan("b", 1000, 0), loan("c", 900, 30, amount=1), old]
    )
    instalment = {"seq": 1, "due_on": due_on, "principal_minor": 100000, "interest_minor": 50000}
    put_rest(
        settings,
        FIRST,
        due=[
            {**instalment, "loan_id": "a"},
            {**instalment, "loan_id": "b", "principal_minor": 1_300_000},
            {**instalment, "loan_id": "old"},
            {**instalment, "loan_id": "c", "due_on": due_on - timedelta(days=29)},
        ],
        unpaid=[
            {"loan_id": "old", "seq": 1, "due_on": due_on, "past_due_minor": 150_000},
            {"loan_id": "a", "seq": 1, "due_on": due_on, "past_due_minor": 45000},
            {"loan_id": "c", "seq": 1, "due_on": due_on - timedelta(days=29), "past_due_minor": 1},
        ],
    )

    metrics("book", FIRST, settings=settings)

    (entry,) = rows_of(settings, "out__entry_daily", FIRST)
    assert (entry["due_loans"], entry["due_minor"], entry["entered_loans"], entry["entered_minor"]) == (
        2,
        1_500_000,
        1,
        45_000,
    )


def test_distribution_sums_to_the_portfolio(settings):
    book = [loan(str(n), 100 * n, n * 13, amount=n) for n in range(10)]
    put(settings, LOANS, FIRST, [*book, loan("ended", 0, 0, status="settled")])
    put_rest(settings, FIRST)

    metrics("book", FIRST, settings=settings)

    rows = rows_of(settings, "out__portfolio_daily", FIRST)
    assert len(rows) == 5
    assert sum(row["loans"] for row in rows) == 10
    assert sum(row["outstanding_principal_minor"] for row in rows) == sum(100 * n for n in range(10))
    assert sum(row["past_due_minor"] for row in rows) == sum(range(10))


def test_queue_load_and_summary_tell_the_day(settings):
    put(settings, LOANS, FIRST, [loan("a", 1000, 45, amount=100), loan("b", 2000, 10, amount=50), loan("c", 7000, 0)])
    event = {"product_code": "travel", "currency": "CNY", "past_due_minor": 50}
    put_rest(
        settings,
        FIRST,
        events=[
            {**event, "loan_id": "b", "event_code": "newly_overdue"},
            {**event, "loan_id": "d", "event_code": "cured"},
            {**event, "loan_id": "e", "event_code": "paid_off"},
        ],
        cases=[
            {"case_id": "C1", "event_code": "opened", "past_due_minor": 100},
            {"case_id": "C2", "event_code": "carried", "past_due_minor": 50},
            {"case_id": "C3", "event_code": "closed", "close_reason_code": "cured"},
        ],
        assigned=[
            {
                "case_id": "C1",
                "queue_id": "named",
                "is_assigned": True,
                "reason_code": "new_agent",
                "required_minutes": 9,
            },
            {
                "case_id": "C2",
                "queue_id": "named",
                "is_assigned": False,
                "reason_code": "overflow_capacity",
                "required_minutes": 9,
            },
        ],
        plans=[{"case_id": "C1", "state_code": "planned"}, {"case_id": "C2", "state_code": "blocked"}],
        rejected=[
            {"table_name": "loan", "row_number": 4, "rule_id": "type", "column_name": "x", "severity_code": "fail"},
            {"table_name": "loan", "row_number": 4, "rule_id": "unique", "column_name": "y", "severity_code": "fail"},
            {"table_name": "loan", "row_number": 5, "rule_id": "odd", "column_name": "y", "severity_code": "warn"},
        ],
    )
    put(
        settings,
        "raw__agent_shift",
        FIRST,
        [
            {"agent_id": "A1", "shift_on": FIRST, "queue_ids": "named, field", "productive_minutes": 300},
            {"agent_id": "A2", "shift_on": FIRST - timedelta(days=1), "queue_ids": "named", "productive_minutes": 300},
        ],
    )
    put(settings, "raw__queue", FIRST, [{"queue_id": name} for name in ("named", "field", "bot")])

    metrics("book", FIRST, settings=settings)

    queues = {row["queue_id"]: row for row in rows_of(settings, "out__queue_daily", FIRST)}
    (day,) = rows_of(settings, "out__summary_daily", FIRST)
    assert {
        name: (row["open_cases"], row["assigned_cases"], row["overflow_cases"], row["available_minutes"])
        for name, row in queues.items()
    } == {"named": (2, 1, 1, 300), "field": (0, 0, 0, 300), "bot": (0, 0, 0, 0)}
    assert {name: day[name] for name in ("loans", "past_due_loans", "newly_overdue_loans", "cured_loans")} == {
        "loans": 3,
        "past_due_loans": 2,
        "newly_overdue_loans": 1,
        "cured_loans": 2,
    }
    assert (day["open_cases"], day["assigned_cases"]) == (2, 1)
    assert (day["contacts_planned"], day["contacts_blocked"], day["rows_quarantined"]) == (1, 1, 1)
    assert (day["par30_numerator_minor"], day["par30_denominator_minor"]) == (1000, 10000)


def test_capacity_is_not_available_without_shifts(settings):
    put(settings, LOANS, FIRST, [loan("a", 1000, 45, amount=100)])
    put_rest(
        settings,
        FIRST,
        cases=[{"case_id": "C1", "event_code": "opened"}],
        assigned=[{"case_id": "C1", "queue_id": "named", "is_assigned": False, "reason_code": "no_queue"}],
    )

    metrics("book", FIRST, settings=settings)

    assert [row["available_minutes"] for row in rows_of(settings, "out__queue_daily", FIRST)] == [None]


def test_metrics_twice_give_equal_hashes(settings):
    put(settings, LOANS, FIRST, [loan("a", 1000, 45, amount=100)])
    put_rest(settings, FIRST)

    first = metrics("book", FIRST, settings=settings)

    assert metrics("book", FIRST, settings=settings) == first
    assert first["rows"] == 1


# ------------------------------------------------------------------------------------------------ cohorts and payments
DUE = FIRST - timedelta(days=1)


def schedule(loan_id, *amounts, first=DUE, fee=0):
    """Monthly instalments of that principal."""
    return [
        {
            "loan_id": loan_id,
            "seq": seq,
            "due_on": first + timedelta(days=30 * (seq - 1)),
            "principal_minor": amount,
            "interest_minor": 0,
            "fee_minor": fee,
            "penalty_minor": 0,
        }
        for seq, amount in enumerate(amounts, 1)
    ]


def paid(transaction_id, loan_id, amount, *, kind="repayment", on=DUE, reverses=None):
    return {
        "transaction_id": transaction_id,
        "loan_id": loan_id,
        "kind_code": kind,
        "effective_on": on,
        "booked_at": datetime(on.year, on.month, on.day, 12, tzinfo=UTC),
        "amount_minor": amount,
        "reverses_id": reverses,
    }


def agreed(loan_id, **rest):
    return {"loan_id": loan_id, "status_code": "active", "product_code": "travel", "currency": "CNY", **rest}


def put_ledger(settings, day, *, loans, due, unpaid=(), paid=(), raw=(), contacts=()):
    put(settings, LOANS, day, loans)
    put_rest(settings, day, due=due, unpaid=unpaid)
    put(settings, "raw__loan", day, list(raw) or [agreed(one["loan_id"]) for one in loans])
    put(settings, "raw__transaction", day, list(paid))
    put(settings, "raw__contact", day, list(contacts))
    put(settings, "core__case_loan_daily", day, [])
    metrics("book", day, settings=settings)


def test_what_entered_is_followed_by_cash_and_cured_once(settings):
    due = [*schedule("a", 1000, 1000), *schedule("b", 500)]
    unpaid = [
        {"loan_id": one, "seq": 1, "due_on": DUE, "past_due_minor": minor} for one, minor in (("a", 1000), ("b", 500))
    ]
    late = [{**loan(one, 2000, 1, amount=1), "past_due_on": DUE} for one in ("a", "b")]
    put_ledger(settings, FIRST, loans=late, due=due, unpaid=unpaid)
    now = [loan("a", 1000, 0), {**loan("b", 500, 2, amount=1), "past_due_on": DUE}]
    waived = paid("w", "b", 100, kind="waiver", on=FIRST)

    put_ledger(
        settings,
        NEXT,
        loans=now,
        due=due,
        unpaid=[{**unpaid[1], "past_due_minor": 200}],
        paid=[paid("p", "a", 1700, on=FIRST), paid("q", "b", 200, on=FIRST), waived],
    )

    (entered,) = rows_of(settings, "out__due_cohort_daily", FIRST)
    (followed,) = rows_of(settings, "out__due_cohort_daily", NEXT)
    figures = ("after_days", "entered_loans", "entered_minor", "collected_minor", "cured_loans")
    assert [entered[name] for name in figures] == [0, 2, 1500, 0, 0]
    assert [followed[name] for name in figures] == [1, 2, 1500, 1200, 1]
    firsts = ("first_due_loans", "first_due_minor", "first_unpaid_loans", "first_unpaid_minor")
    assert [entered[name] for name in firsts] == [2, 1500, 2, 1500]
    assert [followed[name] for name in firsts] == [2, 1500, 1, 200]


def test_payment_goes_to_the_oldest_and_its_components_in_order(settings):
    due = schedule("a", 1000, 1000, 1000, first=DUE - timedelta(days=30), fee=50)
    before = [{**loan("a", 3000, 30, amount=1050), "past_due_on": DUE - timedelta(days=30)}]
    put_ledger(settings, FIRST, loans=before, due=due)

    put_ledger(settings, NEXT, loans=[loan("a", 1000, 0)], due=due, paid=[paid("p", "a", 3200, on=DUE)])

    (one,) = rows_of(settings, "out__payment_allocated_daily", NEXT)
    assert {name: one[name] for name in ("past_due_minor", "due_minor", "advance_minor", "unallocated_minor")} == {
        "past_due_minor": 1050,
        "due_minor": 1050,
        "advance_minor": 1050,
        "unallocated_minor": 50,
    }
    assert (one["principal_minor"], one["fee_minor"], one["cash_minor"]) == (3000, 150, 3200)
    assert (one["past_due_days_before"], one["credit_code"]) == (30, None)


@pytest.mark.parametrize(
    ("charged_on", "component", "paid_minor", "parts"),
    [
        pytest.param(DUE, "fee", 1093, {"due_minor": 1093, "fee_minor": 93, "unallocated_minor": 0}, id="with its own"),
        pytest.param(DUE, "penalty", 1093, {"due_minor": 1093, "penalty_minor": 43, "fee_minor": 50}, id="as named"),
        pytest.param(
            DUE + timedelta(days=1), None, 1100, {"fee_minor": 93, "unallocated_minor": 7}, id="after the last"
        ),
    ],
)
def test_payment_meets_charges(settings, charged_on, component, paid_minor, parts):
    due = schedule("a", 1000, fee=50)[:1]
    charge = {**paid("c", "a", 43, kind="charge", on=charged_on), "component_code": component}
    undone = [paid("n", "a", 70, kind="charge", on=DUE), paid("r", "a", 70, kind="reversal", on=DUE, reverses="n")]
    put_ledger(settings, FIRST, loans=[loan("a", 1000, 1, amount=1050)], due=due, paid=[charge, *undone])

    put_ledger(
        settings, NEXT, loans=[loan("a", 0, 0)], due=due, paid=[charge, *undone, paid("p", "a", paid_minor, on=DUE)]
    )

    (one,) = rows_of(settings, "out__payment_allocated_daily", NEXT)
    assert {name: one[name] for name in parts} == parts


def test_reversal_takes_back_what_it_gave(settings):
    due = schedule("a", 1000, fee=50)
    given = paid("p", "a", 60)
    put_ledger(settings, FIRST, loans=[loan("a", 1000, 1, amount=990)], due=due, paid=[given])

    put_ledger(
        settings,
        NEXT,
        loans=[loan("a", 1000, 2, amount=1050)],
        due=due,
        paid=[given, paid("r", "a", 60, kind="reversal", on=FIRST, reverses="p")],
    )

    (one,) = rows_of(settings, "out__payment_allocated_daily", NEXT)
    assert (one["cash_minor"], one["fee_minor"], one["principal_minor"]) == (-60, -50, -10)


def test_payment_that_vanished_or_changed_counts_what_changed(settings):
    due = schedule("a", 1000)
    book = [loan("a", 1000, 0)]
    put_ledger(settings, FIRST, loans=book, due=due, paid=[paid("gone", "a", 100), paid("less", "a", 300)])

    put_ledger(settings, NEXT, loans=book, due=due, paid=[paid("less", "a", 250)])

    moved = {
        row["transaction_id"]: row["cash_minor"] for row in rows_of(settings, "out__payment_allocated_daily", NEXT)
    }
    assert moved == {"gone": -100, "less": -50}


def test_payment_is_credited_to_the_last_right_party_contact_of_a_week(settings):
    due = [line for one in "abc" for line in schedule(one, 1000)]
    late = [{**loan(one, 1000, 9, amount=1000), "past_due_on": DUE} for one in "abc"]
    at = datetime(2026, 2, 27, 3, tzinfo=UTC)
    contact = {"channel_code": "call", "direction_code": "out", "right_party": "yes", "agent_id": "A1"}
    contacts = [
        {**contact, "contact_id": "early", "party_id": "b-a", "started_at": at - timedelta(days=1)},
        {**contact, "contact_id": "last", "party_id": "b-a", "started_at": at, "agent_id": "A2"},
        {**contact, "contact_id": "wrong", "party_id": "b-b", "started_at": at, "right_party": "no"},
        {**contact, "contact_id": "old", "party_id": "b-c", "started_at": at - timedelta(days=9)},
    ]
    put_ledger(settings, FIRST, loans=late, due=due, contacts=contacts)

    cash = [paid(f"p-{one}", one, 1000, on=FIRST) for one in "abc"]
    put_ledger(settings, NEXT, loans=late, due=due, contacts=contacts, paid=cash)

    rows = {row["loan_id"]: row for row in rows_of(settings, "out__payment_allocated_daily", NEXT)}
    assert {one: (row["credit_code"], row["credited_contact_id"]) for one, row in rows.items()} == {
        "a": ("contact", "last"),
        "b": ("self_cure", None),
        "c": ("self_cure", None),
    }
    agents = {row["agent_id"]: row["collected_minor"] for row in rows_of(settings, "out__agent_daily", NEXT)}
    assert agents == {"A2": 1000}


def promise(promise_id, contact_id):
    made_at = datetime(2026, 3, 1, 3, tzinfo=UTC)
    return {"promise_id": promise_id, "seq": 1, "contact_id": contact_id, "made_at": made_at}


@pytest.mark.parametrize(
    ("promised", "expected"),
    [
        pytest.param(None, {"in": None, "out": None}, id="promises are not delivered"),
        pytest.param([], {"in": False, "out": False}, id="delivered, none made"),
        pytest.param(["out", "out", None, "yesterday"], {"in": False, "out": True}, id="in two parts, one contact"),
    ],
)
def test_contact_tells_whether_a_promise_was_made_in_it(settings, promised, expected):
    book = [loan("a", 1000, 9, amount=1000)]
    contact = {"party_id": "b-a", "channel_code": "call", "started_at": datetime(2026, 3, 1, 3, tzinfo=UTC)}
    contacts = [{**contact, "contact_id": name, "direction_code": name} for name in ("in", "out")]
    put_ledger(settings, FIRST, loans=book, due=[], contacts=[{**contact, "contact_id": "yesterday"}])
    if promised is not None:
        put(settings, "raw__promise", NEXT, [promise(f"P{n}", name) for n, name in enumerate(promised)])

    put_ledger(settings, NEXT, loans=book, due=[], contacts=[*contacts, {**contact, "contact_id": "yesterday"}])

    told = {row["contact_id"]: row["is_promise"] for row in rows_of(settings, "out__contact_attempt_daily", NEXT)}
    assert told == expected


def test_promise_known_later_than_its_contact_tells_no_day_anew(settings):
    book = [loan("a", 1000, 9, amount=1000)]
    contact = {"contact_id": "C1", "party_id": "b-a", "started_at": datetime(2026, 3, 1, 3, tzinfo=UTC)}
    put(settings, "raw__promise", FIRST, [])
    put_ledger(settings, FIRST, loans=book, due=[], contacts=[contact])
    put(settings, "raw__promise", NEXT, [promise("P1", "C1")])

    put_ledger(settings, NEXT, loans=book, due=[], contacts=[contact])

    (told,) = rows_of(settings, "out__contact_attempt_daily", FIRST)
    assert told["is_promise"] is False
    assert rows_of(settings, "out__contact_attempt_daily", NEXT) == []


def test_month_end_makes_vintage_and_the_monthly_matrix(tmp_path):
    settings = make_book(tmp_path, first="2026-02-01")
    ends = [date(2026, 2, 1), date(2026, 3, 1)]
    raw = [agreed(one, principal_minor=1000, disbursed_on=date(2025, 12, 9)) for one in ("a", "b")]
    books = [[loan("a", 900, 35, amount=1), loan("b", 900, 5, amount=1)], [loan("a", 800, 0), loan("b", 900, 33)]]
    for day, book in zip(ends, books, strict=True):
        put_ledger(settings, day, loans=book, due=[], raw=raw)

    (_,), (one,) = (rows_of(settings, "out__vintage_monthly", day) for day in ends)
    matrix = rows_of(settings, "out__bucket_migration_daily", ends[1])
    assert {name: one[name] for name in ("months_on_book", "overdue30_loans", "overdue30_minor", "ever30_loans")} == {
        "months_on_book": 2,
        "overdue30_loans": 1,
        "overdue30_minor": 900,
        "ever30_loans": 2,
    }
    assert {(row["span_code"], row["from_bucket"], row["direction_code"]) for row in matrix} == {
        (span, *move) for span in ("day", "month") for move in (("31-60", "cure"), ("1-30", "forward"))
    }


def test_no_vintage_between_month_ends(settings):
    put_ledger(settings, FIRST, loans=[loan("a", 1000, 45, amount=100)], due=schedule("a", 1000))

    assert rows_of(settings, "out__vintage_monthly", FIRST) == []


def test_restructured_and_charged_off_stand_beside_par(settings):
    book = [loan("a", 1000, 45, amount=100), loan("c", 7500, 0), loan("r", 500, 0)]
    raw = [agreed(one["loan_id"]) for one in book]
    raw[2]["restructured_on"] = date(2026, 1, 1)
    put_ledger(
        settings, FIRST, loans=[*book, loan("gone", 400, 400, status="charged_off", amount=400)], due=[], raw=raw
    )

    (par30,) = (row for row in rows_of(settings, "out__par_daily", FIRST) if row["threshold_days"] == 30)
    assert {name: value for name, value in par30.items() if name.endswith("_minor")} == {
        "numerator_minor": 1000,
        "denominator_minor": 9000,
        "restructured_minor": 500,
        "charged_off_minor": 400,
        "arrears_minor": 100,
    }


def test_an_instalment_deferred_past_the_day_was_not_due_on_it(settings):
    due = [*schedule("a", 1000), *schedule("b", 500)]
    deferral = {"loan_id": "a", "starts_on": DUE, "ends_on": NEXT, "reason_code": "hardship", "effect_code": "deferral"}
    put(settings, "raw__pause", FIRST, [deferral])
    unpaid = [{"loan_id": "b", "seq": 1, "due_on": DUE, "past_due_minor": 500}]
    late = [loan("a", 1000, 0), {**loan("b", 500, 1, amount=500), "past_due_on": DUE}]

    put_ledger(settings, FIRST, loans=late, due=due, unpaid=unpaid)

    (entry,) = rows_of(settings, "out__entry_daily", FIRST)
    assert (entry["due_loans"], entry["due_minor"]) == (1, 500)
    assert (entry["entered_loans"], entry["entered_minor"]) == (1, 500)
    (cohort,) = rows_of(settings, "out__due_cohort_daily", FIRST)
    assert (cohort["due_on"], cohort["first_due_loans"], cohort["first_due_minor"]) == (DUE, 1, 500)


def test_charge_falls_due_with_the_instalment_that_takes_it(settings):
    due = [*schedule("a", 500), *schedule("b", 500, first=FIRST)]
    charges = [
        paid("on the day", "a", 30, kind="charge", on=DUE),
        paid("before it", "a", 7, kind="charge", on=DUE - timedelta(days=9)),
        paid("undone", "a", 900, kind="charge", on=DUE),
        paid("undoing", "a", 900, kind="reversal", on=DUE, reverses="undone"),
        paid("next", "b", 20, kind="charge", on=DUE),
    ]
    unpaid = [{"loan_id": "a", "seq": 1, "due_on": DUE, "past_due_minor": 537}]
    late = [{**loan("a", 500, 1, amount=537), "past_due_on": DUE}, loan("b", 500, 0)]

    put_ledger(settings, FIRST, loans=late, due=due, unpaid=unpaid, paid=charges)

    (entry,) = rows_of(settings, "out__entry_daily", FIRST)
    assert (entry["due_minor"], entry["entered_minor"], entry["next_due_minor"]) == (537, 537, 520)
    (cohort,) = rows_of(settings, "out__due_cohort_daily", FIRST)
    assert (cohort["first_due_minor"], cohort["first_unpaid_minor"]) == (537, 537)


@pytest.mark.parametrize(
    ("before", "paid_off_on", "fell_due"),
    [
        pytest.param(0, DUE, True, id="its only instalment, on the day"),
        pytest.param(0, DUE - timedelta(days=20), True, id="its only instalment, early"),
        pytest.param(1, DUE, True, id="its last instalment, on the day"),
        pytest.param(1, DUE - timedelta(days=29), True, id="its last instalment, early"),
        pytest.param(1, DUE - timedelta(days=30), False, id="with the instalment before"),
        pytest.param(1, None, False, id="nobody knows when"),
    ],
)
def test_instalment_that_was_paid_in_time_fell_due_though_its_loan_is_over(settings, before, paid_off_on, fell_due):
    due = [*schedule("late", 500), *schedule("paid", *[500] * (before + 1), first=DUE - timedelta(days=30 * before))]
    unpaid = [{"loan_id": "late", "seq": 1, "due_on": DUE, "past_due_minor": 500}]
    loans = [{**loan("late", 500, 1, amount=500), "past_due_on": DUE}, loan("paid", 0, 0, status="paid_off")]
    raw = [agreed("late"), agreed("paid", status_code="paid_off", status_on=paid_off_on)]

    put_ledger(settings, FIRST, loans=loans, due=due, unpaid=unpaid, raw=raw)

    (entry,) = rows_of(settings, "out__entry_daily", FIRST)
    assert (entry["due_loans"], entry["due_minor"]) == ((2, 1000) if fell_due else (1, 500))
    assert (entry["entered_loans"], entry["entered_minor"]) == (1, 500)
