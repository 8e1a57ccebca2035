"""Steps whose day passed without anybody being able to take them: the day was not run on its own date, or ran too late.

Belongs here: what the portfolio's outbox never saw. Which of it is still worth taking follows from ``contact.paths``,
and the outbox itself keeps a step from being taken twice (``docs/adr/0024``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from arrears.engine.duckdb import select_text
from arrears.warehouse.given_out import never_given_out, was_released_before

if TYPE_CHECKING:
    from datetime import date

    from arrears.jobs.day import Work

STEP = pa.schema([("step_key", pa.string())])


def read_waiting_steps(work: Work, compared_with: date | None) -> int:
    """Make ``previous__waiting``: what the day compared with planned or found blocked, and nobody was told to do.

    Before a portfolio's plan was released for the first time, nothing is missed: history is planned and never sent, and
    whoever collected until then has taken its steps. What an earlier date did not release, it never will, so a rerun
    finds the same.

    Args:
        work: With ``previous__plan``.
        compared_with: The day that it is of.

    Returns:
        Days between the two of which nobody made a plan.

    Raises:
        WarehouseUnreachableError: There is a warehouse, and it did not answer.
    """
    day, missed, unplanned_days = work.day, [], 0
    is_live = (
        compared_with is not None
        and day.settings.warehouse_url is not None
        and was_released_before(day.settings.warehouse, day.name, day.business_date)
    )
    if compared_with is not None and is_live:
        unplanned_days = (day.business_date - compared_with).days - 1
        planned = work.connection.execute("SELECT step_key FROM previous__plan WHERE state_code = 'planned'").fetchall()
        keys = [key for (key,) in planned]
        missed = never_given_out(day.settings.warehouse, day.business_date, keys)
    work.connection.register("missed_step", pa.table({"step_key": missed}, schema=STEP))
    work.connection.execute(f"CREATE VIEW previous__waiting AS {select_text('read__waiting_step')}")
    return unplanned_days
