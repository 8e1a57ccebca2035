"""What changed a loan's standing, what the source says of it, and since when each bucket holds."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Widen the events and make the other facts of the journal."""
    event_figures()
    missing_loan()
    source_difference()
    customer_status()
    bucket_history()


def event_figures() -> None:
    """What an event says was, and what is; events published before do not say."""
    for name, type_, comment, earlier in (
        (
            "from_past_due_days",
            sa.Integer(),
            "Days past due as published on the day compared with; NULL: not there",
            None,
        ),
        (
            "to_past_due_days",
            sa.Integer(),
            "Days past due now; of corrected: what is true of the day compared with",
            "0",
        ),
        (
            "from_past_due_minor",
            sa.BigInteger(),
            "Past due as published on the day compared with; NULL: not there",
            None,
        ),
        (
            "to_past_due_minor",
            sa.BigInteger(),
            "Past due now; of corrected: what is true of the day compared with",
            "0",
        ),
        ("corrected_from", sa.Date(), "Of corrected: first business date that an entry booked later changed", None),
    ):
        for schema in ("mart", "stg"):
            column = sa.Column(name, type_, nullable=earlier is None, server_default=earlier, comment=comment)
            op.add_column("fct_delinquency_event_daily", column, schema=schema)
            if earlier is not None:
                op.alter_column("fct_delinquency_event_daily", name, server_default=None, schema=schema)


def missing_loan() -> None:
    """Loans gone from the ledger."""
    fact(
        "fct_missing_loan_daily",
        "Loans gone from the ledger without an ending: an error of the source, never a cure",
        "one row per loan that was open when last seen and is in no row of the day's ledger",
        ("loan_id",),
        column("loan_id", sa.Text(), "Loan identifier of the source"),
        column("borrower_id", sa.Text(), "party_id of the main borrower"),
        column("product_code", sa.Text(), "Product of the source"),
        column("currency", sa.Text(), "ISO 4217 code"),
        column("error_code", sa.Text(), "Error, with its runbook"),
        column("last_seen_on", sa.Date(), "Business date whose ledger had it last"),
        column("status_code", sa.Text(), "Status when last seen"),
        column("past_due_days", sa.Integer(), "Contractual days past due when last seen"),
        column("past_due_minor", sa.BigInteger(), "Past-due amount when last seen"),
        column("contract_bucket", sa.Text(), "Bucket of past_due_days when last seen"),
        column("outstanding_principal_minor", sa.BigInteger(), "Principal not yet repaid when last seen"),
    )


def source_difference() -> None:
    """Figures in which the source and the pipeline differ."""
    fact(
        "fct_source_difference_daily",
        "Source tie-out: differences beyond tolerance; each holds contact about its loan",
        "one row per open loan and figure in which the source and this pipeline differ",
        ("loan_id", "figure_code"),
        column("loan_id", sa.Text(), "Loan identifier of the source"),
        column("product_code", sa.Text(), "Product of the source"),
        column("currency", sa.Text(), "ISO 4217 code"),
        column("figure_code", sa.Text(), "What differs"),
        column(
            "ours",
            sa.BigInteger(),
            "By this pipeline: days, or minor units; of payoff_minor the source's own parts in sum",
        ),
        column("theirs", sa.BigInteger(), "By the source: days, or minor units"),
    )


def customer_status() -> None:
    """Loans of customers who are non-performing."""
    fact(
        "fct_customer_status_daily",
        "Contagion: one loan makes all of its customer's non-performing, until all are clean",
        "one row per open loan of a customer who is non-performing; none without contagion",
        ("loan_id",),
        column("loan_id", sa.Text(), "Loan identifier of the source"),
        column("borrower_id", sa.Text(), "party_id of the main borrower"),
        column("status_code", sa.Text(), "Status of the customer, and so of each of the loans"),
        column("since_on", sa.Date(), "Business date since which the customer is non-performing"),
        column("past_due_days", sa.Integer(), "Contractual days past due of this loan"),
        column("customer_past_due_days", sa.Integer(), "Highest past_due_days over the customer's open loans"),
    )


def bucket_history() -> None:
    """What was true, and since when that is known."""
    fact(
        "fct_bucket_history",
        "Bucket history in both times: what was true, and since when that is known",
        "one row per loan ever past due, or its instalment, and stay in a bucket: as known today, and what today "
        "replaced, where known_from = business_date OR known_to = business_date",
        ("loan_id", "seq", "valid_from", "known_from"),
        column("loan_id", sa.Text(), "Loan identifier of the source"),
        column("seq", sa.Integer(), "Number of the instalment; 0: the loan"),
        column("bucket", sa.Text(), "Bucket of delinquent_days"),
        column("contract_bucket", sa.Text(), "Bucket of past_due_days"),
        column("valid_from", sa.Date(), "First business date it was true"),
        column("valid_to", sa.Date(), "First business date it was no longer true; NULL: it is", nullable=True),
        column("known_from", sa.Date(), "Business date since which it is known"),
        column(
            "known_to", sa.Date(), "Business date on which better knowledge replaced it; NULL: it stands", nullable=True
        ),
    )


def fact(name: str, meaning: str, grain: str, key: tuple[str, ...], *own: sa.Column[Any]) -> None:
    """One fact in both schemas, between the columns that every fact has."""
    columns = (
        column("portfolio", sa.Text(), "Portfolio folder name"),
        column("business_date", sa.Date(), "The day that is worked, in the portfolio's time zone"),
        *own,
        column("load_id", sa.Text(), "Making of the lake partition the row came from"),
    )
    op.create_table(
        name,
        *columns,
        sa.PrimaryKeyConstraint("portfolio", "business_date", *key, name=f"{name}_pkey"),
        schema="mart",
        comment=f"{meaning}. Grain: {grain}, by portfolio and business date.",
    )
    op.create_table(
        name,
        *(sa.Column(one.name, one.type, nullable=one.nullable, comment=one.comment) for one in columns),
        column("publication_id", sa.Text(), "Publication that staged the row"),
        schema="stg",
        prefixes=["UNLOGGED"],
        comment=f"Rows on their way to mart.{name}.",
    )


def column(name: str, type_: sa.types.TypeEngine[Any], meaning: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A column with its meaning."""
    return sa.Column(name, type_, nullable=nullable, comment=meaning)
