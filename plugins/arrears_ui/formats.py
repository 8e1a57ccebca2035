"""Figures in words: dates, instants, counts, money and shares, by language, currency and time zone.

Belongs here: one value to one text. The database keeps money in minor units; Babel knows how many a currency has.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import (
    format_compact_currency,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
)

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

LOCALES = {"en": "en", "zh": "zh_Hans_CN"}
NOTHING = "\u2013"


def major(amount_minor: int | Decimal, currency: str) -> Decimal:
    """Minor units as the currency's own unit, exact."""
    return Decimal(amount_minor).scaleb(-get_currency_precision(currency))


@dataclass(frozen=True)
class Formats:
    """How one reader reads figures.

    Attributes:
        language: ``en`` or ``zh``.
        zone: The portfolio's, for instants.
    """

    language: str
    zone: ZoneInfo

    @property
    def locale(self) -> str:
        """Babel's name."""
        return LOCALES[self.language]

    def money(self, amount_minor: int | None, currency: str) -> str:
        """Exact, with the currency's digits."""
        if amount_minor is None:
            return NOTHING
        return format_currency(major(amount_minor, currency), currency, locale=self.locale)

    def short_money(self, amount_minor: int | None, currency: str) -> str:
        """For a tile or an axis: three significant places or so; the exact figure stands in the table."""
        if amount_minor is None:
            return NOTHING
        return format_compact_currency(major(amount_minor, currency), currency, locale=self.locale, fraction_digits=2)

    def count(self, number: int | Decimal | None) -> str:
        """With the language's grouping."""
        return NOTHING if number is None else format_decimal(number, locale=self.locale)

    def share(self, ratio: Decimal | float | None) -> str:
        """A ratio as per cent with two places."""
        return NOTHING if ratio is None else format_percent(ratio, format="0.00%", locale=self.locale)

    def day(self, value: date | None) -> str:
        """A date; ISO order in both languages would be ambiguous to none, but the language's own reads quicker."""
        return NOTHING if value is None else format_date(value, "medium", locale=self.locale)

    def month(self, value: date | None) -> str:
        """The month of a date."""
        return NOTHING if value is None else format_skeleton("yMMM", value, locale=self.locale)

    def instant(self, value: datetime | None) -> str:
        """Date, time and zone, where the portfolio is."""
        if value is None:
            return NOTHING
        local = value.astimezone(self.zone)
        return f"{format_datetime(local, 'yyyy-MM-dd HH:mm', locale=self.locale)} {local.tzname()}"

    def signed(self, text: str, number: int | Decimal) -> str:
        """A change, its sign always shown."""
        return f"+{text}" if number > 0 else text
