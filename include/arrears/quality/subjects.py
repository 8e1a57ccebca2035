"""Whom a rejected row speaks of: the accepted loan and the accepted party, so that contact can stop for exactly them.

Belongs here: the table ``subject``, made when every offender is noted. What follows from it is for the contact rules
(``house.rejected_row``). Identifiers come from accepted rows only: a value that nobody knows stays in the vault. A line
that is no row has no columns, but words: those that are the identifier of an accepted loan, party or point name it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from arrears.contracts.model import Severity
from arrears.engine.duckdb import literal, quoted
from arrears.quality.offenders import rejected_of
from arrears.sources.vault import SEPARATORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

    from arrears.contracts.model import Contract

LOAN, PARTY, POINT = "raw__loan", "raw__party", "raw__contact_point"
ID_OF = {LOAN: "loan_id", PARTY: "party_id", POINT: "contact_point_id"}
MOST_WORDS = 1_000  # of one line
NOBODY = (
    "SELECT NULL::VARCHAR AS table_name, NULL::BIGINT AS row_number, NULL::VARCHAR AS loan_id, "
    "NULL::VARCHAR AS party_id, 1 AS place WHERE FALSE"
)


def make_subject_table(
    connection: duckdb.DuckDBPyConnection,
    contracts: Sequence[Contract],
    lines: Iterable[tuple[str, int, str]] = (),
) -> None:
    """Make the table ``subject``: table_name, row_number, loan_id or NULL, party_id or NULL, place from 1.

    One row for each rejected or held row that speaks of an accepted loan, party or contact point. A row that repeats an
    accepted one word for word speaks of nobody: nothing is missing without it.

    Args:
        connection: Where ``extract__<noun>``, ``accepted__<noun>`` and ``offender`` are.
        contracts: Ledger tables that the portfolio maps and that were judged.
        lines: Table, row number and text of lines that are no rows; their words stay in this connection.
    """
    there = {contract.table for contract in contracts}
    words = _make_word_table(connection, lines)
    offending = {table for (table,) in connection.execute("SELECT DISTINCT table_name FROM offender").fetchall()}
    selects = [_subjects_of(contract, there) for contract in contracts if contract.table in offending]
    selects += [_named_in_lines(there)] if words else []
    named = " UNION ALL ".join(filter(None, selects)) or NOBODY
    connection.execute(
        f"CREATE OR REPLACE TABLE subject AS SELECT * FROM ({named}) WHERE loan_id IS NOT NULL OR party_id IS NOT NULL"
    )


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
        f"{_first_of(parties)} AS party_id, 1 AS place "
        f"FROM {quoted(f'extract__{contract.noun}')} AS rejected {joins} "
        f"WHERE (rejected.row_number IN ({rejected_of(contract)}) "
        f"AND NOT EXISTS (SELECT 1 FROM {quoted(f'accepted__{contract.noun}')} AS kept WHERE {same})) "
        f"OR rejected.row_number IN ({rejected_of(contract, Severity.HOLD)})"
    )


def _make_word_table(connection: duckdb.DuckDBPyConnection, lines: Iterable[tuple[str, int, str]]) -> int:
    """Fill ``word`` (table_name, row_number, said) with the words of the lines; answer how many."""
    words = [
        (table, number, said)
        for table, number, line in lines
        for said in set(SEPARATORS.split(line)[:MOST_WORDS])
        if said
    ]
    if words:
        columns = dict(zip(("table_name", "row_number", "said"), zip(*words, strict=True), strict=True))
        connection.register("word", pa.table({name: list(values) for name, values in columns.items()}))
    return len(words)


def _named_in_lines(there: set[str]) -> str:
    """SELECT of the accepted loans and parties whose identifier is a word of a line, each in its place of that line."""
    owner = {LOAN: ("known.loan_id", "NULL::VARCHAR")}
    selects = []
    for table, column in ID_OF.items():
        loan, party = owner.get(table, ("NULL::VARCHAR", "known.party_id"))
        if table in there:
            selects.append(
                f"SELECT word.table_name, word.row_number, {loan} AS loan_id, {party} AS party_id "
                f"FROM word JOIN {quoted(f'accepted__{table[5:]}')} AS known ON known.{column} = word.said"
            )
    named = " UNION ".join(selects)
    return (
        "SELECT table_name, row_number, max(loan_id) AS loan_id, max(party_id) AS party_id, place FROM (SELECT *, "
        "row_number() OVER (PARTITION BY table_name, row_number, loan_id IS NULL ORDER BY loan_id, party_id) AS place "
        f"FROM ({named})) GROUP BY table_name, row_number, place"
    )


def _first_of(columns: Sequence[str]) -> str:
    return f"coalesce({', '.join(columns)})" if columns else "NULL::VARCHAR"
