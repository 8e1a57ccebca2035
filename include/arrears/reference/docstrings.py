"""Reads docstrings and headers without importing what they belong to."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises|Source):$", re.MULTILINE)


def module_docstring(path: Path) -> str:
    """Docstring of a Python file; empty when it has none."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def functions(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Public functions of a Python file, in order, each with its docstring's sections."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, sections(ast.get_docstring(node) or "")


def sections(docstring: str) -> dict[str, str]:
    """Sections of a Google docstring without their indentation; the text before the first is ``""``."""
    first, *rest = SECTION.split(docstring)
    found = {"": first.strip()}
    for name, text in zip(rest[::2], rest[1::2], strict=True):
        found[name] = "\n".join(line.strip() for line in text.strip().splitlines())
    return found


def one_line(text: str) -> str:
    """A paragraph on one line, ready for a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")
