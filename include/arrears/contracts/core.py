"""What the pipeline derives per loan, instalment, case: the ``core__`` tables of the lake."""

from __future__ import annotations

from arrears.contracts.core_cases import CASE, CASE_LOAN, CASE_TRAIT, CASE_WATCH, EXPERIMENT_ARM, PROMISE
from arrears.contracts.core_contact import CONTACT_BREACH, CONTACT_DECISION, CONTACT_ELSEWHERE
from arrears.contracts.model import Contract, code, count, days, flag, minor, on, pseudonym, text

EVENT_CODES = (
    "initial_load",
    "newly_overdue",
    "rolled_forward",
    "rolled_back",
    "cured",
    "re_aged",
    "paid_off",
    "settled",
    "sold",
    "transferred",
    "cancelled",
    "charged_off",
    "corrected",
)

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
        days(
            "past_due_days", "Contractual days past due by the portfolio's convention; no grace or pause touches them"
        ),
        days("paused_days", "Paused days inside the past-due span"),
        days("delinquent_days", "past_due_days less paused_days and grace, never negative"),
        days("past_due_instalments", "Instalments past due"),
        minor("past_due_minor", "Everything due before as_of and not paid; 0 within tolerance"),
        *PAST_DUE_COMPONENTS,
        minor("outstanding_principal_minor", "Principal not yet repaid, by the source; 0 when the loan has ended"),
        days("past_due_months_ots", "Months past due, each counted when the next due date closes unpaid"),
        days("past_due_months_mba", "Months past due, each counted at the close of the day before the next due date"),
        days(
            "material_days",
            "Days past due since the amount is material without a break, 0 while it is not; NULL: no thresholds",
            nullable=True,
        ),
        days("bucket_days", "What bucket is of: delinquent_days, or those of the last day before a freeze that holds"),
        code("bucket", "Bucket of bucket_days: steers work"),
        code("contract_bucket", "Bucket of past_due_days: feeds PAR, rolls, vintage"),
    ),
    meaning="Age of every loan",
    owner="ageing",
    may_be_empty=False,
    totals=("past_due_minor", "outstanding_principal_minor"),
    mart="fct_loan_daily",
    grows=True,
    mart_rows="past_due_days > 0",
    version=2,
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
        days("paused_days", "Paused days since overdue_on"),
        days("delinquent_days", "past_due_days less paused days; grace is the loan's, not the instalment's"),
        flag("is_counted", "Whether so much of it is missing that its lateness counts"),
        minor("past_due_minor", "Not paid of this instalment"),
        *PAST_DUE_COMPONENTS,
        code("bucket", "Bucket of this instalment's delinquent_days"),
    ),
    meaning="Age of every past-due instalment",
    owner="ageing",
    totals=("past_due_minor",),
    version=2,
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
        days(
            "from_past_due_days", "Days past due as published on the day compared with; NULL: not there", nullable=True
        ),
        days("to_past_due_days", "Days past due now; of corrected: what is true of the day compared with"),
        minor("from_past_due_minor", "Past due as published on the day compared with; NULL: not there", nullable=True),
        minor("to_past_due_minor", "Past due now; of corrected: what is true of the day compared with"),
        on("corrected_from", "Of corrected: first business date that an entry booked later changed", nullable=True),
    ),
    meaning="Transitions since the previous published day, each once",
    owner="transitions",
    totals=("past_due_minor",),
    mart="fct_delinquency_event_daily",
    grows=True,
    version=2,
)

MISSING_LOAN = Contract(
    table="core__missing_loan_daily",
    grain="one row per loan that was open when last seen and is in no row of the day's ledger",
    key=("loan_id",),
    columns=(
        text("loan_id", "Loan identifier of the source"),
        pseudonym("borrower_id", "party_id of the main borrower"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        code("error_code", "Error, with its runbook"),
        on("last_seen_on", "Business date whose ledger had it last"),
        code("status_code", "Status when last seen"),
        days("past_due_days", "Contractual days past due when last seen"),
        minor("past_due_minor", "Past-due amount when last seen"),
        code("contract_bucket", "Bucket of past_due_days when last seen"),
        minor("outstanding_principal_minor", "Principal not yet repaid when last seen"),
    ),
    meaning="Loans gone from the ledger without an ending: an error of the source, never a cure",
    owner="transitions",
    totals=("past_due_minor", "outstanding_principal_minor"),
    mart="fct_missing_loan_daily",
)

SOURCE_DIFFERENCE = Contract(
    table="core__source_difference_daily",
    grain="one row per open loan and figure in which the source and this pipeline differ",
    key=("loan_id", "figure_code"),
    columns=(
        text("loan_id", "Loan identifier of the source"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        code("figure_code", "What differs", ("past_due_days", "past_due_minor", "payoff_minor")),
        count("ours", "By this pipeline: days, or minor units; of payoff_minor the source's own parts in sum"),
        count("theirs", "By the source: days, or minor units"),
    ),
    meaning="Source tie-out: differences beyond tolerance; each holds contact about its loan",
    owner="transitions",
    mart="fct_source_difference_daily",
)

CUSTOMER_STATUS = Contract(
    table="core__customer_status_daily",
    grain="one row per open loan of a customer who is non-performing; none without contagion",
    key=("loan_id",),
    columns=(
        text("loan_id", "Loan identifier of the source"),
        pseudonym("borrower_id", "party_id of the main borrower"),
        code("status_code", "Status of the customer, and so of each of the loans", ("non_performing",)),
        on("since_on", "Business date since which the customer is non-performing"),
        days("past_due_days", "Contractual days past due of this loan"),
        days("customer_past_due_days", "Highest past_due_days over the customer's open loans"),
    ),
    meaning="Contagion: one loan makes all of its customer's non-performing, until all are clean",
    owner="transitions",
    mart="fct_customer_status_daily",
    grows=True,
)

BUCKET_HISTORY = Contract(
    table="core__bucket_history_daily",
    grain="one row per loan ever past due, or its instalment, and stay in a bucket: as known today, and what today "
    "replaced",
    key=("loan_id", "seq", "valid_from", "known_from"),
    columns=(
        text("loan_id", "Loan identifier of the source"),
        days("seq", "Number of the instalment; 0: the loan"),
        code("bucket", "Bucket of delinquent_days"),
        code("contract_bucket", "Bucket of past_due_days"),
        on("valid_from", "First business date it was true"),
        on("valid_to", "First business date it was no longer true; NULL: it is", nullable=True),
        on("known_from", "Business date since which it is known"),
        on("known_to", "Business date on which better knowledge replaced it; NULL: it stands", nullable=True),
    ),
    meaning="Bucket history in both times: what was true, and since when that is known",
    owner="transitions",
    mart="fct_bucket_history",
    grows=True,
    mart_rows="known_from = business_date OR known_to = business_date",
)

CORE = (
    LOAN_DELINQUENCY,
    INSTALMENT_DELINQUENCY,
    DELINQUENCY_EVENT,
    MISSING_LOAN,
    SOURCE_DIFFERENCE,
    CUSTOMER_STATUS,
    BUCKET_HISTORY,
    CASE_LOAN,
    CASE,
    CASE_WATCH,
    CASE_TRAIT,
    EXPERIMENT_ARM,
    CONTACT_ELSEWHERE,
    CONTACT_DECISION,
    CONTACT_BREACH,
    PROMISE,
)
