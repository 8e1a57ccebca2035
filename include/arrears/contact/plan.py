"""The day's contact plan: for each case with a step due, the first channel that may be used, or why none may.

Belongs here: walking cases, channels and points. What is due stands in ``strategy``, what is allowed in ``set_policy``.
Every answer is kept, denials too. Texts name rules, channels and figures, never a person.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC
from functools import cached_property, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.contact.coding import TEXT, WHOLE, YES
from arrears.contact.facts import PLANNED
from arrears.contact.one_by_one import FEW, answer_candidates
from arrears.engine.duckdb import select_text
from arrears.rules.contact_values import Decision, Fired, Rule, RuleBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    import duckdb

    from arrears.contact.facts import Known
    from arrears.contact.paths import DueStep
    from arrears.rules.hours import Span

Row = dict[str, Any]

DUE_STEP = pa.schema(
    [
        ("case_no", pa.int64()),
        ("turn", WHOLE),
        ("book", TEXT),
        ("person_id", TEXT),
        ("borrower_id", TEXT),
        ("is_party_known", YES),
        ("channels", pa.list_(TEXT)),
        ("purpose", TEXT),
        ("content", pa.list_(TEXT)),
        ("days_past_due", WHOLE),
        ("debts", pa.list_(TEXT)),
    ]
)
ONE_PER_DAY = Rule(
    id="house.one_per_person_and_day",
    citation="house policy: one message per person and day, over all cases",
    effect="house",
    kind="cap",
    limit=1,
    window="calendar_day",
)
REJECTED_ROW = Rule(
    id="insufficient_facts.rejected_row",
    citation="a row of today's ledger about this loan or person was rejected: what it said is not known (ARR-CON-06)",
    effect="deny",
    kind="block",
    when_flags=("rejected_row",),
)
OPT_OUT = Rule(
    id="house.opt_out",
    citation="house policy: who said stop, to all or to one channel, is left alone there",
    effect="house",
    kind="block",
    when_flags=("opt_out", "opt_out_{channel}"),
)
WRONG_NUMBER = Rule(
    id="house.wrong_number",
    citation="house policy: a number or address that is somebody else's is not used again",
    effect="house",
    kind="block",
    when_flags=("wrong_number",),
)
SUPERVISOR_PAUSE = Rule(
    id="house.supervisor_pause",
    citation="house policy: none while a supervisor has paused contact",
    effect="house",
    kind="block",
    when_flags=("supervisor_pause",),
)
NO_WORKER = Fired("house.no_worker", "house policy: a call or a visit needs somebody who works the case today", "house")
WORKED_CHANNELS = ("call", "visit")  # made by people


def day_rules(book: RuleBook) -> RuleBook:
    """The portfolio's rules, with those that hold whatever the packs say.

    None while a row is rejected, at a wrong number, while a supervisor has paused; and, where no pack says so, none to
    who said stop, and one message per person and day.

    A portfolio without a pack keeps an empty book, which denies everything: nobody knows what binds it.
    """
    if not book.rules:
        return book
    has_cap = any(
        rule.kind == "cap" and rule.window == "calendar_day" and rule.limit <= 1 and not rule.channels
        for rule in book.rules
    )
    has_stop = any(set(OPT_OUT.when_flags) <= set(rule.when_flags) and not rule.channels for rule in book.rules)
    always = (REJECTED_ROW, WRONG_NUMBER, SUPERVISOR_PAUSE)
    own = (*(() if has_stop else (OPT_OUT,)), *(() if has_cap else (ONE_PER_DAY,)))
    return RuleBook((*always, *book.rules, *own))


@dataclass(frozen=True)
class CaseDue:
    """A case and the step it is due.

    Attributes:
        person: person_id, or borrower_id where the source does not say.
        loan_ids: The loans that may be worked: the only ones the contact is about.
        amount_minor: Their past-due amount.
        currency: Of that amount.
        segment_id: Segment of the strategy that the step is of.
        past_due_days: Of all of them alike, untouched by grace or pauses; None where they differ or nobody knows:
            no rule exempts one debt by the age of another.
        product: Product of all of them; None when they differ or nobody knows.
        residence: Where the borrower lives; None as above.
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
    past_due_days: int | None = None
    product: str | None = None
    residence: str | None = None
    currency: str = ""
    segment_id: str = ""

    @property
    def book(self) -> str:
        """Name of the rules that bind it (``Selection.named``)."""
        return f"{self.product or ''}@{self.residence or ''}"

    @property
    def person(self) -> str:
        """Who must not be contacted twice."""
        return self.person_id or self.borrower_id


@dataclass(frozen=True)
class Point:
    """A contact point asked about; ``rank`` from 1, 0 where the party has none."""

    rank: int
    contact_point_id: str | None
    place: str


