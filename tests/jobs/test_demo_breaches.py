"""The breach monitor finds the planted breaches of both demo books, and no other breach of law."""

from datetime import date, timedelta

import pytest
from arrears.jobs import STEPS, job
from arrears.jobs.extract import extract, tables_to_extract
from arrears.settings import Settings
from arrears.sources.demo import Order, fill_demo, world
from arrears.sources.demo.contacts import CONTACTS_A_BORROWER
from arrears.sources.demo.lender import LENDERS
from support.books import rows_of

AS_OF = date(2026, 3, 19)  # a Thursday: no story is moved by a Sunday
DATES = [AS_OF - timedelta(days=back) for back in (1, 0)]
LOANS = 400
STOPS = {"demo_travel_cn": {"house_humane.opt_out"}, "demo_loan_us": {"house_humane.opt_out", "us_reg_f.medium_stop"}}
HOURS = {
    "demo_travel_cn": {"cn_gbt45251.hours", "cn_cba2026.hours"},
    "demo_loan_us": {"us_reg_f.hours"},
}


def planted(portfolio, story, back):
    """Number of the contact that a story plants, so many days before the last close."""
    plan = world.make(Order.of(portfolio, loans=LOANS, seed=7, dates=DATES), 0, 1, LOANS)
    borrower = int(plan.borrower_numbers[plan.borrower[list(plan.story).index(story)]])
    return f"A{borrower * CONTACTS_A_BORROWER + back * 10:012}"


@pytest.mark.parametrize("portfolio", sorted(LENDERS))
def test_planted_breaches_are_found_and_no_other(portfolio, warehouse_url, tmp_path, monkeypatch):
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", warehouse_url)
    monkeypatch.setenv("ARREARS_DEMO_FIRST_DATE", DATES[0].isoformat())
    monkeypatch.setenv("ARREARS_DEMO_US_INBOX", str(tmp_path / "inbox"))
    monkeypatch.setenv("ARREARS_DEMO_US_ARCHIVE", str(tmp_path / "archive"))
    settings = Settings(lake_url=f"file://{tmp_path / 'lake'}", warehouse_url=None)
    target = str(tmp_path / "inbox") if LENDERS[portfolio].delivers == "inbox" else warehouse_url
    truth = tmp_path / "truth.parquet"
    fill_demo(portfolio, loans=LOANS, seed=7, business_dates=DATES, target=target, truth=truth)
    found, replayed = {}, 0
    for day in DATES:
        for noun in tables_to_extract(portfolio, settings=settings):
            extract(portfolio, day, noun, settings=settings)
        replayed += [job(step)(portfolio, day, settings=settings) for step in STEPS][STEPS.index("plan")]["replayed"]
        for row in rows_of(settings, "core__contact_breach_daily", day, portfolio):
            if row["effect_code"] == "deny" or row["rule_id"] in STOPS[portfolio]:
                found.setdefault((day, row["contact_id"]), set()).add(row["rule_id"])

    assert found == {
        (DATES[0], planted(portfolio, "called_at_night", back=1)): HOURS[portfolio],
        (DATES[1], planted(portfolio, "opted_out_and_called", back=0)): STOPS[portfolio],
    }
    assert replayed > 50
