"""Assignment: sticky, by minutes left, by language; minutes never exceeded; the same answer whatever the row order."""

from dataclasses import replace
from datetime import date

import pytest
from arrears.cases.assignment import assignment_rows
from arrears.portfolio_terms import AssignmentTerms
from arrears.rules.assignment import Agent, CaseToAssign, Queue, assign, minutes_of_case, speaks
from hypothesis import given, settings
from hypothesis import strategies as st

EARLY = Queue("early", "named", 10)
QUEUES = {"early": EARLY, "visits": Queue("visits", "field", 45), "bot": Queue("bot", "bot", 2)}


def case(case_id, *, queue="early", days=10, amount=100, language="zh-CN", hold=None, kept=None, **more):
    return CaseToAssign(case_id, queue, language, days, amount, hold, kept, **more)


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
    reason = "new_agent" if yesterdays.agent_id == "a1" else "reassigned_absent"

    assert placed([case("c", kept="a1")], [yesterdays, agent("a2", 30)]) == {"c": ("a2", reason)}


def test_stale_case_goes_to_somebody_else_who_has_room():
    stale = case("c", kept="a1", is_stale=True)

    assert placed([stale], [agent("a1", 400), agent("a2", 10)]) == {"c": ("a2", "reassigned_stale")}
    assert placed([stale], [agent("a1", 400), agent("a2", 9)]) == {"c": ("a1", "kept_agent")}


@pytest.mark.parametrize("agents", [[agent("a1", 400)], [agent("a2", 400)], []], ids=["there", "absent", "nobody"])
def test_live_promise_stays_with_its_agent_and_takes_no_minutes(agents):
    promised = case("c", kept="a1", is_stale=True, promised_on=date(2026, 11, 25))

    (answer,) = assign([promised], QUEUES, agents)

    assert (answer.agent_id, answer.reason_code, answer.required_minutes) == ("a1", "promise", 0)


def test_conflict_of_interest_bars_an_agent():
    barred = case("c", kept="a1", barred_agent_ids=frozenset({"a1"}))

    assert placed([barred], [agent("a1", 400), agent("a2", 10)]) == {"c": ("a2", "new_agent")}
    assert placed([barred], [agent("a1", 400)]) == {"c": (None, "overflow_capacity")}


def test_nobody_works_above_the_soft_capacity_while_somebody_is_below_it():
    agents = [
        Agent("a1", frozenset({"early"}), ("zh-CN",), 100, 20),
        Agent("a2", frozenset({"early"}), ("zh-CN",), 40, 40),
    ]

    answers = placed([case(f"c{number}", days=10 - number) for number in range(7)], agents)

    assert [answers[f"c{number}"][0] for number in range(7)] == ["a2", "a2", "a1", "a2", "a1", "a2", "a1"]


def test_earlier_case_moves_over_to_make_room():
    bilingual = agent("a1", 10, languages=("zh-CN", "en"))
    cases = [case("a", days=9), case("b", days=8, language="en")]

    assert placed(cases, [bilingual, agent("a2", 10)]) == {"a": ("a2", "new_agent"), "b": ("a1", "new_agent")}


def test_overflow_goes_to_the_bot_where_the_portfolio_says_so():
    cases = [case("a", days=9), case("b", days=8), case("c", language="vi")]

    answers = assign(cases, QUEUES, [agent("a1", 10)], overflow_queue_id="bot")

    assert {one.case.case_id: (one.reason_code, one.is_assigned) for one in answers} == {
        "a": ("new_agent", True),
        "b": ("overflow_bot", True),
        "c": ("overflow_bot", True),
    }
    assert {one.case.case_id: one.required_minutes for one in answers} == {"a": 10, "b": 0, "c": 0}


def test_pool_takes_minutes_of_its_agents_and_nobody_owns_its_cases():
    queues = {**QUEUES, "pool": Queue("pool", "pooled_dialler", 10)}
    cases = [case(f"c{number}", days=9 - number, queue="pool") for number in range(3)]

    answers = assign(cases, queues, [agent("a1", 20, queues=("pool",))])

    assert [(one.agent_id, one.reason_code) for one in answers] == [
        (None, "pooled"),
        (None, "pooled"),
        (None, "overflow_capacity"),
    ]
    assert [one.reason_code for one in assign(cases, queues, [])] == ["no_agent_needed"] * 3


