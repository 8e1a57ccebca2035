"""The page of the case's states: the diagram and the table of moves, as the pipeline applies them."""

from __future__ import annotations

from arrears.rules.case_states import CLOSED_STATES, MEANINGS, MOVES, NONE, OPEN_STATES, STATE_OF_ENDING
from arrears.rules.cases import CLOSE_REASONS, HOLD_CODES

INTRODUCTION = """\
One open case per borrower and portfolio, over all overdue loans. What a day makes of it follows from the day before, \
the day's ageing and the feedback known when the day was cut; nothing else. Charge-off is no state but a stage \
(`stage_code` is `recovery`): work goes on.
"""
ENDINGS = """\
The least favourable ending of its loans names it, in this order: a sale or a waiver is never counted as a cure.
"""
HOLDS = """\
The first of these that holds is named; the other loans of the case go on, and the held one leaves amount and text. \
Flags are half-open instants on a loan, a person or, for a single number or address, a contact point.
"""

AT_RISK = """\
`self_harm_risk` stops every automatic step for the person, and the case goes to a supervisor, who is called until \
they take it over (`ARR-FBK-009`).
"""


def pages() -> dict[str, str]:
    """``case-states.md``."""
    parts = [
        "# The states of a case\n",
        INTRODUCTION,
        "```mermaid",
        "stateDiagram-v2",
        *_arrows(),
        "```\n",
        "## States\n",
        "An open case is in the first of these whose condition holds, in this order; `open` is what is left.\n",
        "| state | what it means |",
        "|---|---|",
        *(f"| `{state}` | {words} |" for state, words in MEANINGS.items()),
        "",
        "## Moves\n",
        "| move | from | to | when |",
        "|---|---|---|---|",
        *(f"| `{m.event}` | {_listed(m.sources)} | {_listed(m.targets)} | {m.guard} |" for m in MOVES),
        "",
        "Every other pair of states is refused: the day ends with `ARR-LAK-001` rather than publish it.\n",
        "## Why a case closes\n",
        ENDINGS,
        "| ending | state |",
        "|---|---|",
        *(f"| `{reason}` | `{STATE_OF_ENDING[reason]}` |" for reason in CLOSE_REASONS),
        "",
        "## Why a loan is held\n",
        HOLDS,
        ", ".join(f"`{code}`" for code in HOLD_CODES) + "\n",
        AT_RISK,
    ]
    return {"case-states.md": "\n".join(parts)}


def _arrows() -> list[str]:
    """One arrow per pair of states, with the names of its moves; endings start at the group of open states."""
    lines = ["    state at_work {"]
    inner = [m for m in MOVES if set(m.sources) <= set(OPEN_STATES) and set(m.targets) <= set(OPEN_STATES)]
    lines += [
        f"        {source} --> {target}: {m.event}" for m in inner for source in m.sources for target in m.targets
    ]
    lines += ["    }", "    [*] --> at_work: opened"]
    lines += [f"    at_work --> {m.targets[0]}: {m.event}" for m in MOVES if set(m.targets) <= set(CLOSED_STATES)]
    lines += [f"    {source} --> at_work: reopened" for m in MOVES if m.event == "reopened" for source in m.sources]
    return lines


def _listed(states: tuple[str, ...]) -> str:
    if states == OPEN_STATES:
        return "any open state"
    return ", ".join("no case" if state == NONE else f"`{state}`" for state in states)
