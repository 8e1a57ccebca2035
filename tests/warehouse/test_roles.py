"""Four roles and every object of the catalogue: what is refused and seen is what docs/reference/roles.md says."""

from datetime import date
from pathlib import Path

import psycopg
import pytest
from arrears.warehouse.connection import transaction
from arrears.warehouse.migrate import check_tables, upgrade
from arrears.warehouse.partitions import ensure_partitions, vacuum
from arrears.warehouse.roles import (
    AGENT_ROLE,
    APP_ROLE,
    JOBS,
    OWNER_ROLE,
    PRIVILEGES,
    RIGHTS,
    ROLES,
    SCHEMAS,
    create_login,
    rights_of,
)
from sqlalchemy import make_url, text

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "roles.md"
PASSWORD = "only-for-this-test"  # noqa: S105  of a server that lives as long as the test
EVERYTHING = text(
    "SELECT n.nspname || '.' || c.relname AS place, c.relkind AS kind, c.relispartition AS is_partition, "
    "pg_get_userbyid(c.relowner) AS owner, role, privilege, has_table_privilege(role, c.oid, privilege) AS may "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, "
    "unnest(CAST(:roles AS text[])) AS role, unnest(CAST(:privileges AS text[])) AS privilege "
    "WHERE n.nspname = ANY (:schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
)


@pytest.fixture(scope="module")
def catalogue(warehouse_url):
    asked = {"roles": list(ROLES), "privileges": list(PRIVILEGES), "schemas": list(SCHEMAS)}
    with transaction(warehouse_url) as connection:
        return connection.execute(EVERYTHING, asked).all()


@pytest.fixture(scope="module")
def jobs_url(warehouse_url):
    create_login(warehouse_url, JOBS, PASSWORD)
    url = make_url(warehouse_url).set(username=JOBS.name, password=PASSWORD)
    return url.render_as_string(hide_password=False)


def test_every_role_may_do_with_every_object_what_is_documented_and_nothing_else(catalogue):
    places = {row.place for row in catalogue if not row.is_partition}
    asked = [row for row in catalogue if not row.is_partition]

    wrong = [
        f"{row.role} {'may' if row.may else 'may not'} {row.privilege} {row.place}"
        for row in asked
        if row.may is not (row.privilege in rights_of(row.role, row.place))
    ]

    assert {place.split(".")[0] for place in places} == set(SCHEMAS)
    assert len(asked) == len(places) * len(ROLES) * len(PRIVILEGES) > 4000
    assert wrong == []


def test_partitions_are_reached_through_their_fact_by_the_jobs_and_by_nobody_else(catalogue):
    seen = {row.role for row in catalogue if row.is_partition and row.may}

    assert seen <= {OWNER_ROLE, APP_ROLE}


def test_every_object_has_the_one_owner(catalogue):
    assert {row.owner for row in catalogue} == {OWNER_ROLE}


def test_the_page_names_every_object_that_differs_from_its_schema(catalogue):
    page = PAGE.read_text(encoding="utf-8")
    different = {
        row.place
        for row in catalogue
        if not row.is_partition
        and row.role != OWNER_ROLE
        and rights_of(row.role, row.place) != RIGHTS[row.role].get(row.place.split(".")[0], frozenset())
    }

    assert different >= {"ops.audit_entry", "vault.pseudonym_key"}
    assert [place for place in different if f"| `{place}` |" not in page] == []
    assert [schema for schema in SCHEMAS if f"**`{schema}`**" not in page] == []


def test_no_role_but_the_owner_creates_and_none_has_power_over_the_server(warehouse_url):
    schemas = text(
        "SELECT role, s, has_schema_privilege(role, s, 'USAGE'), has_schema_privilege(role, s, 'CREATE') "
        "FROM unnest(CAST(:roles AS text[])) role, unnest(CAST(:schemas AS text[])) s"
    )
    powers = text(
        "SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication OR rolcanlogin, "
        "has_database_privilege(rolname, current_database(), 'TEMPORARY'), has_schema_privilege(rolname, 'public', "
        "'CREATE') FROM pg_roles WHERE rolname = ANY (:roles)"
    )
    with transaction(warehouse_url) as connection:
        of_schemas = connection.execute(schemas, {"roles": list(ROLES), "schemas": list(SCHEMAS)}).all()
        of_server = connection.execute(powers, {"roles": list(ROLES)}).all()

    used = {(role, schema) for role, schema, may_use, _ in of_schemas if may_use}
    assert used == {(OWNER_ROLE, schema) for schema in SCHEMAS} | {
        (role, schema) for role, schemas in RIGHTS.items() for schema in schemas
    }
    assert {role for role, _, _, may_create in of_schemas if may_create} == {OWNER_ROLE}
    assert sorted(tuple(row) for row in of_server) == sorted((role, False, False, False) for role in ROLES)


