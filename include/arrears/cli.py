"""``python -m arrears``: everything the DAGs do, without Airflow. Each command takes ``--json`` for machines."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from arrears import log_filter
from arrears.cli_feedback import app as feedback_app
from arrears.cli_outbox import app as outbox_app
from arrears.cli_parity import app as parity_app
from arrears.cli_trust import audit_app, evidence, keys_app, privacy_app, walk_back
from arrears.errors import ArrearsError, ConfigurationError
from arrears.kept import one_process
from arrears.local.cli import app as local_app
from arrears.portfolio import load_folder
from arrears.settings import load_settings

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
contact_app = typer.Typer(no_args_is_help=True)
app.add_typer(contact_app, name="contact", help="What the contact policy says.")
app.add_typer(feedback_app, name="feedback", help="What is reported back: take it in, receive it.")
strategy_app = typer.Typer(no_args_is_help=True)
app.add_typer(strategy_app, name="strategy", help="What strategies say, would say, and are worth.")
app.add_typer(outbox_app, name="outbox", help="What is being sent, and what people do about it.")
app.add_typer(audit_app, name="audit", help="The audit trail: does it hold.")
app.add_typer(keys_app, name="keys", help="Master keys.")
app.add_typer(privacy_app, name="privacy", help="Erasure, legal holds, and what the vault holds of a day.")
app.command("evidence")(evidence)
app.command("walk-back")(walk_back)
app.add_typer(parity_app, name="parity", help="Are groups of people contacted and relieved alike.")
app.add_typer(local_app, name="local", help="A whole deployment on this machine.")
console = Console()
errors = Console(stderr=True, soft_wrap=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
PortfolioName = Annotated[str, typer.Option("--portfolio", help="Folder name below include/portfolios.")]
DATES = ["%Y-%m-%d"]
Date = Annotated[datetime, typer.Option("--date", formats=DATES, help="Business date.")]
AsOf = Annotated[datetime, typer.Option("--as-of", formats=DATES, help="Date the answer holds for.")]


def main() -> None:
    """Entry point: a coded error becomes one readable line, or one JSON object, and exit 1."""
    log_filter.install()
    try:
        app()
    except ArrearsError as error:
        errors.print(str(error), style="bold red", highlight=False, markup=False)
        raise SystemExit(1) from None


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


@app.command("status")
def status(as_json: Json = False) -> None:
    """Dates published, stale and failed, by portfolio."""
    from arrears.jobs.status import status as of_all  # noqa: PLC0415  as above

    found = of_all(load_settings())
    if as_json:
        typer.echo(json.dumps(found, default=str, ensure_ascii=False))
        return
    for one in found:
        stale = {str(day["business_date"]): _first_of(day["why"]) for day in one.pop("stale", ())}
        troubles = [f"{trouble['business_date']} {trouble['message']}" for trouble in one.pop("troubles", ())]
        show({**one, "stale": stale, "troubles": troubles}, as_json=False, title="")


@app.command("doctor")
def doctor(as_json: Json = False) -> None:
    """Look at settings, connections, disk, migrations, dates, sends, clock; exit 1 when anything fails."""
    from arrears.jobs.doctor import FAIL  # noqa: PLC0415  as above
    from arrears.jobs.doctor import doctor as look  # noqa: PLC0415  as above

    with errors.status("looking"):
        findings = look(load_settings(), datetime.now(UTC))
    show_rows([asdict(finding) for finding in findings], as_json=as_json, title="doctor")
    raise typer.Exit(int(any(finding.state == FAIL for finding in findings)))


@app.command("watch")
def watch(
    portfolio: Annotated[list[str] | None, typer.Option(help="These only; without it all once published.")] = None,
    as_json: Json = False,
) -> None:
    """Is every day published by its hour, every unknown send settled; for cron, needs no Airflow; exit 1 when not.

    Alarms are posted to ARREARS_WATCH_WEBHOOK as well.
    """
    from arrears.jobs.watch import tell  # noqa: PLC0415  as above
    from arrears.jobs.watch import watch as look  # noqa: PLC0415  as above

    settings, now = load_settings(), datetime.now(UTC)
    alarms = look(settings, now, portfolio or ())
    if alarms or as_json:
        show_rows([asdict(alarm) for alarm in alarms], as_json=as_json, title="alarms")
    tell(settings, alarms, now)
    raise typer.Exit(int(bool(alarms)))


def _first_of(reasons: list[str]) -> str:
    """The first reason, and how many there are beside it."""
    return reasons[0] if len(reasons) == 1 else f"{reasons[0]}, and {len(reasons) - 1} more"


@app.command("migrate")
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
    from arrears.warehouse.migrate import upgrade  # noqa: PLC0415  as above
    from arrears.warehouse.roles import BI, JOBS, create_login  # noqa: PLC0415  as above

    settings = load_settings()
    url = settings.warehouse_owner_url.get_secret_value() if settings.warehouse_owner_url else settings.warehouse
    upgrade(url)
    wanted = {"BI tools": (BI, bi_password), "jobs": (JOBS, jobs_password)}
    made = [f"; {who} log in as {create_login(url, login, word)}" for who, (login, word) in wanted.items() if word]
    typer.echo(f"the warehouse is at this version{''.join(made)}")


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


@app.command("retention")
def retention(
    portfolio: PortfolioName,
    dry_run: Annotated[bool, typer.Option("--dry-run/--drop", help="List only, or drop what is listed.")] = True,
    as_json: Json = False,
) -> None:
    """Drop full snapshots of dates whose term has passed; without --drop only list them."""
    from arrears.jobs.retention import retention as drop_expired  # noqa: PLC0415  as above

    title = f"{portfolio}: {'would go' if dry_run else 'gone'}"
    show(drop_expired(portfolio, dry_run=dry_run, run_ref="cli"), as_json=as_json, title=title)


@contact_app.command("check")
def contact_check(
    file: Annotated[Path, typer.Argument(help="Facts and planned contacts, as in tests/policy/cases.yaml.")],
    as_json: Json = False,
) -> None:
    """Whether a contact is allowed: the decision, every rule that fires with its citation, and the earliest time."""
    from arrears.policy.check import check_file  # noqa: PLC0415  as above

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
    from arrears.jobs.contact_diff import contact_diff as compared  # noqa: PLC0415  as above

    day = business_date.date()
    found = compared(portfolio, day, *packs)
    if as_json:
        typer.echo(json.dumps(found, default=str, ensure_ascii=False))
        return
    rows = found.pop("contacts")
    show(found, as_json=False, title=f"{portfolio} {day}")
    if rows:
        show_rows(rows, as_json=False, title="")


@strategy_app.command("diff")
def strategy_diff(
    portfolio: PortfolioName,
    business_date: Date,
    other: Annotated[Path, typer.Option("--with", help="File of the other strategy.")],
    as_json: Json = False,
) -> None:
    """What another strategy would have planned for a date: steps, channels, people, blocked. Nothing is sent."""
    from arrears.jobs.strategy_diff import strategy_diff as compared  # noqa: PLC0415  as above

    day = business_date.date()
    found = compared(portfolio, day, other)
    if as_json:
        typer.echo(json.dumps(found, default=str, ensure_ascii=False))
        return
    rows = found.pop("contacts")
    show(found, as_json=False, title=f"{portfolio} {day}")
    if rows:
        show_rows(rows, as_json=False, title="")


@app.command("worklist")
def worklist(
    portfolio: PortfolioName,
    business_date: Date,
    team: Annotated[str, typer.Option(help="Team; empty for what only supervisors see.")],
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
) -> None:
    """A team's worklist as CSV that no spreadsheet takes for a formula; tokens stand for numbers."""
    from arrears.warehouse.connection import transaction  # noqa: PLC0415  as above
    from arrears.warehouse.worklist import export_worklist  # noqa: PLC0415  as above

    with transaction(load_settings().warehouse) as connection:
        rows = export_worklist(connection, portfolio, business_date.date(), team, out)
    typer.echo(f"{rows} rows: {out}")


@strategy_app.command("experiments")
def strategy_experiments(portfolio: PortfolioName, business_date: Date, as_json: Json = False) -> None:
    """How the arms of the running experiments stand: sizes, outcomes, guard rails, and the effect with its interval."""
    from arrears.jobs.experiments import experiment_report  # noqa: PLC0415  as above

    rows = experiment_report(portfolio, business_date.date())
    show_rows(rows, as_json=as_json, title=f"{portfolio} {business_date.date()}")


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
