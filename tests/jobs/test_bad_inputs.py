"""Bad inputs: each gets one coded error or a named row; nothing is lost, and no value is in any message."""

import logging

import pytest
from arrears.jobs.validate import validate
from arrears.settings import REPOSITORY
from support.books import FIRST, rows_of
from support.deliveries import (
    HEADERS,
    SOUND,
    deliver,
    extract_all,
    failure,
    judge,
    landing,
    make_file_book,
    manifests,
    spoiled,
)

# Stands in for any personal or rejected value: wherever it is told outside the vault, a test fails.
CANARY = "13800138000"


@pytest.fixture
def book(tmp_path):
    return make_file_book(tmp_path)


def replaced(noun, number, row):
    rows = list(SOUND[noun])
    rows[number - 1] = row
    return {noun: rows}


def added(noun, *rows):
    return {noun: [*SOUND[noun], *rows]}


# Whose payment cannot be read has repaid more than came in, by its balance: contact stops.
UNPAID = ("raw__loan", 2, "outstanding_principal_minor", "loan.repaid_is_received")

# Delivery changed so; quarantine it makes, by table, line, column and rule.
ROW_CASES = [
    pytest.param(
        added("loan", SOUND["loan"][2]),
        [("raw__loan", 6, "loan_id", "unique")],
        id="a loan delivered twice is kept once",
    ),
    pytest.param(
        added("loan", SOUND["loan"][2].replace("B3", CANARY)),
        [
            ("raw__instalment", 6, "loan_id", "reference"),
            ("raw__loan", 4, "loan_id", "unique"),
            ("raw__loan", 6, "loan_id", "unique"),
        ],
        id="a loan delivered twice with other values",
    ),
    pytest.param(
        added("instalment", f"{CANARY},1,2026-02-01,10000,500,0,0"),
        [("raw__instalment", 8, "loan_id", "reference")],
        id="an instalment without its loan",
    ),
    pytest.param(
        spoiled("instalment", 2, "2026-03-01", "2026-02-31"),
        [("raw__instalment", 3, "due_on", "type")],
        id="31 February",
    ),
    pytest.param(
        spoiled("transaction", 1, ",10500,", ",NaN,"),
        [UNPAID, ("raw__transaction", 2, "amount_minor", "type")],
        id="an amount that is not a number",
    ),
    pytest.param(
        spoiled("transaction", 1, ",10500,", ",105.005,"),
        [UNPAID, ("raw__transaction", 2, "amount_minor", "type")],
        id="an amount with three decimals",
    ),
    pytest.param(
        spoiled("transaction", 1, ",10500,", ',"10,500",'),
        [UNPAID, ("raw__transaction", 2, "amount_minor", "type")],
        id="an amount with a thousands separator",
    ),
    pytest.param(
        spoiled("transaction", 1, ",10500,", ",1e400,"),
        [UNPAID, ("raw__transaction", 2, "amount_minor", "type")],
        id="an amount beyond any number",
    ),
    pytest.param(
        spoiled("transaction", 1, ",10500,", ",,"),
        [UNPAID, ("raw__transaction", 2, "amount_minor", "required")],
        id="no amount at all",
    ),
    pytest.param(
        spoiled("transaction", 4, "2026-02-20,", "2026-03-02,"),
        [("raw__transaction", 5, "effective_on", "transaction.effective_by_close")],
        id="a payment of tomorrow",
    ),
    pytest.param(
        spoiled("transaction", 3, ",T2", f",{CANARY}"),
        [("raw__transaction", 4, "reverses_id", "reference")],
        id="a reversal of nothing",
    ),
    pytest.param(
        spoiled("transaction", 4, "02:00:00Z", "02:00:00"),
        [("raw__transaction", 5, "booked_at", "type")],
        id="an instant without an offset",
    ),
    pytest.param(
        spoiled("loan", 3, "CNY", "XAU"),
        [("raw__instalment", 6, "loan_id", "reference"), ("raw__loan", 4, "currency", "loan.currency_known")],
        id="an unknown currency",
    ),
    pytest.param(
        spoiled("loan", 3, "CNY,30000", "CNY,-30000"),
        [
            ("raw__instalment", 6, "loan_id", "reference"),
            ("raw__loan", 4, "outstanding_principal_minor", "loan.outstanding_in_range"),
            ("raw__loan", 4, "principal_minor", "loan.principal_positive"),
        ],
        id="a negative principal",
    ),
    pytest.param(
        spoiled("loan", 3, "active", CANARY),
        [("raw__instalment", 6, "loan_id", "reference"), ("raw__loan", 4, "status_code", "code")],
        id="a status that is none",
    ),
    pytest.param(
        replaced("loan", 3, CANARY),
        [("raw__instalment", 6, "loan_id", "reference"), ("raw__loan", 4, "", "file.columns")],
        id="a line with too few columns",
    ),
    pytest.param(
        replaced("loan", 3, f"{SOUND['loan'][2]},{CANARY}"),
        [("raw__instalment", 6, "loan_id", "reference"), ("raw__loan", 4, "", "file.columns")],
        id="a line with too many columns",
    ),
    pytest.param(
        spoiled("loan", 3, "L3", "L\0003"),
        [("raw__instalment", 6, "loan_id", "reference"), ("raw__loan", 4, "loan_id", "type")],
        id="a NUL byte",
    ),
    pytest.param(
        {"transaction": [*SOUND["transaction"], *SOUND["transaction"]]},
        [("raw__transaction", line, "transaction_id", "unique") for line in (6, 7, 8, 9)],
        id="a file delivered twice in one",
    ),
]


