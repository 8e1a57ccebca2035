"""Case ageing."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Case ageing",
    chinese="案件账龄",
    formula="Days since the case opened: mean, median, 90th percentile.",
    numerator="case_age_days_sum",
    denominator="open_cases",
    ratio=("mean_age_days", "median_age_days", "p90_age_days"),
    grain="portfolio x business date x bucket",
    view="case_ageing_daily",
    facts=("fct_case_daily",),
    lateness=Lateness.WORKED,
    source="Percentile by nearest rank",
    minds="Percentiles do not add up over buckets.",
)
