"""``python -m arrears contact | strategy | worklist``: what rules and strategies say, and would say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from arrears.cli_shown import Date, Json, PortfolioName, show, show_rows
from arrears.settings import load_settings

contact_app = typer.Typer(no_args_is_help=True)
strategy_app = typer.Typer(no_args_is_help=True)


@contact_app.command("check")
def contact_check(
    file: Annotated[Path, typer.Argument(help="Facts and planned contacts, as in tests/policy/cases.yaml.")],
    as_json: Json = False,
) -> None:
    """Whether a contact is allowed: the decision, every rule that fires with its citation, and the earliest time."""
    from arrears.policy.check import check_file

    answers = check_file(file, load_settings().policies)
    if as_json:
        typer.echo(json.dumps(answers, ensure_ascii=False))
        return
    for answer in answers:
        fired = ["{rule_id} ({effect}, {confidence}): {citation}".format(**rule) for rule in answer["fired"]]
        show({**answer, "fired": fired}, as_json=False, title="")


@contact_app.command("diff")
def contact_diff(
    packs: Annotated[tuple[Path, Path], typer.Option(help="Folders of packs: as they are, as they would be.")],
    business_date: Date,
    portfolio: PortfolioName,
    as_json: Json = False,
) -> None:
    """Which planned contacts of a date a change of rules would allow, stop or move. Nothing is written."""
    from arrears.jobs.contact_diff import contact_diff as compared

    day = business_date.date()
    _show_contacts(compared(portfolio, day, *packs), as_json=as_json, title=f"{portfolio} {day}")


@strategy_app.command("diff")
def strategy_diff(
    portfolio: PortfolioName,
    business_date: Date,
    other: Annotated[Path, typer.Option("--with", help="File of the other strategy.")],
    as_json: Json = False,
) -> None:
    """What another strategy would have planned for a date: steps, channels, people, blocked. Nothing is sent."""
    from arrears.jobs.strategy_diff import strategy_diff as compared

    day = business_date.date()
    _show_contacts(compared(portfolio, day, other), as_json=as_json, title=f"{portfolio} {day}")


@strategy_app.command("experiments")
def strategy_experiments(portfolio: PortfolioName, business_date: Date, as_json: Json = False) -> None:
    """How the arms of the running experiments stand: sizes, outcomes, guard rails, and the effect with its interval."""
    from arrears.jobs.experiments import experiment_report

    rows = experiment_report(portfolio, business_date.date())
    show_rows(rows, as_json=as_json, title=f"{portfolio} {business_date.date()}")


def worklist(
    portfolio: PortfolioName,
    business_date: Date,
    team: Annotated[str, typer.Option(help="Team; empty for what only supervisors see.")],
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
) -> None:
    """A team's worklist as CSV that no spreadsheet takes for a formula; tokens stand for numbers."""
    from arrears.warehouse.connection import transaction
    from arrears.warehouse.worklist import export_worklist

    with transaction(load_settings().warehouse) as connection:
        rows = export_worklist(connection, portfolio, business_date.date(), team, out)
    typer.echo(f"{rows} rows: {out}")


def _show_contacts(found: dict[str, Any], *, as_json: bool, title: str) -> None:
    """Figures first, then the contacts that differ."""
    if as_json:
        typer.echo(json.dumps(found, default=str, ensure_ascii=False))
        return
    rows = found.pop("contacts")
    show(found, as_json=False, title=title)
    if rows:
        show_rows(rows, as_json=False, title="")
