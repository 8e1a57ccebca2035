"""Figures of files made to exhaust their reader: ``python tests/reliability/suite_bombs.py``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from reliability.from_tests import ran
from reliability.report import Part


def main() -> int:
    """Run the tests, read what they counted, and leave the part."""
    done = ran("chaos or not chaos", "tests/sources/test_bombs.py", "-k", "bomb_is_refused")
    part = Part(
        "bombs",
        "Bombs",
        "python tests/reliability/suite_bombs.py",
        order=11,
        about="Files of kilobytes that unpack to gigabytes, values of megabytes, millions of rows that are not there: "
        "each refused with a code, and the next file is read by the same job.",
        seconds=done.seconds,
    )
    measured = [value.split("|") for value in done.all("bomb")]
    for name, seconds, megabytes in measured:
        found = f"refused in {float(seconds):.1f} s, {megabytes} MB"
        part.figure(name, found, "below 5 s, below 512 MB", holds=float(seconds) < 5 and int(megabytes) < 512)
    part.figure("bombs", len(measured), "at least 10", holds=len(measured) >= 10)
    part.figure("tests that failed", done.failed, 0)
    part.write()
    return done.status


if __name__ == "__main__":
    raise SystemExit(main())