@pytest.mark.parametrize(("changed", "expected"), ROW_CASES)
def test_bad_row_is_named_kept_and_counted_and_the_rest_goes_on(book, tmp_path, caplog, changed, expected):
    caplog.set_level(logging.DEBUG)
    deliver(book, **changed)

    summary = judge(book)

    found = [
        (row["table_name"], row["source_line"], row["column_name"], row["rule_id"])
        for row in rows_of(book, "out__quarantine", FIRST)
    ]
    assert sorted(found) == expected
    for noun, table in summary["tables"].items():
        assert table["rows"] == len({**SOUND, **changed}[noun])
        assert table["accepted"] + table["rejected"] == table["rows"]
        assert manifests(book, "raw")[noun].rows == table["accepted"] > 0
    assert CANARY not in str(summary)
    assert CANARY not in caplog.text
    assert list((tmp_path / "vault").rglob("*.jsonl")) != []


def with_header(noun, header):
    def spoil(settings):
        path = landing(settings, noun)
        path.write_text(path.read_text().replace(HEADERS[noun], header))

    return spoil


def with_content(noun, change):
    def spoil(settings):
        path = landing(settings, noun)
        path.write_bytes(change(path.read_bytes()))

    return spoil


def with_select(noun, select):
    def spoil(settings):
        (settings.portfolios / "book" / f"{noun}.sql").write_text(select)

    return spoil


CONTROL_OFF_BY_ONE = (
    "SELECT 'transaction' AS table_name, 'amount_minor' AS measure_code, CAST(72399 AS BIGINT) AS amount"
)

