"""The second gate: Great Expectations decides, as SQL in the warehouse, whether staged rows may be published.

Belongs here: the expectations of a fact, compiled from its contract, and the decision. Whether staging holds what the
lake holds is the audit's (``arrears.warehouse.staging``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.contracts.model import STANDARD_COLUMNS
from arrears.quality.gate import Failure, failures_of, great_expectations, new_context, refuse
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import EVERY_ROW, FACTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arrears.contracts.model import Contract


def decide_on_staged(url: str, publication_id: str, portfolio: str, rows: Mapping[str, int]) -> None:
    """Refuse staged rows that are not what their contracts promise.

    Args:
        url: The warehouse.
        publication_id: Whose rows; what others have staged is not looked at.
        portfolio: The one portfolio they are of.
        rows: Row count by lake table, from the lake.

    Raises:
        QualityGateError: Names every fact and expectation that failed, and no value.
        WarehouseUnreachableError: The server did not answer.
    """
    with transaction(url):
        pass  # an unreachable server is told here: Great Expectations would quote the URL
    source = new_context().data_sources.add_postgres("warehouse", connection_string=url)
    failures: list[Failure] = []
    try:
        for contract in FACTS:
            query = f"SELECT * FROM stg.{contract.mart} WHERE publication_id = '{publication_id}'"
            batch = source.add_query_asset(contract.mart, query=query).add_batch_definition_whole_table("all")
            suite = suite_of(contract, portfolio, rows[contract.table])
            failures += failures_of(contract.mart, batch.get_batch(), suite)
    finally:
        source.get_engine().dispose()
    refuse(failures, "every expectation of the staged facts to hold", publication_id)


def suite_of(contract: Contract, portfolio: str, rows: int) -> Any:  # noqa: ANN401  a class of the library
    """What one fact must be: its rows, its key, its one portfolio, its closed lists. All are critical."""
    library = great_expectations().expectations
    key = [column.name for column in STANDARD_COLUMNS] + list(contract.key)
    expected = [
        library.ExpectTableRowCountToEqual(value=rows),
        library.ExpectCompoundColumnsToBeUnique(column_list=key),
        library.ExpectColumnValuesToBeInSet(column="portfolio", value_set=[portfolio]),
        *(
            library.ExpectColumnValuesToBeInSet(column=column.name, value_set=list(column.codes))
            for column in contract.columns
            if column.codes
        ),
    ]
    if not contract.may_be_empty and contract.mart_rows == EVERY_ROW:
        expected.append(library.ExpectTableRowCountToBeBetween(min_value=1))
    return great_expectations().ExpectationSuite(contract.mart, expectations=expected)
