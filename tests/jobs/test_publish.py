"""Publishing a date: all of it or none, once, and never a contact that may not be made."""

import threading
from datetime import timedelta

import pytest
from arrears.errors import (
    ConfigurationError,
    PartitionCorruptError,
    PartitionMissingError,
    PartitionStaleError,
    PublishAuditError,
    PublishLockedError,
    WarehouseSchemaError,
    WarehouseUnreachableError,
)
from arrears.jobs import publish as publish_job
from arrears.jobs.day import Day
from arrears.jobs.publish import publish
from arrears.lake import PartitionKey
from arrears.warehouse import staging
from arrears.warehouse.connection import transaction
from arrears.warehouse.ledger import current_publication, published_hash
from arrears.warehouse.tables import FACTS, MART, STG
from pydantic import SecretStr
from sqlalchemy import text
from support.books import make_book, put
from support.facts import DAY, NOON, UNTIL, put_day

EVERYTHING = ("mart", "stg", "ops")


@pytest.fixture(autouse=True)
def without_second_gate(monkeypatch):
    """Seconds saved: the gate, and a publication through it, has its own tests (tests/quality/test_staged.py)."""
    monkeypatch.setattr(publish_job, "decide_on_staged", lambda *_: None)


@pytest.fixture
def settings(tmp_path, warehouse_url):
    yield make_book(tmp_path).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    with transaction(warehouse_url) as connection:
        tables = [*MART.values(), *STG.values(), "ops.publish_ledger", "ops.data_freshness", "ops.notification"]
        connection.execute(text(f"TRUNCATE {', '.join(map(str, tables))}"))


def run(settings, business_date=DAY, *, is_backfill=False, now=NOON, **rest):
    return publish("book", business_date, is_backfill=is_backfill, now=now, settings=settings, **rest)


def rows(settings, statement, **values):
    with transaction(settings.warehouse) as connection:
        return connection.execute(text(statement), values).all()


def versions(settings):
    """Physical identity of every row that a publication may touch."""
    tables = [str(table) for table in MART.values()]
    tables += ["ops.publish_ledger", "ops.data_freshness", "ops.notification"]
    return {table: rows(settings, f"SELECT ctid::text, xmin::text FROM {table} ORDER BY 1") for table in tables}


def steps(settings):
    return [key for (key,) in rows(settings, "SELECT step_key FROM ops.notification ORDER BY 1")]


# ------------------------------------------------------------------------------------------------- what is published
def test_publish_makes_the_facts_of_the_date(settings):
    put_day(settings, loans=3, amount=100)

    result = run(settings)

    assert (result["published"], result["reason"]) == (True, "new content")
    assert rows(settings, "SELECT loan_id, past_due_minor FROM mart.fct_loan_daily ORDER BY 1") == [
        ("loan-0", 100),
        ("loan-1", 100),
        ("loan-2", 100),
    ]
    assert rows(settings, "SELECT past_due_loans, par30_ratio, content_hash FROM bi.daily_summary")[0][0] == 3
    assert published_hash(settings.warehouse, "book", DAY) == result["content_hash"]


def test_day_without_a_past_due_loan_is_published_too(settings):
    put_day(settings, loans=0)

    assert run(settings)["published"]

    assert rows(settings, "SELECT count(*) FROM mart.fct_loan_daily") == [(0,)]
    assert rows(settings, "SELECT past_due_loans, content_hash IS NOT NULL FROM bi.daily_summary") == [(0, True)]


def test_publish_notes_totals_freshness_and_load(settings):
    put_day(settings, loans=3, amount=100)

    run(settings, run_ref="run-7")

    manifest = Day.open("book", DAY, settings=settings).lake.manifest(PartitionKey("book", "out__par_daily", DAY))
    totals, versions_, reference = rows(
        settings, "SELECT control_totals, contract_versions, run_ref FROM ops.publish_ledger"
    )[0]
    assert totals["fct_loan_daily"]["rows"] == 3
    assert totals["fct_loan_daily"]["sums"]["past_due_minor"] == 300
    assert set(totals) == set(versions_) == {contract.mart for contract in FACTS}
    assert reference == "run-7"
    freshness = rows(
        settings,
        "SELECT status_code, rows, load_id, content_hash, is_latest FROM bi.data_freshness WHERE dataset = :d",
        d="fct_par_daily",
    )
    assert freshness == [("published", 2, manifest.load_id, manifest.content_hash, True)]
    assert rows(settings, "SELECT DISTINCT load_id FROM mart.fct_par_daily") == [(manifest.load_id,)]


