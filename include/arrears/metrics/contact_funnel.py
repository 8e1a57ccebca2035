"""Contact funnel."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Contact funnel",
    chinese="联系漏斗",
    formula="Outgoing attempts, those that connected, those with the right party, those with a promise.",
    numerator="connects; right_party_contacts; promises",
    denominator="attempts; connects; right_party_contacts",
    ratio=("connect_ratio", "right_party_ratio", "right_party_connect_ratio", "promise_ratio"),
    grain="portfolio x business date x channel",
    view="contact_funnel_daily",
    facts=("fct_contact_attempt",),
    lateness=Lateness.NONE,
    source="Right party over attempts and over connects: sources mean either, so both are given",
    minds="NULL where the source does not say who was reached, or delivers no promises. A contact counts on the day it "
    "became known, with the promises known by then: one that comes later is in the promises only.",
)
