"""Every supported check of oracle files given by ``--oracle-dir``; what is left out is left out by reason."""

import json
from datetime import date

import duckdb
import pytest
from arrears.rules.ageing import Terms
from arrears.rules.allocation import Instalment, Transaction, allocate, obligations, pool_minor, standing_transactions
from oracle.cases import (
    Unsupported,
    chronological,
    component_order,
    expected_figures,
    fineract_figures,
    fineract_loan,
    minor,
)
from support.ageing import Loan, by_rule, by_sql

FILES = {
    "fineract": "fineract_delinquency.json",
    "allocated": "fineract_allocation.json",
    "frappe": "frappe_dpd.json",
}
END_OF_TIME = date(2100, 1, 1)
NOT_GIVEN = pytest.param(None, marks=pytest.mark.skip(reason="give --oracle-dir"), id="no_oracle_dir")


def pytest_generate_tests(metafunc):
    for fixture, name in FILES.items():
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, _cases(metafunc.config.getoption("--oracle-dir"), name))


def _cases(folder, name):
    if folder is None:
        return [NOT_GIVEN]
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["id"]) for case in content["cases"]]


def count(tally, name, figures, agreeing, left_out=0):
    counts = tally.setdefault(name, {"checks": 0, "figures": 0, "agreeing": 0, "left_out": 0})
    counts["checks"] += not left_out
    counts["figures"] += figures
    counts["agreeing"] += agreeing
    counts["left_out"] += left_out


def test_fineract_case_agrees(fineract, tally):
    reasons, wrong, compared = [], [], 0
    with duckdb.connect() as connection:
        for check in fineract["checks"]:
            expected = expected_figures(check)
            loan = _loan_before(fineract, check) if expected else Unsupported("no day count or amount in it")
            if isinstance(loan, Unsupported):
                reasons.append(loan.reason)
                count(tally, "fineract_delinquency", 0, 0, left_out=1)
                continue
            as_of, terms = date.fromisoformat(check["as_of"]), Terms(grace_days=fineract["grace_days"])
            rows = by_rule(loan, as_of, terms), by_sql(connection, [loan], as_of, terms)["a"]
            found = [fineract_figures(row, check) for row in rows]
            agreeing = [name for name, value in expected.items() if all(each[name] == value for each in found)]
            compared += 1
            count(tally, "fineract_delinquency", len(expected), len(agreeing))
            wrong += [
                (check["seq"], name, expected[name], [each[name] for each in found])
                for name in expected
                if name not in agreeing
            ]

    assert wrong == []
    if not compared:
        pytest.skip("; ".join(sorted(set(reasons))))


def _loan_before(case, check):
    if check["basis"] != "schedule and transactions":
        return Unsupported("computed from the repayment table the test states")
    if check.get("after_unsupported") or check.get("known_gap"):
        return Unsupported("after an action that is not modelled")
    return fineract_loan(case, check["seq"])


def test_fineract_allocation_agrees(allocated, tally):
    reasons, wrong, compared = [], [], 0
    for check in allocated["checks"]:
        loan, order = _allocated_before(allocated, check), component_order(allocated)
        if isinstance(loan, Unsupported) or order is None:
            reasons.append(loan.reason if isinstance(loan, Unsupported) else "order differs before the due date")
            count(tally, "fineract_allocation", 0, 0, left_out=1)
            continue
        standing = standing_transactions(loan.transactions, END_OF_TIME)
        rows = allocate(obligations(loan.schedule, standing), pool_minor(standing), order)
        found = {row.instalment.seq: (row.instalment.total_minor, row.unpaid_total_minor) for row in rows}
        expected = {row["no"]: (minor(row["due"]), minor(row["outstanding"])) for row in check["periods"]}
        agreeing = [number for number, amounts in expected.items() if found.get(number) == amounts]
        compared += 1
        count(tally, "fineract_allocation", len(expected), len(agreeing))
        wrong += [(check["seq"], n, expected[n], found.get(n)) for n in expected if n not in agreeing]

    assert wrong == []
    if not compared:
        pytest.skip("; ".join(sorted(set(reasons))))


def _allocated_before(case, check):
    if check["kind"] != "schedule":
        return Unsupported("no table of instalments in it")
    if check.get("after_unsupported") or check.get("open_question"):
        return Unsupported("after an action that is not modelled")
    if case["config"].get("interest_recalculation"):
        return Unsupported("interest recalculation makes new schedules")
    loan = fineract_loan(case, check["seq"])
    reason = "" if isinstance(loan, Unsupported) else chronological(case, check["seq"])
    return Unsupported(reason) if reason else loan


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
    checks = [check for check in frappe["checks"] if "days_past_due" in check]

    found = [by_rule(loan, date.fromisoformat(check["as_of"]), Terms(convention)) for check in checks]

    for check, row in zip(checks, found, strict=True):
        count(tally, "frappe_dpd", 1, int(row["past_due_days"] == check["days_past_due"]))
    assert checks
    assert [row["past_due_days"] for row in found] == [check["days_past_due"] for check in checks]
