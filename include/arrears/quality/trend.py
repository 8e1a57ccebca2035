"""A day's ledger tables beside those of the same weekday before: volume, rejects, sums, how new the newest row is.

Belongs here: which figures of a profile are followed, and what stops the day. How far is too far: the portfolio says
it, and ``sql/out__data_quality_daily.sql`` decides.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.engine.duckdb import literal, view_of_files
from arrears.errors import QualityGateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    import duckdb

    from arrears.contracts.model import Contract
    from arrears.lake import Lake, PartitionKey
    from arrears.quality.profile import Profile

TABLE = "out__data_quality_daily"
WEEKS = 8
VOLUME, COUNT, LAG, NONE = "volume", "count", "lag", "none"
SLICE_VOLUME, SLICE_LAG = "slice_volume", "slice_lag"  # of one product; see ``slices``
COMPARED_BY = {"rows": VOLUME, "accepted": VOLUME, "sum": VOLUME, "rejected": COUNT, "warned": COUNT, "held": COUNT}
NEWEST = "newest_days"
NOT_FOLLOWED = {"change_pct"}  # is there or not as the day before is: what is published hangs on no order of runs
DATED_BY = {"transaction": "days_ahead__effective_on"}  # the column that says how new a table's newest row is
NUMBERS = pa.schema(
    [
        ("table_name", pa.string()),
        ("profile_code", pa.string()),
        ("profile_value", pa.int64()),
        ("compared_by", pa.string()),
        ("is_required", pa.bool_()),
    ]
)
LARGEST = 2**63 - 1


def same_weekdays(business_date: date) -> list[date]:
    """The last eight, newest first."""
    return [business_date - timedelta(weeks=week) for week in range(1, WEEKS + 1)]


def make_before_view(connection: duckdb.DuckDBPyConnection, lake: Lake, earlier: list[PartitionKey]) -> None:
    """Make ``quality_before``: figures of the days that the day is compared with.

    Args:
        connection: Where it is made.
        lake: Where earlier figures lie.
        earlier: Their partitions; those that are not there, or not as they were written, are left out.
    """
    there = [key for key in earlier if lake.intact(key) is not None]
    if there:
        view_of_files(connection, "quality_before", [path for key in there for path in lake.paths(key)])
    else:
        connection.register("quality_before", NUMBERS.empty_table())


def profile_figures(profiles: Mapping[str, Profile], contracts: Mapping[str, Contract]) -> list[dict[str, Any]]:
    """Figures of the day's ledger tables, as ``quality_figure`` has them; both by ledger table."""
    return [row for table, profile in profiles.items() for row in _figures(contracts[table], profile)]


def register_figures(connection: duckdb.DuckDBPyConnection, figures: list[dict[str, Any]]) -> None:
    """Make ``quality_figure``, in the place of the one before."""
    connection.register("quality_figure", pa.Table.from_pylist(figures, schema=NUMBERS))


def refuse_collapse(connection: duckdb.DuckDBPyConnection, where: str) -> None:
    """Refuse a day of which a table that every portfolio delivers has collapsed.

    Args:
        connection: Where ``out__data_quality_daily`` is.
        where: For the error.

    Raises:
        QualityGateError: Names each such table with its rows and those of the same weekdays.
    """
    found = connection.execute(
        f"SELECT table_name, profile_value, median_value FROM {TABLE} "
        f"WHERE verdict_code = {literal('stops')} ORDER BY table_name"
    ).fetchall()
    if found:
        raise QualityGateError(
            "; ".join(f"{table}: {rows} rows, {median} on the same weekdays before" for table, rows, median in found),
            "a ledger that has not collapsed (quality.stop_below_pct)",
            where,
        )


def _figures(contract: Contract, profile: Profile) -> Iterator[dict[str, Any]]:
    followed = {name: COMPARED_BY.get(name.partition("__")[0], NONE) for name in profile}
    values = {name: value for name, value in profile.items() if name not in NOT_FOLLOWED}
    ahead = profile.get(DATED_BY.get(contract.noun, ""))
    if ahead is not None:
        values[NEWEST], followed[NEWEST] = max(0, -ahead), LAG
    for name, value in values.items():
        yield {
            "table_name": contract.table,
            "profile_code": name,
            "profile_value": None if value is None or abs(value) > LARGEST else value,
            "compared_by": followed[name],
            "is_required": contract.required,
        }
