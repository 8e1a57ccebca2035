"""Cases, queues and shifts as the assignment rule reads them, and its answers as rows with a sentence each.

Belongs here: the two translations. Who gets what is decided in ``rules.assignment``. A sentence names figures, queue,
language and the agent's own number, never a borrower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.rules.assignment import Agent, Assignment, CaseToAssign, Queue, assign, minutes_of_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from arrears.portfolio_terms import AssignmentTerms

Row = dict[str, Any]
DAY = "queue {case.queue_id}, {case.language}; {required} min, {used} of {minutes} min of the day used"
SENTENCES = {
    code: f"{text}; {{case.delinquent_days}} delinquent days"
    for code, text in {
        "kept_agent": f"kept with {{agent}}; {DAY}",
        "new_agent": f"to {{agent}}, who has most minutes left; {DAY}",
        "reassigned_absent": f"to {{agent}}, as {{case.kept_agent_id}} is not on shift; {DAY}",
        "reassigned_stale": f"to {{agent}}, as nobody was spoken to while {{case.kept_agent_id}} had it; {DAY}",
        "by_supervisor": f"to {{agent}}, whom a supervisor named; {DAY}",
        "promise": "{owner}: promise due {due}; queue {case.queue_id}; nobody asks before",
        "pooled": "in the pool of queue {case.queue_id}, {case.language}; {required} min",
        "no_agent_needed": "queue {case.queue_id} is worked as {mode}, without an agent of its own",
        "overflow_bot": "nobody in queue {case.queue_id} has {required} min left; goes to {overflow} today",
        "overflow_language": "nobody on shift in queue {case.queue_id} speaks {case.language}",
        "overflow_capacity": "nobody in queue {case.queue_id} who speaks {case.language} has {required} min left",
        "not_staffed": "nobody is on shift in queue {case.queue_id} today",
        "held": "held: {case.hold_code}; none of its past-due loans may be worked today",
        "supervisor": "held: {case.hold_code}; no machine and no agent, a supervisor calls",
        "queue_unknown": "bucket {bucket} belongs to queue {case.queue_id}, which the source does not deliver",
        "no_queue": "bucket {bucket} has no queue in this portfolio",
    }.items()
}
PASSED_OVER = "; {named}, whom a supervisor named, is not there, may not, or has no room"


def assignment_rows(  # noqa: PLR0913  a floor is its parts
    cases: Sequence[Row],
    queues: Iterable[Row],
    shifts: Iterable[Row],
    queue_by_bucket: Mapping[str, str],
    *,
    terms: AssignmentTerms,
    business_date: date,
) -> list[Row]:
    """Rows of ``out__assignment_daily``.

    Args:
        cases: Rows of ``sql/read__case_to_assign.sql``.
        queues: Rows of ``raw__queue``.
        shifts: Rows of ``sql/read__shift.sql``.
        queue_by_bucket: The portfolio's queues.
        terms: Soft capacity, overflow and who supervises.
        business_date: The day.
    """
    known = {row["queue_id"]: _queue(row) for row in queues}
    of_case = {row["case_id"]: row for row in cases}
    shifts = list(shifts)
    agents = [_agent(row, terms.soft_capacity_pct) for row in shifts]
    minutes = {agent.agent_id: agent.productive_minutes for agent in agents}
    team = {row["agent_id"]: row.get("team_id") for row in shifts}
    staffed = {queue_id for agent in agents for queue_id in agent.queue_ids}
    wanted = [_case(row, queue_by_bucket) for row in cases]
    rows = []
    for answer in assign(wanted, known, agents, overflow_queue_id=terms.overflow_queue):
        row, agent_id = of_case[answer.case.case_id], answer.agent_id
        is_kept = agent_id is not None and agent_id == row["kept_agent_id"]
        rows.append(
            {
                "case_id": answer.case.case_id,
                "queue_id": _queue_of(answer, terms),
                "agent_id": agent_id,
                "is_assigned": answer.is_assigned,
                "reason_code": answer.reason_code,
                "reason": sentence(
                    answer,
                    bucket=row["bucket"],
                    queue=known.get(answer.case.queue_id),
                    minutes=minutes.get(agent_id or "", 0),
                    is_staffed=answer.case.queue_id in staffed,
                    overflow=terms.overflow_queue or "",
                ),
                "required_minutes": answer.required_minutes,
                "work_rank": answer.work_rank,
                "team_id": team.get(agent_id) if agent_id else None,
                "agent_since_on": None if agent_id is None else row["agent_since_on"] if is_kept else business_date,
            }
        )
    return rows


def sentence(  # noqa: PLR0913  the figures that decided
    answer: Assignment, *, bucket: str, queue: Queue | None, minutes: int, is_staffed: bool, overflow: str = ""
) -> str:
    """Why the case stands where it stands, with the figures that decided.

    Args:
        answer: The rule's answer.
        bucket: Bucket the case is worked in.
        queue: Its queue, where the source knows it.
        minutes: Productive minutes of its agent's day.
        is_staffed: Whether anybody on shift works the queue.
        overflow: Queue of the overflow.
    """
    case = answer.case
    code = answer.reason_code
    if code == "overflow_capacity" and not is_staffed:
        code = "not_staffed"
    if code == "no_queue" and case.queue_id:
        code = "queue_unknown"
    return SENTENCES[code].format(
        agent=answer.agent_id,
        owner=f"kept with {answer.agent_id}" if answer.agent_id else "with nobody",
        due=f"{case.promised_on:%m-%d}" if case.promised_on else "",
        bucket=bucket,
        case=case,
        minutes=minutes,
        mode=queue.work_mode_code if queue else "",
        overflow=overflow,
        required=queue.required_minutes if queue else 0,
        used=answer.used_minutes,
    ) + (PASSED_OVER.format(named=answer.case.named_agent_id) if _is_passed_over(answer) else "")


def _is_passed_over(answer: Assignment) -> bool:
    """Whether a supervisor named somebody, and somebody else or nobody has it."""
    return answer.case.named_agent_id not in (None, answer.agent_id) and answer.reason_code not in (
        "held",
        "supervisor",
    )


def _queue_of(answer: Assignment, terms: AssignmentTerms) -> str:
    if answer.reason_code == "supervisor":
        return terms.supervisor_queue
    return terms.overflow_queue or "" if answer.reason_code == "overflow_bot" else answer.case.queue_id


def _case(row: Row, queue_by_bucket: Mapping[str, str]) -> CaseToAssign:
    return CaseToAssign(
        case_id=row["case_id"],
        queue_id=queue_by_bucket.get(row["bucket"], ""),
        language=row["party_language"],
        delinquent_days=row["delinquent_days"],
        amount_minor=row["amount_minor"],
        hold_code=row["hold_code"],
        kept_agent_id=row["kept_agent_id"],
        promised_on=row["promised_on"],
        is_stale=row["is_stale"],
        barred_agent_ids=frozenset(row["barred_agent_ids"]),
        named_agent_id=row["named_agent_id"],
    )


def _queue(row: Row) -> Queue:
    minutes = minutes_of_case(row["avg_handle_seconds"], row["attempts_per_case"])
    return Queue(row["queue_id"], row["work_mode_code"], minutes)


def _agent(row: Row, soft_capacity_pct: int) -> Agent:
    minutes = row["productive_minutes"]
    soft = minutes * soft_capacity_pct // 100
    return Agent(row["agent_id"], frozenset(_listed(row["queue_ids"])), _listed(row["languages"]), minutes, soft)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)
