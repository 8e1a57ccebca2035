"""The first gate: Great Expectations decides, on a few figures per ledger table, whether the day goes on.

Belongs here: the profile (figures of a table, no values of rows), what each must be (compiled from the contract) and
the decision. Sums are compared in SQL and asked for as differences, since the library compares floats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.contracts.model import ColumnType, Severity
from arrears.engine.duckdb import literal, quoted
from arrears.quality.gate import Expected, Figure, decide
from arrears.quality.offenders import is_orphan, rejected_of, repeats

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    import duckdb

    from arrears.contracts.model import Contract
    from arrears.lake import Manifest

Profile = dict[str, int | None]


def profile_of(  # noqa: PLR0913  a profile is its parts
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    extracted: Manifest,
    *,
    mapped: Sequence[str],
    closing_date: date,
    rows_before: int | None,
    repeated: int,
) -> Profile:
    """Figures of one table after its offenders were noted.

    Args:
        connection: Where ``extract__<noun>``, ``accepted__<noun>`` and ``offender`` are.
        contract: Of the ledger table.
        extracted: Manifest of the extract, whose rows and totals everything must add up to.
        mapped: Ledger tables that the portfolio maps.
        closing_date: Close of the ledger.
        rows_before: Rows extracted for the day before; None when there are none.
        repeated: Extracted rows beyond the first of their key: where there are none, no part of them has any.

    Returns:
        By figure: ``rows``, ``accepted``, ``rejected``, ``warned`` and, of these, ``held``; ``unaccounted__rows`` and
        the same per total column (extracted less accepted less rejected); among accepted rows ``sum__<total>``,
        ``nulls__<column>``, ``repeats``, ``orphans__<column>``, ``days_back__<column>`` and ``days_ahead__<column>``
        from the close; ``change_pct`` against the day before.
    """
    accepted = quoted(f"accepted__{contract.noun}")
    figures = {
        "rows": "count(*)",
        "accepted": "count(*) FILTER (is_accepted)",
        "rejected": "count(*) FILTER (NOT is_accepted)",
        "warned": f"(SELECT count(DISTINCT row_number) FROM offender WHERE table_name = {literal(contract.table)} "
        f"AND severity_code <> {literal(Severity.FAIL.value)})",
        "held": f"(SELECT count(DISTINCT row_number) FROM offender WHERE table_name = {literal(contract.table)} "
        f"AND severity_code = {literal(Severity.HOLD.value)})",
        "unaccounted__rows": f"{extracted.rows} - accepted - rejected",
    }
    for total in contract.totals:
        figures[f"sum__{total}"] = f"coalesce(sum({quoted(total)}) FILTER (is_accepted), 0)"
        rest = f"coalesce(sum({quoted(total)}) FILTER (NOT is_accepted), 0)"
        figures[f"unaccounted__{total}"] = f"{extracted.totals[total]} - {quoted(f'sum__{total}')} - {rest}"
    for reference in contract.references:
        if reference.table in mapped:
            orphans = f"(SELECT count(*) FROM {accepted} AS child WHERE {is_orphan(reference)})"
            figures[f"orphans__{reference.columns[0]}"] = orphans
    for column in contract.columns:
        name = quoted(column.name)
        if not column.nullable:
            figures[f"nulls__{column.name}"] = f"count(*) FILTER (is_accepted AND {name} IS NULL)"
        if column.type is ColumnType.DATE:
            figures[f"days_back__{column.name}"] = f"$closing_date - min({name}) FILTER (is_accepted)"
            figures[f"days_ahead__{column.name}"] = f"max({name}) FILTER (is_accepted) - $closing_date"
    if rows_before:
        figures["change_pct"] = f"100 * (count(*) - {rows_before}) // {rows_before}"
    selected = ", ".join(f"CAST({figure} AS HUGEINT) AS {quoted(name)}" for name, figure in figures.items())
    statement = (
        f"SELECT {selected} FROM (SELECT *, row_number NOT IN ({rejected_of(contract)}) AS is_accepted "
        f"FROM {quoted(f'extract__{contract.noun}')})"
    )
    values = connection.execute(statement, {"closing_date": closing_date} if "$closing_date" in statement else {})
    profile: Profile = dict(zip(figures, values.fetchall()[0], strict=True))
    left = repeats(connection, f"accepted__{contract.noun}", contract.key) if repeated else 0
    return {**profile, "repeats": left}


def decide_on_profiles(
    profiles: Mapping[str, Profile], contracts: Mapping[str, Contract], where: str
) -> dict[str, Any]:
    """Judge every figure of every table, all in one batch.

    Returns:
        Tables and figures judged, and the warnings by table and figure; no value of a row.

    Raises:
        QualityGateError: A critical expectation failed.
    """
    figures = [figure for table, profile in profiles.items() for figure in figures_of(contracts[table], profile)]
    warnings = decide(figures, "every critical expectation of the ledger to hold", where)
    return {"tables": len(profiles), "expectations": len(figures), "warnings": warnings}


def figures_of(contract: Contract, profile: Profile) -> Iterator[Figure]:
    """Every figure of a table's profile that must be something; sums are not asked for, the library has floats only."""

    def figure(name: str, expected: Expected) -> Figure:
        return Figure(contract.table, name, expected, profile.get(name))

    yield figure("accepted", Expected.AT_LEAST_0 if contract.may_be_empty else Expected.AT_LEAST_1)
    yield figure("warned", Expected.NO_WARNING)
    for name in profile:
        kind = name.partition("__")[0]
        if kind in ("nulls", "repeats", "orphans", "unaccounted"):
            yield figure(name, Expected.ZERO)
        elif kind in ("days_back", "days_ahead"):
            yield figure(name, Expected.NEAR)
        elif kind == "change_pct" and contract.required:
            yield figure(name, Expected.STEADY)
