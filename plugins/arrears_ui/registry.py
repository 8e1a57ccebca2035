"""Every table of figures that a page shows, by name; ``sql/<name>.sql`` gives its rows."""

from __future__ import annotations

from arrears_ui.tables import Column, Kind, Table

TEXT, MONO, CODE, COUNT, MONEY, SHARE, DAY, MONTH, INSTANT, MEASURE, YES, REASON = (
    Kind.TEXT,
    Kind.MONO,
    Kind.CODE,
    Kind.COUNT,
    Kind.MONEY,
    Kind.SHARE,
    Kind.DAY,
    Kind.MONTH,
    Kind.INSTANT,
    Kind.MEASURE,
    Kind.YES,
    Kind.REASON,
)
LIST_LIMIT = 200
HISTORY_LIMIT = 120


def _c(name: str, kind: Kind = TEXT, codes: str = "", link: str = "") -> Column:
    return Column(name, kind, codes, link)


LOAN = _c("loan_id", MONO, link="account")
RULE = _c("rule_id", MONO)
CURRENCY = _c("currency")

PORTFOLIO_TABLES = (
    Table(
        "summary",
        (
            _c("measure_code", CODE, "measure"),
            _c("today", MEASURE),
            _c("day_before", MEASURE),
            _c("week_before", MEASURE),
            CURRENCY,
        ),
    ),
    Table(
        "buckets",
        (
            _c("contract_bucket", CODE, "bucket"),
            _c("loans", COUNT),
            _c("outstanding_principal_minor", MONEY),
            _c("principal_share", SHARE),
            _c("past_due_minor", MONEY),
        ),
    ),
    Table(
        "trend",
        (
            _c("business_date", DAY),
            _c("past_due_loans", COUNT),
            _c("past_due_minor", MONEY),
            _c("newly_overdue_loans", COUNT),
            _c("cured_loans", COUNT),
            _c("par30_ratio", SHARE),
        ),
    ),
    Table(
        "entry",
        (
            _c("product_code"),
            _c("due_loans", COUNT),
            _c("entered_loans", COUNT),
            _c("entry_ratio_loans", SHARE),
            _c("due_minor", MONEY),
            _c("entered_minor", MONEY),
        ),
    ),
    Table(
        "newly_overdue",
        (
            LOAN,
            _c("product_code"),
            _c("past_due_on", DAY),
            _c("past_due_instalments", COUNT),
            _c("past_due_minor", MONEY),
            _c("outstanding_principal_minor", MONEY),
        ),
        LIST_LIMIT,
    ),
    Table("events", (_c("event_code", CODE, "event"), _c("loans", COUNT), _c("past_due_minor", MONEY))),
    Table(
        "rolls",
        (
            _c("from_bucket", CODE, "bucket"),
            _c("to_bucket", CODE, "bucket"),
            _c("loans", COUNT),
            _c("loans_share", SHARE),
            _c("outstanding_principal_minor", MONEY),
            _c("principal_share", SHARE),
        ),
    ),
    Table(
        "rolls_month",
        (
            _c("from_bucket", CODE, "bucket"),
            _c("to_bucket", CODE, "bucket"),
            _c("loans", COUNT),
            _c("loans_share", SHARE),
            _c("outstanding_principal_minor", MONEY),
            _c("principal_share", SHARE),
        ),
    ),
    Table(
        "queues",
        (
            _c("queue_id"),
            _c("open_cases", COUNT),
            _c("assigned_cases", COUNT),
            _c("overflow_cases", COUNT),
            _c("held_cases", COUNT),
            _c("required_minutes", COUNT),
            _c("available_minutes", COUNT),
            _c("utilisation", SHARE),
            _c("forecast_cases", COUNT),
            _c("forecast_minutes", COUNT),
        ),
    ),
    Table(
        "blocked",
        (
            RULE,
            _c("contacts", COUNT),
            _c("blocked_candidates", COUNT),
            _c("blocked_share", SHARE),
            _c("effect_code", CODE, "effect"),
            _c("citation"),
        ),
        LIST_LIMIT,
    ),
    Table(
        "contacts",
        (
            _c("state_code", CODE, "contact_state"),
            _c("channel_code", CODE, "channel"),
            _c("purpose_code", CODE, "purpose"),
            _c("contacts", COUNT),
        ),
    ),
    Table(
        "funnel",
        (
            _c("channel_code", CODE, "channel"),
            _c("attempts", COUNT),
            _c("connects", COUNT),
            _c("right_party_contacts", COUNT),
            _c("promises", COUNT),
            _c("connect_ratio", SHARE),
            _c("right_party_ratio", SHARE),
            _c("promise_ratio", SHARE),
        ),
    ),
    Table(
        "pressure",
        (
            _c("business_date", DAY),
            _c("borrowers", COUNT),
            _c("attempts", COUNT),
            _c("contacted_borrowers", COUNT),
            _c("contacts_per_borrower_day", COUNT),
            _c("most_attempts", COUNT),
            _c("bot_ratio", SHARE),
            _c("opt_outs", COUNT),
            _c("complaints", COUNT),
            _c("hardships", COUNT),
            _c("disputes", COUNT),
        ),
    ),
    Table(
        "vintage",
        (
            _c("cohort_on", MONTH),
            _c("months_on_book", COUNT),
            _c("loans", COUNT),
            _c("ever30_loans", COUNT),
            _c("ever30_ratio", SHARE),
            _c("disbursed_minor", MONEY),
            _c("overdue30_minor", MONEY),
            _c("overdue30_ratio", SHARE),
        ),
    ),
    Table(
        "freshness",
        (
            _c("dataset", MONO),
            _c("status_code", CODE, "publication"),
            _c("published_at", INSTANT),
            _c("rows", COUNT),
            _c("contract_version", COUNT),
            _c("content_hash", MONO),
        ),
    ),
)

