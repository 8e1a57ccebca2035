"""The ``bi`` views in DuckDB: the text that PostgreSQL runs, over facts read from the lake.

Two engines that agree on every figure are a check of both, and a reader of the lake needs no warehouse. Views that ask
PostgreSQL about itself, or its vault, are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.engine.duckdb import quoted
from arrears.warehouse.bi import views
from arrears.warehouse.tables import FACTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb
    import pyarrow as pa

# DuckDB divides to a DOUBLE, whose nearest value to a tie may lie below it: 3 / 20,000 would be 0.0001, not 0.0002.
HALF_UP = (
    "CREATE MACRO bi.half_up"
    "(ratio) AS ROUND(CAST(ratio AS DECIMAL(38, 12))), "
    "(ratio, places) AS ROUND(CAST(ratio AS DECIMAL(38, 12)), places)"
)
OF_POSTGRES = ("pg_catalog.", "ops.", "vault.", "bi.", "GENERATE_SERIES")


def lake_views() -> tuple[str, ...]:
    """Names of the views that DuckDB can make."""
    return tuple(view.name for view in views() if not any(word in view.select for word in OF_POSTGRES))


def make_views(connection: duckdb.DuckDBPyConnection, facts: Mapping[str, pa.Table]) -> None:
    """Make schemas ``mart`` and ``bi`` with every fact and every view that DuckDB can make.

    Args:
        connection: Engine in which neither schema exists.
        facts: Rows by fact; a fact that is left out is empty. Columns are those of its contract.
    """
    connection.execute("CREATE SCHEMA mart; CREATE SCHEMA bi")
    connection.execute(HALF_UP)
    for contract in FACTS:
        place = f"mart.{quoted(contract.mart)}"
        columns = ", ".join(f"{quoted(column.name)} {column.type.value}" for column in contract.all_columns)
        connection.execute(f"CREATE TABLE {place} ({columns})")
        if contract.mart in facts:
            connection.register("given_fact", facts[contract.mart])
            connection.execute(f"INSERT INTO {place} BY NAME SELECT * FROM given_fact WHERE {contract.mart_rows}")
            connection.unregister("given_fact")
    wanted = lake_views()
    for view in views():
        if view.name in wanted:
            select = view.select.replace("ROUND(", "bi.half_up(")
            connection.execute(f"CREATE VIEW bi.{quoted(view.name)} AS {select}")
