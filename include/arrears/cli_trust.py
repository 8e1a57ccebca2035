"""``python -m arrears audit | evidence | walk-back | keys``: what an auditor asks for, and the keys behind it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from arrears.errors import AuditTrailError
from arrears.settings import load_settings

audit_app = typer.Typer(no_args_is_help=True)
keys_app = typer.Typer(no_args_is_help=True)
privacy_app = typer.Typer(no_args_is_help=True)
Portfolio = Annotated[str, typer.Option("--portfolio", help="Folder name.")]
Actor = Annotated[str, typer.Option("--by", help="Who you are; goes into the audit trail.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; goes into the audit trail.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]


@audit_app.command()
def verify(as_json: Json = False) -> None:
    """Look at every link of the audit trail and every anchor; the first fault is named, and the exit code is 1."""
    from arrears.warehouse.anchors import verify as look

    trail = look(load_settings())
    if as_json:
        typer.echo(json.dumps(asdict(trail)))
        raise typer.Exit(int(bool(trail.faults)))
    if trail.faults:
        more = f" (and {len(trail.faults) - 1} more)" if len(trail.faults) > 1 else ""
        raise AuditTrailError(trail.faults[0] + more, "a chain that holds, and anchors of ours", "ops.audit_entry")
    since = f"the newest of {trail.anchored_on}" if trail.anchors else "none yet: `arrears audit anchor`"
    typer.echo(f"{trail.entries} entries hold; {trail.anchors} anchors, {since}; {trail.unanchored} entries since")
    for days in trail.gaps:
        typer.echo(f"no anchor of {days}: the DAG audit_anchor did not run, or they were deleted")


@audit_app.command()
def anchor(as_json: Json = False) -> None:
    """Sign where the trail stands and keep it outside the warehouse; the DAG audit_anchor does it every day."""
    from arrears.warehouse.anchors import anchor as sign

    made = sign(load_settings(), datetime.now(UTC).date())
    typer.echo(json.dumps(asdict(made)) if as_json else f"anchored: entry {made.entry_no}, {made.name}")


@keys_app.command()
def new() -> None:
    """Print a new master key, for ARREARS_MASTER_KEYS: `VERSION:KEY`, the old ones kept behind a comma."""
    from arrears.keys import new_key

    typer.echo(new_key())


def evidence(  # noqa: PLR0913, PLR0917  a command has as many options as it has
    case: Annotated[str, typer.Argument(help="Case id.")],
    portfolio: Portfolio,
    out: Annotated[Path | None, typer.Option(help="The archive; evidence-CASE.zip when not given.")] = None,
    identified_by: Annotated[str, typer.Option(help="Your name, to have identifiers instead of pseudonyms.")] = "",
    reason: Annotated[str, typer.Option(help="Why; goes into the audit trail.")] = "",
    as_json: Json = False,
) -> None:
    """Everything about one case for an auditor: decisions, rules, messages, promises, payments, audit entries."""
    from arrears.jobs.evidence import evidence as bundle

    target = out or Path(f"evidence-{case}.zip")
    done = bundle(portfolio, case, target, settings=load_settings(), actor=identified_by, reason=reason)
    if as_json:
        typer.echo(json.dumps(done))
        return
    typer.echo(f"{done['file']}: {sum(done['rows'].values())} rows, {done['people_are']}, SHA-256 {done['sha256']}")


def walk_back(
    what: Annotated[str, typer.Argument(help="Fact (fct_loan_daily), lake table, or the load_id of a row.")],
    portfolio: Portfolio,
    business_date: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="Business date.")],
    loan: Annotated[str, typer.Option(help="Show the delivered lines of this loan as well.")] = "",
    as_json: Json = False,
) -> None:
    """Where a published figure came from: every table on the way back, its files by SHA-256, the lines of a loan."""
    from arrears.jobs.walk_back import lines_of
    from arrears.jobs.walk_back import walk_back as walk

    day = business_date.date()
    makings = [asdict(one) for one in walk(portfolio, day, what)]
    lines = lines_of(portfolio, day, loan) if loan else []
    if as_json:
        typer.echo(json.dumps({"makings": makings, "lines": lines}))
        return
    for one in makings:
        of = f", {one['made_of']}" if one["made_of"] else ""
        typer.echo(
            f"{'  ' * one['depth']}{one['table']} {one['business_date']}: {one['rows']} rows, load {one['load_id']}, "
            f"content {one['content_hash'][:16]}, {one['state']}{of}"
        )
    for line in lines:
        typer.echo(f"{line['ledger_table']}: {line['file']} line {line['line']}")


@privacy_app.command()
def erase(
    party: Annotated[str, typer.Argument(help="party_id of the source.")],
    portfolio: Portfolio,
    by: Actor,
    reason: Reason,
    dry_run: Annotated[bool, typer.Option("--dry-run/--erase", help="Count only, or erase what is counted.")] = True,
) -> None:
    """Erase what the vault holds of a party, its keys first; without --erase only count it."""
    from arrears.jobs.erasure import erasure

    typer.echo(json.dumps(erasure(portfolio, party, actor=by, reason=reason, dry_run=dry_run)))


@privacy_app.command()
def hold(
    party: Annotated[str, typer.Argument(help="party_id of the source.")],
    portfolio: Portfolio,
    by: Actor,
    reason: Reason,
) -> None:
    """Keep a party's records from erasure: a legal hold."""
    from arrears.jobs.erasure import hold as keep
    from arrears.warehouse.connection import transaction

    with transaction(load_settings().warehouse) as connection:
        number = keep(connection, portfolio, party, actor=by, reason=reason)
    typer.echo(f"hold {number}")


@privacy_app.command("end-hold")
def end_hold(number: Annotated[int, typer.Argument(help="Of the hold.")], by: Actor, reason: Reason) -> None:
    """End a legal hold."""
    from arrears.jobs.erasure import end_hold as end
    from arrears.warehouse.connection import transaction

    with transaction(load_settings().warehouse) as connection:
        end(connection, number, actor=by, reason=reason)
    typer.echo(f"hold {number} has ended")


@privacy_app.command("rotate")
def rotate_pseudonyms(
    lender: Annotated[str, typer.Argument(help="Lender of portfolio.yaml, or the portfolio without one.")],
    by: Actor,
    reason: Reason,
) -> None:
    """Give a lender's borrowers new pseudonyms in BI: every borrower_key changes, what was exported joins no more."""
    from arrears.warehouse.pseudonyms import rotate

    typer.echo(f"key {rotate(load_settings().warehouse, lender, actor=by, reason=reason)} of {lender}")


@privacy_app.command()
def rejected(
    table: Annotated[str, typer.Argument(help="extract__loan, raw__loan ...")],
    portfolio: Portfolio,
    business_date: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="Business date.")],
    by: Actor,
    reason: Reason,
) -> None:
    """Show what was delivered in the rejected rows of a day, to whoever mends the source; each look is in the trail."""
    from arrears.sources.vault import rejected_rows
    from arrears.warehouse.audit import record
    from arrears.warehouse.connection import transaction

    settings, day = load_settings(), business_date.date()
    with transaction(settings.warehouse) as connection:
        record(connection, actor=by, action="privacy.rejected", subject=f"{portfolio} {day} {table}", reason=reason)
    for row in rejected_rows(settings, portfolio, day, table):
        typer.echo(json.dumps(asdict(row), ensure_ascii=False))
