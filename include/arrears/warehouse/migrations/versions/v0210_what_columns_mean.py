"""What some columns mean now: charges fall due with their instalment, a cancelled loan has left."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0210"
down_revision = "0201"

MEANINGS = {
    "fct_due_cohort_daily": {
        "first_due_minor": "Amount of those first instalments, charges that they take included",
    },
    "fct_contact_attempt": {
        "is_promise": "A promise was made in it, by the ledger of the day; NULL: promises are not delivered",
    },
    "fct_entry_daily": {
        "due_loans": "Loans, open or paid off, with an instalment due that day and no arrears before it",
        "due_minor": "Amount falling due that day on those loans, charges that its instalments take included",
        "next_due_loans": "Loans, open or paid off, in no arrears with an instalment due on the business date",
        "next_due_minor": "Amount falling due on it on those loans, with the charges known by the close",
    },
    "fct_bucket_migration_daily": {
        "to_bucket": ("Contract bucket now; or paid_off, charged_off, settled, sold, transferred, cancelled, missing"),
        "direction_code": (
            "What the move is: of one from-bucket they sum to 100 %; left: sold, transferred, cancelled or missing"
        ),
    },
}


def upgrade() -> None:
    """Say so, where the columns are."""
    for table, columns in MEANINGS.items():
        for column, meaning in columns.items():
            for schema in ("mart", "stg"):
                op.execute(text(f"COMMENT ON COLUMN {schema}.{table}.{column} IS '{meaning}'"))
