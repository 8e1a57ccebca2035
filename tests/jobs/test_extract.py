"""Extract: frozen, verified, repeatable; from files, SQLite and PostgreSQL alike."""

import json
import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from arrears.errors import (
    ConfigurationError,
    DeliveryConflictError,
    SourceColumnsError,
    SourceFileError,
    SourceNotReadyError,
    SourceQueryError,
    SourceTypeError,
    SourceUnreachableError,
)
from arrears.jobs.day import Day
from arrears.jobs.extract import check_source_ready, extract, source_is_ready, tables_to_extract
from support.books import FIRST, make_book, rows_of
from support.deliveries import (
    CLOSE,
    HEADERS,
    SOUND,
    deliver,
    extract_all,
    landing,
    make_file_book,
    manifests,
    spoiled,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TYPES = {"seq": "integer", "booked_at": "timestamptz"}


@pytest.fixture
def book(tmp_path):
    settings = make_file_book(tmp_path)
    deliver(settings)
    return settings


def cast(column):
    """The contract type of a column in PostgreSQL."""
    return TYPES.get(column, "bigint" if column.endswith("_minor") else "date" if column.endswith("_on") else "text")


def database_book(folder, url, select):
    """The same book over a database that holds the sound delivery."""
    settings = make_book(folder)
    path = settings.portfolios / "book" / "portfolio.yaml"
    path.write_text(path.read_text().replace("sqlite://", url))
    for noun, header in HEADERS.items():
        (path.parent / f"{noun}.sql").write_text(select.format(columns=header, noun=noun))
    return settings


@pytest.fixture
def sqlite_book(tmp_path):
    with sqlite3.connect(tmp_path / "source.db") as connection:
        for noun, header in HEADERS.items():
            columns = ", ".join(f"{name} {cast(name)}" for name in header.split(","))
            connection.execute(f"CREATE TABLE ledger_{noun} ({columns})")
            connection.executemany(
                f"INSERT INTO ledger_{noun} VALUES ({', '.join('?' * len(header.split(',')))})",
                [[value or None for value in row.split(",")] for row in SOUND[noun]],
            )
    return database_book(
        tmp_path / "sqlite", f"sqlite:///{tmp_path / 'source.db'}", "SELECT {columns} FROM ledger_{noun}"
    )


@pytest.fixture
def postgresql_book(tmp_path, warehouse_url):
    with psycopg.connect(warehouse_url.replace("+psycopg", "")) as connection:
        connection.execute("DROP SCHEMA IF EXISTS core CASCADE; CREATE SCHEMA core")
        for noun, header in HEADERS.items():
            names = header.split(",")
            connection.execute(f"CREATE TABLE core.{noun} ({', '.join(f'{name} {cast(name)}' for name in names)})")
            with connection.cursor() as cursor:
                cursor.executemany(
                    f"INSERT INTO core.{noun} VALUES ({', '.join(['%s'] * len(names))})",
                    [[value or None for value in row.split(",")] for row in SOUND[noun]],
                )
    settings = database_book(tmp_path / "postgresql", warehouse_url, "SELECT {columns} FROM core.{noun}")
    yield settings
    with psycopg.connect(warehouse_url.replace("+psycopg", "")) as connection:
        connection.execute("DROP SCHEMA core CASCADE")


# -------------------------------------------------------------------------------------------------- what is written
def test_extract_holds_every_delivered_row_with_its_line_and_totals(book):
    summary = extract("book", FIRST, "loan", now=NOON, run_ref="run-1", settings=book)

    manifest = manifests(book, "extract")["loan"]
    assert (summary["rows"], summary["principal_minor"], summary["outstanding_principal_minor"]) == (4, 110000, 60000)
    assert (summary["kept"], summary["unreadable"]) == (False, 0)
    assert manifest.known_until == "2026-03-02T12:00:00+00:00"
    assert manifest.run_ref == "run-1"
    assert set(manifest.inputs) - {"files"} == {"source"}
    rows = rows_of(book, "extract__loan", FIRST)
    assert [(row["loan_id"], row["row_number"], row["source_line"]) for row in rows] == [
        ("L1", 1, 2),
        ("L2", 2, 3),
        ("L3", 3, 4),
        ("L4", 4, 5),
    ]


def test_summary_is_small_and_holds_no_row(book):
    summaries = extract_all(book)

    told = json.dumps(summaries)
    assert len(told) < 2000
    assert not any(value in told for value in ("L1", "B1", "T1"))


def test_sources_of_every_kind_deliver_the_same_ledger(book, sqlite_book, postgresql_book):
    lineage = {"source_file", "source_line"}
    ledgers = []

    for settings in (book, sqlite_book, postgresql_book):
        extract_all(settings, now=NOON)
        ledgers.append(
            {
                noun: [
                    {name: value for name, value in row.items() if name not in lineage}
                    for row in rows_of(settings, f"extract__{noun}", FIRST)
                ]
                for noun in HEADERS
            }
        )

    assert ledgers[0]["transaction"][2]["reverses_id"] == "T2"
    assert ledgers[0]["transaction"][0]["booked_at"] == datetime(2026, 2, 1, 2, tzinfo=UTC)
    assert ledgers[1] == ledgers[0]
    assert ledgers[2] == ledgers[0]


def test_nouns_are_those_with_a_select_and_control_totals(book):
    (book.portfolios / "book" / "control.sql").write_text("SELECT 1")
    (book.portfolios / "book" / "pause.sql").write_text("SELECT 1")

    assert tables_to_extract("book", settings=book) == ["loan", "instalment", "transaction", "pause", "control_total"]


def test_noun_without_a_select_is_refused(book):
    with pytest.raises(ConfigurationError, match="no SELECT for pause"):
        extract("book", FIRST, "pause", settings=book)


# ------------------------------------------------------------------------------------------------- kept, or not kept
def test_same_files_again_change_nothing(book):
    first = extract("book", FIRST, "loan", now=NOON, settings=book)
    deliver(book)

    second = extract("book", FIRST, "loan", now=NOON + timedelta(hours=1), settings=book)

    assert second["kept"]
    assert second["content_hash"] == first["content_hash"]
    assert manifests(book, "extract")["loan"].known_until == NOON.isoformat()


def rewritten(path):
    path.write_text(path.read_text().replace("active,10000", "active,9999"))


def linked(path):
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("spoil", [rewritten, linked])
def test_other_file_under_a_name_that_was_read_is_refused_and_changes_nothing(book, spoil):
    first = extract("book", FIRST, "loan", settings=book)
    spoil(landing(book, "loan"))

    with pytest.raises(DeliveryConflictError, match=f"other files than were extracted: loan_{CLOSE}.csv"):
        extract("book", FIRST, "loan", settings=book)

    assert manifests(book, "extract")["loan"].content_hash == first["content_hash"]
    assert extract("book", FIRST, "instalment", settings=book)["kept"] is False, "the others are read as they lie there"


def test_file_that_comes_after_the_others_were_read_is_refused(book):
    path = book.portfolios / "book" / "portfolio.yaml"
    path.write_text(path.read_text().replace("loan_{closing_date}.csv", "loan*_{closing_date}.csv"))
    extract("book", FIRST, "loan", settings=book)
    late = landing(book, "loan").with_name(f"loan_branch_{CLOSE}.csv")
    late.write_text(HEADERS["loan"] + "\n")

    with pytest.raises(DeliveryConflictError, match=late.name):
        extract("book", FIRST, "loan", settings=book)

    late.unlink()
    assert extract("book", FIRST, "loan", settings=book)["kept"]


def test_name_without_a_date_is_another_file_every_day(book):
    path = book.portfolios / "book" / "portfolio.yaml"
    path.write_text(path.read_text().replace("loan_{closing_date}.csv", f"loan_{CLOSE}.csv"))
    extract("book", FIRST, "loan", settings=book)
    rewritten(landing(book, "loan"))

    assert extract("book", FIRST, "loan", settings=book)["kept"]


def test_extract_is_kept_without_its_source(book):
    extract("book", FIRST, "loan", settings=book)
    landing(book, "loan").unlink()

    assert extract("book", FIRST, "loan", settings=book)["kept"]


def test_refreshing_an_unchanged_source_gives_the_same_hash(book):
    first = extract("book", FIRST, "loan", now=NOON, settings=book)

    again = extract("book", FIRST, "loan", refresh_source=True, now=NOON + timedelta(hours=1), settings=book)

    assert not again["kept"]
    assert again["content_hash"] == first["content_hash"]
    assert manifests(book, "extract")["loan"].known_until == NOON.isoformat()


def test_refreshing_a_changed_source_gives_a_new_version(book):
    first = extract("book", FIRST, "loan", settings=book)
    deliver(book, **spoiled("loan", 1, "active,10000", "active,9999"))

    again = extract("book", FIRST, "loan", refresh_source=True, settings=book)

    assert again["content_hash"] != first["content_hash"]
    assert again["outstanding_principal_minor"] == 59999


def test_extract_whose_file_was_changed_is_made_again(book):
    first = extract("book", FIRST, "loan", settings=book)
    day = Day.open("book", FIRST, settings=book)
    folder = book.portfolios.parent / "lake" / day.key("extract__loan").path
    (part,) = folder.glob("part-*.parquet")
    part.write_bytes(part.read_bytes()[:-1])

    again = extract("book", FIRST, "loan", settings=book)

    assert not again["kept"]
    assert again["content_hash"] == first["content_hash"]


def test_order_of_the_sources_answer_does_not_matter(postgresql_book):
    first = extract("book", FIRST, "instalment", settings=postgresql_book)
    path = postgresql_book.portfolios / "book" / "instalment.sql"
    path.write_text(f"{path.read_text()} ORDER BY seq DESC, loan_id DESC")

    again = extract("book", FIRST, "instalment", refresh_source=True, settings=postgresql_book)

    assert again["content_hash"] == first["content_hash"]


def test_dates_of_the_day_select_the_files_and_the_rows(book):
    (book.portfolios / "book" / "transaction.sql").write_text(
        "SELECT * FROM transaction WHERE CAST(effective_on AS DATE) < :closing_date - 9\n"
    )
    deliver(book, closing_date=CLOSE + timedelta(days=1))

    first = extract("book", FIRST, "transaction", settings=book)
    second = extract("book", FIRST + timedelta(days=1), "transaction", settings=book)

    assert (first["rows"], second["rows"]) == (3, 4)


# ------------------------------------------------------------------------------------------------------ what is refused
@pytest.mark.parametrize(
    ("select", "error", "found"),
    [
        pytest.param("SELECT loan_id FROM loan", SourceColumnsError, "borrower_id is missing", id="too few columns"),
        pytest.param("SELECT *, 1 AS more FROM loan", SourceColumnsError, "more is not in the contract", id="too many"),
        pytest.param(
            "SELECT * REPLACE (CAST(principal_minor AS DOUBLE) AS principal_minor) FROM loan",
            SourceTypeError,
            "principal_minor is double",
            id="money through a float",
        ),
        pytest.param(
            "SELECT * REPLACE (sum(CAST(principal_minor AS BIGINT)) OVER () AS principal_minor) FROM loan",
            SourceTypeError,
            "principal_minor is decimal128",
            id="an uncast SUM",
        ),
        pytest.param(
            "SELECT * REPLACE (CAST(disbursed_on AS TIMESTAMP) AS disbursed_on) FROM loan",
            SourceTypeError,
            "disbursed_on is timestamp",
            id="a naive timestamp",
        ),
        pytest.param("SELECT nothing FROM loan", SourceQueryError, "nothing", id="a SELECT that does not run"),
    ],
)
def test_delivery_that_is_not_the_contracts_is_refused_and_nothing_is_written(book, select, error, found):
    (book.portfolios / "book" / "loan.sql").write_text(select)

    with pytest.raises(error, match=found):
        extract("book", FIRST, "loan", settings=book)

    assert manifests(book, "extract") == {}


def test_uncast_sum_in_postgresql_is_refused_by_column_and_type(postgresql_book):
    path = postgresql_book.portfolios / "book" / "transaction.sql"
    rest = "transaction_id, loan_id, kind_code, effective_on, booked_at, reverses_id"
    path.write_text(f"SELECT {rest}, sum(amount_minor) AS amount_minor FROM core.transaction GROUP BY {rest}")

    with pytest.raises(SourceTypeError) as refused:
        extract("book", FIRST, "transaction", settings=postgresql_book)

    assert refused.value.found == "amount_minor is numeric"
    assert "CAST" in refused.value.expected
    assert refused.value.where == "book/transaction.sql"


def test_missing_file_is_waited_for_and_then_extracted(book):
    landing(book, "loan").unlink()

    assert not source_is_ready("book", FIRST, settings=book)
    with pytest.raises(SourceNotReadyError):
        extract("book", FIRST, "loan", settings=book)

    deliver(book)
    assert source_is_ready("book", FIRST, settings=book)
    assert extract("book", FIRST, "loan", settings=book)["rows"] == 4


def test_file_that_is_being_written_is_waited_for(book):
    path = book.portfolios / "book" / "portfolio.yaml"
    path.write_text(path.read_text().replace("settle_seconds: 0", "settle_seconds: 1"))
    whole, ended = landing(book, "loan").read_text(), threading.Event()

    def write_slowly():
        with landing(book, "loan").open("w") as file:
            for line in whole.splitlines(keepends=True) * 9:
                file.write(line)
                file.flush()
                ended.wait(0.2)

    writer = threading.Thread(target=write_slowly)
    writer.start()
    with pytest.raises(SourceNotReadyError, match=r"loan_2026-03-01\.csv still growing"):
        check_source_ready("book", FIRST, settings=book)
    ended.set()
    writer.join()

    deliver(book)
    check_source_ready("book", FIRST, settings=book)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        pytest.param(spoiled("loan", 2, "CNY,20000", "CNY,six-thousand"), "line 3, column principal_minor", id="value"),
        pytest.param({"loan": [*SOUND["loan"], "L9,B9"]}, "line 6", id="a line that is no row"),
    ],
)
def test_file_of_a_kind_that_is_refused_whole_is_for_one_row(book, tmp_path, wrong, place):
    path = book.portfolios / "book" / "portfolio.yaml"
    path.write_text(path.read_text().replace("loan: {", "loan: {unreadable: refuse, ", 1))
    deliver(book, **wrong)

    with pytest.raises(SourceFileError) as refused:
        extract("book", FIRST, "loan", settings=book)

    assert refused.value.where == f"loan_2026-03-01.csv {place}"
    assert refused.value.found.startswith("1 rows that cannot be read")
    assert "loan" not in manifests(book, "extract")
    assert list((tmp_path / "vault").rglob("*.jsonl")) != [], "what was delivered is kept for whoever mends it"

    deliver(book)
    assert extract("book", FIRST, "loan", settings=book)["rows"] == 4


