"""Conservation, asked before a publication commits: what the facts of a date say of one another is equal.

The checks are the view ``bi.reconciliation``, which BI reads as well: one definition, read here inside the transaction
that has just put the date's facts in place. Whether staging holds what the lake holds is the audit's (``staging``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from arrears.errors import PublishAuditError

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

DIFFERENCES = text(
    "SELECT check_code, subject, expected, found FROM bi.reconciliation "
    "WHERE portfolio = :portfolio AND business_date = :business_date AND NOT is_equal ORDER BY check_code, subject"
)
MOST_SHOWN = 10
OF_WORKED_DAYS = {  # compare the day's measures with its assignment or plan
    "cases_assigned_or_not",
    "contacts_planned_or_blocked",
}


def check_conservation(connection: Connection, portfolio: str, business_date: date, *, is_history: bool) -> None:
    """Refuse a date whose facts do not sum to one another, to the minor unit.

    Args:
        connection: The transaction that publishes.
        portfolio: Folder name.
        business_date: The date.
        is_history: Whether its assignment and plan stay as they were worked, while its measures are restated: what
            compares the two is then not asked.

    Raises:
        PublishAuditError: Names each check with both figures; nothing of the publication stays.
    """
    day = {"portfolio": portfolio, "business_date": business_date}
    differences = list(connection.execute(DIFFERENCES, day))
    differences = [one for one in differences if not (is_history and one.check_code in OF_WORKED_DAYS)]
    if differences:
        shown = [
            f"{check}{f' of {subject}' if subject else ''}: {found}, not {expected}"
            for check, subject, expected, found in differences[:MOST_SHOWN]
        ]
        rest = len(differences) - len(shown)
        raise PublishAuditError(
            "; ".join(shown) + (f"; and {rest} more" if rest else ""),
            "facts that sum to one another (bi.reconciliation)",
            f"{portfolio} {business_date}",
        )