def test_publish_leaves_staging_empty(settings):
    put_day(settings)

    run(settings)

    assert [rows(settings, f"SELECT count(*) FROM {table}") for table in STG.values()] == [[(0,)]] * len(FACTS)


def test_publishing_twice_changes_nothing(settings):
    put_day(settings, planned=("a", "b"))
    first = run(settings)
    before = versions(settings)

    second = run(settings)

    assert (second["published"], second["reason"]) == (False, "already published")
    assert second["content_hash"] == first["content_hash"]
    assert all(before[str(table)] for table in MART.values())
    assert versions(settings) == before


def test_restated_date_replaces_the_old_rows_and_keeps_history(settings):
    put_day(settings, loans=3)
    old = run(settings)["content_hash"]
    put_day(settings, loans=2)

    new = run(settings, is_backfill=True)["content_hash"]

    assert rows(settings, "SELECT count(*) FROM mart.fct_loan_daily") == [(2,)]
    assert rows(settings, "SELECT content_hash, is_current FROM bi.publication ORDER BY sequence") == [
        (old, False),
        (new, True),
    ]
    assert rows(settings, "SELECT DISTINCT status_code FROM bi.data_freshness") == [("restated",)]


def test_publication_leaves_nothing_dead_in_the_way_of_readers(settings):
    for amount in (100, 200):
        put_day(settings, loans=3, amount=amount)
        run(settings)

    place = f"mart.fct_loan_daily_{DAY:%Y_%m}"
    pages = "SELECT relpages, relallvisible, reltuples FROM pg_class WHERE oid = CAST(:place AS regclass)"
    assert rows(settings, pages, place=place) == [(1, 1, 3)]


def test_day_is_published_although_its_tables_cannot_be_vacuumed(settings, monkeypatch, caplog):
    def refuse(*_):
        raise WarehouseUnreachableError("no answer", "an answer", "warehouse")

    monkeypatch.setattr(publish_job, "vacuum", refuse)
    put_day(settings, loans=3, amount=100)

    assert run(settings)["published"]
    assert "published, but not vacuumed (ARR-WHS-001)" in caplog.text


def test_date_may_return_to_an_earlier_content(settings):
    put_day(settings, loans=3)
    first = run(settings)["content_hash"]
    put_day(settings, loans=2)
    run(settings)
    put_day(settings, loans=3)

    third = run(settings)

    assert third["published"]
    assert third["content_hash"] == first == published_hash(settings.warehouse, "book", DAY)
    assert rows(settings, "SELECT count(*) FROM ops.publish_ledger") == [(3,)]


def test_publication_of_one_date_leaves_the_others_alone(settings):
    put_day(settings, loans=3)
    put_day(settings, DAY + timedelta(days=1), loans=1)
    run(settings)

    run(settings, DAY + timedelta(days=1), now=NOON + timedelta(days=1))

    assert rows(settings, "SELECT business_date, count(*) FROM mart.fct_loan_daily GROUP BY 1 ORDER BY 1") == [
        (DAY, 3),
        (DAY + timedelta(days=1), 1),
    ]


# ---------------------------------------------------------------------------------------------------------- contacts
def test_todays_own_run_releases_its_planned_contacts(settings):
    put_day(settings, planned=("a", "b"))

    result = run(settings)

    assert result["released_contacts"] == 2
    assert rows(settings, "SELECT step_key, state_code, contact_point_id, not_after_at FROM ops.notification") == [
        ("a", "planned", "point-a", UNTIL),
        ("b", "planned", "point-b", UNTIL),
    ]


@pytest.mark.parametrize(
    ("other_ways", "ways"),
    [(None, []), ('[{"channel_code": "email"}]', [{"channel_code": "email"}])],
    ids=["none", "another channel"],
)
def test_outbox_knows_what_else_may_be_used(settings, other_ways, ways):
    put_day(settings, planned=("a",), other_ways=other_ways)

    run(settings)

    assert rows(settings, "SELECT ways FROM ops.notification") == [(ways,)]


