"""What BI may read: every documented view, nothing else, nobody's name."""

import re
from decimal import Decimal

import psycopg
import pytest
from arrears.contracts import CONTRACTS
from arrears.contracts.chinese import CHINESE
from arrears.contracts.model import PiiClass
from arrears.errors import WarehouseSchemaError
from arrears.jobs.publish import publish
from arrears.warehouse.bi import View, create_views, operational_views, parity_views, views
from arrears.warehouse.connection import transaction
from arrears.warehouse.roles import BI_LOGIN, create_bi_login
from arrears.warehouse.run_steps import StepRows, note
from arrears.warehouse.tables import FACTS
from pydantic import SecretStr
from sqlalchemy import make_url, text
from support.books import make_book
from support.desk import put_reports
from support.facts import DAY, NOON, put_day
from support.questions import questions

VIEW_NAMES = {
    "agent_daily",
    "answer_clock",
    "assignment_daily",
    "bucket_history",
    "bucket_migration_daily",
    "bucket_migration_monthly",
    "case_ageing_daily",
    "case_daily",
    "case_loan_daily",
    "charge_off_monthly",
    "collection_case",
    "contact_attempt",
    "contact_blocked_by_rule",
    "contact_breach",
    "contact_decision",
    "contact_funnel_daily",
    "contact_not_judged",
    "contact_plan_daily",
    "cost_to_collect_monthly",
    "customer_status_daily",
    "daily_summary",
    "data_dictionary",
    "data_freshness",
    "data_quality_daily",
    "delinquency_event_daily",
    "delinquency_event_total_daily",
    "dim_agent",
    "dim_borrower",
    "dim_bucket",
    "dim_channel",
    "dim_date",
    "dim_product",
    "dim_queue",
    "dim_strategy",
    "due_cohort_daily",
    "entry_daily",
    "experiment_daily",
    "feedback_daily",
    "feedback_quarantine",
    "first_payment_default_monthly",
    "liquidation_monthly",
    "loan_daily",
    "loss_forecast_monthly",
    "missing_loan",
    "net_flow_monthly",
    "par_daily",
    "payment_allocated",
    "penetration_daily",
    "portfolio_daily",
    "pressure_daily",
    "productivity_monthly",
    "promise",
    "promise_kept_daily",
    "publication",
    "publication_change",
    "quarantine",
    "queue_daily",
    "queue_forecast",
    "reconciliation",
    "recovery_monthly",
    "roll_chain_monthly",
    "roll_rate_monthly",
    "run_step",
    "source_difference",
    "supervisor_override",
    "vintage_monthly",
}
OF_MONTHS = {  # one published day is no month
    "first_payment_default_monthly",
    "liquidation_monthly",
    "loss_forecast_monthly",
    "net_flow_monthly",
}
PERSONAL = re.compile(
    r"name$|phone|mobile_|e_?mail|address|birth|borrower|person|party|contact_point|employer|identity"
)
NOBODY = {  # counts of people, days, names of things; and a hash whose key stays in the vault
    *("borrower_days", "borrowers", "bot_borrowers", "contacted_borrowers", "reached_borrowers"),
    *("contacts_per_borrower_day", "first_right_party_on", "days_to_right_party", "borrower_key"),
    *("right_party", "right_party_contacts", "right_party_ratio", "right_party_connect_ratio"),
    *(
        "table_name",
        "column_name",
        "view_name",
        "delivery_name",
        "type_name",
        "channel_name",
        "month_name",
        "weekday_name",
    ),
}
PASSWORD = "only-for-this-test"  # noqa: S105  of a server that lives as long as the test


