"""Real processes: what was started is stopped, to the last child, and nothing else is."""

import json
import os
import subprocess
import sys
import time

import psutil
import pytest
from arrears.local.processes import Server, stop

# Like Airflow: a child in a process group of its own.
PARENT_AND_CHILD = """
import os, time
if os.fork() == 0:
    os.setpgid(0, 0)
    {child}
    time.sleep(60)
time.sleep(60)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.fixture
def server(tmp_path):
    server = Server("probe", tmp_path / "run" / "probe.json", tmp_path / "log" / "probe.log")
    yield server
    stop([server], grace_seconds=0)


def start(server, code, *, processes):
    """Start ``code`` and wait until it has that many processes."""
    server.start([sys.executable, "-c", code], os.environ)
    give_up = time.monotonic() + 20
    while len(server.processes()) < processes:
        assert time.monotonic() < give_up
        time.sleep(0.05)
    return server.processes()


@pytest.mark.parametrize(
    "child", [pytest.param("pass", id="a willing child"), pytest.param(STUBBORN, id="a child that ignores SIGTERM")]
)
def test_stop_ends_the_child_that_left_the_process_group(server, child):
    family = start(server, PARENT_AND_CHILD.format(child=child), processes=2)

    stop([server], grace_seconds=0.5)

    assert len(family) == 2
    assert len({os.getpgid(os.getpid()), *(process.pid for process in family)}) == 3
    assert not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert not server.record.exists()


def test_server_whose_parent_died_is_not_alive_but_its_child_is_still_stopped(server):
    family = start(server, PARENT_AND_CHILD.format(child="pass"), processes=2)
    server.leader()[0].kill()
    while server.is_alive():
        time.sleep(0.05)

    left = server.processes()
    stop([server], grace_seconds=0)

    assert len(left) == 1
    assert left[0] in family
    assert not server.processes()


def test_stop_spares_a_process_that_reuses_the_recorded_number(server):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True) as stranger:
        record = {"session": stranger.pid, "started": time.time() + 3600}
        server.record.parent.mkdir(parents=True)
        server.record.write_text(json.dumps(record))

        stop([server], grace_seconds=0)

        assert stranger.poll() is None
        stranger.kill()


def test_stop_of_what_never_started_does_nothing(server):
    stop([server], grace_seconds=1)

    assert server.processes() == []


def test_server_keeps_its_output_and_ends_by_itself(server):
    server.start([sys.executable, "-c", "print('one'); print('two')"], os.environ)
    while server.is_alive():
        time.sleep(0.05)

    assert server.log_end(1) == "two"
