"""Figures of the canary test on a real Airflow: ``python tests/reliability/suite_canary.py`` (a few minutes)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from reliability.from_tests import ran
from reliability.report import Part


def main() -> int:
    """Run the test, read what it counted, and leave the part."""
    done = ran("airflow", "tests/airflow/test_canary.py")
    part = Part(
        "canary",
        "Canaries: nobody's name leaves the vault",
        "python tests/reliability/suite_canary.py",
        order=61,
        about="A real Airflow runs a day that is published, one that fails by its rejects, and one whose source says a "
        "name in its error; reports come in, messages go out. Then every byte is looked through: plain, base64 at each "
        "alignment, hex, URL-encoded.",
        seconds=done.seconds,
    )
    planted = int(done.last("canaries") or 0)
    part.figure("canaries planted", planted, "at least 50", holds=planted >= 50)
    part.figure("sinks looked through (tables, files, alerts, answers)", done.last("sinks"))
    part.figure("bytes looked through", done.last("bytes"))
    part.figure("canaries found outside source and vault", done.last("found"), 0)
    part.figure("positive controls (source, vault opened, spellings)", done.passed - 1, 2)
    part.figure("tests that failed", done.failed, 0)
    part.write()
    return done.status


if __name__ == "__main__":
    raise SystemExit(main())
