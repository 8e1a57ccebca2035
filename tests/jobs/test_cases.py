"""The job ``cases``: opened, carried, held, closed over real partitions, day after day."""

from datetime import UTC, datetime, timedelta

import pytest
from arrears.errors import PartitionMissingError, PredecessorMissingError
from arrears.jobs.cases import cases
from arrears.jobs.day import Day
from support.books import FIRST, put, rows_of
from support.floor import LOANS, NEXT, aged, make_floor, put_ledger, work


@pytest.fixture
def settings(tmp_path):
    return make_floor(tmp_path)


def case_rows(settings, day):
    return {row["borrower_id"]: row for row in rows_of(settings, "core__case_daily", day)}


def test_first_day_opens_one_case_per_borrower_over_all_past_due_loans(settings):
    loans = [aged("l1", 40), aged("l2", 5, borrower_id="b1"), aged("l3", 2), aged("l4", 0)]
    put_ledger(settings, FIRST, loans)

    done = cases("book", FIRST, settings=settings)

    found = case_rows(settings, FIRST)
    assert (done["opened"], done["carried"], done["closed"], done["held"]) == (2, 0, 0, 0)
    assert done["past_due_minor"] == 47000
    assert set(found) == {"b1", "b3"}
    assert (found["b1"]["past_due_loans"], found["b1"]["past_due_minor"], found["b1"]["bucket"]) == (2, 45000, "31-60")
    assert (found["b1"]["opened_on"], found["b1"]["case_age_days"], found["b1"]["event_code"]) == (FIRST, 0, "opened")


def test_next_day_carries_closes_and_opens(settings):
    put_ledger(settings, FIRST, [aged("l1", 40), aged("l2", 5), aged("l3", 6)])
    work(settings, FIRST)
    put_ledger(
        settings,
        NEXT,
        [aged("l1", 41), aged("l2", 0), aged("l3", 0, status_code="paid_off", is_open=False), aged("l4", 1)],
    )

    done = cases("book", NEXT, settings=settings)

    before, after = case_rows(settings, FIRST), case_rows(settings, NEXT)
    assert (done["opened"], done["carried"], done["closed"]) == (1, 1, 2)
    assert after["b1"]["case_id"] == before["b1"]["case_id"]
    assert (after["b1"]["event_code"], after["b1"]["case_age_days"]) == ("carried", 1)
    assert (after["b2"]["close_reason_code"], after["b2"]["closed_on"]) == ("cured", NEXT)
    assert after["b3"]["close_reason_code"] == "paid_off"
    assert after["b4"]["event_code"] == "opened"


def test_cured_case_is_gone_the_day_after_and_the_same_one_opens_again(settings):
    days = [FIRST, NEXT, NEXT + timedelta(days=1), NEXT + timedelta(days=2)]
    for day, late in zip(days, (5, 0, 0, 1), strict=True):
        put_ledger(settings, day, [aged("l1", late)])
        work(settings, day)

    assert [len(rows_of(settings, "core__case_daily", day)) for day in days] == [1, 1, 0, 1]
    first, last = case_rows(settings, days[0])["b1"], case_rows(settings, days[3])["b1"]
    assert (first["state_code"], case_rows(settings, days[1])["b1"]["state_code"]) == ("open", "cured")
    assert (last["case_id"], last["opened_on"], last["episode_on"]) == (first["case_id"], FIRST, days[3])
    assert (last["event_code"], last["move_code"], last["episodes"], last["is_watched"]) == (
        "reopened",
        "reopened",
        2,
        True,
    )


def test_loan_that_vanished_stays_in_its_case_until_the_ledger_says_how_it_ended(settings):
    third = NEXT + timedelta(days=1)
    put_ledger(settings, FIRST, [aged("l1", 40), aged("l2", 0, borrower_id="b1")])
    work(settings, FIRST)
    put_ledger(settings, NEXT, [aged("l2", 0, borrower_id="b1")])
    work(settings, NEXT)
    put_ledger(settings, third, [aged("l2", 0, borrower_id="b1")])
    work(settings, third)

    held = case_rows(settings, third)["b1"]
    assert (held["event_code"], held["hold_code"], held["missing_loans"]) == ("carried", "missing", 1)
    assert (held["past_due_minor"], held["worked_minor"]) == (0, 0)
    last = third + timedelta(days=1)
    put_ledger(settings, last, [aged("l1", 0, status_code="sold", is_open=False), aged("l2", 0, borrower_id="b1")])
    cases("book", last, settings=settings)
    assert case_rows(settings, last)["b1"]["close_reason_code"] == "sold"


