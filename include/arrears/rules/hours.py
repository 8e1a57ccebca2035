"""Local hours: when a week's timetable is open, or a time barred, in a time zone, across DST changes and holidays.

Belongs here: wall-clock arithmetic only. Which rule sets which timetable stands in the packs.
Windows are half-open; an instant is a time-zone-aware ``datetime``; answers are in UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Minutes = tuple[int, int]  # from and to, minutes after local midnight, half-open, 0..1440
Span = tuple[datetime, datetime]  # from and to, UTC, half-open

QUARTER = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
WHOLE_DAY = timedelta(days=1)
DAY_MINUTES = 24 * 60
HORIZON_DAYS = 400  # no timetable stays shut for longer


@dataclass(frozen=True)
class Timetable:
    """Hours by weekday, Monday first; None where the whole day is barred.

    Attributes:
        weekdays: Seven entries.
        holiday: Hours of a public holiday.
        minds_holidays: Whether ``holiday`` replaces the weekday's hours; otherwise a holiday is a weekday.
    """

    weekdays: tuple[Minutes | None, ...]
    holiday: Minutes | None = None
    minds_holidays: bool = False

    def on(self, day: date, holidays: frozenset[date]) -> Minutes | None:
        """The hours of a local date."""
        return self.holiday if self.minds_holidays and day in holidays else self.weekdays[day.weekday()]


@dataclass(frozen=True)
class BarredTime:
    """A time of the week somebody has called inconvenient.

    Attributes:
        weekdays: Monday is 0; a time that goes past midnight belongs to the day it begins on.
        start: Minutes after local midnight.
        end: First minute after it; at or before ``start``: on the next day.
        channels: Channels it is inconvenient for; empty for all.
    """

    weekdays: frozenset[int]
    start: int = 0
    end: int = DAY_MINUTES
    channels: frozenset[str] = frozenset()


CLOCK_DIGITS = "([01][0-9]|2[0-4])([0-5][0-9])"
SPOKEN_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BARRED_TIME = re.compile(rf"inconvenient_time_(all|{'|'.join(SPOKEN_WEEKDAYS)})_{CLOCK_DIGITS}_{CLOCK_DIGITS}")


@lru_cache(maxsize=512)
def barred_time_named(code: str) -> BarredTime | None:
    """The time of the week a flag ``inconvenient_time_<weekday|all>_<from>_<to>`` names; None of any other flag.

    One whose rest cannot be read bars all week: somebody asked to be spared at some time, and nobody knows which.
    Its set-based twin is ``sql/read__contact_inconvenient.sql``.
    """
    if not code.startswith("inconvenient_time_"):
        return None
    said = BARRED_TIME.fullmatch(code)
    if said is None:
        return BarredTime(frozenset(range(7)))
    first, second, third, fourth = (int(part) for part in said.groups()[1:])
    days = range(7) if said[1] == "all" else (SPOKEN_WEEKDAYS.index(said[1]),)
    return BarredTime(frozenset(days), first * 60 + second, third * 60 + fourth)


@lru_cache(maxsize=512)
def zone_named(name: str) -> ZoneInfo | None:
    """The IANA zone, or None when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """First instant of a local date, where a clock change skips its midnight too."""
    return next(at for at in _instants(day, 0, zone) if at.astimezone(zone).date() == day)


def day_bounds(day: date, zone: ZoneInfo) -> Span:
    """First instant of a local date, and first instant after it."""
    return midnight(day, zone), midnight(day + timedelta(days=1), zone)


def is_open(timetable: Timetable, at: datetime, zone: ZoneInfo, holidays: frozenset[date]) -> bool:
    """Whether the wall clock at that instant shows an open minute.

    Source:
        ARR-CON-01: consumer's local time, half-open: 21:59:59 is inside 08:00-22:00, 22:00:00 is not.
    """
    there = at.astimezone(zone)
    hours = timetable.on(there.date(), holidays)
    return hours is not None and hours[0] <= there.hour * 60 + there.minute < hours[1]


def next_open(timetable: Timetable, at: datetime, zone: ZoneInfo, holidays: frozenset[date]) -> datetime | None:
    """First open instant at or after ``at``, or None when there is none within ``HORIZON_DAYS``."""
    if is_open(timetable, at, zone, holidays):
        return at
    day = at.astimezone(zone).date()
    for _ in range(HORIZON_DAYS):
        opening = _opening(timetable, day, at, zone, holidays)
        if opening is not None:
            return opening
        day += timedelta(days=1)
    return None


def _opening(
    timetable: Timetable, day: date, at: datetime, zone: ZoneInfo, holidays: frozenset[date]
) -> datetime | None:
    """First open instant of that date after ``at``; on a date of a clock change, first open quarter hour."""
    hours = timetable.on(day, holidays)
    if hours is None:
        return None
    start, end = day_bounds(day, zone)
    if end - start == WHOLE_DAY:
        opening = _instants(day, hours[0], zone)[0]
        return opening if opening > at else None
    quarter = next_quarter(max(at, start))
    while quarter < end and not is_open(timetable, quarter, zone, holidays):
        quarter += QUARTER
    return quarter if quarter < end else None


