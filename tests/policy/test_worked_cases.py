"""The shipped packs decide worked cases as a reader of the law would, and every rule has a case on either side."""

import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from arrears.policy.packs import load_rules
from arrears.settings import INCLUDE
from support.worked_cases import PACKS, read_cases

CASES = read_cases(Path(__file__).parent / "cases.yaml")


def disagreement(case):
    """What the engine says otherwise than the case expects; None when they agree."""
    decision, expected = case.decide(), case.content["expected"]
    fired = [fired.rule_id for fired in decision.fired]
    if decision.is_allowed != (expected["decision"] == "allow"):
        return f"{case.id}: expected {expected['decision']}, fired {fired}"
    if not decision.is_allowed and expected["rule_id"] not in fired:
        return f"{case.id}: expected {expected['rule_id']}, fired {fired}"
    if not decision.is_allowed and "earliest_allowed" in expected:
        text = expected["earliest_allowed"]
        if decision.earliest_at != (datetime.fromisoformat(text) if text else None):
            return f"{case.id}: expected earliest {text}, found {decision.earliest_at}"
    return None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_worked_case_is_decided_as_expected(case):
    assert case.unsupported == ()

    assert disagreement(case) is None


def test_every_shipped_rule_has_a_case_it_denies_and_one_it_allows():
    rules = {rule.id for pack in PACKS for rule in load_rules([pack], INCLUDE / "policies").rules}

    tried = {(case.content["expected"]["rule_id"], case.content["expected"]["decision"]) for case in CASES}

    assert len(rules) >= 30
    assert {(rule, answer) for rule in rules for answer in ("allow", "deny")} <= tried


def test_foreign_cases_agree_where_the_engine_can_decide_them(request, capsys):
    folder = request.config.getoption("--contact-dir", default=None)
    if folder is None:
        pytest.skip("no --contact-dir")
    cases = read_cases(folder / "cases.yaml")
    supported = [case for case in cases if not case.unsupported]

    wrong = [found for found in (disagreement(case) for case in supported) if found]

    reasons = Counter(reason for case in cases for reason in case.unsupported)
    counts = f"{len(supported) - len(wrong)} agree, {len(wrong)} differ, {len(cases) - len(supported)} unsupported"
    listed = [f"  {count:3} {reason}" for reason, count in reasons.most_common()]
    with capsys.disabled():
        sys.stdout.write("\n".join(["", counts, *listed, ""]))
    assert supported
    assert wrong == []
