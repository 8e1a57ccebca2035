"""The demo's rates and shapes lie in the bands it must show. The bands are our judgement of the market, no statistic.

Told from ``truth.parquet`` and the ledger beside it over sixty days and thirteen month ends, in the buckets of each
portfolio: in large, where chance is small, and in the size that ``make run`` has.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from arrears.local.demo import DEMOS
from arrears.sources.demo import Order, world
from arrears.sources.demo.lender import LENDERS
from arrears.sources.demo.load import make_chunk

AS_OF = date(2026, 11, 24)
MONTHS = [date(2025 + month // 12, month % 12 + 1, 1) for month in range(10, 23)]  # November 2025 to November 2026
DAYS = [AS_OF - timedelta(days=back) for back in range(60)]
LARGE, SEED = 25_000, 7
LAST_DAYS = {"demo_travel_cn": (0, 30, 60, 90, 120, 150), "demo_loan_us": (0, 29, 59, 89, 119)}  # of each bucket
ROLLED = """
    SELECT sum(earlier.outstanding_principal_minor)
               FILTER (later.bucket = $bucket + 1) / sum(earlier.outstanding_principal_minor)
    FROM states AS earlier JOIN states AS later
        ON earlier.loan_id = later.loan_id AND later.business_date = earlier.business_date + INTERVAL 1 MONTH
    WHERE earlier.bucket = $bucket AND earlier.business_date IN (FROM months)
        AND earlier.status_code = 'active' AND later.is_open
"""
CURED = """
    SELECT avg(CAST(NOT later.is_open OR later.past_due_on IS NULL OR later.past_due_on > entered.past_due_on AS INT))
    FROM entered JOIN states AS later
        ON entered.loan_id = later.loan_id AND later.business_date = entered.business_date + $days
