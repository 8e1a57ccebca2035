"""The scalar contact policy and its set-based form give equal answers: every rule, the decision, the earliest time."""

from datetime import UTC, datetime, timedelta
from random import Random

import duckdb
import pytest
from arrears.contact.sets import decide
from arrears.engine.duckdb import select_text
from arrears.rules.contact import contact_window, may_contact
from arrears.rules.hours import BarredTime, barred_time_named
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


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("inconvenient_time_mon_0900_1800", id="a day's hours"),
        pytest.param("inconvenient_time_all_2100_0900", id="past midnight"),
        pytest.param("inconvenient_time_sun_0000_2400", id="a whole day"),
        pytest.param("inconvenient_time_monday", id="no hours: the whole week"),
        pytest.param("inconvenient_time_mon_0960_1800", id="no such minute: the whole week"),
        pytest.param("inconvenient_time_mon_2500_2600", id="no such hour: the whole week"),
        pytest.param("inconvenient_times", id="another flag"),
        pytest.param("dispute", id="dispute"),
    ],
)
def test_time_a_flag_names_is_read_equally(code):
    said = {"day_start": datetime(2026, 3, 2, tzinfo=UTC)}
    with duckdb.connect() as own:
        own.execute(
            "CREATE TABLE contact_flag AS SELECT 'p' AS person_id, $code AS code, "
            "TIMESTAMPTZ '2026-03-01 00:00:00+00' AS starts_at, NULL::TIMESTAMPTZ AS ends_at",
            {"code": code},
        )
        rows = own.execute(select_text("read__contact_inconvenient"), said).fetchall()

    found = [BarredTime(frozenset(weekdays), start, end) for _, weekdays, start, end, _ in rows]
    assert found == [one for one in [barred_time_named(code)] if one is not None]
