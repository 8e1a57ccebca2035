"""Which dates a portfolio works, and which of them comes before another.

Belongs here: the calendar of a portfolio's own dates. Holidays and hours of contact stand in ``hours``.

A portfolio works every day. One that is taken over with a past may begin with month ends: the business date made from
the close of a month's last day is the first of the next month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class BusinessDates:
    """The dates of one portfolio.

    Attributes:
        first: The first date, which has none before it.
        daily_from: From here on every day is worked; earlier, month ends only. Equal to ``first`` without such a past.
    """

    first: date
    daily_from: date

    def __contains__(self, day: date) -> bool:
        """Whether the portfolio works that date."""
        return day >= self.daily_from or (day >= self.first and day.day == 1)

    def before(self, day: date) -> date | None:
        """The date before one of them; None before the first.

        Raises:
            ValueError: The portfolio does not work that date.
        """
        if day not in self:
            raise ValueError(f"{day} is not worked")
        if day == self.first:
            return None
        if day > self.daily_from:
            return day - ONE_DAY
        return (day - ONE_DAY).replace(day=1)

    def between(self, first: date, last: date) -> list[date]:
        """Those of a span, both ends included, in order."""
        days = (first + ONE_DAY * number for number in range((last - first).days + 1))
        return [day for day in days if day in self]


def month_ends_before(day: date, number: int) -> list[date]:
    """The last business dates before ``day`` that are made from a month's last close, in order."""
    found: list[date] = []
    while len(found) < number:
        day = (day - ONE_DAY).replace(day=1)
        found.append(day)
    return found[::-1]
