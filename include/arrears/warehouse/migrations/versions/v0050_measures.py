"""Facts for BI: cohorts, payments, attempts, agents, pressure, members; columns of older facts; partitions by month."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0050"
down_revision = "0023"

INSTANT = TIMESTAMP(timezone=True)
PARTITIONED = (
    "fct_loan_daily",
    "fct_delinquency_event_daily",
    "fct_customer_status_daily",
    "fct_bucket_history",
    "fct_case_daily",
    "fct_contact_decision",
    "fct_contact_breach",
    "fct_assignment_daily",
    "fct_contact_plan_daily",
    "fct_quarantine",
)

# A fact that is there becomes the first partition of its successor: nothing is copied. Without rows it goes, unless
# views of an earlier version still stand on it.
PARTITION = """
DO $$
DECLARE
    newest date;
BEGIN
    ALTER TABLE mart.{name} RENAME TO {name}_before;
    ALTER TABLE mart.{name}_before RENAME CONSTRAINT {name}_pkey TO {name}_before_pkey;
    CREATE TABLE mart.{name} (LIKE mart.{name}_before INCLUDING COMMENTS) PARTITION BY RANGE (business_date);
    EXECUTE format('COMMENT ON TABLE mart.{name} IS %L', obj_description('mart.{name}_before'::regclass, 'pg_class'));
    EXECUTE (
        SELECT 'ALTER TABLE mart.{name} ADD CONSTRAINT {name}_pkey ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE conname = '{name}_before_pkey'
    );
    SELECT max(business_date) INTO newest FROM mart.{name}_before;
    IF newest IS NULL AND to_regnamespace('bi') IS NULL THEN
        DROP TABLE mart.{name}_before;
    ELSE
        EXECUTE format(
            'ALTER TABLE mart.{name} ATTACH PARTITION mart.{name}_before FOR VALUES FROM (MINVALUE) TO (%L)',
            coalesce(date_trunc('month', newest) + interval '1 month', timestamp '1900-01-01')::date
        );
    END IF;