DAY_TABLES = (
    Table(
        "balance",
        (
            _c("balance_code", CODE, "balance"),
            _c("comparisons", COUNT),
            _c("one_side", MEASURE),
            _c("other_side", MEASURE),
            _c("difference", MEASURE),
            CURRENCY,
        ),
    ),
    Table(
        "rejected",
        (
            _c("table_name", MONO),
            RULE,
            _c("column_name", MONO),
            _c("severity_code", CODE, "severity"),
            _c("row_count", COUNT),
            _c("source_file", MONO),
            _c("first_line", COUNT),
        ),
    ),
    Table(
        "rejected_rows",
        (
            _c("source_file", MONO),
            _c("source_line", COUNT),
            _c("table_name", MONO),
            _c("column_name", MONO),
            RULE,
            _c("severity_code", CODE, "severity"),
            LOAN,
        ),
        LIST_LIMIT,
    ),
    Table(
        "changes",
        (_c("fact", MONO), _c("rows_before", COUNT), _c("rows_after", COUNT), _c("rows_changed", COUNT)),
    ),
    Table(
        "differences",
        (LOAN, _c("figure_code", CODE, "figure"), _c("ours", COUNT), _c("theirs", COUNT), _c("difference", COUNT)),
        LIST_LIMIT,
    ),
)

STEPS = Table(
    "steps",
    (
        _c("task", MONO),
        _c("direction_code", CODE, "direction"),
        _c("table_name", MONO),
        _c("rows", COUNT),
        _c("rejected", COUNT),
        _c("is_done", CODE, "step_done"),
        _c("seconds", COUNT),
        _c("content_hash", MONO),
    ),
)

LOAN_TABLES = (
    Table(
        "loan_events",
        (
            _c("business_date", DAY),
            _c("event_code", CODE, "event"),
            _c("from_bucket", CODE, "bucket"),
            _c("to_bucket", CODE, "bucket"),
            _c("from_past_due_days", COUNT),
            _c("to_past_due_days", COUNT),
            _c("past_due_minor", MONEY),
        ),
        LIST_LIMIT,
    ),
)

CASE_TABLES = (
    Table(
        "loans_of_case",
        (
            LOAN,
            _c("product_code"),
            _c("past_due_days", COUNT),
            _c("past_due_minor", MONEY),
            _c("bucket", CODE, "bucket"),
        ),
        LIST_LIMIT,
    ),
    Table(
        "case_contacts",
        (
            _c("business_date", DAY),
            _c("state_code", CODE, "contact_state"),
            _c("channel_code", CODE, "channel"),
            _c("purpose_code", CODE, "purpose"),
            _c("not_before_at", INSTANT),
            _c("not_after_at", INSTANT),
            _c("reason", REASON),
            _c("strategy", MONO),
            _c("step_id", MONO),
        ),
        HISTORY_LIMIT,
    ),
    Table(
        "case_attempts",
        (
            _c("started_at", INSTANT),
            _c("channel_code", CODE, "channel"),
            _c("contact_direction_code", CODE, "contact_direction"),
            _c("purpose_code", CODE, "purpose"),
            _c("outcome_code", CODE, "outcome_of"),
            _c("is_connected", YES),
            _c("right_party", CODE, "right_party"),
            _c("agent_id", MONO),
        ),
        HISTORY_LIMIT,
    ),
    Table(
        "case_promises",
        (
            _c("made_at", INSTANT),
            _c("due_on", DAY),
            _c("deadline_on", DAY),
            _c("amount_minor", MONEY),
            _c("matched_minor", MONEY),
            _c("promise_state_code", CODE, "promise_state"),
        ),
        HISTORY_LIMIT,
    ),
    Table(
        "case_decisions",
        (
            _c("step_id", MONO),
            _c("channel_code", CODE, "channel"),
            _c("point_rank", COUNT),
            _c("is_allowed", CODE, "allowed"),
            RULE,
            _c("effect_code", CODE, "effect"),
            _c("citation"),
            _c("earliest_at", INSTANT),
        ),
        LIST_LIMIT,
    ),
    Table(
        "case_history",
        (
            _c("business_date", DAY),
            _c("event_code", CODE, "case_event"),
            _c("past_due_loans", COUNT),
            _c("past_due_minor", MONEY),
            _c("bucket", CODE, "bucket"),
            _c("hold_code", CODE, "hold"),
            _c("queue_id"),
            _c("agent_id", MONO),
            _c("reason", REASON),
        ),
        HISTORY_LIMIT,
    ),
)

OUTBOX_TABLES = (
    Table(
        "outbox_totals",
        (_c("channel_code", CODE, "channel"), _c("state_code", CODE, "outbox_state"), _c("messages", COUNT)),
    ),
    Table(
        "outbox_recent",
        (
            _c("changed_at", INSTANT),
            _c("case_id", MONO, link="account"),
            _c("channel_code", CODE, "channel"),
            _c("state_code", CODE, "outbox_state"),
            _c("reason_code", CODE, "outbox_reason"),
            _c("attempt_no", COUNT),
        ),
    ),
)

TABLES = {table.name: table for table in (*PORTFOLIO_TABLES, *DAY_TABLES, STEPS, *LOAN_TABLES, *CASE_TABLES)}
