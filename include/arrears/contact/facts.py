"""What is known of the people who are due a step, gathered once for the whole day.

Belongs here: rows of the ``sql/read__contact_*.sql`` files turned into the values ``rules.contact`` reads. A table
the portfolio does not deliver becomes None, which denies; an empty one becomes nothing known against the person.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from arrears.rules.contact_values import ALWAYS, Consent, Facts, Flag, PriorContact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

Row = dict[str, Any]
Value = TypeVar("Value")

KINDS_OF_POINT = {
    "sms": ("mobile",),
    "call": ("mobile", "landline"),
    "voice_bot": ("mobile", "landline"),
    "email": ("email",),
    "push": ("push",),
    "letter": ("postal",),
    "visit": ("postal",),
}


@dataclass(frozen=True)
class Point:
    """A usable contact point."""

    contact_point_id: str
    party_id: str
    kind: str
    place: str
    zone: str | None


@dataclass
class FactBook:
    """Facts by person_id. ``flags``, ``history`` and ``consents`` are None where the table is not delivered."""

    holidays: frozenset[date]
    points: dict[str, list[Point]]
    flags: dict[str, list[Flag]] | None
    history: dict[str, list[PriorContact]] | None
    consents: dict[str, list[Consent]] | None
    _facts: dict[tuple[str, str | None], Facts] = field(default_factory=dict, repr=False)

    def points_for(self, person: str, party_id: str, channel: str) -> list[Point]:
        """The party's points a channel can use, the preferred first."""
        kinds = KINDS_OF_POINT[channel]
        return [point for point in self.points.get(person, ()) if point.party_id == party_id and point.kind in kinds]

    def facts_of(self, person: str, point: Point | None, *, is_party_known: bool) -> Facts:
        """The facts for a contact at that point: its zone comes first, then any other the person may be in."""
        first = point.zone if point else None
        if (person, first) not in self._facts:
            others = sorted({other.zone for other in self.points.get(person, ()) if other.zone} - {first})
            self._facts[person, first] = Facts(
                zones=(first, *others) if first else tuple(others),
                flags=_of(self.flags, person),
                history=_of(self.history, person),
                consents=_of(self.consents, person),
                holidays=self.holidays,
                is_party_known=is_party_known,
            )
        return self._facts[person, first]

    def note(self, person: str, contact: PriorContact) -> None:
        """Count a contact that was planned a moment ago."""
        if self.history is not None:
            self.history.setdefault(person, []).append(contact)


def points_by_person(rows: Iterable[Row]) -> dict[str, list[Point]]:
    """Rows of ``read__contact_point``, their order kept."""
    return _grouped(
        rows,
        lambda row: Point(
            row["contact_point_id"], row["party_id"], row["kind_code"], row["place_code"], row["timezone"]
        ),
    )


def flags_by_person(rows: Iterable[Row]) -> dict[str, list[Flag]]:
    """Rows of ``read__contact_flag``."""
    return _grouped(
        rows,
        lambda row: Flag(
            row["flag_code"], row["starts_at"] or ALWAYS, row["ends_at"], row["loan_id"], row["contact_point_id"]
        ),
    )


def history_by_person(rows: Iterable[Row]) -> dict[str, list[PriorContact]]:
    """Rows of ``read__contact_history``; the source does not say about which debts, so each counts for all."""
    return _grouped(
        rows,
        lambda row: PriorContact(
            at=row["started_at"],
            channel=row["channel_code"],
            outcome=row["outcome_code"],
            direction=row["direction_code"],
            purpose=row["purpose_code"],
            party_id=row["person_id"],
            contact_point_id=row["contact_point_id"],
        ),
    )


def consents_by_person(rows: Iterable[Row]) -> dict[str, list[Consent]]:
    """Rows of ``read__contact_consent``."""
    return _grouped(
        rows, lambda row: Consent(row["channel_code"], row["purpose_code"], row["given_at"], row["ends_at"])
    )


def _grouped(rows: Iterable[Row], made: Callable[[Row], Value]) -> dict[str, list[Value]]:
    groups: dict[str, list[Value]] = defaultdict(list)
    for row in rows:
        groups[row["person_id"]].append(made(row))
    return dict(groups)


def _of(groups: dict[str, list[Value]] | None, person: str) -> list[Value] | None:
    """The person's list, kept in the book so that what is noted later is seen; None where nothing is delivered."""
    return None if groups is None else groups.setdefault(person, [])
