"""Whom a rejected row speaks of: the accepted loan and the accepted party, so that contact can stop for exactly them.

Belongs here: the view ``subject``, made when every offender is noted. What follows from it is the contact rules' matter
(``house.rejected_row``). Identifiers come from accepted rows only: a value that nobody knows stays in the vault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.engine.duckdb import literal, quoted
from arrears.quality.offenders import rejected_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from arrears.contracts.model import Contract

LOAN, PARTY, POINT = "raw__loan", "raw__party", "raw__contact_point"
ID_OF = {LOAN: "loan_id", PARTY: "party_id", POINT: "contact_point_id"}
NOBODY = (
    "SELECT NULL::VARCHAR AS table_name, NULL::BIGINT AS row_number, NULL::VARCHAR AS loan_id, "
    "NULL::VARCHAR AS party_id WHERE FALSE"
)


def make_subject_view(connection: duckdb.DuckDBPyConnection, contracts: Sequence[Contract]) -> None:
    """Make the view ``subject``: table_name, row_number, loan_id or NULL, party_id or NULL.

    One row for each rejected row that speaks of an accepted loan, party or contact point. A row that repeats an
    accepted one word for word speaks of nobody: nothing is missing without it.

    Args:
        connection: Where ``extract__<noun>``, ``accepted__<noun>`` and ``offender`` are.
        contracts: Ledger tables that the portfolio maps and that were judged.
    """
    there = {contract.table for contract in contracts}
    selects = [_subjects_of(contract, there) for contract in contracts]
    connection.execute(f"CREATE OR REPLACE VIEW subject AS {' UNION ALL '.join(filter(None, selects)) or NOBODY}")


def _subjects_of(contract: Contract, there: set[str]) -> str:
    """SELECT of the subjects of one table's rejected rows; empty where the table names none."""
    named = {column.name for column in contract.columns}
    known = {table for table, column in ID_OF.items() if table in there and column in named}
    if not known:
        return ""
    parties = [f"{table[5:]}.party_id" for table in (PARTY, POINT) if table in known]
    joins = " ".join(
        f"LEFT JOIN {quoted(f'accepted__{table[5:]}')} AS {table[5:]} ON {table[5:]}.{column} = rejected.{column}"
        for table, column in ID_OF.items()
        if table in known
    )
    same = " AND ".join(f"kept.{quoted(name)} = rejected.{quoted(name)}" for name in contract.key)
    return (
        f"SELECT {literal(contract.table)} AS table_name, rejected.row_number, "
        f"{'loan.loan_id' if LOAN in known else 'NULL::VARCHAR'} AS loan_id, "
        f"{_first_of(parties)} AS party_id "
        f"FROM {quoted(f'extract__{contract.noun}')} AS rejected {joins} "
        f"WHERE rejected.row_number IN ({rejected_of(contract)}) "
        f"AND NOT EXISTS (SELECT 1 FROM {quoted(f'accepted__{contract.noun}')} AS kept WHERE {same})"
    )


def _first_of(columns: Sequence[str]) -> str:
    return f"coalesce({', '.join(columns)})" if columns else "NULL::VARCHAR"
