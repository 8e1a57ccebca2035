"""The job ``plan``: which cases are due a step today, and whether, how and when they may be contacted."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.contact.facts import (
    FactBook,
    consents_by_person,
    flags_by_person,
    history_by_person,
    points_by_person,
)
from arrears.contact.plan import CaseDue, day_rules, plan_day
from arrears.contact.strategy import load_strategy, step_due
from arrears.engine.duckdb import select_text
from arrears.jobs.day import Day, summary
from arrears.jobs.previous import previous_date
from arrears.jobs.rows import read_rows, write_rows
from arrears.policy.packs import load_rules, public_holidays
from arrears.rules.hours import day_bounds

if TYPE_CHECKING:
    from datetime import date

    from arrears.contact.strategy import Version
    from arrears.jobs.day import Work
    from arrears.rules.contact_values import RuleBook
    from arrears.settings import Settings

LEDGER = ("raw__party", "raw__queue", "raw__contact_point", "raw__flag", "raw__consent", "raw__contact")


def plan(portfolio: str, business_date: date, *, run_ref: str = "", settings: Settings | None = None) -> dict[str, Any]:
    """Write ``out__contact_plan_daily`` and ``out__contact_decision_daily``.

    Returns:
        The plan's manifest in short, contacts planned by channel, and blocked ones by every rule that forbade them.

    Raises:
        ConfigurationError: The strategy or a pack is wrong, or none is in force on the date.
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: The day's cases or assignment are not made yet.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    configured = day.folder.portfolio
    buckets = [bucket.code for bucket in configured.bucket_set]
    version = load_strategy(configured.strategy, day.settings.strategies, buckets).on(business_date)
    book = day_rules(load_rules(configured.packs, day.settings.policies))
    bounds = day_bounds(business_date, configured.zone)
    with day.work() as work:
        delivered = {table: work.read_optional(table) for table in LEDGER}
        cases = _cases_due(day, work, version)
        facts = _facts(day, work, cases, delivered, _history_start(book, bounds[0]))
        label = f"{configured.strategy}@{version.version}"
        made = plan_day(cases, book, facts, bounds=bounds, zone=configured.zone, strategy=label)
        write_rows(work, "out__contact_decision_daily", made.decisions)
        manifest = write_rows(work, "out__contact_plan_daily", made.plan)
    blocked = {row["case_id"] for row in made.plan if row["state_code"] == "blocked"}
    denials = {(row["case_id"], row["rule_id"]) for row in made.decisions if row["case_id"] in blocked}
    channels = Counter(row["channel_code"] for row in made.plan if row["channel_code"])
    return {
        **summary(manifest),
        "planned": len(made.plan) - len(blocked),
        "blocked": len(blocked),
        "planned_by_channel": dict(sorted(channels.items())),
        "blocked_by_rule": dict(sorted(Counter(rule for _, rule in denials).items())),
    }


def _cases_due(day: Day, work: Work, version: Version) -> list[CaseDue]:
    """Cases that may be worked and have a step due, from the day's tables and yesterday's plan."""
    for table in ("core__case_daily", "core__case_loan_daily", "out__assignment_daily"):
        work.read(table)
    compared_with = previous_date(day)
    if compared_with is None:
        work.empty("out__contact_plan_daily", view="previous__plan")
    else:
        work.read("out__contact_plan_daily", compared_with, view="previous__plan")
    due = []
    for row in read_rows(work, "read__case_to_contact", {"language": day.folder.portfolio.language}):
        step = step_due(
            version,
            bucket=row["bucket"],
            case_age_days=row["case_age_days"],
            person=row["person_id"] or row["borrower_id"],
            case_id=row["case_id"],
            blocked_key=row["blocked_key"],
        )
        if step is not None:
            due.append(
                CaseDue(
                    case_id=row["case_id"],
                    borrower_id=row["borrower_id"],
                    person_id=row["person_id"],
                    is_party_known=row["is_party_known"],
                    language=row["party_language"],
                    delinquent_days=row["delinquent_days"],
                    amount_minor=row["amount_minor"],
                    loan_ids=tuple(row["loan_ids"]),
                    has_worker=row["has_worker"],
                    due=step,
                )
            )
    return due


def _facts(day: Day, work: Work, cases: list[CaseDue], delivered: dict[str, bool], history_start: datetime) -> FactBook:
    """Facts of the people due a step, each table read once."""
    start, end = day_bounds(day.business_date, day.folder.portfolio.zone)
    people = pa.table(
        {
            "person_id": pa.array([case.person for case in cases], pa.string()),
            "borrower_id": pa.array([case.borrower_id for case in cases], pa.string()),
        }
    )
    loans = [(case.person, loan_id) for case in cases for loan_id in case.loan_ids]
    work.connection.register("due_case", people)
    work.connection.register(
        "due_loan",
        pa.table(
            {
                "person_id": pa.array([person for person, _ in loans], pa.string()),
                "loan_id": pa.array([loan_id for _, loan_id in loans], pa.string()),
            }
        ),
    )
    work.connection.execute(f"CREATE TABLE due_person AS {select_text('read__due_person')}")
    flags = read_rows(work, "read__contact_flag", {"day_start": start})
    history = read_rows(work, "read__contact_history", {"history_start": history_start})
    return FactBook(
        holidays=public_holidays(day.folder.portfolio.holidays, day.business_date),
        points=points_by_person(read_rows(work, "read__contact_point", {"day_end": end})),
        flags=flags_by_person(flags) if delivered["raw__flag"] else None,
        history=history_by_person(history) if delivered["raw__contact"] else None,
        consents=consents_by_person(read_rows(work, "read__contact_consent")) if delivered["raw__consent"] else None,
    )


def _history_start(book: RuleBook, start: datetime) -> datetime:
    """How far back any rule counts; a day is added because a person's local date may begin earlier than ours."""
    if any(rule.kind == "cap" and rule.window == "ever" for rule in book.rules):
        return datetime.min.replace(tzinfo=UTC)
    return start - timedelta(days=1 + max((rule.days for rule in book.rules), default=0))
