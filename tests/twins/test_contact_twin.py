"""The scalar contact policy and its set-based form give equal answers: every rule, the decision, the earliest time."""

from datetime import timedelta
from random import Random

import duckdb
import pytest
from arrears.contact.sets import decide
from arrears.rules.contact import contact_window, may_contact
from hypothesis import given, settings
from hypothesis import strategies as st
from support.contact_worlds import World

QUESTIONS = 120  # of one world, asked at once

worlds = st.integers(0, 2**32 - 1).map(Random).map(World)


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as made:
        yield made


def differences(questions, found, expected):
    """Questions the two forms answer differently."""
    assert len(found) == len(expected) == len(questions) > 0
    return [answers for answers in zip(questions, found, expected, strict=True) if answers[1] != answers[2]]


@settings(max_examples=5, deadline=None)
@given(world=worlds)
def test_instant_is_answered_equally(connection, world):
    book, questions = world.book(), [world.question() for _ in range(QUESTIONS)]

    found = decide(connection, book, questions)

    assert differences(questions, found, [may_contact(book, *question) for question in questions]) == []


@settings(max_examples=5, deadline=None)
@given(world=worlds, hours=st.integers(1, 30))
def test_day_is_answered_equally(connection, world, hours):
    book, asked = world.book(), [world.question() for _ in range(QUESTIONS)]
    days = [(known, contact.during(contact.at, contact.at + timedelta(hours=hours))) for known, contact in asked]

    found = decide(connection, book, days)

    expected = [contact_window(book, known, contact, contact.at + timedelta(hours=hours)) for known, contact in asked]
    assert differences(days, found, expected) == []
