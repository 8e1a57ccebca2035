"""Worked cases of contact law: facts and prior contacts, one planned contact, the expected answer, in both shapes.

A file is of the shape of ``tests/policy/cases.yaml`` (read by ``arrears.policy.facts_file``).
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import yaml
from arrears.errors import ConfigurationError
from arrears.policy.facts_file import CaseDocument, read_facts
from arrears.policy.packs import load_rules
from arrears.rules.contact import may_contact
from arrears.settings import INCLUDE
from pydantic import ValidationError

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


def readable_cases(files: Iterable[Path]) -> tuple[list[CaseDocument], dict[str, str]]:
    """The cases of the files that can be read, and by id what is wrong with each of the others.

    A file in which one case is wrong is read case by case, so that the others are still asked.
    """
    read: list[CaseDocument] = []
    wrong: dict[str, str] = {}
    for file in files:
        try:
            read += read_facts(file)
        except ConfigurationError as error:
            for number, case in enumerate(_listed(file, error)):
                try:
                    read.append(CaseDocument.model_validate(case))
                except ValidationError:
                    wrong[str(case.get("id", f"{file.stem}-{number}"))] = str(error)
    return read, wrong


def _listed(file: Path, error: ConfigurationError) -> list[dict[str, Any]]:
    """The cases of a file as they stand there; a file that holds none is itself wrong."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("cases"), list):
        raise error
    return list(content["cases"])


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
    if not any(one == expected.rule_id or one.startswith(f"{expected.rule_id}.") for one in fired):
        return f"{case.id}: expected {expected.rule_id}, fired {fired}"
    if expected.names_earliest and decision.earliest_at != expected.earliest_allowed:
        return f"{case.id}: expected earliest {expected.earliest_allowed}, found {decision.earliest_at}"
    return None