@pytest.fixture(scope="module")
def bi(warehouse_url, tmp_path_factory):
    """A connection of the BI login to a warehouse with one published date."""
    settings = make_book(tmp_path_factory.mktemp("bi")).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    put_day(settings, loans=3, amount=100, planned=("a",))
    publish("book", DAY, is_backfill=False, now=NOON, settings=settings)
    put_day(settings, loans=3, amount=200, planned=("a",))  # the date again: a second publication has changes
    publish("book", DAY, is_backfill=True, now=NOON, settings=settings)
    note(warehouse_url, "book", DAY, "run", "age", [StepRows("core__loan_delinquency_daily", "out", 3)])
    with transaction(warehouse_url) as connection:  # what a demo ledger lays beside the warehouse
        connection.execute(text("CREATE SCHEMA core_banking"))
        connection.execute(text("CREATE TABLE core_banking.customer AS SELECT 1 AS customer_id"))
    put_reports(warehouse_url)
    create_bi_login(warehouse_url, PASSWORD)
    url = make_url(warehouse_url).set(drivername="postgresql", username=BI_LOGIN, password=PASSWORD)
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


@pytest.fixture
def one(bi):
    return lambda statement: bi.execute(statement).fetchall()


def dictionary(bi):
    return bi.execute("SELECT view_name, column_name, meaning, pii_class FROM data_dictionary").fetchall()


def test_views_are_these():
    assert {view.name for view in views()} == VIEW_NAMES


def test_every_fact_has_a_view():
    read = " ".join(view.select for view in views())

    assert len(FACTS) >= 14
    assert [contract.mart for contract in FACTS if f"mart.{contract.mart}" not in read] == []


@pytest.mark.parametrize("name", sorted(VIEW_NAMES))
def test_bi_reads(bi, name):
    columns = [column.name for column in bi.execute(f"SELECT * FROM bi.{name}").description]

    assert columns
    assert bi.execute(f"SELECT count(*) FROM bi.{name}").fetchone()[0] > 0 or name in OF_MONTHS


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("SELECT * FROM mart.fct_loan_daily", id="facts"),
        pytest.param("SELECT * FROM stg.fct_loan_daily", id="staging"),
        pytest.param("SELECT * FROM ops.publish_ledger", id="the publish ledger"),
        pytest.param("SELECT * FROM ops.notification", id="the outbox"),
        pytest.param("SELECT * FROM ops.run_ledger", id="the run ledger"),
        pytest.param("SELECT * FROM vault.rejected_row", id="rejected rows"),
        pytest.param("SELECT * FROM core_banking.customer", id="the source"),
        pytest.param("INSERT INTO bi.queue_daily (queue_id) VALUES ('x')", id="inserting through a view"),
        pytest.param("DELETE FROM bi.queue_daily", id="deleting through a view"),
        pytest.param("CREATE TABLE public.mine (a int)", id="a table in public"),
        pytest.param("CREATE VIEW bi.mine AS SELECT 1 AS a", id="a view in bi"),
        pytest.param("CREATE TEMP TABLE mine (a int)", id="a temporary table"),
        pytest.param("CREATE SCHEMA mine", id="a schema"),
        pytest.param("COPY bi.queue_daily TO PROGRAM 'true'", id="a program of the server"),
        pytest.param("SELECT pg_read_file('/etc/hostname')", id="a file of the server"),
    ],
)
def test_bi_is_refused(bi, statement):
    bi.execute("SET default_transaction_read_only = off")  # a convenience: the rights must hold without it

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        bi.execute(statement)

    bi.execute("RESET default_transaction_read_only")


def test_bi_session_is_read_only_and_bounded(one):
    assert one("SHOW default_transaction_read_only") == [("on",)]
    assert one("SHOW statement_timeout") == [("1min",)]
    assert one("SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user") == [
        (False,)
    ]


def test_bi_reads_views_that_are_yet_to_come(bi, warehouse_url):
    with transaction(warehouse_url) as connection:
        connection.execute(text("SET LOCAL ROLE arrears_owner"))  # whom migrations make views as
        connection.execute(text("CREATE VIEW bi.later AS SELECT 1 AS a"))

    assert bi.execute("SELECT a FROM later").fetchall() == [(1,)]

    with transaction(warehouse_url) as connection:
        connection.execute(text("DROP VIEW bi.later"))