def is_barred(times: Sequence[BarredTime], at: datetime, zone: ZoneInfo) -> bool:
    """Whether the wall clock at that instant shows a time called inconvenient."""
    return any(_barring(time, at, zone) is not None for time in times)


def next_free(times: Sequence[BarredTime], at: datetime, zone: ZoneInfo) -> datetime:
    """A later instant before which no time called inconvenient that holds at ``at`` is over; ``at`` if none holds."""
    ends = []
    for barred in times:
        day = _barring(barred, at, zone)
        if day is not None:
            over = day + timedelta(days=1) if barred.end <= barred.start else day
            end = _instants(over, barred.end, zone)[0]
            is_plain = end > at and end.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset()
            ends.append(end if is_plain else next_quarter(at + MINUTE))  # on a night of a clock change, step by step
    return max(ends, default=at)


def _barring(barred: BarredTime, at: datetime, zone: ZoneInfo) -> date | None:
    """The local date on which the barred time that holds at ``at`` began."""
    there = at.astimezone(zone)
    minute, today = there.hour * 60 + there.minute, there.date()
    if barred.start < barred.end:
        return today if today.weekday() in barred.weekdays and barred.start <= minute < barred.end else None
    if today.weekday() in barred.weekdays and minute >= barred.start:
        return today
    yesterday = today - timedelta(days=1)
    return yesterday if yesterday.weekday() in barred.weekdays and minute < barred.end else None


@lru_cache(maxsize=4096)
def open_spans(
    timetables: tuple[Timetable, ...],
    zones: tuple[str, ...],
    bounds: Span,
    holidays: frozenset[date],
) -> tuple[Span, ...]:
    """The spans inside ``bounds`` in which every timetable is open in every zone; empty when there are none.

    On a night when a clock is set back or forward an ambiguous edge is read in the way that leaves less time.
    """
    spans: tuple[Span, ...] = (bounds,)
    for timetable in timetables:
        for name in zones:
            spans = _intersection(spans, tuple(_spans(timetable, name, bounds, holidays)))
    return spans


def free_spans(spans: tuple[Span, ...], times: Sequence[BarredTime], zones: tuple[str, ...]) -> tuple[Span, ...]:
    """What is left of ``spans`` without the times called inconvenient, in any zone."""
    if not spans or not times:
        return spans
    bounds = spans[0][0], max(end for _, end in spans)
    for name in zones:
        for barred in times:
            for shut in _barred_spans(barred, name, bounds):
                spans = _without(spans, shut)
    return spans


def longest(spans: Sequence[Span]) -> Span:
    """The longest span; of equals the first."""
    return max(spans, key=lambda span: (span[1] - span[0], -span[0].timestamp()))


def next_quarter(at: datetime) -> datetime:
    """``at``, or the next quarter hour after it, in UTC."""
    at = at.astimezone(UTC)
    past = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    return at if not past else at - past + QUARTER


def _spans(timetable: Timetable, name: str, bounds: Span, holidays: frozenset[date]) -> Iterable[Span]:
    zone = ZoneInfo(name)
    day, last = bounds[0].astimezone(zone).date(), bounds[1].astimezone(zone).date()
    while day <= last:
        hours = timetable.on(day, holidays)
        if hours is not None:
            opening, closing = _instants(day, hours[0], zone)[1], _instants(day, hours[1], zone)[0]
            if opening < closing:
                yield opening, closing
        day += timedelta(days=1)


def _barred_spans(barred: BarredTime, name: str, bounds: Span) -> Iterable[Span]:
    zone = ZoneInfo(name)
    day, last = bounds[0].astimezone(zone).date() - timedelta(days=1), bounds[1].astimezone(zone).date()
    while day <= last:
        if day.weekday() in barred.weekdays:
            over = day + timedelta(days=1) if barred.end <= barred.start else day
            yield _instants(day, barred.start, zone)[0], _instants(over, barred.end, zone)[1]
        day += timedelta(days=1)


def _without(spans: tuple[Span, ...], shut: Span) -> tuple[Span, ...]:
    pieces = (piece for start, end in spans for piece in ((start, min(end, shut[0])), (max(start, shut[1]), end)))
    return tuple(piece for piece in pieces if piece[0] < piece[1])


def _instants(day: date, minutes: int, zone: ZoneInfo) -> Span:
    """The earlier and the later reading of a wall-clock time; they differ only on a night of a clock change."""
    if minutes == DAY_MINUTES:
        day, minutes = day + timedelta(days=1), 0
    wall = datetime.combine(day, time(minutes // 60, minutes % 60), zone)
    readings = sorted(wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return readings[0], readings[1]


def _intersection(left: tuple[Span, ...], right: tuple[Span, ...]) -> tuple[Span, ...]:
    pairs = ((max(a[0], b[0]), min(a[1], b[1])) for a in left for b in right)
    return tuple(sorted(pair for pair in pairs if pair[0] < pair[1]))
