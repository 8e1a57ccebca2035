"""Which of a portfolio's packs bind a contact: by who collects, for which product, and where the person lives.

Belongs here: choosing among packs that are loaded. What a pack says stands in ``packs``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from arrears.kept import kept_value
from arrears.policy.packs import load_packs
from arrears.rules.contact_values import RuleBook

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from arrears.policy.packs import PackDocument
    from arrears.rules.contact_values import Rule


@dataclass
class Selection:
    """A portfolio's packs, and the books made of them so far.

    Attributes:
        packs: The packs and all they include.
        collector_type: Who collects.
        unbound_as_house: Packs that do not bind apply all the same, as rules of the house.
        extra: Rules beside those of the packs, for every book that has any.
    """

    packs: tuple[PackDocument, ...]
    collector_type: str
    unbound_as_house: bool = False
    extra: tuple[Rule, ...] = ()
    _books: dict[tuple[str | None, str | None], RuleBook] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """Every pack with its version, as decisions keep them."""
        return " ".join(pack.label for pack in self.packs)

    def book(self, product: str | None, residence: str | None) -> RuleBook:
        """The rules for a product and a residence, None where nobody knows; the same book for the same question.

        A pack binds whoever is not known to be outside. One that does not bind is left out, or keeps its rules with
        the effect ``house``.
        """
        asked = product, residence
        if asked not in self._books:
            rules = [rule for pack in self.packs for rule in self._rules(pack, product, residence)]
            self._books[asked] = RuleBook((*rules, *self.extra) if rules else ())
        return self._books[asked]

    def named(self, name: str) -> RuleBook:
        """The book of ``<product>@<residence>``, as a SELECT names it; either is empty where nobody knows it."""
        product, _, residence = name.partition("@")
        return self.book(product or None, residence or None)

    def _rules(self, pack: PackDocument, product: str | None, residence: str | None) -> tuple[Rule, ...]:
        if pack.binds.who(self.collector_type, product, residence):
            return pack.book_rules()
        if self.unbound_as_house:
            return tuple(replace(rule, effect="house") for rule in pack.book_rules())
        return ()


def select(packs: Sequence[str], folder: Path, *, collector_type: str, unbound_as_house: bool = False) -> Selection:
    """A portfolio's packs; a process that runs many jobs reads them, and makes each book of rules, once.

    Args:
        packs: File names without suffix.
        folder: Where they are.
        collector_type: first_party, third_party or debt_buyer.
        unbound_as_house: Whether packs that do not bind apply as rules of the house.

    Raises:
        ConfigurationError: As ``load_packs``.
    """
    asked = tuple(packs), folder, collector_type, unbound_as_house
    return kept_value(
        ("selection", *asked), lambda: Selection(load_packs(packs, folder), collector_type, unbound_as_house)
    )
