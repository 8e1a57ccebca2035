"""Liquidation."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Liquidation",
    chinese="清收率",
    formula="Net cash in a month on the loans that were past due at its opening, over what was past due on them then.",
    numerator="collected_minor",
    denominator="placed_minor",
    ratio=("liquidation_ratio",),
    grain="portfolio x month x bucket at the opening x product x currency",
    view="liquidation_monthly",
    facts=("fct_loan_daily", "fct_payment_allocated"),
    lateness=Lateness.BUCKET,
    source="Static pool of the month's opening",
    minds="It may exceed 100 %: what falls due in the month is paid too.",
)
