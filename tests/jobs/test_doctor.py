"""Each thing that may be wrong with a deployment is found, with what to do about it, and hides none of the others."""

import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from arrears.jobs.doctor import doctor
from arrears.jobs.publish import publish
from arrears.keys import new_key
from arrears.warehouse import run_ledger
from arrears.warehouse.audit import record
from arrears.warehouse.connection import transaction
from arrears.warehouse.roles import JOBS, create_login
from arrears.warehouse.sealing import Vault
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text
from support.books import make_book
from support.facts import DAY, NOON, put_day, put_publication
from support.outbox import put_steps, step
from support.warehouse import put_row

TABLES = "ops.publish_ledger, ops.data_freshness, ops.run_ledger, ops.notification"
GIB = 1024**3
PACK = Path("include/policies/house_default.yaml")


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def settings(tmp_path, warehouse_url, monkeypatch):
    monkeypatch.setattr("arrears.jobs.publish.decide_on_staged", lambda *_: None)  # the second gate has its own tests
    found = make_book(tmp_path).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    (found.policies / "house.yaml").write_text(PACK.read_text().replace("pack: house_default", "pack: house"))
    yield found
    with transaction(warehouse_url) as connection:
        connection.execute(text(f"TRUNCATE {TABLES} CASCADE"))


def looked(settings, now=NOON):
    return {finding.matter: finding for finding in doctor(settings, now)}


def state_and_fix(finding):
    return finding.state, finding.fix


def published(settings):
    put_day(settings, DAY)
    publish("book", DAY, is_backfill=True, now=NOON, settings=settings)


def test_a_deployment_without_a_fault_has_none(settings):
    published(settings)

    found = looked(settings)

    assert [finding for finding in found.values() if finding.state == "fail"] == []
    assert {"warehouse", "migrations", "clock", "lake", "disk", "portfolio book", "source of book"} <= set(found)
    assert {"dates of book", "watch", "unknown sends", "held plans", "audit trail"} <= set(found)
    assert all(finding.fix for finding in found.values() if finding.state != "ok")


def test_a_product_about_which_contact_has_stopped_is_named(settings):
    published(settings)
    figure = {"table_name": "raw__transaction", "profile_code": "slice_newest_days__tour", "verdict_code": "holds"}
    with transaction(settings.warehouse) as connection:
        put_row(connection, "mart.fct_data_quality_daily", portfolio="book", business_date=DAY, **figure)

    found = looked(settings)["watch book"]

    assert (found.state, "slice_newest_days__tour" in found.found) == ("fail", True)
    assert found.fix == "see docs/runbooks/ARR-VAL-006.md"
    with transaction(settings.warehouse) as connection:
        connection.execute(text("DELETE FROM mart.fct_data_quality_daily"))


def test_a_warehouse_that_is_gone_hides_nothing_else(settings):
    gone = settings.model_copy(update={"warehouse_url": SecretStr("postgresql+psycopg://nobody@127.0.0.1:1/none")})

    found = looked(gone)

    assert state_and_fix(found["warehouse"]) == ("fail", "see docs/runbooks/ARR-WHS-001.md")
    assert found["lake"].state == "ok"


def test_a_warehouse_of_another_version_is_named(settings, empty_database_url):
    found = looked(settings.model_copy(update={"warehouse_url": SecretStr(empty_database_url)}))

    assert state_and_fix(found["migrations"]) == ("fail", "python -m arrears migrate")


def test_clocks_that_differ_are_named(settings, monkeypatch):
    class Late(datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) + timedelta(hours=1)

    monkeypatch.setattr("arrears.jobs.doctor.datetime", Late)

    assert looked(settings)["clock"].state == "fail"


def test_a_lake_that_cannot_be_written_is_named(settings, tmp_path):
    (tmp_path / "file").write_text("a file is no folder")

    found = looked(settings.model_copy(update={"lake_url": f"file://{tmp_path / 'file' / 'lake'}"}))

    assert found["lake"].state == "fail"
    assert "disk" not in found


def test_the_probe_leaves_nothing_in_the_lake(settings, tmp_path):
    looked(settings)

    assert not list((tmp_path / "lake").glob("tmp.*"))
    assert stat.S_ISDIR((tmp_path / "lake").stat().st_mode)


def test_a_full_disk_is_named(settings, monkeypatch):
    monkeypatch.setattr("arrears.jobs.doctor.shutil.disk_usage", lambda _: Usage(100 * GIB, 98 * GIB, 2 * GIB))

    disk = looked(settings)["disk"]

    assert disk.state == "fail"
    assert "retention" in disk.fix


def test_a_small_disk_that_is_mostly_free_is_no_full_one(settings, monkeypatch):
    monkeypatch.setattr("arrears.jobs.doctor.shutil.disk_usage", lambda _: Usage(8 * GIB, 4 * GIB, 4 * GIB))

    assert looked(settings)["disk"].state == "ok"


