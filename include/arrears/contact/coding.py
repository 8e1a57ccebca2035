"""Rules as relations: each asked once of every distinct kind of contact, so that a join can ask it of all of them.

Belongs here: Arrow tables of what has few distinct values. What a rule minds and counts, its own functions say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.rules.contact_kinds import codes_for
from arrears.rules.contact_values import Planned, PriorContact, counts, minds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from arrears.rules.contact_values import Rule, RuleBook
    from arrears.rules.hours import Timetable

FACTS = (
    "pack",
    "party",
    "contact_point",
    "channel",
    "time_zone",
    "flags",
    "contact_history",
    "consent",
    "inconvenient_times",
)
MISSING = "a fact that is missing denies (ARR-CON-06)"
HOLIDAY = 0  # beside the weekdays 1..7 of a timetable
MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_DAYS = {"rolling_days": 0, "calendar_day": 1, "calendar_week": 7, "calendar_month": 31}

TEXT, WHOLE, YES, ON = pa.string(), pa.int32(), pa.bool_(), pa.date32()
TEXTS = pa.list_(TEXT)

SCOPE = pa.schema(
    [
        *((name, TEXT) for name in ("book", "channel", "party", "place", "purpose")),
        ("content", TEXTS),
        ("days_past_due", WHOLE),
    ]
)
PRIOR_SCOPE = pa.schema([(name, TEXT) for name in ("channel", "outcome", "direction", "party", "place", "purpose")])
NUMBERED = (("scope_id", WHOLE), ("rule_no", WHOLE), ("valid_from", ON), ("valid_to", ON))
MINDING = pa.schema(
    [
        *NUMBERED,
        ("kind", TEXT),
        ("days", WHOLE),
        ("max_contacts", WHOLE),
        ("timetable_no", WHOLE),
        ("minds_holidays", YES),
        ("has_when_flags", YES),
        ("heeds_frequency", YES),
        ("tolerates_reply", YES),
        ("consent_purpose", TEXT),
        ("consent_scopes", TEXTS),
        ("same_contact_point", YES),
    ]
)
COUNTING = pa.schema(
    [
        *NUMBERED,
        ("prior_scope_id", WHOLE),
        ("max_contacts", WHOLE),
        ("window_code", TEXT),
        ("window_days", WHOLE),
        *((name, YES) for name in ("by_party", "by_collector", "by_point", "by_debt")),
        ("heeds_frequency", YES),
        ("excludes_frequency", YES),
    ]
)
RULE = pa.schema([("rule_no", WHOLE), ("rule_id", TEXT), ("citation", TEXT), ("effect", TEXT)])
WORD = pa.schema([("scope_id", WHOLE), ("rule_no", WHOLE), ("use", TEXT), ("word", TEXT)])
TIMETABLE = pa.schema([("timetable_no", WHOLE), ("weekday", WHOLE), ("from_minute", WHOLE), ("to_minute", WHOLE)])
BOOK = pa.schema([("book", TEXT), ("has_rules", YES), ("wants_consent", YES), ("wants_times", YES)])

Row = dict[str, Any]


@dataclass
class RuleCoding:
    """The rules of several books, numbered in their order: facts that are missing before them, below zero."""

    books: Mapping[str, RuleBook]
    _numbered: dict[str, list[tuple[int, Rule]]] = field(init=False, repr=False)
    _timetables: dict[Timetable, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Number them."""
        number = 0
        self._numbered, self._timetables = {}, {}
        for name, book in self.books.items():
            self._numbered[name] = [(number + index, rule) for index, rule in enumerate(book.rules)]
            number += len(book.rules)
        for _, rule in self.rules:
            if rule.timetable is not None:
                self._timetables.setdefault(rule.timetable, len(self._timetables))

    @property
    def rules(self) -> list[tuple[int, Rule]]:
        """Every rule with its number."""
        return [pair for pairs in self._numbered.values() for pair in pairs]

    @property
    def kinds(self) -> set[str]:
        """The kinds of SELECT that any rule needs."""
        return {_kind(rule) for _, rule in self.rules}

    @property
    def asks_days_past_due(self) -> bool:
        """Whether any rule tells contacts apart by the days their debts are past due."""
        return any(rule.unless_dpd_over is not None or rule.unless_dpd_under is not None for _, rule in self.rules)

    @property
    def tolerates_reply(self) -> bool:
        """Whether any rule does not mind one reply."""
        return any(rule.one_reply for _, rule in self.rules)

    @property
    def heeds_frequency(self) -> bool:
        """Whether any rule exempts contacts that the person consented to have more often."""
        return any(rule.frequency_consent for _, rule in self.rules)

    @property
    def counted_days(self) -> int | None:
        """Dates, the date itself included, that any rule looks back on; None when one counts for ever."""
        windows = [_window_code(rule) for _, rule in self.rules if _kind(rule) == "cap"]
        if "ever" in windows:
            return None
        return max([rule.days for _, rule in self.rules] + [LONGEST_DAYS[code] for code in windows], default=1)

    def rule_table(self) -> pa.Table:
        """Every rule's and missing fact's number and words."""
        facts = [
            (index - len(FACTS), f"insufficient_facts.{name}", MISSING, "deny") for index, name in enumerate(FACTS)
        ]
        rules = [(number, rule.id, rule.citation, rule.effect) for number, rule in self.rules]
        return table_of(RULE, facts + rules)

    def fact_table(self) -> pa.Table:
        """Number of every fact that may be missing."""
        schema = pa.schema([("rule_no", WHOLE), ("name", TEXT)])
        return table_of(schema, [(index - len(FACTS), name) for index, name in enumerate(FACTS)])

    def book_table(self) -> pa.Table:
        """What a book needs to be asked at all."""
        kinds = {name: {rule.kind for rule in book.rules} for name, book in self.books.items()}
        rows = [(name, bool(found), "consent" in found, "inconvenient" in found) for name, found in kinds.items()]
        return table_of(BOOK, rows)

    def timetable_table(self) -> pa.Table:
        """Open minutes by weekday; a day without a row is barred."""
        rows = [
            (number, weekday, *hours)
            for timetable, number in self._timetables.items()
            for weekday, hours in ((HOLIDAY, timetable.holiday), *enumerate(timetable.weekdays, start=1))
            if hours is not None
        ]
        return table_of(TIMETABLE, rows)

    def minding_table(self, scopes: Sequence[Row]) -> pa.Table:
        """Which rules mind which kind of contact, with what a SELECT asks of the rule."""
        rows = [
            (
                *_numbered(scope_id, number, rule),
                _kind(rule) if rule.after_flags else rule.kind,
                rule.days,
                rule.limit,
                self._timetables[rule.timetable] if rule.timetable else None,
                rule.timetable.minds_holidays if rule.timetable else None,
                bool(rule.when_flags),
                rule.frequency_consent,
                rule.one_reply,
                rule.consent_purpose,
                sorted(rule.consent_scopes),
                rule.same_contact_point,
            )
            for scope_id, number, rule in self._minding(scopes)
        ]
        return table_of(MINDING, rows)

    def word_table(self, scopes: Sequence[Row]) -> pa.Table:
        """Flags and purposes of consent that a rule fires by or is silenced by, for each kind of contact it minds."""
        rows = [
            (scope_id, number, use, word)
            for scope_id, number, rule in self._minding(scopes)
            for use, word in _words(rule, scopes[scope_id])
        ]
        return table_of(WORD, rows)

    def counting_table(self, scopes: Sequence[Row], prior_scopes: Sequence[Row]) -> pa.Table:
        """Which rules count which kind of contact so far against which kind of contact."""
        counted = {
            number: [
                prior_id for prior_id, prior in enumerate(prior_scopes) if counts(rule, PriorContact(MOMENT, **prior))
            ]
            for number, rule in self.rules
            if _kind(rule) == "cap" and (rule.kind == "cooldown" or rule.limit > 0)
        }
        rows = [
            (
                *_numbered(scope_id, number, rule),
                prior_id,
                rule.limit if rule.kind == "cap" else 1,
                _window_code(rule),
                rule.days,
                "party" in rule.count_key,
                "collector" in rule.count_key,
                "contact_point" in rule.count_key,
                "debt" in rule.count_key or rule.frequency_consent,
                rule.frequency_consent,
                rule.frequency_consent and rule.kind == "cap",
            )
            for scope_id, number, rule in self._minding(scopes)
            for prior_id in counted.get(number, ())
        ]
        return table_of(COUNTING, rows)

    def _minding(self, scopes: Sequence[Row]) -> Iterator[tuple[int, int, Rule]]:
        for scope_id, scope in enumerate(scopes):
            contact = _planned(scope)
            for number, rule in self._numbered[scope["book"]]:
                if minds(rule, contact):
                    yield scope_id, number, rule


def table_of(schema: pa.Schema, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Rows of plain values as an Arrow table."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    return pa.table([pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema)


def _numbered(scope_id: int, number: int, rule: Rule) -> tuple[int, int, date, date]:
    return scope_id, number, rule.valid_from, rule.valid_to


def _kind(rule: Rule) -> str:
    """The SELECT that answers for the rule: a rest after a conversation is a cap of one."""
    if rule.kind == "cooldown":
        return "rest" if rule.after_flags else "cap"
    return "block" if rule.kind == "require" else rule.kind


def _window_code(rule: Rule) -> str:
    return rule.window if rule.kind == "cap" else "rolling_days"


def _words(rule: Rule, scope: Row) -> Iterator[tuple[str, str]]:
    for use in ("when_flags", "unless_flags", "after_flags", "evidence"):
        for word in {
            named for code in getattr(rule, use) for named in codes_for(code, scope["channel"], scope["place"])
        }:
            yield use, word
    for purpose in set(rule.unless_consents):
        yield "unless_consents", purpose


def _planned(scope: Row) -> Planned:
    kept = {name: value for name, value in scope.items() if name not in ("book", "content")}
    return Planned(MOMENT, contact_point_id=None, content=frozenset(scope["content"]), **kept)