@pytest.mark.usefixtures("bi")
def test_login_can_be_made_again_with_another_password(warehouse_url):
    create_bi_login(warehouse_url, "another")

    url = make_url(warehouse_url).set(drivername="postgresql", username=BI_LOGIN, password="another")  # noqa: S106
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        assert connection.execute("SELECT count(*) FROM loan_daily").fetchone() == (3,)


def test_every_view_and_column_is_explained(bi):
    found = dictionary(bi)

    assert {view for view, *_ in found} == VIEW_NAMES
    assert len(found) > 150
    assert [(view, column) for view, column, meaning, _ in found if not meaning] == []
    in_chinese = bi.execute("SELECT DISTINCT column_name FROM data_dictionary WHERE meaning_zh IS NULL").fetchall()
    assert in_chinese == [], "say it in arrears/contracts/chinese.py"
    said = bi.execute("SELECT DISTINCT view_name, view_meaning FROM data_dictionary").fetchall()
    assert [view for view, meaning in said if "Grain: " not in (meaning or "")] == []


def test_no_view_shows_a_person(bi):
    pseudonyms = {
        column.name
        for contract in CONTRACTS.values()
        for column in contract.columns
        if column.pii is PiiClass.PSEUDONYM
    }
    found = dictionary(bi)
    columns = {(view, column) for view, column, *_ in found}

    shown = {(view, column) for view, column in columns if column in pseudonyms or PERSONAL.search(column)}

    assert pseudonyms >= {"borrower_id", "person_id", "contact_point_id", "agent_id", "party_id"}
    of_agents = ("agent_daily", "assignment_daily", "contact_attempt", "dim_agent", "payment_allocated", "promise")
    agents = {(view, "agent_id") for view in (*of_agents, "promise_kept_daily", "supervisor_override")}
    agents |= {("supervisor_override", "to_agent_id")}
    assert {(view, column) for view, column, _, pii in found if pii != "none"} == agents
    assert {column for view, column in shown - agents} == NOBODY


@pytest.mark.parametrize("question", questions())
def test_question_of_the_docs_is_answered(bi, question):
    answer = bi.execute(questions()[question], {"portfolio": "book", "day": DAY.isoformat()})

    assert len(questions()) == 20
    assert answer.fetchall() or "month" in question


# ------------------------------------------------------------------------------------------------------------ figures
def test_par_ratio_is_rounded_half_up_and_empty_without_a_denominator(one):
    assert one("SELECT threshold_days, par_ratio FROM par_daily ORDER BY 1") == [(30, Decimal("0.0001")), (90, None)]


def test_entry_and_roll_shares(one):
    assert one("SELECT entry_ratio_loans, entry_ratio_amount FROM entry_daily") == [
        (Decimal("0.1250"), Decimal("0.6667"))
    ]
    assert one(
        "SELECT to_bucket, loans_share, principal_share FROM bucket_migration_daily WHERE from_bucket = '0' ORDER BY 1"
    ) == [
        ("0", Decimal("0.6667"), Decimal("0.5000")),
        ("1-30", Decimal("0.3333"), Decimal("0.5000")),
    ]
    assert one("SELECT utilisation FROM queue_daily") == [(Decimal("1.5000"),)]


def test_blocked_contact_counts_once_under_each_rule(one):
    assert one("SELECT rule_id, citation, contacts FROM contact_blocked_by_rule ORDER BY 1") == [
        ("cap", "Law on cap", 1),
        ("hours", "Law on hours", 1),
    ]


def test_share_of_candidates_that_a_rule_forbids(one):
    assert one("SELECT rule_id, blocked_candidates, candidates, blocked_share FROM contact_blocked_by_rule") == [
        ("cap", 2, 3, Decimal("0.6667")),
        ("hours", 1, 3, Decimal("0.3333")),
    ]


