"""Each run leaves its quality report beside the figures: whole, without scripts or values, also when it fails."""

import json
import re
from pathlib import Path

import pytest
from support.books import FIRST, rows_of
from support.deliveries import SOUND, deliver, failure, judge, landing, make_file_book, spoiled

CANARY = "13800138000"


@pytest.fixture
def book(tmp_path):
    return make_file_book(tmp_path)


def reports(book):
    """The report as JSON and as HTML."""
    folder = Path(book.lake_url.removeprefix("file://")) / "book" / "out__data_quality_daily" / f"business_date={FIRST}"
    return json.loads((folder / "report.json").read_text()), (folder / "report.html").read_text()


def test_report_names_rules_places_and_held_loans_and_no_value(book, caplog):
    caplog.set_level("INFO")
    deliver(book, **spoiled("transaction", 1, ",10500,", f",{CANARY}x,"))

    summary = judge(book)

    said, page = reports(book)
    assert said["stopped_by"] == ""
    assert {(row["rule"], row["first_file"], row["first_line"]) for row in said["rules"]} >= {
        ("type", "transaction_2026-03-01.csv", 2)
    }
    assert said["held_loans"] == ["L1"]
    assert summary["held"] == {"loans": 1, "parties": 0}
    assert "<code>L1</code>" in page
    assert CANARY not in page + json.dumps(said) + caplog.text
    assert re.search(r"quality report: \S+/report\.html", caplog.text)
    assert re.findall(r"<script|https?:|src=|href=|@import", page) == []


def test_report_of_a_day_that_stops_says_why(book):
    deliver(book, loan=[])

    error = failure(lambda: judge(book))

    said, page = reports(book)
    assert error.code in said["stopped_by"]
    assert "Stopped: ARR-VAL-004" in page


def test_report_escapes_what_a_source_can_name(book):
    deliver(book)
    path = book.portfolios / "book" / "portfolio.yaml"
    path.write_text(path.read_text().replace("'loan_{closing_date}.csv'", "'loan*'"))
    landing(book, "loan").rename(landing(book, "loan").with_name("loan_b.csv"))
    landing(book, "loan").with_name("loan_b.csv").write_text(
        "\n".join(
            [landing(book, "loan").with_name("loan_b.csv").read_text().rstrip(), SOUND["loan"][0].replace("L1", "<b>")]
        )
    )

    judge(book)

    assert "<b>" not in reports(book)[1]


def test_figures_of_the_day_are_kept(book):
    deliver(book)

    judge(book)

    figures = {(r["table_name"], r["profile_code"]): r for r in rows_of(book, "out__data_quality_daily", FIRST)}
    assert figures["raw__loan", "rows"]["profile_value"] == 4
    assert figures["raw__transaction", "sum__amount_minor"]["profile_value"] == 72_400
    assert figures["raw__transaction", "newest_days"]["profile_value"] == 9
    assert {row["verdict_code"] for row in figures.values()} == {"unknown"}


@pytest.mark.parametrize(
    ("changed", "held", "rule"),
    [
        pytest.param(
            {"instalment": SOUND["instalment"][1:]}, "L1", "loan.principal_is_scheduled", id="an instalment is missing"
        ),
        pytest.param(
            {"transaction": SOUND["transaction"][1:]}, "L1", "loan.repaid_is_received", id="a payment is missing"
        ),
    ],
)
def test_loan_that_other_rows_contradict_goes_on_and_is_held(book, changed, held, rule):
    deliver(book, **changed)

    summary = judge(book)

    kept = rows_of(book, "out__quarantine", FIRST)
    assert [(row["rule_id"], row["severity_code"], row["loan_id"]) for row in kept] == [(rule, "hold", held)]
    assert summary["tables"]["loan"]["accepted"] == 4
    assert summary["held"]["loans"] == 1


def test_line_that_is_no_row_holds_whom_its_words_name(book):
    rows = [SOUND["transaction"][0].rsplit(",", 1)[0], *SOUND["transaction"][1:], f"{CANARY} L3 and L2, L2"]
    deliver(book, transaction=rows)

    judge(book)

    kept = [row for row in rows_of(book, "out__quarantine", FIRST) if row["rule_id"] == "file.columns"]
    assert sorted((row["source_line"], row["column_name"], row["loan_id"]) for row in kept) == [
        (2, "", "L1"),
        (6, "", "L2"),
        (6, "#2", "L3"),
    ]
