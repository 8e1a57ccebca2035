"""Evidence of a case: everything of it, nobody's name, the same bytes twice, and hashes that prove each file."""

import hashlib
import json
import zipfile
from datetime import timedelta
from uuid import uuid4

import pytest
from arrears.errors import RuleInputError
from arrears.jobs.evidence import evidence
from arrears.jobs.publish import publish
from arrears.sending import by_hand
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import NOTIFICATION
from pydantic import SecretStr
from sqlalchemy import text, update
from support.books import make_book, put
from support.desk import put_reports
from support.facts import DAY, NOON, put_day

BORROWER = "party-8841"


@pytest.fixture(scope="module")
def settings(tmp_path_factory, warehouse_url):
    """One published case with a message, its settlement, a stop, reports, and another case beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("arrears.jobs.publish.decide_on_staged", lambda *_: None)
        made = make_book(tmp_path_factory.mktemp("book"))
        made = made.model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
        put_day(made, planned=("a",))
        cases = [{"case_id": f"case-{name}", "borrower_id": owner, "currency": "CNY"} for name, owner in OWNERS.items()]
        put(made, "core__case_daily", DAY, cases)
        publish("book", DAY, is_backfill=False, now=NOON, settings=made)
    put_reports(warehouse_url)
    with transaction(warehouse_url) as connection:
        claimed = {"state_code": "claimed", "claim_id": uuid4(), "attempt_no": 1, "changed_by": "d"}
        claimed |= {"claim_expires_at": NOON + timedelta(days=9999)}
        for values in (claimed, {"state_code": "unknown", "claim_id": None, "claim_expires_at": None}):
            connection.execute(update(NOTIFICATION).where(NOTIFICATION.c.step_key == "a").values(**values))
        by_hand.settle(connection, "a", "give-up", actor="ops:7", reason="the provider never heard of it")
        by_hand.stop(connection, "portfolio", "book", actor="ops:8", reason="drill")
    return made


OWNERS = {"a": BORROWER, "other": "party-2", "third": "party-3"}


def taken(settings, path, case="case-a", **how):
    done = evidence("book", case, path, settings=settings, **how)
    with zipfile.ZipFile(path) as archive:
        return done, {name: archive.read(name) for name in archive.namelist()}


def rows(files, name):
    return json.loads(files[f"{name}.json"])


def test_it_holds_what_was_decided_said_and_done_of_the_case_and_no_other(settings, tmp_path):
    _, files = taken(settings, tmp_path / "e.zip")

    assert [row["case_id"] for row in rows(files, "mart.fct_case_daily")] == ["case-a"]
    assert {row["state_code"] for row in rows(files, "ops.notification")} == {"cancelled"}
    assert [row["state_code"] for row in rows(files, "ops.notification_event")][-2:] == ["unknown", "cancelled"]
    entries = [(row["action"], row["actor"], row["reason"]) for row in rows(files, "ops.audit_entry")]
    assert entries == [
        ("outbox.settle", "ops:7", "the provider never heard of it"),
        ("outbox.stop", "ops:8", "drill"),
    ]
    assert rows(files, "ops.audit_entry")[0]["before"] == {"state": "unknown"}
    assert {row["business_date"] for row in rows(files, "ops.publish_ledger")} == {str(DAY)}
    assert rows(files, "audit_trail")[0]["faults"] == []
    assert "case-other" not in files["index.html"].decode()


def test_every_file_is_as_the_manifest_says_and_the_same_state_gives_the_same_bytes(settings, tmp_path):
    done, files = taken(settings, tmp_path / "one.zip")
    again, _ = taken(settings, tmp_path / "two.zip")

    listed = json.loads(files.pop("manifest.json"))["files"]
    assert len(listed) > 10
    assert {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} == listed
    assert done["sha256"] == again["sha256"] == hashlib.sha256((tmp_path / "one.zip").read_bytes()).hexdigest()


def test_people_are_pseudonyms_unless_somebody_asks_by_name(settings, tmp_path):
    _, hidden = taken(settings, tmp_path / "e.zip")
    assert BORROWER.encode() not in b"".join(hidden.values())
    (case,) = rows(hidden, "mart.fct_case_daily")
    assert case["borrower_id"].startswith("P-")

    _, shown = taken(settings, tmp_path / "e.zip", actor="auditor:1", reason="complaint 12")
    assert BORROWER.encode() in b"".join(shown.values())
    with transaction(settings.warehouse) as connection:
        last = connection.execute(
            text("SELECT actor, action, subject, reason FROM ops.audit_entry ORDER BY entry_no DESC LIMIT 1")
        ).one()
    assert tuple(last) == ("auditor:1", "evidence.identified", "book case-a", "complaint 12")


def test_identifiers_without_a_reason_and_unknown_cases_are_refused(settings, tmp_path):
    with pytest.raises(RuleInputError, match="author or reason"):
        evidence("book", "case-a", tmp_path / "e.zip", settings=settings, actor="auditor:1")
    with pytest.raises(RuleInputError, match="never published"):
        evidence("book", "case-none", tmp_path / "e.zip", settings=settings)

    assert not (tmp_path / "e.zip").exists()
