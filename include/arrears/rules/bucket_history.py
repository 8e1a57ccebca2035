"""Since when a loan, or an instalment, has been in its bucket: in the time it was true and in the time it was known.

Belongs here: the readable definition of ``sql/core__bucket_history_daily.sql``, for one subject.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    Pair = tuple[str, str]  # bucket of delinquent days, bucket of past-due days


@dataclass(frozen=True)
class Stay:
    """One stay in a pair of buckets; half-open in both times.

    Attributes:
        pair: The buckets.
        valid_from: First business date it was true.
        valid_to: First business date it was no longer true; None: it is.
        known_from: Business date since which it is known.
        known_to: Business date on which better knowledge replaced it; None: it stands.
    """

    pair: Pair
    valid_from: date
    valid_to: date | None
    known_from: date
    known_to: date | None = None


def history_after(  # noqa: PLR0913  a day is its inputs
    known: Sequence[Stay],
    today: Pair | None,
    business_date: date,
    *,
    current: Pair,
    corrected_from: date | None = None,
    recomputed: Mapping[date, Pair] | None = None,
) -> list[Stay]:
    """The history of one subject as known today, and what today's knowledge replaced.

    Only a subject that was ever past due has a history. A stay that goes on is untouched; when it ends, the open row
    is replaced by one with an end, so that what was known before stays readable.

    Args:
        known: Rows that stood yesterday; contiguous, the last one open.
        today: The subject's buckets today; None when its loan is missing: it stays where it was.
        business_date: Today.
        current: The buckets of 0 days.
        corrected_from: First business date that an entry booked since concerns.
        recomputed: What today's ledger says of the business dates from then on, today apart.

    Source:
        ARR-BKT-02.
    """
    points = {
        stay.valid_from: stay.pair for stay in known if corrected_from is None or stay.valid_from < corrected_from
    }
    points |= recomputed or {}
    points |= {} if today is None else {business_date: today}
    turns: list[tuple[date, Pair]] = []
    for on_date, pair in sorted(points.items()):
        is_news = pair != turns[-1][1] if turns else bool(known) or pair != current
        if is_news:
            turns.append((on_date, pair))
    ends = [*(start for start, _ in turns), None][1:]
    before = {(stay.pair, stay.valid_from, stay.valid_to): stay for stay in known}
    standing = [
        before.get((pair, start, end)) or Stay(pair, start, end, business_date)
        for (start, pair), end in zip(turns, ends, strict=True)
    ]
    return standing + [replace(stay, known_to=business_date) for stay in known if stay not in standing]
