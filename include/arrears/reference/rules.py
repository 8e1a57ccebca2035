"""The page of rules, from the docstrings of ``arrears.rules``: id, what, the edge decision, source, set-based twin."""

from __future__ import annotations

import re

from arrears.reference.docstrings import functions, module_docstring, one_line
from arrears.settings import INCLUDE

RULES = INCLUDE / "arrears" / "rules"
SELECTS = INCLUDE / "arrears" / "sql"
RULE_ID = re.compile(r"ARR-[A-Z]{3}-\d{2}")


def pages() -> dict[str, str]:
    """``rules.md``."""
    modules = sorted(path for path in RULES.glob("*.py") if path.stem != "__init__")
    parts = [text for path in modules if (text := _module(path.stem))]
    head = (
        "# Rules\n\nEach rule is a pure function of `arrears.rules`. Where a table is made from it, its set-based twin "
        "is a SELECT, and tests on generated books prove both equal. What the tests pin down: [specs.md](specs.md).\n"
    )
    return {"rules.md": "\n".join([head, *parts])}


def _module(name: str) -> str:
    path = RULES / f"{name}.py"
    rules = [(function, parts) for function, parts in functions(path) if RULE_ID.search(parts.get("Source", ""))]
    if not rules:
        return ""
    lines = [f"## {name}\n", f"{module_docstring(path).splitlines()[0]}\n"]
    twins = sorted(select.name for select in SELECTS.glob("*.sql") if f"rules/{name}.py" in _header(select.name))
    if twins:
        lines.append(f"Set-based twin: {', '.join(f'`sql/{twin}`' for twin in twins)}.\n")
    lines += [_rule(function, parts) for function, parts in rules]
    return "\n".join(lines)


def _rule(function: str, parts: dict[str, str]) -> str:
    what, _, edge = parts[""].partition("\n\n")
    source = one_line(parts["Source"])
    lines = [f"### {function}", "", f"**{source.rstrip('.')}**", "", one_line(what), ""]
    if edge:
        lines += [edge, ""]
    for section in ("Returns", "Raises"):
        if section in parts:
            lines += [f"*{section}*: {one_line(parts[section])}", ""]
    return "\n".join(lines)


def _header(select: str) -> str:
    lines = (SELECTS / select).read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith("--"))
