"""The day's contact plan: for each case with a step due, the first channel that may be used, or why none may.

Belongs here: walking steps and channels. What is due stands in ``strategy``, what is allowed in ``rules.contact``.
Every answer is kept, denials too. Texts name rules, channels and figures, never a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arrears.rules.contact import contact_window
from arrears.rules.contact_values import Decision, Fired, Planned, PriorContact, Rule, RuleBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from arrears.contact.facts import FactBook, Point
    from arrears.contact.strategy import DueStep
    from arrears.rules.hours import Span

Row = dict[str, Any]

ONE_PER_DAY = Rule(
    id="house.one_per_person_and_day",
    citation="house policy: one message per person and day, over all cases",
    effect="house",
    kind="cap",
    limit=1,
    window="calendar_day",
)
NO_WORKER = Fired("house.no_worker", "house policy: a call or a visit needs somebody who works the case today", "house")
WORKED_CHANNELS = ("call", "visit")  # made by people


@dataclass(frozen=True)
class CaseDue:
    """A case and the step it is due.

    Attributes:
        person: person_id, or borrower_id where the source does not say.
        loan_ids: The loans that may be worked: the only ones the contact is about.
        amount_minor: Their past-due amount.
        has_worker: Whether people, not a machine, work the case today.
    """

    case_id: str
    borrower_id: str
    person_id: str | None
    is_party_known: bool
    language: str
    delinquent_days: int
    amount_minor: int
    loan_ids: tuple[str, ...]
    has_worker: bool
    due: DueStep

    @property
    def person(self) -> str:
        """Who must not be contacted twice."""
        return self.person_id or self.borrower_id


@dataclass(frozen=True)
class Answer:
    """The policy's answer about one channel."""

    channel: str
    decision: Decision
    point: Point | None


@dataclass(frozen=True)
class DayPlan:
    """Rows of ``out__contact_plan_daily`` and ``out__contact_decision_daily``."""

    plan: list[Row]
    decisions: list[Row]


def day_rules(book: RuleBook) -> RuleBook:
    """The portfolio's rules, and one message per person and day where no pack says so already.

    A portfolio without a pack keeps an empty book, which denies everything: nobody knows what binds it.
    """
    has_own = any(
        rule.kind == "cap" and rule.window == "calendar_day" and rule.limit <= 1 and not rule.channels
        for rule in book.rules
    )
    return book if has_own or not book.rules else RuleBook((*book.rules, ONE_PER_DAY))


def plan_day(  # noqa: PLR0913  a plan is its inputs
    cases: Iterable[CaseDue], book: RuleBook, facts: FactBook, *, bounds: Span, zone: ZoneInfo, strategy: str
) -> DayPlan:
    """Plan at most one contact per person within ``bounds``; the case longest delinquent goes first.

    Args:
        cases: Cases with a step due; none of them held.
        book: The day's rules.
        facts: What is known; contacts planned here are noted in it.
        bounds: First instant of the business date and first after it.
        zone: The portfolio's zone, for the times in sentences.
        strategy: Name and version.
    """
    made = DayPlan([], [])
    for case in sorted(cases, key=lambda case: (-case.delinquent_days, -case.amount_minor, case.case_id)):
        answers = list(_answers(case, book, facts, bounds))
        made.decisions.extend(row for answer in answers for row in _decision_rows(case, answer))
        chosen = answers[-1] if answers[-1].decision.is_allowed else None
        made.plan.append(_plan_row(case, answers, chosen, zone, strategy))
        if chosen is not None and chosen.decision.not_before_at is not None and chosen.point is not None:
            facts.note(
                case.person,
                PriorContact(
                    at=chosen.decision.not_before_at,
                    channel=chosen.channel,
                    outcome="sent",
                    purpose=case.due.step.purpose,
                    party_id=case.person,
                    contact_point_id=chosen.point.contact_point_id,
                ),
            )
    return made


