"""``make bench``: how long each step of a day takes, on what, and what Airflow adds; writes the report page.

``bench.py 1000000,10000000 ways,day`` measures those pieces of those sizes, each from nothing in a folder of its own
that is removed afterwards, and keeps the figures that the page already has of others. ``steps`` is a ``day`` without
its last part, the whole one on Airflow. Every measurement is a process of its own.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path

import psycopg
import yaml
from airflow_day import airflow, timed_day
from arrears.contracts import CONTRACTS
from arrears.local.home import Home
from arrears.local.postgres import EmbeddedPostgres
from arrears.settings import INCLUDE, REPOSITORY
from arrears.warehouse.migrate import upgrade
from report import FIGURES, machine, write_page

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.big_book import FIRST, SELECTS, UNDATED, write_book

HERE = Path(__file__).parent
WAYS = ("scan", "two_stage", "ageing", "polars", "pandas")
PANDAS_LOANS = 2_000_000  # above it pandas needs more memory than a machine of this kind has
SMALL = 2_000_000  # up to it every way is measured three times and the best counts
STEPS = ("validate", "age", "transitions", "cases", "assign", "plan", "metrics", "publish")
DAYS = [FIRST + timedelta(days=number) for number in range(3)]
BEGAN = time.monotonic()


def say(text):
    sys.stdout.write(f"{time.monotonic() - BEGAN:7.1f} s  {text}\n")
    sys.stdout.flush()


def child(script, *arguments, environment=None):
    """What a measured process says of itself."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    if done.returncode != 0:
        raise RuntimeError(f"{script} {' '.join(map(str, arguments))}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def make_portfolio(root):
    """The Chinese demo's own rules over files: its packs, strategy, buckets and queues."""
    folder = root / "portfolios" / "bench"
    folder.mkdir(parents=True)
    demo = yaml.safe_load((INCLUDE / "portfolios/demo_travel_cn/portfolio.yaml").read_text(encoding="utf-8"))
    files = {
        noun: {
            "pattern": f"{noun}.parquet" if noun in UNDATED else noun + "_{closing_date}.parquet",
            "format": "parquet",
        }
        for noun in SELECTS
    }
    demo.pop("daily_from")  # the history of the demo; here every day is a day
    demo |= {
        "title": "Bench",
        "first_business_date": DAYS[0],
        "source": {"kind": "files", "directory": str(root / "ledger"), "files": files},
    }
    (folder / "portfolio.yaml").write_text(yaml.safe_dump(demo, allow_unicode=True), encoding="utf-8")
    for noun in SELECTS:
        names = [column.name for column in CONTRACTS[f"raw__{noun}"].columns if not column.name.startswith("source_")]
        have = SELECTS[noun]
        listed = ", ".join(name for name in names if name in have)
        (folder / f"{noun}.sql").write_text(f"SELECT {listed} FROM {noun}\n", encoding="utf-8")


def deployment(root, warehouse):
    return {
        "ARREARS_WAREHOUSE_URL": warehouse,
        "ARREARS_LAKE_URL": f"file://{root / 'lake'}",
        "ARREARS_PORTFOLIOS": str(root / "portfolios"),
        "ARREARS_KEEP_FULL_SNAPSHOTS_DAYS": "1",
        "ARREARS_KEEP_MONTH_ENDS_MONTHS": "0",
        "ARREARS_PREDECESSOR_RETRY_SECONDS": "2",
        "ARREARS_SOURCE_WAIT_SECONDS": "2",
    }


def measured_ways(root, loans):
    """Seconds, peak and result of ageing the plain book in each way."""
    say(f"{loans:,} loans: the plain book")
    write_book(root / "plain", loans=loans, mixed=False)
    found = {}
    for way in WAYS:
        if way == "pandas" and loans > PANDAS_LOANS:
            continue
        runs = [child("age_once.py", root / "plain", way) for _ in range(3 if loans <= SMALL else 1)]
        found[way] = {name: min(run[name] for run in runs) for name in ("seconds", "cpu_seconds")}
        found[way] |= {"peak_mb": max(run["peak_mb"] for run in runs), "result": runs[0]["result"]}
        say(f"{loans:,} loans: {way} {found[way]['seconds']:.2f} s, {found[way]['peak_mb']:,} MB")
    results = {tuple(one["result"]) for one in found.values() if one["result"]}
    if len(results) != 1:
        raise RuntimeError(f"the ways do not agree: {results}")
    return found


def measured_first_plan(loans, environment):
    """The first business date: run whole, then its plan alone. Every case is new, so every case has a step due."""
    say(f"{loans:,} loans: the first business date")
    child("step_once.py", DAYS[0], "day", environment=environment)
    return child("step_once.py", DAYS[0], "plan", environment=environment)


def measured_steps(loans, environment, rows):
    """Every step of the second business date."""
    steps = []
    for noun in SELECTS:
        steps.append(
            {"step": "extract", "noun": noun} | child("step_once.py", DAYS[1], "extract", noun, environment=environment)
        )
        say(f"{loans:,} loans: extract {noun} {steps[-1]['seconds']:.1f} s, {steps[-1]['peak_mb']:,} MB")
    for step in STEPS:
        found = child("step_once.py", DAYS[1], step, environment=environment)
        if step == "age":
            found["rows"] = sum(rows[noun] for noun in ("loan", "instalment", "transaction"))
        if step in {"transitions", "metrics"}:
            found["rows"] = rows["loan"]
        steps.append({"step": step, "noun": ""} | found)
        say(f"{loans:,} loans: {step} {found['seconds']:.1f} s, {found['peak_mb']:,} MB")
    return steps


def measured_airflow(root, postgres, environment, loans):
    """The third business date, whole, on Airflow."""
    with airflow(Home(root / "var"), postgres, environment) as servers:
        say(f"{loans:,} loans: the third business date on Airflow")
        timed = timed_day(servers, postgres, DAYS[2])
    say(f"{loans:,} loans: the whole day {timed.seconds:.1f} s, no task at work {timed.idle_seconds:.1f} s")
    return {"seconds": timed.seconds, "idle_seconds": timed.idle_seconds, "tasks": timed.tasks}


@contextmanager
def server(folder):
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    try:
        yield postgres
    finally:
        postgres.stop()


def warehouse_of(postgres):
    with psycopg.connect(postgres.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE bench")
    url = postgres.url("bench")
    upgrade(url)
    return url


def measured_day(root, loans, *, is_on_airflow=True):
    """A day in steps, and the next one whole on Airflow."""
    began = time.monotonic()
    rows = [write_book(root / "ledger", loans=loans, business_date=day) for day in DAYS][1]
    book_seconds = time.monotonic() - began
    say(f"{loans:,} loans: {sum(rows.values()):,} rows of three deliveries made in {book_seconds:.1f} s")
    make_portfolio(root)
    with server(root / "var" / "postgres") as postgres:
        environment = deployment(root, warehouse_of(postgres))
        first_plan = measured_first_plan(loans, environment)
        steps = measured_steps(loans, environment, rows)
        kept = child("step_once.py", DAYS[1], "retention", environment=environment)
        say(f"{loans:,} loans: retention of the first date {kept['seconds']:.1f} s")
        found = {"rows": rows, "steps": steps, "first_plan": first_plan, "retention": kept}
        if is_on_airflow:
            found["airflow"] = measured_airflow(root, postgres, environment, loans)
    return found


PIECES = {"ways": measured_ways, "day": measured_day, "steps": partial(measured_day, is_on_airflow=False)}


def measured(piece, loans):
    """The figures of one piece of one size, and what they were measured on."""
    with tempfile.TemporaryDirectory(prefix="arrears-bench-", ignore_cleanup_errors=True) as name:
        load = os.getloadavg()[0]
        found = PIECES[piece](Path(name), loans)
    return {
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine(load),
        "figures": found,
    }


def interrupted(_number, _frame):
    raise KeyboardInterrupt


def main(sizes, pieces):
    for number in (signal.SIGTERM, signal.SIGINT):  # every way out stops the servers and removes the folder
        signal.signal(number, interrupted)
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    for loans, piece in product((int(size) for size in sizes.split(",")), pieces.split(",")):
        figures.setdefault(str(loans), {})[piece] = measured(piece, loans)
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        write_page(figures)
    say(f"written: {FIGURES.with_suffix('.md').relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
