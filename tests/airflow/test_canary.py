"""Canaries on a real Airflow: planted in the source, the vault and the reports; found in no sink, whatever fails.

Days run well, one fails by its rejects, one by an exception of the source that says a name aloud. Then every byte that
is kept outside the source and the vault is looked through. That the scan would find one is shown, too.
"""

import base64
import contextlib
import io
import json
import time

import psycopg
import pytest
from arrears.cli import main
from arrears.feedback.vault import note_of, rejected_reports
from arrears.sending.addresses import address_of, load_addresses
from arrears.sources.vault import rejected_rows
from arrears.warehouse.connection import transaction
from sqlalchemy import text
from support.canary import Canaries, bytes_of_database, bytes_of_file
from support.listener import listening
from support.servers import BOOK, running_floor

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(900)]
SOURCE = "core_banking"
READ_BY_THE_SELECTS = {  # table and text column of the source: the canary is delivered, and rejected
    "customer": ("customer_no", "language", "name"),
    "contact_point": ("point_no", "timezone", "name"),
    "consent": ("consent_no", "channel", "phone"),
}
NEVER_READ = {"customer": ("full_name", "e_mail", "identity_no"), "contact_point": ("value", "holder")}
EACH = 6
KINDS = {"log": "component logs", "airflow": "task logs", "run": "component logs"}
SINKS = {"metadata database", "warehouse", "component logs", "task logs", "lake", "lineage", "alerts", "command line"}


@pytest.fixture(scope="module")
def alerts():
    """A webhook that keeps what it is told."""
    with listening(bytes) as heard:
        yield heard


@pytest.fixture(scope="module")
def run(tmp_path_factory, alerts):
    """The whole story; then the canaries, and the floor on which it happened."""
    home, inbox = tmp_path_factory.mktemp("floor"), tmp_path_factory.mktemp("reports")
    connection = json.dumps({"conn_type": "http", "host": alerts[1]})
    told = {
        "ARREARS_FEEDBACK_INBOX": str(inbox / "in"),
        "ARREARS_FEEDBACK_ARCHIVE": str(inbox / "archive"),
        "ARREARS_ALERT_CONNECTION": "on_call",
        "AIRFLOW_CONN_ON_CALL": connection,
        "ARREARS_WATCH_WEBHOOK": alerts[1],
    }
    with running_floor(home, environment=told) as floor:
        canaries = Canaries()
        known = plant(floor, canaries)
        report(inbox / "in" / BOOK.portfolio, canaries, known)
        first, second, third = floor.dates
        floor.api.trigger(BOOK.dag_id, first)
        floor.wait(first)
        for dag in ("feedback_intake", "contact_dispatch"):
            floor.api.pause(dag, paused=False)
            trigger(floor, dag)
        many_rejects(floor, canaries)
        floor.api.trigger(BOOK.dag_id, second)
        floor.wait(second, "failed")
        source_that_speaks(floor, canaries)
        floor.api.trigger(BOOK.dag_id, third)
        floor.wait(third, "failed")
        yield floor, canaries, known, home


def execute(floor, *statements):
    with psycopg.connect(floor.deployment.owner_url.replace("+psycopg", ""), autocommit=True) as connection:
        for statement, *values in statements:
            connection.execute(statement, values or None)


