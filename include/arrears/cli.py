"""``python -m arrears``: everything the DAGs do, without Airflow. Each command takes ``--json`` for machines."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from arrears import log_filter
from arrears.cli_contact import contact_app, strategy_app, worklist
from arrears.cli_feedback import app as feedback_app
from arrears.cli_operate import doctor, migrate, retention, status, watch
from arrears.cli_outbox import app as outbox_app
from arrears.cli_parity import app as parity_app
from arrears.cli_shown import DATES, AsOf, Date, Json, PortfolioName, errors, show, show_rows
from arrears.cli_trust import audit_app, evidence, keys_app, privacy_app, walk_back
from arrears.errors import ArrearsError, ConfigurationError
from arrears.kept import one_process
from arrears.local.cli import app as local_app
from arrears.portfolio import load_folder
from arrears.settings import load_settings

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(contact_app, name="contact", help="What the contact policy says.")
app.add_typer(feedback_app, name="feedback", help="What is reported back: take it in, receive it.")
app.add_typer(strategy_app, name="strategy", help="What strategies say, would say, and are worth.")
app.add_typer(outbox_app, name="outbox", help="What is being sent, and what people do about it.")
app.add_typer(audit_app, name="audit", help="The audit trail: does it hold.")
app.add_typer(keys_app, name="keys", help="Master keys.")
app.add_typer(privacy_app, name="privacy", help="Erasure, legal holds, and what the vault holds of a day.")
app.add_typer(parity_app, name="parity", help="Are groups of people contacted and relieved alike.")
app.add_typer(local_app, name="local", help="A whole deployment on this machine.")


def main() -> None:
    """Entry point: a coded error becomes one readable line, or one JSON object, and exit 1."""
    log_filter.install()
    try:
        app()
    except ArrearsError as error:
        errors.print(str(error), style="bold red", highlight=False, markup=False)
        raise SystemExit(1) from None


@app.command("check-portfolio")
def check_portfolio(name: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Explain every mistake of a portfolio folder, before anything runs."""
    from arrears.contact.strategy import load_strategy  # noqa: PLC0415  keeps `--help` quick
    from arrears.feedback.sources import load_sources  # noqa: PLC0415  as above
    from arrears.policy.packs import load_rules, public_holidays  # noqa: PLC0415  as above
    from arrears.sending.templates import cached_library  # noqa: PLC0415  as above

    settings = load_settings()
    folder = load_folder(name, settings)
    found = folder.portfolio
    first = found.first_business_date
    load_rules(found.packs, settings.policies)
    templates = cached_library(settings.templates).codes_in(found.language)
    buckets = [bucket.code for bucket in found.bucket_set]
    load_strategy(found.strategy, settings.strategies, buckets, templates=templates).on(first)
    public_holidays(found.holidays, first)
    reporting = load_sources(name, settings)
    result = {
        "portfolio": found.name,
        "title": found.title,
        "currency": found.currency,
        "timezone": found.timezone,
        "convention": found.ageing.convention,
        "first_business_date": first,
        "tables": [table.removeprefix("raw__") for table in folder.selects],
        "packs": list(found.packs),
        "strategy": found.strategy,
        "feedback": {code: source.kind for code, source in reporting.items()},
        "config_hash": folder.config_hash,
    }
    show(result, as_json=as_json, title=f"{name}: nothing wrong")


