"""Anchors outside the table: whatever is done to the trail is found, its end cut off and its chain written anew too."""

import json
from datetime import date
from pathlib import Path

import pytest
from arrears.cli import main
from arrears.errors import AuditTrailError, ConfigurationError
from arrears.keys import KeyRing, new_key
from arrears.settings import Settings
from arrears.warehouse.anchors import anchor, verify
from arrears.warehouse.audit import entry_hash, record
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import AUDIT_ENTRY
from pydantic import SecretStr
from sqlalchemy import select, text, update

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
ROUND_THE_GUARD = "SET LOCAL session_replication_role = replica"


@pytest.fixture
def settings(own_warehouse_url, tmp_path):
    return Settings(warehouse_url=SecretStr(own_warehouse_url), lake_url=f"file://{tmp_path / 'lake'}")


def write(settings, count):
    for number in range(count):
        with transaction(settings.warehouse) as connection:
            record(connection, actor="ops:7", action="outbox.cancel", subject=f"step-{number}", reason="wrong template")


def round_the_guard(settings, *statements):
    with transaction(settings.warehouse) as connection:
        for statement in (ROUND_THE_GUARD, *statements):
            connection.execute(text(statement))


def files(settings):
    return sorted(Path(settings.audit_folder.removeprefix("file://")).iterdir())


def test_a_trail_that_holds_is_anchored_day_by_day(settings):
    anchor(settings, MONDAY)  # before anybody has done anything
    write(settings, 3)
    anchor(settings, TUESDAY)
    write(settings, 2)

    trail = verify(settings)

    assert (trail.entries, trail.anchors, trail.anchored_on, trail.unanchored) == (5, 2, "2026-03-03", 2)
    assert trail.faults == ()
    assert [path.name for path in files(settings)] == ["000000000000-2026-03-02.json", "000000000003-2026-03-03.json"]


def test_the_same_head_is_anchored_once_a_day(settings):
    write(settings, 1)

    assert anchor(settings, MONDAY) == anchor(settings, MONDAY)
    anchor(settings, TUESDAY)

    assert [path.name for path in files(settings)] == ["000000000001-2026-03-02.json", "000000000001-2026-03-03.json"]


def test_days_without_an_anchor_are_told(settings):
    """Whoever cuts the tail off and deletes the anchors that knew it needs no key, but leaves days without one."""
    for day in (2, 3, 4, 5):
        write(settings, 1)
        anchor(settings, date(2026, 3, day))
    round_the_guard(settings, "DELETE FROM ops.audit_entry WHERE entry_no > 1")
    for path in files(settings)[1:]:
        path.unlink()
    assert verify(settings).anchored_on == "2026-03-02"  # four days ago: doctor warns of it

    anchor(settings, date(2026, 3, 6))

    assert verify(settings).faults == ()
    assert verify(settings).gaps == ("2026-03-03 to 2026-03-05",)


@pytest.mark.parametrize("kept", [0, 1, 4])
def test_a_tail_that_is_cut_off_is_found(settings, kept):
    write(settings, 5)
    anchor(settings, MONDAY)

    round_the_guard(settings, f"DELETE FROM ops.audit_entry WHERE entry_no > {kept}")

    assert verify(settings).faults == (
        f"entry {kept + 1}: gone with all after it; the anchor of 2026-03-02 knows entry 5",
    )


