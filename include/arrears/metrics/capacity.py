"""Capacity utilisation."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Capacity utilisation",
    chinese="产能利用率",
    formula="Handling minutes of a queue's cases that need an agent today, over the minutes of its agents on shift.",
    numerator="required_minutes",
    denominator="available_minutes",
    ratio=("utilisation",),
    grain="portfolio x business date x queue",
    view="queue_daily",
    facts=("fct_queue_daily",),
    lateness=Lateness.NONE,
    source="Cases x handling time x planned attempts",
    minds="A case that is held, spared by a promise or worked without an agent takes no minutes. An agent of several "
    "queues counts in each of them. NULL without shifts.",
)
