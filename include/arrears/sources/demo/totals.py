"""What the source states about its own books at each close, for the reconciliation of every extract.

Belongs here: sums by day over whole tables as they are delivered, mistakes included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from arrears.sources.demo.columns import days, instants, texts
from arrears.sources.demo.schema import TABLES

if TYPE_CHECKING:
    import numpy.typing as npt

    from arrears.sources.demo.calendar import Calendar, Days

MEASURES = (
    ("loan", "rows"),
    ("loan", "principal_minor"),
    ("loan", "outstanding_principal_minor"),
    ("instalment", "rows"),
    ("instalment", "principal_minor"),
    ("instalment", "interest_minor"),
    ("instalment", "fee_minor"),
    ("instalment", "penalty_minor"),
    ("transaction", "rows"),
    ("transaction", "amount_minor"),
)
CLOSED_AT_SECOND = 86_400 + 1_800  # half past midnight of the next day


class Totals:
    """Sums over chunks, by day.

    Args:
        calendar: The days of the world.
    """

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._days = np.arange(calendar.first, calendar.end + 1, dtype=np.int32)
        self._changes = {measure: np.zeros(len(self._days), dtype=np.int64) for measure in MEASURES}

    def add(self, tables: dict[str, pa.Table]) -> None:
        """Count one chunk's tables."""
        loans, states = tables["loan_account"], tables["loan_state"]
        granted = _numbers(loans["disbursed_on"])
        self._count("loan", "rows", granted, np.ones(len(granted), dtype=np.int64))
        self._count("loan", "principal_minor", granted, loans["principal_minor"].to_numpy())
        balance = states["outstanding_principal_minor"].to_numpy()
        loan = states["loan_no"].combine_chunks().dictionary_encode().indices.to_numpy()
        carried = np.concatenate([[0], np.where(loan[1:] == loan[:-1], balance[:-1], 0)])
        self._count("loan", "outstanding_principal_minor", _numbers(states["valid_from"]), balance - carried)

        schedule, penalties = tables["repayment_plan"], tables["penalty"]
        known = _numbers(schedule["known_on"])
        self._count("instalment", "rows", known, np.ones(len(known), dtype=np.int64))
        for measure in ("principal_minor", "interest_minor", "fee_minor"):
            self._count("instalment", measure, known, schedule[measure].to_numpy())
        assessed = _numbers(penalties["assessed_on"])
        self._count("instalment", "penalty_minor", assessed, penalties["amount_minor"].to_numpy())

        postings = tables["posting"]
        known = np.maximum(_numbers(postings["effective_on"]), _numbers(postings["booked_on"]))
        self._count("transaction", "rows", known, np.ones(len(known), dtype=np.int64))
        self._count("transaction", "amount_minor", known, postings["amount_minor"].to_numpy())

    def _count(self, table: str, measure: str, day: Days, amount: npt.NDArray[np.int64]) -> None:
        known = day <= self._days[-1]
        np.add.at(self._changes[table, measure], day[known] - self._days[0], amount[known])

    def tables(self) -> dict[str, pa.Table]:
        """``control_total`` and ``daily_close``: one close per day of the world."""
        size = len(self._days)
        control = pa.Table.from_arrays(
            [
                days(np.tile(self._days, len(MEASURES))),
                texts(np.repeat([table for table, _ in MEASURES], size)),
                texts(np.repeat([measure for _, measure in MEASURES], size)),
                pa.array(np.concatenate([np.cumsum(self._changes[measure]) for measure in MEASURES])),
            ],
            schema=TABLES["control_total"].arrow,
        )
        close = pa.Table.from_arrays(
            [days(self._days), instants(self._calendar, self._days, np.full(size, CLOSED_AT_SECOND))],
            schema=TABLES["daily_close"].arrow,
        )
        return {"control_total": control, "daily_close": close}


def _numbers(column: pa.ChunkedArray) -> Days:
    numbers: Days = column.cast(pa.int32()).to_numpy()
    return numbers
