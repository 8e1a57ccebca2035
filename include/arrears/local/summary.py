"""The figures a drive ends with, read from the ``bi`` views like any BI tool would.

Belongs here: which published figures are shown and how. Does not belong here: any figure of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from sqlalchemy import text

from arrears.warehouse.connection import transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

FIGURES = {
    "loans": "loans",
    "past_due_loans": "past due",
    "newly_overdue_loans": "newly overdue",
    "cured_loans": "cured",
    "open_cases": "cases open",
    "assigned_cases": "cases assigned",
    "contacts_planned": "contacts planned",
    "contacts_blocked": "contacts blocked",
    "rows_quarantined": "rows quarantined",
}
HASH_DIGITS = 12
SUMMARY = text("SELECT * FROM bi.daily_summary WHERE portfolio = :portfolio AND business_date = :business_date")
BLOCKED = text(
    "SELECT rule_id, citation, business_date, contacts, blocked_share FROM bi.contact_blocked_by_rule "
    "WHERE portfolio = :portfolio AND business_date = ANY(:dates) ORDER BY rule_id, citation, business_date"
)

BREACHES = text(
    "SELECT effect_code, rule_id, citation, business_date, COUNT(*) AS contacts FROM bi.contact_breach "
    "WHERE portfolio = :portfolio AND business_date = ANY(:dates) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
)


def published(url: str, portfolio: str, dates: Sequence[date]) -> dict[date, dict[str, Any]]:
    """The published summary of each date that has one.

    Raises:
        WarehouseUnreachableError: The warehouse did not answer.
    """
    with transaction(url) as connection:
        found = (
            connection.execute(SUMMARY, {"portfolio": portfolio, "business_date": day}).mappings().first()
            for day in dates
        )
        return {row["business_date"]: dict(row) for row in found if row is not None}


def summary_table(portfolio: str, days: dict[date, dict[str, Any]], before: dict[date, dict[str, Any]]) -> Table:
    """Figures down, dates across.

    Args:
        portfolio: Portfolio name.
        days: Published summaries by date.
        before: The same before the drive, to say whether a content hash has changed.
    """
    table = Table(title=f"{portfolio}: published", title_justify="left")
    table.add_column("business date")
    for day in days:
        table.add_column(str(day), justify="right")
    for column, words in FIGURES.items():
        table.add_row(words, *(f"{row[column]:,}" for row in days.values()))
    table.add_row("PAR30", *(_percent(row["par30_ratio"]) for row in days.values()))
    table.add_row("content hash", *(row["content_hash"][:HASH_DIGITS] for row in days.values()))
    table.add_row("  before", *(_comparison(day, row, before) for day, row in days.items()))
    return table


def blocked_table(url: str, portfolio: str, dates: Sequence[date]) -> Table:
    """Contacts blocked, by the rule that blocks them, and the share of all candidates that the rule stops.

    One contact counts under each of its rules; a candidate is a step's channel and contact point.
    """
    with transaction(url) as connection:
        rows = connection.execute(BLOCKED, {"portfolio": portfolio, "dates": list(dates)}).all()
    table = Table(
        title=f"{portfolio}: contacts blocked, and share of candidates stopped", title_justify="left", show_lines=True
    )
    cells = {
        (f"{row.rule_id}\n{row.citation}", row.business_date): f"{row.contacts:,} ({100 * row.blocked_share:.1f} %)"
        for row in rows
    }
    _fill(table, cells, dates)
    return table


def breach_table(url: str, portfolio: str, dates: Sequence[date]) -> Table:
    """Contacts that were made against a rule, by the day they became known: law first (deny), then rules of the house.

    One contact counts under each of its rules.
    """
    with transaction(url) as connection:
        rows = connection.execute(BREACHES, {"portfolio": portfolio, "dates": list(dates)}).all()
    table = Table(title=f"{portfolio}: contacts made against a rule", title_justify="left", show_lines=True)
    cells = {
        (f"{row.rule_id} ({row.effect_code})\n{row.citation}", row.business_date): f"{row.contacts:,}" for row in rows
    }
    _fill(table, cells, dates)
    return table


def _fill(table: Table, cells: dict[tuple[str, date], str], dates: Sequence[date]) -> None:
    """Rules down, in their order, dates across."""
    table.add_column("rule, and where it stands", overflow="fold")
    for day in dates:
        table.add_column(str(day), justify="right")
    for rule in dict.fromkeys(rule for rule, _ in cells):
        table.add_row(rule, *(cells.get((rule, day), "0") for day in dates))


def _percent(ratio: Any) -> str:  # noqa: ANN401  a Decimal, or None when nothing is outstanding
    return "-" if ratio is None else f"{100 * ratio:.2f} %"


def _comparison(day: date, row: dict[str, Any], before: dict[date, dict[str, Any]]) -> str:
    if day not in before:
        return "not published"
    return "the same" if before[day]["content_hash"] == row["content_hash"] else "CHANGED"
