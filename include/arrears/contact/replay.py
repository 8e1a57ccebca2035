"""Contacts that were made, asked of the rules that were valid then: which of them a known fact forbade.

Belongs here: what the ledger does not say of a contact that was made, so that no rule may judge it by that. The answers
themselves are those of the contact policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.contact.one_by_one import FEW, answer_candidates
from arrears.engine.duckdb import select_text
from arrears.rules.contact_values import RuleBook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

    from arrears.contact.facts import Known
    from arrears.policy.selection import Selection
    from arrears.rules.contact_values import Rule

Row = dict[str, Any]

NOT_KNOWN = "insufficient_facts"  # the effect of a fact that is missing
NOT_SAID = "what the ledger does not say of a contact judges nobody (ARR-CON-12)"
NOTHING: Row = {"rule_id": "", "citation": "", "effect": ""}


def books_of(selection: Selection, names: Sequence[str]) -> RuleBook:
    """The rules that bind whichever of these loans a contact was about; every pack's where none is known.

    Args:
        selection: The portfolio's packs.
        names: Product and residence of each, as ``Selection.named`` reads them.
    """
    books = [selection.named(name) for name in names] or [selection.book(None, None)]
    return RuleBook(tuple(rule for rule in books[0].rules if all(rule in book.rules for book in books[1:])))


def unsaid(rule: Rule, *, is_party_known: bool, is_debt_known: bool) -> str | None:
    """The fact that the rule asks for and the ledger does not say of a contact that was made; None when it says all.

    Args:
        rule: A rule that fires.
        is_party_known: Whether the part of the person in the debt is.
        is_debt_known: Whether the one debt is that the contact can have been about.

    Source:
        ARR-CON-12: a breach is what known facts forbid; what is missing is listed beside it.
    """
    wanting = {
        "content": rule.kind == "require",
        "consent_scope": rule.kind == "consent" and (bool(rule.consent_scopes) or rule.same_contact_point),
        "evidence": rule.kind == "freshness",
        "days_past_due": rule.unless_dpd_over is not None or rule.unless_dpd_under is not None,
        "debt": not is_debt_known and ("debt" in rule.count_key or rule.frequency_consent),
        "party": not is_party_known and bool(rule.parties or rule.exempt_parties),
    }
    return next((name for name, is_missing in wanting.items() if is_missing), None)


def replay_contacts(
    connection: duckdb.DuckDBPyConnection,
    books: Mapping[str, RuleBook],
    known: Known,
    *,
    are_parties_known: bool,
    few: int = FEW,
) -> Iterator[Row]:
    """Ask of every contact in ``contact_replay`` whether it might be made when it was.

    Args:
        connection: With ``contact_replay`` (``sql/read__contact_to_replay.sql``) and the relations of
            ``contact.facts``; ``contact_inconvenient`` is made anew for each round of dates on which it is another.
        books: Rule book by the loans a contact may have been about (product and residence), joined by ``|``.
        known: What the portfolio delivers.
        are_parties_known: Whether it delivers who its parties are.
        few: Contacts of a round up to which each is asked by itself.

    Returns:
        For each contact a row a rule that forbade it (rule_id, citation, effect, pack) and a fact that is missing, or
        one row without a rule.
    """
    rules = {rule.id: rule for book in books.values() for rule in book.rules}
    for dates, day_start in connection.execute(select_text("read__contact_replay_round")).fetchall():
        _make(connection, "contact_inconvenient", "read__contact_inconvenient", {"day_start": day_start})
        said = {
            "dates": dates,
            "are_flags_known": known.flags,
            "are_consents_known": known.consents,
            "are_parties_known": are_parties_known,
        }
        _make(connection, "contact_candidate", "read__contact_replayed", said)
        answer_candidates(connection, books, {"": known.holidays}, few=few)
        table: Any = connection.sql(select_text("read__contact_replay_answer")).to_arrow_table()
        for row in table.to_pylist():
            yield from _judged(row, rules)


def _judged(row: Row, rules: Mapping[str, Rule]) -> Iterator[Row]:
    """The contact with each rule that forbade it, and each fact that is missing once."""
    fired, missing = [], set(row["missing"])
    facts = {"is_party_known": row["party"] != "unknown", "is_debt_known": len(row["loan_ids"]) == 1}
    for rule_id in row["fired"]:
        rule = rules[rule_id]
        fact = unsaid(rule, **facts)
        if fact is None:
            fired.append({"rule_id": rule.id, "citation": rule.citation, "effect": rule.effect, "pack": rule.pack})
        else:
            missing.add(f"{NOT_KNOWN}.{fact}")
    fired += [{"rule_id": one, "citation": NOT_SAID, "effect": NOT_KNOWN, "pack": ""} for one in sorted(missing)]
    for said in fired or [{**NOTHING, "pack": ""}]:
        yield {**row, **said}


def _make(connection: duckdb.DuckDBPyConnection, table: str, select: str, parameters: Row) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {select_text(select)}", parameters)
