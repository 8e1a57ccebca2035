"""An extract or validation killed on the way is made whole by running it again, equal to an undisturbed one."""

import os
import signal
import subprocess
import sys

import pytest
from arrears.jobs.validate import validate
from support.books import FIRST
from support.deliveries import deliver, extract_all, judge, make_file_book, manifests, spoiled

pytestmark = pytest.mark.chaos

BOOKS = ("one", "two")
RUN = """
import sys
from datetime import date
from arrears.jobs.extract import extract
from arrears.jobs.validate import validate
for noun in ("loan", "instalment", "transaction"):
    extract("book", date(2026, 3, 2), noun)
validate("book", date(2026, 3, 2))
"""


def run_and_die(folder, settings, failpoint):
    """Run the day's first two steps in a process that dies at a fail point."""
    marker = folder / "failpoint"
    marker.touch()
    environment = {
        **os.environ,
        "ARREARS_LAKE_URL": settings.lake_url,
        "ARREARS_PORTFOLIOS": str(settings.portfolios),
        "ARREARS_POLICIES": str(settings.policies),
        "ARREARS_STRATEGIES": str(settings.strategies),
        "ARREARS_FAILPOINT": failpoint,
        "ARREARS_FAILPOINT_FILE": str(marker),
    }
    environment.pop("ARREARS_WAREHOUSE_URL", None)
    return subprocess.run([sys.executable, "-c", RUN], env=environment, check=False, capture_output=True)


@pytest.mark.parametrize("failpoint", ["extract.before_write", "extract.after_write", "validate.after_quarantine"])
def test_killed_step_run_again_equals_an_undisturbed_one(tmp_path, failpoint):
    delivery = spoiled("loan", 2, "CNY,20000", "CNY,NaN")
    undisturbed, killed = (make_file_book(tmp_path / book) for book in BOOKS)
    for settings in (undisturbed, killed):
        deliver(settings, **delivery)
    expected = judge(undisturbed)

    died = run_and_die(tmp_path, killed, failpoint)
    extract_all(killed)
    found = validate("book", FIRST, settings=killed)

    assert died.returncode == -signal.SIGKILL, died.stderr[-500:]
    assert found["content_hashes"].keys() == expected["content_hashes"].keys()
    assert found["content_hashes"] == expected["content_hashes"]
    assert [m.content_hash for m in manifests(killed, "extract").values()] == [
        m.content_hash for m in manifests(undisturbed, "extract").values()
    ]
    vaults = [{path.name: path.read_text() for path in (tmp_path / book / "vault").rglob("*.jsonl")} for book in BOOKS]
    assert vaults[0]
    assert vaults[1] == vaults[0]
