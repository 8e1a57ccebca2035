"""A whole day of fact tables in the lake, small and consistent, ready to be published."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from arrears.jobs.day import Day
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import FACTS, PUBLISH_LEDGER
from sqlalchemy import insert

from support.books import ARROW, FILLER

if TYPE_CHECKING:
    from arrears.contracts.model import Contract
    from arrears.settings import Settings

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # 12:00 in Asia/Shanghai
UNTIL = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
CURRENCY = {"currency": "CNY"}
LONG_AGO = date(2000, 1, 1)  # compared with a day that nothing is published of


def put_day(
    settings: Settings,
    business_date: date = DAY,
    *,
    loans: int = 3,
    amount: int = 100,
    planned: tuple[str, ...] = (),
    not_after: datetime = UNTIL,
    other_ways: str | None = None,
    portfolio: str = "book",
) -> None:
    """Write every fact of the day.

    Args:
        settings: The deployment.
        business_date: The day.
        loans: Past-due loans; one more is current and stays in the lake.
        amount: Past-due amount of each.
        planned: Step keys of planned contacts.
        not_after: First instant too late for each of them.
        other_ways: What else may be used for each of them.
        portfolio: Folder name.
    """
    late = [f"loan-{number}" for number in range(loans)]
    facts: dict[str, list[dict[str, Any]]] = {
        "core__loan_delinquency_daily": [
            {"loan_id": "current", "past_due_days": 0, "past_due_minor": 0, **CURRENCY},
            *({"loan_id": one, "past_due_days": 5, "past_due_minor": amount, **CURRENCY} for one in late),
        ],
        "core__delinquency_event_daily": [{"loan_id": one, "event_code": "newly_overdue", **CURRENCY} for one in late],
        "core__missing_loan_daily": [{"loan_id": "gone", "error_code": "ARR-VAL-005", **CURRENCY}],
        "core__source_difference_daily": [
            {"loan_id": "loan-0", "figure_code": "past_due_days", "ours": 5, "theirs": 3, **CURRENCY}
        ],
        "core__customer_status_daily": [{"loan_id": "loan-0", "status_code": "non_performing"}],
        "core__bucket_history_daily": [
            {"loan_id": one, "bucket": "1-30", "valid_from": business_date, "known_from": business_date} for one in late
        ],
        "core__case_daily": [{"case_id": f"case-{one}", "past_due_minor": amount, **CURRENCY} for one in late],
        "out__assignment_daily": [{"case_id": f"case-{one}", "agent_id": "agent-1"} for one in late],
        "out__contact_plan_daily": [
            *(
                {
                    "case_id": f"case-{key}",
                    "step_id": "first",
                    "step_key": key,
                    "state_code": "planned",
                    "channel_code": "sms",
                    "contact_point_id": f"point-{key}",
                    "not_before_at": not_after - timedelta(hours=5),
                    "not_after_at": not_after,
                    "other_ways": other_ways,
                }
                for key in planned
            ),
            {"case_id": "case-blocked", "step_id": "first", "step_key": "blocked", "state_code": "blocked"},
        ],
        "core__contact_decision_daily": [
            {
                "case_id": "case-blocked",
                "step_id": "first",
                "channel_code": channel,
                "is_allowed": not rule,
                "rule_id": rule,
                "citation": f"Law on {rule}",
            }
            for channel, rule in (("sms", "hours"), ("sms", "cap"), ("call", "cap"), ("push", ""))
        ],
        "core__contact_breach_daily": [
            {"contact_id": one, "rule_id": rule, "effect_code": effect, "occurred_at": NOON}
            for one, rule, effect in (
                ("night", "hours", "deny"),
                ("night", "house.hours", "house"),
                ("text", "insufficient_facts.content", "insufficient_facts"),
                ("call", "", ""),
            )
        ],
        "core__promise_daily": [
            {
                "promise_id": f"promise-{one}",
                "state_code": "open",
                "made_at": NOON,
                "since_on": business_date,
                **CURRENCY,
            }
            for one in late
        ],
        "out__promise_daily": [{"due_promises": 80, "kept_promises": 60, "due_minor": 60_000, **CURRENCY}],
        "out__experiment_daily": [{"experiment_id": "nudges", "arm_code": "champion"}],
        "out__data_quality_daily": [{"table_name": "raw__loan", "profile_code": "rows", "profile_value": loans}],
        "out__quarantine": [{"table_name": "loan", "row_number": 7, "rule_id": "loan.principal_positive"}],
        "out__portfolio_daily": [
            {
                "contract_bucket": "0",
                "status_code": "active",
                "loans": 1,
                "outstanding_principal_minor": 20_000,
                **CURRENCY,
            },
            {
                "contract_bucket": "1-30",
                "bucket_rank": 1,
                "status_code": "active",
                "loans": loans,
                "past_due_minor": loans * amount,
                **CURRENCY,
            },
        ],
        "out__delinquency_event_total_daily": [{"event_code": "newly_overdue", "loans": loans, **CURRENCY}],
        "out__par_daily": [
            {"threshold_days": 30, "numerator_minor": 1, "denominator_minor": 20_000, **CURRENCY},
            {"threshold_days": 90, "numerator_minor": 0, "denominator_minor": 0, **CURRENCY},
        ],
        "out__entry_daily": [{"due_loans": 8, "entered_loans": 1, "due_minor": 3, "entered_minor": 2, **CURRENCY}],
        "out__due_cohort_daily": [{"due_on": business_date, "entered_loans": 1, "entered_minor": 2, **CURRENCY}],
        "out__vintage_monthly": [{"loans": 10, "ever30_loans": 1, "disbursed_minor": 100, **CURRENCY}],
        "out__bucket_migration_daily": [
            *(
                {
                    "compared_with": LONG_AGO,
                    "from_bucket": "0",
                    "to_bucket": to,
                    "from_rank": 0,
                    "direction_code": "left",
                    "loans": count,
                    "outstanding_principal_minor": 10,
                    "span_code": span,
                    **CURRENCY,
                }
                for to, count in (("0", 2), ("1-30", 1))
                for span in ("day", "month")
            ),
            *(
                {
                    "compared_with": LONG_AGO,
                    "from_bucket": "new",
                    "to_bucket": "0",
                    "direction_code": "new",
                    "loans": loans + 1,
                    "span_code": span,
                    **CURRENCY,
                }
                for span in ("day", "month")
            ),
        ],
        "out__payment_allocated_daily": [
            {"cash_minor": amount, "principal_minor": amount, "past_due_minor": amount, **CURRENCY}
        ],
        "out__contact_attempt_daily": [
            {"contact_id": "night", "case_id": "case-loan-0", "right_party": "yes", "started_at": NOON}
        ],
        "out__agent_daily": [{"agent_id": "agent-1", "productive_minutes": 60, "collected_minor": amount, **CURRENCY}],
        "out__pressure_daily": [{"attempts": 4, "borrower_days": 3, **CURRENCY}],
        "out__member_daily": [
            {"dimension_code": dimension, "member_code": code}
            for dimension, code in (
                ("product", "travel"),
                ("bucket", "1-30"),
                ("queue", "bot"),
                ("agent", "agent-1"),
                ("strategy", "early"),
            )
        ],
        "out__queue_daily": [
            {
                "queue_id": "bot",
                "open_cases": loans,
                "entered_cases": loans,
                "required_minutes": 90,
                "available_minutes": 60,
            }
        ],
        "out__summary_daily": [
            {
                "loans": loans + 1,
                "past_due_loans": loans,
                "past_due_minor": loans * amount,
                "newly_overdue_loans": loans,
                "open_cases": loans,
                "contacts_planned": len(planned),
                "contacts_blocked": 1,
                "par30_numerator_minor": 1,
                "par30_denominator_minor": 20_000,
                **CURRENCY,
            }
        ],
    }
    day = Day.open(portfolio, business_date, settings=settings)  # once: `put` would open it for every table
    for contract in FACTS:
        with day.work() as work:
            work.connection.register("given", table_of(contract, facts[contract.table]))
            work.write(contract.table, select="SELECT * FROM given")


def table_of(contract: Contract, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as an Arrow table; what a row leaves out is NULL where it may be, else a filler."""
    columns = {}
    for column in contract.columns:
        filler = None if column.nullable else (column.codes or (FILLER.get(column.type.value),))[0]
        columns[column.name] = pa.array([row.get(column.name, filler) for row in rows], type=ARROW[column.type.value])
    return pa.table(columns)


def put_publication(url: str, business_date: date, portfolio: str = "book") -> None:
    """A row of the publish ledger alone: for those who ask what is published, and of nothing else."""
    row = {"publication_id": uuid.uuid4(), "portfolio": portfolio, "business_date": business_date, "run_ref": "test"}
    nothing: dict[str, Any] = {"content_hash": "x", "contract_versions": {}, "control_totals": {}, "inputs": {}}
    with transaction(url) as connection:
        connection.execute(insert(PUBLISH_LEDGER).values(**row, **nothing))
