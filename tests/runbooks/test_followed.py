"""Runbooks are followed: every command on every page is one, and for these faults the page's own commands clear them.

Injected and cleared here: ARR-WHS-002 (another version), ARR-AUD-001 (the trail is cut), ARR-VLT-002 (a legal hold),
ARR-CFG-001 (no master key), ARR-RUN-LATE (a late day), ARR-RUN-ALARM (a webhook that is away), ARR-SND-006 (a row in
another state), ARR-SND-008 (unknown sends), ARR-FBK-001 to 004 (reports). Each command that is typed is looked for on
its page first.
"""

import json
import re
import shlex
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import typer.main
from arrears.cli import app, main
from arrears.keys import new_key
from arrears.warehouse.audit import record
from arrears.warehouse.connection import transaction
from sqlalchemy import text
from support.books import make_book
from support.desk import AT, make_desk, rows
from support.facts import DAY, put_publication
from support.outbox import put_steps, states, step

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted([*(DOCS / "runbooks").glob("*.md"), *(DOCS / "how-to").glob("*.md")])
COMMAND = re.compile(r"(?:^|`|\$ )(?:\S*python -m )?arrears ([a-z][^`\n|#;]*)", re.MULTILINE)
COMMANDS = typer.main.get_command(app)
WHO = ["--by", "ops:1", "--reason", "drill"]


def commands_of(page):
    """Command lines of a page: whole lines of shell blocks, and what stands in backquotes."""
    content = page.read_text(encoding="utf-8")
    return [found.strip() for found in COMMAND.findall(content)]


