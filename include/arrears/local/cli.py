"""``python -m arrears local ...``: the commands behind ``make run``, ``make up`` and ``make down``."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from arrears.local.home import Home
from arrears.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arrears.local.deployment import Deployment

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
console = Console()
INTERRUPTED = 130
DOWN_SECONDS = 60
WATCH_SECONDS = 1.0


@app.command("run")
def run(
    past_days: Annotated[int | None, typer.Option(min=0, help="Days of history, at the first run")] = None,
) -> None:
    """Fill the demos' past, run three business dates of each on real servers, print what was published, stop all."""
    from arrears.local.run import DemoRun  # noqa: PLC0415  the command line must stay quick to start

    with _interruptible(INTERRUPTED):
        if not DemoRun(_deployment(past_days), console).run():
            raise typer.Exit(1)


@app.command("up")
def up() -> None:
    """Start PostgreSQL, Airflow and the feedback webhook, print where they are, and stay until Ctrl-C or `down`."""
    from arrears.local.airflow import USER  # noqa: PLC0415
    from arrears.local.progress import Progress  # noqa: PLC0415

    deployment = _deployment()
    with _interruptible(0), Progress(console) as progress, deployment.started(is_scheduling=True, say=progress.say):
        progress.say("the feedback webhook")
        deployment.start_webhook()
        progress.rest()
        lines = {
            "Airflow": deployment.airflow.address,
            "login": f"{USER} / {deployment.airflow.password}",
            "webhook": f"{deployment.webhook.address}/feedback/PORTFOLIO/gateway, secret in {deployment.webhook.kept}",
            "BI tools": deployment.bi_url or "your own server: a login in the role arrears_bi",
        }
        if deployment.has_own_warehouse:
            lines["psql"] = deployment.postgres.psql("arrears")
        for name, value in lines.items():
            console.print(f"{name:>9}  {value}", highlight=False, markup=False, soft_wrap=True)
        console.print(
            "DAGs stay paused until you unpause them. Ctrl-C or `make down` stops all of it.", highlight=False
        )
        while True:
            time.sleep(WATCH_SECONDS)
            deployment.airflow.refuse_dead()
            deployment.webhook.refuse_dead()


@app.command("down")
def down() -> None:
    """Stop an `up` or `run` of this checkout, and whatever a killed one left."""
    home = _home()
    holder = home.lock_holder()
    if holder is not None:
        with suppress(ProcessLookupError):
            os.kill(holder, signal.SIGTERM)
        give_up = time.monotonic() + DOWN_SECONDS
        while home.lock_holder() is not None and time.monotonic() < give_up:
            time.sleep(0.1)
    _deployment().stop()
    typer.echo("stopped")


@app.command("postgres")
def postgres() -> None:
    """Start only the embedded PostgreSQL, in the background, and print how to reach it; `down` stops it."""
    from arrears.local.postgres import EmbeddedPostgres  # noqa: PLC0415

    server = EmbeddedPostgres(_home().postgres)
    server.start()
    typer.echo(server.psql("arrears"))


def _home() -> Home:
    return Home(REPOSITORY / "var")


def _deployment(past_days: int | None = None) -> Deployment:
    from arrears.local.demo import demos_with_past  # noqa: PLC0415
    from arrears.local.deployment import Deployment  # noqa: PLC0415

    home = _home()
    return Deployment(home, demos_with_past(past_days, home.pins))


@contextmanager
def _interruptible(code: int) -> Iterator[None]:
    """Ctrl-C ends with this exit code and no traceback."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        raise typer.Exit(code) from None