@pytest.mark.parametrize("sign", ["\u200b", "\u00a0", "\ufeff", "\u202e", "\u2028", "\u3000", "\x0c"])
def test_identifier_with_a_sign_that_nobody_sees_is_none(book, sign):
    deliver(book, **spoiled("loan", 2, "L2,", f"L2{sign},"))

    assert extract("book", FIRST, "loan", settings=book)["unreadable"] == 1


@pytest.mark.parametrize(
    ("answer", "is_ready"), [("TRUE", True), ("FALSE", False), ("NULL::boolean", False), ("1", True), ("0", False)]
)
def test_database_says_itself_whether_it_has_closed(postgresql_book, answer, is_ready):
    (postgresql_book.portfolios / "book" / "ready.sql").write_text(
        f"SELECT {answer} WHERE :closing_date = '2026-03-01'"
    )

    assert source_is_ready("book", FIRST, settings=postgresql_book) is is_ready


@pytest.mark.parametrize("select", ["SELECT 2", "SELECT 'yes'", "SELECT TRUE WHERE FALSE", "SELECT TRUE, TRUE"])
def test_ready_select_that_answers_no_boolean_is_refused(sqlite_book, select):
    (sqlite_book.portfolios / "book" / "ready.sql").write_text(select)

    with pytest.raises(SourceQueryError, match=r"ready\.sql"):
        source_is_ready("book", FIRST, settings=sqlite_book)


