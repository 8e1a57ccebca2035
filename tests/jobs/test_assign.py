"""The job ``assign``: queues from the portfolio, agents from the shifts, yesterday's agent kept."""

from datetime import UTC, datetime

import pytest
from arrears.errors import PartitionMissingError
from arrears.jobs.assign import assign
from support.books import FIRST, rows_of
from support.floor import NEXT, aged, make_floor, put_ledger, shifts, work


@pytest.fixture
def settings(tmp_path):
    return make_floor(tmp_path)


def placed(settings, day):
    cases = {row["case_id"]: row["borrower_id"] for row in rows_of(settings, "core__case_daily", day)}
    return {
        cases[row["case_id"]]: (row["queue_id"], row["agent_id"], row["reason_code"])
        for row in rows_of(settings, "out__assignment_daily", day)
    }


def test_every_open_case_has_a_place_and_a_reason(settings):
    put_ledger(
        settings,
        FIRST,
        [aged("l1", 40), aged("l2", 5), aged("l3", 33), aged("l4", 100), aged("l5", 32), aged("l6", 31), aged("l7", 0)],
        flag=[
            {"flag_id": "f", "flag_code": "dispute", "party_id": "b3", "starts_at": datetime(2026, 2, 1, tzinfo=UTC)}
        ],
        agent_shift=shifts(FIRST, a1=10, a2=10),
    )

    *_, assigned, _ = work(settings, FIRST)

    assert placed(settings, FIRST) == {
        "b1": ("named", "a1", "new_agent"),
        "b2": ("bot", None, "no_agent_needed"),
        "b3": ("named", None, "held"),
        "b4": ("field", None, "no_queue"),
        "b5": ("named", "a2", "new_agent"),
        "b6": ("named", None, "overflow_capacity"),
    }
    assert assigned["assigned"] == 3
    assert assigned["reasons"] == {
        "held": 1,
        "new_agent": 2,
        "no_agent_needed": 1,
        "no_queue": 1,
        "overflow_capacity": 1,
    }


def test_case_stays_with_its_agent_the_next_day_while_that_one_is_there(settings):
    put_ledger(settings, FIRST, [aged("l1", 40), aged("l2", 39)], agent_shift=shifts(FIRST, a1=10, a2=10))
    work(settings, FIRST)
    put_ledger(settings, NEXT, [aged("l1", 41), aged("l2", 40)], agent_shift=shifts(NEXT, a2=10, a3=400))

    work(settings, NEXT)

    assert placed(settings, FIRST) == {"b1": ("named", "a1", "new_agent"), "b2": ("named", "a2", "new_agent")}
    assert placed(settings, NEXT) == {"b1": ("named", "a3", "reassigned_absent"), "b2": ("named", "a2", "kept_agent")}


def test_shift_of_another_day_is_nobody(settings):
    put_ledger(settings, FIRST, [aged("l1", 40)], agent_shift=shifts(NEXT, a1=400))

    work(settings, FIRST)

    assert placed(settings, FIRST) == {"b1": ("named", None, "overflow_capacity")}


def test_language_of_the_borrower_decides(settings):
    put_ledger(
        settings,
        FIRST,
        [aged("l1", 40)],
        party=[{"party_id": "b1", "person_id": "p1", "is_minor": False, "language": "vi"}],
    )

    work(settings, FIRST)

    assert placed(settings, FIRST) == {"b1": ("named", None, "overflow_language")}


def test_portfolio_that_delivers_no_queues_lists_every_case(settings):
    put_ledger(settings, FIRST, [aged("l1", 40)], without=("party", "queue", "agent_shift"))

    *_, assigned, _ = work(settings, FIRST)

    assert assigned["reasons"] == {"no_queue": 1}


def test_rerun_leaves_the_same_hash(settings):
    put_ledger(settings, FIRST, [aged("l1", 40), aged("l2", 5), aged("l3", 33)])
    first = work(settings, FIRST)

    assert assign("book", FIRST, settings=settings) == first[1]


def test_cases_must_be_there(settings):
    with pytest.raises(PartitionMissingError, match="core__case_daily"):
        assign("book", FIRST, settings=settings)
