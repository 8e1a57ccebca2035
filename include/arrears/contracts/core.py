"""What the pipeline derives per loan, instalment, case: the ``core__`` tables of the lake."""

from __future__ import annotations

from arrears.contracts.model import Contract, at, code, count, days, flag, minor, on, pseudonym, text
from arrears.rules.case_states import CASE_MOVES, CASE_STATES, STAGES
from arrears.rules.traits import BEHAVIOURS, CONTACTABILITIES, PROMISES, RISK_BANDS

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
CASE_EVENT_CODES = ("opened", "reopened", "carried", "closed")
CLOSE_REASON_CODES = ("cured", "relieved", "paid_off", "settled", "sold", "transferred", "cancelled")
CASE_LOAN_STATES = (
    "past_due",
    "current",
    "relieved",
    "paid_off",
    "settled",
    "sold",
    "transferred",
    "cancelled",
    "missing",
)

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

CASE_LOAN = Contract(
    table="core__case_loan_daily",
    grain="one row per case open on the day or closed by it, and loan that was past due while it was open",
    key=("case_id", "loan_id"),
    columns=(
        text("case_id", "Case"),
        text("loan_id", "Loan identifier of the source"),
        pseudonym("borrower_id", "party_id of the main borrower"),
        on("opened_on", "Business date the case opened"),
        on("episode_on", "Business date the case opened or last re-opened"),
        code(
            "state_code",
            "What the loan is today; relieved: current, not by cash; missing: gone from the ledger without an ending",
            CASE_LOAN_STATES,
        ),
        code("hold_code", "Why this loan may not be worked today; NULL when it may, or need not", nullable=True),
        days("past_due_days", "Contractual days past due"),
        days("delinquent_days", "max(0, past_due_days - paused_days - grace)"),
        minor("past_due_minor", "Past-due amount"),
        code("bucket", "Bucket of delinquent_days"),
        minor("peak_core_minor", "Highest past-due principal and interest since the case opened or re-opened"),
        minor(
            "cash_minor", "Cash since the case opened or re-opened, net of returns; NULL: not delivered", nullable=True
        ),
    ),
    meaning="Each loan's part in its borrower's case",
    owner="cases",
    totals=("past_due_minor",),
    version=2,
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
        on("episode_on", "Business date the case opened or last re-opened; its path counts from here"),
        count("episodes", "How often it has opened"),
        code("state_code", "State of the case", CASE_STATES),
        code("move_code", "Move that led from the state of the day before to this one", CASE_MOVES),
        code("stage_code", "recovery: a loan of it is charged off, and work goes on", STAGES),
        on("first_treated_on", "Business date of the first step planned since episode_on", nullable=True),
        count("steps_planned", "Steps planned since episode_on, up to the day before"),
        on("promised_on", "Earliest date on which a live promise or plan is due; NULL without one", nullable=True),
        flag("is_watched", "Late again while the last cure or a new schedule is watched"),
        on("state_since_on", "Business date since which the state holds"),
    ),
    meaning="One open case per borrower over all past-due loans",
    owner="cases",
    totals=("past_due_minor",),
    mart="fct_case_daily",
    grows=True,
    version=2,
)

CASE_WATCH = Contract(
    table="core__case_watch_daily",
    grain="one row per borrower whose last case was cured or relieved and is still watched",
    key=("borrower_id",),
    columns=(
        text("case_id", "Case that was cured or relieved; it may be open again"),
        pseudonym("borrower_id", "party_id of the main borrower"),
        on("opened_on", "Business date it first opened"),
        on("closed_on", "Business date it closed"),
        count("episodes", "How often it had opened by then"),
        code("close_reason_code", "How it closed", CLOSE_REASON_CODES),
        on("watch_until_on", "Last business date of the watch"),
    ),
    meaning="Cures and reliefs being watched: who is soon back comes back to the same case",
    owner="cases",
)

CASE_TRAIT = Contract(
    table="core__case_trait_daily",
    grain="one row per open case",
    key=("case_id",),
    columns=(
        text("case_id", "Case"),
        code("behaviour_code", "How the borrower has paid so far", BEHAVIOURS),
        code("promise_code", "Whether a promise was broken within the last 14 days", PROMISES),
        code("risk_band_code", "Band of the source's score; without one, of a rule over what is past due", RISK_BANDS),
        code("contactability_code", "Whether anybody answers, or there is a usable point at all", CONTACTABILITIES),
        flag("is_vulnerable", "A flag says that the person needs care: less pressure, never more"),
        count("earlier_spells", "Spells past due that ended within a year, over all loans of the borrower"),
    ),
    meaning="What a strategy may know of a case besides bucket, amount and product",
    owner="cases",
    version=2,
)

