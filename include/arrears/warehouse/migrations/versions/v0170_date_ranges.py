"""What the canned questions of BI need: a fact's days lie together, and a case's contacts are found by the case."""

from __future__ import annotations

from alembic import op

revision = "0170"
down_revision = "0180"

GROWING = (
    "fct_assignment_daily",
    "fct_bucket_history",
    "fct_case_daily",
    "fct_contact_attempt",
    "fct_contact_breach",
    "fct_contact_decision",
    "fct_contact_plan_daily",
    "fct_customer_status_daily",
    "fct_delinquency_event_daily",
    "fct_loan_daily",
    "fct_payment_allocated",
    "fct_quarantine",
)


def upgrade() -> None:
    """Index the dates of the facts that grow, in a few pages each, and contacts by case."""
    for fact in GROWING:
        op.create_index(
            f"{fact}_dates",
            fact,
            ["business_date"],
            schema="mart",
            postgresql_using="brin",
            postgresql_with={"autosummarize": True},
        )
    op.create_index(
        "fct_contact_attempt_case", "fct_contact_attempt", ["portfolio", "case_id", "business_date"], schema="mart"
    )
