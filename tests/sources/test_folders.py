"""Private folders go with their process, however it ends."""

import subprocess
import sys
import tempfile

from arrears.folders import private_folder

HOLD = """
import os, signal, sys
from arrears.folders import private_folder
with private_folder("arrears-test-") as folder:
    (folder / "rows").write_text("raw")
    print(folder, flush=True)
    sys.stdin.read(1) if len(sys.argv) > 1 else os.kill(os.getpid(), signal.SIGKILL)
"""


def test_folder_of_a_killed_process_is_removed_by_the_next_and_that_of_a_live_one_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    subprocess.run([sys.executable, "-c", HOLD], check=False, stdout=subprocess.DEVNULL)
    (killed,) = tmp_path.glob("arrears-test-*")
    alive = subprocess.Popen(
        [sys.executable, "-c", HOLD, "live"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    theirs = alive.stdout.readline().strip()

    with private_folder("arrears-test-") as ours:
        there = {str(path) for path in tmp_path.glob("arrears-test-*")}

    alive.communicate("x")
    assert there == {theirs, str(ours)}
    assert not killed.exists()
    assert list(tmp_path.glob("arrears-test-*")) == []


def test_folder_whose_process_was_killed_before_its_lock_or_after_it_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "arrears-test-made").mkdir()
    half_gone = tmp_path / "arrears-test-half-gone"
    half_gone.mkdir()
    (half_gone / "rows").write_text("raw")

    with private_folder("arrears-test-") as ours:
        assert list(tmp_path.glob("arrears-test-*")) == [ours]
