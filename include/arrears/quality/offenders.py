"""Contract rules as SQL that selects the offenders: every row that breaks one, by file, line, column and rule.

Belongs here: compiling a contract's types, codes, checks, keys and references. Nothing here decides what follows.
Views it reads: ``extract__<noun>``; views it makes: ``accepted__<noun>``, ``once__<noun>``; it fills ``offender``.
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from arrears.contracts import CONTRACTS
from arrears.contracts.model import Severity
from arrears.contracts.raw import LINEAGE
from arrears.engine.duckdb import literal, quoted
from arrears.sources.convert import MALFORMED, UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from arrears.contracts.model import Check, Contract, Reference

REQUIRED, CODE, UNIQUE, REFERENCE = "required", "code", "unique", "reference"
IS_MALFORMED = f"conversion_errors IS NOT DISTINCT FROM {literal(MALFORMED)}"
LINEAGE_NAMES = {column.name for column in LINEAGE}


@dataclass(frozen=True)
class RowRule:
    """A rule that one row answers alone.

    Attributes:
        rule: Stable id.
        column: Column shown beside the offender; empty where the whole line offends.
        offends: DuckDB condition, TRUE for an offender.
        severity: ``fail`` or ``warn``.
    """

    rule: str
    column: str
    offends: str
    severity: str = Severity.FAIL.value


def parents_first(contracts: Sequence[Contract]) -> list[Contract]:
    """The contracts in an order in which what a table refers to comes before it."""
    known = {contract.table: contract for contract in contracts}
    after = {
        table: {reference.table for reference in contract.references} & known.keys() - {table}
        for table, contract in known.items()
    }
    return [known[table] for table in TopologicalSorter(after).static_order()]


def make_offender_table(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the empty table ``offender``."""
    connection.execute(
        "CREATE TABLE offender (table_name VARCHAR, row_number BIGINT, source_file VARCHAR, source_line BIGINT, "
        "column_name VARCHAR, rule_id VARCHAR, severity_code VARCHAR)"
    )


def note_offenders(
    connection: duckdb.DuckDBPyConnection, contract: Contract, mapped: Sequence[str], parameters: Mapping[str, Any]
) -> int:
    """Note every offender of one table, its parents' being noted already, and make ``accepted__<noun>``.

    A reference to a table that the portfolio does not map is not asked: there is nothing to compare with.

    Args:
        connection: Where ``extract__<noun>`` is a view.
        contract: Of the ledger table.
        mapped: Ledger tables that the portfolio maps.
        parameters: ``currency``, ``business_date``, ``closing_date``.

    Returns:
        Rows beyond the first of their key; 0 when every key is there once.
    """
    rules = row_rules(contract)
    _note_rows(connection, contract, rules, parameters)
    repeated = _note_repeats(connection, contract)
    told = f"table_name = {literal(contract.table)} AND rule_id = {literal(UNIQUE)}"
    connection.execute(
        f"CREATE VIEW {quoted(f'once__{contract.noun}')} AS SELECT * FROM {quoted(f'extract__{contract.noun}')} "
        f"WHERE row_number NOT IN (SELECT row_number FROM offender WHERE {told})"
    )
    connection.execute(
        f"CREATE VIEW {quoted(f'accepted__{contract.noun}')} AS SELECT * FROM {quoted(f'extract__{contract.noun}')} "
        f"WHERE row_number NOT IN ({rejected_of(contract)})"
    )
    for reference in contract.references:
        if reference.table in mapped:
            # A row that refers to its own table may lose what it refers to, and so on: ask until nothing is new.
            while _note_orphans(connection, contract, reference) and reference.table == contract.table:
                pass
    return repeated


def note_contradictions(
    connection: duckdb.DuckDBPyConnection, contract: Contract, parameters: Mapping[str, Any]
) -> None:
    """Note accepted rows of one table that rows of other tables contradict, the offenders of all being noted.

    Its checks read ``once__<noun>``: what was delivered, without rows that are there twice.
    """
    rules = [_rule_of(check) for check in contract.checks if check.severity is Severity.HOLD]
    if rules:
        _note_rows(connection, contract, rules, parameters, of="accepted")


def accept_all_of_clean_tables(connection: duckdb.DuckDBPyConnection, contracts: Sequence[Contract]) -> None:
    """Where no row was rejected, let ``accepted__<noun>`` be all of the table: nobody after it compares row by row."""
    fail = literal(Severity.FAIL.value)
    found = connection.execute(f"SELECT DISTINCT table_name FROM offender WHERE severity_code = {fail}").fetchall()
    rejecting = {table for (table,) in found}
    for contract in contracts:
        if contract.table not in rejecting:
            connection.execute(
                f"CREATE OR REPLACE VIEW {quoted(f'accepted__{contract.noun}')} AS "
                f"SELECT * FROM {quoted(f'extract__{contract.noun}')}"
            )


def rejected_of(contract: Contract, severity: Severity = Severity.FAIL) -> str:
    """SELECT of the row numbers of a table's rejected rows, or of those with another severity."""
    return (
        f"SELECT row_number FROM offender WHERE table_name = {literal(contract.table)} "
        f"AND severity_code = {literal(severity.value)}"
    )


def row_rules(contract: Contract) -> list[RowRule]:
    """Type, NULL, code and check rules of a table, in the order they are shown."""
    rules = [RowRule(MALFORMED, "", IS_MALFORMED)]
    for column in contract.columns:
        name = quoted(column.name)
        unreadable = f"list_contains(string_split(conversion_errors, ','), {literal(column.name)})"
        rules.append(RowRule(UNREADABLE, column.name, unreadable))
        if not column.nullable:
            rules.append(RowRule(REQUIRED, column.name, f"{name} IS NULL AND {unreadable} IS NOT TRUE"))
        if column.codes:
            rules.append(RowRule(CODE, column.name, f"{name} NOT IN ({', '.join(map(literal, column.codes))})"))
    rules += [_rule_of(check) for check in contract.checks if check.severity is not Severity.HOLD]
    return [rules[0], *(_for_whole_lines(rule) for rule in rules[1:])]