def test_a_folder_with_a_mistake_is_named(settings):
    (settings.portfolios / "book/portfolio.yaml").write_text("title: [")

    found = looked(settings)

    assert state_and_fix(found["portfolio book"]) == ("fail", "python -m arrears check-portfolio book")


def test_packs_that_nobody_reviewed_are_a_warning(settings):
    found = looked(settings)["packs of book"]

    assert state_and_fix(found) == ("warn", "see docs/runbooks/ARR-POL-001.md")


def test_a_source_that_is_gone_fails_a_portfolio_in_use_and_warns_of_another(settings):
    path = settings.portfolios / "book/portfolio.yaml"
    path.write_text(path.read_text().replace('url: "sqlite://"', 'url: "postgresql+psycopg://nobody@127.0.0.1:1/none"'))
    (settings.portfolios / "book/ready.sql").write_text("SELECT TRUE")

    before = looked(settings)["source of book"]
    put_publication(settings.warehouse, DAY)
    after = looked(settings)["source of book"]

    assert (before.state, after.state) == ("warn", "fail")
    assert after.fix == "see docs/runbooks/ARR-EXT-002.md"


def test_stale_dates_come_with_the_command_that_mends_them(settings):
    published(settings)
    put_day(settings, DAY, loans=9)

    found = looked(settings)["dates of book"]

    assert state_and_fix(found) == (
        "warn",
        "python -m arrears restate --portfolio book --from 2026-03-02 --to 2026-03-02",
    )


def test_a_task_that_never_came_back_is_named(settings):
    run_ledger.started(settings.warehouse, "book", DAY, "run-1", "age")

    found = looked(settings)["runs of book"]

    assert found.state == "fail"
    assert found.found == "2026-03-02 age: started, never finished"
    assert "ARR-RUN-FAILED" in found.fix


def test_a_late_day_is_named(settings):
    put_publication(settings.warehouse, DAY)

    found = looked(settings, NOON + timedelta(days=2))["watch book"]

    assert state_and_fix(found) == ("fail", "see docs/runbooks/ARR-RUN-LATE.md")


@pytest.mark.parametrize(
    ("state", "matter", "grade"), [("unknown", "unknown sends", "fail"), ("held", "held plans", "warn")]
)
def test_sends_that_wait_for_somebody_are_counted(settings, state, matter, grade):
    put_steps(settings.warehouse, [step(name, state_code=state) for name in "ab"])

    found = looked(settings)[matter]

    assert (found.state, found.found[:2]) == (grade, "2 ")
    assert found.fix


def test_entries_that_no_anchor_knows_are_a_warning(settings):
    with create_engine(settings.warehouse).begin() as connection:
        record(connection, actor="A", action="outbox.stop", subject="all", reason="drill")

    assert looked(settings)["audit anchors"].fix.startswith("python -m arrears audit anchor")


def test_a_broken_audit_trail_is_named(settings):
    engine = create_engine(settings.warehouse)
    with engine.begin() as connection:
        record(connection, actor="A", action="outbox.stop", subject="all", reason="drill")
        record(connection, actor="A", action="outbox.start", subject="all", reason="drill is over")
    assert looked(settings)["audit trail"].state == "ok"

    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # goes round the trigger
        connection.execute(text("UPDATE ops.audit_entry SET reason = 'another' WHERE entry_no = 1"))

    assert looked(settings)["audit trail"].found.startswith("does not hold: entry 1: ")


def test_a_deployment_without_master_keys_is_named(settings):
    found = looked(settings.model_copy(update={"master_keys": SecretStr("")}))

    assert state_and_fix(found["audit trail"]) == ("fail", "see docs/runbooks/ARR-CFG-001.md")
    assert state_and_fix(found["master keys"]) == ("fail", "python -m arrears keys new, then set them")


def test_a_master_key_that_is_gone_is_named(settings):
    with transaction(settings.warehouse) as connection:
        Vault(connection, settings.keys).seal("book", "party:P1", "x", "y")
    other = settings.model_copy(update={"master_keys": SecretStr(f"2:{new_key()}")})

    assert looked(settings)["master keys"].state == "ok"
    found = looked(other)["master keys"]

    assert found.found == "version 1 sealed values of the vault and is not here"


def test_jobs_that_own_the_tables_are_a_warning(settings):
    create_login(settings.warehouse, JOBS, "only-for-this-test")
    jobs = make_url(settings.warehouse).set(username=JOBS.name, password="only-for-this-test")  # noqa: S106

    assert looked(settings)["login"].state == "warn"
    url = SecretStr(jobs.render_as_string(hide_password=False))
    assert looked(settings.model_copy(update={"warehouse_url": url}))["login"].state == "ok"


def test_alarms_that_reach_nobody_are_a_warning(settings):
    told = settings.model_copy(update={"watch_webhook": SecretStr("http://127.0.0.1:1/"), "alert_connection": "smtp"})

    assert {looked(settings)[f"alarms of {name}"].state for name in ("failures", "watch")} == {"warn"}
    assert {looked(told)[f"alarms of {name}"].state for name in ("failures", "watch")} == {"ok"}
