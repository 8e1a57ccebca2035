"""What must hold of the counts before Great Expectations is asked, each with an error of its own.

Belongs here: tables that may not be empty, the portfolio's reject limit, the source's control totals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.contracts.ledger import CONTROL_TOTAL
from arrears.contracts.model import Severity
from arrears.engine.duckdb import literal
from arrears.errors import ControlTotalError, EmptyTableError, RejectLimitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from arrears.contracts.model import Contract
    from arrears.lake import Manifest
    from arrears.quality.profile import Profile

MOST_FREQUENT = 3


def check_not_empty(contracts: Sequence[Contract], profiles: Mapping[str, Profile], where: str) -> None:
    """Refuse an extract without rows where its table may not be empty.

    Raises:
        EmptyTableError: Names every such table.
    """
    empty = [c.table for c in contracts if not c.may_be_empty and not profiles[c.table]["rows"]]
    if empty:
        raise EmptyTableError(f"no row in {', '.join(empty)}", "at least one row", where)


def check_reject_limit(
    connection: duckdb.DuckDBPyConnection, profiles: Mapping[str, Profile], limit_pct: float, where: str
) -> None:
    """Refuse a day of which too large a share of a table was rejected.

    Raises:
        RejectLimitError: Names each such table with its counts, most frequent rules and first offender's place.
    """
    over = []
    for table, profile in profiles.items():
        rows, rejected = profile["rows"] or 0, profile["rejected"] or 0
        if 100 * rejected > limit_pct * rows:
            over.append(f"{rejected} of {rows} rows of {table} ({_offenders_in_words(connection, table)})")
    if over:
        raise RejectLimitError("rejected " + "; ".join(over), f"at most {limit_pct:g} % of each table", where)


def check_control_totals(
    connection: duckdb.DuckDBPyConnection, profile: Profile, extracted: Mapping[str, Manifest], where: str
) -> int:
    """Compare what the source says it delivered with what was extracted, before anything was rejected.

    Args:
        connection: Where ``accepted__control_total`` is.
        profile: Of the control totals themselves.
        extracted: Manifests of the extracts by ledger table.
        where: For errors.

    Returns:
        Totals compared.

    Raises:
        ControlTotalError: A control total is unreadable, is of nothing extracted, or differs; by table and measure.
    """
    if profile["rejected"]:
        raise ControlTotalError(
            f"{profile['rejected']} unreadable control totals ({_offenders_in_words(connection, CONTROL_TOTAL.table)})",
            "table_name, measure_code and amount, each pair once",
            where,
        )
    said: list[tuple[str, str, int]] = connection.execute(
        "SELECT table_name, measure_code, amount FROM accepted__control_total ORDER BY table_name, measure_code"
    ).fetchall()
    found, expected = [], []
    for noun, measure, amount in said:
        manifest = extracted.get(f"raw__{noun}")
        ours = {"rows": manifest.rows, **manifest.totals}.get(measure) if manifest else None
        if ours != amount:
            found.append(f"{noun} {measure} {'not extracted' if ours is None else ours}")
            expected.append(f"{noun} {measure} {amount}")
    if found:
        raise ControlTotalError("; ".join(found), "; ".join(expected), where)
    return len(said)


def _offenders_in_words(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """The most frequent rules of a table with their columns and counts, and the first offender's place; no value."""
    fatal = f"FROM offender WHERE table_name = {literal(table)} AND severity_code = {literal(Severity.FAIL.value)}"
    rules = connection.execute(
        f"SELECT trim(rule_id || ' ' || column_name), count(*) AS n {fatal} GROUP BY ALL "
        f"ORDER BY n DESC, 1 LIMIT {MOST_FREQUENT}"
    ).fetchall()
    file, line = connection.execute(
        f"SELECT source_file, source_line {fatal} ORDER BY source_file, source_line, row_number LIMIT 1"
    ).fetchall()[0]
    return f"{', '.join(f'{rule}: {count}' for rule, count in rules)}; first in {file} line {line}"
