"""Recovery curve D1 to D60."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Recovery curve D1 to D60",
    chinese="催回率",
    formula="Of what entered arrears by a due date, cash received on those loans by n days after it, at most "
    "what entered.",
    numerator="collected_minor",
    denominator="entered_minor",
    ratio=("recovery_ratio", "not_recovered_ratio"),
    grain="portfolio x business date x due date x product x currency",
    view="due_cohort_daily",
    facts=("fct_due_cohort_daily",),
    lateness=Lateness.UNPAID,
    source="Cash; a waiver collects nothing",
    minds="recovery_ratio and not_recovered_ratio sum to 1.",
)
