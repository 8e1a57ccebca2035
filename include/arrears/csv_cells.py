"""Cells of a CSV that people open in a spreadsheet: no text in them is a formula, no number becomes text."""

from __future__ import annotations

import re
import unicodedata

# What a spreadsheet may take for a formula: OWASP's list, after blanks, quotes and marks too; full-width signs are it.
FORMULA = re.compile(r"^[\s'\"\u200b\ufeff]*[=+\-@|%\u2212]")
NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,6})?")


def safe_cell(value: object) -> object:
    """A value as a cell: numbers as they are, text in one line, with an apostrophe before what a spreadsheet would run.

    Text that is a plain number, negative ones too, stays one; None is an empty cell.
    """
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    text = str(value).replace("\0", "")
    if NUMBER.fullmatch(text):
        return text
    line = " ".join(text.split())
    is_formula = FORMULA.match(unicodedata.normalize("NFKC", text)) or text[:1] in {"\t", "\r", "\n"}
    return f"'{line}" if is_formula else line
