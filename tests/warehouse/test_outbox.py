"""What may be done to waiting outbox rows, and what the database itself refuses."""

from datetime import UTC, datetime, timedelta

import pytest
from arrears.errors import PublishAuditError, RuleInputError
from arrears.warehouse import outbox
from arrears.warehouse.connection import transaction
from arrears.warehouse.outbox import Scope
from sqlalchemy import text
from support.outbox import DAY, empty_outbox, history, put_steps, states, step

STATES = (
    "held",
    "planned",
    "claimed",
    "sent",
    "rejected_retryable",
    "rejected_final",
    "unknown",
    "suppressed",
    "expired",
    "cancelled",
)


@pytest.fixture
def url(warehouse_url):
    yield warehouse_url
    empty_outbox(warehouse_url)


def run(url, statement, **values):
    with transaction(url) as connection:
        return connection.execute(text(statement), values)


@pytest.mark.parametrize(
    ("change", "touched", "becomes"),
    [
        (outbox.hold, {"planned", "rejected_retryable"}, "held"),
        (outbox.release, {"held"}, "planned"),
        (outbox.suppress, {"held", "planned", "rejected_retryable"}, "suppressed"),
        (outbox.cancel, {"held", "planned", "rejected_retryable"}, "cancelled"),
    ],
)
def test_only_waiting_rows_change(url, change, touched, becomes):
    put_steps(url, [step(state, state_code=state) for state in STATES])

    with transaction(url) as connection:
        count = change(connection, Scope(portfolio="book"), actor="feedback", reason="dispute")

    assert count == len(touched)
    assert states(url) == {state: becomes if state in touched else state for state in STATES}
    assert history(url, min(touched))[-1] == (becomes, "dispute", "feedback")


@pytest.mark.parametrize(
    "scope",
    [
        Scope(step_key="a"),
        Scope(portfolio="book", case_id="case-a"),
        Scope(person_id="person-a"),
        Scope(portfolio="book", borrower_id="party-a"),
        Scope(portfolio="book", loan_id="loan-a"),
        Scope(portfolio="book", contact_point_id="point-a"),
        Scope(portfolio="book", channel_code="email"),
        Scope(portfolio="book", business_date=DAY + timedelta(days=1)),
    ],
    ids=lambda scope: " ".join(name for name, value in vars(scope).items() if value),
)
def test_scope_finds_its_row_alone(url, scope):
    other = {"channel_code": "email", "business_date": DAY + timedelta(days=1), "loan_ids": ["loan-0", "loan-a"]}
    put_steps(url, [step("a", **other), step("b"), step("c")])

    with transaction(url) as connection:
        assert outbox.suppress(connection, scope, actor="feedback", reason="opt_out") == 1

    assert states(url) == {"a": "suppressed", "b": "planned", "c": "planned"}


def test_scope_without_a_criterion_is_refused(url):
    with transaction(url) as connection, pytest.raises(RuleInputError, match="at least one"):
        outbox.cancel(connection, Scope(), actor="x", reason="y")


def test_release_spares_rows_whose_time_has_passed(url):
    past = datetime.now(UTC) - timedelta(seconds=1)
    put_steps(url, [step("late", state_code="held", not_after_at=past), step("due", state_code="held")])

    with transaction(url) as connection:
        assert outbox.release(connection, Scope(portfolio="book"), actor="x", reason="approved") == 1
        assert outbox.expire(connection, actor="dispatch") == 1

    assert states(url) == {"due": "planned", "late": "expired"}


def test_rolled_back_change_leaves_no_history(url):
    put_steps(url, [step("r")])
    before = history(url, "r")

    with transaction(url) as connection:
        outbox.hold(connection, Scope(step_key="r"), actor="x", reason="y")
        connection.get_transaction().rollback()

    assert history(url, "r") == before
    assert states(url) == {"r": "planned"}


@pytest.mark.parametrize("state", ["sent", "rejected_final", "suppressed", "expired", "cancelled"])
def test_ended_row_never_becomes_sendable(url, state):
    put_steps(url, [step("a", state_code=state)])

    for back in ("planned", "held", "claimed", "rejected_retryable"):
        with pytest.raises(PublishAuditError):
            run(url, f"UPDATE ops.notification SET state_code = '{back}'")

    assert states(url) == {"a": state}


LATER = f"state_code = 'planned', business_date = '{DAY + timedelta(days=1)}'"


@pytest.mark.parametrize("state", ["expired", "rejected_final"])
def test_later_day_takes_up_what_ended_and_reached_nobody(url, state):
    put_steps(url, [step("a", state_code=state)])

    run(url, f"UPDATE ops.notification SET {LATER}")

    assert states(url) == {"a": "planned"}


@pytest.mark.parametrize("state", ["sent", "unknown", "suppressed", "cancelled"])
def test_later_day_takes_up_nothing_else(url, state):
    put_steps(url, [step("a", state_code=state)])

    with pytest.raises(PublishAuditError):
        run(url, f"UPDATE ops.notification SET {LATER}")


@pytest.mark.parametrize("state", ["claimed", "planned", "held"])
def test_unknown_row_is_never_sendable_by_itself(url, state):
    put_steps(url, [step("a", state_code="unknown")])

    with pytest.raises(PublishAuditError):
        run(url, f"UPDATE ops.notification SET state_code = '{state}'")


def test_one_contact_per_person_and_day_is_a_constraint(url):
    put_steps(url, [step("a", person_id="p"), step("b", person_id="p", portfolio="other")])
    run(url, "UPDATE ops.notification SET state_code = 'claimed', contacted_on = :d WHERE step_key = 'a'", d=DAY)

    with pytest.raises(PublishAuditError, match="notification_person_day"):
        run(url, "UPDATE ops.notification SET state_code = 'claimed', contacted_on = :d WHERE step_key = 'b'", d=DAY)


def test_borrowers_of_two_portfolios_that_share_an_identifier_are_two_people(url):
    rows = [step(name, person_id=None, borrower_id="1", portfolio=name) for name in ("one", "two")]
    put_steps(url, rows)

    assert run(url, "UPDATE ops.notification SET state_code = 'claimed', contacted_on = :d", d=DAY).rowcount == 2


@pytest.mark.parametrize("statement", ["UPDATE {} SET actor = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_history_is_appended_only(url, statement):
    put_steps(url, [step("a")])

    with pytest.raises(PublishAuditError):
        run(url, statement.format("ops.notification_event"))
