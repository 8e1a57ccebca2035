"""``python -m arrears parity``: are groups of people contacted and relieved alike."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import text

from arrears.settings import load_settings

app = typer.Typer(no_args_is_help=True)
PortfolioName = Annotated[str, typer.Option("--portfolio", help="Folder name below include/portfolios.")]


@app.command("load")
def load(
    portfolio: PortfolioName,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="party_id,attribute_code,group_code")],
) -> None:
    """Replace a portfolio's groups by those of a CSV file; nothing but this report ever reads them."""
    from arrears.warehouse.parity import load_groups  # noqa: PLC0415  keeps `--help` quick

    rows = load_groups(load_settings().warehouse, portfolio, file, actor=getpass.getuser())
    typer.echo(f"{rows} rows")


@app.command("report")
def report(
    portfolio: PortfolioName,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Contacts and relief by month and group; figures of fewer than twenty people are hidden."""
    from arrears.warehouse.connection import transaction  # noqa: PLC0415  as above

    asked = text("SELECT * FROM parity.contact_and_relief_monthly WHERE portfolio = :portfolio ORDER BY 1, 2, 3, 4")
    with transaction(load_settings().warehouse) as connection:
        rows = [dict(row) for row in connection.execute(asked, {"portfolio": portfolio}).mappings()]
    if as_json:
        typer.echo(json.dumps(rows, default=str))
        return
    for row in rows:
        typer.echo(", ".join(f"{name} {'hidden' if value is None else value}" for name, value in row.items()))
