"""The collection floor: queues, agents by number, shifts.

Belongs here: what does not depend on any loan, only on how many there are.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from arrears.sources.demo.calendar import Calendar, choice, drawn
from arrears.sources.demo.columns import days, ids, texts
from arrears.sources.demo.schema import TABLES

LOANS_AN_AGENT = 400
LEAST_AGENTS, MOST_AGENTS = 8, 600
ROSTER_DAYS = 400  # thirteen months of history
QUEUES = (  # queue, work mode, seconds an attempt, attempts a case
    ("m1_bot", "bot", 90, 2),
    ("m2_dialler", "pooled_dialler", 300, 2),
    ("m3_named", "named", 540, 2),
    ("late_field", "field", 3600, 1),
)
TEAMS = (("m2_dialler", 0.35), ("m2_dialler,m3_named", 0.25), ("m3_named", 0.20), ("late_field", 0.20))
LANGUAGES = (("zh-CN", 0.78), ("zh-CN,en", 0.15), ("zh-CN,ug", 0.05), ("zh-CN,bo", 0.02))


def staff(calendar: Calendar, loans: int, seed: int) -> dict[str, pa.Table]:
    """The queues, and the roster of every day up to ``as_of``."""
    random = np.random.default_rng((seed, 1 << 20))
    agents = min(max(loans // LOANS_AN_AGENT, LEAST_AGENTS), MOST_AGENTS)
    bounds = np.cumsum([share for _, share in TEAMS])
    team = np.array([name for name, _ in TEAMS])[np.searchsorted(bounds, (np.arange(agents) + 0.5) / agents)]
    languages = choice(random, LANGUAGES, agents)
    languages[0], languages[agents // 2] = "zh-CN,en", "zh-CN,ug"
    day = np.arange(calendar.as_of - ROSTER_DAYS, calendar.as_of + 1, dtype=np.int32)
    resting = calendar.is_weekend(day)[:, None] & drawn(random, 0.6, (len(day), agents))
    resting |= calendar.is_festival(day)[:, None] & drawn(random, 0.9, (len(day), agents))
    at, agent = np.nonzero(~resting)
    minutes = np.where(drawn(random, 0.04, len(at)), 0, random.integers(300, 421, len(at)))
    roster = pa.Table.from_arrays(
        [
            ids("G", agent + 1, 4),
            days(day[at]),
            texts(team[agent]),
            texts(languages[agent]),
            pa.array(minutes.astype(np.int32)),
        ],
        schema=TABLES["agent_roster"].arrow,
    )
    queues = pa.Table.from_pylist(
        [dict(zip(TABLES["work_queue"].columns, queue, strict=True)) for queue in QUEUES],
        schema=TABLES["work_queue"].arrow,
    )
    return {"agent_roster": roster, "work_queue": queues}
