"""The marts of a big book over many dates, made by SQL in the server, as sparse as a pipeline leaves them.

One loan in seventeen is past due; 2.5 % of those are new each day and as many are gone. Shares of the rest follow the
demo books: three cases of four loans past due, one contact in three blocked, one payment a loan and month.
"""

from datetime import date, timedelta

from arrears.contracts.model import ColumnType
from arrears.warehouse.connection import transaction
from arrears.warehouse.partitions import ensure_partitions, vacuum
from arrears.warehouse.tables import FACTS
from sqlalchemy import text

PORTFOLIO = "demo_travel_cn"  # whose folder the pages read
LAST = date(2026, 6, 2)
PRODUCTS = "(ARRAY['travel', 'hotel', 'flight', 'tour'])[1 + {} % 4]"
CHANNEL = "(ARRAY['sms', 'call', 'email', 'voice_bot', 'letter'])[1 + {} % 5]"
BUCKET = (
    "CASE WHEN {0} = 0 THEN 'M0' WHEN {0} <= 30 THEN 'M1' WHEN {0} <= 60 THEN 'M2' WHEN {0} <= 90 THEN 'M3' "
    "WHEN {0} <= 120 THEN 'M4' ELSE 'M5+' END"
)
OF_DAY = "(i < 48 OR extract(day FROM d) > 1)"  # the other half of a month's first day is the month's matrix
RANKED = "(ARRAY['M0', 'M1', 'M2', 'M3', 'M4', 'M5+'])[1 + {}]"
FILLER = {
    ColumnType.TEXT: "''",
    ColumnType.BIGINT: "0",
    ColumnType.INTEGER: "0",
    ColumnType.BOOLEAN: "TRUE",
    ColumnType.DATE: "d",
    ColumnType.INSTANT: "d + TIME '09:00' AT TIME ZONE 'UTC'",
}
# Loan i of the day d: the book moves on by `moved` loans a day, so that the lowest numbers are the oldest arrears.
LATE_DAYS = "(1 + 170 * power((late - i) / late::float8, 3))::int"
LOAN = {
    "loan_id": "'L' || lpad((i + n * moved)::text, 9, '0')",
    "borrower_id": "'B' || (i + n * moved)",
    "product_code": PRODUCTS.format("i"),
    "currency": "'CNY'",
}
CASE = {"case_id": "md5('C' || (i + n * moved))", "borrower_id": "'B' || (i + n * moved)", "currency": "'CNY'"}
AGENT = "'agent-' || (i % 300)"
QUEUE = "'queue-' || (i % 12)"


