"""One measured run in a process of its own: ``age_once.py BOOK scan|two_stage|ageing`` prints seconds, peak and result.

The engine is the pipeline's own (`connect`), the result is a table in its memory.
"""

import json
import resource
import sys
import time
from datetime import date
from pathlib import Path

import duckdb
from arrears.engine.duckdb import connect, select_text
from arrears.jobs.age import INSTALMENTS, LOANS, ageing_parameters, put_buckets
from arrears.jobs.age_ledger import LedgerConfig
from arrears.settings import Settings

AS_OF = date(2026, 3, 2)
SCANNED = {
    "raw__loan": "loan_id, borrower_id, product_code, currency, status_code, grace_days, outstanding_principal_minor",
    "raw__instalment": "loan_id, seq, due_on, principal_minor, interest_minor, fee_minor, penalty_minor",
    "raw__transaction": "loan_id, kind_code, effective_on, amount_minor",
}


def bound(select, known):
    return {name: known[name] for name in duckdb.extract_statements(select)[0].named_parameters}


def scan(connection):
    """Reads every value that ageing reads, and does nothing with it."""
    for table, columns in SCANNED.items():
        connection.execute(f"SELECT bit_xor(hash({columns})) FROM {table}").fetchall()


def two_stage(connection):
    select = Path(__file__).with_name("two_stage.sql").read_text(encoding="utf-8")
    connection.execute(f"CREATE TABLE aged AS {select}", {"business_date": AS_OF})


def ageing(connection):
    config = LedgerConfig()
    put_buckets(connection, config.bucket_set)
    known = ageing_parameters(config.ageing, config.bucket_set, AS_OF) | {"closing_date": AS_OF}
    for table, name in ((INSTALMENTS, INSTALMENTS), (LOANS, "aged")):
        select = select_text(table)
        connection.execute(f"CREATE TABLE {name} AS {select}", bound(select, known))


def main(book, way):
    with connect(Settings(threads=2)) as connection:
        for table in ("raw__loan", "raw__instalment", "raw__transaction", "raw__pause"):
            connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{book}/{table}.parquet')")
        start = time.perf_counter()
        {"scan": scan, "two_stage": two_stage, "ageing": ageing}[way](connection)
        seconds = time.perf_counter() - start
        result = (
            []
            if way == "scan"
            else connection.execute(
                "SELECT count(*), count(past_due_on), sum(past_due_days)::BIGINT, sum(past_due_minor)::BIGINT FROM aged"
            ).fetchall()[0]
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "result": result}))  # noqa: T201  read by the bench


if __name__ == "__main__":
    main(*sys.argv[1:])
