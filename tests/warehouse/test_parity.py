"""The parity report: right figures, small groups hidden, read by its own role alone, and no rule knows of groups."""

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import arrears
import pytest
from arrears.contact.strategy import When
from arrears.errors import ConfigurationError
from arrears.warehouse.connection import transaction
from arrears.warehouse.parity import load_groups
from arrears.warehouse.partitions import ensure_partitions
from arrears.warehouse.roles import PARITY_ROLE
from sqlalchemy import text
from support.warehouse import put_row

DAY = date(2026, 3, 2)
EMPTIED = ("mart.fct_case_daily", "ops.notification", "ops.notification_event", "vault.group_member")


@pytest.fixture(scope="module")
def url(warehouse_url, tmp_path_factory):
    """Groups of 20, 40 and 19 people with a case on two days; the first is called more than the second, helped less."""
    ensure_partitions(warehouse_url, DAY)
    lines = ["party_id,attribute_code,group_code"]
    with transaction(warehouse_url) as connection:
        for group, people, contacts, relieved in (("a", 20, 2, 1), ("b", 40, 1, 10), ("few", 19, 9, 0)):
            for number in range(people):
                party = f"{group}{number}"
                lines.append(f"{party},age_band,{group}")
                for later in range(2):
                    state = "plan" if number < relieved else "in_treatment"
                    standing = {"case_id": party, "borrower_id": party, "state_code": state}
                    on = DAY + timedelta(days=later)
                    put_row(connection, "mart.fct_case_daily", portfolio="book", business_date=on, **standing)
                for sent in range(contacts):
                    put_row(connection, "ops.notification", **notification(party, sent))
                put_row(connection, "ops.notification", **notification(party, 99, purpose_code="service"))
                put_row(connection, "ops.notification", **notification(party, 98, state_code="planned"))
    file = tmp_path_factory.mktemp("groups") / "groups.csv"
    file.write_text("\n".join(lines))
    load_groups(warehouse_url, "book", file, actor="tester")
    load_groups(warehouse_url, "book", file, actor="tester")
    yield warehouse_url
    with transaction(warehouse_url) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in EMPTIED:
            connection.execute(text(f"DELETE FROM {table}"))


def notification(party, number, **change):
    told = {"step_key": f"{party}-{number}", "portfolio": "book", "borrower_id": party, "business_date": DAY}
    return {**told, "state_code": "sent", "purpose_code": "collection", **change}


def test_groups_are_compared_with_everybody(url):
    with transaction(url) as connection:
        found = connection.execute(text("SELECT * FROM parity.contact_and_relief_monthly ORDER BY group_code")).all()

    a, b, few = found
    assert (a.month_on, a.people, a.case_days, a.contacts, a.relief_people) == (date(2026, 3, 1), 20, 40, 40, 1)
    assert (a.contacts_per_100_case_days, a.relief_ratio) == (100, Decimal("0.05"))
    # Everybody: 40 + 40 + 171 contacts on 158 days, 11 of 79 people relieved.
    assert a.contact_parity == round(Decimal(1) / (Decimal(251) / 158), 4)
    assert a.relief_parity == round(Decimal("0.05") / (Decimal(11) / 79), 4)
    assert (a.alarm_code, b.alarm_code) == ("unrelieved", "even")
    assert (few.people, few.contacts, few.relief_ratio, few.contact_parity, few.alarm_code) == (19, *[None] * 4)


def test_group_that_is_pressed_is_said_to_be(url):
    with transaction(url) as connection:
        connection.execute(text("DELETE FROM vault.group_member WHERE group_code = 'few'"))
        alarm = connection.execute(
            text("SELECT alarm_code FROM parity.contact_and_relief_monthly WHERE group_code = 'a'")
        ).scalar_one()
        connection.rollback()

    assert alarm == "both"


def test_its_role_reads_figures_of_groups_and_nobody_else_reads_them(url):
    asked = text(
        "SELECT has_table_privilege(:role, 'parity.contact_and_relief_monthly', 'SELECT'), "
        "has_schema_privilege(:role, 'parity', 'USAGE'), has_table_privilege(:role, 'vault.group_member', 'SELECT'), "
        "has_schema_privilege(:role, 'mart', 'USAGE'), has_schema_privilege(:role, 'bi', 'USAGE')"
    )
    with transaction(url) as connection:
        its_own = tuple(connection.execute(asked, {"role": PARITY_ROLE}).one())
        others = [
            tuple(connection.execute(asked, {"role": role}).one())[:3]
            for role in ("arrears_bi", "arrears_agent", "arrears_app")
        ]
        connection.execute(text(f"SET LOCAL ROLE {PARITY_ROLE}"))
        seen = connection.execute(text("SELECT count(*) FROM parity.contact_and_relief_monthly")).scalar_one()

    assert its_own == (True, True, False, False, False)
    assert others == [(False, False, False)] * 3
    assert seen == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("party_id,sex\n", "line 1", id="another header"),
        pytest.param("party_id,attribute_code,group_code\np1,sex\n", "line 2", id="a short row"),
        pytest.param("party_id,attribute_code,group_code\np1,sex,F\n", "group_code that is no code", id="no code"),
        pytest.param("party_id,attribute_code,group_code\np1,sex,f\np1,sex,m\n", "a party twice", id="twice"),
    ],
)
def test_file_that_is_none_is_refused_and_changes_nothing(url, tmp_path, content, words):
    (tmp_path / "groups.csv").write_text(content)

    with pytest.raises(ConfigurationError, match=words):
        load_groups(url, "book", tmp_path / "groups.csv", actor="tester")

    with transaction(url) as connection:
        assert connection.execute(text("SELECT count(*) FROM vault.group_member")).scalar_one() == 79


def test_nothing_that_steers_contact_can_read_groups():
    code = Path(arrears.__file__).parent
    readers = {
        str(path.relative_to(code))
        for path in code.rglob("*")
        if path.suffix in (".py", ".sql")
        and re.search(r"group_member|warehouse\.parity", path.read_text("utf-8"), re.IGNORECASE)
    }

    assert readers == {
        "cli_parity.py",
        "warehouse/parity.py",
        "warehouse/roles.py",  # who may not
        "warehouse/tables.py",
        "warehouse/views/parity/contact_and_relief_monthly.sql",
        "warehouse/migrations/versions/v0131_parity.py",
    }
    allowed = {
        "bucket",
        "amount",
        "product",
        "behaviour",
        "promise",
        "risk_band",
        "contactability",
        "vulnerable",
        "hold",
    }
    assert set(When.model_fields) == allowed
