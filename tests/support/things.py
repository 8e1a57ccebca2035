"""A small contract of our own, its rows, and processes that write them: what the lake is tested with."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
from arrears.contracts.model import Contract, at, flag, minor, on, text
from arrears.lake import Lake, PartitionKey

DAY = date(2026, 3, 2)
KEY = PartitionKey("book", "core__thing", DAY)
THING = Contract(
    table="core__thing",
    grain="one row per thing",
    key=("thing_id",),
    columns=(
        text("thing_id", "Thing"),
        minor("amount_minor", "Amount"),
        on("seen_on", "Date", nullable=True),
        at("seen_at", "Instant", nullable=True),
        flag("is_seen", "Seen", nullable=True),
        text("note", "Note", nullable=True),
    ),
    meaning="Things",
    owner="tests",
    totals=("amount_minor",),
)
NULLS = "NULL::DATE AS seen_on, NULL::TIMESTAMPTZ AS seen_at, NULL::BOOLEAN AS is_seen, NULL::VARCHAR AS note"
ONE = f"SELECT 'a' AS thing_id, 1::BIGINT AS amount_minor, {NULLS}"
TWO = f"{ONE} UNION ALL SELECT 'b', 2::BIGINT, DATE '2026-01-31', TIMESTAMPTZ '2026-01-31 10:00:00+08', TRUE, ''"


def write(lake, connection, select=TWO, *, contract=THING, key=KEY, inputs=None, **rest):
    return lake.write(connection, contract, key, select, {}, inputs=inputs or {}, **rest)


def start_writer(root, how, number=0):
    """A process that writes ``KEY`` below ``root``: ``many`` times, or something ``slow``."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen([sys.executable, "-m", "support.things", root, how, str(number)], env=environment)


def main(root, how, number):
    """Write, in this process."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    lake = Lake(f"file://{root}")
    if how == "slow":
        rows = f"SELECT 'id-' || x AS thing_id, x::BIGINT AS amount_minor, {NULLS} FROM range(100000000) AS numbers (x)"
        write(lake, connection, rows)
    for turn in range(6):
        write(lake, connection, ONE.replace("1::BIGINT", f"{10 * int(number) + turn}::BIGINT"), run_ref=number)


if __name__ == "__main__":
    main(*sys.argv[1:])
