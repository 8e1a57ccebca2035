"""Which agent works which case today: a greedy pass in order of priority with repair, and a reason for every answer.

What is sought: no hard constraint is broken; the minutes of the day go to the cases most delinquent (each minute weighs
as many points as the case has delinquent days), a few points more where a case stays with its agent; nobody works above
the soft capacity while somebody else is below it; minutes are spread evenly. That objective's greedy order is by
delinquent days; each case to the agent with most minutes left comes within the measured gap of the exact optimum
(tests/cases/test_assignment_gap.py) and takes seconds for 100,000 cases.

Belongs here: the pure rule. Reading cases, queues and shifts, and the sentences people read, stand in
``arrears.cases.assignment``. The same input gives the same answer, whatever the order of its rows.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

AGENT_MODES = ("named", "field")
POOLED_MODES = ("pooled_dialler",)  # agents work them, nobody owns a case; the other modes need no agent of ours
WORKED = (
    "kept_agent",
    "new_agent",
    "reassigned_absent",
    "reassigned_stale",
    "pooled",
    "no_agent_needed",
    "overflow_bot",
    "promise",
    "supervisor",
    "by_supervisor",
)
WITHOUT_AGENT = ("held", "promise", "supervisor", "no_agent_needed", "overflow_bot")  # take nobody's minutes today
SUPERVISED = "self_harm_risk"


@dataclass(frozen=True)
class CaseToAssign:
    """One open case.

    Attributes:
        queue_id: Queue of its bucket; "" when the bucket has none.
        language: BCP 47 language of the main borrower.
        hold_code: Why it may not be worked; None when it may.
        kept_agent_id: The agent who had it the day before, if any.
        promised_on: When its live promise or plan is due; None without one.
        is_stale: Nobody has spoken to the borrower for too long while that agent had it.
        barred_agent_ids: Agents with a conflict of interest.
        named_agent_id: Whom a supervisor has named; None: nobody was named.
    """

    case_id: str
    queue_id: str
    language: str
    delinquent_days: int
    amount_minor: int
    hold_code: str | None = None
    kept_agent_id: str | None = None
    promised_on: date | None = None
    is_stale: bool = False
    barred_agent_ids: frozenset[str] = frozenset()
    named_agent_id: str | None = None


@dataclass(frozen=True)
class Queue:
    """How a queue is worked, and the whole minutes one case takes there."""

    queue_id: str
    work_mode_code: str
    required_minutes: int


@dataclass(frozen=True)
class Agent:
    """An agent on shift today, licensed for the portfolio.

    Attributes:
        productive_minutes: Hard capacity.
        soft_minutes: What is given before anybody is given more; None: the hard capacity.
    """

    agent_id: str
    queue_ids: frozenset[str]
    languages: tuple[str, ...]
    productive_minutes: int
    soft_minutes: int | None = None

    @property
    def soft(self) -> int:
        """Soft capacity in minutes."""
        return self.productive_minutes if self.soft_minutes is None else self.soft_minutes


@dataclass(frozen=True)
class Assignment:
    """The answer for one case.

    Attributes:
        agent_id: Who has it; None in a pool, with a machine, or on overflow.
        reason_code: As in ``out__assignment_daily``.
        required_minutes: Minutes of an agent that the case takes today; 0 when none may or need work it.
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
        return self.reason_code in WORKED


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


