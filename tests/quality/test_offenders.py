"""Row rules compiled from contracts select exactly the offenders, with their line, column and rule."""

from datetime import date

import duckdb
import pyarrow as pa
import pytest
from arrears.contracts import CONTRACTS
from arrears.contracts.ledger import LEDGER
from arrears.contracts.model import Check, Contract, Reference, Severity, code, minor, text
from arrears.quality.offenders import make_offender_table, note_offenders, parents_first, repeats, row_rules

LINEAGE = (text("source_file", "", nullable=True), minor("source_line", "", nullable=True))
PARAMETERS = {"currency": "CNY", "business_date": date(2026, 3, 2), "closing_date": date(2026, 3, 1)}


def contract(noun, columns, **parts):
    return Contract(
        table=f"raw__{noun}",
        grain="one row",
        key=(columns[0].name,),
        columns=columns + LINEAGE,
        meaning=noun,
        owner="tests",
        **parts,
    )


LOAN = contract(
    "loan",
    (
        text("loan_id", ""),
        code("currency", ""),
        minor("amount_minor", ""),
        code("kind_code", "", ("a", "b"), nullable=True),
    ),
    checks=(
        Check("loan.currency_known", "currency", "currency <> $currency", Severity.FAIL, ""),
        Check("loan.amount_positive", "amount_minor", "amount_minor <= 0", Severity.FAIL, ""),
        Check("loan.amount_small", "amount_minor", "amount_minor > 1000", Severity.WARN, ""),
    ),
)
TRANSACTION = contract(
    "transaction",
    (text("transaction_id", ""), text("loan_id", ""), text("reverses_id", "", nullable=True)),
    references=(Reference(("loan_id",), "raw__loan"), Reference(("reverses_id",), "raw__transaction")),
)


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        make_offender_table(connection)
        yield connection


def give(connection, noun, rows):
    """Make the extract of a noun from rows of its own columns; a row may name its conversion errors last."""
    columns = CONTRACT_OF[noun].columns[:-2]
    kinds = {column.name: pa.int64() if column.name.endswith("_minor") else pa.string() for column in columns}
    table = pa.table(
        {
            **{name: pa.array([row[at] for row in rows], kind) for at, (name, kind) in enumerate(kinds.items())},
            "source_file": pa.array([f"{noun}.csv"] * len(rows), pa.string()),
            "source_line": pa.array(range(2, len(rows) + 2), pa.int64()),
            "row_number": pa.array(range(1, len(rows) + 1), pa.int64()),
            "conversion_errors": pa.array(
                [row[len(columns)] if len(row) > len(columns) else None for row in rows], pa.string()
            ),
        }
    )
    connection.execute(f"DROP TABLE IF EXISTS extract__{noun}")
    connection.register("given", table)
    connection.execute(f"CREATE TABLE extract__{noun} AS SELECT * FROM given")


CONTRACT_OF = {"loan": LOAN, "transaction": TRANSACTION}


def judge(connection, *nouns):
    for noun in nouns:
        note_offenders(connection, CONTRACT_OF[noun], [f"raw__{name}" for name in nouns], PARAMETERS)


def offenders(connection, noun="loan"):
    return connection.execute(
        "SELECT row_number, column_name, rule_id, severity_code FROM offender WHERE table_name = ? ORDER BY ALL",
        [f"raw__{noun}"],
    ).fetchall()


def accepted(connection, noun="loan"):
    return [n for (n,) in connection.execute(f"SELECT row_number FROM accepted__{noun} ORDER BY 1").fetchall()]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(("L", "CNY", 5, "a"), [], id="a sound row offends nothing"),
        pytest.param(("L", "CNY", 5, None), [], id="NULL where it may be"),
        pytest.param((None, "CNY", 5, "a"), [("loan_id", "required", "fail")], id="NULL where it may not be"),
        pytest.param(("L", "CNY", None, "a", "amount_minor"), [("amount_minor", "type", "fail")], id="unreadable"),
        pytest.param(("L", "CNY", 5, None, "kind_code"), [("kind_code", "type", "fail")], id="unreadable but nullable"),
        pytest.param(("L", "CNY", 5, "z"), [("kind_code", "code", "fail")], id="a code outside its list"),
        pytest.param(("L", "USD", 5, "a"), [("currency", "loan.currency_known", "fail")], id="a parameter"),
        pytest.param(("L", "CNY", 5000, "a"), [("amount_minor", "loan.amount_small", "warn")], id="only a warning"),
        pytest.param(
            ("L", "USD", 0, "z"),
            [
                ("amount_minor", "loan.amount_positive", "fail"),
                ("currency", "loan.currency_known", "fail"),
                ("kind_code", "code", "fail"),
            ],
            id="every rule a row breaks is told",
        ),
        pytest.param((None, None, None, None, "file.columns"), [("", "file.columns", "fail")], id="no row at all"),
    ],
)
def test_row_rules_name_column_rule_and_severity(connection, row, expected):
    give(connection, "loan", [("fine", "CNY", 1, "a"), row])

    judge(connection, "loan")

    assert offenders(connection) == [(2, *offence) for offence in expected]
    assert accepted(connection) == ([1] if any("fail" in offence for offence in expected) else [1, 2])


