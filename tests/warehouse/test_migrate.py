"""A migrated database is what the contracts say, comments included."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from arrears.errors import WarehouseSchemaError
from arrears.warehouse.connection import transaction
from arrears.warehouse.migrate import check_tables, upgrade
from arrears.warehouse.tables import SCHEMAS, metadata
from sqlalchemy import make_url, text


def differences(connection):
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, _: kind != "schema" or name in SCHEMAS,
        "version_table_schema": "ops",
        "compare_type": True,
    }
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def test_upgraded_database_equals_the_contracts(warehouse_url):
    with transaction(warehouse_url) as connection:
        assert differences(connection) == []
        check_tables(connection)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("ALTER TABLE mart.fct_par_daily ALTER at_risk_loans TYPE integer", id="a type"),
        pytest.param("ALTER TABLE mart.fct_par_daily ALTER loans DROP NOT NULL", id="a nullability"),
        pytest.param("ALTER TABLE stg.fct_par_daily ADD extra text", id="a column"),
        pytest.param("COMMENT ON COLUMN mart.fct_par_daily.loans IS 'no'", id="a column's meaning"),
        pytest.param("COMMENT ON TABLE mart.fct_par_daily IS 'no'", id="a table's grain"),
    ],
)
def test_comparison_finds(empty_database_url, change):
    upgrade(empty_database_url)

    with transaction(empty_database_url) as connection:
        connection.execute(text("DROP VIEW bi.par_daily"))
        connection.execute(text(change))

        assert len(differences(connection)) == 1


def test_primary_keys_are_the_contracts_keys(warehouse_url):
    keys = text(
        "SELECT c.relname, array_agg(a.attname::text ORDER BY array_position(i.indkey::int2[], a.attnum)) "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey) "
        "WHERE i.indisprimary AND n.nspname = 'mart' GROUP BY c.relname"
    )

    with transaction(warehouse_url) as connection:
        found = dict(connection.execute(keys).all())

    wanted = {
        table.name: [column.name for column in table.primary_key]
        for table in metadata.tables.values()
        if table.schema == "mart"
    }
    assert len(wanted) >= 14
    assert found == wanted


def test_second_upgrade_leaves_the_views_alone(warehouse_url):
    catalog = text(
        "SELECT ev_class::text, xmin::text FROM pg_rewrite WHERE ev_class::regclass::text LIKE 'bi.%' ORDER BY 1"
    )
    with transaction(warehouse_url) as connection:
        before = connection.execute(catalog).all()

    upgrade(warehouse_url)

    with transaction(warehouse_url) as connection:
        assert before
        assert connection.execute(catalog).all() == before


def test_staging_refuses_a_column_of_another_type(empty_database_url):
    upgrade(empty_database_url)

    with transaction(empty_database_url) as connection:
        connection.execute(text("ALTER TABLE stg.fct_par_daily ALTER loans TYPE double precision"))

        with pytest.raises(WarehouseSchemaError, match=r"stg\.fct_par_daily\.loans is double precision, not bigint"):
            check_tables(connection)


def test_staging_refuses_a_database_that_was_never_upgraded(empty_database_url):
    with (
        transaction(empty_database_url) as connection,
        pytest.raises(WarehouseSchemaError, match=r"mart\.fct_loan_daily\.portfolio is missing"),
    ):
        check_tables(connection)


def test_owner_who_may_not_make_roles_upgrades_where_the_role_is_there(warehouse_url, empty_database_url):
    owner = "plain_owner"
    with transaction(warehouse_url) as connection:  # whose upgrade made the role
        database = make_url(empty_database_url).database
        connection.execute(text(f"CREATE ROLE {owner} LOGIN PASSWORD 'x'"))
        connection.execute(text(f"ALTER DATABASE {database} OWNER TO {owner}"))
    url = make_url(empty_database_url).set(username=owner, password="x")  # noqa: S106  of a server of this session

    upgrade(url.render_as_string(hide_password=False))

    with transaction(empty_database_url) as connection:
        check_tables(connection)
        connection.execute(text(f"REASSIGN OWNED BY {owner} TO arrears; DROP OWNED BY {owner}; DROP ROLE {owner}"))


def test_failed_upgrade_leaves_nothing(empty_database_url):
    with transaction(empty_database_url) as connection:
        connection.execute(text("CREATE SCHEMA vault"))  # in the way of the second migration

    with pytest.raises(WarehouseSchemaError, match="vault"):
        upgrade(empty_database_url)

    with transaction(empty_database_url) as connection:
        made = connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname IN ('mart', 'stg', 'ops')"))
        assert made.scalar_one() == 0