def assign(
    cases: Iterable[CaseToAssign],
    queues: Mapping[str, Queue],
    agents: Iterable[Agent],
    *,
    overflow_queue_id: str | None = None,
) -> list[Assignment]:
    """Give every case a place: an agent, a queue that needs none, or a reason why nobody works it today.

    Cases are taken by highest ``delinquent_days``, then highest amount, then ``case_id``. One with a live promise stays
    with its agent, on shift or not, and takes no minutes. Whom a supervisor has named gets the case before all others,
    as far as the hard limits let that one, and has its promise. The others stay with the agent of the day before when
    that one is on shift, works the queue, speaks the language, has no conflict and has room, unless they are stale and
    somebody else has room; otherwise they go to the agent with the most minutes left below the soft capacity, then
    below the hard one, of equals the first by ``agent_id``. Where nobody has room, an earlier case moves over if that
    makes some. What is left goes to the overflow queue if that is worked by machines, or waits. No agent's minutes are
    exceeded.

    Args:
        cases: Every open case, held ones too.
        queues: By queue_id.
        agents: On shift today; ``productive_minutes`` >= 0.
        overflow_queue_id: Queue for what nobody has room for; None: it waits.

    Returns:
        One answer a case, in order of priority.

    Source:
        ARR-ASG-03.
    """
    floor = _Floor(agents, queues)
    overflow = queues.get(overflow_queue_id or "")
    ordered = sorted(cases, key=lambda case: (-case.delinquent_days, -case.amount_minor, case.case_id))
    reasons = {  # what a person decided has its minutes first
        case.case_id: _place(case, floor, overflow) for case in sorted(ordered, key=lambda one: not one.named_agent_id)
    }
    answers: list[Assignment] = []
    ranks: defaultdict[tuple[str | None, str, bool], int] = defaultdict(int)
    used: defaultdict[str, int] = defaultdict(int)
    for case in ordered:
        reason = reasons[case.case_id]
        worker = floor.worker_of.get(case.case_id)
        queue = queues.get(case.queue_id)
        minutes = 0 if queue is None or reason in WITHOUT_AGENT else queue.required_minutes
        if worker is not None:
            used[worker] += minutes
        named = case.named_agent_id if case.named_agent_id not in case.barred_agent_ids else None
        owner = named or case.kept_agent_id
        agent_id = owner if reason == "promise" else None if reason == "pooled" else worker
        listed = (agent_id, "" if agent_id else case.queue_id, reason in WORKED)
        ranks[listed] += 1
        answers.append(
            Assignment(case, agent_id, reason, minutes, used[worker] if worker and agent_id else 0, ranks[listed])
        )
    return answers


def _place(case: CaseToAssign, floor: _Floor, overflow: Queue | None) -> str:  # noqa: PLR0911  one for each reason
    """The reason code; the floor remembers the agent."""
    if case.hold_code is not None:
        return "supervisor" if case.hold_code == SUPERVISED else "held"
    if case.promised_on is not None:
        return "promise"
    queue = floor.queues.get(case.queue_id)
    if queue is None:
        return "no_queue"
    if floor.give_named(case):
        return "by_supervisor"
    is_pooled = queue.work_mode_code in POOLED_MODES and floor.is_staffed(case.queue_id)
    if queue.work_mode_code not in AGENT_MODES and not is_pooled:
        return "no_agent_needed"
    if floor.give(case, to_anybody=is_pooled):
        return "pooled" if is_pooled else floor.how[case.case_id]
    if overflow is not None and overflow.work_mode_code == "bot":
        return "overflow_bot"
    return (
        "overflow_capacity" if floor.anybody_may(case) or not floor.is_staffed(case.queue_id) else "overflow_language"
    )


Kind = tuple[str, str]  # queue and language: cases of one kind take the same minutes and the same agents


