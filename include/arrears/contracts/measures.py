"""What BI counts and follows: cohorts, payments, attempts, agents, pressure, members of dimensions.

Belongs here: the tables that exist for measures alone. Each holds numerators and denominators; ratios are made by the
``bi`` views. A measure whose source is not delivered is NULL, never 0.
"""

from __future__ import annotations

from arrears.contracts.core_contact import CHANNEL_CODES
from arrears.contracts.model import Contract, at, code, count, days, flag, minor, on, pseudonym, text

COMPONENTS = ("principal", "interest", "fee", "penalty")
CREDIT_CODES = ("contact", "self_cure", "not_past_due")
DIMENSION_CODES = ("product", "bucket", "queue", "agent", "strategy")

EVER_PAST_DUE = Contract(
    table="core__ever_past_due_daily",
    grain="one row per loan that was ever past due on a published day",
    key=("loan_id",),
    columns=(
        text("loan_id", "Loan identifier of the source"),
        days("ever_past_due_days", "Highest past_due_days of any published day so far"),
    ),
    meaning="How late each loan has ever been: vintage curves of this kind never fall",
    owner="metrics",
)

ENTERED_LOAN = Contract(
    table="core__entered_loan_daily",
    grain="one row per loan and due date of the last 60 days that it entered arrears by",
    key=("loan_id", "due_on"),
    columns=(
        text("loan_id", "Loan identifier of the source"),
        on("due_on", "Due date at whose close it was unpaid, by a loan that was in no arrears before"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        minor("entered_minor", "Unpaid of it at that close"),
        minor("cash_then_minor", "Net cash on the loan known at that close"),
        minor("collected_minor", "Net cash since, at most entered_minor"),
        on("cured_on", "First business date after it without arrears; NULL until then", nullable=True),
        on("redefaulted_on", "First business date past due again after cured_on; NULL until then", nullable=True),
    ),
    meaning="Entries into arrears and what has become of them: recovery, cure, re-default",
    owner="metrics",
    totals=("entered_minor", "collected_minor"),
)

DUE_COHORT = Contract(
    table="out__due_cohort_daily",
    grain="one row per due date of the last 60 days, product and currency, as it stands at the close",
    key=("due_on", "product_code", "currency"),
    columns=(
        on("due_on", "Due date that makes the cohort"),
        days("after_days", "Days from due_on to the closing date"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        count("first_due_loans", "Loans whose first instalment fell due on due_on"),
        minor("first_due_minor", "Amount of those first instalments, charges that they take included"),
        count("first_unpaid_loans", "Of them, loans whose first instalment is unpaid at the close"),
        minor("first_unpaid_minor", "Unpaid of those first instalments at the close"),
        count("entered_loans", "Loans in no arrears before that were unpaid at the close of due_on"),
        minor("entered_minor", "Amount that was unpaid then"),
        minor("collected_minor", "Cash received on it by the close; waivers are no cash"),
        count("cured_loans", "Of the entered, loans that have been without arrears since"),
        count("redefaulted_loans", "Of the cured, loans past due again within 30 days"),
    ),
    meaning="What came of what fell due: first-payment default, recovery curve, cure, re-default",
    owner="metrics",
    totals=("entered_minor", "collected_minor"),
    mart="fct_due_cohort_daily",
    version=2,
)

VINTAGE = Contract(
    table="out__vintage_monthly",
    grain="one row per month of disbursement, product and currency, on month-end closes only",
    key=("cohort_on", "product_code", "currency"),
    columns=(
        on("closing_date", "Close of the ledger: a month's last day"),
        on("cohort_on", "First day of the month of disbursement"),
        days("months_on_book", "Whole months from cohort_on's month to the closing date's (MOB)"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        count("loans", "Loans disbursed in the month"),
        minor("disbursed_minor", "Principal disbursed in the month"),
        count("open_loans", "Of them, loans still open"),
        minor("outstanding_principal_minor", "Their outstanding principal"),
        count("overdue30_loans", "Open loans 30 days past due or more at the close"),
        minor("overdue30_minor", "Their outstanding principal"),
        count("ever30_loans", "Loans that were ever 30 days past due or more"),
        minor("ever30_minor", "Principal disbursed of those"),
        count("overdue90_loans", "Open loans 90 days past due or more at the close"),
        minor("overdue90_minor", "Their outstanding principal"),
        count("ever90_loans", "Loans that were ever 90 days past due or more"),
    ),
    meaning="Vintage: what became of each month's disbursements",
    owner="metrics",
    totals=("loans", "disbursed_minor", "outstanding_principal_minor"),
    mart="fct_vintage_monthly",
)

PAYMENT_ALLOCATED = Contract(
    table="out__payment_allocated_daily",
    grain="one row per cash transaction that the ledger of the day before did not hold, or held otherwise",
    key=("transaction_id",),
    columns=(
        text("transaction_id", "Transaction identifier of the source"),
        text("loan_id", "Loan identifier of the source"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        code("status_code", "Status of the loan at the close; charged_off: a recovery"),
        text("case_id", "Case of the loan, open or closed by the day; NULL when it has none", nullable=True),
        on("effective_on", "Date of contractual crediting"),
        days("past_due_days_before", "Contractual days past due on the day compared with; 0 when not there"),
        minor("past_due_before_minor", "Past-due amount on the day compared with"),
        minor("cash_minor", "Cash in; negative: a reversal, a chargeback, a payment that has vanished"),
        minor("past_due_minor", "Part that went to instalments due before effective_on"),
        minor("due_minor", "Part that went to instalments due on it"),
        minor("advance_minor", "Part that went to later instalments"),
        *(minor(f"{name}_minor", f"Part that went to {name}") for name in COMPONENTS),
        minor("unallocated_minor", "Part beyond the schedule"),
        code(
            "credit_code",
            "What is credited: the last right-party contact within 7 days, else self-cure; NULL: the source does not "
            "say who was reached",
            CREDIT_CODES,
            nullable=True,
        ),
        text("credited_contact_id", "That contact; NULL when none is credited", nullable=True),
        code("credited_channel_code", "Channel of that contact", nullable=True),
        pseudonym("credited_agent_id", "Agent of that contact; NULL: none, or not said", nullable=True),
    ),
    meaning="Cash and where it went: oldest instalment first, components in the portfolio's order",
    owner="metrics",
    totals=("cash_minor",),
    mart="fct_payment_allocated",
    grows=True,
)

CONTACT_ATTEMPT = Contract(
    table="out__contact_attempt_daily",
    grain="one row per contact that the ledger of the day before did not hold",
    key=("contact_id",),
    columns=(
        text("contact_id", "Contact identifier of the source"),
        pseudonym("party_id", "Party contacted"),
        text("case_id", "Case of the party at the time; NULL when there was none", nullable=True),
        text("queue_id", "Queue of that case on the day before; NULL when there was none", nullable=True),
        pseudonym("agent_id", "Agent who made it; NULL: a machine, or not said", nullable=True),
        code("channel_code", "Channel used", CHANNEL_CODES),
        code("direction_code", "Who began", ("out", "in")),
        code("purpose_code", "Purpose"),
        at("started_at", "Instant of the attempt"),
        on("made_on", "Its date in the portfolio's zone"),
        code("outcome_code", "What came of it"),
        flag("is_connected", "A conversation, or a text that arrived"),
        code(
            "right_party", "Whether it reached the right party; NULL: not said", ("yes", "no", "unknown"), nullable=True
        ),
        flag(
            "is_promise",
            "A promise was made in it, by the ledger of the day; NULL: promises are not delivered",
            nullable=True,
        ),
    ),
    meaning="Contacts made, each on the day it became known",
    owner="metrics",
    mart="fct_contact_attempt",
    grows=True,
)

AGENT_DAY = Contract(
    table="out__agent_daily",
    grain="one row per agent on shift or with a case",
    key=("agent_id",),
    columns=(
        pseudonym("agent_id", "Agent identifier"),
        count("productive_minutes", "Minutes available for cases; NULL: no shifts delivered", nullable=True),
        count("assigned_cases", "Cases assigned today"),
        count("required_minutes", "Handling minutes those cases take"),
        count("attempts", "Attempts made by the agent, known today; NULL: not said who made them", nullable=True),
        count("right_party_contacts", "Of them with the right party; NULL: not said", nullable=True),
        minor("collected_minor", "Cash credited to the agent's contacts; NULL: not said who made them", nullable=True),
        code("currency", "ISO 4217 code"),
    ),
    meaning="What each agent had to do, did and brought in",
    owner="metrics",
    mart="fct_agent_daily",
)

PRESSURE = Contract(
    table="out__pressure_daily",
    grain="one row",
    key=("currency",),
    columns=(
        code("currency", "ISO 4217 code"),
        count("borrowers", "Borrowers with a case, open on the day or closed by it"),
        count("attempts", "Outgoing contacts known since the day compared with; NULL: none delivered", nullable=True),
        count("contacted_borrowers", "Parties they were made to", nullable=True),
        count("borrower_days", "Parties and dates they were made on", nullable=True),
        count("most_attempts", "Most of them to one party on one date", nullable=True),
        count("reached_borrowers", "Parties who were connected", nullable=True),
        count("bot_borrowers", "Of the reached, parties reached by a voice bot", nullable=True),
        count("opt_outs", "Opt-outs that began since then; NULL: no flags delivered", nullable=True),
        count("complaints", "Complaints that began since then", nullable=True),
        count("hardships", "Hardships that began since then", nullable=True),
        count("disputes", "Disputes that began since then", nullable=True),
    ),
    meaning="Pressure on borrowers, and how they answer it",
    owner="metrics",
    mart="fct_pressure_daily",
)

MEMBER = Contract(
    table="out__member_daily",
    grain="one row per dimension and member that the day knows",
    key=("dimension_code", "member_code"),
    columns=(
        code("dimension_code", "Which dimension", DIMENSION_CODES),
        text("member_code", "Member, as the facts name it"),
        days("member_rank", "Order of a bucket, from 0; NULL for others", nullable=True),
        days("from_days", "Of a bucket: first day; NULL for others", nullable=True),
        days("to_days", "Of a bucket: last day; NULL: open, or no bucket", nullable=True),
        text("queue_ids", "Of a bucket: its queue; of an agent: the queues worked, comma separated", nullable=True),
        code("work_mode_code", "Of a queue: how it is worked", nullable=True),
        days("avg_handle_seconds", "Of a queue: handling time of one attempt", nullable=True),
        days("attempts_per_case", "Of a queue: attempts planned per case and day", nullable=True),
        text("languages", "Of an agent: BCP 47 languages, comma separated", nullable=True),
        text("version_label", "Of a strategy: the version in force", nullable=True),
    ),
    meaning="Members of the dimensions as each day knew them; versions are told from it",
    owner="metrics",
    mart="dim_member_daily",
)

MEASURES = (
    EVER_PAST_DUE,
    ENTERED_LOAN,
    DUE_COHORT,
    VINTAGE,
    PAYMENT_ALLOCATED,
    CONTACT_ATTEMPT,
    AGENT_DAY,
    PRESSURE,
    MEMBER,
)
