"""Forecast of tomorrow's queue load."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Forecast of tomorrow's queue load",
    chinese="次日队列负荷预测",
    formula="Open cases, less the share that left the queue, plus what entered it for each loan that had fallen"
    " due times the loans that fall due today; over the last 28 business dates.",
    numerator="forecast_cases; forecast_minutes",
    denominator="",
    ratio=("forecast_cases",),
    grain="portfolio x business date x queue",
    view="queue_forecast",
    facts=("fct_queue_daily", "fct_entry_daily", "fct_summary_daily"),
    lateness=Lateness.NONE,
    source="Ours; what came is in the next day's queue_daily",
    minds="Learns from consecutive days only. NULL on the first.",
)