END $$
"""


def upgrade() -> None:
    """Partition what grows with the book, widen what is there, make the new facts."""
    for name in PARTITIONED:
        op.execute(PARTITION.format(name=name))
    widen()
    new_facts()
    op.create_table(
        "pseudonym_key",
        sa.Column("key_text", sa.Text(), comment="Random; whoever knows it can tell a borrower from a key"),
        sa.PrimaryKeyConstraint("key_text"),
        schema="vault",
        comment="The one key by which borrowers are hashed in bi; made with the warehouse, never shown.",
    )
    op.execute("INSERT INTO vault.pseudonym_key SELECT gen_random_uuid()::text || gen_random_uuid()::text")
    # The views stand on the tables of before: they are made again at the end of this upgrade.
    op.execute("DO $$ BEGIN IF to_regnamespace('bi') IS NOT NULL THEN COMMENT ON SCHEMA bi IS NULL; END IF; END $$")


def widen() -> None:
    """Columns that facts of before have not; a row of before says 0, or that it does not know."""
    for name, added in {
        "fct_portfolio_daily": (("bucket_rank", sa.Integer(), "Order of contract_bucket, from 0 for current", "0"),),
        "fct_par_daily": (
            (
                "restructured_loans",
                sa.BigInteger(),
                "Restructured active loans at most X days past due; NULL: the source does not say",
                None,
            ),
            ("restructured_minor", sa.BigInteger(), "Their outstanding principal; NULL: the source does not say", None),
            ("charged_off_loans", sa.BigInteger(), "Charged-off loans that are still open", "0"),
            ("charged_off_minor", sa.BigInteger(), "Their outstanding principal", "0"),
            ("arrears_minor", sa.BigInteger(), "Past-due amount of active loans, however late", "0"),
        ),
        "fct_entry_daily": (
            (
                "next_due_loans",
                sa.BigInteger(),
                "Open loans in no arrears with an instalment due on the business date",
                "0",
            ),
            ("next_due_minor", sa.BigInteger(), "Amount falling due on it on those loans", "0"),
        ),
        "fct_queue_daily": (
            (
                "carried_cases",
                sa.BigInteger(),
                "Of the open, cases that stood in the queue on the day compared with",
                "0",
            ),
            ("entered_cases", sa.BigInteger(), "Of the open, cases that did not", "0"),
            ("left_cases", sa.BigInteger(), "Cases that stood in it then and do not now", "0"),
        ),
        "fct_summary_daily": (
            ("compared_with", sa.Date(), "Business date of the previous published day; NULL on the first", None),
            ("rows_delivered", sa.BigInteger(), "Ledger rows delivered", "0"),
            ("rows_accepted", sa.BigInteger(), "Ledger rows that went on", "0"),
            ("cash_total_minor", sa.BigInteger(), "Net cash of all transactions in the ledger", "0"),
            (
                "cost_minor",
                sa.BigInteger(),
                "Cost of collection of the closing date; NULL: no cost table delivered",
                None,
            ),
        ),
    }.items():
        for column_name, type_, meaning, earlier in added:
            add(name, column_name, type_, meaning, earlier)
    migration = "fct_bucket_migration_daily"
    add(
        migration,
        "span_code",
        sa.Text(),
        "day: since the previous published day; month: between two month-end closes",
        "'day'",
    )
    add(migration, "from_rank", sa.Integer(), "Order of from_bucket, from 0 for current; NULL of 'new'", None)
    add(migration, "to_rank", sa.Integer(), "Order of to_bucket; NULL when it is no bucket", None)
    add(
        migration,
        "direction_code",
        sa.Text(),
        "What the move is: of one from-bucket they sum to 100 %",
        "'stay'",
    )
    add(migration, "product_code", sa.Text(), "Product of the source", "'unknown'")
    op.alter_column(migration, "compared_with", schema="mart", comment="Business date that it is compared with")
    op.alter_column(migration, "compared_with", schema="stg", comment="Business date that it is compared with")
    op.drop_constraint(f"{migration}_pkey", migration, schema="mart")
    key = ("portfolio", "business_date", "span_code", "from_bucket", "to_bucket", "product_code", "currency")
    op.create_primary_key(f"{migration}_pkey", migration, list(key), schema="mart")
    for name, words in {
        migration: "Roll matrix between two published days; each from-bucket sums to 100 %. Grain: one row per span, "
        "from-bucket, to-state, product and currency over loans open on either day, by portfolio and business date.",
        "fct_par_daily": "Portfolio at risk: numerator and denominator without charged-off loans, and what those add "
        "to both. Grain: one row per threshold, product and currency, by portfolio and business date.",
    }.items():
        op.create_table_comment(name, words, schema="mart")


def new_facts() -> None:
    """What exists for measures alone."""
    fact(
        "fct_due_cohort_daily",
        "What came of what fell due: first-payment default, recovery curve, cure, re-default",
        "one row per due date of the last 60 days, product and currency, as it stands at the close",
        ("due_on", "product_code", "currency"),
        column("due_on", sa.Date(), "Due date that makes the cohort"),
        column("after_days", sa.Integer(), "Days from due_on to the closing date"),
        column("product_code", sa.Text(), "Product of the source"),
        column("currency", sa.Text(), "ISO 4217 code"),
        column("first_due_loans", sa.BigInteger(), "Loans whose first instalment fell due on due_on"),
        column("first_due_minor", sa.BigInteger(), "Amount of those first instalments"),
        column("first_unpaid_loans", sa.BigInteger(), "Of them, loans whose first instalment is unpaid at the close"),
        column("first_unpaid_minor", sa.BigInteger(), "Unpaid of those first instalments at the close"),
        column("entered_loans", sa.BigInteger(), "Loans in no arrears before that were unpaid at the close of due_on"),
        column("entered_minor", sa.BigInteger(), "Amount that was unpaid then"),
        column("collected_minor", sa.BigInteger(), "Cash received on it by the close; waivers are no cash"),
        column("cured_loans", sa.BigInteger(), "Of the entered, loans that have been without arrears since"),
        column("redefaulted_loans", sa.BigInteger(), "Of the cured, loans past due again within 30 days"),
    )
    fact(
        "fct_vintage_monthly",
        "Vintage: what became of each month's disbursements",
        "one row per month of disbursement, product and currency, on month-end closes only",
        ("cohort_on", "product_code", "currency"),
        column("closing_date", sa.Date(), "Close of the ledger: a month's last day"),
        column("cohort_on", sa.Date(), "First day of the month of disbursement"),
        column("months_on_book", sa.Integer(), "Whole months from cohort_on's month to the closing date's (MOB)"),
        column("product_code", sa.Text(), "Product of the source"),
        column("currency", sa.Text(), "ISO 4217 code"),
        column("loans", sa.BigInteger(), "Loans disbursed in the month"),
        column("disbursed_minor", sa.BigInteger(), "Principal disbursed in the month"),
        column("open_loans", sa.BigInteger(), "Of them, loans still open"),
        column("outstanding_principal_minor", sa.BigInteger(), "Their outstanding principal"),
        column("overdue30_loans", sa.BigInteger(), "Open loans 30 days past due or more at the close"),
        column("overdue30_minor", sa.BigInteger(), "Their outstanding principal"),
        column("ever30_loans", sa.BigInteger(), "Loans that were ever 30 days past due or more"),
        column("ever30_minor", sa.BigInteger(), "Principal disbursed of those"),
        column("overdue90_loans", sa.BigInteger(), "Open loans 90 days past due or more at the close"),
        column("overdue90_minor", sa.BigInteger(), "Their outstanding principal"),
        column("ever90_loans", sa.BigInteger(), "Loans that were ever 90 days past due or more"),
    )
    fact(
        "fct_payment_allocated",
        "Cash and where it went: oldest instalment first, components in the portfolio's order",
        "one row per cash transaction that the ledger of the day before did not hold, or held otherwise",
        ("transaction_id",),
        column("transaction_id", sa.Text(), "Transaction identifier of the source"),
        column("loan_id", sa.Text(), "Loan identifier of the source"),
        column("product_code", sa.Text(), "Product of the source"),
        column("currency", sa.Text(), "ISO 4217 code"),
        column("status_code", sa.Text(), "Status of the loan at the close; charged_off: a recovery"),
        column(
            "case_id", sa.Text(), "Case of the loan, open or closed by the day; NULL when it has none", nullable=True
        ),
        column("effective_on", sa.Date(), "Date of contractual crediting"),
        column(
            "past_due_days_before", sa.Integer(), "Contractual days past due on the day compared with; 0 when not there"
        ),
        column("past_due_before_minor", sa.BigInteger(), "Past-due amount on the day compared with"),
        column(
            "cash_minor", sa.BigInteger(), "Cash in; negative: a reversal, a chargeback, a payment that has vanished"
        ),
        column("past_due_minor", sa.BigInteger(), "Part that went to instalments due before effective_on"),
        column("due_minor", sa.BigInteger(), "Part that went to instalments due on it"),
        column("advance_minor", sa.BigInteger(), "Part that went to later instalments"),
        column("principal_minor", sa.BigInteger(), "Part that went to principal"),
        column("interest_minor", sa.BigInteger(), "Part that went to interest"),
        column("fee_minor", sa.BigInteger(), "Part that went to fee"),
        column("penalty_minor", sa.BigInteger(), "Part that went to penalty"),
        column("unallocated_minor", sa.BigInteger(), "Part beyond the schedule"),
        column(
            "credit_code",
            sa.Text(),
            "What is credited: the last right-party contact within 7 days, else self-cure; NULL: the source does not "
            "say who was reached",
            nullable=True,
        ),
        column("credited_contact_id", sa.Text(), "That contact; NULL when none is credited", nullable=True),
        column("credited_channel_code", sa.Text(), "Channel of that contact", nullable=True),
        column("credited_agent_id", sa.Text(), "Agent of that contact; NULL: none, or not said", nullable=True),
        grows=True,
    )
    fact(
        "fct_contact_attempt",
        "Contacts made, each on the day it became known",
        "one row per contact that the ledger of the day before did not hold",
        ("contact_id",),
        column("contact_id", sa.Text(), "Contact identifier of the source"),
        column("party_id", sa.Text(), "Party contacted"),
        column("case_id", sa.Text(), "Case of the party at the time; NULL when there was none", nullable=True),
        column("queue_id", sa.Text(), "Queue of that case on the day before; NULL when there was none", nullable=True),
        column("agent_id", sa.Text(), "Agent who made it; NULL: a machine, or not said", nullable=True),
        column("channel_code", sa.Text(), "Channel used"),
        column("direction_code", sa.Text(), "Who began"),
        column("purpose_code", sa.Text(), "Purpose"),
        column("started_at", INSTANT, "Instant of the attempt"),
        column("made_on", sa.Date(), "Its date in the portfolio's zone"),
        column("outcome_code", sa.Text(), "What came of it"),
        column("is_connected", sa.Boolean(), "A conversation, or a text that arrived"),
        column("right_party", sa.Text(), "Whether it reached the right party; NULL: not said", nullable=True),
        column("is_promise", sa.Boolean(), "A promise was made in it; NULL: promises are not delivered", nullable=True),
        grows=True,
    )
    fact(
        "fct_agent_daily",
        "What each agent had to do, did and brought in",
        "one row per agent on shift or with a case",
        ("agent_id",),
        column("agent_id", sa.Text(), "Agent identifier"),
        column(
            "productive_minutes",
            sa.BigInteger(),
            "Minutes available for cases; NULL: no shifts delivered",
            nullable=True,
        ),
        column("assigned_cases", sa.BigInteger(), "Cases assigned today"),
        column("required_minutes", sa.BigInteger(), "Handling minutes those cases take"),
        column(
            "attempts",
            sa.BigInteger(),
            "Attempts made by the agent, known today; NULL: not said who made them",
            nullable=True,
        ),
        column("right_party_contacts", sa.BigInteger(), "Of them with the right party; NULL: not said", nullable=True),
        column(
            "collected_minor",
            sa.BigInteger(),
            "Cash credited to the agent's contacts; NULL: not said who made them",
            nullable=True,
        ),
        column("currency", sa.Text(), "ISO 4217 code"),
    )
    fact(
        "fct_pressure_daily",
        "Pressure on borrowers, and how they answer it",
        "one row",
        ("currency",),
        column("currency", sa.Text(), "ISO 4217 code"),
        column("borrowers", sa.BigInteger(), "Borrowers with a case, open on the day or closed by it"),
        column(
            "attempts",
            sa.BigInteger(),
            "Outgoing contacts known since the day compared with; NULL: none delivered",
            nullable=True,
        ),
        column("contacted_borrowers", sa.BigInteger(), "Parties they were made to", nullable=True),
        column("borrower_days", sa.BigInteger(), "Parties and dates they were made on", nullable=True),
        column("most_attempts", sa.BigInteger(), "Most of them to one party on one date", nullable=True),
        column("reached_borrowers", sa.BigInteger(), "Parties who were connected", nullable=True),
        column("bot_borrowers", sa.BigInteger(), "Of the reached, parties reached by a voice bot", nullable=True),
        column("opt_outs", sa.BigInteger(), "Opt-outs that began since then; NULL: no flags delivered", nullable=True),
        column("complaints", sa.BigInteger(), "Complaints that began since then", nullable=True),
        column("hardships", sa.BigInteger(), "Hardships that began since then", nullable=True),
        column("disputes", sa.BigInteger(), "Disputes that began since then", nullable=True),
    )
    fact(
        "dim_member_daily",
        "Members of the dimensions as each day knew them; versions are told from it",
        "one row per dimension and member that the day knows",
        ("dimension_code", "member_code"),
        column("dimension_code", sa.Text(), "Which dimension"),
        column("member_code", sa.Text(), "Member, as the facts name it"),
        column("member_rank", sa.Integer(), "Order of a bucket, from 0; NULL for others", nullable=True),
        column("from_days", sa.Integer(), "Of a bucket: first day; NULL for others", nullable=True),
        column("to_days", sa.Integer(), "Of a bucket: last day; NULL: open, or no bucket", nullable=True),
        column(
            "queue_ids",
            sa.Text(),
            "Of a bucket: its queue; of an agent: the queues worked, comma separated",
            nullable=True,
        ),
        column("work_mode_code", sa.Text(), "Of a queue: how it is worked", nullable=True),
        column("avg_handle_seconds", sa.Integer(), "Of a queue: handling time of one attempt", nullable=True),
        column("attempts_per_case", sa.Integer(), "Of a queue: attempts planned per case and day", nullable=True),
        column("languages", sa.Text(), "Of an agent: BCP 47 languages, comma separated", nullable=True),
        column("version_label", sa.Text(), "Of a strategy: the version in force", nullable=True),
    )


def add(name: str, column_name: str, type_: sa.types.TypeEngine[Any], meaning: str, earlier: str | None) -> None:
    """A column in both schemas; ``earlier`` is what rows of before have, as SQL, None when it may be NULL."""
    default = None if earlier is None else sa.text(earlier)
    for schema in ("mart", "stg"):
        op.add_column(
            name,
            sa.Column(column_name, type_, nullable=earlier is None, server_default=default, comment=meaning),
            schema=schema,
        )
        if earlier is not None:
            op.alter_column(name, column_name, server_default=None, schema=schema)


def fact(name: str, meaning: str, grain: str, key: tuple[str, ...], *own: sa.Column[Any], grows: bool = False) -> None:
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
        postgresql_partition_by="RANGE (business_date)" if grows else None,
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
