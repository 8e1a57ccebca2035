"""Erasing a party: its values are gone from every byte we keep, no figure moves, and nothing brings them back."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from arrears.cli import main
from arrears.errors import LegalHoldError, RuleInputError
from arrears.feedback.intake import take_in
from arrears.jobs.erasure import end_hold, erasure, hold
from arrears.lake import Lake
from arrears.sending.addresses import address_of, load_addresses
from arrears.sources.vault import RejectedRow, keep_rejected, rejected_rows
from arrears.warehouse.connection import transaction
from arrears.warehouse.private_terms import drop_private
from arrears.warehouse.tables import SCHEMAS
from sqlalchemy import text
from support.desk import AT, delivery, make_desk
from support.desk import FIRST as DAY

CANARIES = {
    "number": "+1 202 555 0143-canary-1",
    "old number": "+1 202 555 0144-canary-2",
    "note": "canary-3 lost her job, sister is Anna",
    "rejected": "canary-4 Zwetana Quist",
    "reported": "canary-5 Zwetana Quist",
    "broken line": "canary-6 Zwetana Quist",
}
WHO = {"actor": "privacy:1", "reason": "request 7 of 2 March"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory, warehouse_url):
    return make_desk(tmp_path_factory.mktemp("desk"), warehouse_url)


def fill(settings):
    """What the world tells of party P1 (point C1, loan L1), and of P2 beside."""
    with transaction(settings.warehouse) as connection:
        for value in (CANARIES["old number"], CANARIES["number"]):
            load_addresses(connection, settings.keys, "book", [("C1", value, "P1"), ("C2", "+1 202 555 0150", "P2")])
    rows = [
        RejectedRow(1, "loan.csv", 2, "type", {"loan_id": "L1", "principal_minor": CANARIES["rejected"]}),
        RejectedRow(2, "loan.csv", 3, "type", {"loan_id": "L3", "principal_minor": "somebody else"}),
    ]
    keep_rejected(settings, "book", DAY, "extract__loan", rows)
    line = {"line": f"C1,P1 ,mobile,{CANARIES['broken line']},one too many"}
    keep_rejected(
        settings, "book", DAY, "extract__contact_point", [RejectedRow(1, "contact_point.csv", 2, "line", line)]
    )
    note = {"kind": "agent_note", "ref": "n1", "occurred_at": AT, "loan_ids": "L1", "author_id": "A7"}
    bad = {"kind": "opt_out", "ref": "o1", "occurred_at": AT, "party_id": "P1", "channel_code": CANARIES["reported"]}
    take_in(settings, Lake(settings.lake_url), delivery({**note, "note": CANARIES["note"]}, bad, name=str(Path())))


def every_byte(settings):
    """All that we keep: each table of the warehouse as text, and each file beside it; sealed values opened too."""
    found = {}
    with transaction(settings.warehouse) as connection:
        names = text("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = ANY (:schemas)")
        for name in connection.execute(names, {"schemas": list(SCHEMAS)}).scalars().all():
            rows = connection.execute(text(f"SELECT t::text FROM {name} AS t")).scalars().all()
            found[name] = "\n".join(rows).encode()
    root = Path(settings.lake_url.removeprefix("file://")).parent
    found |= {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    found["opened"] = str(opened(settings)).encode()
    return found


def opened(settings):
    from arrears.feedback.vault import note_of, rejected_reports  # noqa: PLC0415

    with transaction(settings.warehouse) as connection:
        events = connection.execute(text("SELECT event_id FROM ops.feedback_event")).scalars().all()
        return (
            [
                address.reveal()
                for one in ("C1", "C2")
                if (address := address_of(connection, settings.keys, "book", one))
            ],
            [note_of(connection, settings.keys, "book", one) for one in events],
            rejected_reports(connection, settings.keys, "book"),
            rejected_rows(settings, "book", DAY, "extract__loan"),
            rejected_rows(settings, "book", DAY, "extract__contact_point"),
        )


def spellings(value):
    raw = value.encode()
    return {raw, base64.b64encode(raw), raw.hex().encode(), quote(value).encode()}


def found_of(settings):
    kept = every_byte(settings)
    assert len(kept) > 50
    return {
        (what, where)
        for what, value in CANARIES.items()
        for where, content in kept.items()
        if any(one in content for one in spellings(value))
    }


def figures(settings):
    with transaction(settings.warehouse) as connection:
        tables = connection.execute(
            text("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('mart', 'ops')")
        ).scalars()
        unmoved = [name for name in tables if name not in ("ops.audit_entry", "ops.legal_hold")]
        return {
            name: connection.execute(
                text(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t")
            ).scalar()
            for name in unmoved
        }


def test_an_erased_party_is_gone_everywhere_and_stays_gone_while_no_figure_moves(settings):
    fill(settings)
    before = figures(settings)
    assert {what for what, where in found_of(settings) if where == "opened"} == set(CANARIES) - {"old number"}
    assert {where for _, where in found_of(settings)} == {"opened"}  # sealed, it is nowhere to be read

    counted = erasure("book", "P1", **WHO, settings=settings)
    assert (counted["vault.contact_value"], counted["vault.feedback_note"]) == (2, 1)
    assert (counted["vault.rejected_row"], counted["vault.feedback_rejected"]) == (2, 1)
    assert found_of(settings) != set()  # a dry run

    done = erasure("book", "P1", **WHO, dry_run=False, settings=settings)

    assert {name: done[name] for name in counted if name != "dry_run"} == {
        name: value for name, value in counted.items() if name != "dry_run"
    }
    assert done["data_keys"] >= 1
    assert found_of(settings) == set()
    assert figures(settings) == before
    with transaction(settings.warehouse) as connection:
        assert address_of(connection, settings.keys, "book", "C2").reveal() == "+1 202 555 0150"
        keys = connection.execute(text("SELECT subject FROM vault.data_key")).scalars().all()
        entry = connection.execute(text("SELECT * FROM ops.audit_entry ORDER BY entry_no DESC LIMIT 1")).one()
    assert "party:P1" not in keys
    assert "party:P2" in keys
    assert (entry.actor, entry.action, entry.reason) == ("privacy:1", "privacy.erase", WHO["reason"])
    assert "P1" not in entry.subject

    fill(settings)  # whatever is loaded, rejected or reported again

    assert {what for what, _ in found_of(settings)} <= {"reported"}
    assert [row.delivered["principal_minor"] for row in rejected_rows(settings, "book", DAY, "extract__loan")] == [
        None,
        "somebody else",
    ]
    assert erasure("book", "P1", **WHO, settings=settings)["vault.contact_value"] == 0


def test_a_legal_hold_keeps_everything_until_it_ends(settings):
    fill(settings)
    with transaction(settings.warehouse) as connection:
        number = hold(connection, "book", "P2", actor="legal:1", reason="court file 9")

    with pytest.raises(LegalHoldError, match=f"legal hold {number}"):
        erasure("book", "P2", **WHO, dry_run=False, settings=settings)
    with transaction(settings.warehouse) as connection:
        assert address_of(connection, settings.keys, "book", "C2") is not None
        end_hold(connection, number, actor="legal:1", reason="settled")

    assert erasure("book", "P2", **WHO, settings=settings)["dry_run"]
    with transaction(settings.warehouse) as connection:
        actions = connection.execute(text("SELECT action FROM ops.audit_entry WHERE actor = 'legal:1'")).scalars().all()
    assert actions == ["privacy.hold", "privacy.end_hold"]


def test_nobody_erases_without_name_and_reason(settings):
    with pytest.raises(RuleInputError):
        erasure("book", "P2", actor="", reason="x", dry_run=False, settings=settings)
    with transaction(settings.warehouse) as connection:
        assert address_of(connection, settings.keys, "book", "C2") is not None


def test_the_command_line_only_counts_unless_it_is_told_to_erase(settings, monkeypatch, capsys):
    for name in ("warehouse", "lake_url", "portfolios", "policies", "strategies"):
        value = getattr(settings, name)
        monkeypatch.setenv(f"ARREARS_{'WAREHOUSE_URL' if name == 'warehouse' else name.upper()}", str(value))
    asked = ["arrears", "privacy", "erase", "P2", "--portfolio", "book", "--by", "me", "--reason", "a request"]
    monkeypatch.setattr("sys.argv", asked)

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["dry_run"] is True


def test_what_has_ended_goes_with_its_term_and_not_under_a_hold(settings):
    with transaction(settings.warehouse) as connection:
        connection.execute(text("DELETE FROM vault.contact_value; DELETE FROM vault.erased"))
        load_addresses(
            connection, settings.keys, "book", [("C7", "+1 202 555 0170", "P7"), ("C8", "+1 202 555 0180", "P8")]
        )
        load_addresses(
            connection, settings.keys, "book", [("C7", "+1 202 555 0171", "P7"), ("C8", "+1 202 555 0181", "P8")]
        )
        hold(connection, "book", "P8", actor="legal:1", reason="court file 10")
        later = datetime.now(UTC) + timedelta(seconds=5)

        counted = drop_private(connection, "book", later, dry_run=True)

        assert counted == drop_private(connection, "book", later, dry_run=False) >= 1
        assert drop_private(connection, "book", later, dry_run=False) == 0
        left = connection.execute(text("SELECT contact_point_id FROM vault.contact_value ORDER BY 1")).scalars().all()
        assert left == ["C7", "C8", "C8"]
        assert address_of(connection, settings.keys, "book", "C7").reveal() == "+1 202 555 0171"
