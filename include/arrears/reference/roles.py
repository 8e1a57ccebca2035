"""The page of roles: who may do what with each object of the warehouse, from ``warehouse.roles`` itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.warehouse.bi import parity_views, views
from arrears.warehouse.roles import (
    AGENT_ROLE,
    APP_ROLE,
    BI,
    BI_ROLE,
    JOBS,
    OWNER_ROLE,
    PARITY_ROLE,
    RIGHTS,
    ROLES,
    SCHEMAS,
    rights_of,
)
from arrears.warehouse.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

SAYS = {
    OWNER_ROLE: "owns every object; migrations (`arrears migrate`) run as it",
    APP_ROLE: f"what the jobs are; their login is `{JOBS.name}`",
    BI_ROLE: f"what BI tools and the pages in the Airflow UI are; their login is `{BI.name}`",
    AGENT_ROLE: "what agents' tools are: put their logins into it and into `work.team_member`",
    PARITY_ROLE: "whoever watches over fair treatment: figures of groups, and nothing else",
}
LETTERS = {"SELECT": "S", "INSERT": "I", "UPDATE": "U", "DELETE": "D"}
NOTES = """\
S select, I insert, U update, D delete. The owner may do everything with its objects. Nobody but the owner may truncate,
reference, make a trigger, or create anything in a schema; nobody may make temporary tables; no role is a superuser.

* **Rows by team.** `work.agent_worklist` and `work.team_member` have row-level security, forced on the owner too: an
  agent's login sees the rows of its teams, the jobs see all.
* **History.** Where the jobs may only insert, a trigger refuses changes to everybody else as well, the owner included.
* **The vault.** Names, numbers, addresses and rejected rows; what is in it is sealed (`ARREARS_MASTER_KEYS`), so that a
  superuser or a copy of the disk reads nothing without the keys.
* **Partitions** of the growing facts are the owner's; the jobs have them made by `ops.make_partition`, and cannot
  attach, detach or drop one. From PostgreSQL 17 on they may vacuum and analyze facts (`MAINTAIN`), which a publication
  ends with; on older servers autovacuum does it later.

A server of your own whose login may not make roles: have an administrator run
`CREATE ROLE arrears_owner; CREATE ROLE arrears_app; CREATE ROLE arrears_bi; CREATE ROLE arrears_agent;
CREATE ROLE arrears_parity;` and
`GRANT arrears_owner TO <your migrating login>; GRANT arrears_app, arrears_bi TO <your jobs' login>;` once.
"""


def pages() -> dict[str, str]:
    """``roles.md``."""
    lines = ["# Roles", "", "| role | |", "|---|---|", *(f"| `{role}` | {SAYS[role]} |" for role in ROLES), "", NOTES]
    shown = [role for role in ROLES if role != OWNER_ROLE]
    lines += ["| object | " + " | ".join(f"`{role}`" for role in shown) + " |", "|---" * (len(shown) + 1) + "|"]
    for schema in SCHEMAS:
        places = _places(schema)
        usual = {role: RIGHTS[role].get(schema, frozenset()) for role in shown}
        lines.append(_line(f"**`{schema}`** ({len(places)})", usual))
        for place in places:
            own = {role: rights_of(role, place) for role in shown}
            if own != usual:
                lines.append(_line(f"`{place}`", own))
    return {"roles.md": "\n".join(lines) + "\n"}


def _line(what: str, rights: Mapping[str, frozenset[str]]) -> str:
    return f"| {what} | " + " | ".join(map(_letters, rights.values())) + " |"


def _places(schema: str) -> list[str]:
    if schema in ("bi", "parity"):
        return [f"{schema}.{view.name}" for view in (views() if schema == "bi" else parity_views())]
    own = sorted(place for place, table in metadata.tables.items() if table.schema == schema)
    return [*own, "ops.alembic_version"] if schema == "ops" else own


def _letters(rights: frozenset[str]) -> str:
    return " ".join(LETTERS[one] for one in LETTERS if one in rights) or "-"
