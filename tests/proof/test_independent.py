"""An opinion that shares no code with the engine says the same of random loans; the full proof is ``make proof``."""

import ast
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from proof import compare
from proof.random_book import FIRST, random_debts

HERE = Path(__file__).parent
DAYS = 12
STEP = 10  # days between the dates asked for: they span month ends and 29 February


@pytest.mark.parametrize("policy", compare.POLICIES.values(), ids=compare.POLICIES)
def test_engine_and_independent_opinion_agree_on_random_loans(policy):
    days = [FIRST + timedelta(days=STEP * number) for number in range(DAYS)]
    debts = random_debts(60, 7, STEP * DAYS)

    assert list(compare.differences(debts, days, policy)) == []


def test_random_loans_hold_what_they_are_there_for():
    debts = random_debts(400, 7, 120)
    kinds = Counter(entry.kind for debt in debts for entry in debt.entries)
    ids = {entry.name: entry for debt in debts for entry in debt.entries}
    reversed_reversals = sum(
        entry.kind == "reversal" and ids[entry.undoes].kind == "reversal" for entry in ids.values()
    )
    ends = {debt.name: max(due.on for due in debt.schedule) for debt in debts}

    late_charges = sum(e.kind == "charge" and e.on > ends[debt.name] for debt in debts for e in debt.entries)
    zeros = sum(not any(due.amounts.values()) for debt in debts for due in debt.schedule)
    ties = sum(len({due.on for due in debt.schedule}) < len(debt.schedule) for debt in debts)
    backdated = sum(entry.known.date() > entry.on for entry in ids.values())
    lasting = sum(ends is None for debt in debts for _, ends in debt.pauses)
    deferred = sum(bool(debt.deferrals) for debt in debts)
    thresholds = sum(debt.is_threshold is True for debt in debts)

    assert min(kinds[kind] for kind in ("chargeback", "charge", "credit_refund", "waiver", "reversal")) > 5
    assert min(reversed_reversals, late_charges, zeros, ties, backdated, lasting, deferred, thresholds) > 5


def test_difference_of_one_cent_is_found(monkeypatch):
    honest = compare.engine_rows

    def off_by_one(*arguments):
        rows = honest(*arguments)
        late = next(row for row in rows.values() if row["past_due_days"])
        late["past_due_principal_minor"] += 1
        return rows

    monkeypatch.setattr(compare, "engine_rows", off_by_one)
    day = FIRST + timedelta(days=100)

    found = list(compare.differences(random_debts(40, 7, 120), [day], compare.POLICIES["elapsed"]))

    assert [figure for _, _, figure in found] == ["past_due_principal_minor"]


@pytest.mark.parametrize("name", ["independent.py", "random_book.py"])
def test_opinion_imports_nothing_of_the_package(name):
    tree = ast.parse((HERE / name).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}

    assert "datetime" in modules
    assert [module for module in modules if module.startswith(("arrears", "support"))] == []
