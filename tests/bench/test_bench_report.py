"""What the bench measures does the same work, and its page says what was measured."""

import json

import pytest
from bench import report
from bench.age_once import in_duckdb, in_pandas, in_polars
from bench.airflow_day import _covered
from support.big_book import FIRST, write_book

STEP = {"seconds": 2.0, "cpu_seconds": 1.5, "peak_mb": 400, "rows": 1000, "noun": ""}
WAY = {"seconds": 0.5, "cpu_seconds": 1.5, "peak_mb": 300, "result": [1000, 80, 900, 5000]}
MEASURED = {"measured_at": "2026-03-02 10:00 UTC", "machine": report.machine(0.0)}
WAYS = {"scan": {**WAY, "result": []}, "two_stage": WAY, "ageing": WAY, "polars": WAY}
DAY = {
    "rows": {"instalment": 12_000, "transaction": 6_000, "party": 500},
    "steps": [{**STEP, "step": "extract", "noun": "loan"}, {**STEP, "step": "age", "seconds": 4.0}],
    "first_plan": STEP,
    "retention": STEP,
    "airflow": {"seconds": 8.0, "idle_seconds": 1.0, "tasks": {"extract": 3.0, "age": 4.5, "wait_for_source": 0.5}},
}
FIGURES = {"ways": {**MEASURED, "figures": WAYS}, "day": {**MEASURED, "figures": DAY}}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    write_book(folder, loans=2_000, mixed=False)
    return folder


def test_all_ways_of_ageing_a_book_answer_the_same(book):
    answers = [in_duckdb(book, "two_stage")[1], in_duckdb(book, "ageing")[1], in_polars(book)[1], in_pandas(book)[1]]

    assert {tuple(map(int, answer)) for answer in answers} == {tuple(map(int, answers[0]))}
    assert answers[0][0] == 2_000
    assert answers[0][1] > 100, "many are past due"


def test_book_is_the_same_whenever_it_is_made(book, tmp_path):
    again = write_book(tmp_path, loans=2_000, mixed=False)

    assert again["transaction"] == write_book(book, loans=2_000, mixed=False)["transaction"] > 10_000
    assert in_duckdb(tmp_path, "ageing")[1] == in_duckdb(book, "ageing")[1]


def test_later_delivery_holds_what_was_paid_since(tmp_path):
    first, second = (write_book(tmp_path, loans=2_000, business_date=day) for day in (FIRST, FIRST.replace(day=3)))

    assert second["transaction"] > first["transaction"]
    assert second["instalment"] == first["instalment"] == 24_000


def test_page_tells_sums_shares_and_what_was_not_run(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "FIGURES", tmp_path / "bench.json")

    larger = {**MEASURED, "figures": {**WAYS, "ageing": {**WAY, "seconds": 20 * WAY["seconds"]}}}
    report.write_page(json.loads(json.dumps({"1000": FIGURES, "20000": {"ways": larger}})))

    page = (tmp_path / "bench.md").read_text()
    assert "| **sum** | **6.0** |" in page
    assert "orchestration 2.0 s, 25 % of the run" in page
    assert "the yardstick's work | not run" in page
    assert "1,000 loans, 80 past due" in page
    assert "make bench BENCH_LOANS=20000 BENCH_PIECES=day" in page
    assert "| **ageing**, as the pipeline does it | 1.00 |" in page
    assert "Ageing takes 1.00 and 20.00 times the yardstick's seconds" in page


def test_page_of_steps_alone_says_that_airflow_was_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "FIGURES", tmp_path / "bench.json")
    steps = {name: DAY[name] for name in DAY if name != "airflow"}

    report.write_page({"20000": {"steps": {**MEASURED, "figures": steps}}})

    page = (tmp_path / "bench.md").read_text()
    assert "| **sum** | **6.0** |" in page
    assert "Not measured on Airflow: `make bench BENCH_LOANS=20000 BENCH_PIECES=day`" in page
    assert "orchestration" not in page.partition("20,000 loans")[2]


def test_covered_time_counts_overlapping_tasks_once():
    assert _covered([("a", 0, 4), ("b", 1, 3), ("c", 6, 7)]) == 5.0