"""


@dataclass(frozen=True)
class Book:
    """One ledger with its truth: an open DuckDB connection with the tables states, entered, due, months and log."""

    connection: duckdb.DuckDBPyConnection

    def value(self, select, **parameters):
        ((found,),) = self.connection.execute(select, parameters).fetchall()
        return found


def book_of(portfolio, loans, seed):
    chunk = make_chunk(Order.of(portfolio, loans=loans, seed=seed, dates=[*MONTHS, *DAYS]), 0, 1, loans)
    connection = duckdb.connect()
    connection.register("truth", chunk.truth)
    connection.register("schedule", chunk.tables["repayment_plan"])
    connection.register("log", chunk.tables["contact_log"])
    connection.register("months", pa.table({"day": pa.array(MONTHS)}))
    bucket = " ".join(f"WHEN past_due_days <= {last} THEN {at}" for at, last in enumerate(LAST_DAYS[portfolio]))
    connection.execute(
        f"CREATE TABLE states AS SELECT *, CASE WHEN NOT is_open THEN -1 {bucket} ELSE 99 END AS bucket FROM truth"
    )
    connection.execute(
        "CREATE TABLE due AS SELECT DISTINCT loan_no AS loan_id, due_on + 1 AS business_date FROM schedule"
        " JOIN states ON loan_id = loan_no AND business_date = due_on WHERE is_open AND past_due_days = 0"
    )
    connection.execute(
        "CREATE TABLE entered AS SELECT states.* FROM states JOIN due USING (loan_id, business_date)"
        " WHERE past_due_days = 1"
    )
    return Book(connection)


SIZES = [(lender, LARGE, SEED) for lender in LENDERS] + [(demo.portfolio, demo.loans, demo.seed) for demo in DEMOS]


@pytest.fixture(scope="module", params=SIZES, ids=[f"{portfolio}-{loans}" for portfolio, loans, _ in SIZES])
def book(request):
    """A ledger in large and one as ``make run`` has it, for each lender."""
    found = book_of(*request.param)
    yield found
    found.connection.close()


def test_entry_rate_is_in_its_band(book):
    could = book.value("SELECT count(*) FROM due WHERE business_date IN (SELECT DISTINCT business_date FROM states)")

    assert could > 500
    assert 0.03 <= book.value("SELECT count(*) FROM entered") / could <= 0.06


@pytest.mark.parametrize(("days", "low", "high"), [(1, 0.25, 0.40), (30, 0.85, 0.93)])
def test_cure_rate_is_in_its_band(book, days, low, high):
    assert low <= book.value(CURED, days=days) <= high


@pytest.mark.parametrize(
    ("bucket", "low", "high"),
    [
        pytest.param(0, 0.02, 0.03, id="M0-M1"),
        pytest.param(1, 0.15, 0.35, id="M1-M2"),
        pytest.param(2, 0.60, 0.70, id="M2-M3"),
        pytest.param(3, 0.80, 1.0, id="M3-M4"),
    ],
)
def test_roll_rate_is_in_its_band(book, bucket, low, high):
    assert low <= book.value(ROLLED, bucket=bucket) <= high


def test_par30_is_in_its_band_on_every_date(book):
    shares = book.connection.execute(
        "SELECT sum(outstanding_principal_minor) FILTER (past_due_days >= 30) / sum(outstanding_principal_minor)"
        " FROM states WHERE status_code = 'active' GROUP BY business_date"
    ).fetchall()

    assert len(shares) == len({*MONTHS, *DAYS})
    assert all(0.02 <= share <= 0.05 for (share,) in shares)


def test_right_party_is_reached_in_its_band(book):
    dialled = "FROM log WHERE channel IN ('call', 'voice_bot') AND direction = 'out'"

    dials = book.value(f"SELECT count(*) {dialled}")

    assert dials > 1_000
    assert 0.05 <= book.value(f"SELECT count(*) {dialled} AND outcome = 'conversation'") / dials <= 0.15


def test_promises_are_kept_in_their_band(book):
    ((due, kept),) = book.connection.execute(
        "SELECT sum(promises_due), sum(promises_kept) FROM states WHERE business_date = $as_of", {"as_of": AS_OF}
    ).fetchall()

    assert due > 50
    assert 0.50 <= kept / due <= 0.65


@pytest.fixture(scope="module", params=sorted(LENDERS))
def plan(request):
    return world.make(Order.of(request.param, loans=20_000, seed=SEED, dates=[*MONTHS, *DAYS]), 0, 1, 20_000)


def test_due_days_cluster(plan):
    due = plan.cells.due[plan.cells.exists].astype("datetime64[D]")
    day_of_month = (due - due.astype("datetime64[M]")).astype(int) + 1

    assert np.isin(day_of_month, (1, 10, 15, 25)).mean() > 0.75


def test_late_payers_wait_for_payday_and_rest_on_weekends(plan):
    cells, paydays = plan.cells, plan.lender.rhythm.paydays
    late = cells.exists & (cells.effective > cells.due + 3) & (cells.effective <= plan.calendar.end)
    days = cells.effective[late]
    dates = days.astype("datetime64[D]")
    on_payday = np.isin((dates - dates.astype("datetime64[M]")).astype(int) + 1, paydays).mean()
    on_weekends = plan.calendar.is_weekend(days).mean()

    assert len(days) > 1_000
    assert on_payday > 1.5 * len(paydays) / 30.4
    assert on_weekends < 0.8 * 2 / 7


def test_season_of_rest_dents_what_is_lent_and_paid(plan):
    cells, calendar = plan.cells, plan.calendar
    days = np.arange(calendar.first, calendar.as_of, dtype=np.int32)
    rest = calendar.is_rest(days).mean()
    late = cells.exists & (cells.effective > cells.due + 3) & (cells.effective <= calendar.end)

    assert rest > 0
    assert calendar.is_rest(plan.disbursed).mean() < 0.8 * rest
    assert calendar.is_rest(cells.effective[late]).mean() < 0.8 * rest


def test_loans_were_lent_fourteen_months_before_the_first_month_end(plan):
    first = np.datetime64(MONTHS[0]).astype(int)

    assert plan.disbursed.min() <= first - 425
    assert (plan.disbursed < first).sum() > 5_000
    assert plan.disbursed.max() <= plan.calendar.end
