"""An intake killed midway and run again: nothing is lost, nothing is doubled."""

import os
import signal
import subprocess
import sys

import pytest
from support.desk import AT, make_desk, plan, rows

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
HEADER = "kind,ref,occurred_at,party_id,channel_code\n"
PLACES = ["feedback.before_commit", "feedback.after_commit", "feedback.after_archive"]


def intake(desk, failpoint="", marker=""):
    environment = {
        **os.environ,
        "ARREARS_WAREHOUSE_URL": desk.warehouse,
        "ARREARS_LAKE_URL": desk.lake_url,
        "ARREARS_PORTFOLIOS": str(desk.portfolios),
        "ARREARS_POLICIES": str(desk.policies),
        "ARREARS_STRATEGIES": str(desk.strategies),
        "ARREARS_FAILPOINT": failpoint,
        "ARREARS_FAILPOINT_FILE": str(marker),
    }
    command = [sys.executable, "-m", "arrears", "feedback", "intake", "--portfolio", "book"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_lost_or_doubled(tmp_path, warehouse_url, place):
    desk = make_desk(tmp_path, warehouse_url)
    plan(warehouse_url, ("sms", "P1", ["L1"], "C1", "sms"), ("call", "P1", ["L1"], "C1", "call"))
    for number in (1, 2, 3):
        lines = [f"opt_out,o{number}{line},{AT},P{line % 2 + 1},sms\n" for line in range(200)]
        (tmp_path / "inbox" / f"calls{number}.csv").write_text(HEADER + "".join(lines) + "gossip,x,,,\n")
    marker = tmp_path / "strike"
    marker.touch()

    killed = intake(desk, place, marker)
    half = rows(desk, "SELECT count(*) FROM ops.feedback_event")[0][0]
    again, third = intake(desk), intake(desk)

    assert killed.returncode == -signal.SIGKILL
    assert half in (0, 200)
    assert (again.returncode, third.returncode) == (0, 0), again.stderr
    assert rows(desk, "SELECT count(*), count(DISTINCT source_ref) FROM ops.feedback_event") == [(600, 600)]
    assert rows(desk, "SELECT count(*), sum(accepted), sum(rejected) FROM ops.feedback_delivery") == [(3, 600, 3)]
    assert rows(desk, "SELECT count(*) FROM ops.feedback_rejected") == [(3,)]
    assert rows(desk, "SELECT step_key, state_code FROM ops.notification ORDER BY 1") == [
        ("call", "planned"),
        ("sms", "suppressed"),
    ]
    assert sorted(path.name[:6] for path in (tmp_path / "archive").iterdir()) == ["calls1", "calls2", "calls3"]
    assert list((tmp_path / "inbox").iterdir()) == []
