"""Roll rate."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Roll rate",
    chinese="迁徙率",
    formula="Principal in a bucket at the close before the month that is in a worse bucket at the month's "
    "close, over all of it.",
    numerator="forward_minor",
    denominator="opening_minor",
    ratio=("forward_ratio", "forward_loans_ratio", "performance_ratio"),
    grain="portfolio x month x from-bucket x product x currency",
    view="roll_rate_monthly",
    facts=("fct_bucket_migration_daily",),
    lateness=Lateness.BUCKET,
    source="Loan by loan between two month-end closes",
    minds="Daily matrices do not multiply to a monthly one; the month is made of its two closes. "
    "Cancelled loans have left.",
)
