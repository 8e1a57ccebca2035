"""Real loans with known truth (``--superlender-dir``): what `age` says of them."""

from collections import Counter
from datetime import date

import pytest
from arrears.jobs.age_ledger import age_ledger
from arrears.settings import INCLUDE

CONFIG = INCLUDE / "portfolios" / "superlender" / "portfolio.yaml"


@pytest.fixture
def superlender(request):
    folder = request.config.getoption("--superlender-dir")
    if folder is None:
        pytest.skip("give --superlender-dir")
    return folder


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        pytest.param(date(2016, 12, 31), (744, 59, 2, 1, 6), id="as_of_the_close"),
        pytest.param(date(2016, 9, 30), None, id="another_date_has_loans_in_arrears_too"),
    ],
)
def test_open_loans_by_bucket(superlender, as_of, expected):
    rows = [row for row in age_ledger(superlender, as_of, CONFIG).to_pylist() if row["is_open"]]

    counts = Counter(row["bucket"] for row in rows)
    found = tuple(counts[code] for code in ("0", "1-30", "31-60", "61-90", "91+"))
    assert sum(found) == len(rows) > 0
    assert expected is None or found == expected