def rows_by_fact(loans):
    """Rows a day, and the columns that are more than filler, by fact."""
    late = loans // 17
    cases = late * 3 // 4
    small = {"product_code": PRODUCTS.format("i"), "currency": "'CNY'"}
    return {
        "fct_loan_daily": (
            late,
            LOAN
            | {
                "past_due_days": LATE_DAYS,
                "delinquent_days": LATE_DAYS,
                "bucket": BUCKET.format(LATE_DAYS),
                "contract_bucket": BUCKET.format(LATE_DAYS),
                "status_code": "'active'",
                "past_due_minor": "1000 + i % 90000",
                "outstanding_principal_minor": "100000 + i % 900000",
                "closing_date": "d - 1",
                "past_due_on": f"d - {LATE_DAYS}",
                "past_due_instalments": f"1 + {LATE_DAYS} / 30",
            },
        ),
        "fct_delinquency_event_daily": (
            late // 15,
            LOAN
            | {
                "event_code": "(ARRAY['newly_overdue', 'cured', 'rolled_forward', 'rolled_back'])[1 + i % 4]",
                "compared_with": "d - 1",
                "from_bucket": "'M1'",
                "to_bucket": "'M2'",
                "past_due_minor": "1000 + i % 9000",
            },
        ),
        "fct_customer_status_daily": (late // 12, LOAN | {"status_code": "'non_performing'"}),
        "fct_bucket_history": (
            late // 15,
            {"loan_id": LOAN["loan_id"], "bucket": "'M1'", "contract_bucket": "'M1'", "known_from": "d"},
        ),
        "fct_case_daily": (
            cases,
            CASE
            | {
                "event_code": "CASE WHEN i < moved THEN 'closed' WHEN i < cases - moved THEN 'carried' "
                "ELSE 'opened' END",
                "opened_on": f"d - {LATE_DAYS}",
                "case_age_days": LATE_DAYS,
                "bucket": BUCKET.format(LATE_DAYS),
                "past_due_minor": "1000 + i % 90000",
                "past_due_loans": "1",
                "state_code": "'open'",
                "stage_code": "'collection'",
                "move_code": "'unchanged'",
                "episode_on": f"d - {LATE_DAYS}",
            },
        ),
        "fct_assignment_daily": (
            cases,
            {
                "case_id": CASE["case_id"],
                "queue_id": QUEUE,
                "agent_id": AGENT,
                "is_assigned": "i % 10 > 0",
                "reason_code": "(ARRAY['kept_agent', 'new_agent', 'pooled'])[1 + i % 3]",
                "reason": "'kept with the agent of the day before'",
                "required_minutes": "4",
                "team_id": "'team-' || (i % 20)",
            },
        ),
        "fct_contact_plan_daily": (
            cases // 2,
            CASE
            | {
                "step_id": "'step-' || (i % 6)",
                "step_key": "md5(d::text || i)",
                "state_code": "CASE WHEN i % 3 = 0 THEN 'blocked' ELSE 'planned' END",
                "channel_code": f"CASE WHEN i % 3 > 0 THEN {CHANNEL.format('i')} END",
                "purpose_code": "'remind'",
                "strategy": "'early'",
                "reason": "'first step of the path'",
                "loan_ids": LOAN["loan_id"],
            },
        ),
        "fct_contact_decision": (
            cases,
            {
                "case_id": "md5('C' || (i / 2 + n * moved))",
                "step_id": "'step-' || (i / 2 % 6)",
                "channel_code": CHANNEL.format("i"),
                "is_allowed": "i / 2 % 3 > 0",
                "rule_id": "CASE WHEN i / 2 % 3 > 0 THEN '' ELSE 'house.rule_' || (i % 14) END",
                "effect_code": "CASE WHEN i / 2 % 3 > 0 THEN '' ELSE 'deny' END",
                "citation": "'a law, article ' || (i % 14)",
                "packs": "'house 3, cn 2'",
            },
        ),
        "fct_quarantine": (
            40,
            {
                "table_name": "'loan'",
                "row_number": "i",
                "column_name": "'principal_minor'",
                "rule_id": "'loan.rule_' || (i % 5)",
                "severity_code": "'fail'",
                "source_file": "'loan.csv'",
                "source_line": "i",
            },
        ),
        "fct_contact_attempt": (
            cases // 4,
            {
                "contact_id": "md5('K' || d || i)",
                "case_id": CASE["case_id"],
                "queue_id": QUEUE,
                "agent_id": AGENT,
                "channel_code": CHANNEL.format("i"),
                "direction_code": "'out'",
                "purpose_code": "'remind'",
                "made_on": "d - 1",
                "outcome_code": "'reached'",
                "is_connected": "i % 3 = 0",
                "right_party": "CASE WHEN i % 6 = 0 THEN 'yes' ELSE 'no' END",
                "is_promise": "i % 24 = 0",
            },
        ),
        "fct_payment_allocated": (
            loans // 30,
            {
                "transaction_id": "md5('T' || d || i)",
                "loan_id": "'L' || lpad(i::text, 9, '0')",
                "product_code": PRODUCTS.format("i"),
                "currency": "'CNY'",
                "status_code": "'active'",
                "effective_on": "d - 1",
                "past_due_days_before": "CASE WHEN i % 12 = 0 THEN i % 90 ELSE 0 END",
                "past_due_before_minor": "CASE WHEN i % 12 = 0 THEN 20000 ELSE 0 END",
                "cash_minor": "20000",
                "due_minor": "20000",
                "principal_minor": "18000",
                "interest_minor": "2000",
                "credit_code": "CASE WHEN i % 12 > 0 THEN 'not_past_due' WHEN i % 24 = 12 THEN 'contact' "
                "ELSE 'self_cure' END",
                "credited_agent_id": f"CASE WHEN i % 24 = 12 THEN {AGENT} END",
                "credited_channel_code": "CASE WHEN i % 24 = 12 THEN 'call' END",
            },
        ),
        "fct_promise_daily": (
            cases // 20,
            {
                "promise_id": "'P' || (i + n * 100)",
                "source_code": "'dialler'",
                "borrower_id": "'B' || (i + n * moved)",
                "loan_ids": LOAN["loan_id"],
                "agent_id": AGENT,
                "channel_code": "'call'",
                "amount_minor": "30000",
                "state_code": "(ARRAY['open', 'kept', 'broken', 'part_kept'])[1 + i % 4]",
                **small,
            },
        ),
        "fct_portfolio_daily": (
            24,
            small
            | {
                "closing_date": "d - 1",
                "contract_bucket": RANKED.format("(i / 4) % 6"),
                "bucket_rank": "(i / 4) % 6",
                "status_code": "'active'",
                "loans": "loans / 24",
                "outstanding_principal_minor": "loans * 20000",
                "past_due_minor": "CASE WHEN i >= 4 THEN late * 400 ELSE 0 END",
            },
        ),
        "fct_delinquency_event_total_daily": (
            16,
            small
            | {
                "event_code": "(ARRAY['newly_overdue', 'cured', 'rolled_forward', 'rolled_back'])[1 + i / 4 % 4]",
                "loans": "late / 60",
                "past_due_minor": "late * 100",
            },
        ),
        "fct_par_daily": (
            16,
            small
            | {
                "closing_date": "d - 1",
                "threshold_days": "(ARRAY[1, 30, 60, 90])[1 + i / 4 % 4]",
                "numerator_minor": "late * 10000 / (1 + i / 4)",
                "denominator_minor": "loans * 120000",
                "loans": "loans / 4",
            },
        ),
        "fct_entry_daily": (
            4,
            small
            | {"due_on": "d - 1", "due_loans": "loans / 120", "entered_loans": "loans / 4000", "due_minor": "loans"},
        ),
        "fct_bucket_migration_daily": (
            96,
            small
            | {
                "span_code": f"CASE WHEN {OF_DAY} THEN 'day' ELSE 'month' END",
                "compared_with": f"CASE WHEN {OF_DAY} THEN d - 1 ELSE (d - INTERVAL '1 month')::date END",
                "from_bucket": f"{RANKED.format('(i / 4) % 6')} || CASE WHEN {OF_DAY} AND i >= 48 THEN 'x' ELSE '' END",
                "to_bucket": "CASE WHEN i / 24 % 2 = 0 THEN 'M0' ELSE 'M5+' END",
                "from_rank": "(i / 4) % 6",
                "to_rank": "CASE WHEN i / 24 % 2 = 0 THEN 0 ELSE 5 END",
                "direction_code": "CASE WHEN i / 24 % 2 = 0 THEN 'cure' ELSE 'forward' END",
                "loans": "10 + i",
                "outstanding_principal_minor": "1000 * i",
            },
        ),
        "fct_queue_daily": (
            12,
            {
                "queue_id": QUEUE,
                "open_cases": "cases / 12",
                "assigned_cases": "cases / 13",
                "required_minutes": "cases / 3",
                "available_minutes": "cases / 4 + i * 900",
                "carried_cases": "cases / 12 - moved / 12",
                "entered_cases": "moved / 12",
                "left_cases": "moved / 12",
            },
        ),
        "fct_promise_total_daily": (
            600,
            small
            | {
                "agent_id": "'agent-' || (i / 2)",
                "channel_code": "CASE WHEN i % 2 = 0 THEN 'call' ELSE 'visit' END",
                "due_promises": "4",
                "kept_promises": "3",
                "due_minor": "4000",
                "kept_minor": "3000",
            },
        ),
        "fct_experiment_daily": (2, {"experiment_id": "'nudges'", "arm_code": "'arm-' || i", "people": "cases / 2"}),
        "fct_due_cohort_daily": (
            240,
            small
            | {
                "due_on": "d - 1 - i / 4",
                "after_days": "i / 4",
                "entered_loans": "100",
                "entered_minor": "100000",
                "collected_minor": "1000 * (i / 4)",
                "cured_loans": "i / 4",
            },
        ),
        "fct_vintage_monthly": (
            "CASE WHEN extract(day FROM d) = 1 THEN 144 ELSE 0 END",
            small
            | {
                "closing_date": "d - 1",
                "cohort_on": "(d - (1 + i / 4) * INTERVAL '1 month')::date",
                "months_on_book": "i / 4",
                "loans": "loans / 150",
                "ever30_loans": "i",
                "disbursed_minor": "loans * 1000",
                "overdue30_minor": "i * 1000",
            },
        ),
        "fct_agent_daily": (
            300,
            {
                "agent_id": AGENT,
                "currency": "'CNY'",
                "productive_minutes": "400",
                "assigned_cases": "cases / 300",
                "attempts": "40",
                "collected_minor": "90000",
            },
        ),
        "fct_pressure_daily": (
            1,
            {
                "currency": "'CNY'",
                "borrowers": "cases",
                "attempts": "cases / 4",
                "contacted_borrowers": "cases / 5",
                "borrower_days": "cases / 5",
                "most_attempts": "2",
                "complaints": "3",
            },
        ),
        "fct_summary_daily": (
            1,
            {
                "closing_date": "d - 1",
                "currency": "'CNY'",
                "loans": "loans",
                "past_due_loans": "late",
                "past_due_minor": "late * 8000",
                "open_cases": "cases",
                "newly_overdue_loans": "late / 60",
                "par30_numerator_minor": "late * 5000",
                "par30_denominator_minor": "loans * 120000",
                "compared_with": "d - 1",
                "contacts_planned": "cases / 3",
            },
        ),
        "fct_contact_breach": (
            20,
            {
                "contact_id": "md5('K' || d || i)",
                "person_id": "'B' || i",
                "channel_code": "'call'",
                "rule_id": "'house.hours'",
                "effect_code": "'house'",
            },
        ),
        "dim_member_daily": (
            340,
            {
                "dimension_code": "CASE WHEN i < 12 THEN 'queue' WHEN i < 16 THEN 'product' ELSE 'agent' END",
                "member_code": "'m' || i",
            },
        ),
    }


def fill(url, loans, days):
    """Fill the marts of one book; returns rows by fact."""
    dates = [LAST - timedelta(days=back) for back in reversed(range(days))]
    for day in dates:
        ensure_partitions(url, day)
    late = loans // 17
    numbers = {"loans": loans, "late": late, "cases": late * 3 // 4, "moved": late // 40}
    wanted = rows_by_fact(loans)
    written = {}
    for contract in FACTS:
        if contract.mart not in wanted:
            written[contract.mart] = 0
            continue
        rows, given = wanted[contract.mart]
        columns = {column.name: given.get(column.name, _filler(column)) for column in contract.columns}
        names = ", ".join(("portfolio", "business_date", "load_id", *columns))
        values = ", ".join((f"'{PORTFOLIO}'", "d", "md5(d::text)", *columns.values()))
        insert = text(
            f"INSERT INTO mart.{contract.mart} ({names}) SELECT {values} "
            "FROM (SELECT CAST(:first AS date) + n AS d, n FROM generate_series(0, :days - 1) AS n) AS dates "
            "CROSS JOIN (SELECT "
            + ", ".join(f"{value}::bigint AS {name}" for name, value in numbers.items())
            + f") AS book CROSS JOIN LATERAL generate_series(0, {rows} - 1) AS i"
        )
        with transaction(url) as connection:
            written[contract.mart] = connection.execute(insert, {"first": dates[0], "days": days}).rowcount
    _note_published(url, dates, written)
    for month in sorted({day.replace(day=1) for day in dates}):
        vacuum(url, month)
    return written


def _filler(column):
    return "NULL" if column.nullable else FILLER[column.type]


def _note_published(url, dates, written):
    with transaction(url) as connection:
        for day in dates:
            connection.execute(
                text(
                    "INSERT INTO ops.publish_ledger (publication_id, portfolio, business_date, content_hash, "
                    "contract_versions, control_totals, inputs, run_ref) "
                    "VALUES (gen_random_uuid(), :portfolio, :day, md5(:run), '{}', '{}', '{}', :run)"
                ),
                {"portfolio": PORTFOLIO, "day": day, "run": f"run {day}"},
            )
            connection.execute(
                text(
                    "INSERT INTO ops.data_freshness (dataset, portfolio, business_date, status_code, published_at, "
                    "rows, load_id, content_hash, contract_version) VALUES (:dataset, :portfolio, :day, 'published', "
                    "now(), :rows, 'load', md5(:dataset), 1)"
                ),
                [
                    {"dataset": name, "portfolio": PORTFOLIO, "day": day, "rows": count // len(dates)}
                    for name, count in written.items()
                ],
            )
