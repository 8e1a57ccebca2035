"""Clock changes of time zones as rows, so that a SELECT reads local time exactly as ``zoneinfo`` does.

Belongs here: where the offset of a zone changes. The database's own zone tables may be of another year than Python's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

Change = tuple[datetime, timedelta]  # instant (UTC), and the offset from then on

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@lru_cache(maxsize=512)
def clock_changes(name: str, start: datetime, end: datetime) -> tuple[Change, ...]:
    """Offset of a zone at ``start``, and every change of it until ``end``.

    Args:
        name: A zone that can be read.
        start: With a time zone; the day it falls on in UTC is taken whole.
        end: With a time zone.
    """
    zone = ZoneInfo(name)
    at = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    changes = [(at, _offset(at, zone))]
    while at < end:
        later = at + DAY
        if _offset(later, zone) != changes[-1][1]:
            later = _change_between(at, later, zone)
            changes.append((later, _offset(later, zone)))
        at = later
    return tuple(changes)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """First second of the offset at ``after``; both are whole seconds, with one change between them."""
    while after - before > SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if _offset(middle, zone) == _offset(after, zone):
            after = middle
        else:
            before = middle
    return after


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None  # noqa: S101  a ZoneInfo always has one
    return offset
