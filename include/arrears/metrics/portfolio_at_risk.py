"""Portfolio at risk (PAR1, PAR30, PAR60, PAR90)."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Portfolio at risk (PAR1, PAR30, PAR60, PAR90)",
    chinese="风险贷款率",
    formula="Outstanding principal of active loans more than X days past due, over the outstanding principal of"
    " all active loans. With write-offs: open charged-off loans in both. With restructured: those in "
    "the numerator too.",
    numerator="numerator_minor",
    denominator="denominator_minor",
    ratio=("par_ratio", "par_written_off_ratio", "par_restructured_ratio"),
    grain="portfolio x business date x threshold x product x currency",
    view="par_daily",
    facts=("fct_par_daily",),
    lateness=Lateness.DAYS,
    source="Sa-Dhan note on PAR; CGAP Occasional Paper 3: read it with its pair, for a write-off lowers it at once",
    minds="The whole balance counts, not the overdue part; that is arrears_ratio.",
)
