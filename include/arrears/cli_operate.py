"""``python -m arrears status | doctor | watch | migrate | retention``: for whoever looks after a deployment."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from arrears.cli_shown import Json, PortfolioName, errors, show, show_rows
from arrears.settings import load_settings


def status(as_json: Json = False) -> None:
    """Dates published, stale and failed, by portfolio."""
    from arrears.jobs.status import status as of_all

    found = of_all(load_settings())
    if as_json:
        typer.echo(json.dumps(found, default=str, ensure_ascii=False))
        return
    for one in found:
        stale = {str(day["business_date"]): _first_of(day["why"]) for day in one.pop("stale", ())}
        troubles = [f"{trouble['business_date']} {trouble['message']}" for trouble in one.pop("troubles", ())]
        show({**one, "stale": stale, "troubles": troubles}, as_json=False, title="")


def doctor(as_json: Json = False) -> None:
    """Look at settings, connections, disk, migrations, dates, sends, clock; exit 1 when anything fails."""
    from arrears.jobs.doctor import FAIL
    from arrears.jobs.doctor import doctor as look

    with errors.status("looking"):
        findings = look(load_settings(), datetime.now(UTC))
    show_rows([asdict(finding) for finding in findings], as_json=as_json, title="doctor")
    raise typer.Exit(int(any(finding.state == FAIL for finding in findings)))


def watch(
    portfolio: Annotated[list[str] | None, typer.Option(help="These only; without it all once published.")] = None,
    as_json: Json = False,
) -> None:
    """Is every day published by its hour, every unknown send settled; for cron, needs no Airflow; exit 1 when not.

    Alarms are posted to ARREARS_WATCH_WEBHOOK as well.
    """
    from arrears.jobs.watch import tell
    from arrears.jobs.watch import watch as look

    settings, now = load_settings(), datetime.now(UTC)
    alarms = look(settings, now, portfolio or ())
    if alarms or as_json:
        show_rows([asdict(alarm) for alarm in alarms], as_json=as_json, title="alarms")
    tell(settings, alarms, now)
    raise typer.Exit(int(bool(alarms)))


def _first_of(reasons: list[str]) -> str:
    """The first reason, and how many there are beside it."""
    return reasons[0] if len(reasons) == 1 else f"{reasons[0]}, and {len(reasons) - 1} more"


def migrate(
    bi_password: Annotated[
        str, typer.Option(envvar="ARREARS_BI_PASSWORD", help="Make the login for BI tools as well.")
    ] = "",
    jobs_password: Annotated[
        str, typer.Option(envvar="ARREARS_JOBS_PASSWORD", help="Make the login that the jobs use as well.")
    ] = "",
) -> None:
    """Bring the warehouse's tables, views, roles and rights to this version; does nothing when they are.

    As ARREARS_WAREHOUSE_OWNER_URL where it is set: the jobs' own login may change no table.
    """
    from arrears.warehouse.migrate import upgrade
    from arrears.warehouse.roles import BI, JOBS, create_login

    settings = load_settings()
    url = settings.warehouse_owner_url.get_secret_value() if settings.warehouse_owner_url else settings.warehouse
    upgrade(url)
    wanted = {"BI tools": (BI, bi_password), "jobs": (JOBS, jobs_password)}
    made = [f"; {who} log in as {create_login(url, login, word)}" for who, (login, word) in wanted.items() if word]
    typer.echo(f"the warehouse is at this version{''.join(made)}")


def retention(
    portfolio: PortfolioName,
    dry_run: Annotated[bool, typer.Option("--dry-run/--drop", help="List only, or drop what is listed.")] = True,
    as_json: Json = False,
) -> None:
    """Drop full snapshots of dates whose term has passed; without --drop only list them."""
    from arrears.jobs.retention import retention as drop_expired

    title = f"{portfolio}: {'would go' if dry_run else 'gone'}"
    show(drop_expired(portfolio, dry_run=dry_run, run_ref="cli"), as_json=as_json, title=title)
