"""Worked cases of contact law: facts and prior contacts, one planned contact, the expected answer.

A file holds ``cases`` of the shape of ``tests/policy/cases.yaml``. Every calendar day is the consumer's; the defaults
of a contact: direction out, outcome no_answer, party consumer, collector A, debts [D1], place personal, number n1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import yaml
from arrears.policy.packs import load_rules
from arrears.rules.contact import may_contact
from arrears.rules.contact_values import ALWAYS, Consent, Decision, Facts, Flag, Planned, PriorContact, RuleBook
from arrears.settings import INCLUDE

if TYPE_CHECKING:
    from pathlib import Path

PACKS = {path.stem for path in (INCLUDE / "policies").glob("*.yaml")}
READ_FACTS = {"consumer", "prior_contacts", "flags", "medium_stops", "consents"}
READ_CONTACT = {
    "ts",
    "channel",
    "outcome",
    "note",
    "party",
    "party_id",
    "place",
    "number",
    "debts",
    "collector",
    "direction",
    "purpose",
}


@dataclass(frozen=True)
class WorkedCase:
    """One case.

    Attributes:
        unsupported: What it needs that the engine does not have; empty when it can be decided.
    """

    id: str
    content: dict[str, Any]
    unsupported: tuple[str, ...]

    def decide(self) -> Decision:
        return may_contact(self.book, self.facts, self.planned)

    @property
    def book(self) -> RuleBook:
        return load_rules(self.content["packs"], INCLUDE / "policies")

    @property
    def planned(self) -> Planned:
        contact = self.content["planned"]
        return Planned(
            at=datetime.fromisoformat(contact["ts"]),
            channel=contact["channel"],
            contact_point_id=contact.get("number", "n1"),
            **_common(contact),
        )

    @property
    def facts(self) -> Facts:
        given = self.content["given"]
        consumer = given["consumer"]
        return Facts(
            zones=tuple(consumer["timezones"]),
            flags=[
                *(_flag(flag) for flag in given.get("flags", [])),
                *(Flag(f"opt_out_{stop['channel']}") for stop in given.get("medium_stops", [])),
            ],
            history=[_prior(contact) for contact in given.get("prior_contacts", [])],
            consents=[
                Consent(consent["channel"], consent["purpose"], *(_instants(consent, "given_at", "ends_at")))
                for consent in given.get("consents", [])
            ],
            holidays=frozenset(date.fromisoformat(str(day)) for day in consumer.get("public_holidays", [])),
        )


def read_cases(path: Path) -> list[WorkedCase]:
    """Every case of a file, the ones the engine cannot decide too."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]
    return [WorkedCase(case["id"], case, tuple(sorted(_unsupported(case)))) for case in content]


def _unsupported(case: dict[str, Any]) -> set[str]:
    contacts = [case["planned"], *case["given"].get("prior_contacts", [])]
    known_rules = {rule.id for rule in load_rules([p for p in case["packs"] if p in PACKS], INCLUDE / "policies").rules}
    return (
        {f"pack {pack}" for pack in set(case["packs"]) - PACKS}
        | {f"fact {name}" for name in set(case["given"]) - READ_FACTS}
        | {f"contact {name}" for contact in contacts for name in set(contact) - READ_CONTACT}
        | {f"stop of {name}" for stop in case["given"].get("medium_stops", []) for name in set(stop) - {"channel"}}
        | {f"rule {name}" for name in {case["expected"]["rule_id"]} - known_rules}
    )


def _flag(flag: str | dict[str, Any]) -> Flag:
    """A flag named alone holds always, for the person."""
    if isinstance(flag, str):
        return Flag(flag)
    starts_at, ends_at = _instants(flag, "starts_at", "ends_at")
    return Flag(flag["code"], starts_at or ALWAYS, ends_at, flag.get("loan_id"), flag.get("contact_point_id"))


def _instants(content: dict[str, Any], *names: str) -> list[datetime | None]:
    return [datetime.fromisoformat(content[name]) if name in content else None for name in names]


def _common(contact: dict[str, Any]) -> dict[str, Any]:
    party = contact.get("party", "consumer")
    return {
        "party": party,
        "party_id": contact.get("party_id", party),
        "place": contact.get("place", "personal"),
        "purpose": contact.get("purpose", "collection"),
        "collector": contact.get("collector", "A"),
        "debts": frozenset(contact.get("debts", ["D1"])),
    }


def _prior(contact: dict[str, Any]) -> PriorContact:
    return PriorContact(
        at=datetime.fromisoformat(contact["ts"]),
        channel=contact["channel"],
        outcome=contact.get("outcome", "no_answer"),
        direction=contact.get("direction", "out"),
        contact_point_id=contact.get("number", "n1"),
        **_common(contact),
    )
