"""The collection floor: queues, agents by number, shifts.

Belongs here: what does not depend on any loan, only on how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from arrears.sources.demo.calendar import LOOK_BACK_DAYS, choice, drawn
from arrears.sources.demo.columns import days, ids, texts
from arrears.sources.demo.schema import TABLES

if TYPE_CHECKING:
    import numpy.typing as npt

    from arrears.sources.demo.calendar import Days, Mask
    from arrears.sources.demo.order import Order

LOANS_AN_AGENT = 400
LEAST_AGENTS, MOST_AGENTS = 8, 600


@dataclass(frozen=True)
class Roster:
    """Who works when.

    Attributes:
        day: (days,) from the first day of the logs to ``as_of``.
        works: (days, agents) whether the agent is on shift.
        team: (agents,) queues, comma separated.
        languages: (agents,) languages, comma separated.
        minutes: (days, agents) productive minutes of a shift.
    """

    day: Days
    works: Mask
    team: npt.NDArray[Any]
    languages: npt.NDArray[Any]
    minutes: npt.NDArray[np.int32]

    def somebody(self, on: Days, random: np.random.Generator) -> npt.NDArray[np.int64]:
        """Number of an agent on shift on each of the days; 0 where nobody is."""
        there = self.works[on - self.day[0]]
        luck = np.where(there, random.random(there.shape), -1.0)
        return np.where(there.any(axis=1), luck.argmax(axis=1) + 1, 0)


@cache
def roster_of(order: Order) -> Roster:
    """The roster of every day that anybody asks about."""
    floor, calendar = order.lender.floor, order.calendar
    random = np.random.default_rng((order.seed, 1 << 20))
    agents = min(max(order.loans // LOANS_AN_AGENT, LEAST_AGENTS), MOST_AGENTS)
    bounds = np.cumsum([share for _, share in floor.teams])
    team = np.array([name for name, _ in floor.teams])[np.searchsorted(bounds, (np.arange(agents) + 0.5) / agents)]
    languages = choice(random, floor.languages, agents)
    languages[0], languages[agents // 2] = floor.sure
    day = np.arange(calendar.since - LOOK_BACK_DAYS, calendar.as_of + 1, dtype=np.int32)
    resting = calendar.is_weekend(day)[:, None] & drawn(random, 0.6, (len(day), agents))
    resting |= calendar.is_rest(day)[:, None] & drawn(random, 0.9, (len(day), agents))
    absent = drawn(random, 0.04, resting.shape)
    minutes = np.where(absent, 0, random.integers(300, 421, resting.shape)).astype(np.int32)
    return Roster(day, ~resting & ~absent, team, languages, np.where(resting, -1, minutes))


def staff(order: Order) -> dict[str, pa.Table]:
    """The queues, and the roster of every day up to ``as_of``."""
    roster = roster_of(order)
    at, agent = np.nonzero(roster.minutes >= 0)
    shifts = pa.Table.from_arrays(
        [
            agent_ids(agent + 1),
            days(roster.day[at]),
            texts(roster.team[agent]),
            texts(roster.languages[agent]),
            pa.array(roster.minutes[at, agent]),
        ],
        schema=TABLES["agent_roster"].arrow,
    )
    queues = pa.Table.from_pylist(
        [dict(zip(TABLES["work_queue"].columns, queue, strict=True)) for queue in order.lender.floor.queues],
        schema=TABLES["work_queue"].arrow,
    )
    return {"agent_roster": shifts, "work_queue": queues}


def agent_ids(numbers: npt.NDArray[np.int64]) -> pa.Array:
    """Agents as the source writes them."""
    return ids("G", numbers, 4)
