"""The page of spec tests: the parameter tables of ``tests/rules``, as they are run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from arrears.reference.docstrings import module_docstring, one_line
from arrears.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = REPOSITORY / "tests" / "rules"
LONGEST_CELL = 100  # a wider table is read in the test itself


def pages() -> dict[str, str]:
    """``specs.md``; nothing where the tests are not installed."""
    parts = [
        "# What the rules' tests pin down\n",
        "Each row is one test case: its name, what goes in, what comes out.\n",
    ]
    for path in sorted(TESTS.glob("test_*.py")):
        tables = list(_tables(ast.parse(path.read_text(encoding="utf-8"))))
        if tables:
            parts += [f"## {path.stem.removeprefix('test_')}\n", f"{module_docstring(path).splitlines()[0]}\n", *tables]
    return {"specs.md": "\n".join(parts)}


def _tables(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.parametrize":
                    yield from _table(node.name, call)


def _table(name: str, call: ast.Call) -> Iterator[str]:
    """The cases of one parametrized test, if each has a name and fits on a line."""
    try:
        names = ast.literal_eval(call.args[0])
    except ValueError:
        return
    columns = [part.strip() for part in names.split(",")] if isinstance(names, str) else list(names)
    cases = call.args[1].elts if isinstance(call.args[1], ast.List | ast.Tuple) else []
    rows = [row for case in cases if isinstance(case, ast.Call) and (row := _row(case, len(columns)))]
    if not rows or len(rows) < len(cases):
        return
    yield f"### {_words(name.removeprefix('test_'))}\n"
    lines = [f"| case | {' | '.join(columns)} |", f"|---{'|---' * len(columns)}|"]
    yield "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _row(case: ast.Call, width: int) -> list[str]:
    ids = [keyword.value.value for keyword in case.keywords if isinstance(keyword.value, ast.Constant)]
    cells = [one_line(ast.unparse(value)) for value in case.args]
    if len(ids) != 1 or len(cells) != width or any(len(cell) > LONGEST_CELL for cell in cells):
        return []
    return [_words(str(ids[0])), *(f"`{cell}`" for cell in cells)]


def _words(identifier: str) -> str:
    return identifier.replace("_", " ")
