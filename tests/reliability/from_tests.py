"""Figures that tests count: runs them, and reads what they recorded."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from reliability.report import REPOSITORY


@dataclass(frozen=True)
class Ran:
    """What became of tests.

    Attributes:
        passed: How many passed.
        failed: How many failed, or could not run.
        skipped: How many were left out.
        recorded: Names and values that they recorded, in their order.
        seconds: By the clock.
        status: Exit code of pytest.
    """

    passed: int
    failed: int
    skipped: int
    recorded: tuple[tuple[str, str], ...]
    seconds: float
    status: int

    def last(self, name: str) -> str:
        """The value recorded last under a name; empty when none was."""
        return dict(self.recorded).get(name, "")

    def all(self, name: str) -> list[str]:
        """Every value recorded under a name."""
        return [value for one, value in self.recorded if one == name]


def ran(marker: str, *tests: str) -> Ran:
    """Run tests under a marker expression.

    Args:
        marker: Of pytest's ``-m``.
        tests: Files or node ids, below the repository.
    """
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "junit.xml"
        call = [sys.executable, "-m", "pytest", "-q", "-m", marker, *tests, f"--junitxml={junit}"]
        done = subprocess.run(call, cwd=REPOSITORY, check=False)
        tree = ET.parse(junit)  # noqa: S314  our own file
    counted = {name: sum(int(suite.get(name, 0)) for suite in tree.iter("testsuite")) for name in COUNTS}
    failed = counted["failures"] + counted["errors"]
    recorded = tuple((str(one.get("name")), str(one.get("value"))) for one in tree.iter("property"))
    passed = counted["tests"] - failed - counted["skipped"]
    return Ran(passed, failed, counted["skipped"], recorded, time.monotonic() - begun, done.returncode)


COUNTS = ("tests", "failures", "errors", "skipped")