def plant(floor, canaries):
    """Into the source: columns nobody selects, and rows that are delivered and rejected; into the vault: addresses."""
    with psycopg.connect(floor.deployment.owner_url.replace("+psycopg", ""), autocommit=True) as connection:

        def ask(what, table, rest):
            return connection.execute(f"SELECT {what} FROM {SOURCE}.{table} ORDER BY {rest}").fetchall()

        def put(table, column, key, one, value):
            connection.execute(f"UPDATE {SOURCE}.{table} SET {column} = %s WHERE {key} = %s", [value, one])

        for table, columns in NEVER_READ.items():
            key = READ_BY_THE_SELECTS[table][0]
            for column in columns:
                connection.execute(f"ALTER TABLE {SOURCE}.{table} ADD {column} text")
                draw = canaries.phone if column == "value" else canaries.name
                for (one,) in ask(key, table, f"1 LIMIT {EACH}"):
                    put(table, column, key, one, draw(f"{table}.{column}"))
        for table, (key, column, kind) in READ_BY_THE_SELECTS.items():
            for (one,) in ask(key, table, "known_on, 1 LIMIT 1"):
                put(table, column, key, one, getattr(canaries, kind)(f"{table}.{column}"))
        points = ask("point_no, customer_no", "contact_point", f"1 LIMIT {EACH * 2}")
        ((party,),) = ask("customer_no", "customer", "1 LIMIT 1")
    with transaction(floor.deployment.warehouse_url) as connection:
        rows = [(point, canaries.phone("vault.contact_value"), owner) for point, owner in points]
        load_addresses(connection, floor.settings().keys, BOOK.portfolio, rows)
    return {"party": party, "points": [point for point, *_ in rows]}


def report(folder, canaries, known):
    """Notes, rows that are wrong in each column, and lines that are no rows."""
    folder.mkdir(parents=True)
    common = {"occurred_at": "2026-01-02T03:04:05+00:00", "party_id": known["party"]}
    notes = [
        {"kind": "agent_note", "ref": f"n{n}", "author_id": "A1", "note": canaries.name("a note"), **common}
        for n in range(EACH)
    ]
    wrong = [
        {"kind": "opt_out", "ref": f"w{n}", **common, column: canaries.address(f"report.{column}")}
        for n, column in enumerate(("kind", "channel_code", "occurred_at", "party_id", "contact_point_id", "starts_at"))
    ]
    wrong.append({"kind": "opt_out", "ref": "w9", **common, canaries.name("a column's name"): "x"})
    lines = [json.dumps(one) for one in (*notes, *wrong)] + [canaries.phone("a line that is no row")]
    (folder / "one.jsonl").write_text("\n".join(lines))
    (folder / "two.csv").write_text(f"kind,ref,occurred_at,{canaries.address('a header')}\n")


def many_rejects(floor, canaries):
    """So many loans are wrong that the day fails."""
    values = [canaries.name("loan_account.currency") for _ in range(EACH)]
    statement = f"UPDATE {SOURCE}.loan_account SET currency = (%s::text[])[1 + mod(abs(hashtext(loan_no)), {EACH})]"
    execute(floor, (statement, values))


def source_that_speaks(floor, canaries):
    """The source's own error names somebody, and so does what a task's library says."""
    said = canaries.name("an exception of the source")
    speak = f"BEGIN RAISE EXCEPTION 'customer {said} is locked'; END"
    execute(
        floor,
        (f"ALTER TABLE {SOURCE}.customer RENAME TO customer_kept",),
        (f"CREATE FUNCTION {SOURCE}.speak() RETURNS boolean LANGUAGE plpgsql AS $$ {speak} $$",),
        (f"CREATE VIEW {SOURCE}.customer AS SELECT * FROM {SOURCE}.customer_kept WHERE {SOURCE}.speak()",),
        (f"GRANT SELECT ON {SOURCE}.customer, {SOURCE}.customer_kept TO arrears_app",),
    )


def trigger(floor, dag_id):
    """Run a DAG that has no business date, and wait for its end."""
    run_id = floor.api.start(dag_id).run_id
    for _ in range(240):
        if floor.api.run(dag_id, run_id).is_over:
            return
        time.sleep(0.5)
    raise AssertionError(f"{dag_id} is not over")


