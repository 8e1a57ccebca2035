"""Nothing is lost between ledger and marts: both demo books over two days, and the superlender's files when given."""

from datetime import date, timedelta

import psycopg
import pytest
from arrears.jobs.run_day import run_day
from arrears.settings import Settings
from arrears.sources.demo import fill_demo
from arrears.sources.demo.lender import LENDERS
from support.books import rows_of

DAYS = [date(2026, 3, 18), date(2026, 3, 19)]
OF_FILES = [date(2017, 1, 1), date(2017, 1, 2)]
CHECKS = 20
# A payment and what takes one back: what the ledger itself calls cash.
CASH = {"repayment": 1, "reversal": -1, "chargeback": -1}


@pytest.fixture
def worked(request, warehouse_url, tmp_path, monkeypatch):
    """A book of two published days; asks the warehouse, and reads the lake."""
    portfolio, days = request.param, DAYS
    settings = Settings(lake_url=f"file://{tmp_path / 'lake'}", warehouse_url=warehouse_url, threads=2)
    if portfolio in LENDERS:
        monkeypatch.setenv("ARREARS_WAREHOUSE_URL", warehouse_url)
        monkeypatch.setenv("ARREARS_DEMO_FIRST_DATE", days[0].isoformat())
        monkeypatch.setenv("ARREARS_DEMO_US_INBOX", str(tmp_path / "inbox"))
        monkeypatch.setenv("ARREARS_DEMO_US_ARCHIVE", str(tmp_path / "archive"))
        target = str(tmp_path / "inbox") if LENDERS[portfolio].delivers == "inbox" else warehouse_url
        fill_demo(portfolio, loans=200, seed=7, business_dates=days, target=target, truth=tmp_path / "truth.parquet")
    else:
        folder, days = request.config.getoption("--superlender-dir"), OF_FILES
        if folder is None:
            pytest.skip("needs --superlender-dir: the data is not ours to ship")
        monkeypatch.setenv("ARREARS_SUPERLENDER_DIR", str(folder))
    for day in days:
        assert run_day(portfolio, day, settings=settings)["publication"]["published"]
    with psycopg.connect(warehouse_url.replace("+psycopg", "")) as connection:

        def sql(statement, day=days[1]):
            return connection.execute(statement, {"portfolio": portfolio, "day": day}).fetchall()

        yield sql, lambda table, day=days[1]: rows_of(settings, table, day, portfolio), days


@pytest.mark.parametrize("worked", [*sorted(LENDERS), "superlender"], indirect=True)
def test_nothing_is_lost_between_ledger_and_marts(worked):
    sql, lake, (first, second) = worked
    of_day = "WHERE portfolio = %(portfolio)s AND business_date = %(day)s"

    # By the view: every check there is, none with a difference.
    [[checks, differing]] = sql(
        f"SELECT count(DISTINCT check_code), sum(abs(difference)) FROM bi.reconciliation {of_day}"
    )
    assert (checks >= CHECKS, differing) == (True, 0)
    # By the lake's own rows: loans and principal by bucket are the portfolio's.
    open_loans = [row for row in lake("core__loan_delinquency_daily") if row["is_open"]]
    assert open_loans
    principal = sum(row["outstanding_principal_minor"] for row in open_loans)
    assert sql(f"SELECT sum(loans), sum(outstanding_principal_minor) FROM bi.portfolio_daily {of_day}") == [
        (len(open_loans), principal)
    ]
    # Each row of the matrix is whole.
    shares = sql(
        f"SELECT sum(loans_share), count(*) FROM bi.bucket_migration_daily {of_day} GROUP BY from_bucket, currency"
    )
    assert shares
    assert all(abs(float(total) - 1) <= 0.0001 * parts for total, parts in shares)
    # Cash between the two ledgers, counted by hand, is what was allocated.
    allocated = sql(f"SELECT coalesce(sum(cash_minor), 0) FROM bi.payment_allocated {of_day}")
    assert allocated == [(cash(lake("raw__transaction"), second) - cash(lake("raw__transaction", first), first),)]


def cash(transactions, day):
    """Net cash that counts by the last close."""
    return sum(
        CASH.get(row["kind_code"], 0) * row["amount_minor"]
        for row in transactions
        if row["effective_on"] <= day - timedelta(days=1)
    )
