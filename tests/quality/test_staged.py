"""The second gate: staged rows that break their contract are named, never shown, never published."""

from datetime import timedelta

import pytest
from arrears.errors import QualityGateError, WarehouseSchemaError, WarehouseUnreachableError
from arrears.jobs.day import Day
from arrears.jobs.publish import publish
from arrears.quality.staged import decide_on_staged
from arrears.warehouse.connection import transaction
from arrears.warehouse.ledger import published_hash
from arrears.warehouse.staging import stage
from arrears.warehouse.tables import FACTS, STG
from pydantic import SecretStr
from sqlalchemy import text
from support.books import make_book, put
from support.facts import DAY, NOON, put_day

NEXT = DAY + timedelta(days=1)
MINE, OTHER = "publication-1", "publication-2"
SUMMARY = next(contract for contract in FACTS if contract.mart == "fct_summary_daily")


@pytest.fixture
def settings(tmp_path, warehouse_url):
    yield make_book(tmp_path).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    with transaction(warehouse_url) as connection:
        connection.execute(text(f"TRUNCATE {', '.join(map(str, STG.values()))}"))


@pytest.fixture
def staged(settings):
    """Rows by lake table of a day that is staged as ``MINE``."""
    put_day(settings, loans=3)
    day = Day.open("book", DAY, settings=settings)
    with day.work() as work:
        manifests = {contract.table: work.read(contract.table) for contract in FACTS}
        figures = stage(settings.warehouse, work.connection, manifests, MINE)
    return {table: figure.rows for table, figure in figures.items()}


def change(settings, statement):
    with transaction(settings.warehouse) as connection:
        assert connection.execute(text(statement)).rowcount > 0


def test_gate_passes_what_the_contracts_promise(settings, staged):
    decide_on_staged(settings.warehouse, MINE, "book", staged)

    assert staged["core__loan_delinquency_daily"] == 3


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        pytest.param(
            "UPDATE stg.fct_case_daily SET event_code = 'unspeakable' WHERE case_id = 'case-loan-1'",
            "fct_case_daily: expect_column_values_to_be_between of outside__event_code",
            id="a code outside its closed list",
        ),
        pytest.param(
            "UPDATE stg.fct_case_daily SET case_id = 'case-loan-0' WHERE case_id = 'case-loan-1'",
            "fct_case_daily: expect_column_values_to_be_between of repeats",
            id="a key twice",
        ),
        pytest.param(
            "DELETE FROM stg.fct_case_daily WHERE case_id = 'case-loan-1'",
            "fct_case_daily: expect_column_values_to_be_between of difference__rows",
            id="a row lost",
        ),
        pytest.param(
            "UPDATE stg.fct_par_daily SET portfolio = 'unspeakable' WHERE threshold_days = 30",
            "fct_par_daily: expect_column_values_to_be_between of others__portfolio",
            id="a row of another portfolio",
        ),
    ],
)
def test_gate_refuses_without_showing_values(settings, staged, statement, complaint):
    change(settings, statement)

    with pytest.raises(QualityGateError) as caught:
        decide_on_staged(settings.warehouse, MINE, "book", staged)

    assert complaint in caught.value.found
    assert "unspeakable" not in str(caught.value)


def test_column_that_is_not_there_is_refused(settings, staged):
    renamed = "ALTER TABLE stg.fct_case_daily RENAME {} TO {}"
    with transaction(settings.warehouse) as connection:
        connection.execute(text(renamed.format("event_code", "unspeakable")))

    with pytest.raises(WarehouseSchemaError, match="event_code"):
        decide_on_staged(settings.warehouse, MINE, "book", staged)

    with transaction(settings.warehouse) as connection:
        connection.execute(text(renamed.format("unspeakable", "event_code")))


def test_gate_looks_at_its_own_publication_only(settings, staged):
    change(
        settings,
        "INSERT INTO stg.fct_quarantine SELECT 'other', business_date, table_name, row_number, source_file, "
        f"source_line, column_name, rule_id, 'unspeakable', load_id, '{OTHER}' FROM stg.fct_quarantine",
    )

    decide_on_staged(settings.warehouse, MINE, "book", staged)

    with pytest.raises(QualityGateError, match="fct_quarantine"):
        decide_on_staged(settings.warehouse, OTHER, "book", staged)


def test_table_that_may_not_be_empty_is_expected_to_hold_rows(settings, staged):
    change(settings, "DELETE FROM stg.fct_summary_daily")

    with pytest.raises(QualityGateError, match="fct_summary_daily: expect_column_values_to_be_between of rows"):
        decide_on_staged(settings.warehouse, MINE, "book", {**staged, SUMMARY.table: 0})


def test_unreachable_warehouse_is_told_without_its_url(staged):
    url = "postgresql+psycopg://arrears:unspeakable@127.0.0.1:1/arrears"

    with pytest.raises(WarehouseUnreachableError) as caught:
        decide_on_staged(url, MINE, "book", staged)

    assert "unspeakable" not in str(caught.value)


def test_publish_passes_the_gate(settings):
    put_day(settings)

    result = publish("book", DAY, is_backfill=False, now=NOON, settings=settings)

    assert result["published"]
    assert published_hash(settings.warehouse, "book", DAY) == result["content_hash"]


def test_publish_stops_at_the_gate_and_leaves_the_rows_for_inspection(settings):
    put_day(settings, NEXT)
    put(settings, "out__quarantine", NEXT, [{"table_name": "loan", "row_number": 1, "severity_code": "unspeakable"}])

    with pytest.raises(QualityGateError, match="severity_code"):
        publish("book", NEXT, is_backfill=False, now=NOON, settings=settings)

    assert published_hash(settings.warehouse, "book", NEXT) is None
    with transaction(settings.warehouse) as connection:
        assert (
            connection.execute(
                text("SELECT count(*) FROM mart.fct_loan_daily WHERE business_date = :day"), {"day": NEXT}
            ).scalar_one()
            == 0
        )
        assert connection.execute(text("SELECT count(*) FROM stg.fct_quarantine")).scalar_one() == 1
