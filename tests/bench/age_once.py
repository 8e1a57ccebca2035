"""One measured ageing in a process of its own: ``age_once.py BOOK WAY`` prints seconds, peak and result as JSON.

``scan``, ``two_stage`` and ``ageing`` run on the pipeline's own engine; ``polars`` and ``pandas`` do the work of
``two_stage`` in their own way. Each starts from the same Parquet files and ends with one row a loan in memory.
"""

import json
import os
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path

from arrears.engine.duckdb import connect
from arrears.engine.tables import DuckTables
from arrears.jobs.accounts import LOANS, make_ages
from arrears.jobs.age import MEMORY_LIMIT, ageing_parameters, put_buckets
from arrears.jobs.age_ledger import LedgerConfig
from arrears.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.big_book import FIRST as AS_OF
from support.big_book import file_of

THREADS = 2
SCANNED = {
    "raw__loan": "loan_id, borrower_id, product_code, currency, status_code, grace_days, outstanding_principal_minor",
    "raw__instalment": "loan_id, seq, due_on, principal_minor, interest_minor, fee_minor, penalty_minor",
    "raw__transaction": "loan_id, kind_code, effective_on, amount_minor",
}


def delivered(book, noun):
    return Path(book) / file_of(noun, AS_OF - timedelta(days=1))


def scan(connection):
    """Reads every value that ageing reads, and does nothing with it."""
    for table, columns in SCANNED.items():
        connection.execute(f"SELECT bit_xor(hash({columns})) FROM {table}").fetchall()


def two_stage(connection):
    select = Path(__file__).with_name("two_stage.sql").read_text(encoding="utf-8")
    connection.execute(f"CREATE TABLE aged AS {select}", {"business_date": AS_OF})


def ageing(connection):
    config = LedgerConfig()
    tables = DuckTables(connection)
    put_buckets(tables, config.bucket_set)
    known = ageing_parameters(config.ageing, config.bucket_set, AS_OF) | {"closing_date": AS_OF, "timezone": "UTC"}
    make_ages(tables, config.ageing.waterfalls, known)
    tables.rename(LOANS, "aged")


def in_duckdb(book, way):
    """Seconds, and what the loans sum to."""
    with connect(Settings(threads=THREADS, memory_limit=MEMORY_LIMIT)) as connection:
        for noun in ("loan", "instalment", "transaction", "pause"):
            connection.execute(f"CREATE VIEW raw__{noun} AS SELECT * FROM read_parquet('{delivered(book, noun)}')")
        start = time.perf_counter()
        {"scan": scan, "two_stage": two_stage, "ageing": ageing}[way](connection)
        seconds = time.perf_counter() - start
        if way == "scan":
            return seconds, []
        return seconds, connection.execute(
            "SELECT count(*), count(past_due_on), sum(past_due_days)::BIGINT, sum(past_due_minor)::BIGINT FROM aged"
        ).fetchall()[0]


def in_polars(book):
    import polars as pl  # noqa: PLC0415  a way that is not measured is not imported

    start = time.perf_counter()
    loan, instalment, transaction = (
        pl.scan_parquet(delivered(book, noun)) for noun in ("loan", "instalment", "transaction")
    )
    amount = sum(pl.col(f"{part}_minor") for part in ("principal", "interest", "fee", "penalty"))
    due = instalment.filter(pl.col("due_on") < AS_OF).select("loan_id", "due_on", amount.alias("due"))
    counted = transaction.filter(pl.col("effective_on") <= AS_OF)
    paid = counted.group_by("loan_id").agg(pl.sum("amount_minor").alias("paid"))
    arrears = (
        due.group_by("loan_id")
        .agg(pl.sum("due").alias("all_due"))
        .join(paid, on="loan_id", how="left")
        .with_columns(pl.col("paid").fill_null(0))
        .filter(pl.col("all_due") > pl.col("paid"))
        .select("loan_id", "paid", (pl.col("all_due") - pl.col("paid")).alias("past_due_minor"))
    )
    oldest = (
        due.join(arrears, on="loan_id")
        .sort("loan_id", "due_on")
        .with_columns(pl.col("due").cum_sum().over("loan_id").alias("cumulative"))
        .filter(pl.col("cumulative") > pl.col("paid"))
        .group_by("loan_id")
        .agg(pl.min("due_on").alias("past_due_on"), pl.first("past_due_minor"))
    )
    aged = (
        loan.select("loan_id")
        .join(oldest, on="loan_id", how="left")
        .with_columns((pl.lit(AS_OF) - pl.col("past_due_on")).dt.total_days().fill_null(0).alias("past_due_days"))
        .with_columns(pl.col("past_due_minor").fill_null(0))
        .collect(engine="streaming")
    )
    seconds = time.perf_counter() - start
    late = aged["past_due_on"].is_not_null().sum()
    return seconds, (aged.height, late, aged["past_due_days"].sum(), aged["past_due_minor"].sum())


def in_pandas(book):
    import pandas as pd  # noqa: PLC0415  as above
    import pyarrow.parquet as pq  # noqa: PLC0415  as above

    def read(noun, columns):
        return pq.read_table(delivered(book, noun), columns=columns).to_pandas(types_mapper=pd.ArrowDtype)

    start = time.perf_counter()
    amounts = [f"{part}_minor" for part in ("principal", "interest", "fee", "penalty")]
    due = read("instalment", ["loan_id", "due_on", *amounts])
    due = due[due["due_on"] < AS_OF].assign(due=lambda frame: frame[amounts].sum(axis=1))[["loan_id", "due_on", "due"]]
    paid = read("transaction", ["loan_id", "effective_on", "amount_minor"])
    paid = paid[paid["effective_on"] <= AS_OF].groupby("loan_id")["amount_minor"].sum().rename("paid")
    arrears = due.groupby("loan_id")["due"].sum().to_frame("all_due").join(paid).fillna({"paid": 0})
    arrears = arrears[arrears["all_due"] > arrears["paid"]]
    walk = due.merge(arrears, left_on="loan_id", right_index=True).sort_values(["loan_id", "due_on"])
    walk = walk[walk.groupby("loan_id")["due"].cumsum() > walk["paid"]]
    oldest = walk.groupby("loan_id").agg({"due_on": "min", "all_due": "first", "paid": "first"})
    aged = read("loan", ["loan_id"]).merge(oldest, how="left", left_on="loan_id", right_index=True)
    late = aged["due_on"].notna()
    days = (pd.Timestamp(AS_OF) - pd.to_datetime(aged.loc[late, "due_on"])).dt.days
    seconds = time.perf_counter() - start
    return seconds, (len(aged), int(late.sum()), int(days.sum()), int((aged["all_due"] - aged["paid"]).sum()))


def main(book, way):
    others = {"polars": in_polars, "pandas": in_pandas}
    seconds, result = others[way](book) if way in others else in_duckdb(book, way)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    found = {
        "seconds": seconds,
        "cpu_seconds": time.process_time(),
        "peak_mb": peak,
        "result": [int(each) for each in result],
    }
    print(json.dumps(found))  # noqa: T201  read by the bench


if __name__ == "__main__":
    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    main(*sys.argv[1:])
