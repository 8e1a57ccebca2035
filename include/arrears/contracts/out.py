"""What the day hands on: worklists, the contact plan, measures: the ``out__`` tables of the lake."""

from __future__ import annotations

from arrears.contracts.core_contact import CHANNEL_CODES
from arrears.contracts.model import Contract, at, code, count, days, flag, minor, on, pseudonym, text

SPAN_CODES = ("day", "month")
DIRECTION_CODES = ("forward", "back", "cure", "stay", "paid_off", "charged_off", "left", "new")

ASSIGNMENT = Contract(
    table="out__assignment_daily",
    grain="one row per open case",
    key=("case_id",),
    columns=(
        text("case_id", "Case"),
        text("queue_id", "Queue the case stands in"),
        pseudonym(
            "agent_id", "Agent; NULL when the queue is not worked by named agents, or on overflow", nullable=True
        ),
        flag("is_assigned", "Worked today: has an agent, or a queue that needs none"),
        code(
            "reason_code",
            "Why here",
            (
                "kept_agent",
                "new_agent",
                "reassigned_absent",
                "reassigned_stale",
                "promise",
                "pooled",
                "no_agent_needed",
                "overflow_bot",
                "overflow_capacity",
                "overflow_language",
                "no_queue",
                "held",
                "supervisor",
                "by_supervisor",
            ),
        ),
        text("reason", "The same as a sentence with its figures"),
        days("required_minutes", "Handling minutes the case takes today"),
        days("work_rank", "Order within the agent's or queue's list, from 1"),
        code("team_id", "Team of the agent; NULL without one", nullable=True),
        on("agent_since_on", "Business date since which this agent has it; NULL without one", nullable=True),
    ),
    meaning="Who works which case today, and why",
    owner="assign",
    mart="fct_assignment_daily",
    grows=True,
    version=2,
)

CONTACT_PLAN = Contract(
    table="out__contact_plan_daily",
    grain="one row per case with a step due today",
    key=("case_id",),
    columns=(
        text("case_id", "Case; P-... for a due date and F-... for a first loan, before there is a case"),
        pseudonym("borrower_id", "party_id of the main borrower"),
        pseudonym("person_id", "Same human over portfolios; NULL when the source does not say", nullable=True),
        text("step_id", "Stable id of the strategy's step"),
        text("step_key", "Hash of person, case, step and occurrence: one contact ever"),
        code("state_code", "planned, or blocked on every channel of the step", ("planned", "blocked")),
        code("channel_code", "Channel planned; NULL when blocked", CHANNEL_CODES, nullable=True),
        pseudonym("contact_point_id", "Point planned; NULL when blocked", nullable=True),
        code("purpose_code", "Purpose of the step"),
        text("template_code", "Template of the step"),
        text("language", "BCP 47 language"),
        text("strategy", "Strategy and version, e.g. early@1"),
        text("segment_id", "Segment of the strategy"),
        text("arm_code", "Experiment and arm, e.g. later_text/challenger; empty: in none"),
        text("loan_ids", "Loans the contact would be about, comma-separated"),
        code("currency", "ISO 4217 code of past_due_minor"),
        minor("past_due_minor", "Past-due amount the contact would be about"),
        at("not_before_at", "Earliest lawful instant today; NULL when blocked", nullable=True),
        at("not_after_at", "First instant too late today; NULL when blocked", nullable=True),
        pseudonym(
            "other_ways",
            "JSON list of the channels and points that may be used instead, in order, with their windows; NULL: none",
            nullable=True,
        ),
        text("reason", "Why this channel, or which rules block it"),
    ),
    meaning="What may be said today, to whom, on which channel, between which instants",
    owner="plan",
    mart="fct_contact_plan_daily",
    grows=True,
    version=3,
)

EXPERIMENT = Contract(
    table="out__experiment_daily",
    grain="one row per experiment and arm",
    key=("experiment_id", "arm_code"),
    columns=(
        text("experiment_id", "Experiment of the strategy"),
        text("arm_code", "Arm"),
        days("share_pct", "Configured share of the people, in percent"),
        count("people", "People who have entered"),
        count("cured_people", "Of them with a case cured since"),
        count("contacts", "Contacts planned for them since, up to the day before"),
        count("complaints", "Complaints of theirs since"),
        count("opt_outs", "Opt-outs of theirs since"),
        days("mismatch_ppm", "Chance of arm sizes this far from their shares, in parts per million"),
        text("breached", "Guard rails broken, comma separated; empty: none"),
        on("stopped_on", "Business date since which it goes on as champion; NULL while it runs", nullable=True),
    ),
    meaning="Arms of the running experiments: sizes, outcomes, guard rails",
    owner="plan",
    mart="fct_experiment_daily",
)