def test_person_at_risk_goes_to_a_supervisor():
    (answer,) = assign([case("a", hold="self_harm_risk")], QUEUES, [agent("a1", 400)])

    assert (answer.agent_id, answer.reason_code, answer.is_assigned) == (None, "supervisor", True)


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
    assert answer.required_minutes == 0


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
FLOOR = {**QUEUES, "pool": Queue("pool", "pooled_dialler", 7)}
cases_of_day = st.lists(
    st.builds(
        CaseToAssign,
        case_id=st.integers(0, 10**6).map(str),
        queue_id=st.sampled_from(["early", "visits", "pool", "bot", "gone"]),
        language=languages,
        delinquent_days=st.integers(1, 5),
        amount_minor=st.integers(1, 4),
        hold_code=st.sampled_from([None, None, None, "dispute", "self_harm_risk"]),
        kept_agent_id=st.sampled_from([None, "a0", "a1", "a9"]),
        promised_on=st.sampled_from([None, None, None, date(2026, 11, 25)]),
        is_stale=st.booleans(),
        barred_agent_ids=st.sets(st.sampled_from(["a0", "a1", "a2"]), max_size=1).map(frozenset),
        named_agent_id=st.sampled_from([None, None, None, "a0", "a3", "a9"]),
    ),
    max_size=40,
    unique_by=lambda one: one.case_id,
)
agents_of_day = st.lists(
    st.builds(
        Agent,
        agent_id=st.integers(0, 5).map(lambda number: f"a{number}"),
        queue_ids=st.sets(st.sampled_from(["early", "visits", "pool"])).map(frozenset),
        languages=st.lists(languages, min_size=1, max_size=2).map(tuple),
        productive_minutes=st.integers(40, 130),
        soft_minutes=st.integers(0, 40),
    ),
    max_size=6,
    unique_by=lambda one: one.agent_id,
)


@pytest.mark.parametrize(
    ("change", "agent", "reason"),
    [
        pytest.param({}, "a2", "by_supervisor", id="has_the_case"),
        pytest.param({"kept_agent_id": "a1"}, "a2", "by_supervisor", id="has_it_instead_of_who_had_it"),
        pytest.param({"is_stale": True, "kept_agent_id": "a2"}, "a2", "by_supervisor", id="keeps_it_though_stale"),
        pytest.param({"delinquent_days": 1}, "a2", "by_supervisor", id="has_minutes_before_older_cases"),
        pytest.param({"promised_on": date(2026, 11, 25), "kept_agent_id": "a1"}, "a2", "promise", id="has_its_promise"),
        pytest.param({"named_agent_id": "a9"}, "a1", "new_agent", id="is_not_on_shift"),
        pytest.param({"language": "vi"}, None, "overflow_language", id="does_not_speak_the_language"),
        pytest.param({"barred_agent_ids": frozenset({"a2"})}, "a1", "new_agent", id="has_a_conflict"),
        pytest.param({"hold_code": "dispute"}, None, "held", id="cannot_work_what_is_held"),
    ],
)
def test_whom_a_supervisor_named(change, agent, reason):
    named = CaseToAssign("named", "early", "zh-CN", 50, 1, named_agent_id="a2")
    older = [CaseToAssign(f"older{number}", "early", "zh-CN", 90, 1, kept_agent_id="a2") for number in range(3)]
    agents = [Agent("a1", frozenset({"early"}), ("zh-CN",), 100), Agent("a2", frozenset({"early"}), ("zh-CN",), 12)]

    answers = assign([replace(named, **change), *older], QUEUES, agents)

    (found,) = (one for one in answers if one.case.case_id == "named")
    assert (found.agent_id, found.reason_code) == (agent, reason)


