"""Assignment: sticky, by minutes left, by language; minutes never exceeded; the same answer whatever the row order."""

import pytest
from arrears.cases.assignment import assignment_rows
from arrears.rules.assignment import Agent, CaseToAssign, Queue, assign, minutes_of_case, speaks
from hypothesis import given, settings
from hypothesis import strategies as st

EARLY = Queue("early", "named", 10)
QUEUES = {"early": EARLY, "visits": Queue("visits", "field", 45), "bot": Queue("bot", "bot", 2)}


def case(case_id, *, queue="early", days=10, amount=100, language="zh-CN", hold=None, kept=None):
    return CaseToAssign(case_id, queue, language, days, amount, hold, kept)


def agent(agent_id, minutes, *, queues=("early",), languages=("zh-CN",)):
    return Agent(agent_id, frozenset(queues), languages, minutes)


def placed(cases, agents, queues=QUEUES):
    return {one.case.case_id: (one.agent_id, one.reason_code) for one in assign(cases, queues, agents)}


def test_longest_delinquent_goes_first_then_the_larger_amount_then_the_id():
    cases = [case("d", days=5), case("c"), case("b", amount=200), case("a", days=40)]

    answers = assign(cases, QUEUES, [agent("a1", 420)])

    assert [one.case.case_id for one in answers] == ["a", "b", "c", "d"]
    assert [one.work_rank for one in answers] == [1, 2, 3, 4]
    assert [one.used_minutes for one in answers] == [10, 20, 30, 40]


def test_case_stays_with_its_agent_even_when_another_is_freer():
    assert placed([case("c", kept="a1")], [agent("a1", 10), agent("a2", 400)]) == {"c": ("a1", "kept_agent")}


@pytest.mark.parametrize(
    "yesterdays",
    [
        agent("a1", 9),
        agent("a1", 400, languages=("en",)),
        agent("a1", 400, queues=("visits",)),
        agent("other", 0),
    ],
    ids=["no room", "language", "queue", "absent"],
)
def test_case_leaves_an_agent_who_cannot_take_it(yesterdays):
    assert placed([case("c", kept="a1")], [yesterdays, agent("a2", 30)]) == {"c": ("a2", "new_agent")}


def test_new_cases_go_to_whoever_has_most_minutes_left_ties_by_id():
    answers = placed(
        [case(f"c{n}", days=10 - n) for n in range(4)], [agent("a2", 30), agent("a1", 30), agent("a3", 40)]
    )

    assert answers == {
        "c0": ("a3", "new_agent"),
        "c1": ("a1", "new_agent"),
        "c2": ("a2", "new_agent"),
        "c3": ("a3", "new_agent"),
    }


def test_overflow_says_whether_language_or_capacity_lacks():
    cases = [case("a", days=9), case("b", days=8), case("c", language="vi"), case("d", queue="visits")]

    assert placed(cases, [agent("a1", 10)]) == {
        "a": ("a1", "new_agent"),
        "b": (None, "overflow_capacity"),
        "c": (None, "overflow_language"),
        "d": (None, "overflow_capacity"),
    }


def test_held_case_and_case_without_queue_take_no_minutes():
    answers = assign([case("a", hold="dispute", kept="a1"), case("b", queue="nowhere")], QUEUES, [agent("a1", 10)])

    assert [(one.reason_code, one.agent_id, one.required_minutes, one.is_assigned) for one in answers] == [
        ("held", None, 0, False),
        ("no_queue", None, 0, False),
    ]


def test_queue_worked_by_machines_needs_no_agent():
    (answer,) = assign([case("a", queue="bot")], QUEUES, [])

    assert (answer.agent_id, answer.reason_code, answer.is_assigned) == (None, "no_agent_needed", True)


def test_agent_of_two_queues_has_one_day():
    both = agent("a1", 50, queues=("early", "visits"))

    answers = placed([case("a", queue="visits", days=60), case("b"), case("c", queue="visits", days=1)], [both])

    assert answers == {
        "a": ("a1", "new_agent"),
        "b": (None, "overflow_capacity"),
        "c": (None, "overflow_capacity"),
    }


@pytest.mark.parametrize(
    ("seconds", "attempts", "minutes"), [(60, 1, 1), (61, 1, 2), (90, 3, 5), (1, 1, 1), (240, 2, 8)]
)
def test_minutes_are_rounded_up(seconds, attempts, minutes):
    assert minutes_of_case(seconds, attempts) == minutes


@pytest.mark.parametrize(
    ("spoken", "wanted", "serves"),
    [
        ("zh-CN", "zh-CN", True),
        ("zh", "zh-CN", True),
        ("ZH-cn", "zh", True),
        ("zh-TW", "zh-CN", False),
        ("z", "zh", False),
        ("en", "zh", False),
    ],
)
def test_language_serves_with_and_without_its_region(spoken, wanted, serves):
    assert speaks(spoken, wanted) is serves


