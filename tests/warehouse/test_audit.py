"""The audit trail: appended only, chained, written with what it speaks of or not at all."""

import threading
from datetime import date

import pytest
from arrears.errors import RuleInputError
from arrears.warehouse.audit import broken_entries, record
from arrears.warehouse.connection import transaction
from sqlalchemy import text

FREE = "ALTER TABLE ops.audit_entry DISABLE TRIGGER ALL"


@pytest.fixture
def url(own_warehouse_url):
    return own_warehouse_url


def write(url, count=5):
    for number in range(count):
        with transaction(url) as connection:
            record(
                connection,
                actor="ops:7",
                action="outbox.cancel",
                subject=f"step-{number}",
                reason="wrong template — 模板",
                before={"state": "planned", "n": number},
                after=None,
            )


def run(url, *statements):
    with transaction(url) as connection:
        for statement in statements:
            connection.execute(text(statement))


def broken(url):
    with transaction(url) as connection:
        return broken_entries(connection)


def test_entries_are_numbered_without_gaps_and_chained(url):
    write(url)

    with transaction(url) as connection:
        numbers = connection.execute(text("SELECT entry_no FROM ops.audit_entry ORDER BY 1")).scalars().all()
    assert numbers == [1, 2, 3, 4, 5]
    assert broken(url) == []


def test_whatever_is_told_the_chain_holds_and_nobody_s_number_is_in_it(url):
    odd = {"rate": -0.0, "big": 1e22, "on": date(2026, 3, 2), "text": "a\0b\ud800", "deep": [(1, 0.1)], 7: True}
    with transaction(url) as connection:
        told = "asked by 13812345678\0"
        record(connection, actor="ops:7", action="a", subject="s", reason=told, before=odd, after={"n": 10**30})
        reason = connection.execute(text("SELECT reason FROM ops.audit_entry")).scalar_one()

    assert broken(url) == []
    assert reason == "asked by <private>\ufffd"


@pytest.mark.parametrize("nobody", ["", "  ", "\u200b", "--"])
def test_nobody_does_nothing(url, nobody):
    with transaction(url) as connection:
        with pytest.raises(RuleInputError):
            record(connection, actor=nobody, action="a", subject="s", reason="why")
        with pytest.raises(RuleInputError):
            record(connection, actor="ops:7", action="a", subject="s", reason=nobody)


def test_rolled_back_action_leaves_no_entry_and_no_gap(url):
    with transaction(url) as connection:
        record(connection, actor="a", action="b", subject="c", reason="d")
        connection.get_transaction().rollback()
    write(url, 2)

    assert broken(url) == []


def test_writers_at_once_make_one_chain(url):
    threads = [threading.Thread(target=write, args=(url, 10)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with transaction(url) as connection:
        assert connection.execute(text("SELECT count(*), max(entry_no) FROM ops.audit_entry")).one() == (40, 40)
    assert broken(url) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ops.audit_entry SET reason = 'x'",
        "DELETE FROM ops.audit_entry",
        "TRUNCATE ops.audit_entry",
    ],
)
def test_entries_are_appended_only(url, statement):
    write(url, 1)

    with pytest.raises(Exception, match="a row was refused"):
        run(url, statement)


@pytest.mark.parametrize(
    ("statements", "at"),
    [
        pytest.param(["UPDATE ops.audit_entry SET reason = 'x' WHERE entry_no = 3"], [3], id="changed"),
        pytest.param(["DELETE FROM ops.audit_entry WHERE entry_no = 3"], [4], id="taken out"),
        pytest.param(
            [
                "UPDATE ops.audit_entry SET entry_no = 30 WHERE entry_no = 3",
                "UPDATE ops.audit_entry SET entry_no = 3 WHERE entry_no = 2",
                "UPDATE ops.audit_entry SET entry_no = 2 WHERE entry_no = 30",
            ],
            [2, 3, 4],
            id="swapped",
        ),
        pytest.param(
            [
                "CREATE TEMP TABLE copied AS TABLE ops.audit_entry",
                "UPDATE copied SET entry_no = 6",
                "INSERT INTO ops.audit_entry SELECT * FROM copied WHERE subject = 'step-4'",
            ],
            [6],
            id="put in",
        ),
    ],
)
def test_who_goes_round_the_guard_breaks_the_chain(url, statements, at):
    write(url)

    run(url, FREE, *statements)

    assert broken(url) == at


@pytest.mark.parametrize(("actor", "reason"), [("", "why"), (" ", "why"), ("who", "")])
def test_nobody_acts_without_name_and_reason(url, actor, reason):
    with transaction(url) as connection, pytest.raises(RuleInputError):
        record(connection, actor=actor, action="outbox.stop", subject="all", reason=reason)