@given(cases_of_day, agents_of_day, st.randoms(use_true_random=False), st.sampled_from([None, "bot"]))
@settings(max_examples=200, deadline=None)
def test_no_constraint_is_ever_broken_and_row_order_changes_nothing(cases, agents, random, overflow):
    answers = assign(cases, FLOOR, agents, overflow_queue_id=overflow)

    by_id = {one.agent_id: one for one in agents}
    used = dict.fromkeys(by_id, 0)
    for answer in answers:
        asked = answer.case
        if answer.reason_code == "promise":
            named = asked.named_agent_id if asked.named_agent_id not in asked.barred_agent_ids else None
            assert (answer.agent_id, answer.required_minutes) == (named or asked.kept_agent_id, 0)
        elif answer.agent_id is not None:
            worker = by_id[answer.agent_id]
            used[answer.agent_id] += answer.required_minutes
            assert asked.queue_id in worker.queue_ids
            assert any(speaks(language, asked.language) for language in worker.languages)
            assert asked.hold_code is None
            assert answer.agent_id not in asked.barred_agent_ids
            assert used[answer.agent_id] <= answer.used_minutes <= worker.productive_minutes
        if answer.reason_code.startswith("overflow") and overflow:
            assert answer.reason_code == "overflow_bot"
    assert all(used[name] <= worker.productive_minutes for name, worker in by_id.items())
    assert sum(used.values()) + sum(one.required_minutes for one in answers if one.reason_code == "pooled") <= sum(
        one.productive_minutes for one in agents
    )
    assert sorted(one.case.case_id for one in answers) == sorted(one.case_id for one in cases)
    random.shuffle(cases)
    random.shuffle(agents)
    assert assign(cases, FLOOR, agents, overflow_queue_id=overflow) == answers


def test_every_row_has_a_sentence_with_figures_and_no_person():
    row = {"case_id": "C-1", "party_language": "zh-CN", "bucket": "M1", "delinquent_days": 12, "amount_minor": 900}
    row |= {"promised_on": None, "is_stale": False, "barred_agent_ids": [], "agent_since_on": date(2026, 11, 1)}
    row |= {"named_agent_id": None}
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
                {"kept_agent_id": "A17", "hold_code": None, "promised_on": date(2026, 11, 25)},
                {"kept_agent_id": None, "hold_code": "self_harm_risk"},
                {"kept_agent_id": None, "hold_code": None, "bucket": "M2", "named_agent_id": "A9"},
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
    rows = assignment_rows(
        cases,
        queues,
        [shift],
        {"M1": "early", "M2": "bot", "M3": "late", "M4": "gone"},
        terms=AssignmentTerms(),
        business_date=date(2026, 11, 20),
    )

    assert {row["case_id"]: row["reason"] for row in rows} == {
        "C-0": "kept with agent-7; queue early, zh-CN; 8 min, 8 of 20 min of the day used; 12 delinquent days",
        "C-1": "to agent-7, who has most minutes left; queue early, zh-CN; 8 min, 16 of 20 min of the day used; "
        "12 delinquent days",
        "C-2": "nobody in queue early who speaks zh-CN has 8 min left; 12 delinquent days",
        "C-3": "held: hardship; none of its past-due loans may be worked today; 12 delinquent days",
        "C-4": "nobody on shift in queue early speaks vi; 12 delinquent days",
        "C-5": "queue bot is worked as bot, without an agent of its own; 12 delinquent days",
        "C-6": "nobody is on shift in queue late today; 12 delinquent days",
        "C-7": "bucket M4 belongs to queue gone, which the source does not deliver; 12 delinquent days",
        "C-8": "bucket M9 has no queue in this portfolio; 12 delinquent days",
        "C-9": "kept with A17: promise due 11-25; queue early; nobody asks before; 12 delinquent days",
        "C-10": "held: self_harm_risk; no machine and no agent, a supervisor calls; 12 delinquent days",
        "C-11": "queue bot is worked as bot, without an agent of its own; 12 delinquent days; "
        "A9, whom a supervisor named, is not there, may not, or has no room",
    }
