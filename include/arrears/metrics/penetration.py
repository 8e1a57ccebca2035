"""Penetration."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Penetration",
    chinese="覆盖率",
    formula="Cases of a queue that were tried since the day before, over the cases that stood in it then.",
    numerator="attempted_cases",
    denominator="cases",
    ratio=("penetration_ratio",),
    grain="portfolio x business date x queue",
    view="penetration_daily",
    facts=("fct_queue_daily", "fct_contact_attempt"),
    lateness=Lateness.NONE,
    source="Cases, not attempts",
    minds="An attempt is of the queue in which the case stood on the day before.",
)
