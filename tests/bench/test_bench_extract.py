"""Extract is streamed: 12M instalments out of PostgreSQL within 1.5 GB, and validated within the engine's limit."""

import json
import subprocess
import sys

import psycopg
import pytest
from support.books import make_book

pytestmark = pytest.mark.bench

LOANS, TERMS = 1_000_000, 12
LEDGER = {
    "loan": """SELECT 'L' || lpad(loan_id::text, 8, '0') AS loan_id, 'B' || loan_id AS borrower_id,
        'tour' AS product_code, 'CNY' AS currency, 1200000::bigint AS principal_minor,
        DATE '2025-01-01' AS disbursed_on,
        DATE '2026-12-01' AS maturity_on, 'active' AS status_code, 600000::bigint AS outstanding_principal_minor
        FROM book.loan""",
    "instalment": """SELECT 'L' || lpad(loan_id::text, 8, '0') AS loan_id, seq, DATE '2025-06-01' + seq * 30 AS due_on,
        100000::bigint AS principal_minor, (loan_id % 97)::bigint AS interest_minor, 0::bigint AS fee_minor,
        0::bigint AS penalty_minor FROM book.loan CROSS JOIN generate_series(1, 12) AS seq""",
    "transaction": """SELECT 'T' || loan_id AS transaction_id, 'L' || lpad(loan_id::text, 8, '0') AS loan_id,
        'repayment' AS kind_code, DATE '2025-08-01' AS effective_on, TIMESTAMPTZ '2025-08-01 10:00+08' AS booked_at,
        100000::bigint AS amount_minor FROM book.loan""",
}
STEP = """
import json, resource, sys, time
from datetime import date
from pathlib import Path
from arrears.jobs.extract import extract
from arrears.jobs.validate import validate
from arrears.settings import Settings
root, step = Path(sys.argv[1]), sys.argv[2]
folders = {name: root / name for name in ("portfolios", "policies", "strategies")}
settings = Settings(warehouse_url=None, lake_url=f"file://{root / 'lake'}", **folders)
began, day = time.monotonic(), date(2026, 3, 2)
done = validate("book", day, settings=settings) if step == "validate" else extract("book", day, step, settings=settings)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": round(time.monotonic() - began, 1), "peak_mb": round(peak), "rows": done.get("rows", 0)}))
"""


def measured(folder, step):
    """Seconds, peak memory and rows of one step in a process of its own."""
    done = subprocess.run([sys.executable, "-c", STEP, folder, step], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.timeout(1800)
def test_twelve_million_rows_are_extracted_and_validated_within_bounded_memory(tmp_path, warehouse_url, capsys):
    with psycopg.connect(warehouse_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE SCHEMA book")
        connection.execute(f"CREATE TABLE book.loan AS SELECT x AS loan_id FROM generate_series(1, {LOANS}) AS x")
    settings = make_book(tmp_path)
    book = settings.portfolios / "book"
    (book / "portfolio.yaml").write_text((book / "portfolio.yaml").read_text().replace("sqlite://", warehouse_url))
    for noun, select in LEDGER.items():
        (book / f"{noun}.sql").write_text(select)

    figures = {step: measured(tmp_path, step) for step in (*LEDGER, "validate")}

    with capsys.disabled():
        print(f"\n{json.dumps(figures, indent=1)}")  # noqa: T201  a benchmark tells its figures
    assert figures["instalment"]["rows"] == LOANS * TERMS
    assert figures["instalment"]["peak_mb"] < 1500
    assert figures["validate"]["peak_mb"] < 3500  # the engine's default limit, and the library of the gate
