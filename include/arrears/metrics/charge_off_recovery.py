"""Recovery after charge-off, net charge-off."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Recovery after charge-off, net charge-off",
    chinese="核销后回收率与净核销率",
    formula="Net cash in a month on charged-off loans, over principal charged off in it; charge-offs less "
    "recoveries, over the average balance of active loans.",
    numerator="recovered_minor; charged_off_minor less recovered_minor",
    denominator="charged_off_minor; average_balance_minor",
    ratio=("recovery_ratio", "net_charge_off_ratio"),
    grain="portfolio x month x product x currency",
    view="charge_off_monthly",
    facts=("fct_par_daily", "fct_bucket_migration_daily", "fct_payment_allocated"),
    lateness=Lateness.STATUS,
    source="Recoveries and charge-offs of one month are of different loans",
    minds="The average is over published closes.",
)
