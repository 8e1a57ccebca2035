"""What the pipeline derives per loan, instalment, case: the ``core__`` tables of the lake."""

from __future__ import annotations

from arrears.contracts.model import Contract, at, code, count, days, flag, minor, on, pseudonym, text

EVENT_CODES = (
    "initial_load",
    "newly_overdue",
    "rolled_forward",
    "rolled_back",
    "cured",
    "paid_off",
    "charged_off",
    "closed",
)
CASE_EVENT_CODES = ("opened", "carried", "closed")
CLOSE_REASON_CODES = ("cured", "paid_off", "settled", "sold", "transferred", "cancelled")
CASE_LOAN_STATES = ("past_due", "current", "paid_off", "settled", "sold", "transferred", "cancelled", "missing")

CHANNEL_CODES = ("sms", "email", "push", "chat", "call", "voice_bot", "voicemail_drop", "letter", "visit")
EFFECT_CODES = ("deny", "presumption", "soft", "safe_harbour", "house")

COMPONENTS = ("principal", "interest", "fee", "penalty")
PAST_DUE_COMPONENTS = tuple(
    minor(f"past_due_{name}_minor", f"Part of past_due_minor that is {name}") for name in COMPONENTS
)


LOAN_DELINQUENCY = Contract(
    table="core__loan_delinquency_daily",
    grain="one row per loan of the ledger, open or ended",
    key=("loan_id",),
    columns=(
        on("closing_date", "Close of the ledger this day was made from"),
        on("as_of", "Date the ages hold for"),
        text("loan_id", "Loan identifier of the source"),
        pseudonym("borrower_id", "party_id of the main borrower"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        code("status_code", "Status at the ledger's close"),
        flag("is_open", "Status active or charged_off: the loan is aged and worked"),
        on("past_due_on", "Due date of the oldest past-due instalment; NULL when current", nullable=True),
        days("past_due_days", "Contractual days past due; untouched by grace or pauses"),
        days("paused_days", "Paused days inside the past-due span"),
        days("delinquent_days", "max(0, past_due_days - paused_days - grace)"),
        days("past_due_instalments", "Instalments past due"),
        minor("past_due_minor", "Everything due before as_of and not paid; 0 within tolerance"),
        *PAST_DUE_COMPONENTS,
        minor("outstanding_principal_minor", "Principal not yet repaid, by the source; 0 when the loan has ended"),
        code("bucket", "Bucket of delinquent_days: steers work"),
        code("contract_bucket", "Bucket of past_due_days: feeds PAR, rolls, vintage"),
    ),
    meaning="Age of every loan",
    owner="ageing",
    may_be_empty=False,
    totals=("past_due_minor", "outstanding_principal_minor"),
    mart="fct_loan_daily",
    mart_rows="past_due_days > 0",
)

INSTALMENT_DELINQUENCY = Contract(
    table="core__instalment_delinquency_daily",
    grain="one row per past-due instalment of an open loan",
    key=("loan_id", "seq"),
    columns=(
        text("loan_id", "Loan identifier of the source"),
        days("seq", "Number of the instalment; after maturity, charges make the next number"),
        on("due_on", "Contractual due date"),
        on("overdue_on", "Since when it is overdue: its due date, or a chargeback of more than was paid of it"),
        days("past_due_days", "Contractual days past due of this instalment"),
        days("delinquent_days", "past_due_days less paused days; grace is the loan's, not the instalment's"),
        minor("past_due_minor", "Not paid of this instalment"),
        *PAST_DUE_COMPONENTS,
        code("bucket", "Bucket of this instalment's delinquent_days"),
    ),
    meaning="Age of every past-due instalment",
    owner="ageing",
    totals=("past_due_minor",),
)

DELINQUENCY_EVENT = Contract(
    table="core__delinquency_event_daily",
    grain="one row per loan and transition",
    key=("loan_id", "event_code"),
    columns=(
        text("loan_id", "Loan identifier of the source"),
        pseudonym("borrower_id", "party_id of the main borrower"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        code("event_code", "What changed since the day compared with", EVENT_CODES),
        on("compared_with", "Business date of the previous published day; NULL on the first", nullable=True),
        code("from_bucket", "Contract bucket then; NULL when the loan was not there", nullable=True),
        code("to_bucket", "Contract bucket now"),
        minor("past_due_minor", "Past-due amount concerned: now, or before it cured or ended"),
    ),
    meaning="Transitions since the previous published day, each once",
    owner="transitions",
    totals=("past_due_minor",),
    mart="fct_delinquency_event_daily",
)

CASE_LOAN = Contract(
    table="core__case_loan_daily",
    grain="one row per case open on the day or closed by it, and loan that was past due while it was open",
    key=("case_id", "loan_id"),
    columns=(
        text("case_id", "Case"),
        text("loan_id", "Loan identifier of the source"),
        pseudonym("borrower_id", "party_id of the main borrower"),
        on("opened_on", "Business date the case opened"),
        code("state_code", "What the loan is today; missing: gone from the ledger without an ending", CASE_LOAN_STATES),
        code("hold_code", "Why this loan may not be worked today; NULL when it may, or need not", nullable=True),
        days("past_due_days", "Contractual days past due"),
        days("delinquent_days", "max(0, past_due_days - paused_days - grace)"),
        minor("past_due_minor", "Past-due amount"),
        code("bucket", "Bucket of delinquent_days"),
    ),
    meaning="Each loan's part in its borrower's case",
    owner="cases",
    totals=("past_due_minor",),
)

CASE = Contract(
    table="core__case_daily",
    grain="one row per case open on the day or closed by it",
    key=("case_id",),
    columns=(
        text("case_id", "Stable: derived from portfolio, borrower and opening date"),
        pseudonym("borrower_id", "party_id of the main borrower"),
        on("opened_on", "Business date the case opened"),
        on("closed_on", "Business date the case closed; NULL while open", nullable=True),
        days("case_age_days", "Days since opened_on"),
        code("event_code", "What the day did to the case", CASE_EVENT_CODES),
        code("close_reason_code", "Why it closed; NULL while open", CLOSE_REASON_CODES, nullable=True),
        code("currency", "ISO 4217 code"),
        count("past_due_loans", "Past-due loans of the borrower"),
        minor("past_due_minor", "Past-due amount over those loans"),
        days("past_due_days", "Highest past_due_days over those loans"),
        days("delinquent_days", "Highest delinquent_days over those loans"),
        code("bucket", "Bucket of delinquent_days"),
        count("missing_loans", "Loans of the case gone from the ledger without an ending"),
        code("hold_code", "Why the case may not be worked today; NULL when it may, or is closed", nullable=True),
        minor("worked_minor", "Past-due amount of the loans that may be worked today; 0 when none"),
        days("worked_delinquent_days", "Highest delinquent_days of the loans that may be worked; 0 when none"),
        code("worked_bucket", "Bucket of worked_delinquent_days: chooses queue and step"),
    ),
    meaning="One open case per borrower over all past-due loans",
    owner="cases",
    totals=("past_due_minor",),
    mart="fct_case_daily",
)

CONTACT_DECISION = Contract(
    table="core__contact_decision_daily",
    grain="one row per candidate (case, step, channel, point) and rule that fired; one with rule_id '' when allowed",
    key=("case_id", "step_id", "channel_code", "point_rank", "rule_id"),
    columns=(
        text("case_id", "Case"),
        text("step_id", "Stable id of the strategy's step"),
        code("channel_code", "Channel asked about", CHANNEL_CODES),
        days("point_rank", "Order of the point among those the channel can use, from 1; 0 when there is none"),
        flag("is_allowed", "Whether this contact may be made today"),
        text("rule_id", "Rule that forbids; empty when allowed"),
        text("citation", "Where the rule stands; empty when allowed"),
        code("effect_code", "Force of the rule; empty when allowed", ("", *EFFECT_CODES)),
        at("earliest_at", "Earliest instant it would be allowed; NULL when no waiting helps", nullable=True),
        text("packs", "Packs asked, each with its version"),
    ),
    meaning="Every answer of the contact policy, denials too",
    owner="plan",
    mart="fct_contact_decision",
    version=2,
)

CORE = (
    LOAN_DELINQUENCY,
    INSTALMENT_DELINQUENCY,
    DELINQUENCY_EVENT,
    CASE_LOAN,
    CASE,
    CONTACT_DECISION,
)
