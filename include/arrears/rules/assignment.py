"""Which agent works which case today: one greedy pass in order of priority, and a reason for every answer.

Belongs here: the pure rule. Reading cases, queues and shifts, and the sentences people read, stand in
``arrears.cases.assignment``. The same input gives the same answer, whatever the order of its rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heapreplace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AGENT_MODES = ("named", "field")  # the other modes are worked by machines, pools or third parties


@dataclass(frozen=True)
class CaseToAssign:
    """One open case.

    Attributes:
        queue_id: Queue of its bucket; "" when the bucket has none.
        language: BCP 47 language of the main borrower.
        hold_code: Why it may not be worked; None when it may.
        kept_agent_id: The agent who had it the day before, if any.
    """

    case_id: str
    queue_id: str
    language: str
    delinquent_days: int
    amount_minor: int
    hold_code: str | None = None
    kept_agent_id: str | None = None


@dataclass(frozen=True)
class Queue:
    """How a queue is worked, and the whole minutes one case takes there."""

    queue_id: str
    work_mode_code: str
    required_minutes: int


@dataclass(frozen=True)
class Agent:
    """An agent on shift today."""

    agent_id: str
    queue_ids: frozenset[str]
    languages: tuple[str, ...]
    productive_minutes: int


@dataclass(frozen=True)
class Assignment:
    """The answer for one case.

    Attributes:
        reason_code: As in ``out__assignment_daily``.
        required_minutes: Minutes the case takes today; 0 when nobody may work it.
        used_minutes: Minutes of the agent's day used up to and with this case; 0 without an agent.
        work_rank: From 1 within the agent's list, or within the queue's list of worked, or of waiting, cases.
    """

    case: CaseToAssign
    agent_id: str | None
    reason_code: str
    required_minutes: int
    used_minutes: int
    work_rank: int

    @property
    def is_assigned(self) -> bool:
        """Worked today."""
        return self.reason_code in ("kept_agent", "new_agent", "no_agent_needed")


def minutes_of_case(avg_handle_seconds: int, attempts_per_case: int) -> int:
    """Minutes one case takes today, rounded up: a minute begun is a minute gone.

    Source:
        ARR-ASG-01.
    """
    return -(-avg_handle_seconds * attempts_per_case // 60)


def speaks(language: str, wanted: str) -> bool:
    """Whether a speaker of one BCP 47 language serves the other: equal, or one is the other without its region.

    ``zh`` serves ``zh-CN`` and the reverse; ``zh-TW`` does not serve ``zh-CN``.

    Source:
        ARR-ASG-02; RFC 4647, basic filtering, both ways.
    """
    first, second = language.casefold(), wanted.casefold()
    return first == second or first.startswith(f"{second}-") or second.startswith(f"{first}-")


def assign(cases: Iterable[CaseToAssign], queues: Mapping[str, Queue], agents: Iterable[Agent]) -> list[Assignment]:
    """Give every case a place: an agent, a queue that needs none, or a reason why nobody works it today.

    Cases are taken by highest ``delinquent_days``, then highest amount, then ``case_id``. Each stays with the agent
    of the day before when that one is on shift, works the queue, speaks the language and has room; otherwise it
    goes to the agent with the most minutes left, of equals the first by ``agent_id``. No agent's minutes are exceeded.

    Args:
        cases: Every open case, held ones too.
        queues: By queue_id.
        agents: On shift today; ``productive_minutes`` >= 0.

    Returns:
        One answer a case, in order of priority.

    Source:
        ARR-ASG-03.
    """
    floor = _Floor(agents)
    answers: list[Assignment] = []
    ranks: dict[tuple[str | None, str, bool], int] = {}
    for case in sorted(cases, key=lambda case: (-case.delinquent_days, -case.amount_minor, case.case_id)):
        queue = queues.get(case.queue_id)
        agent_id, reason = _place(case, queue, floor)
        is_worked = reason in ("kept_agent", "new_agent", "no_agent_needed")
        listed = (agent_id, "" if agent_id else case.queue_id, is_worked)
        ranks[listed] = ranks.get(listed, 0) + 1
        minutes = queue.required_minutes if queue and reason != "held" else 0
        answers.append(Assignment(case, agent_id, reason, minutes, floor.used(agent_id), ranks[listed]))
    return answers


def _place(case: CaseToAssign, queue: Queue | None, floor: _Floor) -> tuple[str | None, str]:
    if case.hold_code is not None:
        return None, "held"
    if queue is None:
        return None, "no_queue"
    if queue.work_mode_code not in AGENT_MODES:
        return None, "no_agent_needed"
    if floor.take(case.kept_agent_id, case, queue.required_minutes):
        return case.kept_agent_id, "kept_agent"
    freest = floor.freest(case)
    if floor.take(freest, case, queue.required_minutes):
        return freest, "new_agent"
    is_only_language = freest is None and floor.is_staffed(case.queue_id)
    return None, "overflow_language" if is_only_language else "overflow_capacity"


class _Floor:
    """The agents of the day and the minutes each has left."""

    def __init__(self, agents: Iterable[Agent]) -> None:
        self._agents = {agent.agent_id: agent for agent in agents}
        self._left = {agent.agent_id: agent.productive_minutes for agent in self._agents.values()}
        self._staffed = frozenset().union(*(agent.queue_ids for agent in self._agents.values()))
        self._heaps: dict[tuple[str, str], list[tuple[int, str]]] = {}

    def take(self, agent_id: str | None, case: CaseToAssign, minutes: int) -> bool:
        """Book the minutes, if the agent is there, may work the case and has them."""
        agent = self._agents.get(agent_id or "")
        if agent is None or not _may_work(agent, case) or self._left[agent.agent_id] < minutes:
            return False
        self._left[agent.agent_id] -= minutes
        return True

    def used(self, agent_id: str | None) -> int:
        """Minutes booked so far."""
        return self._agents[agent_id].productive_minutes - self._left[agent_id] if agent_id else 0

    def is_staffed(self, queue_id: str) -> bool:
        """Whether anybody on shift works that queue."""
        return queue_id in self._staffed

    def freest(self, case: CaseToAssign) -> str | None:
        """The agent with most minutes left among those who may work the case; None when there is nobody."""
        wanted = (case.queue_id, case.language)
        if wanted not in self._heaps:
            eligible = [agent.agent_id for agent in self._agents.values() if _may_work(agent, case)]
            self._heaps[wanted] = [(-self._left[agent_id], agent_id) for agent_id in eligible]
            heapify(self._heaps[wanted])
        heap = self._heaps[wanted]
        while heap:
            left, agent_id = heap[0]
            if -left == self._left[agent_id]:
                return agent_id
            heapreplace(heap, (-self._left[agent_id], agent_id))  # minutes only shrink: the stale top sinks
        return None


def _may_work(agent: Agent, case: CaseToAssign) -> bool:
    return case.queue_id in agent.queue_ids and any(speaks(language, case.language) for language in agent.languages)
