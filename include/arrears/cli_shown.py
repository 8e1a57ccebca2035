"""How commands take what they are about, and show what they found: a table for people, ``--json`` for machines."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

console = Console()
errors = Console(stderr=True, soft_wrap=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
PortfolioName = Annotated[str, typer.Option("--portfolio", help="Folder name below include/portfolios.")]
DATES = ["%Y-%m-%d"]
Date = Annotated[datetime, typer.Option("--date", formats=DATES, help="Business date.")]
AsOf = Annotated[datetime, typer.Option("--as-of", formats=DATES, help="Date the answer holds for.")]


def show(result: dict[str, Any], *, as_json: bool, title: str) -> None:
    """Print one result: JSON, or a table of two columns."""
    if as_json:
        typer.echo(json.dumps(result, default=str, ensure_ascii=False))
        return
    table = Table(title=title, show_header=False, title_justify="left")
    for name, value in result.items():
        table.add_row(name.replace("_", " "), _words(value))
    console.print(table)


def show_rows(rows: list[dict[str, Any]], *, as_json: bool, title: str) -> None:
    """Print rows: a JSON array, or one table."""
    if as_json:
        typer.echo(json.dumps(rows, default=str, ensure_ascii=False))
        return
    table = Table(*(rows[0] if rows else ("nothing",)), title=title, title_justify="left")
    for row in rows:
        table.add_row(*(_words(value) for value in row.values()))
    console.print(table)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return "\n".join(_words(item) for item in value)
    return "" if value is None else str(value)
