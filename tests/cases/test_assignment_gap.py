"""How far the greedy assignment is from the exact optimum: small floors, solved exactly as an integer programme."""

from random import Random

import numpy as np
import pytest
from arrears.rules.assignment import Agent, CaseToAssign, Queue, assign, speaks
from scipy.optimize import Bounds, LinearConstraint, milp

QUEUES = {
    "early": Queue("early", "named", 8),
    "middle": Queue("middle", "named", 13),
    "late": Queue("late", "field", 45),
}
LANGUAGES = ("zh-CN", "en", "vi")
KEPT = 5  # points a minute for staying with an agent


def floor(seed):
    """A floor with about half more work than minutes: where nothing is scarce every answer is an optimum."""
    random = Random(seed)  # noqa: S311  a repeatable draw
    agents = [
        Agent(
            f"a{number}",
            frozenset(random.sample(list(QUEUES), random.randint(1, 2))),
            tuple(random.sample(LANGUAGES, random.randint(1, 2))),
            random.choice([60, 90, 120]),
        )
        for number in range(5)
    ]
    cases = [
        CaseToAssign(
            f"c{number}",
            random.choice(list(QUEUES)),
            random.choice(LANGUAGES),
            random.randint(1, 120),
            100,
            kept_agent_id=random.choice([None, "a0", "a1", "a2", "a3"]),
        )
        for number in range(40)
    ]
    return cases, agents


def worth(case, agent_id):
    points = case.delinquent_days + (KEPT if agent_id == case.kept_agent_id else 0)
    return points * QUEUES[case.queue_id].required_minutes


def may(agent, case):
    return case.queue_id in agent.queue_ids and any(speaks(language, case.language) for language in agent.languages)


def optimum(cases, agents):
    pairs = [(c, a) for c in range(len(cases)) for a in range(len(agents)) if may(agents[a], cases[c])]
    gains = np.array([worth(cases[c], agents[a].agent_id) for c, a in pairs], dtype=float)
    once = np.array([[float(pair[0] == c) for pair in pairs] for c in range(len(cases))])
    minutes = np.array(
        [
            [float(QUEUES[cases[pair[0]].queue_id].required_minutes) if pair[1] == a else 0.0 for pair in pairs]
            for a in range(len(agents))
        ]
    )
    limits = [LinearConstraint(once, ub=1), LinearConstraint(minutes, ub=[one.productive_minutes for one in agents])]
    found = milp(-gains, constraints=limits, integrality=np.ones(len(pairs)), bounds=Bounds(0, 1))
    assert found.success
    return -found.fun


def gap(seed):
    cases, agents = floor(seed)
    answers = assign(cases, QUEUES, agents)
    found = sum(worth(one.case, one.agent_id) for one in answers if one.agent_id is not None)
    best = optimum(cases, agents)
    assert found <= best + 1e-6
    return 1 - found / best


@pytest.mark.parametrize(("floors", "worst"), [(30, 0.12), pytest.param(200, 0.18, marks=pytest.mark.bench)])
def test_greedy_is_within_a_few_percent_of_the_exact_optimum(floors, worst):
    """What is left is the price of the order: the longest delinquent first, even where others fit better."""
    gaps = [gap(seed) for seed in range(floors)]

    print(f"gap to the optimum over {len(gaps)} floors: mean {np.mean(gaps):.2%}, worst {max(gaps):.2%}")  # noqa: T201  pytest -s shows the figure
    assert np.mean(gaps) < 0.03
    assert max(gaps) < worst


@pytest.mark.parametrize("seed", [1, 2])
def test_plenty_of_room_leaves_nothing_to_gain(seed):
    cases, agents = floor(seed)
    roomy = [Agent(one.agent_id, one.queue_ids, one.languages, 1440) for one in agents]

    answers = assign(cases, QUEUES, roomy)

    placeable = [one for one in cases if any(may(agent, one) for agent in roomy)]
    assert sum(one.agent_id is not None for one in answers) == len(placeable)
