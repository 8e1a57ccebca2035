"""Any published figure is walked back to the bytes it came from, and any loan to its delivered lines."""

import hashlib
from datetime import timedelta

import pytest
from arrears.cli import main
from arrears.errors import RuleInputError
from arrears.jobs.extract import extract
from arrears.jobs.walk_back import AS_READ, MOVED, lines_of, walk_back
from arrears.warehouse.connection import transaction
from sqlalchemy import text
from support.day_book import FIRST, deliver, environment, make_day_book, work_day

LANDING = "landing"


@pytest.fixture(scope="module")
def settings(tmp_path_factory, warehouse_url):
    made = make_day_book(tmp_path_factory.mktemp("book"), warehouse_url)
    deliver(made, FIRST, loans=4)
    work_day(made, FIRST)
    return made


def landed(settings, noun):
    return settings.portfolios.parent / LANDING / f"{noun}_{FIRST - timedelta(days=1)}.csv"


def test_row_of_bi_is_walked_back_to_the_bytes_of_its_files(settings):
    with transaction(settings.warehouse) as connection:
        asked = "SELECT DISTINCT load_id FROM mart.fct_loan_daily WHERE business_date = :day"
        load_id = connection.execute(text(asked), {"day": FIRST}).scalar_one()

    makings = walk_back("book", FIRST, load_id, settings=settings)

    assert (makings[0].table, makings[0].depth, makings[0].rows) == ("core__loan_delinquency_daily", 0, 4)
    assert {one.state for one in makings} == {AS_READ}
    extracts = {one.table: one.made_of for one in makings if one.table.startswith("extract__")}
    for noun in ("loan", "instalment", "transaction"):
        file = landed(settings, noun)
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        assert extracts[f"extract__{noun}"] == f"{file.name} sha256 {sha256}"


def test_every_published_fact_is_walked_back_to_an_extract(settings):
    with transaction(settings.warehouse) as connection:
        asked = "SELECT inputs FROM ops.publish_ledger WHERE business_date = :day"
        tables = list(connection.execute(text(asked), {"day": FIRST}).scalar_one())

    without = [
        table
        for table in tables
        if not any(one.table.startswith("extract__") for one in walk_back("book", FIRST, table, settings=settings))
    ]

    assert len(tables) > 20
    assert without == []


def test_loan_is_walked_back_to_its_lines(settings):
    lines = lines_of("book", FIRST, "L0001", settings=settings)

    for line in lines:
        path = landed(settings, line["ledger_table"].removeprefix("raw__"))
        assert path.name == line["file"]
        assert "L0001" in path.read_text().splitlines()[line["line"] - 1]
    assert {line["ledger_table"] for line in lines} == {"raw__loan", "raw__instalment", "raw__transaction"}


def test_what_is_not_there_is_refused(settings):
    for walk in (
        lambda: walk_back("book", FIRST, "fct_nothing", settings=settings),
        lambda: lines_of("book", FIRST, "L9", settings=settings),
    ):
        with pytest.raises(RuleInputError):
            walk()


def test_command_tells_what_has_changed_since(settings, monkeypatch, capsys):
    for name, value in environment(settings).items():
        if name.startswith("ARREARS_"):
            monkeypatch.setenv(name, value)
    file = landed(settings, "loan")
    file.write_text(file.read_text().replace(",tour,", ",cruise,"))
    extract("book", FIRST, "loan", refresh_source=True, settings=settings)
    words = ["walk-back", "fct_loan_daily", "--portfolio", "book", "--date", str(FIRST), "--loan", "L0001"]
    monkeypatch.setattr("sys.argv", ["arrears", *words])

    with pytest.raises(SystemExit) as ended:
        main()

    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 0
    assert [line.split()[0] for line in lines if MOVED in line] == ["extract__loan"]
    assert f"raw__loan: {file.name} line 3" in lines