@dataclass(frozen=True)
class Answer:
    """The policy's answers about one channel, point by point in order of preference."""

    channel: str
    points: tuple[tuple[Point, Decision], ...]

    @cached_property
    def chosen(self) -> tuple[Point, Decision] | None:
        """The first point that may be used."""
        return next((pair for pair in self.points if pair[1].is_allowed), None)

    @cached_property
    def decision(self) -> Decision:
        """All points together: the first that may be used, or everything that forbids them."""
        if self.chosen is not None:
            return self.chosen[1]
        fired = dict.fromkeys(fired for _, decision in self.points for fired in decision.fired)
        waits = [decision.earliest_at for _, decision in self.points if decision.earliest_at is not None]
        return Decision(tuple(fired), min(waits, default=None))


@dataclass(frozen=True)
class Terms:
    """What a day is planned by.

    Attributes:
        books: Rules by ``CaseDue.book``.
        bounds: First instant of the business date and first after it.
        zone: The portfolio's zone, for the times in sentences.
        strategy: Name and version.
        packs: Packs asked, each with its version.
    """

    books: Mapping[str, RuleBook]
    bounds: Span
    zone: ZoneInfo
    strategy: str
    packs: str


@dataclass(frozen=True)
class DayPlan:
    """Rows of ``out__contact_plan_daily`` and ``core__contact_decision_daily``."""

    plan: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)


def plan_day(
    connection: duckdb.DuckDBPyConnection, cases: Iterable[CaseDue], known: Known, terms: Terms, *, few: int = FEW
) -> DayPlan:
    """Plan at most one contact per person within the day; the case longest delinquent goes first.

    Everybody's first case is asked about at once, then everybody's second, which knows what the first has planned: as
    many rounds as one person has cases.

    Args:
        connection: With the relations of ``contact.facts``.
        cases: Cases with a step due; none of them held.
        known: What the portfolio delivers.
        terms: What the day is planned by.
        few: Candidates of a round up to which each is asked by itself.
    """
    made, planned = DayPlan(), []
    ordered = sorted(cases, key=lambda case: (-case.delinquent_days, -case.amount_minor, case.case_id))
    connection.register("due_step", _due_steps(ordered))
    turns = max(Counter(case.person for case in ordered).values(), default=0)
    for turn in range(turns):
        for number, answers in _answers(connection, turn, known, terms, ordered, few=few):
            case = ordered[number]
            made.decisions.extend(_decision_rows(case, answers, terms.packs))
            chosen = next((answer for answer in answers if answer.chosen), None)
            made.plan.append(_plan_row(case, answers, chosen, terms))
            if chosen is not None:
                planned.append(_planned_row(case, chosen))
        connection.register("contact_planned", pa.Table.from_pylist(planned, PLANNED))
    return made


def _due_steps(cases: Sequence[CaseDue]) -> pa.Table:
    """Cases as a relation; ``turn`` numbers those of one person."""
    turns: Counter[str] = Counter()
    rows = []
    for number, case in enumerate(cases):
        rows.append(
            {
                "case_no": number,
                "turn": turns[case.person],
                "book": case.book,
                "person_id": case.person,
                "borrower_id": case.borrower_id,
                "is_party_known": case.is_party_known,
                "channels": case.due.step.channels,
                "purpose": case.due.step.purpose,
                "content": sorted(case.due.step.content),
                "days_past_due": case.past_due_days,
                "debts": case.loan_ids,
            }
        )
        turns[case.person] += 1
    return pa.Table.from_pylist(rows, DUE_STEP)


def _answers(  # noqa: PLR0913  a round is its parts
    connection: duckdb.DuckDBPyConnection, turn: int, known: Known, terms: Terms, cases: Sequence[CaseDue], *, few: int
) -> Iterator[tuple[int, list[Answer]]]:
    """Number of each case of the turn, with an answer for each channel in the step's order."""
    parameters = {
        "turn": turn,
        "planned_at": terms.bounds[0],
        "until_at": terms.bounds[1],
        "are_flags_known": known.flags,
        "is_history_known": known.history,
        "are_consents_known": known.consents,
    }
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE contact_candidate AS {select_text('read__contact_candidate')}", parameters
    )
    answer_candidates(connection, terms.books, {"": known.holidays}, few=few)
    table: Any = connection.sql(select_text("read__contact_answer")).to_arrow_table()
    rows: list[Row] = table.to_pylist()
    for number, of_case in groupby(rows, key=lambda row: int(row["case_no"])):
        channels = groupby(of_case, key=lambda row: str(row["channel"]))
        yield number, [Answer(channel, tuple(_points(cases[number], channel, found))) for channel, found in channels]