EXPERIMENT_ARM = Contract(
    table="core__experiment_arm_daily",
    grain="one row per experiment and person who has entered it",
    key=("experiment_id", "person_id"),
    columns=(
        text("experiment_id", "Experiment of the strategy"),
        pseudonym("person_id", "Same human over portfolios; the borrower where the source does not say"),
        text("arm_code", "Arm, chosen by keyed hash on entering and kept since"),
        on("entered_on", "Business date of entering"),
        count("contacts", "Contacts planned since, up to the day before"),
        flag("is_cured", "A case of the person was cured since"),
        count("complaints", "Complaints since"),
        count("opt_outs", "Opt-outs since"),
    ),
    meaning="Who is in which arm, and what became of them",
    owner="plan",
)

CONTACT_ELSEWHERE = Contract(
    table="core__contact_elsewhere_daily",
    grain="one row per contact beside the portfolio's own ledger with a person of the portfolio",
    key=("origin", "source_code", "contact_id"),
    columns=(
        code("origin", "Portfolio it was made or planned by; the own one for contacts its outbox gave out"),
        code(
            "source_code",
            "Who says so: another portfolio's ledger, its plan of today, or the outbox",
            ("ledger", "plan", "outbox"),
        ),
        text("contact_id", "Contact identifier of that source, or the step's key"),
        pseudonym("person_id", "Same human over portfolios"),
        at("started_at", "Instant of the attempt; of a plan or the outbox, the earliest it may have been made"),
        code("channel_code", "Channel"),
        code("direction_code", "Who began", ("out", "in")),
        code("purpose_code", "Purpose"),
        code("place_code", "Place of the point"),
        code("outcome_code", "What came of it; claimed, unknown and the like may have been anything"),
    ),
    meaning="Contacts elsewhere with the portfolio's people, as known when the day was cut; caps count them",
    owner="plan",
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
    grows=True,
    version=2,
)

CONTACT_BREACH = Contract(
    table="core__contact_breach_daily",
    grain="one row per outgoing contact first known today and rule it was made against, or fact that is missing; one "
    "with rule_id '' when neither",
    key=("contact_id", "rule_id"),
    columns=(
        text("contact_id", "Contact identifier of the source"),
        text("case_id", "Case of the person at the time; NULL when there was none", nullable=True),
        text("loan_id", "The one loan it can have been about; NULL when there are several or none", nullable=True),
        pseudonym("person_id", "Same human over portfolios; the party where the source does not say"),
        code("channel_code", "Channel used"),
        code("purpose_code", "Purpose"),
        at("occurred_at", "Instant of the attempt"),
        text("rule_id", "Rule it was made against, or insufficient_facts.<fact>; empty when neither"),
        text("pack", "Pack of the rule, with its version; empty where there is no rule"),
        text("citation", "Where the rule stands; empty when there is none"),
        code(
            "effect_code",
            "Force of the rule; insufficient_facts: a fact that is missing, no breach; empty when neither",
            ("", *EFFECT_CODES, "insufficient_facts"),
        ),
    ),
    meaning="Contacts that were made, judged by the rules valid then",
    owner="plan",
    mart="fct_contact_breach",
    grows=True,
    mart_rows="rule_id <> ''",
)

PROMISE_STATES = ("open", "kept", "part_kept", "broken", "cancelled")

PROMISE = Contract(
    table="core__promise_daily",
    grain="one row per promise and part, an amount promised by one day; sources number their promises for themselves",
    key=("promise_id", "seq", "source_code"),
    columns=(
        text("promise_id", "Promise identifier of the source"),
        days("seq", "Number of the part, from 1"),
        code("source_code", "Who says so: ledger, or a source of feedback"),
        pseudonym("borrower_id", "party_id of the main borrower"),
        text("loan_ids", "Loans whose payments keep it, comma separated"),
        pseudonym("agent_id", "Agent to whom it was made; NULL: a machine, or not said", nullable=True),
        code("channel_code", "Channel on which it was made; NULL: not said", nullable=True),
        text("contact_id", "Contact in which it was made; NULL: not said", nullable=True),
        code("product_code", "Product of the source"),
        code("bucket", "Contract bucket of its worst loan when it was first seen; NULL: not there", nullable=True),
        at("made_at", "When it was made"),
        on("made_on", "Day it was made, in the portfolio's zone"),
        on("due_on", "Last promised day"),
        on("deadline_on", "Last day on which money still counts: due_on and grace"),
        on("cancelled_on", "Day since which it no longer stands; NULL while it does", nullable=True),
        code("currency", "ISO 4217 code"),
        minor("amount_minor", "Promised in this part"),
        minor("matched_minor", "Of it, paid in time, first in, first out"),
        code("state_code", "What became of it by the close", PROMISE_STATES),
        on("since_on", "Business date since which the state holds"),
    ),
    meaning="Promises to pay, and what became of them",
    owner="cases",
    totals=("amount_minor", "matched_minor"),
    mart="fct_promise_daily",
    mart_rows="state_code = 'open' OR since_on = business_date",
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
