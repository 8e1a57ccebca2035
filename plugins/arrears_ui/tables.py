"""Tables of figures: what a SELECT of ``sql/`` gives, how each column is read, and the same as CSV.

Belongs here: shape and wording of columns. Every figure that a chart or a tile shows stands in one of these too.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from arrears.csv_cells import safe_cell

from arrears_ui.formats import major
from arrears_ui.sentences import said

if TYPE_CHECKING:
    from arrears_ui.formats import Formats
    from arrears_ui.reading import Rows
    from arrears_ui.words import Words


class Kind(Enum):
    """How a value is read."""

    TEXT = "text"
    MONO = "mono"  # an identifier or a hash
    CODE = "code"  # of a closed list, translated
    COUNT = "count"
    MONEY = "money"  # minor units of the row's currency
    SHARE = "share"
    DAY = "day"
    MONTH = "month"  # its first day
    INSTANT = "instant"
    MEASURE = "measure"  # as the row's unit_code says
    YES = "yes"  # a flag
    REASON = "reason"  # a sentence of the jobs, said again in the reader's language


NUMBERS = {Kind.COUNT, Kind.MONEY, Kind.SHARE, Kind.MEASURE}


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: Of the SELECT.
        kind: How its values are read.
        codes: Catalogue prefix of the values, for CODE.
        link: Page that a value leads to: ``account``, ``rule`` or ``runbook``.
    """

    name: str
    kind: Kind = Kind.TEXT
    codes: str = ""
    link: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it stands right-aligned."""
        return self.kind in NUMBERS


@dataclass(frozen=True)
class Table:
    """One table of figures.

    Attributes:
        name: Of its SELECT, of its CSV, and of its words (``table.<name>``, ``empty.<name>``).
        columns: In order; the first names the row.
        limit: Rows that the SELECT gives at most; 0 for all.
    """

    name: str
    columns: tuple[Column, ...]
    limit: int = 0


def text(column: Column, row: dict[str, Any], words: Words, formats: Formats) -> str:  # noqa: PLR0911  one a kind
    """What a cell says."""
    value = row[column.name]
    kind = Kind(row["unit_code"]) if column.kind is Kind.MEASURE else column.kind
    match kind:
        case Kind.MONEY:
            return formats.money(value, row["currency"])
        case Kind.COUNT:
            return formats.count(value)
        case Kind.SHARE:
            return formats.share(value)
        case Kind.DAY:
            return formats.day(value)
        case Kind.MONTH:
            return formats.month(value)
        case Kind.INSTANT:
            return formats.instant(value)
        case Kind.CODE:
            return formats.count(None) if value in {None, ""} else words.code(column.codes or column.name, value)
        case Kind.YES:
            return words("flag.yes" if value else "flag.no")
        case Kind.REASON:
            return formats.count(None) if value in {None, ""} else said(value, words)
    return formats.count(None) if value is None or value == "" else str(value)


def as_csv(table: Table, rows: Rows, words: Words) -> str:
    """The table for a spreadsheet: headings in the reader's words, values plain, money in the currency's own unit.

    Text that a spreadsheet would read as a formula gets an apostrophe; numbers come from typed columns and stay so.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    has_money = any(column.kind in {Kind.MONEY, Kind.MEASURE} for column in table.columns)
    has_currency = any(column.name == "currency" for column in table.columns)
    names = [words(f"column.{column.name}") for column in table.columns]
    writer.writerow([*names, words("column.currency")] if has_money and not has_currency else names)
    for row in rows:
        cells = [_plain(column, row) for column in table.columns]
        writer.writerow([*cells, row["currency"]] if has_money and not has_currency else cells)
    return "\ufeff" + out.getvalue()  # the mark tells spreadsheets that it is UTF-8


def _plain(column: Column, row: dict[str, Any]) -> object:
    value = row[column.name]
    if value is None:
        return ""
    kind = Kind(row["unit_code"]) if column.kind is Kind.MEASURE else column.kind
    if kind is Kind.MONEY:
        return major(value, row["currency"])
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return safe_cell(str(value))
