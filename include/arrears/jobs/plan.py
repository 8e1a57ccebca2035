"""The job ``plan``: which cases are due a step today, and whether, how and when they may be contacted.

Afterwards it has the contacts that were made judged (``arrears.jobs.replay``): the same rules, the same facts.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from arrears.contact.facts import Known, make_fact_relations, name_people
from arrears.contact.plan import Terms, day_rules, plan_day
from arrears.jobs.day import Day, summary
from arrears.jobs.due import OF_CASES, cases_due
from arrears.jobs.elsewhere import read_contacts_elsewhere
from arrears.jobs.experiments import read_arms, strategy_of, write_experiments
from arrears.jobs.missed import read_waiting_steps
from arrears.jobs.previous import previous_date, read_previous
from arrears.jobs.replay import replay
from arrears.jobs.reported import read_with_reports
from arrears.jobs.rows import without_cycle_search, write_rows
from arrears.policy.packs import public_holidays
from arrears.policy.selection import select
from arrears.rules.hours import day_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from arrears.contact.plan import DayPlan
    from arrears.contact.strategy import Version
    from arrears.jobs.day import Work
    from arrears.jobs.experiments import Arms
    from arrears.settings import Settings

LEDGER = ("raw__party", "raw__queue", "raw__consent")
REPORTED = ("contact_point", "flag", "contact")


@without_cycle_search()
def plan(portfolio: str, business_date: date, *, run_ref: str = "", settings: Settings | None = None) -> dict[str, Any]:
    """Write the plan, its decisions, the experiments and the breaches of the day.

    Returns:
        The plan's manifest in short, contacts planned by channel, and blocked ones by every rule that forbade them;
        the share of the day's candidates that each rule forbids; contacts replayed, and breaches by rule.

    Raises:
        ConfigurationError: The strategy or a pack is wrong, or none is in force on the date.
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: The day's cases or assignment are not made yet.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    with day.work() as work:
        made, arms = plan_under(day, work, day.settings.policies)
        write_experiments(day, work, arms)
        write_rows(work, "core__contact_decision_daily", made.decisions)
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
        **_candidates(made.decisions),
        **replay(day),
    }


def plan_under(day: Day, work: Work, policies: Path, strategy: Version | None = None) -> tuple[DayPlan, Arms]:
    """The day's plan and decisions, and who is in which arm; nothing is written.

    Args:
        day: Assigned.
        work: Its connection.
        policies: Folder of the packs.
        strategy: Another than the one in force.

    Raises:
        ConfigurationError: The strategy or a pack is wrong, or none is in force on the date.
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: The day's cases or assignment are not made yet.
    """
    configured = day.folder.portfolio
    version = strategy or strategy_of(day)
    selection = select(
        configured.packs,
        policies,
        collector_type=configured.collector_type,
        unbound_as_house=configured.unbound_packs_as_house,
    )
    delivered = {table: work.read_optional(table) for table in LEDGER} | read_with_reports(work, *REPORTED)
    work.read("out__quarantine")
    read_contacts_elsewhere(work)
    compared_with = previous_date(day)
    for table in (*OF_CASES, "out__assignment_daily"):
        work.read(table)
    work.read_optional("raw__loan")
    read_previous(work, "out__contact_plan_daily", compared_with, view="previous__plan")
    unplanned_days = read_waiting_steps(work, compared_with)
    arms = read_arms(day, work, version, compared_with)
    cases = cases_due(day, work, version, arms, unplanned_days)
    terms = Terms(
        books={name: day_rules(selection.named(name)) for name in {case.book for case in cases}},
        bounds=day_bounds(day.business_date, configured.zone),
        zone=configured.zone,
        strategy=f"{configured.strategy}@{version.version}",
        packs=selection.label,
    )
    name_people(
        work.connection,
        [(case.person, case.borrower_id) for case in cases],
        [(case.person, loan_id) for case in cases for loan_id in case.loan_ids],
    )
    make_fact_relations(work.connection, terms.bounds)
    known = Known(
        flags=delivered["raw__flag"],
        history=delivered["raw__contact"],
        consents=delivered["raw__consent"],
        holidays=public_holidays(configured.holidays, day.business_date),
    )
    return plan_day(work.connection, cases, known, terms), arms


def _candidates(decisions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Candidates of the day (a case, step, channel and contact point each), and the share that each rule forbids."""
    names = ("case_id", "step_id", "channel_code", "point_rank")
    asked = {tuple(row[name] for name in names) for row in decisions}
    forbidden = Counter(row["rule_id"] for row in decisions if not row["is_allowed"])
    return {
        "candidates": len(asked),
        "blocked_share_by_rule": {rule: round(count / len(asked), 4) for rule, count in sorted(forbidden.items())},
    }
