"""The first gate: Great Expectations decides, on one row of figures per ledger table, whether the day goes on.

Belongs here: the profile (a few figures per table, no values of rows), its expectations (compiled from the
contract) and the decision. Sums are compared in SQL and asked for as differences, since the library compares floats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.contracts.model import ColumnType, Severity
from arrears.engine.duckdb import literal, quoted
from arrears.quality.gate import CRITICAL, WARNING, failures_of, great_expectations, new_context, refuse
from arrears.quality.offenders import is_orphan, rejected_of, repeats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import duckdb

    from arrears.contracts.model import Contract
    from arrears.lake import Manifest

Profile = dict[str, int | None]

FAR_DAYS = 100 * 366  # a ledger's dates lie within a century of its close: 0206-01-31 and 2206-01-31 are slips
CHANGE_PCT = 20  # our judgement: a book does not grow or shrink by a fifth overnight


def profile_of(  # noqa: PLR0913  a profile is its parts
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    extracted: Manifest,
    *,
    mapped: Sequence[str],
    closing_date: date,
    rows_before: int | None,
) -> Profile:
    """Figures of one table after its offenders were noted.

    Args:
        connection: Where ``extract__<noun>``, ``accepted__<noun>`` and ``offender`` are.
        contract: Of the ledger table.
        extracted: Manifest of the extract, whose rows and totals everything must add up to.
        mapped: Ledger tables that the portfolio maps.
        closing_date: Close of the ledger.
        rows_before: Rows extracted for the day before; None when there are none.

    Returns:
        By figure: ``rows``, ``accepted``, ``rejected``, ``warned``; ``unaccounted__rows`` and the same per total column
        (extracted less accepted less rejected); among accepted rows ``sum__<total>``, ``nulls__<column>``,
        ``repeats``, ``orphans__<column>``, ``days_back__<column>`` and ``days_ahead__<column>`` from the close;
        ``change_pct`` against the day before.
    """
    accepted = quoted(f"accepted__{contract.noun}")
    figures = {
        "rows": "count(*)",
        "accepted": "count(*) FILTER (is_accepted)",
        "rejected": "count(*) FILTER (NOT is_accepted)",
        "warned": f"(SELECT count(DISTINCT row_number) FROM offender WHERE table_name = {literal(contract.table)} "
        f"AND severity_code = {literal(Severity.WARN.value)})",
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
    return {**profile, "repeats": repeats(connection, f"accepted__{contract.noun}", contract.key)}


def decide_on_profiles(
    profiles: Mapping[str, Profile], contracts: Mapping[str, Contract], where: str
) -> dict[str, Any]:
    """Ask every table's profile, all in one context.

    Returns:
        Tables and expectations asked, and the warnings by table and expectation; no value.

    Raises:
        QualityGateError: A critical expectation failed.
    """
    import pandas as pd  # noqa: PLC0415  half a second, needed by this gate only

    source = new_context().data_sources.add_pandas("profiles")
    failures, asked = [], 0
    for table, profile in profiles.items():
        frame = pd.DataFrame([profile])
        suite = suite_of(contracts[table], profile)
        batch = source.add_dataframe_asset(table).add_batch_definition_whole_dataframe("profile")
        failures += failures_of(table, batch.get_batch({"dataframe": frame}), suite)
        asked += len(suite.expectations)
    refuse(failures, "every critical expectation of the ledger to hold", where)
    return {
        "tables": len(profiles),
        "expectations": asked,
        "warnings": [f"{failure.table}: {failure.words}" for failure in failures],
    }


def suite_of(contract: Contract, profile: Profile) -> Any:  # noqa: ANN401  the library is imported late
    """What a profile of the table must look like; severity ``critical`` stops the day, ``warning`` is told."""
    between = great_expectations().expectations.ExpectColumnValuesToBeBetween

    def expect(figure: str, lowest: int | None, highest: int | None, severity: str) -> Any:  # noqa: ANN401  the library's
        return between(column=figure, min_value=lowest, max_value=highest, severity=severity)

    told = [expect("accepted", 0 if contract.may_be_empty else 1, None, CRITICAL), expect("warned", None, 0, WARNING)]
    for figure in profile:
        kind = figure.partition("__")[0]
        if kind in ("nulls", "repeats", "orphans", "unaccounted"):
            told.append(expect(figure, 0, 0, CRITICAL))
        elif kind in ("days_back", "days_ahead"):
            told.append(expect(figure, -FAR_DAYS, FAR_DAYS, WARNING))
        elif kind == "change_pct" and contract.required:
            told.append(expect(figure, -CHANGE_PCT, CHANGE_PCT, WARNING))
    return great_expectations().ExpectationSuite(contract.table, expectations=told)
