"""Real loans with known truth (``--superlender-dir``): what ``age`` and a daily run say of them."""

from collections import Counter
from datetime import date

import pytest
from arrears.jobs.age import age
from arrears.jobs.age_ledger import age_ledger
from arrears.jobs.extract import extract, tables_to_extract
from arrears.jobs.transitions import transitions
from arrears.jobs.validate import validate
from arrears.settings import INCLUDE, load_settings
from support.books import rows_of

BUCKETS = ("0", "1-30", "31-60", "61-90", "91+")
NEW_YEAR = date(2017, 1, 1)
CONFIG = INCLUDE / "portfolios" / "superlender" / "portfolio.yaml"


@pytest.fixture
def superlender(request):
    folder = request.config.getoption("--superlender-dir")
    if folder is None:
        pytest.skip("give --superlender-dir")
    return folder


def test_open_loans_by_bucket_as_of_the_close(superlender):
    rows = [row for row in age_ledger(superlender, date(2016, 12, 31), CONFIG).to_pylist() if row["is_open"]]

    counts = Counter(row["bucket"] for row in rows)
    assert [counts[code] for code in BUCKETS] == [744, 59, 2, 1, 6]


def test_daily_run_ages_the_ledger_of_the_day_before(superlender, tmp_path, monkeypatch):
    monkeypatch.setenv("ARREARS_SUPERLENDER_DIR", str(superlender))
    settings = load_settings().model_copy(update={"lake_url": f"file://{tmp_path}", "warehouse_url": None})
    for noun in tables_to_extract("superlender", settings=settings):
        extract("superlender", NEW_YEAR, noun, settings=settings)
    validate("superlender", NEW_YEAR, settings=settings)

    age("superlender", NEW_YEAR, settings=settings)
    events = transitions("superlender", NEW_YEAR, settings=settings)

    rows = rows_of(settings, "core__loan_delinquency_daily", NEW_YEAR, portfolio="superlender")
    counts = Counter(row["bucket"] for row in rows if row["is_open"])
    assert [counts[code] for code in BUCKETS] == [744, 57, 4, 1, 6]
    assert events["events"] == {"initial_load": 68}
