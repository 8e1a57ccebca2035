"""Days as numbers, and how days differ: paydays, weekends, the season of rest, due days.

Belongs here: the rhythm of a demo book's world. Who pays when stands in ``behaviour``.
A day is an int32 count since 1970-01-01, in the portfolio's time zone; ``NEVER`` is a day that does not come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

Days = npt.NDArray[np.int32]
Amounts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.integer[Any]]

EPOCH = date(1970, 1, 1)
NEVER = 1_000_000  # a day in the year 4707: later than any close, small enough to add a delay to
LEAD_DAYS = 430  # fourteen months: the longest loan has run out once before the first date anybody asks about
LOOK_BACK_DAYS = 35  # no contact rule looks further back
STRATA = 50
PAYDAY_DAYS = 4  # how long before a payday a payer may wait for it


def number_of(day: date) -> int:
    """The day as a number."""
    return (day - EPOCH).days


def date_of(number: int) -> date:
    """The inverse of ``number_of``."""
    return EPOCH + timedelta(days=int(number))


@dataclass(frozen=True)
class Rhythm:
    """What makes days differ in one country.

    Attributes:
        zone: IANA zone of the business date.
        country: Of the ``holidays`` library.
        rest_from: Holiday, by the beginning of its English name, on which the season of rest begins.
        rest_days: How many days it lasts.
        busy_months: Months in which more is lent.
        paydays: Days of the month on which many are paid.
    """

    zone: str
    country: str
    rest_from: str
    rest_days: int
    busy_months: tuple[int, ...]
    paydays: tuple[int, ...]


@dataclass(frozen=True)
class Calendar:
    """The days of one world.

    Attributes:
        rhythm: How they differ.
        since: The first business date anybody asks about.
        as_of: The last one; the world ends the day before.
    """

    rhythm: Rhythm
    since: int
    as_of: int

    @property
    def end(self) -> int:
        """The last day anybody knows of: the closing date of ``as_of``."""
        return self.as_of - 1

    @property
    def first(self) -> int:
        """The first day a loan may be disbursed."""
        return self.since - LEAD_DAYS

    @property
    def logged_from(self) -> int:
        """The first day of the logs: contacts, promises."""
        return self.since - LOOK_BACK_DAYS

    @cached_property
    def _span(self) -> Days:
        return np.arange(self.first - 40, self.as_of + 800, dtype=np.int32)

    def _at(self, per_day: npt.NDArray[Any], days: Whole) -> npt.NDArray[Any]:
        found = per_day[np.clip(days - self._span[0], 0, len(self._span) - 1)]
        return np.where((days >= self._span[0]) & (days <= self._span[-1]), found, 0)

    @cached_property
    def _weekend(self) -> Mask:
        return (self._span + 3) % 7 >= 5  # noqa: PLR2004  1970-01-01 was a Thursday; Monday counts 0

    @cached_property
    def _rest(self) -> Mask:
        years = range(date_of(self._span[0]).year - 1, date_of(self._span[-1]).year + 1)
        named = holidays.country_holidays(self.rhythm.country, years=years, language="en_US")
        firsts = [number_of(day) for day, name in named.items() if name.startswith(self.rhythm.rest_from)]
        within = [(self._span >= first) & (self._span < first + self.rhythm.rest_days) for first in firsts]
        rest: Mask = np.logical_or.reduce(within)
        return rest

    @cached_property
    def _utc_offset(self) -> npt.NDArray[np.int64]:
        """Seconds at noon; nothing in the world happens while clocks are set."""
        zone = ZoneInfo(self.rhythm.zone)
        noons = (datetime.combine(date_of(day), datetime.min.time(), zone).replace(hour=12) for day in self._span)
        return np.array([int(noon.utcoffset().total_seconds()) for noon in noons])  # type: ignore[union-attr]

    def utc_offset(self, days: Whole) -> npt.NDArray[np.int64]:
        """Seconds that local time is ahead of UTC on each day."""
        return self._at(self._utc_offset, days)

    @cached_property
    def _day_of_month(self) -> npt.NDArray[np.int64]:
        days = self._span.astype("datetime64[D]")
        since_first: npt.NDArray[np.int64] = (days - days.astype("datetime64[M]")).astype(np.int64)
        return since_first + 1

    def is_weekend(self, days: Days) -> Mask:
        """Saturdays and Sundays."""
        return self._at(self._weekend, days).astype(bool)

    def is_rest(self, days: Days) -> Mask:
        """The season of rest: the week of Spring Festival, the week after Christmas."""
        return self._at(self._rest, days).astype(bool)

    @cached_property
    def _until_payday(self) -> Whole:
        return self._days_until(np.isin(self._day_of_month, self.rhythm.paydays))

    @cached_property
    def _until_rest_ends(self) -> Whole:
        return self._days_until(~self._rest)

    @staticmethod
    def _days_until(holds: Mask) -> Whole:
        """Days from each day of the span to the next one on which ``holds``."""
        index = np.arange(len(holds))
        nearest = np.minimum.accumulate(np.where(holds, index, len(holds))[::-1])[::-1]
        return nearest - index

    def shifted(self, days: Days, random: np.random.Generator) -> Days:
        """Payments as they fall: some wait for payday, for the Monday, for the end of the rest.

        Args:
            days: Days on which the payers meant to pay; any shape.
            random: Source of chance.

        Returns:
            Days not earlier than ``days``, two weeks later at most.
        """
        wait = self._at(self._until_payday, days)
        days = np.where((wait <= PAYDAY_DAYS) & drawn(random, 0.25, days.shape), days + wait, days).astype(np.int32)
        to_monday = np.where(self.is_weekend(days), 7 - (days + 3) % 7, 0)
        days = np.where(drawn(random, 0.35, days.shape), days + to_monday, days).astype(np.int32)
        wait = self._at(self._until_rest_ends, days)
        return np.where(drawn(random, 0.6, days.shape), days + wait, days).astype(np.int32)

    def disbursals(self, number: int, random: np.random.Generator) -> Days:
        """Days of disbursal over the loans' life: a growing book, busy before the rest and in some months."""
        days = np.arange(self.first, self.as_of, dtype=np.int32)
        weight = np.linspace(0.85, 1.15, len(days))
        weight *= np.where(self.is_weekend(days), 0.8, 1.0)
        weight *= np.where(self._before_rest(days), 1.5, 1.0) * np.where(self.is_rest(days), 0.4, 1.0)
        month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
        weight *= np.where(np.isin(month, self.rhythm.busy_months), 1.25, 1.0)
        cumulative = np.cumsum(weight)
        drawn: Days = days[np.searchsorted(cumulative, random.random(number) * cumulative[-1], side="right")]
        return drawn

    def _before_rest(self, days: Days) -> Mask:
        ahead = [self.is_rest(days + shift) for shift in range(7, 29, 7)]
        soon: Mask = np.logical_or.reduce(ahead)
        return soon & ~self.is_rest(days)

    @staticmethod
    def due_days(disbursed: Days, day_of_month: Whole, periods: int, *, least_days: int = 20) -> Days:
        """Monthly due days: the first ``day_of_month`` at least ``least_days`` after disbursal, and the same after it.

        Args:
            disbursed: (n,) days.
            day_of_month: (n,) between 1 and 28.
            periods: Number of due days per loan.
            least_days: Shortest first period.

        Returns:
            (n, periods) days.
        """
        month = disbursed.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        first = int(month.min())
        starts = np.arange(first, int(month.max()) + periods + 4).astype("datetime64[M]").astype("datetime64[D]")
        start = starts.astype(np.int32)
        for _ in range(2):
            month = month + (start[month - first] + day_of_month - 1 < disbursed + least_days)
        at = month[:, None] - first + np.arange(periods)
        due: Days = (start[at] + day_of_month[:, None] - 1).astype(np.int32)
        return due