def unknown_of(line):
    """What of a command line is no command and no option of it; None when all is."""
    found = COMMANDS
    words = shlex.split(line.rstrip(".,:)"))
    while hasattr(found, "commands"):
        if not words:
            return "a group without its command"
        name = words.pop(0)
        if name not in found.commands:
            return name
        found = found.commands[name]
    options = {option for one in found.params for option in (*one.opts, *one.secondary_opts)}
    return next((word for word in words if word.startswith("--") and word.partition("=")[0] not in options), None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_the_page_is_one(page):
    wrong = {line: what for line in commands_of(page) if (what := unknown_of(line))}

    assert wrong == {}


def test_the_look_at_commands_finds_a_wrong_one():
    assert len([line for page in PAGES for line in commands_of(page)]) > 40
    assert unknown_of("statsu") == "statsu"
    assert unknown_of("run --portfolio P --day D") == "--day"
    assert unknown_of("outbox") == "a group without its command"


# ------------------------------------------------------------------------------------------------ faults, and their end
@pytest.fixture
def typed(monkeypatch, capsys):
    """Types a command, which its page names where one is given; tells the exit code and all that was said."""

    def do(page, *words):
        if page is not None:
            told = (DOCS / "runbooks" / f"{page}.md").read_text(encoding="utf-8")
            name = " ".join(word for word in words[:2] if re.fullmatch("[a-z-]+", word))
            assert f"arrears {name}" in told or f"arrears {words[0]}" in told, f"{page} does not name {name}"
        monkeypatch.setattr("sys.argv", ["arrears", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, "".join(capsys.readouterr())

    return do


def tell(monkeypatch, settings):
    """Let the command line work on this deployment."""
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", settings.warehouse)
    for name in ("lake_url", "portfolios", "policies", "strategies"):
        monkeypatch.setenv(f"ARREARS_{name.upper()}", str(getattr(settings, name)))


def test_a_warehouse_of_another_version_is_migrated(typed, monkeypatch, empty_database_url, tmp_path):
    tell(monkeypatch, make_book(tmp_path).model_copy(update={"warehouse_url": _secret(empty_database_url)}))
    code, said = typed(None, "status")
    assert (code, "ARR-WHS-002" in said) == (1, True)

    assert typed("ARR-WHS-002", "migrate")[0] == 0

    assert typed(None, "status")[0] in (0, None)


def test_a_trail_that_was_cut_is_named_and_kept_as_it_is(typed, monkeypatch, own_warehouse_url, tmp_path):
    settings = make_book(tmp_path).model_copy(update={"warehouse_url": _secret(own_warehouse_url)})
    tell(monkeypatch, settings)
    with transaction(own_warehouse_url) as connection:
        record(connection, actor="a", action="outbox.stop", subject="all", reason="drill")
    assert typed("ARR-AUD-001", "audit", "anchor")[0] == 0
    with transaction(own_warehouse_url) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM ops.audit_entry"))

    code, said = typed("ARR-AUD-001", "audit", "verify", "--json")

    assert code == 1
    assert json.loads(said)["faults"] == [
        f"entry 1: gone with all after it; the anchor of {json.loads(said)['anchored_on']} knows entry 1"
    ]
    assert typed("ARR-AUD-001", "audit", "anchor")[0] == 1, "what does not hold is not signed"


def test_a_hold_is_ended_and_the_party_erased(typed, monkeypatch, own_warehouse_url, tmp_path):
    tell(monkeypatch, make_desk(tmp_path, own_warehouse_url))
    code, said = typed("ARR-VLT-002", "privacy", "hold", "P1", "--portfolio", "book", *WHO)
    number = said.split()[-1]
    assert code == 0
    erase = ("privacy", "erase", "P1", "--portfolio", "book", *WHO, "--erase")
    code, said = typed("ARR-VLT-002", *erase)
    assert (code, f"legal hold {number}" in said) == (1, True)

    assert typed("ARR-VLT-002", "privacy", "end-hold", number, *WHO)[0] == 0

    assert typed("ARR-VLT-002", *erase)[0] == 0


def test_a_deployment_without_master_keys_gets_one(typed, monkeypatch, own_warehouse_url, tmp_path):
    tell(monkeypatch, make_desk(tmp_path, own_warehouse_url))
    monkeypatch.setenv("ARREARS_MASTER_KEYS", "")
    (tmp_path / "a.csv").write_text("contact_point_id,value\nC1,+1 202 555 0143\n")
    load = ("outbox", "addresses", "--portfolio", "book", tmp_path / "a.csv")
    code, said = typed(None, *load)
    assert (code, "arrears keys new" in said) == (1, True)

    code, key = typed("ARR-CFG-001", "keys", "new")
    monkeypatch.setenv("ARREARS_MASTER_KEYS", f"1:{key.strip()}")

    assert typed(None, *load)[0] == 0
    assert len(new_key()) == len(key.strip())


def test_a_late_day_alarms_until_it_is_published(typed, monkeypatch, own_warehouse_url, tmp_path):
    tell(monkeypatch, make_book(tmp_path).model_copy(update={"warehouse_url": _secret(own_warehouse_url)}))
    put_publication(own_warehouse_url, DAY)
    code, said = typed("ARR-RUN-LATE", "watch", "--json")
    assert (code, json.loads(said)[0]["code"]) == (1, "ARR-RUN-LATE")

    put_publication(own_warehouse_url, datetime.now(UTC).date())

    assert typed("ARR-RUN-LATE", "watch", "--json") == (0, "[]\n")


def test_a_row_that_is_not_unknown_is_looked_at_and_cancelled(typed, monkeypatch, own_warehouse_url, tmp_path):
    tell(monkeypatch, make_book(tmp_path).model_copy(update={"warehouse_url": _secret(own_warehouse_url)}))
    put_steps(own_warehouse_url, [step("abc1")])
    code, said = typed("ARR-SND-006", "outbox", "settle", "abc1", "sent", "--reason", "drill")
    assert (code, "ARR-SND-006" in said) == (1, True)

    assert typed("ARR-SND-006", "outbox", "show", "abc1")[0] == 0
    assert typed("ARR-SND-006", "outbox", "cancel", "abc1", "--reason", "drill")[0] == 0

    assert states(own_warehouse_url) == {"abc1": "cancelled"}


def test_unknown_sends_alarm_until_each_is_settled(typed, monkeypatch, own_warehouse_url, tmp_path):
    tell(monkeypatch, make_book(tmp_path).model_copy(update={"warehouse_url": _secret(own_warehouse_url)}))
    long_ago = datetime.now(UTC) - timedelta(days=1)
    put_steps(own_warehouse_url, [step(key, state_code="unknown", changed_at=long_ago) for key in ("abc1", "abd2")])
    code, said = typed("ARR-SND-008", "watch", "--json")
    assert (code, [one["code"] for one in json.loads(said)]) == (1, ["ARR-SND-008"])

    code, said = typed("ARR-SND-008", "outbox", "list", "--state", "unknown", "--json")
    for row in json.loads(said):
        assert typed("ARR-SND-008", "outbox", "show", row["step_key"])[0] == 0
        assert typed("ARR-SND-008", "outbox", "settle", row["step_key"], "give-up", "--reason", "drill")[0] == 0

    assert typed("ARR-SND-008", "watch", "--json") == (0, "[]\n")
    assert states(own_warehouse_url) == {"abc1": "cancelled", "abd2": "cancelled"}


def test_alarm_that_nobody_heard_is_posted_once_the_webhook_is_there(typed, monkeypatch, own_warehouse_url, tmp_path):
    tell(monkeypatch, make_book(tmp_path).model_copy(update={"warehouse_url": _secret(own_warehouse_url)}))
    put_publication(own_warehouse_url, DAY)
    monkeypatch.setenv("ARREARS_WATCH_WEBHOOK", "http://127.0.0.1:1/")
    code, said = typed("ARR-RUN-ALARM", "watch")
    assert (code, "ARR-RUN-ALARM" in said, "ARR-RUN-LATE" in said) == (1, True, True)

    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            """Stay quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        monkeypatch.setenv("ARREARS_WATCH_WEBHOOK", f"http://127.0.0.1:{server.server_port}/")
        code, said = typed("ARR-RUN-ALARM", "watch")

    assert (code, "ARR-RUN-ALARM" in said) == (1, False), "the day is still late"
    assert [alarm["code"] for body in heard for alarm in body["alarms"]] == ["ARR-RUN-LATE"]


REPORT = {"kind": "opt_out", "ref": "r1", "occurred_at": AT, "party_id": "P1"}
REPORTS = {
    "ARR-FBK-001": ({**REPORT, "channel_code": "smoke"}, REPORT),
    "ARR-FBK-002": ({**REPORT, "party_id": "P9"}, REPORT),
    "ARR-FBK-003": ({**REPORT, "channel_code": "sms"}, {**REPORT, "channel_code": "sms", "revision": 2}),
    "ARR-FBK-004": (None, REPORT),
}


@pytest.mark.parametrize("code", REPORTS)
def test_reports_that_were_refused_are_taken_in_once_they_are_mended(typed, monkeypatch, warehouse_url, tmp_path, code):
    settings = make_desk(tmp_path, warehouse_url)
    tell(monkeypatch, settings)
    wrong, mended = REPORTS[code]
    inbox, intake = tmp_path / "inbox", ("feedback", "intake", "--portfolio", "book")
    if code == "ARR-FBK-003":
        (inbox / "zero.jsonl").write_text(json.dumps(REPORT))
        assert typed(code, *intake)[0] == 0
    (inbox / ("one.csv" if wrong is None else "one.jsonl")).write_text(
        "kind,ref,no_such_column\n" if wrong is None else json.dumps(wrong)
    )
    typed(code, *intake)
    of_files = "SELECT error_code FROM ops.feedback_delivery WHERE error_code IS NOT NULL"
    assert rows(settings, f"SELECT error_code FROM bi.feedback_quarantine UNION ALL {of_files}") == [(code,)]

    (inbox / "two.jsonl").write_text(json.dumps(mended))
    assert typed(code, *intake)[0] == 0

    kept = rows(settings, "SELECT revision FROM ops.feedback_event ORDER BY revision DESC LIMIT 1")
    assert kept == [(mended.get("revision", 1),)]


def _secret(url):
    from pydantic import SecretStr  # noqa: PLC0415

    return SecretStr(url)
