"""The page of tables and columns, from the contracts, and of the views that BI reads, from their headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.contracts import CONTRACTS
from arrears.contracts.model import PiiClass
from arrears.reference.docstrings import one_line
from arrears.warehouse.bi import views

if TYPE_CHECKING:
    from arrears.contracts.model import Contract


def pages() -> dict[str, str]:
    """``tables.md`` and ``views.md``."""
    shown = [contract for name, contract in CONTRACTS.items() if not name.startswith("extract__")]
    listed = ["# Tables", "", "| table | grain |", "|---|---|"]
    listed += [f"| [{one.table}](#{one.table}) | {one_line(one.grain)} |" for one in shown]
    return {"tables.md": "\n".join([*listed, "", *map(_table, shown)]), "views.md": _views()}


def _table(contract: Contract) -> str:
    lines = [
        f"## {contract.table}",
        f"{contract.meaning}. Grain: {contract.grain}. Written by: {contract.owner}. Version {contract.version}."
        + (f" Published as `mart.{contract.mart}`." if contract.mart else "")
        + (" Every portfolio maps it." if contract.required else ""),
        "",
        "| column | type | null | meaning |",
        "|---|---|---|---|",
    ]
    for column in contract.all_columns:
        codes = f" ({', '.join(code or '(empty)' for code in column.codes)})" if column.codes else ""
        key = " **key**" if column.name in contract.key else ""
        null = "yes" if column.nullable else ""
        person = "" if column.pii is PiiClass.NONE else f" [{column.pii.value}]"
        lines.append(f"| `{column.name}`{key} | {column.type.value} | {null} | {column.meaning}{codes}{person} |")
    if contract.checks or contract.references:
        lines += ["", "| rule | offends when | force | why |", "|---|---|---|---|"]
        for check in contract.checks:
            predicate = check.offends.replace("|", "\\|")
            lines.append(f"| `{check.rule}` | `{predicate}` | {check.severity.value} | {check.reason} |")
        for reference in contract.references:
            columns = ", ".join(reference.columns)
            lines.append(f"| `{contract.noun}.reference` | `{columns}` is not in `{reference.table}` | fail | orphan |")
    return "\n".join(lines) + "\n"


def _views() -> str:
    lines = [
        "# Views for BI",
        "",
        "The only interface for BI tools, in schema `bi`. A row per column with its meaning: `bi.data_dictionary`.",
        "",
        "| view | what it shows |",
        "|---|---|",
    ]
    lines += [f"| `bi.{view.name}` | {one_line(view.comment)} |" for view in views()]
    return "\n".join(lines) + "\n"
