"""Lateness by each definition, side by side: months by both methods, days since material, what the bucket is of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0015"

FACT = "fct_loan_daily"
MEANINGS = {
    "past_due_days": "Contractual days past due by the portfolio's convention; no grace or pause touches them",
    "delinquent_days": "past_due_days less paused_days and grace, never negative",
    "bucket": "Bucket of bucket_days: steers work",
}
# Whole months from the due date up to a day: one more on the same day of the month, or on its last.
MONTHS = (
    "(extract(year from {until}) - extract(year from past_due_on)) * 12 "
    "+ extract(month from {until}) - extract(month from past_due_on) "
    "- CASE WHEN extract(day from {until}) < least(extract(day from past_due_on), "
    "extract(day from date_trunc('month', {until}) + interval '1 month - 1 day')) THEN 1 ELSE 0 END"
)


def upgrade() -> None:
    """Add them; rows published before are given what follows from their due date."""
    for schema in ("mart", "stg"):
        for name, comment in (
            ("past_due_months_ots", "Months past due, each counted when the next due date closes unpaid"),
            ("past_due_months_mba", "Months past due, each counted at the close of the day before the next due date"),
            (
                "material_days",
                "Days past due since the amount is material without a break, 0 while it is not; NULL: no thresholds",
            ),
            (
                "bucket_days",
                "What bucket is of: delinquent_days, or those of the last day before a freeze that holds",
            ),
        ):
            op.add_column(FACT, sa.Column(name, sa.Integer(), comment=comment), schema=schema)
        op.execute(
            f"UPDATE {schema}.{FACT} SET bucket_days = delinquent_days, "
            f"past_due_months_ots = greatest(0, {MONTHS.format(until='(business_date - 1)')}), "
            f"past_due_months_mba = greatest(0, {MONTHS.format(until='business_date')})"
        )
        for name in ("past_due_months_ots", "past_due_months_mba", "bucket_days"):
            op.alter_column(FACT, name, nullable=False, schema=schema)
        for name, meaning in MEANINGS.items():
            op.alter_column(FACT, name, comment=meaning, schema=schema)
