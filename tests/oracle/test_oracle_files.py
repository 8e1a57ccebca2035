"""Every supported check of oracle files; what is left out is left out by reason.

``--oracle-dir`` gives the files; without it, cases worked by hand, and, marked ``oracle``, what is kept here.
"""

from datetime import date
from functools import cache

import duckdb
import pytest
from arrears.rules.account import Instalment, Transaction
from arrears.rules.ageing import Terms
from arrears.rules.allocation import replay
from arrears.rules.contagion import is_non_performing as non_performing
from arrears.rules.conventions import counted_until, past_due_count
from oracle.cases import (
    ALLOCATION_KINDS,
    END_OF_TIME,
    Unsupported,
    allocation_figures,
    day_figures,
    departure,
    fineract_loan,
    frappe_figures,
    loan_before,
    minor,
    next_payment_figures,
    not_ours,
    outstanding,
    reversed_figures,
    stated_day_figures,
    stored_buckets,
    waterfalls,
)
from oracle.files import KEPT, cases_of
from oracle.worked import DAYS, SPREAD
from support.ageing import Loan, by_rule, by_sql

NOT_GIVEN = pytest.param(None, marks=pytest.mark.skip(reason="none is found"), id="none")
DELINQUENCY, ALLOCATION, CHECKS = "fineract_delinquency", "fineract_allocation", "fineract_allocation by check"
FRAPPE = "frappe_dpd"
AGREEMENT = 0.95


def pytest_generate_tests(metafunc):
    for shape in ("fineract", "allocated", "frappe", "contagion"):
        if shape in metafunc.fixturenames:
            found = [
                pytest.param(case, id=case["id"], marks=marks)
                for cases, marks in _given(metafunc.config.getoption("--oracle-dir"))
                for case in cases.get(shape, [])
            ]
            metafunc.parametrize(shape, found or [NOT_GIVEN])


def _given(folder):
    """Cases by shape with their marks: those of the folder, else those worked by hand, and what is kept here."""
    if folder is not None:
        return [(cases_of(folder), ())]
    return [({"fineract": DAYS, "allocated": SPREAD}, ()), (cases_of(KEPT), pytest.mark.oracle)]


def test_fineract_case_agrees(fineract, tally):
    wrong, compared, reasons = [], 0, set()
    terms = Terms(grace_days=fineract["grace_days"], waterfalls=waterfalls(fineract))
    with duckdb.connect(config={"threads": 1}) as connection:
        engines = (  # the checks of a case ask for the same days again and again
            cache(lambda loan, on: by_rule(loan, on, terms)),
            cache(lambda loan, on: by_sql(connection, [loan], on, terms)["a"]),
        )
        for check in fineract["checks"]:
            for name in not_ours(check):
                tally.left_out(DELINQUENCY, f"no figure of ours, or left empty: {name}")
            loan = loan_before(fineract, check)
            if isinstance(loan, Unsupported):
                tally.left_out(DELINQUENCY, loan.reason)
                reasons.add(loan.reason)
                continue
            stated, found = stated_day_figures(check), [_found(fineract, check, loan, row_of) for row_of in engines]
            compared += bool(stated)
            reasons |= set() if stated else {"it states no figure of ours"}
            for name, value in stated.items():
                ours = [each[name] for each in found]
                tally.agree(DELINQUENCY, name, ours == [value, value])
                if ours != [value, value]:
                    wrong.append((check["seq"], name, value, ours))

    assert wrong == []
    if not compared:
        pytest.skip("; ".join(sorted(reasons)))


def _found(case, check, loan, row_of):
    as_of = date.fromisoformat(check["as_of"])
    found = day_figures(case, check, row_of(loan, as_of), list(stored_buckets(case, check, row_of)))
    if "next_payment_policy" in check:
        found |= next_payment_figures(case, check, loan)
    if "outstanding" in check:
        found["outstanding"] = outstanding(replay(loan.schedule, loan.transactions, END_OF_TIME, waterfalls(case)))
    return found