QUARANTINE = Contract(
    table="out__quarantine",
    grain="one row per rejected or warned row and rule",
    key=("table_name", "row_number", "rule_id", "column_name"),
    columns=(
        text("table_name", "Ledger table"),
        count("row_number", "Ordinal of the row in the extract, from 1"),
        text("source_file", "File or SELECT", nullable=True),
        count("source_line", "Line in the file, or ordinal in the SELECT's result", nullable=True),
        text("column_name", "Column that offends"),
        text("rule_id", "Rule it offends"),
        code("severity_code", "fail: left out; warn: went on", ("fail", "hold", "warn")),
        text("loan_id", "Accepted loan that a rejected row speaks of; contact about it stops", nullable=True),
        pseudonym("party_id", "Accepted party that a rejected row speaks of; contact stops", nullable=True),
    ),
    meaning="Rows set aside, by file, line, column and rule; the values stay in the vault",
    owner="validate",
    mart="fct_quarantine",
    grows=True,
)

DATA_QUALITY = Contract(
    table="out__data_quality_daily",
    grain="one row per ledger table and figure of its profile",
    key=("table_name", "profile_code"),
    columns=(
        text("table_name", "Ledger table"),
        text("profile_code", "Figure of the table's profile"),
        count("profile_value", "The figure", nullable=True),
        count("median_value", "Its median over the last 8 same weekdays", nullable=True),
        count("compared_days", "How many of those 8 are known"),
        code(
            "verdict_code",
            "What is made of the difference",
            ("ok", "departs", "holds", "stops", "unknown"),
        ),
    ),
    meaning="What each ledger table looked like, figure by figure, beside the same weekdays before",
    owner="validate",
    mart="fct_data_quality_daily",
)

