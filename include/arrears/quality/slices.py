"""Slices: the loans of one product, judged by themselves, so that what failed or stopped in part stops contact in part.

Belongs here: a slice's figures, and noting the loans of one that cannot be relied on. A feed that broke for one product
leaves rows with nothing wrong in them: people who have paid look late. How far is too far the portfolio says, and
``sql/out__data_quality_daily.sql`` decides, beside the same weekdays before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.contracts.model import Severity
from arrears.contracts.raw_loans import OPEN_STATUSES
from arrears.engine.duckdb import literal, select_text
from arrears.quality.trend import SLICE_LAG, SLICE_VOLUME, TABLE, register_figures

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import duckdb

LOAN, TRANSACTION = "raw__loan", "raw__transaction"
ROWS, NEWEST = "slice_rows", "slice_newest_days"
FAILED, STALE = "slice_failed", "slice_stale"  # rules of the rows that are held
HOLDS = "holds"


def slice_figures(
    connection: duckdb.DuckDBPyConnection, judged: Collection[str], parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Figures of every slice: rows of loans and transactions, and days from its newest transaction to the close.

    Args:
        connection: Where ``accepted__<noun>`` are.
        judged: Ledger tables that the portfolio maps.
        parameters: ``closing_date`` among them.

    Returns:
        Rows as ``quality_figure`` has them.
    """
    figures: list[dict[str, Any]] = []
    if LOAN in judged:
        counted = "SELECT product_code, count(*) FROM accepted__loan GROUP BY product_code ORDER BY product_code"
        for product, rows in connection.execute(counted).fetchall():
            figures.append(_figure(LOAN, ROWS, product, rows, SLICE_VOLUME))
    if {LOAN, TRANSACTION} <= set(judged):
        counted = (
            "SELECT product_code, count(t.loan_id), greatest(0, $closing_date - max(t.effective_on)) "
            "FROM accepted__loan AS loan LEFT JOIN accepted__transaction AS t ON loan.loan_id = t.loan_id "
            "GROUP BY product_code ORDER BY product_code"
        )
        for product, rows, newest in connection.execute(
            counted, {"closing_date": parameters["closing_date"]}
        ).fetchall():
            figures.append(_figure(TRANSACTION, ROWS, product, rows, SLICE_VOLUME))
            figures.append(_figure(TRANSACTION, NEWEST, product, newest, SLICE_LAG))
    return figures


def note_slices(
    connection: duckdb.DuckDBPyConnection, figures: list[dict[str, Any]], limits: Mapping[str, Any]
) -> None:
    """Note every open loan of a slice that failed or is stale as held: its case hears nothing, all others go on.

    Args:
        connection: Where ``accepted__loan``, ``offender`` and ``quality_before`` are.
        figures: Of the slices.
        limits: The portfolio's ``quality``.
    """
    if not figures:
        return
    register_figures(connection, figures)
    connection.execute(f"CREATE OR REPLACE TABLE slice_verdict AS {select_text(TABLE)}", dict(limits))
    product = "profile_code = {kind} || '__' || loan.product_code"
    of_loan = " OR ".join(product.format(kind=literal(kind)) for kind in (ROWS, NEWEST))
    connection.execute(
        f"INSERT INTO offender SELECT DISTINCT {literal(LOAN)}, loan.row_number, loan.source_file, loan.source_line, "
        f"'product_code', CASE WHEN starts_with(profile_code, {literal(NEWEST)}) THEN {literal(STALE)} "
        f"ELSE {literal(FAILED)} END, {literal(Severity.HOLD.value)} "
        f"FROM accepted__loan AS loan JOIN slice_verdict ON verdict_code = {literal(HOLDS)} AND ({of_loan}) "
        f"WHERE loan.status_code IN ({', '.join(map(literal, OPEN_STATUSES))})"
    )


def _figure(table: str, kind: str, product: str, value: int | None, compared_by: str) -> dict[str, Any]:
    return {
        "table_name": table,
        "profile_code": f"{kind}__{product}",
        "profile_value": value,
        "compared_by": compared_by,
        "is_required": False,
    }