def _points(case: CaseDue, channel: str, rows: Iterable[Row]) -> Iterator[tuple[Point, Decision]]:
    is_workable = case.has_worker or channel not in WORKED_CHANNELS
    for _, of_candidate in groupby(rows, key=lambda row: row["candidate_id"]):
        found = list(of_candidate)
        row = found[0]
        point = Point(row["point_rank"], row["contact_point_id"], row["place"])
        fired = tuple(Fired(one["rule_id"], one["citation"], one["effect"]) for one in found if one["rule_id"])
        if is_workable:
            yield point, Decision(fired, row["earliest_at"], row["not_before_at"], row["not_after_at"])
        else:
            yield point, Decision((NO_WORKER, *fired), None)


def _planned_row(case: CaseDue, chosen: Answer) -> Row:
    """The planned contact, as one that counts for the person's other cases."""
    assert chosen.chosen is not None  # noqa: S101  by the caller
    point, decision = chosen.chosen
    return {
        "person_id": case.person,
        "started_at": decision.not_before_at,
        "channel": chosen.channel,
        "outcome": "sent",
        "direction": "out",
        "party": "consumer",
        "party_id": case.person,
        "place": point.place,
        "purpose": case.due.step.purpose,
        "contact_point_id": point.contact_point_id,
        "collector": "",
        "debts": [],
    }


def _decision_rows(case: CaseDue, answers: Iterable[Answer], packs: str) -> Iterator[Row]:
    for answer in answers:
        for point, decision in answer.points:
            for fired in decision.fired or (Fired("", "", ""),):
                yield {
                    "case_id": case.case_id,
                    "step_id": case.due.step.id,
                    "channel_code": answer.channel,
                    "point_rank": point.rank,
                    "is_allowed": decision.is_allowed,
                    "rule_id": fired.rule_id,
                    "citation": fired.citation,
                    "effect_code": fired.effect,
                    "earliest_at": decision.earliest_at,
                    "packs": packs,
                }


def _plan_row(case: CaseDue, answers: list[Answer], chosen: Answer | None, terms: Terms) -> Row:
    step = case.due.step
    point, decision = chosen.chosen if chosen and chosen.chosen else (None, None)
    asked = answers[: answers.index(chosen) + 1] if chosen else answers
    return {
        "case_id": case.case_id,
        "borrower_id": case.borrower_id,
        "person_id": case.person_id,
        "step_id": step.id,
        "step_key": case.due.step_key,
        "state_code": "planned" if chosen else "blocked",
        "channel_code": chosen.channel if chosen else None,
        "contact_point_id": point.contact_point_id if point else None,
        "purpose_code": step.purpose,
        "template_code": step.template,
        "language": case.language,
        "strategy": terms.strategy,
        "segment_id": case.segment_id,
        "arm_code": case.due.arm,
        "loan_ids": ",".join(case.loan_ids),
        "currency": case.currency,
        "past_due_minor": case.amount_minor,
        "not_before_at": decision.not_before_at if decision else None,
        "not_after_at": decision.not_after_at if decision else None,
        "other_ways": _other_ways(answers),
        "reason": _reason(case, asked, terms.zone),
    }


def _other_ways(answers: Iterable[Answer]) -> str | None:
    """What may be done today besides the chosen, whose number may prove dead: in the step's order, then the point's."""
    allowed = [
        {
            "channel_code": answer.channel,
            "contact_point_id": point.contact_point_id,
            "not_before_at": decision.not_before_at.astimezone(UTC).isoformat(),
            "not_after_at": decision.not_after_at.astimezone(UTC).isoformat(),
        }
        for answer in answers
        for point, decision in answer.points
        if decision.is_allowed and decision.not_before_at is not None and decision.not_after_at is not None
    ]
    return json.dumps(allowed[1:]) if allowed[1:] else None


def _reason(case: CaseDue, answers: Iterable[Answer], zone: ZoneInfo) -> str:
    """``m1_call: sms denied by a, b, earliest ...; call 09:00-20:00 Asia/Shanghai; 34 delinquent days``."""
    words = [_words(answer.channel, answer.decision, zone) for answer in answers]
    return f"{case.due.step.id}: {'; '.join(words)}; {case.delinquent_days} delinquent days"


def _words(channel: str, decision: Decision, zone: ZoneInfo) -> str:
    if decision.not_before_at is not None and decision.not_after_at is not None:
        return f"{channel} {_clock(decision.not_before_at, zone)}-{_clock(decision.not_after_at, zone)} {zone.key}"
    rules = ", ".join(fired.rule_id for fired in decision.fired)
    waits = decision.earliest_at
    earliest = f", earliest {waits.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}" if waits else ""
    return f"{channel} denied by {rules}{earliest}"


@lru_cache(maxsize=1024)  # the ends of few windows, told a million times
def _clock(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%H:%M}"
