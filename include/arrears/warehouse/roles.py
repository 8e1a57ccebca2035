"""Who may read what: ``arrears_bi`` every ``bi`` view, ``arrears_agent`` its team's worklist, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from arrears.warehouse.connection import transaction

if TYPE_CHECKING:
    from sqlalchemy import Connection

BI_ROLE = "arrears_bi"
BI_LOGIN = "arrears_bi_reader"
# Settings hold for the role that logs in; a group's are not inherited. A session may change them: the rights hold it.
BI_LOGIN_SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
    "search_path": "bi",
}

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
# Roles belong to the cluster, rights to the database: repeated on every upgrade, they also mend a restored copy.
GRANTS = (
    f"GRANT USAGE ON SCHEMA bi TO {BI_ROLE}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA bi TO {BI_ROLE}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA bi GRANT SELECT ON TABLES TO {BI_ROLE}",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    # The pages in the Airflow UI read as this role: whoever is no superuser must be let take it on.
    f"""DO $$
    BEGIN
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('GRANT {BI_ROLE} TO %I', current_user);
        END IF;
    EXCEPTION
        WHEN insufficient_privilege THEN NULL;  -- an administrator made the role, and grants it
    END $$""",
    "DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$",
)

AGENT_ROLE = "arrears_agent"
AGENT_GRANTS = (
    f"GRANT USAGE ON SCHEMA work TO {AGENT_ROLE}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA work TO {AGENT_ROLE}",
)


def grant_bi(connection: Connection) -> None:
    """Make sure that the group role exists and may read ``bi``, views that are yet to come included."""
    _ensure_role(connection, BI_ROLE)
    for statement in GRANTS:
        connection.execute(text(statement))


def grant_work(connection: Connection) -> None:
    """Make sure that the group role of agents exists and may read worklists: of each team its own rows."""
    _ensure_role(connection, AGENT_ROLE)
    for statement in AGENT_GRANTS:
        connection.execute(text(statement))


def create_bi_login(url: str, password: str) -> str:
    """Make sure that a login of the BI role exists with this password.

    Args:
        url: The warehouse, as a role that may create roles.
        password: Hashed here, so that no server log shows it.

    Returns:
        The login's name.

    Raises:
        WarehouseUnreachableError: The server did not answer.
        WarehouseSchemaError: The role may not create roles, or the warehouse was never upgraded.
    """
    with transaction(url) as connection:
        _ensure_role(connection, BI_LOGIN)
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101  an open connection has one
        hashed = driver.pgconn.encrypt_password(password.encode(), BI_LOGIN.encode(), b"scram-sha-256").decode()
        connection.exec_driver_sql(f"ALTER ROLE {BI_LOGIN} LOGIN NOSUPERUSER PASSWORD '{hashed}' CONNECTION LIMIT 20")
        connection.execute(text(f"GRANT {BI_ROLE} TO {BI_LOGIN}"))
        for name, value in BI_LOGIN_SETTINGS.items():
            connection.execute(text(f"ALTER ROLE {BI_LOGIN} SET {name} = '{value}'"))
    return BI_LOGIN


def _ensure_role(connection: Connection, role: str) -> None:
    connection.exec_driver_sql(ENSURE_ROLE.format(role=role))
