"""What a runbook page tells one to type, read from the page itself, and the questions it asks of the warehouse."""

import re
import shlex
from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs" / "runbooks"
COMMAND = "python -m arrears "


def block_of(code, **letters):
    """The words of each command in the page's block, with what they are about in the place of its capital letters."""
    (block,) = re.findall(r"^```\n(.*?)^```", _page(code), re.DOTALL | re.MULTILINE)
    lines = block.splitlines()
    assert lines
    assert all(line.startswith(COMMAND) for line in lines), block
    found = [[str(letters.get(word, word)) for word in shlex.split(line.removeprefix(COMMAND))] for line in lines]
    left = {word for words in found for word in words if re.fullmatch(r"[A-Z]+", word)}
    assert left == set(), f"{code} speaks of {left}, which nobody filled in"
    return found


def questions_of(code):
    """The SELECTs of the page that can be asked as they stand."""
    found = [one for one in re.findall(r"`(SELECT [^`]+)`", _page(code)) if "..." not in one]
    assert found, f"{code} asks nothing"
    return found


def _page(code):
    return (PAGES / f"{code}.md").read_text("utf-8")