@app.command("demo-ledger")
def demo_ledger(
    as_of: AsOf,
    portfolio: Annotated[str, typer.Option(help="demo_travel_cn or demo_loan_us.")] = "demo_travel_cn",
    loans: Annotated[int, typer.Option(min=10, help="Number of loans.")] = 5000,
    seed: Annotated[int, typer.Option(help="Same seed, same ledger.")] = 7,
    out: Annotated[Path | None, typer.Option(help="Write Parquet files, truth.parquet and stories.json here.")] = None,
    source: Annotated[
        str | None, typer.Option(help="Fill its source: a database URL (demo_travel_cn), an inbox (demo_loan_us).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a synthetic ledger, with its truth beside it."""
    from arrears.sources.demo import Order, fill_demo, last_days, write_demo  # noqa: PLC0415  numpy, for this alone

    if out is None and source is None:
        raise ConfigurationError("neither --out nor --source", "one of them, or both", "demo-ledger")
    dates = last_days(as_of.date())
    result: dict[str, Any] = {}
    if out is not None:
        result |= write_demo(Order.of(portfolio, loans=loans, seed=seed, dates=dates), out)
    if source is not None:
        result |= fill_demo(portfolio, loans=loans, seed=seed, business_dates=dates, target=source)
    show(result, as_json=as_json, title="demo ledger")


@app.command("run")
def run(
    portfolio: PortfolioName,
    business_date: Date,
    refresh_source: Annotated[bool, typer.Option(help="Extract again; later dates become stale.")] = False,
    as_json: Json = False,
) -> None:
    """Run one business date: the DAG's jobs in order, without Airflow. What it plans is never sent."""
    day = business_date.date()
    result = _run(portfolio, day, refresh_source=refresh_source, as_json=as_json)
    shown = result if as_json else {name: value for name, value in result.items() if name != "content_hashes"}
    show(shown, as_json=as_json, title=f"{portfolio} {day}")


def _run(portfolio: str, day: date, *, refresh_source: bool, as_json: bool) -> dict[str, Any]:
    from arrears.jobs.run_day import run_day  # noqa: PLC0415  as above

    with errors.status(f"{portfolio} {day}") as status:
        return run_day(
            portfolio,
            day,
            refresh_source=refresh_source,
            on_step=lambda step: None if as_json else status.update(f"{portfolio} {day}: {step}"),
        )


@app.command("restate")
def restate(
    portfolio: PortfolioName,
    first: Annotated[datetime, typer.Option("--from", formats=DATES, help="First business date.")],
    last: Annotated[datetime, typer.Option("--to", formats=DATES, help="Last business date.")],
    as_json: Json = False,
) -> None:
    """Run the stale or missing dates of a span again, in order. Nothing is sent."""
    from arrears.jobs.restate import dates_to_restate  # noqa: PLC0415  as above

    rows = []
    with one_process():
        for day in dates_to_restate(portfolio, first.date(), last.date()):
            result = _run(portfolio, day, refresh_source=False, as_json=as_json)
            rows.append({"business_date": day, "loans": result["loans"], **result["publication"]})
    show_rows(rows, as_json=as_json, title=f"{portfolio} restated")


@app.command("history")
def history(
    portfolio: PortfolioName,
    until: Annotated[datetime, typer.Option("--until", formats=DATES, help="First date that is not history.")],
    as_json: Json = False,
) -> None:
    """Run all dates before a date that are missing or stale, in order, in one process. Nothing is sent.

    With --json, a line says how far it is as soon as a date is published.
    """
    from arrears.jobs.history import Past  # noqa: PLC0415  as above
    from arrears.jobs.history import history as of_all  # noqa: PLC0415  as above

    with errors.status(f"{portfolio}: history") as status:

        def tell(past: Past) -> None:
            if as_json:
                typer.echo(json.dumps(asdict(past), default=str))
            status.update(f"{portfolio}: history {past.done}/{past.of} {past.business_date or ''}")

        results = of_all(portfolio, until.date(), on_date=tell)
    if not as_json:
        rows = [{"business_date": one["business_date"], "loans": one["loans"], **one["publication"]} for one in results]
        show_rows(rows, as_json=False, title=f"{portfolio}: history before {until.date()}")


@app.command("age")
def age(
    ledger: Annotated[Path, typer.Option(help="Folder with loan, instalment, transaction, optional pause.")],
    as_of: AsOf,
    config: Annotated[Path | None, typer.Option(help="YAML with ageing and buckets; a portfolio.yaml will do.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the rows to FILE.parquet or FILE.csv.")] = None,
    as_json: Json = False,
) -> None:
    """Age a folder of ledger files: one row a loan."""
    from arrears.jobs.age_ledger import age_ledger, write_rows  # noqa: PLC0415  as above

    rows = age_ledger(ledger, as_of.date(), config)
    if out is not None:
        write_rows(rows, out)
    if as_json:
        typer.echo(json.dumps(rows.to_pylist(), default=str))
        return
    counted = rows.filter(rows["is_open"]).group_by("bucket")
    counts = counted.aggregate([("bucket", "count"), ("delinquent_days", "min")]).sort_by("delinquent_days_min")
    result = {f"open in {row['bucket']}": row["bucket_count"] for row in counts.to_pylist()}
    show(result, as_json=False, title=f"aged as of {as_of.date()}")


@app.command("explain")
def explain(
    loan: Annotated[str, typer.Argument(help="Loan id.")],
    portfolio: PortfolioName,
    business_date: Date,
    as_json: Json = False,
) -> None:
    """Why a loan is as many days past due as it is: the allocation, and the sentence."""
    from arrears.jobs.explain import explain as why  # noqa: PLC0415  as above
    from arrears.jobs.explain import in_text  # noqa: PLC0415  as above

    found = why(portfolio, business_date.date(), loan)
    if as_json:
        show(found, as_json=True, title="")
    else:
        typer.echo(in_text(found))


@app.command("export")
def export(
    portfolio: PortfolioName,
    business_date: Date,
    folder: Annotated[Path, typer.Option("--to", help="Folder of the lake; made when it is not there.")],
    as_json: Json = False,
) -> None:
    """Write the `bi` views of a date as Parquet, for readers of a lake; again replaces that date's files."""
    from arrears.warehouse.export import export as write_views  # noqa: PLC0415  as above

    rows = write_views(load_settings().warehouse, portfolio, business_date.date(), folder)
    show(rows, as_json=as_json, title=f"{portfolio} {business_date.date()}: rows by view")


@app.command("docs")
def docs(check: Annotated[bool, typer.Option(help="Change nothing; fail when a page has drifted.")] = False) -> None:
    """Write the generated reference pages."""
    from arrears import reference  # noqa: PLC0415  as above

    pages = reference.drifted() if check else reference.write_pages()
    for page in pages:
        typer.echo(f"{'drifted' if check else 'written'}: {page.name}")
    if check and pages:
        typer.echo("run `make docs` and commit the result", err=True)
        raise typer.Exit(1)


for command in (worklist, status, doctor, watch, migrate, retention, walk_back, evidence):
    app.command()(command)
