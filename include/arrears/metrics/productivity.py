"""Productivity."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Productivity",
    chinese="人均产能",
    formula="Cash credited to agents' right-party contacts of the last 7 days, an hour of all agents on shift.",
    numerator="collected_minor",
    denominator="productive_minutes / 60",
    ratio=("collected_per_hour_minor",),
    grain="portfolio x month x currency",
    view="productivity_monthly",
    facts=("fct_agent_daily",),
    lateness=Lateness.PAID_LATE,
    source="Credit: the last right-party contact within 7 days, else self-cure",
    minds="NULL where the source does not say who was reached, and by whom.",
)
