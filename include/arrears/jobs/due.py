"""Who is due which step today: cases on their path, due dates that are coming, first loans.

Belongs here: from the day's tables to ``CaseDue``. What is due follows from ``contact.paths``; what is allowed, and on
which channel, is asked afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from arrears.contact.paths import step_due
from arrears.contact.plan import CaseDue
from arrears.engine.duckdb import select_text
from arrears.engine.tables import DuckTables
from arrears.jobs.accounts import make_schedule
from arrears.jobs.age import ageing_parameters
from arrears.jobs.rows import read_rows
from arrears.rules.buckets import bucket_of
from arrears.rules.cases import HOLD_CODES
from arrears.rules.hours import day_bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from arrears.contact.paths import DueStep
    from arrears.contact.strategy import Segment, Step, Version
    from arrears.jobs.day import Day, Work
    from arrears.jobs.experiments import Arms

Row = dict[str, Any]
OF_CASES = ("core__case_daily", "core__case_loan_daily", "core__case_trait_daily", "core__loan_delinquency_daily")
BEFORE_DUE = ("raw__loan", "raw__instalment", "raw__transaction", "raw__pause", "core__source_difference_daily")


def cases_due(day: Day, work: Work, version: Version, arms: Arms, unplanned_days: int = 0) -> list[CaseDue]:
    """Everybody who is due a step: of cases first, then of due dates and first loans.

    Args:
        day: Assigned, its ledger tables read.
        work: With ``previous__waiting``.
        version: The strategy in force.
        arms: Who is in which arm.
        unplanned_days: Days right before this one that were not planned at all.
    """
    configured = day.folder.portfolio
    rows = read_rows(work, "read__case_to_contact", {"language": configured.language})
    found = cases_due_of(rows, version, day.business_date, arms, unplanned_days)
    current = bucket_of(0, configured.bucket_set)
    for path, select, parameters in _before_due(day, work, version):
        for row in read_rows(work, select, parameters):
            facts = {"bucket": current, "amount": row["amount_minor"], "product": row["product_code"]}
            segment = version.segment_of(path, {**UNKNOWN, **facts})
            if segment is not None and (due := _on_path(row, segment.resolved, row["age_days"], unplanned_days)):
                found.append(_due({**NOT_LATE, **row}, segment, due))
    return found


def cases_due_of(
    rows: Iterable[Row], version: Version, day: date, arms: Arms, unplanned_days: int = 0
) -> list[CaseDue]:
    """The cases that are due a step.

    Args:
        rows: Of ``sql/read__case_to_contact.sql``.
        version: The strategy in force.
        day: The business date.
        arms: Who is in which arm.
        unplanned_days: Days right before this one that were not planned at all.
    """
    found = []
    for row in rows:
        segment = _segment_of_case(version, row)
        if segment is not None and (due := _of_case(row, segment, day, arms, unplanned_days)):
            found.append(_due(row, segment, due))
    return found


UNKNOWN = {"behaviour": "", "promise": "", "risk_band": "", "contactability": "", "vulnerable": False, "hold": ""}
NOT_LATE = {"delinquent_days": 0, "past_due_days": 0, "common_days": 0, "has_worker": False}


def _segment_of_case(version: Version, row: Row) -> Segment | None:
    return version.segment_of("past_due" if row["hold_code"] is None else "held", traits_of(row))


def traits_of(row: Row) -> Row:
    """The columns of a case that may steer contact, by the names that strategies use."""
    return {
        "bucket": row["bucket"],
        "amount": row["amount_minor"],
        "product": row["product_code"],
        "behaviour": row["behaviour_code"],
        "promise": row["promise_code"],
        "risk_band": row["risk_band_code"],
        "contactability": row["contactability_code"],
        "vulnerable": row["is_vulnerable"],
        "hold": row["hold_code"],
    }


def _of_case(row: Row, segment: Segment, day: date, arms: Arms, unplanned_days: int) -> DueStep | None:
    """The step of a case, on the path of its arm; a hold's path counts from the hold."""
    is_held = row["hold_code"] is not None
    episode = row["case_id"] if row["episodes"] == 1 else f"{row['case_id']}@{row['episode_on']}"
    since = row["state_since_on"] if is_held else row["episode_on"]
    age_days = (day - since).days
    if segment.is_over(age_days=age_days, contacts=row["steps_planned"]):
        return None
    row = {**row, "episode": f"{episode}@{since}" if is_held else episode}
    arm = None if is_held else arms.of(row, segment.id)
    if arm is None:
        return _on_path(row, segment.resolved, age_days, unplanned_days)
    due = _on_path(row, arm.path(segment.resolved, past_due_days=row["past_due_days"]), age_days, unplanned_days)
    return replace(due, arm=arms.label(segment.id, arm)) if due else None


def _on_path(row: Row, steps: Sequence[Step], age_days: int, unplanned_days: int) -> DueStep | None:
    return step_due(
        steps,
        age_days=age_days,
        person=row["person_id"] or row["borrower_id"],
        episode=row["episode"],
        waiting_key=row["waiting_key"],
        unplanned_days=unplanned_days,
    )


def _due(row: Row, segment: Segment, due: DueStep) -> CaseDue:
    return CaseDue(
        case_id=row["case_id"],
        borrower_id=row["borrower_id"],
        person_id=row["person_id"],
        is_party_known=row["is_party_known"],
        language=row["party_language"],
        delinquent_days=row["delinquent_days"],
        amount_minor=row["amount_minor"],
        loan_ids=tuple(row["loan_ids"]),
        has_worker=row["has_worker"],
        due=due,
        past_due_days=row["common_days"],
        product=row["product_code"],
        residence=row.get("residence_code"),  # of loans that are not late it is not asked: every pack binds
        currency=row["currency"],
        segment_id=segment.id,
    )


def _before_due(day: Day, work: Work, version: Version) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
    """Paths that begin before anything is late and that the strategy has, each with its SELECT and parameters."""
    coming = [step.day for segment in version.of_path("pre_due") for step in segment.resolved]
    first = [step.day + step.catch_up_days for segment in version.of_path("first_loan") for step in segment.resolved]
    if not coming and not first:
        return ()
    for table in BEFORE_DUE:
        work.read_optional(table)
    configured = day.folder.portfolio
    as_of = configured.as_of(day.business_date)
    make_schedule(DuckTables(work.connection), ageing_parameters(configured.ageing, configured.bucket_set, as_of))
    start, end = day_bounds(day.business_date, configured.zone)
    held = {"business_date": day.business_date, "hold_codes": list(HOLD_CODES), "day_start": start, "day_end": end}
    work.connection.execute(f"CREATE TABLE spared_borrower AS {select_text('read__spared_borrower')}", held)
    common = {"business_date": day.business_date, "portfolio": day.name, "language": configured.language}
    ahead = {**common, "ahead_days": -min(coming, default=0), "tolerance_minor": configured.ageing.tolerance_minor}
    paths = (
        ("pre_due", "read__due_soon", ahead, coming),
        ("first_loan", "read__first_loan", {**common, "back_days": max(first, default=0)}, first),
    )
    return tuple((path, select, parameters) for path, select, parameters, steps in paths if steps)