def sinks(floor, home, alerts, told):
    """Every byte outside the source and the vault, by sink."""
    metadata = floor.deployment.postgres.url("airflow")
    for name, content in bytes_of_database(metadata, without=("pg_catalog",)):
        yield f"metadata database: {name}", content
    for name, content in bytes_of_database(floor.deployment.owner_url, without=(SOURCE, "pg_catalog")):
        yield f"warehouse: {name}", content
    for path in (one for one in home.rglob("*") if one.is_file()):
        top = path.relative_to(home).parts[0]
        if top in ("postgres", "outbox", "demo"):
            continue  # the source is in that server, and in its log; sandboxes and hand-overs are the addressees' own
        for content in bytes_of_file(path):
            yield f"{KINDS.get(top, top)}: {path.relative_to(home)}", content
    for number, body in enumerate(alerts[0]):
        yield f"alerts: {number}", body
    for what, said in told.items():
        yield f"command line: {what}", said.encode()


@pytest.fixture(scope="module")
def told(run):
    """What the command line says of it all."""
    floor = run[0]
    said = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARREARS_LAKE_URL", floor.settings().lake_url)
        for words in (["status"], ["doctor"], ["watch"], ["status", "--json"]):
            patch.setattr("sys.argv", ["arrears", *words])
            out = io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), contextlib.suppress(SystemExit):
                main()
            said[" ".join(words)] = out.getvalue()
    assert all(said.values())
    return said


def test_no_canary_is_found_in_any_sink(run, alerts, told, record_property):
    floor, canaries, _, home = run
    found, looked, size = set(), set(), 0
    for sink, content in sinks(floor, home, alerts, told):
        looked.add(sink)
        size += len(content)
        found |= {(canaries.planted[value], sink) for value in canaries.found_in(content)}

    record_property("canaries", len(canaries.planted))
    record_property("sinks", len(looked))
    record_property("bytes", size)
    record_property("found", len(found))
    assert len(canaries.planted) >= 50
    kinds = {sink.split(":")[0] for sink in looked}
    assert kinds >= SINKS
    assert len(alerts[0]) >= 2, "two days failed"
    assert found == set()


def test_the_scan_finds_what_is_there(run, tmp_path):
    floor, canaries, *_ = run
    source = b"".join(content for _, content in bytes_of_database(floor.deployment.owner_url))
    files = [one for name in ("in", "archive") for one in tmp_path.parent.rglob(f"{name}/**/*") if one.is_file()]
    reported = b"".join(one.read_bytes() for one in files)
    tables = (*NEVER_READ, "loan_account")
    of_source = {value for value, place in canaries.planted.items() if place.split(".")[0] in tables}
    assert of_source <= canaries.found_in(source)
    assert reported

    one = next(iter(canaries.planted))
    for spelled in (one, base64.b64encode(f"x{one}y".encode()).decode(), one.encode().hex(), one.upper()):
        assert canaries.found_in(f"... {spelled} ...".encode()) == {one}
    assert canaries.found_in(b"nobody") == set()


def test_the_vault_holds_them_for_whoever_has_the_key(run):
    floor, canaries, known, _ = run
    settings = floor.settings()
    with transaction(floor.deployment.warehouse_url) as connection:
        addresses = {address_of(connection, settings.keys, BOOK.portfolio, point).reveal() for point in known["points"]}
        events = connection.execute(text("SELECT event_id FROM ops.feedback_event WHERE kind_code = 'agent_note'"))
        notes = {note_of(connection, settings.keys, BOOK.portfolio, event) for event in events.scalars().all()}
        reports = rejected_reports(connection, settings.keys, BOOK.portfolio)
        tables = connection.execute(text("SELECT DISTINCT business_date, table_name FROM vault.rejected_row")).all()
    rejected = [rejected_rows(settings, BOOK.portfolio, day, table) for day, table in tables]

    held = canaries.found_in(str((addresses, notes, reports, rejected)).encode())

    places = {canaries.planted[value] for value in held}
    assert {"vault.contact_value", "a note", "a line that is no row", "loan_account.currency"} <= places
    assert {f"{table}.{column}" for table, (_, column, _) in READ_BY_THE_SELECTS.items()} <= places