languages = st.sampled_from(["zh-CN", "zh", "en", "vi"])
cases_of_day = st.lists(
    st.builds(
        CaseToAssign,
        case_id=st.integers(0, 10**6).map(str),
        queue_id=st.sampled_from(["early", "visits", "bot", "gone"]),
        language=languages,
        delinquent_days=st.integers(1, 5),
        amount_minor=st.integers(1, 4),
        hold_code=st.sampled_from([None, None, None, "dispute"]),
        kept_agent_id=st.sampled_from([None, "a0", "a1", "a9"]),
    ),
    max_size=40,
    unique_by=lambda one: one.case_id,
)
agents_of_day = st.lists(
    st.builds(
        Agent,
        agent_id=st.integers(0, 5).map(lambda number: f"a{number}"),
        queue_ids=st.sets(st.sampled_from(["early", "visits"])).map(frozenset),
        languages=st.lists(languages, min_size=1, max_size=2).map(tuple),
        productive_minutes=st.integers(0, 130),
    ),
    max_size=6,
    unique_by=lambda one: one.agent_id,
)


@given(cases_of_day, agents_of_day, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_no_constraint_is_ever_broken(cases, agents, random):
    answers = assign(cases, QUEUES, agents)

    by_id = {one.agent_id: one for one in agents}
    used = dict.fromkeys(by_id, 0)
    for answer in answers:
        if answer.agent_id is not None:
            worker = by_id[answer.agent_id]
            used[answer.agent_id] += answer.required_minutes
            assert answer.case.queue_id in worker.queue_ids
            assert any(speaks(language, answer.case.language) for language in worker.languages)
            assert answer.case.hold_code is None
            assert answer.used_minutes == used[answer.agent_id]
        if answer.reason_code == "overflow_capacity":
            able = [
                one.productive_minutes - used[one.agent_id]
                for one in agents
                if answer.case.queue_id in one.queue_ids
                and any(speaks(language, answer.case.language) for language in one.languages)
            ]
            assert all(left < answer.required_minutes for left in able)
    assert all(used[name] <= worker.productive_minutes for name, worker in by_id.items())
    assert sorted(one.case.case_id for one in answers) == sorted(one.case_id for one in cases)
    random.shuffle(cases)
    random.shuffle(agents)
    assert assign(cases, QUEUES, agents) == answers


def test_every_row_has_a_sentence_with_figures_and_no_person():
    row = {"case_id": "C-1", "party_language": "zh-CN", "bucket": "M1", "delinquent_days": 12, "amount_minor": 900}
    cases = [
        {**row, "case_id": f"C-{number}", **change}
        for number, change in enumerate(
            [
                {"kept_agent_id": "agent-7", "hold_code": None},
                {"kept_agent_id": None, "hold_code": None},
                {"kept_agent_id": None, "hold_code": None},
                {"kept_agent_id": None, "hold_code": "hardship"},
                {"kept_agent_id": None, "hold_code": None, "party_language": "vi"},
                {"kept_agent_id": None, "hold_code": None, "bucket": "M2"},
                {"kept_agent_id": None, "hold_code": None, "bucket": "M3"},
                {"kept_agent_id": None, "hold_code": None, "bucket": "M4"},
                {"kept_agent_id": None, "hold_code": None, "bucket": "M9"},
            ]
        )
    ]
    queue = {"work_mode_code": "named", "avg_handle_seconds": 240, "attempts_per_case": 2}
    queues = [
        {**queue, "queue_id": "early"},
        {**queue, "queue_id": "bot", "work_mode_code": "bot"},
        {**queue, "queue_id": "late"},
    ]
    shift = {"agent_id": "agent-7", "queue_ids": "early, bot", "languages": "zh-CN,en", "productive_minutes": 20}
    rows = assignment_rows(cases, queues, [shift], {"M1": "early", "M2": "bot", "M3": "late", "M4": "gone"})

    assert {row["case_id"]: row["reason"] for row in rows} == {
        "C-0": "kept with the agent of the day before; queue early, zh-CN; 8 min, 8 of 20 min of the day used; "
        "12 delinquent days",
        "C-1": "to the agent with most minutes left; queue early, zh-CN; 8 min, 16 of 20 min of the day used; "
        "12 delinquent days",
        "C-2": "nobody in queue early who speaks zh-CN has 8 min left; 12 delinquent days",
        "C-3": "held: hardship; none of its past-due loans may be worked today; 12 delinquent days",
        "C-4": "nobody on shift in queue early speaks vi; 12 delinquent days",
        "C-5": "queue bot is worked as bot, without an agent of its own; 12 delinquent days",
        "C-6": "nobody is on shift in queue late today; 12 delinquent days",
        "C-7": "bucket M4 belongs to queue gone, which the source does not deliver; 12 delinquent days",
        "C-8": "bucket M9 has no queue in this portfolio; 12 delinquent days",
    }
