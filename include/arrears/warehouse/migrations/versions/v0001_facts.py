"""The facts of the first version: each in ``mart``, keyed, and in ``stg``, where rows wait for their audit."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make both schemas and their facts."""
    op.execute("CREATE SCHEMA mart")
    op.execute("CREATE SCHEMA stg")
    fact(
        "fct_loan_daily",
        "Age of every loan",
        "one row per loan of the ledger, open or ended, where past_due_days > 0",
        ("loan_id",),
        on("closing_date", "Close of the ledger this day was made from"),
        on("as_of", "Date the ages hold for"),
        text("loan_id", "Loan identifier of the source"),
        text("borrower_id", "party_id of the main borrower"),
        text("product_code", "Product of the source"),
        text("currency", "ISO 4217 code"),
        text("status_code", "Status at the ledger's close"),
        boolean("is_open", "Status active or charged_off: the loan is aged and worked"),
        on("past_due_on", "Due date of the oldest past-due instalment; NULL when current", nullable=True),
        integer("past_due_days", "Contractual days past due; untouched by grace or pauses"),
        integer("paused_days", "Paused days inside the past-due span"),
        integer("delinquent_days", "max(0, past_due_days - paused_days - grace)"),
        integer("past_due_instalments", "Instalments past due"),
        bigint("past_due_minor", "Everything due before as_of and not paid; 0 within tolerance"),
        bigint("past_due_principal_minor", "Part of past_due_minor that is principal"),
        bigint("past_due_interest_minor", "Part of past_due_minor that is interest"),
        bigint("past_due_fee_minor", "Part of past_due_minor that is fee"),
        bigint("past_due_penalty_minor", "Part of past_due_minor that is penalty"),
        bigint("outstanding_principal_minor", "Principal not yet repaid, by the source; 0 when the loan has ended"),
        text("bucket", "Bucket of delinquent_days: steers work"),
        text("contract_bucket", "Bucket of past_due_days: feeds PAR, rolls, vintage"),
    )
    fact(
        "fct_delinquency_event_daily",
        "Transitions since the previous published day, each once",
        "one row per loan and transition",
        ("loan_id", "event_code"),
        text("loan_id", "Loan identifier of the source"),
        text("borrower_id", "party_id of the main borrower"),
        text("product_code", "Product of the source"),
        text("currency", "ISO 4217 code"),
        text("event_code", "What changed since the day compared with"),
        on("compared_with", "Business date of the previous published day; NULL on the first", nullable=True),
        text("from_bucket", "Contract bucket then; NULL when the loan was not there", nullable=True),
        text("to_bucket", "Contract bucket now"),
        bigint("past_due_minor", "Past-due amount concerned: now, or before it cured or ended"),
    )
    fact(
        "fct_case_daily",
        "One open case per borrower over all past-due loans",
        "one row per case open on the day or closed by it",
        ("case_id",),
        text("case_id", "Stable: derived from portfolio, borrower and opening date"),
        text("borrower_id", "party_id of the main borrower"),
        on("opened_on", "Business date the case opened"),
        on("closed_on", "Business date the case closed; NULL while open", nullable=True),
        integer("case_age_days", "Days since opened_on"),
        text("event_code", "What the day did to the case"),
        text("close_reason_code", "Why it closed; NULL while open", nullable=True),
        text("currency", "ISO 4217 code"),
        bigint("past_due_loans", "Past-due loans of the borrower"),
        bigint("past_due_minor", "Past-due amount over those loans"),
        integer("past_due_days", "Highest past_due_days over those loans"),
        integer("delinquent_days", "Highest delinquent_days over those loans"),
        text("bucket", "Bucket of delinquent_days"),
        bigint("missing_loans", "Loans of the case gone from the ledger without an ending"),
        text("hold_code", "Why the case may not be worked today; NULL when it may, or is closed", nullable=True),
        bigint("worked_minor", "Past-due amount of the loans that may be worked today; 0 when none"),
        integer("worked_delinquent_days", "Highest delinquent_days of the loans that may be worked; 0 when none"),
        text("worked_bucket", "Bucket of worked_delinquent_days: chooses queue and step"),
    )
    fact(
        "fct_assignment_daily",
        "Who works which case today, and why",
        "one row per open case",
        ("case_id",),
        text("case_id", "Case"),
        text("queue_id", "Queue the case stands in"),
        text("agent_id", "Agent; NULL when the queue is not worked by named agents, or on overflow", nullable=True),
        boolean("is_assigned", "Worked today: has an agent, or a queue that needs none"),
        text("reason_code", "Why here"),
        text("reason", "The same as a sentence with its figures"),
        integer("required_minutes", "Handling minutes the case takes today"),
        integer("work_rank", "Order within the agent's or queue's list, from 1"),
    )
    fact(
        "fct_contact_decision",
        "Every answer of the contact policy, denials too",
        "one row per case, step, channel and rule that fired; one row with rule_id '' when allowed",
        ("case_id", "step_id", "channel_code", "rule_id"),
        text("case_id", "Case"),
        text("step_id", "Stable id of the strategy's step"),
        text("channel_code", "Channel asked about"),
        boolean("is_allowed", "Whether this channel may be used for this step today"),
        text("rule_id", "Rule that forbids; empty when allowed"),
        text("citation", "Where the rule stands; empty when allowed"),
        text("effect_code", "Force of the rule; empty when allowed"),
        at("earliest_at", "Earliest instant it would be allowed; NULL when no waiting helps", nullable=True),
    )
    fact(
        "fct_contact_plan_daily",
        "What may be said today, to whom, on which channel, between which instants",
        "one row per case with a step due today",
        ("case_id",),
        text("case_id", "Case"),
        text("borrower_id", "party_id of the main borrower"),
        text("person_id", "Same human over portfolios; NULL when the source does not say", nullable=True),
        text("step_id", "Stable id of the strategy's step"),
        text("step_key", "Hash of person, case, step and occurrence: one contact ever"),
        text("state_code", "planned, or blocked on every channel of the step"),
        text("channel_code", "Channel planned; NULL when blocked", nullable=True),
        text("contact_point_id", "Point planned; NULL when blocked", nullable=True),
        text("purpose_code", "Purpose of the step"),
        text("template_code", "Template of the step"),
        text("language", "BCP 47 language"),
        text("strategy", "Strategy and version, e.g. early@1"),
        bigint("past_due_minor", "Past-due amount the contact would be about"),
        at("not_before_at", "Earliest lawful instant today; NULL when blocked", nullable=True),
        at("not_after_at", "First instant too late today; NULL when blocked", nullable=True),
        text("reason", "Why this channel, or which rules block it"),
    )
    fact(
        "fct_quarantine",
        "Rows set aside, by file, line, column and rule; the values stay in the vault",
        "one row per rejected or warned row and rule",
        ("table_name", "row_number", "rule_id", "column_name"),
        text("table_name", "Ledger table"),
        bigint("row_number", "Ordinal of the row in the extract, from 1"),
        text("source_file", "File or SELECT", nullable=True),
        bigint("source_line", "Line in the file, or ordinal in the SELECT's result", nullable=True),
        text("column_name", "Column that offends"),
        text("rule_id", "Rule it offends"),
        text("severity_code", "fail: left out; warn: went on"),
    )
    fact(
        "fct_portfolio_daily",
        "Distribution of all open loans; sums to the portfolio",
        "one row per contract bucket, product and currency over open loans",
        ("contract_bucket", "product_code", "currency", "status_code"),
        on("closing_date", "Close of the ledger"),
        text("contract_bucket", "Bucket of past_due_days"),
        text("product_code", "Product of the source"),
        text("currency", "ISO 4217 code"),
        text("status_code", "active or charged_off"),
        bigint("loans", "Open loans"),
        bigint("outstanding_principal_minor", "Their outstanding principal"),
        bigint("past_due_minor", "Their past-due amount"),
    )
    fact(
        "fct_delinquency_event_total_daily",
        "Newly overdue, rolled, cured: counts and amounts",
        "one row per event, product and currency",
        ("event_code", "product_code", "currency"),
        text("event_code", "Transition"),
        text("product_code", "Product of the source"),
        text("currency", "ISO 4217 code"),
        bigint("loans", "Loans"),
        bigint("past_due_minor", "Past-due amount concerned"),
    )
    fact(
        "fct_par_daily",
        "Portfolio at risk: numerator and denominator; charged-off loans are in neither",
        "one row per threshold, product and currency",
        ("threshold_days", "product_code", "currency"),
        on("closing_date", "Close of the ledger"),
        integer("threshold_days", "X of PAR X: past_due_days > X"),
        text("product_code", "Product of the source"),
        text("currency", "ISO 4217 code"),
        bigint("at_risk_loans", "Active loans more than X days past due"),
        bigint("numerator_minor", "Their outstanding principal"),
        bigint("loans", "Active loans"),
        bigint("denominator_minor", "Gross loan portfolio: outstanding principal of active loans"),
    )
    fact(
        "fct_entry_daily",
        "Entry rate: unpaid at the close of the due date over due that day",
        "one row per product and currency",
        ("product_code", "currency"),
        on("due_on", "The due date measured: the closing date"),
        text("product_code", "Product of the source"),
        text("currency", "ISO 4217 code"),
        bigint("due_loans", "Open loans with an instalment due that day that were not in arrears before it"),
        bigint("due_minor", "Amount falling due that day on those loans"),
        bigint("entered_loans", "Of them, loans with that instalment unpaid at the close"),
        bigint("entered_minor", "Amount of that instalment unpaid at the close"),
    )
    fact(
        "fct_bucket_migration_daily",
        "Roll matrix between two published days; each from-bucket sums to 100 %",
        "one row per from-bucket, to-state and currency over loans open on either day",
        ("from_bucket", "to_bucket", "currency"),
        on("compared_with", "Business date of the previous published day"),
        text("from_bucket", "Contract bucket then; 'new' for loans that were not there"),
        text("to_bucket", "Contract bucket now; or paid_off, charged_off, settled, sold, transferred, missing"),
        text("currency", "ISO 4217 code"),
        bigint("loans", "Loans"),
        bigint("outstanding_principal_minor", "Their outstanding principal then; now for 'new'"),
    )
    fact(
        "fct_queue_daily",
        "Case and queue load",
        "one row per queue",
        ("queue_id",),
        text("queue_id", "Queue"),
        bigint("open_cases", "Open cases in the queue"),
        bigint("assigned_cases", "Of them worked today"),
        bigint("overflow_cases", "Of them without capacity or language today"),
        bigint("held_cases", "Of them held"),
        bigint("required_minutes", "Handling minutes of the open cases"),
        bigint(
            "available_minutes",
            "Productive minutes of today's agents, each queue counting a shared agent; NULL: no shifts delivered",
            nullable=True,
        ),
        bigint("past_due_minor", "Past-due amount of the open cases"),
    )
    fact(
        "fct_summary_daily",
        "The day in one row",
        "one row",
        ("currency",),
        on("closing_date", "Close of the ledger"),
        text("currency", "ISO 4217 code"),
        bigint("loans", "Open loans"),
        bigint("past_due_loans", "Open loans past due"),
        bigint("past_due_minor", "Their past-due amount"),
        bigint("newly_overdue_loans", "Loans newly overdue"),
        bigint("cured_loans", "Loans cured or paid off out of arrears"),
        bigint("open_cases", "Cases open"),
        bigint("assigned_cases", "Cases worked today"),
        bigint("contacts_planned", "Contacts planned"),
        bigint("contacts_blocked", "Contacts blocked on every channel"),
        bigint("rows_quarantined", "Ledger rows left out"),
        bigint("par30_numerator_minor", "Outstanding principal of active loans > 30 days past due"),
        bigint("par30_denominator_minor", "Outstanding principal of active loans"),
    )