def drawn(random: np.random.Generator, share: float | npt.NDArray[np.float64], shape: int | tuple[int, ...]) -> Mask:
    """True with probability ``share``, each by itself."""
    return np.asarray(random.random(shape, dtype=np.float32) < share)


def drawn_evenly(random: np.random.Generator, share: npt.NDArray[np.float64], order: Whole) -> Mask:
    """True with probability ``share``, as evenly as can be along ``order``: a small book is no matter of luck.

    Args:
        random: Source of chance.
        share: Any shape, at most 1.
        order: Same shape; ties are shuffled.
    """
    along = np.lexsort((random.random(share.size), order.ravel()))
    passed = np.floor(np.cumsum(share.ravel()[along]) + random.random())
    found = np.zeros(share.size, dtype=bool)
    found[along] = np.diff(passed, prepend=0.0) > 0
    return found.reshape(share.shape)


def uniform_evenly(random: np.random.Generator, order: Whole) -> npt.NDArray[np.float64]:
    """Numbers between 0 and 1, each stratum once in every ``STRATA`` neighbours along ``order``.

    Args:
        random: Source of chance.
        order: (n,); ties are shuffled.
    """
    size = len(order)
    rank = np.arange(size)
    shuffled = np.argsort(rank // STRATA + random.random(size))
    stratum = np.empty(size)
    stratum[shuffled] = rank % STRATA
    found = np.empty(size)
    found[np.lexsort((random.random(size), order))] = (stratum + random.random(size)) / STRATA
    return found


def choice(random: np.random.Generator, weighted: Sequence[tuple[Any, float]], size: int) -> npt.NDArray[Any]:
    """``size`` draws of (value, weight) pairs' values; the weights' scale does not matter."""
    share = np.cumsum([weight for _, weight in weighted])
    values: npt.NDArray[Any] = np.array([value for value, _ in weighted])
    drawn_ones: npt.NDArray[Any] = values[np.searchsorted(share, random.random(size) * share[-1], side="right")]
    return drawn_ones
