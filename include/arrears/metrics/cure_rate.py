"""Cure rate and re-default."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Cure rate and re-default",
    chinese="治愈率与再次逾期率",
    formula="Of the loans that entered arrears by a due date, those without arrears on some published day "
    "since; of those, the ones past due again within 30 days.",
    numerator="cured_loans; redefaulted_loans",
    denominator="entered_loans; cured_loans",
    ratio=("cure_ratio", "redefault_ratio"),
    grain="portfolio x month x days after the due date x product x currency",
    view="recovery_monthly",
    facts=("fct_due_cohort_daily",),
    lateness=Lateness.UNPAID,
    source="Entry cohorts stay as they were",
    minds="A sale or a charge-off is no cure.",
)