def test_breaches_leave_out_what_could_not_be_judged(one):
    assert one("SELECT contact_id, rule_id, effect_code FROM contact_breach ORDER BY 3") == [
        ("night", "hours", "deny"),
        ("night", "house.hours", "house"),
    ]
    assert one("SELECT missing_fact, contacts FROM contact_not_judged") == [("content", 1)]


def test_summary_names_its_publication(one):
    assert one("SELECT loans, past_due_loans, contacts_planned, par30_ratio FROM daily_summary") == [
        (4, 3, 1, Decimal("0.0001"))
    ]
    assert one("SELECT content_hash FROM daily_summary") == one("SELECT content_hash FROM publication WHERE is_current")


# --------------------------------------------------------------------------------------------------------- definition
def test_view_file_gives_comment_and_meanings():
    content = (
        "-- Loans by risk.\n-- Grain: one row.\n-- Of: mart.fct_par_daily\n-- ratio: N over D\nSELECT 1 AS ratio\n"
    )

    view = View.parse("risk", content)

    assert view.comment == "Loans by risk. Grain: one row."
    assert view.select == "SELECT 1 AS ratio"
    assert view.meanings["ratio"] == "N over D"
    assert view.meanings["loans"] == CONTRACTS["out__par_daily"].column("loans").meaning


def test_sentence_that_begins_with_a_word_and_a_colon_is_no_column():
    view = View.parse("risk", "-- Risk: loans by it.\n-- Grain: one row.\nSELECT 1 AS ratio\n")

    assert view.comment == "Risk: loans by it. Grain: one row."


@pytest.mark.parametrize("view", [*views(), *operational_views(), *parity_views()], ids=lambda view: view.name)
def test_meaning_of_a_view_is_whole_sentences(view):
    says, _, grain = view.comment.partition(" Grain: ")

    assert re.fullmatch(r"[A-Z\u4e00-\u9fff].*[.\u3002]", says), "its header was cut"
    assert grain


def test_view_that_would_lose_a_column_is_refused(own_warehouse_url, monkeypatch):
    shorter = tuple(
        View(view.name, view.select.replace("    portfolio,\n", "", 1), view.comment, view.meanings)
        if view.name == "queue_daily"
        else view
        for view in views()
    )
    monkeypatch.setattr("arrears.warehouse.bi.views", lambda: shorter)

    with pytest.raises(WarehouseSchemaError), transaction(own_warehouse_url) as connection:
        create_views(connection)


def test_view_may_gain_a_column_between_those_it_has(own_warehouse_url, monkeypatch):
    wider = tuple(
        View(
            view.name,
            view.select.replace("    portfolio,\n", "    1 AS loans_more,\n    portfolio,\n", 1),
            view.comment,
            view.meanings | {"loans_more": "One"},
        )
        if view.name == "queue_daily"
        else view
        for view in views()
    )
    monkeypatch.setattr("arrears.warehouse.bi.views", lambda: wider)
    monkeypatch.setitem(CHINESE, "loans_more", "一")

    with transaction(own_warehouse_url) as connection:
        create_views(connection)
        found = list(connection.execute(text("SELECT * FROM bi.queue_daily")).keys())

    assert found[:2] == ["loans_more", "portfolio"]


def test_column_without_a_meaning_is_refused(own_warehouse_url, monkeypatch):
    monkeypatch.setattr("arrears.warehouse.bi.views", lambda: (View("new", "SELECT 1 AS a", "New. Grain: one.", {}),))

    with pytest.raises(KeyError, match="a"), transaction(own_warehouse_url) as connection:
        create_views(connection)


@pytest.mark.parametrize("database", ["airflow", "postgres"])
def test_bi_may_not_even_connect_beside_the_warehouse(postgres, warehouse_url, database):
    create_bi_login(warehouse_url, PASSWORD)
    elsewhere = f"postgresql://{BI_LOGIN}:{PASSWORD}@127.0.0.1:{postgres.port}/{database}"

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(elsewhere)
