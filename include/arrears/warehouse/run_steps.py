"""Rows in and out of each step of a run: written while it works and when it has ended, read by the day report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert as upsert

from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import RUN_STEP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

KEY = [column.name for column in RUN_STEP.primary_key]
MOVING = [column.name for column in RUN_STEP.columns if column.name not in KEY]


@dataclass(frozen=True)
class StepRows:
    """Rows of one table that a task has read or written.

    Attributes:
        table_name: Table of the lake, or fact of the warehouse.
        direction_code: ``in`` or ``out``.
        rows: Rows, so far while ``is_done`` is false.
        rejected: Rows set aside; None where nothing is judged.
        is_done: Whether the task has ended with them.
        content_hash: Of the lake partition; None until done.
        seconds: What the whole task took; None until done.
    """

    table_name: str
    direction_code: str
    rows: int
    rejected: int | None = None
    is_done: bool = True
    content_hash: str | None = None
    seconds: int | None = None


def note(  # noqa: PLR0913, PLR0917  a step is its parts
    url: str, portfolio: str, business_date: date, run_ref: str, task: str, rows: Sequence[StepRows]
) -> None:
    """Write what a task has read and written; a later try of it replaces the figures.

    Raises:
        WarehouseUnreachableError: The server did not answer.
        WarehouseSchemaError: The warehouse is of another version.
    """
    if not rows:
        return
    place = {"portfolio": portfolio, "business_date": business_date, "run_ref": run_ref, "task": task}
    said = upsert(RUN_STEP).values([{**place, **asdict(row), "at": func.clock_timestamp()} for row in rows])
    with transaction(url) as connection:
        connection.execute(
            said.on_conflict_do_update(index_elements=KEY, set_={name: said.excluded[name] for name in MOVING})
        )
