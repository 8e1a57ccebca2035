"""The states of a case, and every move between them, in one table.

Belongs here: which moves exist, what has to hold for each, and which one a day makes. ``sql/core__case_daily.sql``
reads this table as the relation ``case_move``; the page of the diagram is drawn from it. What a day's facts are, and
which loans a case has, stands in ``cases``.
"""

from __future__ import annotations

from dataclasses import dataclass

NONE = ""  # the borrower has no case
OPEN_STATES = ("open", "in_treatment", "promised", "plan", "hold")
CLOSED_STATES = ("cured", "paid_off", "settled", "sold", "transferred", "closed_other")
CASE_STATES = (*OPEN_STATES, *CLOSED_STATES)
STAGES = ("collection", "recovery")  # recovery: a loan of it is charged off, and work goes on

# Words for each state; the order is that of precedence: an open case is in the first whose condition holds.
MEANINGS = {
    "hold": "Open, and none of its past-due loans may be worked; hold_code says why",
    "plan": "A plan of instalments is agreed and alive: only the plan is served",
    "promised": "A promise to pay is alive: nobody asks before it is due and its grace has passed",
    "in_treatment": "A step of its path has been planned since it opened",
    "open": "No step yet",
    "cured": "All arrears paid in cash, or the paid-off loans among them",
    "paid_off": "All its loans paid off",
    "settled": "A loan of it settled for less",
    "sold": "A loan of it sold: never a cure",
    "transferred": "A loan of it went to another borrower or lender",
    "closed_other": "Cancelled; or the arrears ended without the cash for them: waiver, refund, new schedule",
}
STATE_OF_ENDING = {
    "sold": "sold",
    "transferred": "transferred",
    "settled": "settled",
    "cancelled": "closed_other",
    "relieved": "closed_other",
    "cured": "cured",
    "paid_off": "paid_off",
}
REOPENED_FROM = ("cured", "relieved")  # endings after which arrears soon back belong to the same case


@dataclass(frozen=True)
class Move:
    """One kind of move.

    Attributes:
        event: Its name, as published.
        sources: States it may start from; ``NONE``: no case.
        targets: States it may end in.
        guard: What has to hold, in words.
    """

    event: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    guard: str


WORKED = ("open", "in_treatment")
MOVES = (
    Move("opened", (NONE,), OPEN_STATES, "a loan is delinquent, and no case closed within reopen_days can take it"),
    Move(
        "reopened", ("cured", "closed_other"), OPEN_STATES, "delinquent again within reopen_days of its cure or relief"
    ),
    Move("treated", ("open",), ("in_treatment",), "the plan of a day before holds a step for it"),
    Move("promised", (*WORKED, "plan", "hold"), ("promised",), "a promise is alive, and a loan may be worked"),
    Move("plan_agreed", (*WORKED, "promised", "hold"), ("plan",), "a plan is alive, and a loan may be worked"),
    Move("promise_ended", ("promised",), WORKED, "kept, broken or cancelled, and arrears are left"),
    Move("plan_ended", ("plan",), WORKED, "fulfilled, broken or cancelled, and arrears are left"),
    Move("held", (*WORKED, "promised", "plan"), ("hold",), "none of its past-due loans may be worked"),
    Move("released", ("hold",), WORKED, "a past-due loan may be worked again"),
    Move("cured", OPEN_STATES, ("cured",), "no loan past due or missing; the cash for the arrears came in"),
    Move("paid_off", OPEN_STATES, ("paid_off",), "all its loans are paid off"),
    Move("settled", OPEN_STATES, ("settled",), "a loan settled, none past due or missing"),
    Move("sold", OPEN_STATES, ("sold",), "a loan sold, none past due or missing"),
    Move("transferred", OPEN_STATES, ("transferred",), "a loan has left the borrower, none past due or missing"),
    Move("closed_other", OPEN_STATES, ("closed_other",), "cancelled, or relieved without the cash"),
)
UNCHANGED = "unchanged"
CASE_MOVES = (*(move.event for move in MOVES), UNCHANGED)


@dataclass(frozen=True)
class Standing:
    """What decides a case's state today.

    Attributes:
        close_reason: Why it closes today; None while it is open.
        is_held: None of its past-due loans may be worked.
        has_plan: A plan is alive on one of them.
        has_promise: A promise is alive on one of them.
        is_treated: A step was planned since it opened or re-opened.
    """

    close_reason: str | None = None
    is_held: bool = False
    has_plan: bool = False
    has_promise: bool = False
    is_treated: bool = False


def state_of(today: Standing) -> str:
    """The state these facts put a case in, whatever it was before.

    A hold goes before everything: a promise of somebody who may not be worked pauses nothing that is not paused. A plan
    goes before a single promise. Being treated is never forgotten while the case is open.

    Source:
        ARR-CAS-05.
    """
    if today.close_reason is not None:
        return STATE_OF_ENDING[today.close_reason]
    holds = {
        "hold": today.is_held,
        "plan": today.has_plan,
        "promised": today.has_promise,
        "in_treatment": today.is_treated,
    }
    return next((state for state, is_so in holds.items() if is_so), "open")


def moves() -> dict[tuple[str, str], str]:
    """Event by (state before, state after): every move that may happen, those that change nothing included."""
    found = {(state, state): UNCHANGED for state in OPEN_STATES}
    for move in MOVES:
        for source in move.sources:
            for target in move.targets:
                found[source, target] = move.event
    return found


def move(before: str, today: Standing) -> tuple[str, str]:
    """State after, and the event that leads there.

    Args:
        before: State on the day before; ``NONE`` without a case.
        today: The facts.

    Raises:
        KeyError: No such move: a case does not leave a closed state but by being re-opened.

    Source:
        ARR-CAS-05.
    """
    after = state_of(today)
    return after, moves()[before, after]
