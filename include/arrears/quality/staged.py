"""The second gate: Great Expectations decides, on figures counted in staging, whether staged rows may be published.

Belongs here: what a staged fact must be, compiled from its contract, and the decision. Whether staging holds what the
lake holds is the audit's (``arrears.warehouse.staging``).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from arrears.quality.gate import Expected, Figure, decide
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import EVERY_ROW, FACTS, STG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Select

    from arrears.contracts.model import Contract


def decide_on_staged(url: str, publication_id: str, portfolio: str, rows: Mapping[str, int]) -> None:
    """Refuse staged rows that are not what their contracts promise.

    Args:
        url: The warehouse.
        publication_id: Whose rows; what others have staged is not looked at.
        portfolio: The one portfolio they are of.
        rows: Row count by lake table, from the lake.

    Raises:
        QualityGateError: Names every fact and figure that is not as expected, and no value.
        WarehouseUnreachableError: The server did not answer.
        WarehouseSchemaError: A column is not there.
    """
    figures = []
    with transaction(url) as connection:
        for contract in FACTS:
            asked = {"publication_id": publication_id, "portfolio": portfolio, "expected_rows": rows[contract.table]}
            found = connection.execute(offences(contract), asked).mappings().one()
            figures += [Figure(contract.mart, name, Expected.ZERO, value) for name, value in found.items()]
            if may_not_be_empty(contract):
                figures.append(Figure(contract.mart, "rows", Expected.AT_LEAST_1, rows[contract.table]))
    decide(figures, "every expectation of the staged facts to hold", publication_id)


def may_not_be_empty(contract: Contract) -> bool:
    """Whether a fact always has a row."""
    return not contract.may_be_empty and contract.mart_rows == EVERY_ROW


@cache
def offences(contract: Contract) -> Select[Any]:
    """SELECT of one row: the figures of one publication's staged rows that must be 0.

    ``difference__rows`` from ``:expected_rows``, ``repeats`` of the key, ``others__portfolio`` than ``:portfolio``, and
    ``outside__<column>`` of each closed list.
    """
    table = STG[contract.table]
    key = [table.c[name] for name in ("portfolio", "business_date", *contract.key)]
    outside = [
        func.count().filter(table.c[column.name].not_in(column.codes)).label(f"outside__{column.name}")
        for column in contract.columns
        if column.codes
    ]
    figures: list[ColumnElement[Any]] = [
        (func.count() - bindparam("expected_rows")).label("difference__rows"),
        (func.count() - func.count(func.row(*key).distinct())).label("repeats"),
        func.count().filter(table.c.portfolio != bindparam("portfolio")).label("others__portfolio"),
        *outside,
    ]
    return select(*figures).where(table.c.publication_id == bindparam("publication_id"))
