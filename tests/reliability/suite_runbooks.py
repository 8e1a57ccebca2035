"""Figures of the runbook drills: ``python tests/reliability/suite_runbooks.py`` (some minutes)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from reliability.from_tests import ran
from reliability.report import Part
from runbooks.test_drills import BY_ITSELF, FAULTS, FOLLOWED, OF_FEEDBACK, OF_SENDING
from support.drills import PAGES


def main() -> int:
    """Run the drills, and leave the part."""
    done = ran("chaos or not chaos", "tests/runbooks")
    part = Part(
        "runbooks",
        "Runbooks followed by their own commands",
        "python tests/reliability/suite_runbooks.py",
        order=62,
        about="A fault is injected, its code is seen, its cause is mended as the page says, and then the page's own "
        "commands are typed, read from the page; what was broken must be whole afterwards. Where only a person outside "
        "can act, the page's questions and commands are asked before and after.",
        seconds=done.seconds,
    )
    drilled = {*FAULTS, *BY_ITSELF, *FOLLOWED, *OF_FEEDBACK, *OF_SENDING}
    pages = {page.stem for page in PAGES.glob("ARR-*.md")}
    part.figure("codes, each with a page", len(pages))
    part.figure("of them followed by the page's own commands, their fault injected", len(drilled & pages), len(pages))
    part.figure("tests passed (drills, and every command of every page is one)", done.passed)
    part.figure("tests that failed", done.failed, 0)
    part.write()
    return done.status


if __name__ == "__main__":
    raise SystemExit(main())
