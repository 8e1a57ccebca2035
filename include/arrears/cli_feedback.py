"""``python -m arrears feedback``: take in what waits, or receive signed requests."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from arrears.settings import load_settings

app = typer.Typer(no_args_is_help=True)


@app.command("intake")
def intake(
    portfolio: Annotated[str, typer.Option("--portfolio", help="Folder name below include/portfolios.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Take in the files and rows that wait for a portfolio; what they forbid stops at once."""
    from arrears.jobs.feedback_intake import feedback_intake  # noqa: PLC0415  keeps `--help` quick

    result = feedback_intake(portfolio)
    lines = [f"{name.replace('_', ' ')}: {number}" for name, number in result.items()]
    typer.echo(json.dumps(result) if as_json else "\n".join(lines))


@app.command("serve")
def serve(
    host: Annotated[str, typer.Option(help="Address; put TLS and the internet in front of it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for a free one.")] = 8081,
) -> None:
    """Receive signed reports, and what providers say, until Ctrl-C; refused while no source has a secret."""
    import uvicorn  # noqa: PLC0415  as above

    from arrears.feedback.sources import open_webhooks  # noqa: PLC0415  as above
    from arrears.feedback.webhook import webhook  # noqa: PLC0415  as above
    from arrears.jobs.provider_calls import provider_calls  # noqa: PLC0415  as above

    settings = load_settings()
    for place in open_webhooks(settings):
        typer.echo(f"POST /feedback/{place}")
    uvicorn.run(
        webhook(settings, provider_calls(settings)), host=host, port=port, access_log=False, server_header=False
    )


@app.command("secret")
def secret() -> None:
    """Print a new secret for a webhook source."""
    from arrears.feedback.signature import new_secret  # noqa: PLC0415  as above

    typer.echo(new_secret())
