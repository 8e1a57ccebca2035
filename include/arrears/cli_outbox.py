"""``python -m arrears outbox ...``: what is being sent, and what people do about it."""

from __future__ import annotations

import csv
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from arrears.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(no_args_is_help=True)
console = Console()

Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
Key = Annotated[str, typer.Argument(help="step_key, or its beginning.")]
By = Annotated[str, typer.Option("--by", help="Who does this; goes into the audit trail.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; goes into the audit trail.")]
ME = getpass.getuser()


def _print(rows: list[dict[str, Any]], title: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows, default=str, ensure_ascii=False))
        return
    table = Table(*(rows[0] if rows else ("nothing",)), title=title, title_justify="left")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    console.print(table)


def _act(action: Callable[..., Any], *given: Any, **named: Any) -> Any:  # noqa: ANN401  whatever the action gives
    from arrears.warehouse.connection import transaction

    with transaction(load_settings().warehouse) as connection:
        return action(connection, *given, **named)


@app.command("list")
def list_rows(
    state: Annotated[str | None, typer.Option(help="Rows of this state, e.g. unknown; left out: totals.")] = None,
    portfolio: Annotated[str | None, typer.Option(help="Folder name.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: Json = False,
) -> None:
    """Messages by state, or the rows of one state; identifiers and codes only."""
    from arrears.sending import by_hand

    if state is None and portfolio is None:
        _print(_act(by_hand.totals), "outbox", as_json=as_json)
    else:
        rows = _act(by_hand.rows_of, state=state, portfolio=portfolio, limit=limit)
        _print(rows, f"outbox: {state or portfolio}", as_json=as_json)


@app.command()
def show(key: Key, as_json: Json = False) -> None:
    """Every state one row ever had."""
    from arrears.sending import by_hand

    _print(_act(by_hand.history_of, key), key, as_json=as_json)


@app.command()
def settle(
    key: Key,
    answer: Annotated[str, typer.Argument(help="sent, not-sent (may be tried again) or give-up.")],
    reason: Reason,
    by: By = ME,
) -> None:
    """Say what became of an attempt that is unknown."""
    from arrears.sending import by_hand

    typer.echo(_act(by_hand.settle, key, answer, actor=by, reason=reason))


@app.command()
def cancel(key: Key, reason: Reason, by: By = ME) -> None:
    """End a row that is waiting or held."""
    from arrears.sending import by_hand

    typer.echo(_act(by_hand.cancel, key, actor=by, reason=reason))


@app.command()
def release(
    portfolio: Annotated[str, typer.Option("--portfolio", help="Folder name.")], reason: Reason, by: By = ME
) -> None:
    """Let a portfolio's held rows be sent, those whose time has not passed."""
    from arrears.sending import by_hand
    from arrears.warehouse.outbox import Scope

    typer.echo(f"released {_act(by_hand.release, Scope(portfolio=portfolio), actor=by, reason=reason)}")


@app.command()
def stop(
    scope: Annotated[str, typer.Argument(help="all, portfolio, region, product, channel, template, agency or list.")],
    reason: Reason,
    value: Annotated[str, typer.Argument(help="Which one; left out for all.")] = "",
    by: By = ME,
) -> None:
    """Stop sending; takes effect before the next message."""
    from arrears.sending import by_hand

    typer.echo(f"stop {_act(by_hand.stop, scope, value, actor=by, reason=reason)}")


@app.command()
def start(
    number: Annotated[int, typer.Argument(help="Number of the stop; `outbox stops`.")], reason: Reason, by: By = ME
) -> None:
    """End a stop."""
    from arrears.sending import by_hand

    _act(by_hand.start, number, actor=by, reason=reason)
    typer.echo(f"stop {number} has ended")


@app.command()
def stops(as_json: Json = False) -> None:
    """Stops that hold."""
    from arrears.sending import by_hand

    _print(_act(by_hand.stops), "stops", as_json=as_json)


@app.command()
def send(as_json: Json = False) -> None:
    """Send what is due now, once, as the DAG does."""
    from arrears.errors import ArrearsError
    from arrears.jobs.dispatch import dispatch, due_work

    done: list[dict[str, Any]] = []
    failed: list[ArrearsError] = []
    for work in due_work():
        try:
            done.append(dispatch(**work))
        except ArrearsError as error:  # of this channel; the others go on, as in the DAG
            failed.append(error)
    if as_json:
        typer.echo(json.dumps(done))
    for one in () if as_json else done:
        console.print(", ".join(f"{name} {count}" for name, count in one.items()), highlight=False)
    if failed:
        raise failed[0]


@app.command()
def messages(
    limit: Annotated[int, typer.Option(min=1)] = 5,
    as_json: Json = False,
) -> None:
    """The newest messages of the sandbox, as they would have gone out."""
    from arrears.sending.channels.spool import messages

    found = messages(load_settings().outbox_folder / "sandbox")[-limit:]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    for one in () if as_json else found:
        console.print(
            f"{one['channel']} to {one['to']} ({one['template']})", style="bold", highlight=False, markup=False
        )
        console.print(f"{one['subject']}\n{one['body']}\n".lstrip(), highlight=False, markup=False)


@app.command()
def addresses(
    portfolio: Annotated[str, typer.Option("--portfolio", help="Folder name.")],
    file: Annotated[Path, typer.Argument(help="CSV with the header contact_point_id,value and perhaps party_id.")],
) -> None:
    """Put numbers and addresses into the vault; they are read from it one by one, at the moment of sending."""
    from arrears.sending.addresses import load_addresses

    with file.open(encoding="utf-8", newline="") as lines:
        rows = [(row["contact_point_id"], row["value"], row.get("party_id") or "") for row in csv.DictReader(lines)]
    typer.echo(f"{_act(load_addresses, load_settings().keys, portfolio, rows)} addresses")


@app.command()
def receipts(
    provider: Annotated[str, typer.Argument(help="Whose receipts.")],
    file: Annotated[Path, typer.Argument(help="JSON lines: status, and id (theirs) or reference (ours).")],
) -> None:
    """Take a provider's receipts from a file: accepted, delivered, read, failed, bounced, invalid."""
    import hashlib

    from arrears.jobs.receipts import read_lines, take_receipts

    content = file.read_bytes()
    said = read_lines(content.decode("utf-8", "replace"))
    done = take_receipts(load_settings(), provider, hashlib.sha256(content).hexdigest(), said)
    typer.echo(json.dumps(done))
    if done["refused"]:
        raise typer.Exit(1)


@app.command()
def preview(
    template: Annotated[str, typer.Argument(help="Template code.")],
    language: Annotated[str, typer.Option(help="BCP 47 tag.")] = "en",
    channel: Annotated[str, typer.Option(help="Channel code.")] = "sms",
) -> None:
    """One template with made-up figures; checks all of them first."""
    from arrears.sending.templates import SAMPLE, load_library, segments

    content = load_library(load_settings().templates).render(template, language, channel, SAMPLE)
    body = content.body.reveal()
    console.print(f"{content.template}, {len(body)} characters, {segments(body)} SMS segments", style="bold")
    console.print(f"{content.subject.reveal()}\n{body}".lstrip(), highlight=False, markup=False)
