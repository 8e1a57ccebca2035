"""Spark ages as DuckDB does: the worked loans, and 10,000 random ones through the job, to equal content hashes.

Needs the extra ``spark`` and a Java runtime: ``pip install '.[spark]'``, ``pytest -m spark``.
"""

from datetime import timedelta
from string import ascii_lowercase

import pytest
from arrears.engine.spark import SparkTables, session
from arrears.jobs.age import LEDGER, age
from arrears.jobs.day import Day
from proof.compare import ledger_of
from proof.random_book import FIRST as BEGIN
from proof.random_book import random_debts
from proof.test_naive_rules import AS_OF, CHECKS
from support.ageing import by_rule, by_tables
from support.books import FIRST, make_book, put, rows_of

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1800)]
MASTER = "local[2]"
LOANS, DAYS = 10_000, 120
TABLES = ("core__instalment_delinquency_daily", "core__loan_delinquency_daily")


@pytest.fixture(scope="module", autouse=True)
def installed():
    pytest.importorskip("pyspark", reason="pip install '.[spark]'")


def test_worked_loans_are_aged_as_the_rule_says():
    by_terms = {}
    for check in CHECKS.values():
        by_terms.setdefault(repr(check.terms), []).append(check)

    with session(MASTER, partitions=2) as spark:
        for checks in by_terms.values():
            terms = checks[0].terms
            loans = {name: replaced(check.loan, name) for name, check in zip(ascii_lowercase, checks, strict=False)}
            expected = {name: by_rule(loan, AS_OF, terms) for name, loan in loans.items()}

            assert len(expected) == len(checks)
            assert by_tables(SparkTables(spark), list(loans.values()), AS_OF, terms) == expected


def replaced(loan, name):
    return type(loan)(**vars(loan) | {"loan_id": name})


def test_random_loans_have_equal_content_hashes(tmp_path):
    rows = ledger_of(random_debts(LOANS, 11, DAYS))
    moved = FIRST - BEGIN - timedelta(days=DAYS // 2)
    engines = {"duckdb": tmp_path / "one", "spark": tmp_path / "other"}
    hashes, books = {}, {}
    for name, folder in engines.items():
        folder.mkdir()
        settings = make_book(folder).model_copy(update={"engine": name if name == "duckdb" else MASTER})
        for table in LEDGER:
            put(settings, table, FIRST, [shifted(row, moved) for row in rows[table]])
        age("book", FIRST, settings=settings)
        day = Day.open("book", FIRST, settings=settings)
        hashes[name] = {table: day.lake.manifest(day.key(table)).content_hash for table in TABLES}
        books[name] = {table: rows_of(settings, table, FIRST) for table in TABLES}

    assert len(books["duckdb"][TABLES[1]]) == LOANS
    assert sum(row["past_due_days"] > 0 for row in books["duckdb"][TABLES[1]]) > LOANS // 10
    assert books["spark"] == books["duckdb"]
    assert hashes["spark"] == hashes["duckdb"]


def shifted(row, by):
    """The loan's dates around the day that is worked."""
    return {name: value + by if name.endswith(("_on", "_at")) and value else value for name, value in row.items()}
