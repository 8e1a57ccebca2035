"""What is open of hand-made instalments, and what is true of a hand-made loan: every expected figure is worked out."""

from dataclasses import replace

import numpy as np
import pytest
from arrears.sources.demo.calendar import NEVER, Calendar, date_of
from arrears.sources.demo.cells import Cells
from arrears.sources.demo.lender import TRAVEL_CN
from arrears.sources.demo.plan import Pauses, Plan, Promises, no_pauses
from arrears.sources.demo.truth import truth

DUE = (20_000, 20_030, 20_060)  # three instalments of 1000 principal, 100 interest, 10 fee
TOTAL = 1_110


def loan(paid=DUE, **twists):
    """One loan; ``paid`` gives the clearing days, ``twists`` single cells as {name: {slot: value}}."""
    cells = Cells.empty(1)
    for slot, (due, day) in enumerate(zip(DUE, paid, strict=True)):
        cells.due[0, slot], cells.effective[0, slot], cells.booked[0, slot] = due, day, day
        cells.principal[0, slot], cells.interest[0, slot], cells.fee[0, slot] = 1_000, 100, 10
    for name, values in twists.items():
        for slot, value in values.items():
            getattr(cells, name)[0, slot] = value
    cells.settled_on[:, :-1] = cells.visible[:, 1:]
    return Plan(
        lender=TRAVEL_CN,
        calendar=Calendar(TRAVEL_CN.rhythm, 20_098, 20_100),
        first=1,
        borrower=np.array([0]),
        risk=np.array([1.0]),
        disbursed=np.array([19_970], dtype=np.int32),
        count=np.array([3]),
        product=np.array(["trip_hotel"]),
        principal=np.array([3_000]),
        grace=np.array([-1], dtype=np.int32),
        cells=cells,
        charged_off=np.array([NEVER], dtype=np.int32),
        ended=np.array([NEVER], dtype=np.int32),
        ended_code=np.array([""], dtype="<U12"),
        pauses=no_pauses(),
        story=np.array([""]),
    )


def paused(*pauses):
    """Pauses of the one loan: (starts, ends, known, end known)."""
    columns = [np.array(column, dtype=np.int32) for column in zip(*pauses, strict=True)]
    return Pauses(np.zeros(len(pauses), dtype=np.intp), *columns, np.array(["hardship"] * len(pauses)))


def row(plan, business_date):
    rows = truth(plan, business_date).to_pylist()
    assert len(rows) == 1
    return rows[0]


NOTHING = {"past_due_on": None, "past_due_days": 0, "delinquent_days": 0, "past_due_minor": 0}
UNPAID = (20_000, NEVER, NEVER)


