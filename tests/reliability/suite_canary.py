"""Figures of the canary test on a real Airflow: ``python tests/reliability/suite_canary.py`` (a few minutes)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree as ET

sys.path.insert(0, str(Path(__file__).parents[1]))

from reliability.report import REPOSITORY, Part

TEST = "tests/airflow/test_canary.py"


def main() -> int:
    """Run the test, read what it counted, and leave the part."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        call = [sys.executable, "-m", "pytest", "-q", "-m", "airflow", TEST, f"--junitxml={report}"]
        done = subprocess.run(call, cwd=REPOSITORY, check=False)
        tree = ET.parse(report)  # noqa: S314  our own file
    counted = {one.get("name"): one.get("value") for one in tree.iter("property")}
    failed = sum(int(suite.get("failures", 0)) + int(suite.get("errors", 0)) for suite in tree.iter("testsuite"))
    part = Part(
        "canary",
        "Canaries: nobody's name leaves the vault",
        "python tests/reliability/suite_canary.py",
        order=61,
        about="A real Airflow runs a day that is published, one that fails by its rejects, and one whose source says a "
        "name in its error; reports come in, messages go out. Then every byte is looked through: plain, base64 at each "
        "alignment, hex, URL-encoded.",
    )
    part.figure(
        "canaries planted", counted.get("canaries"), "at least 50", holds=int(counted.get("canaries") or 0) >= 50
    )
    part.figure("sinks looked through (tables, files, alerts, answers)", counted.get("sinks"))
    part.figure("bytes looked through", counted.get("bytes"))
    part.figure("canaries found outside source and vault", counted.get("found"), 0)
    part.figure("positive controls that failed (source, vault opened, spellings)", failed, 0)
    part.seconds = time.monotonic() - begun
    part.write()
    return done.returncode


if __name__ == "__main__":
    raise SystemExit(main())
