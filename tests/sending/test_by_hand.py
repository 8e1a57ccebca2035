"""What people do to the outbox: possible only where it makes sense, and always in the audit trail."""

import pytest
from arrears.errors import OutboxStateError, RuleInputError
from arrears.sending import by_hand
from arrears.warehouse.audit import broken_entries
from arrears.warehouse.connection import transaction
from arrears.warehouse.outbox import Scope
from sqlalchemy import text
from support.outbox import DAY, empty_outbox, history, put_steps, states, step

BY = {"actor": "supervisor:4", "reason": "provider's support says so"}


@pytest.fixture
def url(warehouse_url):
    yield warehouse_url
    empty_outbox(warehouse_url)


def act(url, action, *given, **named):
    with transaction(url) as connection:
        return action(connection, *given, **named)


def audit(url):
    with transaction(url) as connection:
        assert broken_entries(connection) == []
        return connection.execute(text("SELECT action, subject, actor FROM ops.audit_entry ORDER BY entry_no")).all()


@pytest.mark.parametrize(
    ("answer", "state"), [("sent", "sent"), ("not-sent", "rejected_retryable"), ("give-up", "cancelled")]
)
def test_unknown_is_settled_by_a_person(url, answer, state):
    put_steps(url, [step("u", state_code="unknown", contacted_on=DAY)])

    assert act(url, by_hand.settle, "u", answer, **BY) == state

    assert states(url) == {"u": state}
    assert history(url, "u")[-1] == (state, "settled_by_person", "supervisor:4")
    assert audit(url)[-1] == ("outbox.settle", "u", "supervisor:4")
    with transaction(url) as connection:
        day = connection.execute(text("SELECT contacted_on FROM ops.notification")).scalar_one()
    assert day == (DAY if state == "sent" else None)


@pytest.mark.parametrize("state", ["planned", "claimed", "sent", "held", "cancelled"])
def test_only_unknown_is_settled(url, state):
    put_steps(url, [step("s", state_code=state)])
    before = audit(url)

    with pytest.raises(OutboxStateError):
        act(url, by_hand.settle, "s", "sent", **BY)

    assert states(url) == {"s": state}
    assert audit(url) == before


def test_waiting_row_is_cancelled_and_a_sent_one_is_not(url):
    put_steps(url, [step("w"), step("x", state_code="sent")])

    act(url, by_hand.cancel, "w", **BY)
    with pytest.raises(OutboxStateError):
        act(url, by_hand.cancel, "x", **BY)

    assert states(url) == {"w": "cancelled", "x": "sent"}


def test_key_that_is_not_one_row_is_refused(url):
    put_steps(url, [step("aa1"), step("aa2")])

    for key in ("aa", "zz", "%"):
        with pytest.raises(OutboxStateError):
            act(url, by_hand.cancel, key, **BY)


def test_held_rows_are_released(url):
    put_steps(url, [step("h1", state_code="held"), step("h2", state_code="held", portfolio="other")])

    assert act(url, by_hand.release, Scope(portfolio="book"), **BY) == 1

    assert states(url) == {"h1": "planned", "h2": "held"}
    assert audit(url)[-1][0] == "outbox.release"


def test_stop_holds_until_it_is_started_again_once(url):
    number = act(url, by_hand.stop, "channel", "sms", **BY)
    assert [one["stop_id"] for one in act(url, by_hand.stops)] == [number]

    act(url, by_hand.start, number, **BY)
    with pytest.raises(OutboxStateError):
        act(url, by_hand.start, number, **BY)

    assert act(url, by_hand.stops) == []
    assert [action for action, *_ in audit(url)[-2:]] == ["outbox.stop", "outbox.start"]


@pytest.mark.parametrize(("scope", "value"), [("all", "x"), ("channel", ""), ("planet", "earth")])
def test_stop_that_says_nothing_clear_is_refused(url, scope, value):
    with pytest.raises(RuleInputError):
        act(url, by_hand.stop, scope, value, **BY)


@pytest.mark.parametrize("missing", ["actor", "reason"])
def test_nothing_is_done_without_author_and_reason(url, missing):
    put_steps(url, [step("w")])

    with pytest.raises(RuleInputError):
        act(url, by_hand.cancel, "w", **{**BY, missing: " "})

    assert states(url) == {"w": "planned"}
