# ruff: noqa: RUF001  Chinese has its own punctuation
"""Roll chain down the diagonal."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Roll chain down the diagonal",
    chinese="迁徙率连乘（催收乘数）",
    formula="Product of roll rates down the diagonal: out of current in one month, out of the first bucket in "
    "the next, and so on.",
    numerator="flow_ratio of each month",
    denominator="",
    ratio=("chain_ratio",),
    grain="portfolio x month x bucket reached x product x currency",
    view="roll_chain_monthly",
    facts=("fct_bucket_migration_daily",),
    lateness=Lateness.BUCKET,
    source="A month a bucket: the loans that fell late together",
    minds="A gap in the months ends the chain.",
)
