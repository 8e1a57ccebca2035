"""Figures of audit, roles and vault, on a real PostgreSQL: ``python tests/reliability/suite_trust.py``."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from arrears.errors import VaultSealError
from arrears.keys import new_key
from arrears.local.postgres import EmbeddedPostgres
from arrears.settings import Settings
from arrears.warehouse.anchors import anchor, trail_of
from arrears.warehouse.audit import record
from arrears.warehouse.connection import transaction
from arrears.warehouse.migrate import upgrade
from arrears.warehouse.roles import PRIVILEGES, ROLES, SCHEMAS, rights_of
from arrears.warehouse.sealing import Vault
from pydantic import SecretStr
from reliability.report import Part
from sqlalchemy import text

ENTRIES = 100
TRIES = 20
ROUND_THE_GUARD = "SET LOCAL session_replication_role = replica"
TAMPERINGS = {
    "changed": "UPDATE ops.audit_entry SET reason = reason || '.' WHERE entry_no = :n",
    "deleted": "DELETE FROM ops.audit_entry WHERE entry_no = :n",
    "put in": "INSERT INTO ops.audit_entry SELECT 1000 + :n, at, actor, action, subject, reason, before, after, "
    "previous_hash, entry_hash FROM ops.audit_entry WHERE entry_no = :n",
    "swapped": "UPDATE ops.audit_entry SET entry_no = CASE entry_no WHEN :n THEN :n + 1 ELSE :n END + 5000 "
    "WHERE entry_no IN (:n, :n + 1)",
    "tail cut off": "DELETE FROM ops.audit_entry WHERE entry_no >= :n",
}
MATRIX = text(
    "SELECT n.nspname || '.' || c.relname AS place, role, privilege, "
    "has_table_privilege(role, c.oid, privilege) AS may "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, unnest(CAST(:roles AS text[])) AS role, "
    "unnest(CAST(:privileges AS text[])) AS privilege "
    "WHERE n.nspname = ANY (:schemas) AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition"
)


def audit(settings: Settings, part: Part, draw: random.Random) -> None:
    """Each kind of tampering at random places, as a superuser goes round the trigger; every one is undone."""
    for number in range(ENTRIES):
        with transaction(settings.warehouse) as connection:
            record(connection, actor="ops:1", action="outbox.cancel", subject=f"s{number}", reason="drill")
    anchor(settings, datetime.now(UTC).date())
    for what, statement in TAMPERINGS.items():
        found = 0
        for _ in range(TRIES):
            with transaction(settings.warehouse) as connection:
                connection.execute(text(ROUND_THE_GUARD))
                connection.execute(text(statement), {"n": draw.randrange(2, ENTRIES - 1)})
                found += bool(trail_of(connection, settings).faults)
                connection.get_transaction().rollback()
        part.figure(
            f"audit entries {what} by a superuser, at random places: found",
            f"{found} of {TRIES}",
            f"{TRIES} of {TRIES}",
        )
    with transaction(settings.warehouse) as connection:
        part.figure("faults of the untouched trail", len(trail_of(connection, settings).faults), 0)


def roles(settings: Settings, part: Part) -> None:
    """Every object, role and privilege of the catalogue against the documented table."""
    asked = {"roles": list(ROLES), "privileges": list(PRIVILEGES), "schemas": list(SCHEMAS)}
    with transaction(settings.warehouse) as connection:
        rows = connection.execute(MATRIX, asked).all()
    wrong = sum(row.may is not (row.privilege in rights_of(row.role, row.place)) for row in rows)
    part.figure("roles x objects x privileges asked of the catalogue", len(rows))
    part.figure("of them other than docs/reference/roles.md says", wrong, 0)


def vault(settings: Settings, part: Part, draw: random.Random) -> None:
    """One bit flipped in sealed values; values after their key is destroyed."""
    found = opened = 0
    with transaction(settings.warehouse) as connection:
        one = Vault(connection, settings.keys)
        for number in range(100):
            sealed = bytearray(one.seal("p", f"party:{number}", "t", "+1 202 555 0143") or b"")
            sealed[draw.randrange(len(sealed))] ^= 1 << draw.randrange(8)
            try:
                one.open("p", f"party:{number}", "t", bytes(sealed))
            except VaultSealError:
                found += 1
        sealed_by = {n: one.seal("p", f"party:{n}", "t", "x") or b"" for n in range(100)}
        one.erase("p", [f"party:{n}" for n in range(100)])
        opened = sum(one.open("p", f"party:{n}", "t", value) is not None for n, value in sealed_by.items())
        connection.get_transaction().rollback()
    part.figure("one bit flipped in a sealed value: found", f"{found} of 100", "100 of 100")
    part.figure("sealed values that open after their key is destroyed", opened, 0)


def main() -> None:
    """Run all and leave the part."""
    begun = time.monotonic()
    part = Part(
        "trust",
        "Audit, roles, vault",
        "python tests/reliability/suite_trust.py",
        order=60,
        about="A PostgreSQL of its own: tampering by a superuser, the whole matrix of rights, sealed values.",
        notes=["Who holds the master keys, the database and the anchors' folder at once can write everything anew."],
    )
    os.environ["ARREARS_MASTER_KEYS"] = f"1:{new_key()}"
    draw = random.Random(8)
    with tempfile.TemporaryDirectory(prefix="arrears-trust-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        server.start()
        try:
            upgrade(server.url("arrears"))
            settings = Settings(warehouse_url=SecretStr(server.url("arrears")), lake_url=f"file://{folder}/lake")
            roles(settings, part)
            audit(settings, part, draw)
            vault(settings, part, draw)
        finally:
            server.stop()
    part.seconds = time.monotonic() - begun
    part.write()


if __name__ == "__main__":
    main()
