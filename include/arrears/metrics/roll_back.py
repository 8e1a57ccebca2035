"""Roll-back, cure, stay and exit."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Roll-back, cure, stay and exit",
    chinese="回迁、治愈、停留与退出",
    formula="Each share of a bucket at the close before the month: forward + back + cure + stay + paid off + "
    "charged off + left = 100 %.",
    numerator="back_minor, cure_minor, stay_minor, paid_off_minor, charged_off_minor, left_minor",
    denominator="opening_minor",
    ratio=("back_ratio", "cure_ratio", "stay_ratio", "paid_off_ratio", "charged_off_ratio", "left_ratio"),
    grain="portfolio x month x from-bucket x product x currency",
    view="roll_rate_monthly",
    facts=("fct_bucket_migration_daily",),
    lateness=Lateness.BUCKET,
    source="Loan by loan between two month-end closes",
    minds="Left is sold, transferred, cancelled or missing: a cancelled loan is not paid off. Loans that are new in "
    "the month are in no row.",
)
