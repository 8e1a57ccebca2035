"""Cases, queues and shifts as the assignment rule reads them, and its answers as rows with a sentence each.

Belongs here: the two translations. Who gets what is decided in ``rules.assignment``. A sentence names figures, queue
and language, never a person or an agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.rules.assignment import Agent, Assignment, CaseToAssign, Queue, assign, minutes_of_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Row = dict[str, Any]

SENTENCES = {
    code: f"{text}; {{case.delinquent_days}} delinquent days"
    for code, text in {
        "kept_agent": "kept with the agent of the day before; queue {case.queue_id}, {case.language}; "
        "{required} min, {used} of {minutes} min of the day used",
        "new_agent": "to the agent with most minutes left; queue {case.queue_id}, {case.language}; "
        "{required} min, {used} of {minutes} min of the day used",
        "no_agent_needed": "queue {case.queue_id} is worked as {mode}, without an agent of its own",
        "overflow_language": "nobody on shift in queue {case.queue_id} speaks {case.language}",
        "overflow_capacity": "nobody in queue {case.queue_id} who speaks {case.language} has {required} min left",
        "not_staffed": "nobody is on shift in queue {case.queue_id} today",
        "held": "held: {case.hold_code}; none of its past-due loans may be worked today",
        "queue_unknown": "bucket {bucket} belongs to queue {case.queue_id}, which the source does not deliver",
        "no_queue": "bucket {bucket} has no queue in this portfolio",
    }.items()
}


def assignment_rows(
    cases: Sequence[Row], queues: Iterable[Row], shifts: Iterable[Row], queue_by_bucket: Mapping[str, str]
) -> list[Row]:
    """Rows of ``out__assignment_daily``.

    Args:
        cases: Rows of ``sql/read__case_to_assign.sql``.
        queues: Rows of ``raw__queue``.
        shifts: Rows of ``raw__agent_shift`` of the day.
        queue_by_bucket: The portfolio's queues.
    """
    known = {row["queue_id"]: _queue(row) for row in queues}
    bucket_of_case = {row["case_id"]: row["bucket"] for row in cases}
    wanted = [_case(row, queue_by_bucket) for row in cases]
    agents = [_agent(row) for row in shifts]
    minutes = {agent.agent_id: agent.productive_minutes for agent in agents}
    staffed = {queue_id for agent in agents for queue_id in agent.queue_ids}
    return [
        {
            "case_id": answer.case.case_id,
            "queue_id": answer.case.queue_id,
            "agent_id": answer.agent_id,
            "is_assigned": answer.is_assigned,
            "reason_code": answer.reason_code,
            "reason": sentence(
                answer,
                bucket=bucket_of_case[answer.case.case_id],
                queue=known.get(answer.case.queue_id),
                minutes=minutes.get(answer.agent_id or "", 0),
                is_staffed=answer.case.queue_id in staffed,
            ),
            "required_minutes": answer.required_minutes,
            "work_rank": answer.work_rank,
        }
        for answer in assign(wanted, known, agents)
    ]


def sentence(answer: Assignment, *, bucket: str, queue: Queue | None, minutes: int, is_staffed: bool) -> str:
    """Why the case stands where it stands, with the figures that decided.

    Args:
        answer: The rule's answer.
        bucket: Bucket the case is worked in.
        queue: Its queue, where the source knows it.
        minutes: Productive minutes of its agent's day.
        is_staffed: Whether anybody on shift works the queue.
    """
    case = answer.case
    code = answer.reason_code
    if code == "overflow_capacity" and not is_staffed:
        code = "not_staffed"
    if code == "no_queue" and case.queue_id:
        code = "queue_unknown"
    return SENTENCES[code].format(
        bucket=bucket,
        case=case,
        minutes=minutes,
        mode=queue.work_mode_code if queue else "",
        required=answer.required_minutes,
        used=answer.used_minutes,
    )


def _case(row: Row, queue_by_bucket: Mapping[str, str]) -> CaseToAssign:
    return CaseToAssign(
        case_id=row["case_id"],
        queue_id=queue_by_bucket.get(row["bucket"], ""),
        language=row["party_language"],
        delinquent_days=row["delinquent_days"],
        amount_minor=row["amount_minor"],
        hold_code=row["hold_code"],
        kept_agent_id=row["kept_agent_id"],
    )


def _queue(row: Row) -> Queue:
    minutes = minutes_of_case(row["avg_handle_seconds"], row["attempts_per_case"])
    return Queue(row["queue_id"], row["work_mode_code"], minutes)


def _agent(row: Row) -> Agent:
    return Agent(
        row["agent_id"], frozenset(_listed(row["queue_ids"])), _listed(row["languages"]), row["productive_minutes"]
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)