def test_jobs_inherit_nothing_but_rows(warehouse_url, jobs_url):
    with transaction(warehouse_url) as connection:
        groups = text("SELECT roleid::regrole::text FROM pg_auth_members WHERE member = :name ::regrole")
        assert connection.execute(groups, {"name": JOBS.name}).scalars().all() == [APP_ROLE]
    with transaction(jobs_url) as connection:
        check_tables(connection)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE ops.audit_entry SET reason = ''", id="the audit trail"),
        pytest.param("DELETE FROM ops.notification", id="the outbox"),
        pytest.param("UPDATE ops.feedback_event SET kind_code = ''", id="what was reported"),
        pytest.param("SELECT * FROM vault.pseudonym_key", id="the key of BI's pseudonyms"),
        pytest.param("UPDATE mart.fct_loan_daily SET past_due_days = 0", id="a published figure"),
        pytest.param("TRUNCATE mart.fct_loan_daily", id="a fact"),
        pytest.param("ALTER TABLE mart.fct_loan_daily DISABLE TRIGGER ALL", id="a trigger"),
        pytest.param("CREATE TABLE mart.mine (a int)", id="a table"),
        pytest.param("CREATE TEMP TABLE mine (a int)", id="a temporary table"),
        pytest.param("CREATE OR REPLACE VIEW bi.loan_daily AS SELECT 1", id="a view"),
        pytest.param("DROP SCHEMA vault CASCADE", id="the vault"),
        pytest.param("SET ROLE arrears_owner", id="being the owner"),
        pytest.param("SET session_replication_role = replica", id="going round the triggers"),
        pytest.param("COPY ops.audit_entry TO PROGRAM 'true'", id="a program of the server"),
    ],
)
def test_jobs_are_refused(jobs_url, statement):
    with (
        psycopg.connect(jobs_url.replace("+psycopg", ""), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_jobs_have_the_partitions_of_a_month_made_and_no_other_table(jobs_url, warehouse_url):
    ensure_partitions(jobs_url, date(2031, 7, 9))

    with transaction(warehouse_url) as connection:
        made = text("SELECT count(*), min(pg_get_userbyid(relowner)) FROM pg_class WHERE relname LIKE 'fct%_2031_07'")
        count, owner = connection.execute(made).one()
    assert count > 5
    assert owner == OWNER_ROLE
    for fact, first in (("fct_par_daily", "2031-07-01"), ("fct_loan_daily", "2031-07-02"), ("x; DROP", "2031-07-01")):
        with pytest.raises(Exception, match="a row was refused"), transaction(jobs_url) as connection:
            connection.execute(text("SELECT ops.make_partition(:fact, :first)"), {"fact": fact, "first": first})


def test_jobs_vacuum_the_facts_of_a_date_in_new_months_too(jobs_url, warehouse_url):
    day = date(2031, 8, 9)
    ensure_partitions(jobs_url, day)
    never = text(
        "SELECT relname FROM pg_class WHERE relnamespace = 'mart'::regnamespace AND relkind = 'r' AND reltuples < 0 "
        "AND (relname LIKE '%_2031_08' OR NOT relispartition)"
    )
    with transaction(warehouse_url) as connection:
        before = connection.execute(never).scalars().all()

    vacuum(jobs_url, day)

    with transaction(warehouse_url) as connection:
        assert connection.execute(never).scalars().all() == []
    assert {"fct_loan_daily_2031_08", "fct_par_daily"} <= set(before)


def test_agents_see_their_teams_rows_and_the_jobs_all(warehouse_url, jobs_url):
    names = {"north_login": ["north"], "two_teams": ["north", "south"], "nobody": []}
    row = (
        "INSERT INTO work.agent_worklist (portfolio, business_date, case_id, team_id, queue_id, work_rank, state_code, "
        "bucket, delinquent_days, past_due_minor, currency, reason) "
        "VALUES ('p', '2026-03-02', :id, :team, 'q', 1, 's', 'b', 1, 1, 'USD', 'r')"
    )
    with transaction(warehouse_url) as connection:
        for name, teams in names.items():
            connection.execute(text(f"DROP ROLE IF EXISTS {name}"))
            connection.execute(text(f"CREATE ROLE {name} IN ROLE {AGENT_ROLE}"))
            for team in teams:
                connection.execute(text("INSERT INTO work.team_member VALUES (:n, :t)"), {"n": name, "t": team})
    with transaction(jobs_url) as connection:
        for number, team in enumerate(("north", "south", "")):
            connection.execute(text(row), {"id": f"c{number}", "team": team})
        assert connection.execute(text("SELECT count(*) FROM work.agent_worklist")).scalar_one() == 3

    seen = {}
    for name in names:
        with transaction(warehouse_url) as connection:
            connection.execute(text(f"SET LOCAL ROLE {name}"))
            seen[name] = set(connection.execute(text("SELECT team_id FROM work.agent_worklist")).scalars())
    with transaction(warehouse_url) as connection:
        forced = text(
            "SELECT bool_and(relrowsecurity AND relforcerowsecurity) FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = c.relnamespace WHERE n.nspname = 'work' AND c.relkind = 'r'"
        )
        assert connection.execute(forced).scalar_one()
        for name in names:
            connection.execute(text(f"DROP ROLE {name}"))
    assert seen == {name: set(teams) for name, teams in names.items()}


def test_a_warehouse_of_one_login_becomes_the_owners(empty_database_url):
    upgrade(empty_database_url)
    with transaction(empty_database_url) as connection:  # as it was before there was an owner
        connection.execute(text("REASSIGN OWNED BY arrears_owner TO arrears"))

    upgrade(empty_database_url)

    with transaction(empty_database_url) as connection:
        owners = text(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = ANY (:schemas) AND relkind IN ('r', 'p', 'v')"
        )
        assert connection.execute(owners, {"schemas": list(SCHEMAS)}).scalars().all() == [OWNER_ROLE]
