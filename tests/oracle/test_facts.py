"""Figures of regulators and of other systems' tests: the rule and the SELECTs both give them."""

from pathlib import Path

import duckdb
import pytest
import yaml
from arrears.rules.account import Instalment, Transaction
from arrears.rules.ageing import Terms
from arrears.rules.pauses import Pause
from support.ageing import Loan, by_rule, by_sql

FACTS = yaml.safe_load(Path(__file__).with_name("facts.yaml").read_text(encoding="utf-8"))


def loan_of(fact):
    return Loan(
        "a",
        tuple(Instalment(seq, due_on, amount) for seq, (due_on, amount) in enumerate(fact["schedule"], 1)),
        tuple(
            Transaction(f"t{number}", "repayment", paid_on, amount)
            for number, (paid_on, amount) in enumerate(fact.get("paid", []))
        ),
        tuple(Pause(*pause) for pause in fact.get("pauses", [])),
    )


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact["id"])
@pytest.mark.parametrize("engine", ["rule", "select"])
def test_fact_is_met(fact, engine):
    loan, terms = loan_of(fact), Terms(**fact["terms"])

    with duckdb.connect() as connection:
        found = {
            as_of: by_rule(loan, as_of, terms) if engine == "rule" else by_sql(connection, [loan], as_of, terms)["a"]
            for as_of in fact["expected"]
        }

    assert fact["expected"]
    for as_of, expected in fact["expected"].items():
        row = found[as_of] | {"instalment_days": [each["delinquent_days"] for each in found[as_of]["instalments"]]}
        assert {name: row[name] for name in expected} == expected, as_of
