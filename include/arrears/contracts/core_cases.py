"""Contracts of the core layer about cases: who has one, what is held, who is watched, what was promised."""

from __future__ import annotations

from arrears.contracts.model import Contract, at, code, count, days, flag, minor, on, pseudonym, text
from arrears.rules.case_states import CASE_MOVES, CASE_STATES, STAGES
from arrears.rules.traits import BEHAVIOURS, CONTACTABILITIES, PROMISES, RISK_BANDS

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
