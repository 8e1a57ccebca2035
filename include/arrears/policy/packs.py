"""Contact packs ``include/policies/<pack>.yaml``: what a file may say, and the rules it becomes.

Belongs here: the shape of a pack, packs that include packs, and their readable mistakes. The kinds of rule stand in
``rule_documents``, which packs bind whom in ``selection``, what a rule means in ``rules.contact``.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date  # noqa: TC003  pydantic reads it
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import holidays
from pydantic import Field, field_validator, model_validator

from arrears.errors import ConfigurationError
from arrears.policy.documents import Document, place_of, read_document
from arrears.policy.rule_documents import Channel, RuleDocument
from arrears.rules.contact_values import Rule, RuleBook
from arrears.rules.hours import HORIZON_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Binds", "Channel", "PackDocument", "load_pack", "load_packs", "load_rules", "public_holidays"]

CollectorType = Literal["first_party", "third_party", "debt_buyer"]


class Binds(Document):
    """Whom a pack binds; what is left out binds all. Who is not known to be outside is inside.

    Attributes:
        collector_types: Who collects.
        products: Products of the loan.
        residences: ISO 3166 codes of where the person lives, as far down as the law reaches: US, US-MA, US-NY-NYC.
    """

    collector_types: frozenset[CollectorType] = frozenset()
    products: frozenset[str] = frozenset()
    residences: frozenset[str] = frozenset()

    def who(self, collector_type: str, product: str | None, residence: str | None) -> bool:
        """Whether it binds that collector, for that product and that residence; None where nobody knows.

        A residence known no further than US may be in US-MA: what binds there binds.
        """
        return (
            (not self.collector_types or collector_type in self.collector_types)
            and (not self.products or product is None or product in self.products)
            and (not self.residences or residence is None or any(_may_be_in(one, residence) for one in self.residences))
        )


def _may_be_in(place: str, residence: str) -> bool:
    return f"{residence}-".startswith(f"{place}-") or place.startswith(f"{residence}-")


class PackDocument(Document):
    """One pack file.

    Attributes:
        pack: File name.
        title: Words for people.
        jurisdiction: ISO 3166 code, or HOUSE for rules of our own.
        includes: Packs that apply wherever this one does; each still binds whom it binds.
        binds: Whom it binds.
        leaves_out: What the law says beside, and this pack does not check.
        reviewed_by: Role and organisation of the reviewer; left out: nobody has.
        review_due_on: First date on which the review no longer stands.
        version: A name for this text of it; left out: a digest of the file.
        rules: At least one.
    """

    pack: str
    title: str = Field(min_length=1)
    jurisdiction: str = Field(default="", pattern=r"^([A-Z]{2}(-[A-Z0-9]+)*|HOUSE|)$")
    includes: tuple[str, ...] = ()
    binds: Binds = Binds()
    leaves_out: tuple[str, ...] = ()
    reviewed_by: str = ""
    review_due_on: date | None = None
    version: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$")
    rules: tuple[RuleDocument, ...]

    @field_validator("rules")
    @classmethod
    def _at_least_one(cls, rules: tuple[RuleDocument, ...]) -> tuple[RuleDocument, ...]:
        if not rules:
            raise ValueError("at least one rule")
        return rules

    @model_validator(mode="after")
    def _reviewed_until(self) -> PackDocument:
        if bool(self.reviewed_by) != (self.review_due_on is not None):
            raise ValueError("reviewed_by and review_due_on come together")
        return self

    @property
    def label(self) -> str:
        """Name and version, as decisions keep it."""
        return f"{self.pack}@{self.version}"

    def book_rules(self) -> tuple[Rule, ...]:
        """As the engine's values, in file order."""
        return tuple(replace(rule.rule(), pack=self.pack) for rule in self.rules)


def load_pack(path: Path) -> PackDocument:
    """Read one pack file.

    Raises:
        ConfigurationError: Anything in it is wrong, by file, line and key.
    """
    pack = read_document(path, PackDocument)
    if pack.pack != path.stem:
        raise ConfigurationError(f"pack {pack.pack!r}", f"the file's name {path.stem!r}", place_of(path, ("pack",)))
    _refuse_overlaps(pack, path)
    if pack.version:
        return pack
    return pack.model_copy(update={"version": hashlib.sha256(path.read_bytes()).hexdigest()[:12]})


def _refuse_overlaps(pack: PackDocument, path: Path) -> None:
    """One id may stand more than once, for dates that do not overlap."""
    for one_id in {rule.id for rule in pack.rules}:
        numbered = [(rule.valid_from, number) for number, rule in enumerate(pack.rules) if rule.id == one_id]
        for (_, earlier), (valid_from, later) in pairwise(sorted(numbered)):
            if valid_from < pack.rules[earlier].valid_to:
                raise ConfigurationError(
                    f"an id twice for one date: {one_id}",
                    "validity that does not overlap, or an id of its own each",
                    place_of(path, ("rules", max(earlier, later), "id")),
                )


def load_packs(packs: Sequence[str], folder: Path) -> tuple[PackDocument, ...]:
    """The packs and all they include, each once, what includes before what is included.

    Args:
        packs: File names without suffix.
        folder: Where they are.

    Raises:
        ConfigurationError: A file is wrong, packs include each other in a circle, or two packs use one rule id.
    """
    loaded: dict[str, PackDocument] = {}
    for name in packs:
        _load_with_included(name, folder, (), loaded)
    owners: dict[str, str] = {}
    for pack in loaded.values():
        for number, rule in enumerate(pack.rules):
            owner = owners.setdefault(rule.id, pack.pack)
            if owner != pack.pack:
                raise ConfigurationError(
                    f"rule id {rule.id} in two packs, {owner} and {pack.pack}",
                    "an id of its own each",
                    place_of(folder / f"{pack.pack}.yaml", ("rules", number, "id")),
                )
    return tuple(loaded.values())


def _load_with_included(name: str, folder: Path, above: tuple[str, ...], loaded: dict[str, PackDocument]) -> None:
    if name in above:
        raise ConfigurationError(
            f"packs include each other: {' > '.join((*above, name))}",
            "no circle",
            place_of(folder / f"{above[-1]}.yaml", ("includes",)),
        )
    pack = loaded.get(name) or load_pack(folder / f"{name}.yaml")
    loaded[name] = pack
    for included in pack.includes:
        _load_with_included(included, folder, (*above, name), loaded)


def load_rules(packs: Sequence[str], folder: Path) -> RuleBook:
    """The rules of several packs and of all they include, whomever they bind.

    Args:
        packs: File names without suffix.
        folder: Where they are.

    Raises:
        ConfigurationError: As ``load_packs``.
    """
    return RuleBook(tuple(rule for pack in load_packs(packs, folder) for rule in pack.book_rules()))


def public_holidays(country: str, day: date) -> frozenset[date]:
    """Public holidays from that day's year on, as far as an earliest time may lie.

    Args:
        country: ISO 3166 code.
        day: Business date.

    Raises:
        ConfigurationError: The ``holidays`` library does not know the country.
    """
    return _holidays_around(country, day.year)


@lru_cache(maxsize=64)
def _holidays_around(country: str, year: int) -> frozenset[date]:
    years = range(year - 1, year + 2 + HORIZON_DAYS // 365)
    try:
        return frozenset(holidays.country_holidays(country, years=years))
    except NotImplementedError:
        raise ConfigurationError(
            f"holidays {country!r}", "a country of the holidays library", "portfolio.yaml"
        ) from None
