"""A fail point strikes once, where it is asked to, and nowhere else."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import arrears
import pytest
from arrears.failpoints import POINTS

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


def test_every_place_is_named_once_and_every_name_has_a_place():
    sources = [path.read_text("utf-8") for path in Path(arrears.__file__).parent.rglob("*.py")]

    found = [name for text in sources for name in re.findall(r'failpoint\(\s*"([^"]+)"', text)]

    assert len(POINTS) > 20
    assert sorted(found) == sorted(POINTS)


def test_place_that_many_tables_pass_may_be_armed_for_one(marker):
    script = "from arrears.failpoints import failpoint; failpoint('here.now', 'a'); print('alive')"
    asked = {**os.environ, "ARREARS_FAILPOINT_FILE": str(marker)}

    def of(table):
        armed = {**asked, "ARREARS_FAILPOINT": f"here.now/{table}"}
        return subprocess.run([sys.executable, "-c", script], env=armed, capture_output=True, check=False).returncode

    assert [of("b"), of("a")] == [0, -signal.SIGKILL]
