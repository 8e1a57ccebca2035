"""Who may do what in the warehouse: five group roles, their rights as one table of data, and the logins in them.

``arrears_owner`` owns every object and changes them by migrations; ``arrears_app`` is what the jobs are: it reads and
writes rows, changes no object and no history; ``arrears_bi`` reads ``bi``; ``arrears_agent`` reads its team's worklist;
``arrears_parity`` reads whether groups of people are treated alike, and the owner alone says who is in which group.
Rights are given anew on every upgrade, so that a new table has those of its schema and a restored copy is mended.
``docs/reference/roles.md`` is written from here, and a test asks the catalogue for every object and role.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from arrears.warehouse.connection import transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

OWNER_ROLE, APP_ROLE, BI_ROLE, AGENT_ROLE = "arrears_owner", "arrears_app", "arrears_bi", "arrears_agent"
PARITY_ROLE = "arrears_parity"
ROLES = (OWNER_ROLE, APP_ROLE, BI_ROLE, AGENT_ROLE, PARITY_ROLE)
SCHEMAS = ("mart", "stg", "ops", "vault", "work", "bi", "parity")
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")

NOTHING: frozenset[str] = frozenset()
READ = frozenset({"SELECT"})
APPEND = READ | {"INSERT"}
REPLACE = APPEND | {"DELETE"}
CHANGE = APPEND | {"UPDATE"}
# By role and schema; of an object that is named, its own instead.
RIGHTS: Mapping[str, Mapping[str, frozenset[str]]] = {
    APP_ROLE: {
        "mart": REPLACE,  # a publication deletes and inserts its date, and updates nothing
        "stg": REPLACE,
        "ops": CHANGE,  # no row that happened is ever deleted
        "vault": CHANGE | REPLACE,  # what has had its time goes
        "work": REPLACE,
        "bi": READ,
    },
    BI_ROLE: {"bi": READ},
    AGENT_ROLE: {"work": READ},
    PARITY_ROLE: {"parity": READ},
}
OBJECTS: Mapping[str, Mapping[str, frozenset[str]]] = {
    APP_ROLE: {
        "ops.audit_entry": APPEND,
        "ops.notification_event": APPEND,
        "ops.feedback_event": APPEND,
        "ops.run_ledger": APPEND,
        "ops.publish_ledger": APPEND,
        "ops.alembic_version": READ,
        "vault.pseudonym_key": NOTHING,  # the views of bi read them as their owner
        "vault.lender_of": READ,
        "vault.group_member": NOTHING,  # nothing that steers contact may know of groups
        "work.agent_worklist": CHANGE | REPLACE,  # a risk to life takes a case from an agent's list
    },
}


@dataclass(frozen=True)
class Login:
    """A login, and the group it is in.

    Attributes:
        name: Of the login.
        role: The group.
        connections: At most so many at once.
        settings: Hold for the role that logs in; a group's are not inherited. A session may change them: the rights
            hold it.
    """

    name: str
    role: str
    connections: int
    settings: Mapping[str, str]


BI_LOGIN = "arrears_bi_reader"
BI = Login(
    BI_LOGIN,
    BI_ROLE,
    20,
    {
        "default_transaction_read_only": "on",
        "statement_timeout": "60s",
        "idle_in_transaction_session_timeout": "60s",
        "search_path": "bi",
    },
)
JOBS = Login("arrears_jobs", APP_ROLE, 150, {})

ENSURE_ROLE = """
DO $$
BEGIN
    -- Asked first: where an administrator has made the role, ours needs no right to make roles.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role};
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of the cluster was quicker
END
$$
"""
MAY_BECOME_OWNER = (
    f"SELECT rolsuper OR pg_has_role(current_user, '{OWNER_ROLE}', 'SET') FROM pg_roles WHERE rolname = current_user"
)
# What stood before there was an owner, or was restored by somebody, becomes the owner's.
HAND_OVER = f"""
DO $$
DECLARE place record;
BEGIN
    EXECUTE format('GRANT CREATE ON DATABASE %I TO {OWNER_ROLE}', current_database());
    FOR place IN
        SELECT nspname AS name FROM pg_namespace
        WHERE nspname = ANY ('{{{",".join(SCHEMAS)}}}') AND nspowner <> '{OWNER_ROLE}'::regrole
    LOOP
        EXECUTE format('ALTER SCHEMA %I OWNER TO {OWNER_ROLE}', place.name);
    END LOOP;
    FOR place IN
        SELECT c.oid::regclass AS name, CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY ('{{{",".join(SCHEMAS)}}}') AND c.relkind IN ('r', 'p', 'v')
            AND c.relowner <> '{OWNER_ROLE}'::regrole
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO {OWNER_ROLE}', place.kind, place.name);
    END LOOP;
    FOR place IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = ANY ('{{{",".join(SCHEMAS)}}}') AND p.proowner <> '{OWNER_ROLE}'::regrole
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO {OWNER_ROLE}', place.name);
    END LOOP;
