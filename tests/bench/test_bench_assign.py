"""A floor of 100,000 cases and 500 agents is assigned within a minute."""

import resource
from random import Random
from time import perf_counter

import pytest
from arrears.rules.assignment import Agent, CaseToAssign, Queue, assign

pytestmark = pytest.mark.bench

QUEUES = {
    "early": Queue("early", "pooled_dialler", 2),
    "middle": Queue("middle", "named", 4),
    "late": Queue("late", "field", 30),
}
LANGUAGES = ("zh-CN", "en", "vi", "id", "th")
CASES, AGENTS = 100_000, 500


def floor():
    random = Random(7)  # noqa: S311  a repeatable draw
    agents = [
        Agent(
            f"a{number:03d}",
            frozenset(random.sample(list(QUEUES), random.randint(1, 3))),
            tuple(random.sample(LANGUAGES, random.randint(1, 2))),
            420,
            378,
        )
        for number in range(AGENTS)
    ]
    cases = [
        CaseToAssign(
            f"c{number}",
            random.choices(list(QUEUES), (6, 3, 1))[0],
            random.choice(LANGUAGES),
            random.randint(1, 400),
            random.randint(1, 10**6),
            kept_agent_id=f"a{random.randint(0, AGENTS - 1):03d}" if random.random() < 0.7 else None,
            is_stale=random.random() < 0.1,
            barred_agent_ids=frozenset({f"a{random.randint(0, AGENTS - 1):03d}"})
            if random.random() < 0.01
            else frozenset(),
        )
        for number in range(CASES)
    ]
    return cases, agents


def test_hundred_thousand_cases_and_five_hundred_agents_take_less_than_a_minute():
    cases, agents = floor()

    begun = perf_counter()
    answers = assign(cases, QUEUES, agents)
    seconds = perf_counter() - begun

    placed = sum(one.is_assigned for one in answers)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{CASES} cases x {AGENTS} agents: {seconds:.1f} s, {placed} placed, {peak} MB")  # noqa: T201  pytest -s
    assert len(answers) == CASES
    assert placed > 30_000
    assert seconds < 60