def test_flags_and_pauses_hold_what_they_concern(settings):
    loans = [aged("l1", 40), aged("l2", 5, borrower_id="b1"), aged("l3", 9), aged("l4", 12), aged("l5", 7)]
    began = datetime(2026, 2, 1, tzinfo=UTC)
    put_ledger(
        settings,
        FIRST,
        loans,
        flag=[
            {"flag_id": "f1", "flag_code": "dispute", "loan_id": "l1", "starts_at": began},
            {"flag_id": "f2", "flag_code": "hardship", "party_id": "b3", "starts_at": began},
            {"flag_id": "f3", "flag_code": "opt_out", "party_id": "b5", "starts_at": began},
        ],
        pause=[{"loan_id": "l4", "starts_on": FIRST, "ends_on": NEXT, "reason_code": "holiday"}],
    )

    done = cases("book", FIRST, settings=settings)

    found = case_rows(settings, FIRST)
    assert done["held"] == 2
    assert {borrower: row["hold_code"] for borrower, row in found.items()} == {
        "b1": None,
        "b3": "hardship",
        "b4": "paused",
        "b5": None,
    }
    assert (found["b1"]["past_due_minor"], found["b1"]["worked_minor"]) == (45000, 5000)
    assert (found["b1"]["bucket"], found["b1"]["worked_bucket"]) == ("31-60", "1-30")


def test_rerun_leaves_the_same_rows_and_hash(settings):
    put_ledger(settings, FIRST, [aged("l1", 40), aged("l2", 5)])
    first = cases("book", FIRST, settings=settings)

    second = cases("book", FIRST, settings=settings)

    assert second == first


def test_portfolio_without_flags_and_parties_still_has_cases(settings):
    put_ledger(settings, FIRST, [aged("l1", 40)], without=("party", "flag", "pause"))

    assert cases("book", FIRST, settings=settings)["opened"] == 1


def test_day_before_must_be_there(settings):
    put_ledger(settings, NEXT, [aged("l1", 40)])

    with pytest.raises(PredecessorMissingError):
        cases("book", NEXT, settings=settings)


def test_day_before_that_has_moved_is_refused(settings):
    put_ledger(settings, FIRST, [aged("l1", 40)])
    work(settings, FIRST)
    put(settings, LOANS, FIRST, [aged("l1", 41)])
    put_ledger(settings, NEXT, [aged("l1", 41)])

    with pytest.raises(PredecessorMissingError, match="stale"):
        cases("book", NEXT, settings=settings)


def test_loans_must_be_aged(settings):
    with pytest.raises(PartitionMissingError, match=LOANS):
        cases("book", FIRST, settings=settings)


def test_manifest_names_what_the_cases_were_made_from(settings):
    put_ledger(settings, FIRST, [aged("l1", 40)])
    work(settings, FIRST)
    put_ledger(settings, NEXT, [aged("l1", 41)])
    cases("book", NEXT, settings=settings)
    day = Day.open("book", NEXT, settings=settings)

    inputs = day.lake.manifest(day.key("core__case_loan_daily")).inputs

    assert {LOANS, "raw__flag", "raw__party", "raw__pause", f"core__case_daily@{FIRST}", "config"} <= set(inputs)


def test_case_whose_step_was_planned_is_in_treatment_the_next_day(settings):
    put_ledger(settings, FIRST, [aged("l1", 5), aged("l2", 100)])
    *_, planned = work(settings, FIRST)
    put_ledger(settings, NEXT, [aged("l1", 6), aged("l2", 101)])

    cases("book", NEXT, settings=settings)

    found = case_rows(settings, NEXT)
    assert planned["planned"] == 1
    assert (found["b1"]["state_code"], found["b1"]["first_treated_on"], found["b1"]["steps_planned"]) == (
        "in_treatment",
        FIRST,
        1,
    )
    assert (found["b2"]["state_code"], found["b2"]["move_code"]) == ("open", "unchanged")
