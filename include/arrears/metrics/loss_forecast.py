"""Loss forecast."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Loss forecast",
    chinese="损失预测",
    formula="Each bucket's principal times the product of the month's roll rates from it to the last bucket, "
    "rounded to the minor unit.",
    numerator="forecast_minor",
    denominator="principal_minor",
    ratio=("roll_to_loss_ratio",),
    grain="portfolio x month-end close x bucket x product x currency",
    view="loss_forecast_monthly",
    facts=("fct_portfolio_daily", "fct_bucket_migration_daily"),
    lateness=Lateness.BUCKET,
    source="OCC, Retail Lending Examination Procedures, appendix G",
    minds="One month's rates stand for the future; a bucket that was empty makes it not available.",
)