class _Floor:
    """The agents of the day, the minutes each has left, and who has which case."""

    def __init__(self, agents: Iterable[Agent], queues: Mapping[str, Queue]) -> None:
        self.queues = queues
        self.agents = {agent.agent_id: agent for agent in sorted(agents, key=lambda one: one.agent_id)}
        self.left = {agent.agent_id: agent.productive_minutes for agent in self.agents.values()}
        self.worker_of: dict[str, str] = {}
        self.how: dict[str, str] = {}
        self._staffed = frozenset().union(*(agent.queue_ids for agent in self.agents.values()))
        self._heaps: dict[Kind, list[tuple[int, int, str]]] = {}
        self._able: dict[Kind, tuple[str, ...]] = {}
        self._movable: defaultdict[str, defaultdict[Kind, list[CaseToAssign]]] = defaultdict(lambda: defaultdict(list))
        self._full: set[Kind] = set()

    def is_staffed(self, queue_id: str) -> bool:
        """Whether anybody on shift works that queue."""
        return queue_id in self._staffed

    def anybody_may(self, case: CaseToAssign) -> bool:
        """Whether anybody on shift may work the case at all."""
        return bool(self._of_kind(_kind(case)))

    def give_named(self, case: CaseToAssign) -> bool:
        """Book the minutes of the agent whom a supervisor named; whether there was one who may and has room."""
        named, minutes = case.named_agent_id, self.queues[case.queue_id].required_minutes
        if named is None or not self._may(named, case) or self.left[named] < minutes:
            return False
        self.left[named] -= minutes
        self.worker_of[case.case_id] = named
        return True

    def give(self, case: CaseToAssign, *, to_anybody: bool) -> bool:
        """Book the minutes of the best agent for a case; whether there is one."""
        kind, kept = _kind(case), None if to_anybody else case.kept_agent_id
        minutes = self.queues[case.queue_id].required_minutes
        stays = kept is not None and self._may(kept, case) and self.left[kept] >= minutes
        if stays and not case.is_stale:
            return self._book(case, kept or "", minutes, "kept_agent")
        spared = case.barred_agent_ids | ({kept} if kept else frozenset())
        other = None if kind in self._full else self._freest(kind, minutes, spared)
        if other is not None:
            return self._book(case, other, minutes, self._why(case, stays=stays, to_anybody=to_anybody))
        if stays:  # stale, and nobody else has room
            return self._book(case, kept or "", minutes, "kept_agent")
        made = None if case.barred_agent_ids or kind in self._full else self._make_room(kind, minutes)
        if made is None:
            if not case.barred_agent_ids:
                self._full.add(kind)
            return False
        self._full.clear()  # what has moved may have left more room than it took
        return self._book(case, made, minutes, self._why(case, stays=False, to_anybody=to_anybody))

    def _why(self, case: CaseToAssign, *, stays: bool, to_anybody: bool) -> str:
        if case.kept_agent_id is None or to_anybody:
            return "new_agent"
        if stays:
            return "reassigned_stale"
        return "new_agent" if case.kept_agent_id in self.agents else "reassigned_absent"

    def _book(self, case: CaseToAssign, agent_id: str, minutes: int, how: str) -> bool:
        self.left[agent_id] -= minutes
        self.worker_of[case.case_id], self.how[case.case_id] = agent_id, how
        if how != "kept_agent":
            self._movable[agent_id][_kind(case)].append(case)
        return True

    def _may(self, agent_id: str, case: CaseToAssign) -> bool:
        return agent_id in self._of_kind(_kind(case)) and agent_id not in case.barred_agent_ids

    def _of_kind(self, kind: Kind) -> tuple[str, ...]:
        """Agents who may work cases of a kind, by id."""
        if kind not in self._able:
            self._able[kind] = tuple(
                agent.agent_id
                for agent in self.agents.values()
                if kind[0] in agent.queue_ids and any(speaks(language, kind[1]) for language in agent.languages)
            )
        return self._able[kind]

    def _freest(self, kind: Kind, minutes: int, barred: frozenset[str]) -> str | None:
        """The agent with room who has most minutes left, to the soft capacity first; None: nobody has room."""
        if kind not in self._heaps:
            self._heaps[kind] = [self._entry(agent_id) for agent_id in self._of_kind(kind)]
            heapify(self._heaps[kind])
        heap, aside = self._heaps[kind], []
        found = None
        while heap:
            entry = heappop(heap)
            now = self._entry(entry[2])
            if now != entry:
                heappush(heap, now)  # minutes have been booked since
                continue
            aside.append(entry)
            if entry[2] not in barred and self.left[entry[2]] >= minutes:
                found = entry[2]
                break
        for entry in aside:
            heappush(heap, entry)
        return found

    def _entry(self, agent_id: str) -> tuple[int, int, str]:
        """Place in a heap: minutes left to the soft capacity, which may be below zero, most first."""
        return (self._over(agent_id) - self.left[agent_id], -self.left[agent_id], agent_id)

    def _over(self, agent_id: str) -> int:
        """Minutes between the soft and the hard capacity."""
        return self.agents[agent_id].productive_minutes - self.agents[agent_id].soft

    def _make_room(self, kind: Kind, minutes: int) -> str | None:
        """Move one earlier case to another agent so that somebody has room for this kind; who that is, or None."""
        for agent_id in self._of_kind(kind):
            for other, moved, size in self._moves(agent_id, minutes - self.left[agent_id]):
                case = moved.pop()
                how = self.how[case.case_id]
                self.left[agent_id] += size
                self._book(case, other, size, how)
                return agent_id
        return None

    def _moves(self, agent_id: str, needed: int) -> Iterator[tuple[str, list[CaseToAssign], int]]:
        """Kinds of which a case of that agent, freeing enough minutes, would fit another agent's day."""
        for kind in sorted(self._movable[agent_id]):
            cases, size = self._movable[agent_id][kind], self.queues[kind[0]].required_minutes
            if not cases or size < needed:
                continue
            barred = cases[-1].barred_agent_ids
            fitting = [
                (self.left[other], other)
                for other in self._of_kind(kind)
                if other != agent_id and other not in barred and self.left[other] >= size
            ]
            if fitting:
                yield min(fitting, key=lambda pair: (-pair[0], pair[1]))[1], cases, size


def _kind(case: CaseToAssign) -> Kind:
    return case.queue_id, case.language