def test_offenders_carry_file_and_line(connection):
    give(connection, "loan", [("L", "USD", 5, "a")])

    judge(connection, "loan")

    assert connection.execute("SELECT source_file, source_line FROM offender").fetchall() == [("loan.csv", 2)]


def test_rows_of_one_key_that_differ_are_all_rejected(connection):
    give(connection, "loan", [("L", "CNY", 5, "a"), ("L", "CNY", 6, "a"), ("M", "CNY", 5, "a"), ("L", "CNY", 5, "a")])

    judge(connection, "loan")

    assert offenders(connection) == [(n, "loan_id", "unique", "fail") for n in (1, 2, 4)]
    assert accepted(connection) == [3]


def test_row_delivered_twice_is_kept_once(connection):
    give(connection, "loan", [("L", "CNY", 5, None), ("L", "CNY", 5, None), ("L", "CNY", 5, None)])

    judge(connection, "loan")

    assert offenders(connection) == [(2, "loan_id", "unique", "fail"), (3, "loan_id", "unique", "fail")]
    assert accepted(connection) == [1]


def test_rows_without_a_key_are_no_duplicates(connection):
    give(connection, "loan", [(None, "CNY", 5, "a"), (None, "CNY", 6, "a")])

    judge(connection, "loan")

    assert [rule for _, _, rule, _ in offenders(connection)] == ["required", "required"]


def test_repeats_counts_rows_beyond_the_first_of_their_key(connection):
    give(connection, "loan", [("L", "CNY", 5, "a"), ("L", "CNY", 6, "a"), ("M", "CNY", 5, "a"), (None, "CNY", 5, "a")])

    assert repeats(connection, "extract__loan", ("loan_id",)) == 1
    assert repeats(connection, "extract__loan", ("loan_id", "amount_minor")) == 0


def test_child_of_a_rejected_or_missing_parent_is_an_orphan(connection):
    give(connection, "loan", [("L", "CNY", 5, "a"), ("BAD", "USD", 5, "a")])
    give(connection, "transaction", [("T1", "L", None), ("T2", "BAD", None), ("T3", "GONE", None), ("T4", None, None)])

    judge(connection, "loan", "transaction")

    assert offenders(connection, "transaction") == [
        (2, "loan_id", "reference", "fail"),
        (3, "loan_id", "reference", "fail"),
        (4, "loan_id", "required", "fail"),
    ]


def test_chain_of_rows_that_refer_to_each_other_falls_with_its_first(connection):
    give(connection, "loan", [("L", "CNY", 5, "a")])
    give(
        connection,
        "transaction",
        [
            ("T1", "GONE", None),
            ("T2", "L", "T1"),
            ("T3", "L", "T2"),
            ("T4", "L", "T3"),
            ("T5", "L", None),
            ("T6", "L", "T5"),
        ],
    )

    judge(connection, "loan", "transaction")

    assert accepted(connection, "transaction") == [5, 6]
    assert offenders(connection, "transaction")[1:] == [(n, "reverses_id", "reference", "fail") for n in (2, 3, 4)]


def test_reference_to_a_table_that_is_not_mapped_is_not_asked(connection):
    give(connection, "transaction", [("T1", "L", None)])

    note_offenders(connection, TRANSACTION, ["raw__transaction"], PARAMETERS)

    assert offenders(connection, "transaction") == []


def test_parents_come_before_their_children():
    order = [contract.table for contract in parents_first(list(reversed(LEDGER)))]

    assert sorted(order) == sorted(contract.table for contract in LEDGER)
    for contract in LEDGER:
        for reference in contract.references:
            assert order.index(reference.table) <= order.index(contract.table)


@pytest.mark.parametrize("ledger_contract", LEDGER, ids=lambda contract: contract.noun)
def test_every_ledger_rule_runs_and_passes_over_no_rows(connection, ledger_contract):
    for noun in {ledger_contract.noun, *(each.noun for each in LEDGER if each.required)}:
        columns = ", ".join(f"NULL::{c.type.value} AS {c.name}" for c in CONTRACTS[f"extract__{noun}"].columns)
        connection.execute(f"CREATE TABLE extract__{noun} AS SELECT {columns} WHERE FALSE")

    note_offenders(connection, ledger_contract, [], PARAMETERS)

    assert connection.execute("SELECT count(*) FROM offender").fetchall() == [(0,)]
    assert len({(rule.rule, rule.column) for rule in row_rules(ledger_contract)}) == len(row_rules(ledger_contract))
