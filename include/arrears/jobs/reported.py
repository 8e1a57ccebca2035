"""What the ledger says, and what was reported by the time the day was cut: the strictest of both holds.

Belongs here: folding reports into the ledger's own tables, so that every rule that reads flags, points or contacts sees
them. A day made again folds the same reports (``arrears.warehouse.feedback_known``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.engine.duckdb import select_text
from arrears.warehouse.feedback_known import SHAPE, known_feedback

if TYPE_CHECKING:
    import pyarrow as pa

    from arrears.jobs.day import Work

NEEDS = {
    "flag": ("feedback_flag", "feedback_payment"),
    "contact": ("feedback_contact",),
    "contact_point": ("feedback_flag",),
}


def reported(work: Work, view: str, *, known_until: str | None = None) -> pa.Table:
    """Rows of ``ops.<view>`` as known when the day was cut, or at another instant; none without a warehouse."""
    settings, cut = work.day.settings, work.known_until if known_until is None else known_until
    if settings.warehouse_url is None or not cut:
        return SHAPE[view].empty_table()
    return known_feedback(settings.warehouse, work.day.name, view, cut)


def read_with_reports(work: Work, *nouns: str) -> dict[str, bool]:
    """Make ``raw__<noun>`` readable with what was reported beside it.

    Args:
        work: The job's.
        nouns: Of ``NEEDS``.

    Returns:
        By table, whether the portfolio delivers it: reports alone are no knowledge of all that there was.

    Raises:
        WarehouseUnreachableError: There is a warehouse, and it did not answer.
    """
    found: dict[str, pa.Table] = {}
    known = {}
    for noun in nouns:
        for view in NEEDS[noun]:
            if view not in found:
                found[view] = reported(work, view)
                work.connection.register(view, found[view])
        table = f"raw__{noun}"
        is_delivered = work.read_optional(table)
        known[table] = is_delivered
        if any(found[view].num_rows for view in NEEDS[noun]):
            work.read_optional(table, view=f"ledger__{noun}")
            own = {"portfolio": work.day.name, "business_date": work.day.business_date}
            statement = select_text(f"fold__{noun}")
            bound = {name: value for name, value in own.items() if f"${name}" in statement}
            # A table, not a view: parameters cannot be bound in one, and reports are few beside the ledger's flags.
            work.connection.execute(f"DROP VIEW IF EXISTS {table}")
            work.connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {statement}", bound or None)
    return known
