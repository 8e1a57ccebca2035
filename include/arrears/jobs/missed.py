"""Steps of a day that is over which surely reached nobody: nobody ran it in its time, or sent, or the provider refused.

Belongs here: what was left. Which of it is still worth taking follows from ``contact.paths``, and the outbox itself
keeps a step from being taken twice (``docs/adr/0024``).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from arrears.engine.duckdb import select_text
from arrears.rules.hours import day_bounds
from arrears.warehouse.given_out import unreached, was_released_before

if TYPE_CHECKING:
    from datetime import date

    from arrears.jobs.day import Work


def cut_at(work: Work) -> datetime:
    """Until when the day knows; its first instant where no extract says."""
    start, _ = day_bounds(work.day.business_date, work.day.folder.portfolio.zone)
    return datetime.fromisoformat(work.known_until) if work.known_until else start


STEP = pa.schema([("step_key", pa.string())])


def read_waiting_steps(work: Work, compared_with: date | None) -> int:
    """Make ``previous__waiting``: what the day compared with found blocked, or planned in vain.

    Before a portfolio's plan was released for the first time, nothing is missed: history is planned and never sent, and
    whoever collected until then has taken its steps. The outbox is looked at as it stood when the day was cut, so a
    rerun finds the same.

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
        missed = unreached(day.settings.warehouse, keys, cut_at(work))
    work.connection.register("missed_step", pa.table({"step_key": missed}, schema=STEP))
    work.connection.execute(f"CREATE OR REPLACE VIEW previous__waiting AS {select_text('read__waiting_step')}")
    return unplanned_days
