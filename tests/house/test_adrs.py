"""Decisions are numbered once, without a gap, and say their number."""

import re

from arrears.settings import REPOSITORY


def test_decisions_are_numbered_once_and_without_a_gap():
    files = sorted((REPOSITORY / "docs" / "adr").glob("*.md"))

    numbers = [int(file.name[:4]) for file in files]
    titles = [file.read_text(encoding="utf-8").splitlines()[0] for file in files]

    assert numbers == list(range(1, len(files) + 1))
    assert [int(re.match(r"# (?:ADR )?0*(\d+)", title)[1]) for title in titles] == numbers
