"""What is handed over: no cell is a formula, nothing goes twice or too late, and a delta takes rows back."""

import csv
import hashlib
import io
import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from arrears.csv_cells import safe_cell
from arrears.sending.batches import Visits, campaign, csv_of
from arrears.sending.channels.spool import Spool
from arrears.sending.handover import write_batches, write_stop_delta
from arrears.sending.values import Content, Message, Private, Reply
from arrears.warehouse.connection import transaction
from sqlalchemy import text
from support.formulas import FORMULAS
from support.outbox import empty_outbox, put_steps, step

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
LATER = NOON + timedelta(hours=5)


def test_there_are_sixty_formulas():
    assert len(set(FORMULAS)) >= 60


@pytest.mark.parametrize("payload", FORMULAS)
def test_formula_is_text_to_a_spreadsheet(payload):
    rows = list(csv.reader(io.StringIO(csv_of(("a", "b"), [(payload, "x")]).decode(), newline="")))

    [cell, other] = rows[1]
    assert cell.startswith("'")
    assert "\n" not in cell
    assert "\r" not in cell
    assert (len(rows), other) == (2, "x")


@pytest.mark.parametrize("legal", ["-5.00", "-123456", "+7", "0", "12.5", "plain words", "O'Brien & Co", "您好"])
def test_what_is_no_formula_stays_as_it_is(legal):
    assert safe_cell(legal) == legal


def spool(folder, key, *, to="+86 138 0000 0000", not_after=LATER, body="=evil()"):
    way = Spool("call", folder, hands_over=True, is_sandbox=False)
    facts = {"amount_minor": "5000", "currency": "CNY", "as_of": "2026-03-01"}
    content = Content("t@1/zh-CN", Private(""), Private(body), facts)
    message = Message(key, 1, "call", Private(to), content, "book", not_after.isoformat())
    assert way.deliver(message, lambda: None).reply is Reply.SENT
    return message.reference


def test_batch_holds_each_message_once_and_none_that_has_passed(tmp_path, warehouse_url):
    def batch(now):
        with transaction(warehouse_url) as connection:
            return write_batches(connection, tmp_path, "call", campaign, now)

    put_steps(warehouse_url, [step("back", state_code="sent", delivery_code="withdrawn")])
    spool(tmp_path, "back")
    first = spool(tmp_path, "a")
    spool(tmp_path, "late", not_after=NOON)

    made = batch(NOON)
    again = batch(NOON)
    second = spool(tmp_path, "b")
    more = batch(NOON + timedelta(minutes=15))

    assert (made["rows"], made["passed"]) == (1, 2)
    assert again["rows"] == 0
    assert more["rows"] == 1
    place = tmp_path / "batches" / "call"
    [file] = made["files"]
    content = (place / file).read_bytes()
    manifest = json.loads((place / f"{file}.manifest.json").read_text())
    assert manifest["references"] == [first]
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    row = next(csv.DictReader(io.StringIO(content.decode())))
    assert (row["reference"], row["amount_minor"], row["text"]) == (first, "5000", "'=evil()")
    assert row["not_after"] == LATER.isoformat()
    assert second in (place / more["files"][0]).read_text()
    assert (place / file).stat().st_mode & 0o077 == 0
    empty_outbox(warehouse_url)


def test_tray_forgets_what_nobody_may_act_on_any_more(tmp_path, warehouse_url):
    old, new = spool(tmp_path, "old"), spool(tmp_path, "new")
    last_week = (NOON - timedelta(days=8)).timestamp()
    os.utime(tmp_path / "call" / f"{old}.json", (last_week, last_week))

    with transaction(warehouse_url) as connection:
        made = write_batches(connection, tmp_path, "call", campaign, NOON)

    assert [path.stem for path in (tmp_path / "call").glob("*.json")] == [new]
    assert made["rows"] == 1


def test_spool_is_written_once_however_often_it_is_told(tmp_path):
    spool(tmp_path, "a", body="one")
    spool(tmp_path, "a", body="one")

    assert len(list((tmp_path / "call").glob("*.json"))) == 1


def test_stop_delta_takes_back_what_may_not_be_done_any_more(tmp_path, warehouse_url):
    handed = {
        "channel_code": "call",
        "state_code": "sent",
        "delivery_code": "handed_over",
        "provider_code": "handover",
        "not_after_at": LATER,
    }
    put_steps(warehouse_url, [step(key, reference=f"r-{key}", **handed) for key in ("paid", "owes")])

    def may_still(_connection, row, _now):
        return "paid" if row["step_key"] == "paid" else None

    with transaction(warehouse_url) as connection:
        made = write_stop_delta(connection, tmp_path, "call", may_still, NOON, "handover")
    with transaction(warehouse_url) as connection:
        again = write_stop_delta(connection, tmp_path, "call", may_still, NOON, "handover")
        found = dict(connection.execute(text("SELECT step_key, delivery_code FROM ops.notification")).all())

    assert (made["rows"], again["rows"]) == (1, 0)
    assert (tmp_path / "batches/call" / made["file"]).read_text().splitlines() == ['"reference"', '"r-paid"']
    assert found == {"paid": "withdrawn", "owes": "handed_over"}
    empty_outbox(warehouse_url)


# --------------------------------------------------------------------------------------------------------- visits
def visit(key, area, to, **facts):
    return {
        "reference": key,
        "portfolio": "book",
        "to": to,
        "not_after": LATER.isoformat(),
        "template": "t@1/en",
        "subject": "",
        "body": "script",
        "facts": {"amount_minor": "5000", "area": area, **facts},
    }


def test_visits_are_listed_by_area_in_rounds_for_as_many_people_as_must_go_together():
    live = [visit(f"n{number:02}", "north", f"{number:02} Long Road") for number in range(5)]
    live += [visit("s", "=south()", "1 Short Road"), visit("u", "", "2 Nowhere")]

    batches = list(Visits(people=2, most_per_round=2)("visit", live, NOON))

    found = {told["area"]: list(csv.DictReader(io.StringIO(content.decode()))) for _, content, told in batches}
    assert {area: len(rows) for area, rows in found.items()} == {"=south()": 1, "north": 5, "unknown": 1}
    assert [(row["round"], row["place"]) for row in found["north"]] == [
        *(("1", "1"), ("1", "2")),
        *(("2", "1"), ("2", "2")),
        ("3", "1"),
    ]
    assert {row["people"] for row in found["north"]} == {"2"}
    assert {row["visitor_1"] + row["visitor_2"] for row in found["north"]} == {""}
    assert found["=south()"][0]["area"] == "'=south()"
    assert all("=" not in name and "/" not in name for name, *_ in batches)
    assert len({name for name, *_ in batches}) == 3
    assert sorted(one for *_, told in batches for one in told["references"]) == sorted(one["reference"] for one in live)


def test_list_for_one_visitor_has_one_column_for_them():
    [(_, content, told)] = Visits(people=1)("visit", [visit("a", "north", "1 Road")], NOON)

    assert "visitor_2" not in content.decode()
    assert told["people"] == 1
