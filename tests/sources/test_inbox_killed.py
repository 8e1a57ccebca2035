"""Picking up a delivery, killed anywhere, is completed by running it again: nothing is lost, nothing is there twice."""

import os
import signal
import subprocess
import sys

import pytest
from support.deliveries import CLOSE, extract_all, judge, manifests
from support.drops import Drops

pytestmark = pytest.mark.chaos

RUN = """
from datetime import date
from arrears.jobs.validate import validate
validate("book", date(2026, 3, 2))
"""


@pytest.mark.parametrize("failpoint", ["inbox.copied_one", "inbox.copied", "inbox.removed_one"])
def test_killed_archiving_run_again_ends_as_an_undisturbed_one(tmp_path, failpoint):
    undisturbed, killed = (Drops(tmp_path / name) for name in ("one", "two"))
    for drops in (undisturbed, killed):
        drops.drop()
    delivery = undisturbed.lying()
    judge(undisturbed.settings)
    judge_and_die(tmp_path, killed, failpoint)
    left = {**killed.lying(), **{name.rsplit("/", 1)[1]: content for name, content in killed.kept().items()}}

    judge(killed.settings)

    assert left == delivery
    assert len(delivery) == 4
    assert killed.lying() == {}
    assert killed.kept() == undisturbed.kept()
    assert [m.content_hash for m in manifests(killed.settings, "raw").values()] == [
        m.content_hash for m in manifests(undisturbed.settings, "raw").values()
    ]


def judge_and_die(folder, drops, failpoint):
    """Extract here; validate in a process that dies at a fail point."""
    marker = folder / "failpoint"
    marker.touch()
    settings = drops.settings
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
    extract_all(settings)
    died = subprocess.run([sys.executable, "-c", RUN], env=environment, check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr[-500:]
    assert f"control_{CLOSE}.json" in drops.lying()