@pytest.mark.parametrize(
    ("plan", "business_date", "expected"),
    [
        pytest.param(loan(), 20_031, NOTHING | {"outstanding_principal_minor": 1_000}, id="paid-on-the-due-day"),
        pytest.param(loan(UNPAID), 20_030, NOTHING, id="the-due-day-itself-is-current"),
        pytest.param(
            loan(UNPAID),
            20_031,
            {"past_due_on": date_of(20_030), "past_due_days": 1, "delinquent_days": 1, "past_due_minor": TOTAL}
            | {"past_due_principal_minor": 1_000, "past_due_interest_minor": 100, "past_due_fee_minor": 10}
            | {"past_due_penalty_minor": 0, "outstanding_principal_minor": 2_000, "status_code": "active"},
            id="the-day-after-is-one-day",
        ),
        pytest.param(
            loan(UNPAID),
            20_065,
            {"past_due_on": date_of(20_030), "past_due_days": 35, "past_due_minor": 2 * TOTAL},
            id="the-oldest-counts-the-days-and-all-count-the-amount",
        ),
        pytest.param(
            loan(UNPAID, part_on={1: 20_035}, part_minor={1: 60}, penalty_on={1: 20_040}, penalty_minor={1: 50}),
            20_041,
            {"past_due_days": 11, "past_due_minor": TOTAL + 50 - 60, "past_due_penalty_minor": 0}
            | {"past_due_fee_minor": 0, "past_due_interest_minor": 100, "past_due_principal_minor": 1_000},
            id="a-part-goes-to-penalty-then-fee",
        ),
        pytest.param(
            loan(UNPAID, bounce_on={1: 20_030}, bounced_on={1: 20_033}), 20_033, NOTHING, id="a-debit-counts-until"
        ),
        pytest.param(
            loan(UNPAID, bounce_on={1: 20_030}, bounced_on={1: 20_033}),
            20_034,
            {"past_due_on": date_of(20_030), "past_due_days": 4, "past_due_minor": TOTAL},
            id="its-return-brings-the-old-due-day-back",
        ),
        pytest.param(
            loan((20_000, 20_030, 20_060), booked={1: 20_034}),
            20_034,
            {"past_due_days": 4, "past_due_minor": TOTAL},
            id="a-transfer-not-booked-yet-is-not-known",
        ),
        pytest.param(
            loan((20_000, 20_030, 20_060), booked={1: 20_034}), 20_035, NOTHING, id="booked-late-it-was-never-late"
        ),
        pytest.param(loan(short_minor={1: 100}), 20_050, NOTHING, id="a-shortfall-of-the-tolerance-is-paid"),
        pytest.param(
            loan(short_minor={1: 101}),
            20_050,
            {"past_due_on": date_of(20_030), "past_due_days": 20, "past_due_minor": 101}
            | {"past_due_principal_minor": 101, "outstanding_principal_minor": 1_101},
            id="one-more-is-past-due",
        ),
        pytest.param(loan(short_minor={1: 101}), 20_061, NOTHING, id="the-next-payment-makes-up-for-it"),
        pytest.param(
            loan((20_000, 20_030, NEVER), short_minor={1: 100}),
            20_061,
            {"past_due_on": date_of(20_060), "past_due_days": 1, "past_due_minor": TOTAL + 100},
            id="the-day-counts-from-where-the-sum-passes-the-tolerance",
        ),
        pytest.param(
            loan(UNPAID, charge_on={1: 20_020}, charge_booked={1: 20_032}, charge_minor={1: 30}),
            20_033,
            {"past_due_minor": TOTAL + 30, "past_due_fee_minor": 40},
            id="a-charge-joins-the-next-instalment-once-booked",
        ),
        pytest.param(
            loan(
                due={3: 20_070},
                charge_on={3: 20_070},
                charge_booked={3: 20_070},
                charge_minor={3: 300},
            ),
            20_075,
            {"past_due_on": date_of(20_070), "past_due_days": 5, "past_due_minor": 300, "past_due_fee_minor": 300}
            | {"outstanding_principal_minor": 0, "status_code": "active"},
            id="a-charge-after-maturity-is-an-instalment-of-its-own",
        ),
        pytest.param(
            loan((20_000, 20_030, NEVER), chargeback_on={2: 20_040}, chargeback_minor={2: 750}),
            20_050,
            {"past_due_on": date_of(20_040), "past_due_days": 10, "past_due_minor": 750}
            | {"past_due_principal_minor": 750, "past_due_interest_minor": 0, "outstanding_principal_minor": 1_750},
            id="what-is-charged-back-before-the-due-day-is-overdue-since-then",
        ),
        pytest.param(loan(), 20_061, NOTHING | {"is_open": False, "status_code": "paid_off"}, id="all-paid"),
        pytest.param(
            replace(loan(UNPAID), grace=np.array([3], dtype=np.int32)),
            20_035,
            {"past_due_days": 5, "delinquent_days": 2, "past_due_minor": TOTAL},
            id="grace-delays-the-second-counter",
        ),
        pytest.param(
            replace(loan(UNPAID), pauses=paused((20_025, 20_033, 20_025, 20_025), (20_032, 20_036, 20_032, 20_032))),
            20_040,
            {"past_due_days": 10, "paused_days": 6, "delinquent_days": 4},
            id="overlapping-pauses-count-once-and-only-inside-the-span",
        ),
        pytest.param(
            replace(loan(UNPAID), pauses=paused((20_032, 20_036, 20_032, 20_045))),
            20_040,
            {"past_due_days": 10, "paused_days": 8, "delinquent_days": 2},
            id="a-pause-lasts-until-its-end-is-booked",
        ),
        pytest.param(
            replace(loan(UNPAID), pauses=paused((20_032, 20_036, 20_041, 20_041))),
            20_041,
            {"paused_days": 0, "delinquent_days": 11},
            id="a-pause-not-booked-yet-is-not-known",
        ),
        pytest.param(
            replace(loan(UNPAID), charged_off=np.array([20_050], dtype=np.int32)),
            20_055,
            {"is_open": True, "status_code": "charged_off", "past_due_days": 25},
            id="a-charged-off-loan-ages-on",
        ),
        pytest.param(
            replace(loan(UNPAID), ended=np.array([20_050], dtype=np.int32), ended_code=np.array(["sold"])),
            20_051,
            NOTHING | {"is_open": False, "status_code": "sold", "outstanding_principal_minor": 0},
            id="a-sold-loan-owes-us-nothing",
        ),
    ],
)
def test_truth_of_a_hand_made_loan(plan, business_date, expected):
    found = row(plan, business_date)

    assert {name: found[name] for name in expected} == expected


def test_truth_leaves_out_a_loan_that_is_not_disbursed_yet():
    assert truth(loan(), 19_970).num_rows == 0
    assert truth(loan(), 19_971).num_rows == 1


def promised(*promises):
    """Promises of the one loan: (day due, day from which the money counts)."""
    due_on, kept_on = (np.array(column, dtype=np.int32) for column in zip(*promises, strict=True))
    zeros = np.zeros(len(promises), dtype=np.int64)
    return Promises(zeros.astype(np.intp), zeros, zeros, due_on - 5, zeros, zeros + 1_000, due_on, kept_on)


@pytest.mark.parametrize(
    ("business_date", "due", "kept"),
    [
        pytest.param(20_040, 0, 0, id="not-due-yet-is-not-counted"),
        pytest.param(20_041, 1, 0, id="due-and-not-kept"),
        pytest.param(20_046, 2, 1, id="another-kept"),
        pytest.param(20_048, 2, 2, id="money-booked-late-keeps-a-promise-afterwards"),
    ],
)
def test_truth_counts_promises(business_date, due, kept):
    plan = replace(loan(UNPAID), promises=promised((20_040, 20_047), (20_045, 20_044)))

    found = row(plan, business_date)

    assert (found["promises_due"], found["promises_kept"]) == (due, kept)