def _answers(case: CaseDue, book: RuleBook, facts: FactBook, bounds: Span) -> Iterator[Answer]:
    """One answer a channel in the step's order, up to the first that is allowed."""
    for channel in case.due.step.channels:
        answer = _answer(case, channel, book, facts, bounds)
        yield answer
        if answer.decision.is_allowed:
            return


def _answer(case: CaseDue, channel: str, book: RuleBook, facts: FactBook, bounds: Span) -> Answer:
    """The first point of the channel that may be used, or everything that forbids all of them."""
    is_workable = case.has_worker or channel not in WORKED_CHANNELS
    fired: dict[Fired, None] = {} if is_workable else {NO_WORKER: None}
    waits = []
    for point in facts.points_for(case.person, case.borrower_id, channel) or (None,):
        planned = Planned(
            at=bounds[0],
            channel=channel,
            contact_point_id=point.contact_point_id if point else None,
            party_id=case.person,
            place=point.place if point else "personal",
            purpose=case.due.step.purpose,
            debts=frozenset(case.loan_ids),
        )
        known = facts.facts_of(case.person, point, is_party_known=case.is_party_known)
        decision = contact_window(book, known, planned, bounds[1])
        if decision.is_allowed and is_workable:
            return Answer(channel, decision, point)
        fired.update(dict.fromkeys(decision.fired))
        if decision.earliest_at is not None:
            waits.append(decision.earliest_at)
    earliest_at = min(waits, default=None) if is_workable else None
    return Answer(channel, Decision(tuple(fired), earliest_at), None)


def _decision_rows(case: CaseDue, answer: Answer) -> Iterator[Row]:
    for fired in answer.decision.fired or (Fired("", "", ""),):
        yield {
            "case_id": case.case_id,
            "step_id": case.due.step.id,
            "channel_code": answer.channel,
            "is_allowed": answer.decision.is_allowed,
            "rule_id": fired.rule_id,
            "citation": fired.citation,
            "effect_code": fired.effect,
            "earliest_at": answer.decision.earliest_at,
        }


def _plan_row(case: CaseDue, answers: list[Answer], chosen: Answer | None, zone: ZoneInfo, strategy: str) -> Row:
    step = case.due.step
    return {
        "case_id": case.case_id,
        "borrower_id": case.borrower_id,
        "person_id": case.person_id,
        "step_id": step.id,
        "step_key": case.due.step_key,
        "state_code": "planned" if chosen else "blocked",
        "channel_code": chosen.channel if chosen else None,
        "contact_point_id": chosen.point.contact_point_id if chosen and chosen.point else None,
        "purpose_code": step.purpose,
        "template_code": step.template,
        "language": case.language,
        "strategy": strategy,
        "past_due_minor": case.amount_minor,
        "not_before_at": chosen.decision.not_before_at if chosen else None,
        "not_after_at": chosen.decision.not_after_at if chosen else None,
        "reason": _reason(case, answers, zone),
    }


def _reason(case: CaseDue, answers: list[Answer], zone: ZoneInfo) -> str:
    """``m1_call: sms denied by a, b, earliest ...; call 09:00-20:00 Asia/Shanghai; 34 delinquent days``."""
    parts = []
    for answer in answers:
        decision = answer.decision
        if decision.not_before_at is not None and decision.not_after_at is not None:
            opening, closing = (at.astimezone(zone) for at in (decision.not_before_at, decision.not_after_at))
            parts.append(f"{answer.channel} {opening:%H:%M}-{closing:%H:%M} {zone.key}")
            continue
        rules = ", ".join(fired.rule_id for fired in decision.fired)
        waits = decision.earliest_at
        earliest = f", earliest {waits.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}" if waits else ""
        parts.append(f"{answer.channel} denied by {rules}{earliest}")
    return f"{case.due.step.id}: {'; '.join(parts)}; {case.delinquent_days} delinquent days"