END $$
"""
# The pages in the Airflow UI read as the BI role: whoever is no superuser must be let take it on.
LET_READ_AS_BI = f"""
DO $$
BEGIN
    GRANT {BI_ROLE} TO {APP_ROLE};
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT {BI_ROLE} TO %I', current_user);
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN NULL;  -- an administrator made the roles, and grants them
END $$
"""
# Vacuuming changes no row; a server before PostgreSQL 17 lets only owners do it. Partitions have rights of their own.
LET_JOBS_VACUUM = f"""
DO $$
DECLARE place regclass;
BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        FOR place IN SELECT oid FROM pg_class WHERE relnamespace = 'mart'::regnamespace AND relkind IN ('r', 'p') LOOP
            EXECUTE format('GRANT MAINTAIN ON %s TO {APP_ROLE}', place);
        END LOOP;
    END IF;
END $$
"""
OF_DATABASE = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$",
    LET_READ_AS_BI,
)
TABLES = text(
    "SELECT n.nspname || '.' || c.relname AS place FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = ANY (:schemas) AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition ORDER BY 1"
)


def become_owner(connection: Connection) -> None:
    """Make sure that the roles exist, and go on as the owner where this login may; else all stays as the login's.

    Raises:
        WarehouseSchemaError: A role is missing, and this login may not make roles.
    """
    for role in ROLES:
        _ensure_role(connection, role)
    for statement in OF_DATABASE:
        connection.execute(text(statement))
    if connection.execute(text(MAY_BECOME_OWNER)).scalar_one():
        connection.execute(text(HAND_OVER))
        connection.execute(text(f"SET LOCAL ROLE {OWNER_ROLE}"))


def grant(connection: Connection) -> None:
    """Give every role its rights to what is there, and to views that are yet to come; as whoever owns the objects."""
    places = list(connection.execute(TABLES, {"schemas": list(SCHEMAS)}).scalars())
    for role, schemas in RIGHTS.items():
        for schema in schemas:
            connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
        for place in places:
            if place.partition(".")[0] in schemas:
                rights = rights_of(role, place)
                taken = ", ".join(sorted(set(PRIVILEGES) - rights))
                connection.exec_driver_sql(f"REVOKE {taken} ON {_quoted(place)} FROM {role}")
                if rights:
                    connection.exec_driver_sql(f"GRANT {', '.join(sorted(rights))} ON {_quoted(place)} TO {role}")
    connection.execute(text(LET_JOBS_VACUUM))
    for role in (BI_ROLE, APP_ROLE):
        connection.execute(text(f"ALTER DEFAULT PRIVILEGES IN SCHEMA bi GRANT SELECT ON TABLES TO {role}"))


def rights_of(role: str, place: str) -> frozenset[str]:
    """What a role may do with ``schema.object``.

    Args:
        role: One of ``ROLES``.
        place: Of one of ``SCHEMAS``.
    """
    if role == OWNER_ROLE:
        return frozenset(PRIVILEGES)
    by_schema = RIGHTS[role].get(place.partition(".")[0], NOTHING)
    return OBJECTS.get(role, {}).get(place, by_schema)


def create_bi_login(url: str, password: str) -> str:
    """Make sure that the login for BI tools exists with this password; its name.

    Raises:
        WarehouseUnreachableError: As ``create_login``, and so the other.
    """
    return create_login(url, BI, password)


def create_login(url: str, login: Login, password: str) -> str:
    """Make sure that a login exists with this password.

    Args:
        url: The warehouse, as a role that may create roles.
        login: Which.
        password: Hashed here, so that no server log shows it.

    Returns:
        The login's name.

    Raises:
        WarehouseUnreachableError: The server did not answer.
        WarehouseSchemaError: The role may not create roles, or the warehouse was never upgraded.
    """
    with transaction(url) as connection:
        _ensure_role(connection, login.name)
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101  an open connection has one
        hashed = driver.pgconn.encrypt_password(password.encode(), login.name.encode(), b"scram-sha-256").decode()
        connection.exec_driver_sql(
            f"ALTER ROLE {login.name} LOGIN NOSUPERUSER PASSWORD '{hashed}' CONNECTION LIMIT {login.connections}"
        )
        connection.execute(text(f"GRANT {login.role} TO {login.name}"))
        for name, value in login.settings.items():
            connection.execute(text(f"ALTER ROLE {login.name} SET {name} = '{value}'"))
    return login.name


def let_jobs_read(url: str, schemas: Iterable[str]) -> None:
    """Let the jobs read schemas beside the warehouse's own, such as a demo's ledger; those that are there.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    with transaction(url) as connection:
        known = text("SELECT nspname FROM pg_namespace WHERE nspname = ANY (:schemas)")
        for schema in connection.execute(known, {"schemas": list(schemas)}).scalars().all():
            connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {APP_ROLE}"))
            connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {APP_ROLE}"))


def _quoted(place: str) -> str:
    return ".".join(f'"{part}"' for part in place.split("."))


def _ensure_role(connection: Connection, role: str) -> None:
    connection.exec_driver_sql(ENSURE_ROLE.format(role=role))
