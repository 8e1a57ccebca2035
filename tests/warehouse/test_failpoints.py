"""A fail point strikes once, where it is asked to, and nowhere else."""

import os
import signal
import subprocess
import sys

import pytest

SCRIPT = "from arrears.failpoints import failpoint; failpoint('here.now'); print('alive')"


def run(**environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ARREARS_FAILPOINT")}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT], env={**clean, **environment}, capture_output=True, text=True, check=False
    )


@pytest.fixture
def marker(tmp_path):
    path = tmp_path / "marker"
    path.touch()
    return path


def test_failpoint_kills_once(marker):
    asked = {"ARREARS_FAILPOINT": "here.now", "ARREARS_FAILPOINT_FILE": str(marker)}

    first, second = run(**asked), run(**asked)

    assert (first.returncode, first.stdout) == (-signal.SIGKILL, "")
    assert (second.returncode, second.stdout) == (0, "alive\n")
    assert not marker.exists()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"ARREARS_FAILPOINT": ""}, id="no name"),
        pytest.param({"ARREARS_FAILPOINT": "elsewhere"}, id="another name"),
        pytest.param({"ARREARS_FAILPOINT_FILE": "/nonexistent/marker"}, id="no such file"),
    ],
)
def test_failpoint_is_inert_with(marker, change):
    done = run(**{"ARREARS_FAILPOINT": "here.now", "ARREARS_FAILPOINT_FILE": str(marker)} | change)

    assert (done.returncode, done.stdout) == (0, "alive\n")
    assert marker.exists()
