"""What the deployment remembers: private, once made always the same, one holder at a time."""

import socket
import stat
import subprocess
import sys

import pytest
from arrears.errors import LocalServerError
from arrears.local.home import Home, port_is_free, remembered, remembered_port, write_private

HOLD = """
import sys, time
from pathlib import Path
from arrears.local.home import Home
with Home(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def test_remembered_value_is_made_once(tmp_path):
    made = iter("ab")
    file = tmp_path / "deep" / "state.json"

    values = [remembered(file, "key", lambda: next(made)) for _ in range(3)]

    assert values == ["a", "a", "a"]


def test_remembered_file_is_private(tmp_path):
    file = tmp_path / "state.json"

    remembered(file, "one", lambda: "1")
    remembered(file, "two", lambda: "2")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


def test_private_file_replaces_a_readable_one(tmp_path):
    file = tmp_path / "secret"
    file.write_text("old")
    file.chmod(0o644)

    write_private(file, "new")

    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_port_stays_while_it_is_free(tmp_path):
    ports = {remembered_port(tmp_path / "ports.json", "api") for _ in range(3)}

    assert len(ports) == 1


def test_port_is_chosen_anew_when_it_is_taken(tmp_path):
    first = remembered_port(tmp_path / "ports.json", "api")
    with socket.socket() as other:
        other.bind(("127.0.0.1", first))
        other.listen()

        second = remembered_port(tmp_path / "ports.json", "api")

    assert second != first
    assert port_is_free(second)


def test_lock_refuses_a_second_holder_and_names_the_first(tmp_path):
    home = Home(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"

        assert home.lock_holder() == holder.pid
        with pytest.raises(LocalServerError, match=f"process {holder.pid}.*make down"), home.locked():
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_lock_of_a_killed_holder_is_free(tmp_path):
    home = Home(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait()
    holder.stdout.close()

    assert home.lock_holder() is None
    with home.locked():
        assert (tmp_path / "run" / "lock").exists()
