"""Figures of the runbook drills: ``python tests/reliability/suite_runbooks.py`` (some minutes)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from reliability.from_tests import ran
from reliability.report import Part
from runbooks.test_drills import FAULTS, FOLLOWED, NOT_DRILLED, WITH_A_SERVER


def main() -> int:
    """Run the drills, and leave the part."""
    done = ran("chaos or not chaos", "tests/runbooks")
    part = Part(
        "runbooks",
        "Runbooks followed by their own commands",
        "python tests/reliability/suite_runbooks.py",
        order=62,
        about="A fault is injected, its code is seen, its cause is mended as the page says, and then the page's own "
        "commands are typed, read from the page; the day must be whole afterwards.",
        seconds=done.seconds,
        notes=[f"Codes without a drill, each raised by a test of its own part: {', '.join(sorted(NOT_DRILLED))}."],
    )
    drilled = len(FAULTS) + len(WITH_A_SERVER) + len(FOLLOWED)
    part.figure("codes whose page was followed to a healed deployment", drilled)
    part.figure("codes without such a drill", len(NOT_DRILLED))
    part.figure("tests passed (drills, and every command of every page is one)", done.passed)
    part.figure("tests that failed", done.failed, 0)
    part.write()
    return done.status


if __name__ == "__main__":
    raise SystemExit(main())
