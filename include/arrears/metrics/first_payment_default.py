"""First-payment default (FPD, FPD7, FPD30)."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="First-payment default (FPD, FPD7, FPD30)",
    chinese="首逾率",
    formula="Loans whose first instalment is unpaid at the close of its due date, or 7 or 30 days later, over "
    "the loans whose first instalment fell due then.",
    numerator="first_unpaid_loans; first_unpaid_minor",
    denominator="first_due_loans; first_due_minor",
    ratio=("fpd_ratio", "fpd_amount_ratio"),
    grain="portfolio x month of the first due date x days after it x product x currency",
    view="first_payment_default_monthly",
    facts=("fct_due_cohort_daily",),
    lateness=Lateness.UNPAID,
    source="No official definition was found; this is ours",
    minds="Only due dates that were observed so many days later count, in both figures; cancelled loans "
    "count in neither.",
)