# What is done to a sound delivery; the one code it ends with, and what the message must name.
DAY_CASES = [
    pytest.param(lambda s: landing(s, "loan").unlink(), "ARR-EXT-001", ["loan_2026-03-01.csv"], id="a missing file"),
    pytest.param(
        with_header("loan", HEADERS["loan"].replace("currency", CANARY)),
        "ARR-EXT-003",
        ["loan_2026-03-01.csv line 1", "currency missing", "column 4"],
        id="a wrong header",
    ),
    pytest.param(
        with_header("loan", HEADERS["loan"].replace("loan_id,borrower_id", "borrower_id,loan_id")),
        "ARR-EXT-003",
        ["loan_2026-03-01.csv line 1", "another order"],
        id="a reordered header",
    ),
    pytest.param(
        with_header("loan", f"{CANARY},B9,tour,CNY,1,2026-01-01,2026-02-01,active,1"),
        "ARR-EXT-003",
        ["loan_2026-03-01.csv line 1"],
        id="data in place of a header",
    ),
    pytest.param(
        with_content("loan", lambda content: content.replace(b",", b";")),
        "ARR-EXT-003",
        ["line 1"],
        id="a wrong delimiter",
    ),
    pytest.param(
        with_content("loan", lambda _: b""), "ARR-EXT-005", ["loan_2026-03-01.csv", "no header"], id="no bytes"
    ),
    pytest.param(
        with_content("loan", lambda content: content.replace(b"B2", f'"{CANARY}'.encode())),
        "ARR-EXT-005",
        ["loan_2026-03-01.csv"],
        id="an unclosed quote",
    ),
    pytest.param(
        with_content("loan", lambda content: content.replace(b"B2", "张三".encode("gbk"))),
        "ARR-EXT-005",
        ["loan_2026-03-01.csv", "utf-8"],
        id="another encoding",
    ),
    pytest.param(
        with_content("loan", lambda content: content[: content.index(b"\n") + 1]),
        "ARR-VAL-004",
        ["raw__loan"],
        id="an empty table",
    ),
    pytest.param(
        with_select(
            "transaction",
            "SELECT * REPLACE (sum(CAST(amount_minor AS BIGINT)) OVER () AS amount_minor) FROM transaction",
        ),
        "ARR-EXT-004",
        ["book/transaction.sql", "amount_minor is decimal128", "CAST"],
        id="an uncast SUM",
    ),
    pytest.param(
        with_select("transaction", "SELECT * REPLACE (CAST(amount_minor AS DOUBLE) AS amount_minor) FROM transaction"),
        "ARR-EXT-004",
        ["book/transaction.sql", "amount_minor is double", "integer"],
        id="money through a float",
    ),
    pytest.param(
        with_select("loan", f"SELECT CAST('{CANARY}x' AS INTEGER) AS loan_id FROM loan"),
        "ARR-EXT-006",
        ["book/loan.sql", "ConversionException"],
        id="a SELECT that breaks on a value",
    ),
    pytest.param(
        with_select("control", CONTROL_OFF_BY_ONE),
        "ARR-VAL-002",
        ["transaction amount_minor 72400", "transaction amount_minor 72399"],
        id="a control total off by one minor unit",
    ),
    pytest.param(
        with_content("loan", lambda content: content.replace(b"CNY", b"XAU")),
        "ARR-VAL-001",
        ["4 of 4 rows of raw__loan", "loan.currency_known currency: 4", "loan_2026-03-01.csv line 2"],
        id="every row rejected",
    ),
]


@pytest.mark.parametrize(("spoil", "code", "named"), DAY_CASES)
def test_bad_delivery_ends_with_one_code_that_names_the_place_and_no_value(book, caplog, spoil, code, named):
    caplog.set_level(logging.DEBUG)
    deliver(book)
    spoil(book)

    error = failure(lambda: judge(book))

    assert error.code == code
    assert [words for words in named if words not in str(error)] == []
    assert error.rerun_safe
    assert CANARY not in str(error)
    assert CANARY not in caplog.text
    assert manifests(book, "raw") == {}


def test_repaired_delivery_runs_after_each_failure(book):
    deliver(book)
    for case in DAY_CASES:
        spoil, _, _ = case.values
        selects = {path: path.read_text() for path in (book.portfolios / "book").glob("*.sql")}
        spoil(book)
        failure(lambda: extract_all(book, refresh_source=True) and validate("book", FIRST, settings=book))
        for path in (book.portfolios / "book").glob("*.sql"):
            path.write_text(selects[path]) if path in selects else path.unlink()
        deliver(book)

    extract_all(book, refresh_source=True)
    summary = validate("book", FIRST, settings=book)

    assert summary["quarantined"] == 0
    assert summary["tables"]["loan"]["accepted"] == 4


def test_every_bad_delivery_has_a_code_with_a_runbook():
    codes = {case.values[1] for case in DAY_CASES}

    assert len(codes) == 8
    assert [code for code in codes if not (REPOSITORY / "docs" / "runbooks" / f"{code}.md").is_file()] == []
