"""Every interleaving of two dispatchers, their crashes and pauses: nobody is contacted twice, nothing is lost."""

import sys

import pytest
from arrears.sending.values import Settles
from support.sending_model import Protocol, search

RESTART = {"max_crashes": 1, "max_restarts": 1, "is_write_checked_at_once": True}
EXCHANGE = {"max_crashes": 1, "may_exchange": True}
WAYS = {"max_crashes": 1, "ways": 2}
DAYS = {**WAYS, "max_days": 1}
CAN_TELL = (Settles.BY_LOOK_UP, Settles.BY_ASKING_AGAIN)
DEEP = [{"max_crashes": 3}, {**RESTART, "max_crashes": 2, "max_restarts": 2}]


def named(settles, world, *marks):
    words = f"{settles.value}, {world['max_crashes']} crashes, {world.get('max_restarts', 0)} restarts"
    words += ", another provider" if world.get("may_exchange") else ""
    words += ", another channel" if world.get("ways") else ""
    words += ", a later day" if world.get("max_days") else ""
    return pytest.param(settles, world, id=words, marks=marks)


@pytest.mark.parametrize(
    ("settles", "world"),
    [
        *(named(settles, {"max_crashes": 1}) for settles in Settles),
        named(Settles.BY_LOOK_UP, EXCHANGE),
        named(Settles.BY_ASKING_AGAIN, EXCHANGE, pytest.mark.chaos),
        *(named(settles, DAYS) for settles in (Settles.BY_PERSON, Settles.BY_LOOK_UP)),
        named(Settles.BY_ASKING_AGAIN, DAYS, pytest.mark.chaos),
        *(named(settles, RESTART) for settles in (Settles.BY_PERSON, Settles.BY_LOOK_UP)),
        named(Settles.BY_ASKING_AGAIN, RESTART, pytest.mark.chaos),
        *(named(settles, world, pytest.mark.chaos) for settles in Settles for world in DEEP),
    ],
)
def test_nobody_is_contacted_twice(settles, world):
    """Pauses of any length are part of every world: a dispatcher that does nothing while time passes."""
    found = search(Protocol(settles, **world))

    sys.stdout.write(f"\n{settles.value} {world}: {found.states:,} states, {found.steps:,} steps\n")
    assert found.states > 500
    assert found.twice == []
    assert found.lying == []


@pytest.mark.parametrize("ways", [1, 2], ids=["one channel", "two channels"])
def test_with_look_up_every_story_can_still_end_well(ways):
    assert search(Protocol(Settles.BY_LOOK_UP, max_crashes=1, ways=ways)).stuck == 0


@pytest.mark.parametrize(
    ("settles", "mutant"),
    [
        pytest.param(Settles.BY_LOOK_UP, {"has_intent": False}, id="send before the intent is committed"),
        pytest.param(Settles.BY_LOOK_UP, {"resends_unknown": True}, id="resend what is unknown"),
        pytest.param(Settles.BY_PERSON, {"resends_unknown": True}, id="resend what is unknown, no look-up"),
        pytest.param(
            Settles.BY_LOOK_UP,
            {"resends_unknown": True, "has_lock": False, "has_check": False},
            id="a lease alone",
        ),
        pytest.param(Settles.BY_LOOK_UP, {"has_lock": False}, id="no session lock, and a pause after the check"),
        pytest.param(
            Settles.BY_LOOK_UP,
            {"has_check": False, "max_restarts": 1, "is_write_checked_at_once": True},
            id="no check of the claim's age, and a restart",
        ),
        pytest.param(
            Settles.BY_LOOK_UP, {"minds_lag": False, "believes_first_look": True}, id="believe the first look at once"
        ),
        pytest.param(Settles.BY_ASKING_AGAIN, {"minds_window": False}, id="ask again after the provider has forgotten"),
        pytest.param(
            Settles.BY_LOOK_UP, {"ways": 2, "goes_on_when_unknown": True}, id="another channel for what is unknown"
        ),
        pytest.param(
            Settles.BY_PERSON, {"max_days": 1, "takes_up_unknown": True}, id="a later day takes up what is unknown"
        ),
        *(
            pytest.param(settles, {"may_exchange": True, "minds_provider": False}, id=f"ask another: {settles.value}")
            for settles in CAN_TELL
        ),
    ],
)
def test_each_mutant_contacts_somebody_twice(settles, mutant):
    found = search(Protocol(settles, **mutant), until_twice=True)

    assert found.twice, f"{found.states} states"


def test_what_remains_is_known():
    """A pause past the lease between the check and the first byte, while the database loses the session lock."""
    found = search(Protocol(Settles.BY_LOOK_UP, max_crashes=0, max_restarts=1), until_twice=True)

    assert "restart" in found.twice
    assert "check" in found.twice


def test_what_remains_with_a_provider_that_forgets_is_known():
    """A pause longer than the provider remembers a key, between the check and the first byte of asking again."""
    found = search(Protocol(Settles.BY_ASKING_AGAIN, max_crashes=1, pauses_past_window=True), until_twice=True)

    assert "ask_again" in found.twice