def _rule_of(check: Check) -> RowRule:
    return RowRule(check.rule, check.column, check.offends, check.severity.value)


def _for_whole_lines(rule: RowRule) -> RowRule:
    """A line that is no row has no columns to offend with."""
    return RowRule(rule.rule, rule.column, f"NOT ({IS_MALFORMED}) AND ({rule.offends})", rule.severity)


def _note_rows(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    rules: Sequence[RowRule],
    parameters: Mapping[str, Any],
    of: str = "extract",
) -> None:
    """One pass over the table, whatever the number of rules."""
    judged = ", ".join(f"({rule.offends}) AS breaks_{number}" for number, rule in enumerate(rules))
    hits = ", ".join(
        f"CASE WHEN breaks_{number} THEN {{'column_name': {literal(rule.column)}, 'rule_id': {literal(rule.rule)}, "
        f"'severity_code': {literal(rule.severity)}}} END"
        for number, rule in enumerate(rules)
    )
    anything = " OR ".join(f"breaks_{number}" for number in range(len(rules)))
    statement = (
        f"INSERT INTO offender SELECT {literal(contract.table)}, row_number, source_file, source_line, "
        "hit.column_name, hit.rule_id, hit.severity_code FROM ("
        f"SELECT row_number, source_file, source_line, unnest([{hits}]) AS hit "
        f"FROM (SELECT row_number, source_file, source_line, {judged} FROM {quoted(f'{of}__{contract.noun}')}) "
        f"WHERE {anything}) WHERE hit IS NOT NULL"
    )
    used = {name: value for name, value in parameters.items() if f"${name}" in statement}
    connection.execute(statement, used)


def _note_repeats(connection: duckdb.DuckDBPyConnection, contract: Contract) -> int:
    """Rows whose key is there twice: all of them when they differ, all but the first when they are the same row.

    Of rows that differ nobody can say which is right; equal ones were delivered twice, and one of them is enough.
    """
    found = repeats(connection, f"extract__{contract.noun}", contract.key)
    if not found:
        return 0
    key = ", ".join(map(quoted, contract.key))
    given = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in contract.key)
    values = ", ".join(
        [*(quoted(c.name) for c in contract.columns if c.name not in LINEAGE_NAMES), "conversion_errors"]
    )
    connection.execute(
        f"WITH repeated AS (SELECT {key} FROM {quoted(f'extract__{contract.noun}')} WHERE {given} "
        f"GROUP BY {key} HAVING count(*) > 1), "
        f"copies AS (SELECT * FROM {quoted(f'extract__{contract.noun}')} SEMI JOIN repeated USING ({key})), "
        f"versions AS (SELECT {key}, count(*) AS versions FROM (SELECT DISTINCT {values} FROM copies) GROUP BY {key}), "
        f"judged AS (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY row_number) AS copy "
        f"FROM copies JOIN versions USING ({key})) "
        f"INSERT INTO offender SELECT {literal(contract.table)}, row_number, source_file, source_line, "
        f"{literal(','.join(contract.key))}, {literal(UNIQUE)}, {literal(Severity.FAIL.value)} "
        "FROM judged WHERE versions > 1 OR copy > 1"
    )
    return found


def repeats(connection: duckdb.DuckDBPyConnection, view: str, key: Sequence[str]) -> int:
    """Rows of a view beyond the first of their key; rows without a whole key are left out.

    Distinct hashes prove distinct keys, four times faster than grouping (12M rows: 1.8 s against 7.3); only where two
    hashes are equal are the keys themselves compared.
    """
    names = ", ".join(map(quoted, key))
    given = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in key)
    found = 0
    for distinct in (f"hash({names})", f"({names})"):
        found = connection.execute(
            f"SELECT count(*) - count(DISTINCT {distinct}) FROM {quoted(view)} WHERE {given}"
        ).fetchall()[0][0]
        if found == 0:
            break
    return found


def _note_orphans(connection: duckdb.DuckDBPyConnection, contract: Contract, reference: Reference) -> int:
    """Rows that name a parent which is not accepted; answers how many were new.

    What another rule has said of that column already is the more exact word: a reversal of itself is no orphan besides.
    """
    rule, column = literal(REFERENCE), literal(reference.columns[0])
    told = rejected_of(contract)
    inserted = connection.execute(
        f"INSERT INTO offender SELECT {literal(contract.table)}, row_number, source_file, source_line, {column}, "
        f"{rule}, {literal(Severity.FAIL.value)} FROM {quoted(f'extract__{contract.noun}')} AS child "
        f"WHERE {is_orphan(reference)} AND row_number NOT IN ({told} AND column_name = {column})"
    )
    new: int = inserted.fetchall()[0][0]
    return new


def is_orphan(reference: Reference) -> str:
    """Condition on a row of ``child``: it names a parent that is not among the accepted rows."""
    parent = CONTRACTS[reference.table]
    pairs = list(zip(map(quoted, parent.key), map(quoted, reference.columns), strict=True))
    given = " AND ".join(f"child.{own} IS NOT NULL" for _, own in pairs)
    same = " AND ".join(f"parent.{key} = child.{own}" for key, own in pairs)
    return f"{given} AND NOT EXISTS (SELECT 1 FROM {quoted(f'accepted__{parent.noun}')} AS parent WHERE {same})"
