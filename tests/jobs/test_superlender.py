"""The superlender portfolio: its mapping on a small file of the same shape, and its known truth on the real files."""

from datetime import date

import pytest
from arrears.errors import RejectLimitError
from arrears.jobs import job
from arrears.jobs.day import Day
from arrears.jobs.extract import extract, source_is_ready, tables_to_extract
from arrears.jobs.run_day import day_summary
from arrears.jobs.validate import validate
from arrears.settings import Settings
from support.books import rows_of

D = date(2017, 1, 1)
HEADER = (
    "customerid,systemloanid,loannumber,approveddate,creationdate,loanamount,totaldue,termdays,closeddate,referredby,"
    "firstduedate,firstrepaiddate"
)
MIDNIGHT = "00:00:00.000000"


def line(loan, approved, amount, total, term, closed, due):  # noqa: PLR0917  the columns of the file
    """One line of the file; dates without their time."""
    at = f" {MIDNIGHT}"
    closed = f"{closed} 14:30:15.000000" if closed else ""
    return f"c-{loan},{loan},2,{approved}{at},{approved}{at},{amount},{total},{term},{closed},,{due}{at},{due}{at}"


LINES = [
    line("current", "2016-12-20", "10000.0000", "11500.0000", 15, "2017-01-05", "2017-01-04"),
    line("late", "2016-11-15", "10000.0000", "13000.0000", 30, "2017-02-01", "2016-12-15"),
    line("very-late", "2016-08-01", "20000.5000", "24500.2500", 30, "2017-03-01", "2016-09-01"),
    line("due-today", "2016-12-02", "10000.0000", "13000.0000", 30, "2017-01-20", "2017-01-01"),
    line("closed", "2016-11-01", "30000.0000", "34500.0000", 30, "2016-12-31", "2016-12-01"),
    line("long", "2016-11-01", "30000.0000", "36800.0000", 60, "2017-01-31", "2016-12-01"),
    line("not-yet", "2017-01-01", "10000.0000", "11500.0000", 15, "2017-01-16", "2017-01-16"),
]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("ARREARS_SUPERLENDER_DIR", str(tmp_path / "files"))
    (tmp_path / "files").mkdir()
    return Settings(warehouse_url=None, lake_url=f"file://{tmp_path / 'lake'}")


def give(tmp_path, *lines, name="trainprevloans.csv"):
    (tmp_path / "files" / name).write_text("\n".join([HEADER, *lines]) + "\n")


def run(settings, *steps, business_date=D):
    for noun in tables_to_extract("superlender", settings=settings):
        extract("superlender", business_date, noun, settings=settings)
    summary = validate("superlender", business_date, settings=settings)
    for step in steps:
        job(step)("superlender", business_date, settings=settings)
    return summary


def rows(settings, table):
    return {row["loan_id"]: row for row in rows_of(settings, table, D, "superlender")}


def test_folder_is_waited_for_until_a_file_is_there(settings, tmp_path):
    before = source_is_ready("superlender", D, settings=settings)

    give(tmp_path, *LINES)

    assert (before, source_is_ready("superlender", D, settings=settings)) == (False, True)


def test_loans_of_one_instalment_disbursed_by_the_close_are_mapped(settings, tmp_path):
    give(tmp_path, *LINES[:4], name="testprevloans.csv")
    give(tmp_path, *LINES[4:], name="trainprevloans.csv")

    summary = run(settings)

    loans = rows(settings, "raw__loan")
    assert summary["quarantined"] == 0
    assert set(loans) == {"current", "late", "very-late", "due-today", "closed"}
    assert [loans["very-late"][name] for name in ("principal_minor", "outstanding_principal_minor", "status_code")] == [
        2000050,
        2000050,
        "active",
    ]
    assert [loans["closed"][name] for name in ("outstanding_principal_minor", "status_code", "status_on")] == [
        0,
        "paid_off",
        date(2016, 12, 31),
    ]
    assert (loans["closed"]["source_file"], loans["closed"]["source_line"]) == ("trainprevloans.csv", 2)


def test_money_is_kobo_without_a_float_and_instants_are_lagos(settings, tmp_path):
    give(tmp_path, *LINES)

    run(settings)

    instalment = rows(settings, "raw__instalment")["very-late"]
    (repayment,) = rows_of(settings, "raw__transaction", D, "superlender")
    assert (instalment["principal_minor"], instalment["interest_minor"]) == (2000050, 449975)
    assert (repayment["loan_id"], repayment["amount_minor"], repayment["effective_on"]) == (
        "closed",
        3450000,
        date(2016, 12, 31),
    )
    assert repayment["booked_at"].isoformat() == "2016-12-31T13:30:15+00:00"


@pytest.mark.parametrize("amount", ["10000.005", "NaN", "1e5", "1234567890123", "-5", "", "10,000"])
def test_amount_that_is_no_kobo_is_refused_by_line(settings, tmp_path, amount):
    give(tmp_path, *LINES, line("odd", "2016-12-20", f'"{amount}"', "11500.0000", 15, "2017-01-05", "2017-01-04"))

    with pytest.raises(RejectLimitError):  # one row of six is above the portfolio's limit
        run(settings)

    quarantine = rows_of(settings, "out__quarantine", D, "superlender")
    found = {(row["table_name"], row["source_line"]) for row in quarantine}
    assert {("raw__loan", 9), ("raw__instalment", 9)} <= found


@pytest.mark.parametrize(
    ("part", "other", "column"),
    [
        pytest.param("2016-12-20", "2016-02-31", "disbursed_on", id="approved on no date"),
        pytest.param("2017-01-05", "2017-02-31", "status_code", id="closed on no date"),
        pytest.param("2017-01-04", "2017-02-31", "maturity_on", id="due on no date"),
        pytest.param(",15,", ",99,", "product_code", id="a term that is none"),
    ],
)
def test_line_that_cannot_be_read_is_never_filtered_away(settings, tmp_path, part, other, column):
    give(tmp_path, *LINES, LINES[0].replace("current", "odd").replace(part, other))

    with pytest.raises(RejectLimitError):
        run(settings)

    found = rows_of(settings, "out__quarantine", D, "superlender")
    assert ("raw__loan", 9, column) in {(row["table_name"], row["source_line"], row["column_name"]) for row in found}


def test_ages_of_the_small_file(settings, tmp_path):
    give(tmp_path, *LINES)

    run(settings, "age")

    ages = {loan: row["past_due_days"] for loan, row in rows(settings, "core__loan_delinquency_daily").items()}
    assert ages == {"current": 0, "late": 17, "very-late": 122, "due-today": 0, "closed": 0}


def test_known_truth_of_the_real_files(request, settings, monkeypatch):
    folder = request.config.getoption("--superlender-dir")
    if folder is None:
        pytest.skip("needs --superlender-dir: the data is not ours to ship")
    monkeypatch.setenv("ARREARS_SUPERLENDER_DIR", str(folder))

    summary = run(settings, "age", "transitions")

    told = day_summary(Day.open("superlender", D, settings=settings))
    assert summary["quarantined"] == 0
    assert told["buckets"] == {"0": 744, "1-30": 57, "31-60": 4, "61-90": 1, "91+": 6}
    assert told["loans"] == 812
    assert told["events"] == {"initial_load": 68}
    assert told["newly_overdue"] == 0