@pytest.mark.parametrize(
    ("state", "reason", "is_taken_up"),
    [
        ("expired", "not_after_passed", True),
        ("planned", "planned", True),
        ("rejected_retryable", "gateway_503", True),
        ("rejected_final", "address_dead", True),
        ("expired", "approval_refused", False),
        *((state, "x", False) for state in ("held", "claimed", "unknown", "sent", "suppressed", "cancelled")),
    ],
)
def test_step_of_an_earlier_day_is_taken_up_only_where_nobody_was_reached(settings, state, reason, is_taken_up):
    tomorrow = DAY + timedelta(days=1)
    put_day(settings, planned=("a",))
    run(settings)
    with transaction(settings.warehouse) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        change = f"state_code = '{state}', reason_code = '{reason}', attempt_no = 2, next_try_at = now()"
        connection.execute(text(f"UPDATE ops.notification SET {change}"))
    run(settings, run_ref="again")
    put_day(settings, tomorrow, planned=("a",), not_after=UNTIL + timedelta(days=1), other_ways="[1]")

    released = run(settings, tomorrow, now=NOON + timedelta(days=1))["released_contacts"]

    columns = "state_code, reason_code, business_date, not_after_at, ways, attempt_no, next_try_at IS NULL"
    (found,) = rows(settings, f"SELECT {columns} FROM ops.notification")
    taken_up = ("planned", "planned", tomorrow, UNTIL + timedelta(days=1), [1], 2, True)
    assert tuple(found) == (taken_up if is_taken_up else (state, reason, DAY, UNTIL, [], 2, False))
    assert released == int(is_taken_up)


@pytest.mark.parametrize(
    ("is_backfill", "now"),
    [
        pytest.param(True, NOON, id="a backfill, even of today"),
        pytest.param(False, NOON + timedelta(days=1), id="a past day"),
        pytest.param(False, NOON - timedelta(days=1), id="a day to come"),
        pytest.param(False, NOON.replace(hour=16), id="midnight has passed in the portfolio's zone"),
    ],
)
def test_contacts_are_not_released_by(settings, is_backfill, now):
    put_day(settings, planned=("a", "b"), not_after=NOON + timedelta(days=9))

    result = run(settings, is_backfill=is_backfill, now=now)

    assert result["published"]
    assert result["released_contacts"] is None
    assert steps(settings) == []


def test_contact_whose_time_has_passed_is_not_released(settings):
    put_day(settings, planned=("late",), not_after=NOON)

    result = run(settings, now=NOON)

    assert result["released_contacts"] == 0
    assert steps(settings) == []


def test_step_is_released_once_whatever_is_published_again(settings):
    put_day(settings, planned=("a", "b"), amount=100)
    run(settings)
    before = rows(settings, "SELECT step_key, xmin::text FROM ops.notification ORDER BY 1")
    put_day(settings, planned=("a", "b", "c"), amount=200)

    result = run(settings)

    assert result["released_contacts"] == 1
    assert before == rows(settings, "SELECT step_key, xmin::text FROM ops.notification WHERE step_key < 'c' ORDER BY 1")
    assert steps(settings) == ["a", "b", "c"]


def test_own_run_releases_what_a_backfill_of_today_published(settings):
    put_day(settings, planned=("a",))
    run(settings, is_backfill=True)
    facts = versions(settings)["mart.fct_loan_daily"]

    result = run(settings)

    assert (result["reason"], result["released_contacts"]) == ("contacts released", 1)
    assert steps(settings) == ["a"]
    assert facts
    assert versions(settings)["mart.fct_loan_daily"] == facts
    assert run(settings)["reason"] == "already published"


# ---------------------------------------------------------------------------------------------------------- refusals
def test_missing_table_is_refused(settings):
    put_day(settings)
    lake = Day.open("book", DAY, settings=settings).lake

    with pytest.raises(PartitionMissingError):
        run(settings, DAY + timedelta(days=1))

    assert lake.dates("book", "out__par_daily") == [DAY]
    assert published_hash(settings.warehouse, "book", DAY + timedelta(days=1)) is None