def test_fineract_allocation_agrees(allocated, tally):
    wrong, compared, reasons = [], 0, set()
    for check in allocated["checks"]:
        unclear = check.get("after_unsupported") or check.get("open_question")
        loan = Unsupported(f"not modelled there either: {unclear}"[:80])
        if check["kind"] not in ALLOCATION_KINDS:
            loan = Unsupported(f"no figure of ours: {check['kind']}")
        elif not unclear:
            loan = fineract_loan(allocated, check["seq"])
        if isinstance(loan, Unsupported):
            tally.left_out(ALLOCATION, loan.reason)
            reasons.add(loan.reason)
            continue
        account = replay(loan.schedule, loan.transactions, END_OF_TIME, waterfalls(allocated))
        stated, found = (
            one | other
            for one, other in zip(allocation_figures(account, check), reversed_figures(allocated, check), strict=True)
        )
        differing = {name: (stated.get(name), found.get(name)) for name in stated if stated[name] != found.get(name)}
        explained = departure(allocated, check, account, differing) if differing else ""
        compared += 1
        for name in stated:
            tally.agree(
                ALLOCATION,
                f"{check['kind']} {name[1] if isinstance(name, tuple) else name}",
                name not in differing,
                explained,
            )
        tally.agree(CHECKS, "allocation check", not differing, explained)
        if differing and not explained:
            wrong.append((check["seq"], check["kind"], differing))

    assert wrong == []
    if not compared:
        pytest.skip("; ".join(sorted(reasons)))


def test_nearly_every_allocation_agrees(request):
    folder = request.config.getoption("--oracle-dir")
    if folder is None:
        pytest.skip("give --oracle-dir")
    agreeing = compared = 0
    for case in cases_of(folder).get("allocated", []):
        for check in case["checks"]:
            loan = fineract_loan(case, check["seq"])
            is_unclear = check.get("after_unsupported") or check.get("open_question")
            if is_unclear or isinstance(loan, Unsupported) or check["kind"] not in ALLOCATION_KINDS:
                continue
            account = replay(loan.schedule, loan.transactions, END_OF_TIME, waterfalls(case))
            stated, found = allocation_figures(account, check)
            compared += 1
            agreeing += all(stated[name] == found.get(name) for name in stated)

    if not compared:
        pytest.skip("the folder has no such check")
    assert agreeing >= AGREEMENT * compared


def test_frappe_case_agrees(frappe, tally):
    convention = "inclusive" if frappe["day_count"] == "inclusive" else "elapsed"
    loan = Loan(
        "a",
        tuple(
            Instalment(row["no"], date.fromisoformat(row["due_date"]), minor(row["amount"]))
            for row in frappe["schedule"]
        ),
        tuple(
            Transaction(f"t{number}", row["type"], date.fromisoformat(row["date"]), minor(row["amount"]))
            for number, row in enumerate(frappe["transactions"])
        ),
    )
    wrong, compared = [], 0
    for check in frappe["checks"]:
        days = by_rule(loan, date.fromisoformat(check["as_of"]), Terms(convention))["past_due_days"]
        ours = frappe_figures(days)
        for name in sorted(set(check) - {"as_of", "line"}):
            if name not in ours:
                tally.left_out(FRAPPE, f"no figure of ours: {name}")
                continue
            compared += 1
            tally.agree(FRAPPE, name, ours[name] == check[name])
            if ours[name] != check[name]:
                wrong.append((check["as_of"], name, check[name], ours[name]))

    assert compared
    assert wrong == []


def test_frappe_contagion_agrees(contagion, tally):
    convention = "inclusive" if contagion["day_count"] == "inclusive" else "elapsed"
    unpaid = {str(row["loan"]): date.fromisoformat(row["first_due"]) for row in contagion["loans"] if row["unpaid"]}
    is_non_performing, wrong = False, []
    for step in contagion["steps"]:
        paid = [name for name in unpaid if f"on loan {name}" in step["do"]]
        for name in paid:
            del unpaid[name]
        as_of = date.fromisoformat(step["as_of"])
        days = [past_due_count(due_on, counted_until(as_of, convention), convention) for due_on in unpaid.values()]
        is_non_performing = non_performing(
            days, was_non_performing=is_non_performing, threshold_days=contagion["npa_threshold"]
        )
        for name, stated in step["npa"].items():
            tally.agree(FRAPPE, "npa by customer", stated == is_non_performing)
            wrong += [] if stated == is_non_performing else [(step["do"], name)]

    assert contagion["steps"]
    assert wrong == []