def test_source_that_is_away_is_told(tmp_path):
    settings = database_book(tmp_path, "postgresql://someone:hunter2-hunter2@127.0.0.1:1/ledger", "SELECT 1")
    (settings.portfolios / "book" / "ready.sql").write_text("SELECT TRUE")

    for action in (
        lambda: source_is_ready("book", FIRST, settings=settings),
        lambda: extract("book", FIRST, "loan", settings=settings),
    ):
        with pytest.raises(SourceUnreachableError) as away:
            action()
        assert "hunter2" not in str(away.value)


# --------------------------------------------------------------------------------------------------------- the vault
def test_unreadable_text_goes_to_the_vault_and_nowhere_else(book, tmp_path):
    deliver(book, **spoiled("loan", 2, "CNY,20000", "CNY,six-thousand"))

    summary = extract("book", FIRST, "loan", settings=book)

    (row,) = [row for row in rows_of(book, "extract__loan", FIRST) if row["conversion_errors"]]
    assert summary["unreadable"] == 1
    assert (row["loan_id"], row["principal_minor"], row["conversion_errors"]) == ("L2", None, "principal_minor")
    holding = [
        path.relative_to(tmp_path).parts[0]
        for path in tmp_path.rglob("*")
        if path.is_file() and b"six-thousand" in path.read_bytes()
    ]
    assert sorted(holding) == ["landing", "vault"]


def test_repaired_delivery_empties_the_vault_again(book, tmp_path):
    deliver(book, **spoiled("loan", 2, "CNY,20000", "CNY,six-thousand"))
    extract("book", FIRST, "loan", settings=book)
    assert list((tmp_path / "vault").rglob("*.jsonl")) != []

    deliver(book)
    extract("book", FIRST, "loan", refresh_source=True, settings=book)

    assert list((tmp_path / "vault").rglob("*.jsonl")) == []
