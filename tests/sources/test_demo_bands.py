"""The demo's rates and shapes lie in the bands it must show. The bands are our judgement of the market, no statistic.

Rates are told from the plan over the last year, rolls from the truth of thirteen month ends: one seed, 50,000 loans.
"""

from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from arrears.sources.demo import world
from arrears.sources.demo.calendar import PAYDAYS, number_of
from arrears.sources.demo.load import make_chunk
from arrears.sources.demo.truth import truth

AS_OF = date(2026, 3, 16)
LOANS = 50_000
MONTH_STARTS = [date(2025, month, 1) for month in range(3, 13)] + [date(2026, month, 1) for month in (1, 2, 3)]
ROLLS = """
    WITH state AS (
        SELECT loan_id, business_date, outstanding_principal_minor AS balance, CASE
            WHEN NOT is_open OR status_code = 'charged_off' THEN 'out'
            WHEN past_due_days = 0 THEN 'M0'
            ELSE 'M' || least(7, (past_due_days - 1) // 30 + 1) END AS bucket
        FROM truths
    )
    SELECT a.bucket, sum(a.balance) FILTER (b.bucket = $now) / sum(a.balance)
    FROM state AS a JOIN state AS b
        ON a.loan_id = b.loan_id AND b.business_date = a.business_date + INTERVAL 1 MONTH
    WHERE a.bucket = $then
    GROUP BY a.bucket
"""


@pytest.fixture(scope="module")
def plan():
    return world.make(number_of(AS_OF), 7, 0, 1, LOANS)


@pytest.fixture(scope="module")
def tables():
    return make_chunk(number_of(AS_OF), 7, 0, 1, LOANS).tables


@pytest.fixture(scope="module")
def truths(plan):
    return pa.concat_tables([truth(plan, number_of(day)) for day in MONTH_STARTS])


@pytest.fixture(scope="module")
def entered(plan):
    """Instalments of the last year that fell due on loans that were current, and what was open of them d days on."""
    cells, end = plan.cells, plan.calendar.end
    cleared_before = np.concatenate([np.zeros((plan.loans, 1), dtype=np.int32), cells.visible[:, :-1]], axis=1)
    observed = cells.exists & (cells.due <= end - 31) & (cells.due > end - 365) & (plan.ended[:, None] > cells.due)
    fresh = np.nonzero(observed & (cleared_before <= cells.due))
    some = cells.take(fresh)
    return some.scheduled, {days: sum(some.open_at(some.due + days)) for days in (0, 1, 30)}


def test_entry_rate_is_in_its_band(entered):
    due, left = entered

    assert 0.03 <= left[0].sum() / due.sum() <= 0.06


@pytest.mark.parametrize(("days", "low", "high"), [(1, 0.25, 0.40), (30, 0.85, 0.93)])
def test_cure_rate_is_in_its_band(entered, days, low, high):
    _, left = entered
    late = left[0] > 0

    assert low <= 1 - left[days][late].sum() / left[0][late].sum() <= high


@pytest.mark.parametrize(
    ("then", "now", "low", "high"),
    [
        ("M0", "M1", 0.02, 0.03),
        ("M1", "M2", 0.15, 0.35),
        ("M2", "M3", 0.60, 0.70),
        ("M3", "M4", 0.80, 1.0),
        ("M4", "M5", 0.80, 1.0),
        ("M5", "M6", 0.80, 1.0),
    ],
)
def test_roll_rate_is_in_its_band(truths, then, now, low, high):
    assert truths.num_rows > LOANS

    ((_, rolled),) = duckdb.sql(ROLLS, params={"then": then, "now": now}).fetchall()

    assert low <= rolled <= high


def test_par30_is_in_its_band(truths):
    shares = duckdb.sql(
        "SELECT sum(outstanding_principal_minor) FILTER (past_due_days > 30) / sum(outstanding_principal_minor)"
        " FROM truths WHERE status_code = 'active' AND business_date >= DATE '2025-11-01' GROUP BY business_date"
    ).fetchall()

    assert truths.num_rows > LOANS
    assert len(shares) == 5
    assert all(0.02 <= share <= 0.05 for (share,) in shares)


def test_right_party_is_reached_in_its_band(tables):
    log = tables["contact_log"]

    (row,) = duckdb.sql(
        "SELECT count(*), count(*) FILTER (outcome = 'conversation') FROM log"
        " WHERE channel IN ('call', 'voice_bot') AND direction = 'out'"
    ).fetchall()

    assert log.num_rows > 1_000
    assert 0.05 <= row[1] / row[0] <= 0.15


def test_due_days_cluster(plan):
    due = plan.cells.due[plan.cells.exists].astype("datetime64[D]")
    day_of_month = (due - due.astype("datetime64[M]")).astype(int) + 1

    assert np.isin(day_of_month, (1, 10, 15, 25)).mean() > 0.75


def test_late_payers_wait_for_payday_and_rest_on_weekends(plan):
    cells = plan.cells
    late = cells.exists & (cells.effective > cells.due + 3) & (cells.effective <= plan.calendar.end)
    days = cells.effective[late]
    dates = days.astype("datetime64[D]")
    on_payday = np.isin((dates - dates.astype("datetime64[M]")).astype(int) + 1, PAYDAYS).mean()
    on_weekends = plan.calendar.is_weekend(days).mean()

    assert len(days) > 1_000
    assert on_payday > 1.5 * len(PAYDAYS) / 30.4
    assert on_weekends < 0.8 * 2 / 7


def test_spring_festival_dents_what_is_lent_and_paid(plan):
    cells, calendar = plan.cells, plan.calendar
    days = np.arange(calendar.first, calendar.as_of, dtype=np.int32)
    festival = calendar.is_festival(days).mean()
    late = cells.exists & (cells.effective > cells.due + 3) & (cells.effective <= calendar.end)

    assert festival > 0
    assert calendar.is_festival(plan.disbursed).mean() < 0.8 * festival
    assert calendar.is_festival(cells.effective[late]).mean() < 0.8 * festival


def test_life_of_the_loans_allows_thirteen_months_of_history(plan):
    assert plan.disbursed.min() < plan.calendar.end - 400
    assert plan.disbursed.max() <= plan.calendar.end
