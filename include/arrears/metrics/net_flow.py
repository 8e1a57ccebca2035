"""Net flow rate."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Net flow rate",
    chinese="净流转率",
    formula="Principal in the next worse bucket at the month's close, over that in the bucket a month before.",
    numerator="closing_minor",
    denominator="opening_minor",
    ratio=("net_flow_ratio",),
    grain="portfolio x month x bucket x product x currency",
    view="net_flow_monthly",
    facts=("fct_portfolio_daily", "dim_member_daily"),
    lateness=Lateness.BUCKET,
    source="Bucket totals, no loan is followed",
    minds="It may exceed 100 %; 0 where nothing is in the next bucket. The worst bucket has none, and no row.",
)
