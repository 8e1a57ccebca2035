"""Conservation: each check of ``bi.reconciliation`` notices a difference planted where it looks, of one unit."""

import psycopg
import pytest
from arrears.errors import PublishAuditError
from arrears.jobs.publish import publish
from arrears.warehouse.connection import transaction
from arrears.warehouse.reconciliation import check_conservation
from pydantic import SecretStr
from support.books import make_book
from support.facts import DAY, NOON, put_day
from support.pages import NEXT

COMPARED = f"UPDATE mart.{{}} SET compared_with = '{DAY}' WHERE business_date = '{NEXT}'"
# Two days that are compared with one another: the second has the first's loans, cases and cash, and what came since.
CONSISTENT = [
    f"UPDATE mart.{change} AND business_date = '{NEXT}'"
    for change in (
        f"fct_summary_daily SET compared_with = '{DAY}', cash_total_minor = 100 WHERE TRUE",
        f"fct_bucket_migration_daily SET compared_with = '{DAY}' WHERE TRUE",
        "fct_queue_daily SET carried_cases = 3, entered_cases = 1 WHERE TRUE",
        "fct_case_daily SET event_code = 'carried' WHERE case_id <> 'case-loan-3'",
        "fct_bucket_migration_daily SET from_bucket = '1-30', loans = 3 WHERE to_bucket = '1-30'",
        "fct_bucket_migration_daily SET loans = 1 WHERE from_bucket IN ('0', 'new')",
        "fct_bucket_migration_daily SET direction_code = 'stay' WHERE from_bucket IN ('0', '1-30')",
    )
]
# What is planted, and the check that must notice it; others may notice it too.
PLANTED = {
    "loans_in_buckets": "fct_portfolio_daily SET loans = loans + 1 WHERE contract_bucket = '0'",
    "past_due_in_buckets": "fct_portfolio_daily SET past_due_minor = past_due_minor + 1 WHERE contract_bucket = '0'",
    "past_due_loans_listed": "fct_summary_daily SET past_due_loans = past_due_loans + 1 WHERE TRUE",
    "past_due_listed": "fct_loan_daily SET past_due_minor = past_due_minor + 1 WHERE loan_id = 'loan-0'",
    "principal_of_active_loans": "fct_par_daily SET denominator_minor = 1 WHERE threshold_days = 30",
    "events_counted": "fct_delinquency_event_total_daily SET loans = loans + 1 WHERE TRUE",
    "events_summed": "fct_delinquency_event_total_daily SET past_due_minor = past_due_minor + 1 WHERE TRUE",
    "newly_overdue_counted": "fct_delinquency_event_total_daily SET event_code = 'cured' WHERE TRUE",
    "matrix_row_is_whole": "fct_bucket_migration_daily SET loans = loans + 1 WHERE from_bucket = '1-30'",
    "matrix_ends_in_portfolio": "fct_bucket_migration_daily SET loans = loans + 1 WHERE from_bucket = 'new'",
    "cases_open": "fct_case_daily SET event_code = 'closed' WHERE case_id = 'case-loan-0'",
    "cases_assigned_or_not": "fct_summary_daily SET open_cases = open_cases - 1 WHERE TRUE",
    "cases_in_queues": "fct_queue_daily SET open_cases = open_cases + 1 WHERE TRUE",
    "cases_opened_and_carried": "fct_case_daily SET event_code = 'opened' WHERE case_id = 'case-loan-0'",
    "queue_is_whole": "fct_queue_daily SET entered_cases = entered_cases + 1 WHERE TRUE",
    "queue_left_and_carried": "fct_queue_daily SET left_cases = left_cases + 1 WHERE TRUE",
    "contacts_planned_or_blocked": "fct_summary_daily SET contacts_blocked = contacts_blocked + 1 WHERE TRUE",
    "cash_of_two_ledgers": "fct_summary_daily SET cash_total_minor = cash_total_minor + 1 WHERE TRUE",
    "payments_allocated_to_components": "fct_payment_allocated SET interest_minor = interest_minor + 1 WHERE TRUE",
    "payments_allocated_by_due_date": "fct_payment_allocated SET advance_minor = advance_minor + 1 WHERE TRUE",
    "entered_arrears": "fct_due_cohort_daily SET entered_minor = entered_minor + 1 WHERE TRUE",
    "ledger_rows": "fct_summary_daily SET rows_accepted = rows_accepted - 1 WHERE TRUE",
}


@pytest.fixture(scope="module")
def url(warehouse_url, tmp_path_factory):
    settings = make_book(tmp_path_factory.mktemp("books")).model_copy(
        update={"warehouse_url": SecretStr(warehouse_url)}
    )
    put_day(settings, loans=3, amount=100, planned=("a",))
    publish("book", DAY, is_backfill=False, now=NOON, settings=settings)
    put_day(settings, NEXT, loans=4, amount=100)
    publish("book", NEXT, is_backfill=True, now=NOON, settings=settings)
    with psycopg.connect(warehouse_url.replace("+psycopg", "")) as connection:
        for statement in CONSISTENT:
            assert connection.execute(statement).rowcount > 0, statement
    return warehouse_url


@pytest.fixture
def planted(url):
    """A transaction that is rolled back."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        yield connection
        connection.rollback()


def differences(connection):
    asked = "SELECT check_code, difference FROM bi.reconciliation WHERE business_date = %s AND NOT is_equal"
    return dict(connection.execute(asked, (NEXT,)).fetchall())


def test_every_check_has_a_planted_difference(planted):
    asked = "SELECT DISTINCT check_code FROM bi.reconciliation WHERE business_date = %s"

    assert {code for (code,) in planted.execute(asked, (NEXT,))} == PLANTED.keys()


def test_consistent_days_have_no_difference(planted):
    assert differences(planted) == {}


@pytest.mark.parametrize("check", PLANTED)
def test_check_notices_one_unit(planted, check):
    done = planted.execute(f"UPDATE mart.{PLANTED[check]} AND business_date = '{NEXT}'")

    assert done.rowcount > 0
    assert check in differences(planted)


def test_publication_with_a_difference_is_refused_by_name(url):
    def publish_with_a_difference():
        with transaction(url) as connection:
            connection.exec_driver_sql(f"UPDATE mart.{PLANTED['cases_in_queues']} AND business_date = '{NEXT}'")
            check_conservation(connection, "book", NEXT, is_history=False)

    with pytest.raises(PublishAuditError, match=r"cases_in_queues: 5, not 4"):
        publish_with_a_difference()
