"""One question to the policy, answered at length: every rule that fires with its citation, and the earliest time.

Belongs here: what ``arrears contact check`` says. What the rules mean stands in ``rules.contact``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.errors import ConfigurationError
from arrears.policy.documents import has_key, place_of
from arrears.policy.facts_file import read_facts
from arrears.policy.packs import load_packs
from arrears.rules.contact import may_contact, zones_of
from arrears.rules.contact_values import RuleBook

if TYPE_CHECKING:
    from pathlib import Path

    from arrears.policy.facts_file import CaseDocument


def check_file(path: Path, policies: Path) -> list[dict[str, Any]]:
    """The answer to every case of a file.

    Args:
        path: Facts, and one planned contact each, in the shape of ``tests/policy/cases.yaml``.
        policies: Folder of the packs they name.

    Raises:
        ConfigurationError: The file or a pack is wrong.
    """
    cases = read_facts(path)
    known = sorted(file.stem for file in policies.glob("*.yaml"))
    for number, case in enumerate(cases):
        for place, name in enumerate(case.packs):
            if name not in known:
                key = next(one for one in (("cases", number, "packs", place), ("packs", place)) if has_key(path, one))
                raise ConfigurationError(f"no pack {name!r}", f"one of {', '.join(known)}", place_of(path, key))
    return [_answer(case, policies) for case in cases]


def _answer(case: CaseDocument, policies: Path) -> dict[str, Any]:
    packs = load_packs(case.packs, policies)
    book = RuleBook(tuple(rule for pack in packs for rule in pack.book_rules()))
    facts, planned = case.question
    decision = may_contact(book, facts, planned)
    zones = zones_of(facts.zones)  # where nobody knows them there is no earliest time either
    earliest = decision.earliest_at.astimezone(zones[0]) if decision.earliest_at else None
    sure = {rule.id: rule.confidence for rule in book.rules}
    answer: dict[str, Any] = {
        "id": case.id,
        "decision": "allow" if decision.is_allowed else "deny",
        "fired": [
            {
                "rule_id": fired.rule_id,
                "effect": fired.effect,
                "confidence": sure.get(fired.rule_id, "firm"),
                "citation": fired.citation,
            }
            for fired in decision.fired
        ],
        "earliest_allowed": earliest.isoformat() if earliest else None,
        "packs": [pack.label for pack in packs],
    }
    if case.expected is not None:
        answer["expected"] = f"{case.expected.decision} by {case.expected.rule_id}"
    return answer
