"""Properties of both forms of the contact policy, on generated worlds dense with what may go wrong."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from arrears.policy.packs import load_rules
from arrears.rules.contact_values import Facts, Planned, PriorContact, RuleBook
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.contact_worlds import World
from support.worked_cases import POLICIES, decide

QUESTIONS = 80  # of one world, asked at once
EXAMPLES = {"scalar": 30, "sets": 2}  # worlds; each costs the set-based form some hundred statements
QUARTER = timedelta(minutes=15)

worlds = st.lists(st.integers(0, 2**32 - 1), min_size=30, max_size=30, unique=True)
once = settings(max_examples=1, deadline=None, derandomize=True, phases=[Phase.generate])


def worlds_of(shape, seeds):
    return [World(Random(seed)) for seed in seeds[: EXAMPLES[shape]]]  # noqa: S311  no secret is made


both = pytest.mark.parametrize("shape", list(EXAMPLES))


def fired(decisions):
    return [{one.rule_id for one in decision.fired} for decision in decisions]


@both
@once
@given(seeds=worlds)
def test_order_of_facts_changes_nothing(shape, seeds):
    for world in worlds_of(shape, seeds):
        book, asked = world.book(), [world.question() for _ in range(QUESTIONS)]
        shuffled = [(shuffle(world, known), contact) for known, contact in asked]

        assert decide(shape, book, shuffled) == decide(shape, book, asked)


def shuffle(world, known):
    kinds = ("flags", "history", "consents", "inconvenient")
    listed = {kind: getattr(known, kind) for kind in kinds}
    return replace(known, **{kind: facts and world.random.sample(facts, len(facts)) for kind, facts in listed.items()})


@both
@once
@given(seeds=worlds)
def test_another_prior_contact_never_silences_a_cap_or_a_rest(shape, seeds):
    for world in worlds_of(shape, seeds):
        book, asked = world.book(), [world.question() for _ in range(QUESTIONS)]
        counting = {rule.id for rule in book.rules if rule.kind in ("cap", "cooldown")}
        more = [
            (known if known.history is None else replace(known, history=[*known.history, world.prior()]), contact)
            for known, contact in asked
        ]

        before, after = fired(decide(shape, book, asked)), fired(decide(shape, book, more))

        assert [pair for pair in zip(before, after, strict=True) if not pair[0] & counting <= pair[1]] == []


@both
@once
@given(seeds=worlds)
def test_another_rule_never_silences_one(shape, seeds):
    for world in worlds_of(shape, seeds):
        rules = tuple(world.rule(f"t.rule_{number}") for number in range(1, 6))
        asked = [world.question() for _ in range(QUESTIONS)]

        fewer = fired(decide(shape, RuleBook(rules[:3]), asked))
        more = fired(decide(shape, RuleBook(rules), asked))

        assert [pair for pair in zip(fewer, more, strict=True) if not pair[0] <= pair[1]] == []
        assert any(fewer)


@both
@once
@given(seeds=worlds)
def test_earliest_time_is_allowed_and_the_quarter_before_it_is_not(shape, seeds):
    for world in worlds_of(shape, seeds):
        book, asked = world.book(), [world.question() for _ in range(QUESTIONS)]
        answers = decide(shape, book, asked)
        denied = [
            (known, contact, decision.earliest_at)
            for (known, contact), decision in zip(asked, answers, strict=True)
            if not decision.is_allowed and decision.earliest_at is not None
        ]
        then = [(known, contact.during(at)) for known, contact, at in denied]
        before = [(known, contact.during(at - QUARTER)) for known, contact, at in denied if at - QUARTER >= contact.at]

        assert all(decision.is_allowed for decision in decide(shape, book, then))
        assert not any(decision.is_allowed for decision in decide(shape, book, before))


@pytest.mark.parametrize("shape", list(EXAMPLES))
def test_answer_already_given_is_found_wherever_history_lists_it(shape):
    night = datetime(2026, 5, 12, 1, 30, tzinfo=UTC)  # 21:30 in New York
    wrote = PriorContact(night, "sms", "received", direction="in")
    answered = PriorContact(night + timedelta(minutes=5), "sms", "delivered")
    planned = Planned(night + timedelta(minutes=10), "sms", "n1", content=frozenset({"opt_out_notice"}))
    asked = [
        (Facts(("America/New_York",), history=listed), planned) for listed in ([wrote, answered], [answered, wrote])
    ]

    answers = fired(decide(shape, load_rules(["us_reg_f"], POLICIES), asked))

    assert answers == [{"us_reg_f.hours"}, {"us_reg_f.hours"}]
