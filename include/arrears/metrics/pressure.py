"""Pressure on borrowers."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Pressure on borrowers",
    chinese="对借款人的压力",
    formula="Outgoing contacts a person and day; opt-outs, complaints, hardships and disputes that began; share"
    " of the reached who were reached by a bot.",
    numerator="attempts; contacted_borrowers; bot_borrowers",
    denominator="borrower_days; borrowers; reached_borrowers",
    ratio=("contacts_per_borrower_day", "contacted_ratio", "bot_ratio"),
    grain="portfolio x business date x currency",
    view="pressure_daily",
    facts=("fct_pressure_daily",),
    lateness=Lateness.NONE,
    source="Read beside every measure of success",
    minds="most_attempts is the worst day of one person.",
)
