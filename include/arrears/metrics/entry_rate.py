"""Entry rate."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Entry rate",
    chinese="入催率",
    formula="Unpaid at the close of the due date, over what fell due that day, of loans that were in no arrears"
    " before.",
    numerator="entered_minor; entered_loans",
    denominator="due_minor; due_loans",
    ratio=("entry_ratio_amount", "entry_ratio_loans"),
    grain="portfolio x business date x product x currency",
    view="entry_daily",
    facts=("fct_entry_daily",),
    lateness=Lateness.UNPAID,
    source="Measured at the close of the due date",
    minds="A loan that was late already cannot enter. A loan that is paid off counts with the instalment that was next "
    "when it was: paid in time is not in the numerator, but fell due. Charges count with the instalment that takes "
    "them, in both figures.",
)