PORTFOLIO = Contract(
    table="out__portfolio_daily",
    grain="one row per contract bucket, product and currency over open loans",
    key=("contract_bucket", "product_code", "currency", "status_code"),
    columns=(
        on("closing_date", "Close of the ledger"),
        code("contract_bucket", "Bucket of past_due_days"),
        days("bucket_rank", "Order of contract_bucket, from 0 for current"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        code("status_code", "active or charged_off"),
        count("loans", "Open loans"),
        minor("outstanding_principal_minor", "Their outstanding principal"),
        minor("past_due_minor", "Their past-due amount"),
    ),
    meaning="Distribution of all open loans; sums to the portfolio",
    owner="metrics",
    totals=("loans", "outstanding_principal_minor", "past_due_minor"),
    mart="fct_portfolio_daily",
)

EVENT_TOTAL = Contract(
    table="out__delinquency_event_total_daily",
    grain="one row per event, product and currency",
    key=("event_code", "product_code", "currency"),
    columns=(
        code("event_code", "Transition"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        count("loans", "Loans"),
        minor("past_due_minor", "Past-due amount concerned"),
    ),
    meaning="Newly overdue, rolled, cured: counts and amounts",
    owner="metrics",
    totals=("loans", "past_due_minor"),
    mart="fct_delinquency_event_total_daily",
)

PAR = Contract(
    table="out__par_daily",
    grain="one row per threshold, product and currency",
    key=("threshold_days", "product_code", "currency"),
    columns=(
        on("closing_date", "Close of the ledger"),
        days("threshold_days", "X of PAR X: past_due_days > X"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        count("at_risk_loans", "Active loans more than X days past due"),
        minor("numerator_minor", "Their outstanding principal"),
        count("loans", "Active loans"),
        minor("denominator_minor", "Gross loan portfolio: outstanding principal of active loans"),
        count(
            "restructured_loans",
            "Restructured active loans at most X days past due; NULL: the source does not say",
            nullable=True,
        ),
        minor("restructured_minor", "Their outstanding principal; NULL: the source does not say", nullable=True),
        count("charged_off_loans", "Charged-off loans that are still open"),
        minor("charged_off_minor", "Their outstanding principal"),
        minor("arrears_minor", "Past-due amount of active loans, however late"),
    ),
    meaning="Portfolio at risk: numerator and denominator without charged-off loans, and what those add to both",
    owner="metrics",
    mart="fct_par_daily",
)

ENTRY = Contract(
    table="out__entry_daily",
    grain="one row per product and currency",
    key=("product_code", "currency"),
    columns=(
        on("due_on", "The due date measured: the closing date"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        count("due_loans", "Loans, open or paid off, with an instalment due that day and no arrears before it"),
        minor("due_minor", "Amount falling due that day on those loans, charges that its instalments take included"),
        count("entered_loans", "Of them, loans with that instalment unpaid at the close"),
        minor("entered_minor", "Amount of that instalment unpaid at the close"),
        count("next_due_loans", "Loans, open or paid off, in no arrears with an instalment due on the business date"),
        minor("next_due_minor", "Amount falling due on it on those loans, with the charges known by the close"),
    ),
    meaning="Entry rate: unpaid at the close of the due date over due that day",
    owner="metrics",
    mart="fct_entry_daily",
    version=2,
)

BUCKET_MIGRATION = Contract(
    table="out__bucket_migration_daily",
    grain="one row per span, from-bucket, to-state, product and currency over loans open on either day",
    key=("span_code", "from_bucket", "to_bucket", "product_code", "currency"),
    columns=(
        code("span_code", "day: since the previous published day; month: between two month-end closes", SPAN_CODES),
        on("compared_with", "Business date that it is compared with"),
        code("from_bucket", "Contract bucket then; 'new' for loans that were not there"),
        code(
            "to_bucket",
            "Contract bucket now; or paid_off, charged_off, settled, sold, transferred, cancelled, missing",
        ),
        days("from_rank", "Order of from_bucket, from 0 for current; NULL of 'new'", nullable=True),
        days("to_rank", "Order of to_bucket; NULL when it is no bucket", nullable=True),
        code(
            "direction_code",
            "What the move is: of one from-bucket they sum to 100 %; left: sold, transferred, cancelled or missing",
            DIRECTION_CODES,
        ),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        count("loans", "Loans"),
        minor("outstanding_principal_minor", "Their outstanding principal then; now for 'new'"),
    ),
    meaning="Roll matrix between two published days; each from-bucket sums to 100 %",
    owner="metrics",
    totals=("loans",),
    mart="fct_bucket_migration_daily",
    version=3,
)

QUEUE_LOAD = Contract(
    table="out__queue_daily",
    grain="one row per queue",
    key=("queue_id",),
    columns=(
        text("queue_id", "Queue"),
        count("open_cases", "Open cases in the queue"),
        count("assigned_cases", "Of them worked today"),
        count("overflow_cases", "Of them without capacity or language today"),
        count("held_cases", "Of them held"),
        count("required_minutes", "Handling minutes of the open cases"),
        count(
            "available_minutes",
            "Productive minutes of today's agents, each queue counting a shared agent; NULL: no shifts delivered",
            nullable=True,
        ),
        minor("past_due_minor", "Past-due amount of the open cases"),
        count("carried_cases", "Of the open, cases that stood in the queue on the day compared with"),
        count("entered_cases", "Of the open, cases that did not"),
        count("left_cases", "Cases that stood in it then and do not now"),
    ),
    meaning="Case and queue load",
    owner="metrics",
    mart="fct_queue_daily",
)

PROMISE_TOTAL = Contract(
    table="out__promise_daily",
    grain="one row per agent, channel, bucket, product and currency of promises whose last day has closed",
    key=("agent_id", "channel_code", "bucket", "product_code", "currency"),
    columns=(
        pseudonym("agent_id", "Agent to whom it was made; empty: a machine, or not said"),
        code("channel_code", "Channel on which it was made; empty: not said"),
        code("bucket", "Contract bucket of its worst loan when it was first seen; empty: not there"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code"),
        count("due_promises", "Promises whose last day closed since the day compared with; open, cancelled: not due"),
        count("kept_promises", "Of them kept, but for the tolerance"),
        count("part_kept_promises", "Of them paid in part"),
        count("broken_promises", "Of them not paid at all"),
        minor("due_minor", "Promised in them"),
        minor("kept_minor", "Promised in the kept ones"),
        minor("paid_minor", "The same, and what was paid in time of the part-kept ones"),
    ),
    meaning="Promises due, and kept",
    owner="metrics",
    totals=("due_promises", "kept_promises"),
    mart="fct_promise_total_daily",
)

SUMMARY = Contract(
    table="out__summary_daily",
    grain="one row",
    key=("currency",),
    columns=(
        on("closing_date", "Close of the ledger"),
        code("currency", "ISO 4217 code"),
        count("loans", "Open loans"),
        count("past_due_loans", "Open loans past due"),
        minor("past_due_minor", "Their past-due amount"),
        count("newly_overdue_loans", "Loans newly overdue"),
        count("cured_loans", "Loans cured or paid off out of arrears"),
        count("open_cases", "Cases open"),
        count("assigned_cases", "Cases worked today"),
        count("contacts_planned", "Contacts planned"),
        count("contacts_blocked", "Contacts blocked on every channel"),
        count("rows_quarantined", "Ledger rows left out"),
        minor("par30_numerator_minor", "Outstanding principal of active loans > 30 days past due"),
        minor("par30_denominator_minor", "Outstanding principal of active loans"),
        on("compared_with", "Business date of the previous published day; NULL on the first", nullable=True),
        count("rows_delivered", "Ledger rows delivered"),
        count("rows_accepted", "Ledger rows that went on"),
        minor("cash_total_minor", "Net cash of all transactions in the ledger"),
        minor("cost_minor", "Cost of collection of the closing date; NULL: no cost table delivered", nullable=True),
    ),
    meaning="The day in one row",
    owner="metrics",
    may_be_empty=False,
    mart="fct_summary_daily",
)

OUT = (
    ASSIGNMENT,
    CONTACT_PLAN,
    EXPERIMENT,
    QUARANTINE,
    DATA_QUALITY,
    PORTFOLIO,
    EVENT_TOTAL,
    PAR,
    ENTRY,
    BUCKET_MIGRATION,
    QUEUE_LOAD,
    PROMISE_TOTAL,
    SUMMARY,
)