def test_stale_table_is_refused(settings):
    put(settings, "raw__loan", DAY, [{"loan_id": "one"}])
    put_day(settings)
    with Day.open("book", DAY, settings=settings).work() as work:
        work.read("raw__loan")
        work.write(
            "core__instalment_delinquency_daily",
            select="SELECT loan_id, 1::INTEGER AS seq, DATE '2026-01-01' AS due_on, "
            "DATE '2026-01-01' AS overdue_on, 1::INTEGER AS past_due_days, "
            "0::INTEGER AS paused_days, TRUE AS is_counted, "
            "1::INTEGER AS delinquent_days, 1::BIGINT AS past_due_minor, 1::BIGINT AS past_due_principal_minor, "
            "0::BIGINT AS past_due_interest_minor, 0::BIGINT AS past_due_fee_minor, "
            "0::BIGINT AS past_due_penalty_minor, '1-30' AS bucket FROM raw__loan",
        )
    with Day.open("book", DAY, settings=settings).work() as work:
        work.read("core__instalment_delinquency_daily")
        work.write("out__quarantine", select="SELECT 'loan' AS table_name, 7::BIGINT AS row_number, NULL::VARCHAR AS "
                   "source_file, NULL::BIGINT AS source_line, 'x' AS column_name, 'r' AS rule_id, 'fail' AS "
                   "severity_code, NULL::VARCHAR AS loan_id, NULL::VARCHAR AS party_id")  # fmt: skip
    assert run(settings)["published"]
    put(settings, "raw__loan", DAY, [{"loan_id": "two"}])

    with pytest.raises(PartitionStaleError, match="raw__loan of core__instalment_delinquency_daily has changed"):
        run(settings)


def test_changed_configuration_makes_a_date_stale(settings):
    put_day(settings)
    (settings.policies / "house.yaml").write_text("pack: house\nrules: []\n")

    with pytest.raises(PartitionStaleError, match="config of "):
        run(settings)

    assert published_hash(settings.warehouse, "book", DAY) is None


def test_changed_file_is_refused(settings):
    put_day(settings)
    part = next((settings.portfolios.parent / "lake/book/out__par_daily").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"x")

    with pytest.raises(PartitionCorruptError):
        run(settings)

    assert published_hash(settings.warehouse, "book", DAY) is None


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        pytest.param(
            "UPDATE stg.fct_loan_daily SET past_due_minor = past_due_minor + 1 WHERE loan_id = 'loan-0'",
            "fct_loan_daily: past_due_minor 301, not 300",
            id="an amount off by one minor unit",
        ),
        pytest.param(
            "DELETE FROM stg.fct_assignment_daily WHERE case_id = 'case-loan-0'",
            "fct_assignment_daily: rows 2, not 3",
            id="a row lost",
        ),
        pytest.param(
            "UPDATE stg.fct_case_daily SET case_id = 'case-loan-0' WHERE case_id = 'case-loan-1'",
            "fct_case_daily_2026_03_pkey",
            id="a key twice, were the gate not to see it",
        ),
    ],
)
def test_damage_in_staging_is_refused(settings, monkeypatch, damage, complaint):
    put_day(settings, loans=3, amount=100)

    def stage_and_damage(*arguments):
        figures = staging.stage(*arguments)
        rows_changed = 0
        with transaction(settings.warehouse) as connection:
            rows_changed = connection.execute(text(damage)).rowcount
        assert rows_changed == 1
        return figures

    monkeypatch.setattr(publish_job, "stage", stage_and_damage)

    with pytest.raises(PublishAuditError, match=complaint):
        run(settings)

    assert published_hash(settings.warehouse, "book", DAY) is None
    assert rows(settings, "SELECT count(*) FROM mart.fct_loan_daily") == [(0,)]
    assert rows(settings, "SELECT count(*) FROM stg.fct_loan_daily") == [(3,)], "staged rows stay for inspection"
    monkeypatch.setattr(publish_job, "stage", staging.stage)
    assert run(settings)["published"]


def test_staged_rows_taken_away_after_the_audit_are_noticed(settings, monkeypatch):
    put_day(settings)

    def decide_and_lose(url, *_):
        with transaction(url) as connection:
            connection.execute(text("TRUNCATE stg.fct_par_daily"))  # as a server crash does with unlogged tables

    monkeypatch.setattr(publish_job, "decide_on_staged", decide_and_lose)

    with pytest.raises(PublishLockedError, match="fct_par_daily holds 0 of 2 audited rows"):
        run(settings)

    assert rows(settings, "SELECT count(*) FROM mart.fct_loan_daily") == [(0,)]


def test_warehouse_that_was_never_upgraded_is_refused(settings, empty_database_url):
    put_day(settings)
    elsewhere = settings.model_copy(update={"warehouse_url": SecretStr(empty_database_url)})

    with pytest.raises(WarehouseSchemaError, match="publish_ledger"):
        run(elsewhere)


