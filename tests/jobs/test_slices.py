"""The circuit breaker: contact stops for the loans of a product whose feed failed or is stale, and for no others."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from arrears.quality.slices import FAILED, NEWEST, ROWS, STALE
from arrears.quality.trend import TABLE, same_weekdays
from support.books import put, rows_of
from support.day_book import FIRST, deliver, make_day_book, work_day

LOANS = 160
PRODUCTS = ("good", "failed", "fine", "stale")  # by the loan's number
CLOSE = FIRST - timedelta(days=1)


def product_of(loan):
    return PRODUCTS[int(loan[1:]) % len(PRODUCTS)]


def rewrite(settings, noun, change):
    """The delivered file with each row changed, or left out."""
    path = settings.portfolios.parent / "landing" / f"{noun}_{CLOSE}.csv"
    reader = csv.DictReader(io.StringIO(path.read_text()))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, reader.fieldnames, lineterminator="\n")
        writer.writeheader()
        writer.writerows(filter(None, map(change, list(reader))))


@pytest.fixture
def settings(tmp_path):
    """Four products of forty loans; the payments of one broke off days ago, of another nearly all are lost.

    What the sender says of the loans broke off with them: in no row there is anything wrong.
    """
    made = make_day_book(tmp_path)
    deliver(made, FIRST, loans=LOANS)
    since, few = (CLOSE - timedelta(days=9)).isoformat(), iter(range(LOANS))
    gone = set()

    def payment(row):
        product = product_of(row["loan_id"])
        is_lost = (product == "stale" and row["effective_on"] > since) or (product == "failed" and next(few) >= 5)
        gone.update([row["loan_id"]] * is_lost)
        return None if is_lost else row

    rewrite(made, "transaction", payment)
    owed = dict.fromkeys(gone, "20000")
    rewrite(
        made,
        "loan",
        lambda row: {
            **row,
            "product_code": product_of(row["loan_id"]),
            "outstanding_principal_minor": owed.get(row["loan_id"], row["outstanding_principal_minor"]),
        },
    )
    return made


def put_past(settings, weeks=3):
    """As many same weekdays before, on which every product was whole and its newest payment a day old at most."""
    for number, day in enumerate(same_weekdays(FIRST)[:weeks]):
        put(
            settings,
            TABLE,
            day,
            [
                {
                    "table_name": table,
                    "profile_code": f"{kind}__{product}",
                    "profile_value": value,
                    "verdict_code": "ok",
                }
                for product in PRODUCTS
                for table, kind, value in (
                    ("raw__loan", ROWS, 40),
                    ("raw__transaction", ROWS, 27),
                    ("raw__transaction", NEWEST, number % 2),
                )
            ],
        )


def stopped(settings):
    """Products of the loans that are held, by rule, and the loans."""
    kept = rows_of(settings, "out__quarantine", FIRST)
    assert {row["severity_code"] for row in kept} <= {"hold"}
    return {
        rule: sorted(row["loan_id"] for row in kept if row["rule_id"] == rule) for rule in {r["rule_id"] for r in kept}
    }


def test_contact_stops_for_exactly_the_loans_of_a_failed_and_a_stale_product(settings):
    put_past(settings)

    work_day(settings, FIRST)

    listed = {product: [f"L{n:04d}" for n in range(LOANS) if PRODUCTS[n % 4] == product] for product in PRODUCTS}
    assert stopped(settings) == {FAILED: listed["failed"], STALE: listed["stale"]}
    plan = rows_of(settings, "out__contact_plan_daily", FIRST)
    assert products(plan, lambda row: row["state_code"] == "planned") == {"good", "fine"}
    assert products(plan, lambda row: "rejected_row" in row["reason"]) == {"failed", "stale"}
    assert products(plan, lambda row: "rejected_row" not in row["reason"]) == {"good", "fine"}
    assert verdicts(settings) == {f"{ROWS}__failed": "holds", f"{NEWEST}__stale": "holds"}
    report = Path(settings.lake_url.removeprefix("file://")) / "book" / TABLE / f"business_date={FIRST}" / "report.json"
    said = json.loads(report.read_text())
    assert said["held_loans"] == sorted([*listed["failed"], *listed["stale"]])
    assert {row["figure"] for row in said["departures"] if row["verdict"] == "holds"} == set(verdicts(settings))


def products(plan, wanted):
    """Of the loans of such rows."""
    return {product_of(loan) for row in plan if wanted(row) for loan in row["loan_ids"].split(",")}


def verdicts(settings):
    """Of the slices of which it is not ``ok``."""
    return {
        row["profile_code"]: row["verdict_code"]
        for row in rows_of(settings, TABLE, FIRST)
        if row["profile_code"].startswith("slice") and row["verdict_code"] != "ok"
    }


def test_nothing_is_held_while_too_few_days_are_known(settings):
    put_past(settings, weeks=2)

    work_day(settings, FIRST, only=("extract", "validate"))

    assert stopped(settings) == {}