def test_a_chain_written_anew_from_its_middle_is_found(settings):
    write(settings, 5)
    anchor(settings, MONDAY)

    with transaction(settings.warehouse) as connection:  # somebody who knows the recipe, but not the key
        connection.execute(text(ROUND_THE_GUARD))
        previous = ""
        for row in connection.execute(select(AUDIT_ENTRY).order_by(AUDIT_ENTRY.c.entry_no)).mappings().all():
            own = {name: row[name] for name in ("actor", "action", "subject", "reason", "before", "after")}
            own["reason"] = "nothing to see" if row["entry_no"] == 2 else own["reason"]
            digest = entry_hash(row["entry_no"], row["at"], previous, own)
            this = update(AUDIT_ENTRY).where(AUDIT_ENTRY.c.entry_no == row["entry_no"])
            connection.execute(this.values(reason=own["reason"], previous_hash=previous, entry_hash=digest))
            previous = digest

    assert verify(settings).faults == (
        "entry 5: not the entry that the anchor of 2026-03-02 knows; the chain was written anew",
    )


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        pytest.param(
            "UPDATE ops.audit_entry SET reason = 'x' WHERE entry_no = 3",
            "entry 3: its content is not what was written",
            id="changed",
        ),
        pytest.param(
            "DELETE FROM ops.audit_entry WHERE entry_no = 3", "entry 4: entry 3 before it is missing", id="gone"
        ),
        pytest.param(
            "INSERT INTO ops.audit_entry SELECT 6, at, actor, action, subject, reason, before, after, previous_hash, "
            "entry_hash FROM ops.audit_entry WHERE entry_no = 2",
            "entry 6: its content is not what was written",
            id="put in",
        ),
    ],
)
def test_the_first_broken_link_is_named(settings, statement, fault):
    write(settings, 5)
    anchor(settings, MONDAY)

    round_the_guard(settings, statement)

    assert verify(settings).faults[0] == fault
    with pytest.raises(AuditTrailError, match=fault.split(":", maxsplit=1)[0]):
        anchor(settings, TUESDAY)  # what does not hold is not signed
    assert len(files(settings)) == 1


def test_an_anchor_that_was_changed_forged_or_taken_away_is_found(settings):
    for day in (1, 2, 3):
        write(settings, 1)
        anchor(settings, date(2026, 3, day))
    _, second, third = files(settings)
    whole = second.read_text()

    second.write_text(whole.replace('"entry_no": 2', '"entry_no": 1'))
    assert verify(settings).faults[0] == "anchor of 2026-03-02: it was not signed by us, or was changed"

    second.unlink()
    assert verify(settings).faults == ("anchor of 2026-03-03: the anchor before it is gone",)

    second.write_text(whole)
    forged = json.loads(third.read_text()) | {"signature": KeyRing.read(f"1:{new_key()}").mac("audit-anchor", "x")}
    third.write_text(json.dumps(forged))
    assert verify(settings).faults == ("anchor of 2026-03-03: it was not signed by us, or was changed",)

    third.write_text("{}")
    with pytest.raises(AuditTrailError, match="no anchor"):
        verify(settings)


def test_anchors_outlive_a_change_of_the_master_key(settings):
    write(settings, 1)
    anchor(settings, MONDAY)
    old = settings.master_keys.get_secret_value()
    new = settings.model_copy(update={"master_keys": SecretStr(f"{old},2:{new_key()}")})
    write(new, 1)

    assert anchor(new, TUESDAY).key_version == 2
    assert verify(new).faults == ()
    with pytest.raises(ConfigurationError, match="version 2"):
        verify(settings)


@pytest.mark.parametrize(
    "given",
    ["", "1:", "1:short", f"1:{new_key()},1:{new_key()}", f"x:{new_key()}"],
    ids=["none", "empty", "short", "a version twice", "no version"],
)
def test_master_keys_have_no_default_and_are_never_repeated(given):
    with pytest.raises(ConfigurationError) as refused:
        KeyRing.read(given)

    assert "arrears keys new" in str(refused.value)
    assert not given or given.split(":")[1] not in str(refused.value) or given == "1:"


def test_keys_of_two_purposes_and_two_versions_differ_and_are_not_shown():
    ring = KeyRing.read(f"1:{new_key()}, 2:{new_key()}")

    keys = {ring.derived("a"), ring.derived("b"), ring.derived("a", 1), ring.masters[1], ring.masters[2]}

    assert len(keys) == 5
    assert ring.derived("a") == ring.derived("a", 2)
    assert repr(ring) == "<keys [1, 2]>"


def test_the_command_line_names_the_first_fault_and_fails(settings, monkeypatch, capsys):
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", settings.warehouse)
    monkeypatch.setenv("ARREARS_LAKE_URL", settings.lake_url)
    write(settings, 2)

    def said(*arguments):
        monkeypatch.setattr("sys.argv", ["arrears", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, "".join(capsys.readouterr())

    assert said("audit", "anchor")[0] == 0
    assert said("audit", "verify") == (
        0,
        f"2 entries hold; 1 anchors, the newest of {verify(settings).anchored_on}; 0 entries since\n",
    )
    round_the_guard(settings, "DELETE FROM ops.audit_entry WHERE entry_no = 2")
    code, words = said("audit", "verify")
    assert code == 1
    assert "ARR-AUD-001" in words
    assert "entry 2: gone with all after it" in words
