"""The job ``assign``: queues from the portfolio, agents from the shifts, yesterday's agent kept."""

from datetime import UTC, datetime

import pytest
from arrears.errors import PartitionMissingError
from arrears.feedback.intake import take_in
from arrears.jobs.assign import assign
from arrears.jobs.day import Work
from arrears.lake import Lake
from pydantic import SecretStr
from support.books import FIRST, rows_of
from support.desk import delivery, forget
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


@pytest.mark.parametrize(("about", "named"), [("loan_ids", ["l1"]), ("party_id", "b1")], ids=["loan", "person"])
def test_agent_whom_a_supervisor_named_has_the_case_once_it_was_known(
    settings, warehouse_url, monkeypatch, about, named
):
    forget(warehouse_url)
    settings = settings.model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    loans = [{"loan_id": f"l{number}", "borrower_id": f"b{number}"} for number in (1, 2)]
    floor = shifts(FIRST, a1=30, a2=30, a3=30)
    put_ledger(settings, FIRST, [aged("l1", 40), aged("l2", 35)], agent_shift=floor, loan=loans)
    work(settings, FIRST)
    override = {
        "kind": "override",
        "ref": "o1",
        "occurred_at": "2026-02-01T03:00:00Z",
        "author_id": "S1",
        "reason_code": "asked_for",
        "action_code": "reassign",
        "agent_id": "a3",
    }
    taken = take_in(settings, Lake(settings.lake_url), delivery({**override, about: named}))

    monkeypatch.setattr(Work, "known_until", property(lambda _: "2026-03-01T00:00:00+00:00"))
    assign("book", FIRST, settings=settings)
    unknown_yet = placed(settings, FIRST)
    monkeypatch.setattr(Work, "known_until", property(lambda _: datetime.now(UTC).isoformat()))
    assign("book", FIRST, settings=settings)

    assert taken.accepted == 1
    assert unknown_yet == {"b1": ("named", "a1", "new_agent"), "b2": ("named", "a2", "new_agent")}
    assert placed(settings, FIRST) == {"b1": ("named", "a3", "by_supervisor"), "b2": ("named", "a1", "new_agent")}


def test_rerun_leaves_the_same_hash(settings):
    put_ledger(settings, FIRST, [aged("l1", 40), aged("l2", 5), aged("l3", 33)])
    first = work(settings, FIRST)

    assert assign("book", FIRST, settings=settings) == first[1]


def test_cases_must_be_there(settings):
    with pytest.raises(PartitionMissingError, match="core__case_daily"):
        assign("book", FIRST, settings=settings)