def fact(name: str, meaning: str, grain: str, key: tuple[str, ...], *own: sa.Column[Any]) -> None:
    """One fact in both schemas, between the columns that every fact has."""
    columns = (
        text("portfolio", "Portfolio folder name"),
        on("business_date", "The day that is worked, in the portfolio's time zone"),
        *own,
        text("load_id", "Making of the lake partition the row came from"),
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
        text("publication_id", "Publication that staged the row"),
        schema="stg",
        prefixes=["UNLOGGED"],
        comment=f"Rows on their way to mart.{name}.",
    )


def text(name: str, meaning: str, *, nullable: bool = False) -> sa.Column[Any]:
    """Text."""
    return sa.Column(name, sa.Text(), nullable=nullable, comment=meaning)


def bigint(name: str, meaning: str, *, nullable: bool = False) -> sa.Column[Any]:
    """Money in minor units, or a count."""
    return sa.Column(name, sa.BigInteger(), nullable=nullable, comment=meaning)


def integer(name: str, meaning: str, *, nullable: bool = False) -> sa.Column[Any]:
    """Days, minutes, sequence numbers."""
    return sa.Column(name, sa.Integer(), nullable=nullable, comment=meaning)


def boolean(name: str, meaning: str, *, nullable: bool = False) -> sa.Column[Any]:
    """Yes or no."""
    return sa.Column(name, sa.Boolean(), nullable=nullable, comment=meaning)


def on(name: str, meaning: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A date in the portfolio's zone."""
    return sa.Column(name, sa.Date(), nullable=nullable, comment=meaning)


def at(name: str, meaning: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A UTC instant."""
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable, comment=meaning)
