"""A whole deployment to do harm to: a book in CSV files for any date, a warehouse, a day from source to outbox.

What a day leaves is taken down as one fingerprint, without anything that may differ between two runs of the same day.
"""

import csv
import hashlib
import io
import json
import os
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from arrears.contracts import CONTRACTS
from arrears.jobs import STEPS, job
from arrears.jobs.extract import extract, tables_to_extract
from arrears.jobs.publish import publish
from arrears.settings import Settings
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import MART, STG
from pydantic import SecretStr
from sqlalchemy import text

from support.floor import make_floor

FIRST = date(2026, 3, 2)
NOUNS = ("loan", "instalment", "transaction", "party", "contact_point", "flag", "consent", "contact", "agent_shift")
NOUNS = (*NOUNS, "queue")
VARIABLES = {
    "lake_url": "ARREARS_LAKE_URL",
    "portfolios": "ARREARS_PORTFOLIOS",
    "policies": "ARREARS_POLICIES",
    "strategies": "ARREARS_STRATEGIES",
    "warehouse": "ARREARS_WAREHOUSE_URL",
}


def columns_of(noun):
    """Header of a table's file; where a row came from is added by the reader."""
    return [c.name for c in CONTRACTS[f"raw__{noun}"].columns if not c.name.startswith("source_")]


def make_day_book(folder, warehouse_url=None, *, zone="Asia/Shanghai", first=FIRST):
    """Settings of a deployment with the portfolio ``book``, which takes one CSV file per table and date."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = make_floor(folder)
    path = settings.portfolios / "book" / "portfolio.yaml"
    kinds = [f"{n}: {{pattern: '{n}_{{closing_date}}.csv', columns: [{', '.join(columns_of(n))}]}}" for n in NOUNS]
    where = f"kind: files, settle_seconds: 0, directory: '{folder / 'landing'}'"
    source = f"source: {{{where}, files: {{{', '.join(kinds)}}}}}\n"
    kept = [line for line in path.read_text().splitlines(keepends=True) if not line.startswith("source:")]
    text_ = "".join([*kept, "reject_limit_pct: 50\n", source])
    path.write_text(text_.replace("Asia/Shanghai", zone).replace(FIRST.isoformat(), first.isoformat()))
    for noun in NOUNS:
        (path.parent / f"{noun}.sql").write_text(f"SELECT * FROM {noun}\n")
    (folder / "landing").mkdir()
    return settings.model_copy(update={"warehouse_url": SecretStr(warehouse_url) if warehouse_url else None})


def deliver(settings, day, *, loans=60, zone="Asia/Shanghai", late=0):
    """Write the files of a day: every third loan is past due, others paid on time; ``late`` pays so many more."""
    close = day - timedelta(days=1)
    tables = {noun: [] for noun in NOUNS}
    for number in range(loans):
        loan, due = f"L{number:04d}", FIRST - timedelta(days=1 + number % 40)
        is_paid = number % 3 or number < late
        tables["loan"].append(
            {
                "loan_id": loan,
                "borrower_id": f"B{number:04d}",
                "product_code": "tour",
                "currency": "CNY",
                "principal_minor": 20_000,
                "disbursed_on": due - timedelta(days=30),
                "maturity_on": due + timedelta(days=60),
                "status_code": "active",
                "outstanding_principal_minor": 10_000 if is_paid else 20_000,
            }
        )
        tables["instalment"] += [
            {
                "loan_id": loan,
                "seq": seq,
                "due_on": due + timedelta(days=60 * (seq - 1)),
                "principal_minor": 10_000,
                "interest_minor": 500,
                "fee_minor": 0,
                "penalty_minor": 0,
            }
            for seq in (1, 2)
        ]
        if is_paid:
            paid_on = min(due, close)
            tables["transaction"].append(
                {
                    "transaction_id": f"T{number:04d}",
                    "loan_id": loan,
                    "kind_code": "repayment",
                    "effective_on": paid_on,
                    "booked_at": f"{paid_on}T10:00:00Z",
                    "amount_minor": 10_500,
                }
            )
        tables["party"].append(
            {"party_id": f"B{number:04d}", "person_id": f"P{number:04d}", "is_minor": "false", "language": "zh-CN"}
        )
        tables["contact_point"].append(
            {
                "contact_point_id": f"M{number:04d}",
                "party_id": f"B{number:04d}",
                "kind_code": "mobile",
                "place_code": "personal",
                "timezone": zone,
            }
        )
    tables["queue"] = [{"queue_id": "bot", "work_mode_code": "bot", "avg_handle_seconds": 60, "attempts_per_case": 1}]
    for noun, rows in tables.items():
        target = io.StringIO()
        writer = csv.DictWriter(target, columns_of(noun), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        (settings.portfolios.parent / "landing" / f"{noun}_{close}.csv").write_text(target.getvalue())


def noon(day):
    """An instant at which the day is the portfolio's current one, at most zones."""
    return datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=5)


