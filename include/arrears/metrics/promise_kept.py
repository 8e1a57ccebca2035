"""Promises kept."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Promises kept",
    chinese="承诺兑现率",
    formula="Promises whose last day closed and that were paid in full by then, over those whose last day closed;"
    " by amount with and without what was paid in part.",
    numerator="kept_promises; kept_minor; paid_minor",
    denominator="due_promises; due_minor",
    ratio=("kept_ratio", "kept_amount_ratio", "paid_amount_ratio"),
    grain="portfolio x business date x agent x channel x bucket x product x currency",
    view="promise_kept_daily",
    facts=("fct_promise_total_daily",),
    lateness=Lateness.NONE,
    source="Payments are matched to promises first in, first out",
    minds="Open and cancelled promises are in neither figure.",
)
