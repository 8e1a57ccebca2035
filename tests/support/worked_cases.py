"""Worked cases of contact law: facts and prior contacts, one planned contact, the expected answer, in both shapes.

A file is of the shape of ``tests/policy/cases.yaml`` (read by ``arrears.policy.facts_file``).
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from arrears.policy.facts_file import CaseDocument, read_facts
from arrears.policy.packs import load_rules
from arrears.rules.contact import may_contact
from arrears.settings import INCLUDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from arrears.rules.contact_values import Decision, Facts, Planned, RuleBook

POLICIES = INCLUDE / "policies"
PACKS = sorted(path.stem for path in POLICIES.glob("*.yaml"))
OWN = sorted((Path(__file__).parents[1] / "policy").glob("cases*.yaml"))
try:
    from arrears.contact import sets

    SHAPES: tuple[str, ...] = ("scalar", "sets") if hasattr(sets, "decide") else ("scalar",)
except ImportError:
    SHAPES = ("scalar",)


def decide(shape: str, book: RuleBook, questions: Sequence[tuple[Facts, Planned]]) -> list[Decision]:
    """The answers of one of the two forms of the policy; one call for many questions about the same rules."""
    if shape == "scalar":
        return [may_contact(book, facts, planned) for facts, planned in questions]
    with duckdb.connect() as connection:
        return sets.decide(connection, book, questions)


def case_files(given: Iterable[Path]) -> list[Path]:
    """The files named; of a folder, its ``cases*.yaml``; the project's own where none is named."""
    return [file for path in given for file in (sorted(path.glob("cases*.yaml")) if path.is_dir() else [path])] or OWN


def cases_of(files: Iterable[Path]) -> list[CaseDocument]:
    """Every case of the files."""
    return [case for file in files for case in read_facts(file)]


def answers(shape: str, cases: Iterable[CaseDocument]) -> list[tuple[CaseDocument, Decision]]:
    """Each case with its answer, those of the same packs asked together."""
    groups = defaultdict(list)
    for case in cases:
        groups[case.packs].append(case)
    return [
        answered
        for packs, group in groups.items()
        for answered in zip(
            group, decide(shape, load_rules(packs, POLICIES), [case.question for case in group]), strict=True
        )
    ]


def disagreement(case: CaseDocument, decision: Decision) -> str | None:
    """What the engine says otherwise than the case expects; None when they agree."""
    expected, fired = case.expected, [fired.rule_id for fired in decision.fired]
    assert expected is not None, f"{case.id} expects nothing"
    if decision.is_allowed != (expected.decision == "allow"):
        return f"{case.id}: expected {expected.decision}, fired {fired}"
    if decision.is_allowed:
        return None
    if expected.rule_id not in fired:
        return f"{case.id}: expected {expected.rule_id}, fired {fired}"
    if expected.names_earliest and decision.earliest_at != expected.earliest_allowed:
        return f"{case.id}: expected earliest {expected.earliest_allowed}, found {decision.earliest_at}"
    return None