def work_day(settings, day, *, now=None, is_backfill=False, only=None):
    """The day from source to outbox, as the DAG runs it; or only some steps of it."""
    now = now or noon(day)
    if only is None or "extract" in only:
        for noun in tables_to_extract("book", settings=settings):
            extract("book", day, noun, now=now, settings=settings)
    for step in STEPS:
        if only is None or step in only:
            job(step)("book", day, settings=settings)
    if settings.warehouse_url is not None and (only is None or "publish" in only):
        return publish("book", day, is_backfill=is_backfill, now=now, settings=settings)
    return {}


def environment(settings):
    """The variables under which another process works in the same deployment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ARREARS_")}
    given = {variable: str(getattr(settings, name)) for name, variable in VARIABLES.items() if name != "warehouse"}
    if settings.warehouse_url is not None:
        given[VARIABLES["warehouse"]] = settings.warehouse
    return kept | given


def settings_here():
    """The settings of this process, from such variables alone."""
    return Settings(_env_file=None)


# ------------------------------------------------------------------------------------------------ what a day leaves
def fingerprint(settings):
    """Content of all partitions and all published tables, the same for two runs of the same days."""
    found = {f"lake {key}": manifest for key, manifest in lake_hashes(settings).items()}
    if settings.warehouse_url is not None:
        with transaction(settings.warehouse) as connection:
            for name, statement in STATEMENTS.items():
                rows = sorted(map(str, connection.execute(text(statement)).all()))
                found[name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


STATEMENTS = {
    **{str(table): f"SELECT * FROM {table}" for table in MART.values()},
    "outbox": "SELECT portfolio, business_date, step_key, state_code, not_after_at FROM ops.notification",
    "ledger": "SELECT business_date, content_hash, control_totals, inputs FROM ops.publish_ledger "
    "AS one WHERE published_at = (SELECT max(published_at) FROM ops.publish_ledger AS other "
    "WHERE other.business_date = one.business_date)",
    "freshness": "SELECT dataset, status_code, rows, content_hash FROM ops.data_freshness",
}


def lake_hashes(settings):
    """Content hash by partition, from the manifests that lie there."""
    root = Path(settings.lake_url.removeprefix("file://"))
    found = {}
    for path in sorted(root.rglob("manifest.json")):
        found[str(path.parent.relative_to(root))] = json.loads(path.read_text())["content_hash"]
    return found


def orphans(settings):
    """Files in the lake that nothing names, and rows left in staging."""
    root = Path(settings.lake_url.removeprefix("file://"))
    left = [str(path) for path in root.rglob(".tmp/*")]
    left += [str(path) for path in root.rglob("manifest.json.*")]
    for path in root.rglob("part-*.parquet"):
        manifest = path.parent / "manifest.json"
        if path.parent.name == ".tmp" or not manifest.exists():
            continue
        if path.name not in {file["name"] for file in json.loads(manifest.read_text())["files"]}:
            left.append(str(path))
    if settings.warehouse_url is not None:
        with transaction(settings.warehouse) as connection:
            for table in STG.values():
                rows = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                left += [str(table)] * bool(rows)
    return left


def messages(settings):
    """Messages in the outbox, and how many of their keys are there more than once."""
    with transaction(settings.warehouse) as connection:
        rows = connection.execute(text("SELECT count(*), count(DISTINCT step_key) FROM ops.notification")).one()
    return rows[0], rows[0] - rows[1]


def forget_warehouse(settings):
    """Empty everything that a day writes into the warehouse."""
    with transaction(settings.warehouse) as connection:
        for table in (*MART.values(), *STG.values()):
            connection.execute(text(f"DELETE FROM {table}"))  # of a few rows; to truncate partitions costs seconds
        connection.execute(text("TRUNCATE ops.publish_ledger, ops.data_freshness, ops.notification CASCADE"))


def forget_day(settings, day):
    """A published day never was: neither its partitions nor what it published."""
    root = Path(settings.lake_url.removeprefix("file://"))
    for path in root.rglob(f"business_date={day}"):
        shutil.rmtree(path)
    with transaction(settings.warehouse) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # round the guards of the outbox
        dated = [table for table in (*MART.values(), *STG.values()) if "business_date" in table.columns]
        for table in (*map(str, dated), "ops.publish_ledger", "ops.data_freshness", "ops.notification"):
            connection.execute(text(f"DELETE FROM {table} WHERE business_date = :day"), {"day": day})


def quick_folder():
    """Where a suite that kills processes, and never the machine, works: in memory if there is room."""
    memory = Path("/dev/shm")  # noqa: S108  a folder of our own is made below it
    enough = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30
    return str(memory) if enough else None
