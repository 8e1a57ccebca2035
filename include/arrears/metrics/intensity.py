"""Intensity."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Intensity",
    chinese="渗透率",
    formula="Attempts on cases of a queue since the day before, over the cases that stood in it then.",
    numerator="attempts",
    denominator="cases",
    ratio=("intensity_ratio",),
    grain="portfolio x business date x queue",
    view="penetration_daily",
    facts=("fct_queue_daily", "fct_contact_attempt"),
    lateness=Lateness.NONE,
    source="Attempts, not cases",
    minds="More is not better: read it with pressure.",
)
