"""Every supported check of oracle files given by ``--oracle-dir``; what is left out is left out by reason."""

import json
from datetime import date

import duckdb
import pytest
from arrears.rules.account import Instalment, Transaction
from arrears.rules.ageing import Terms
from arrears.rules.allocation import replay
from oracle.cases import (
    END_OF_TIME,
    Unsupported,
    allocation_figures,
    day_figures,
    departure,
    fineract_loan,
    minor,
    outstanding,
    stated_day_figures,
    waterfalls,
)
from support.ageing import Loan, by_rule, by_sql

FILES = {
    "fineract": "fineract_delinquency.json",
    "allocated": "fineract_allocation.json",
    "frappe": "frappe_dpd.json",
}
NOT_GIVEN = pytest.param(None, marks=pytest.mark.skip(reason="give --oracle-dir"), id="no_oracle_dir")
AGREEMENT = 0.95


def pytest_generate_tests(metafunc):
    for fixture, name in FILES.items():
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, _cases(metafunc.config.getoption("--oracle-dir"), name))


def _cases(folder, name):
    if folder is None or not (folder / name).is_file():
        return [NOT_GIVEN]
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["id"]) for case in content["cases"]]


def count(tally, name, **counted):
    counts = tally.setdefault(name, {"checks": 0, "figures": 0, "agreeing": 0, "left_out": 0, "explained": 0})
    for figure, value in counted.items():
        counts[figure] += value


def test_fineract_case_agrees(fineract, tally):
    reasons, wrong, compared = [], [], 0
    with duckdb.connect() as connection:
        for check in fineract["checks"]:
            stated = stated_day_figures(check)
            loan = _loan_before(fineract, check) if stated else Unsupported("no day count or amount in it")
            if isinstance(loan, Unsupported):
                reasons.append(loan.reason)
                count(tally, "fineract_delinquency", left_out=1)
                continue
            as_of = date.fromisoformat(check["as_of"])
            terms = Terms(grace_days=fineract["grace_days"], waterfalls=waterfalls(fineract))
            rows = by_rule(loan, as_of, terms), by_sql(connection, [loan], as_of, terms)["a"]
            found = [day_figures(row, fineract, check) for row in rows]
            agreeing = [name for name, value in stated.items() if all(each[name] == value for each in found)]
            compared += 1
            count(tally, "fineract_delinquency", checks=1, figures=len(stated), agreeing=len(agreeing))
            wrong += [
                (check["seq"], name, stated[name], [each[name] for each in found])
                for name in stated
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
        unclear = check.get("after_unsupported") or check.get("open_question")
        loan = Unsupported("not modelled there either") if unclear else fineract_loan(allocated, check["seq"])
        if isinstance(loan, Unsupported):
            reasons.append(loan.reason)
            count(tally, "fineract_allocation", left_out=1)
            continue
        account = replay(loan.schedule, loan.transactions, END_OF_TIME, waterfalls(allocated))
        stated, found = allocation_figures(account, check)
        differing = {name: (stated.get(name), found.get(name)) for name in stated if stated[name] != found.get(name)}
        is_explained = bool(differing and departure(allocated, check, loan))
        compared += 1
        count(tally, "fineract_allocation", checks=1, figures=len(stated), agreeing=len(stated) - len(differing))
        count(tally, "fineract_allocation", explained=is_explained)
        if differing and not is_explained:
            wrong.append((check["seq"], check["kind"], differing))

    assert wrong == []
    if not compared:
        pytest.skip("; ".join(sorted(set(reasons))))


def test_nearly_every_allocation_agrees(request, tally):
    if request.config.getoption("--oracle-dir") is None:
        pytest.skip("give --oracle-dir")

    counts = tally["fineract_allocation"]
    assert counts["checks"] > 0
    assert counts["explained"] <= (1 - AGREEMENT) * counts["checks"]


@pytest.mark.parametrize("name", ["outstanding"])
def test_outstanding_of_delinquency_cases_agrees(fineract, name):
    compared = 0
    for check in fineract["checks"]:
        loan = _loan_before(fineract, check) if name in check else Unsupported("nothing outstanding in it")
        if isinstance(loan, Unsupported):
            continue
        compared += 1
        account = replay(loan.schedule, loan.transactions, END_OF_TIME, waterfalls(fineract))
        assert outstanding(account) == minor(check[name]), check["seq"]
    if not compared:
        pytest.skip("no outstanding amount in it")


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
        agrees = row["past_due_days"] == check["days_past_due"]
        count(tally, "frappe_dpd", checks=1, figures=1, agreeing=int(agrees))
    assert checks
    assert [row["past_due_days"] for row in found] == [check["days_past_due"] for check in checks]