def test_unreachable_warehouse_is_named_without_its_password(settings):
    put_day(settings)
    nowhere = "postgresql+psycopg://arrears:unspeakable@127.0.0.1:1/arrears"
    elsewhere = settings.model_copy(update={"warehouse_url": SecretStr(nowhere)})

    with pytest.raises(WarehouseUnreachableError) as caught:
        run(elsewhere)

    assert "unspeakable" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_publishing_without_a_warehouse_is_a_mistake_of_the_settings(settings):
    put_day(settings)

    with pytest.raises(ConfigurationError, match="no warehouse URL"):
        run(settings.model_copy(update={"warehouse_url": None}))


# ----------------------------------------------------------------------------------------------- side by side
@pytest.mark.parametrize("lock", ["arrears.stage:book", "arrears.publish:book"])
def test_second_publisher_of_a_portfolio_is_told_to_come_again(settings, monkeypatch, lock):
    monkeypatch.setattr("arrears.warehouse.publication.LOCK_SECONDS", 1)
    put_day(settings)
    with transaction(settings.warehouse) as other:
        other.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:lock, 0))"), {"lock": lock})

        with pytest.raises(PublishLockedError):
            run(settings)

    assert published_hash(settings.warehouse, "book", DAY) is None
    assert run(settings)["published"]


def test_publisher_that_lost_its_lock_never_replaces_what_was_published_meanwhile(settings, monkeypatch):
    put_day(settings, loans=3)
    newer = []
    end_holder = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"

    def decide_while_another_publishes(*_):
        monkeypatch.setattr(publish_job, "decide_on_staged", lambda *_: None)
        assert rows(settings, end_holder) == [(True,)]
        put_day(settings, loans=2)
        newer.append(run(settings)["content_hash"])

    monkeypatch.setattr(publish_job, "decide_on_staged", decide_while_another_publishes)

    with pytest.raises(PublishLockedError, match="published by another run meanwhile"):
        run(settings)

    assert published_hash(settings.warehouse, "book", DAY) == newer[0]
    assert rows(settings, "SELECT count(*) FROM mart.fct_loan_daily") == [(2,)]


def test_concurrent_publishers_of_one_date_publish_it_once(settings):
    put_day(settings, planned=("a", "b"))
    outcomes = []

    def publisher():
        try:
            outcomes.append(run(settings)["reason"])
        except PublishLockedError:
            outcomes.append("come again")

    publishers = [threading.Thread(target=publisher) for _ in range(4)]
    for one in publishers:
        one.start()
    for one in publishers:
        one.join()

    assert outcomes.count("new content") == 1
    assert set(outcomes) <= {"new content", "already published", "come again"}
    assert len(outcomes) == 4
    assert rows(settings, "SELECT count(*) FROM ops.publish_ledger") == [(1,)]
    assert rows(settings, "SELECT count(*) FROM mart.fct_loan_daily") == [(3,)]
    assert steps(settings) == ["a", "b"]


def test_readers_see_all_of_a_date_or_none_of_it(settings):
    torn = text(
        "SELECT (SELECT count(*) FROM mart.fct_loan_daily) AS loans, "
        "(SELECT coalesce(sum(past_due_minor), 0) FROM mart.fct_loan_daily) AS amount, "
        "(SELECT sum(past_due_loans) FROM bi.daily_summary) AS loans_said, "
        "(SELECT sum(past_due_minor) FROM bi.daily_summary) AS amount_said, "
        "(SELECT count(*) FROM bi.case_daily) AS cases"
    )
    put_day(settings, loans=1)
    run(settings)
    seen, stop = [], threading.Event()

    def reader():
        while not stop.is_set() or len(seen) < 500:
            with transaction(settings.warehouse) as connection:
                seen.append(connection.execute(torn).one())

    thread = threading.Thread(target=reader)
    thread.start()
    for number in range(2, 9):
        put_day(settings, loans=number, amount=100 * number)
        run(settings)
    stop.set()
    thread.join()

    assert len(seen) >= 500
    assert len({one.loans for one in seen}) > 3, "the reader saw several publications"
    assert [
        one for one in seen if (one.loans, one.amount, one.cases) != (one.loans_said, one.amount_said, one.loans)
    ] == []


def test_current_publication_of_a_date_never_published_is_none(settings):
    assert current_publication(settings.warehouse, "book", DAY) is None
