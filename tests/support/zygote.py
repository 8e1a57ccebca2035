"""A process that has imported what a day needs, and forks one worker per order: dying is cheap, and real.

Orders come as JSON, a line each: ``environment`` and ``order``, a name in ``ORDERS`` with its arguments. It answers
with the worker's process id at once, and with its exit status at its end. The worker writes why it ended into the file
that ``ENDED_BY`` names, and works in a mount namespace of its own after the commands in ``MOUNTS``, if these are set.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from datetime import date
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
CLONE_NEWNS = 0x00020000


class Zygote:
    """One such process, from the outside."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout.readline() == "ready\n"

    def start(self, environment, order, **arguments):
        """Fork a worker; its process id."""
        line = json.dumps({"environment": environment, "order": order, "arguments": arguments})
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def wait(self):
        """Exit status of the worker that was started last: minus a signal's number, or what it said."""
        return json.loads(self._process.stdout.readline())

    def run(self, environment, order, **arguments):
        """Fork a worker and wait for it."""
        self.start(environment, order, **arguments)
        return self.wait()

    def close(self):
        self._process.stdin.close()
        self._process.wait()


def day(business_date, *, is_backfill=False, only=None):
    from support.day_book import settings_here, work_day

    work_day(settings_here(), date.fromisoformat(business_date), is_backfill=is_backfill, only=only)


ORDERS = {"day": day}


def main():
    sys.path.insert(0, str(TESTS))
    import pandas as pd  # noqa: F401
    from arrears.jobs import STEPS, job
    from arrears.quality.gate import great_expectations

    import support.day_book  # noqa: F401

    great_expectations()
    for step in STEPS:
        job(step)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        given = json.loads(line)
        worker = os.fork()
        if worker == 0:
            _work(given)
        answers.write(f"{worker}\n")
        answers.flush()
        _, status = os.waitpid(worker, 0)
        answers.write(f"{json.dumps(os.waitstatus_to_exitcode(status))}\n")
        answers.flush()


def _work(given):
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(given["environment"])
    tempfile.tempdir = None  # TMPDIR may be another
    try:
        _mount(os.environ.get("MOUNTS", ""))
        ORDERS[given["order"]](**given["arguments"])
    except BaseException as error:  # noqa: BLE001  the worker ends here, whatever it was
        if "ENDED_BY" in os.environ:
            Path(os.environ["ENDED_BY"]).write_text(str(error))
        if not os.environ.get("QUIET"):
            traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _mount(commands):
    """Run shell commands in a mount namespace of our own; nobody else sees what they mount."""
    if commands:
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "unshare")
        subprocess.run(["sh", "-ec", f"mount --make-rprivate / && {commands}"], check=True)


if __name__ == "__main__":
    main()
