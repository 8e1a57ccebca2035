"""Cases of the oracle files' shape whose figures were worked out by hand: what the files of other systems do not hold.

Belongs here: a loan of 1,000 in four instalments of 250, due on the first of February to May 2024, grace 3 days, and
what happens to it. Each case is what was done, in order, and between it what is stated of a day.
"""

from __future__ import annotations

from typing import Any

DUE = ("2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01")
GRACE_DAYS = 3
RANGES = [
    {"name": "1-3", "min_days": 1, "max_days": 3},
    {"name": "4-30", "min_days": 4, "max_days": 30},
    {"name": "31-60", "min_days": 31, "max_days": 60},
    {"name": "61+", "min_days": 61, "max_days": None},
]
TIMINGS, ORDER = ("PAST_DUE", "DUE", "IN_ADVANCE"), ("PENALTY", "FEE", "PRINCIPAL", "INTEREST")
FUTURE = {
    "DEFAULT": "NEXT_INSTALLMENT",
    "GOODWILL_CREDIT": "LAST_INSTALLMENT",
    "MERCHANT_ISSUED_REFUND": "REAMORTIZATION",
}


def case(name: str, *steps: dict[str, Any], fee: int = 0, processing: str = "horizontal") -> dict[str, Any]:
    """A case of the format; a step with ``as_of`` is a check."""
    order = [f"{timing}_{component}" for timing in TIMINGS for component in ORDER]
    rules = {kind: {"future_rule": rule, "order": order} for kind, rule in FUTURE.items()}
    disbursed = did("disbursement", "2024-01-01", amount=1000, auto_down_payment=False)
    numbered = [{"seq": seq, **step} for seq, step in enumerate((disbursed, *steps), 1)]
    return {
        "id": name,
        "grace_days": GRACE_DAYS,
        "ranges": RANGES,
        "config": {
            "strategy": "advanced",
            "allocation": {"schedule_processing": processing, "rules": rules},
            "installment_level": True,
        },
        "schedule": [
            {"no": no, "due_date": due_on, "principal": 250, "interest": 0, "fee": fee, "penalty": 0}
            for no, due_on in enumerate(DUE, 1)
        ],
        "events": [step for step in numbered if "as_of" not in step],
        "checks": [step for step in numbered if "as_of" in step],
    }


def did(what: str, on: str, amount: float | None = None, **more: Any) -> dict[str, Any]:
    """Something that was done, booked on its date."""
    return {"type": what, "booked_on": on, "date": on, "amount": amount, **more}


def paid(on: str, amount: float) -> dict[str, Any]:
    """A repayment."""
    return did("repayment", on, amount)


def ran(on: str, job: str = "inline") -> dict[str, Any]:
    """The close-of-business step."""
    return did("classification_run", on, job=job)


def paused(on: str, start: str, end: str) -> dict[str, Any]:
    """A pause as entered."""
    return {"type": "pause", "booked_on": on, "start": start, "end": end}


def day(as_of: str, **figures: Any) -> dict[str, Any]:
    """What is stated of the days of a date."""
    return {"as_of": as_of, "basis": "schedule and transactions", **figures}


def account(as_of: str, kind: str, **figures: Any) -> dict[str, Any]:
    """What is stated of the account."""
    return {"as_of": as_of, "kind": kind, **figures}


def row(no: int, paid_on: str | None = None, settled: float = 0, **figures: Any) -> dict[str, Any]:
    """A row of a repayment table; ``settled`` is what is paid of it."""
    whole = {"due_date": (*DUE, None)[no - 1], "principal": 250, "interest": 0, "fee": 0, "penalty": 0} | figures
    due = sum(whole[name] for name in ("principal", "interest", "fee", "penalty"))
    timing = {"in_advance": 0, "late": 0} | {name: figures[name] for name in ("in_advance", "late") if name in figures}
    rest = round(due - settled, 2)
    return {"no": no, "paid_date": paid_on, **whole, "due": due, "paid": settled, **timing, "outstanding": rest}


ALL_PAID = [paid(on, 250) for on in DUE]
PAID_ROWS = [row(no, on, 250) for no, on in enumerate(DUE, 1)]
NOTHING = {"past_due_days": 0, "delinquent_days": 0, "delinquent_amount": 0, "past_due_date": None}

DAYS = [
    case(
        "a pause of no length, two that touch, the second cut by a resume",
        paused("2024-02-11", "2024-02-11", "2024-02-11"),
        paused("2024-02-15", "2024-02-15", "2024-02-20"),
        paused("2024-02-15", "2024-02-20", "2024-02-25"),
        did("resume", "2024-02-22"),
        ran("2024-03-01"),
        day(  # 29 days from 1 February, less 5 and 2, less grace
            "2024-03-01",
            past_due_days=29,
            delinquent_days=19,
            delinquent_date="2024-02-04",
            classification="4-30",
            installment_level=[{"classification": "4-30", "amount": 250}],
            pause_periods=[
                {"start": "2024-02-11", "end": "2024-02-11", "active": False},
                {"start": "2024-02-15", "end": "2024-02-20", "active": False},
                {"start": "2024-02-20", "end": "2024-02-22", "active": False},
            ],
        ),
    ),
    case(
        "a resume cuts the pause that holds it and no later one",
        paused("2024-02-05", "2024-02-05", "2024-02-20"),
        paused("2024-02-05", "2024-03-10", "2024-03-20"),
        did("resume", "2024-02-10"),
        ran("2024-03-21"),
        day(  # 28 days of February, 21 of March; less 5 and 10, less grace
            "2024-03-21",
            past_due_days=49,
            delinquent_days=31,
            delinquent_amount=500,
            classification="31-60",
            pause_periods=[
                {"start": "2024-02-05", "end": "2024-02-10", "active": False},
                {"start": "2024-03-10", "end": "2024-03-20", "active": False},
            ],
        ),
    ),
    case(
        "a resume on the day two pauses touch leaves the second without length",
        paused("2024-02-05", "2024-02-05", "2024-02-10"),
        paused("2024-02-05", "2024-02-10", "2024-02-15"),
        did("resume", "2024-02-10"),
        ran("2024-02-20"),
        day("2024-02-20", past_due_days=19, delinquent_days=11, classification="4-30"),
    ),
    case(
        "a chargeback is overdue from its date until it is paid, then the instalment from its due date",
        paid("2024-02-01", 250),
        did("chargeback", "2024-02-10", 100, of=2),
        ran("2024-02-15"),
        day(
            "2024-02-15",
            past_due_days=5,
            delinquent_days=2,
            delinquent_amount=100,
            past_due_date="2024-02-10",
            classification="1-3",
            installment_level=[{"classification": "4-30", "amount": 100}],
        ),
        day("2024-03-05", past_due_days=24, delinquent_days=21, delinquent_amount=350, past_due_date="2024-02-10"),
        paid("2024-03-05", 100),
        day(
            "2024-03-05",
            past_due_days=4,
            delinquent_days=1,
            delinquent_amount=250,
            past_due_date="2024-03-01",
            classification="1-3",
        ),
        paid("2024-03-05", 250),
        day("2024-03-05", **NOTHING, classification=None, installment_level=[]),
    ),
    case(
        "a chargeback after maturity is an instalment of its own",
        *ALL_PAID,
        did("chargeback", "2024-05-10", 100, of=5),
        day("2024-05-10", **NOTHING),
        ran("2024-05-15"),
        day("2024-05-15", past_due_days=5, delinquent_days=2, delinquent_amount=100, classification="1-3"),
        paid("2024-05-15", 50),
        day("2024-05-25", past_due_days=15, delinquent_days=12, delinquent_amount=50, past_due_date="2024-05-10"),
        paid("2024-05-25", 50),
        day("2024-05-25", **NOTHING, classification=None, outstanding=0),
    ),
    case(
        "a payoff that is reversed brings back the old due dates",
        did("payoff", "2024-03-15"),
        day("2024-03-15", **NOTHING, classification=None, outstanding=0),
        did("reversal", "2024-04-10", of=2),
        day(  # 28 days of February, 31 of March, 10 of April
            "2024-04-10",
            past_due_days=69,
            delinquent_days=66,
            delinquent_amount=750,
            past_due_date="2024-02-01",
            classification="61+",
            installment_level=[{"classification": name, "amount": 250} for name in ("31-60", "4-30", "61+")],
            outstanding=1000,
        ),
    ),
    case(
        "a charge back-dated into a paid instalment pushes a rest through all that follow",
        paid("2024-02-01", 250),
        paid("2024-03-01", 250),
        did("charge", "2024-03-20", 10, due_date="2024-01-20", kind="fee"),
        ran("2024-03-20"),
        day("2024-03-20", past_due_days=19, delinquent_days=16, delinquent_amount=10, past_due_date="2024-03-01"),
    ),
    case(
        "within grace there is an amount and a date to come, and no bucket of any instalment",
        ran("2024-02-03"),
        day(
            "2024-02-03",
            past_due_days=2,
            delinquent_days=0,
            delinquent_amount=250,
            delinquent_date="2024-02-04",
            classification=None,
            installment_level=[],
        ),
    ),
    case(
        "a payment leaves the range that day and the next spell begins anew",
        ran("2024-02-05"),
        ran("2024-02-10"),
        paid("2024-02-12", 250),
        ran("2024-03-06", "global"),
        day(
            "2024-03-06",
            history=[
                {"classification": "1-3", "added": "2024-03-06", "lifted": None},
                {"classification": "4-30", "added": "2024-02-10", "lifted": "2024-02-12"},
                {"classification": "1-3", "added": "2024-02-05", "lifted": "2024-02-10"},
            ],
        ),
    ),
    case(
        "the bucket stands still while paused and the days do not",
        ran("2024-02-10"),
        paused("2024-02-10", "2024-02-10", "2024-03-20"),
        ran("2024-03-20", "classification_only"),
        day("2024-03-20", past_due_days=48, delinquent_days=6, classification="4-30"),
    ),
    case(
        "a pause entered back-dated moves the bucket at once",
        ran("2024-02-10"),
        paused("2024-02-10", "2024-02-02", "2024-02-08"),
        day("2024-02-10", past_due_days=9, delinquent_days=0, delinquent_amount=250, classification=None),
    ),
    case(
        "what is done on one day happens in its order",
        paid("2024-02-01", 250),
        did("reversal", "2024-02-06", of=2),
        paid("2024-02-06", 100),
        paid("2024-02-06", 150),
        day("2024-02-06", **NOTHING, classification=None),
    ),
    case(
        "the payment that comes next, by either policy",
        paid("2024-01-15", 100),
        day(
            "2024-01-20",
            next_payment_policy="earliest-unpaid-date",
            next_payment_due_date="2024-02-01",
            next_payment_amount=150,
        ),
        paid("2024-02-20", 50),
        day("2024-02-25", next_payment_policy="earliest-unpaid-date", next_payment_due_date="2024-02-20"),
        day(
            "2024-03-01",
            next_payment_policy="next-unpaid-due-date",
            next_payment_due_date="2024-04-01",
            next_payment_amount=250,
        ),
        day("2024-05-01", next_payment_policy="next-unpaid-due-date", next_payment_due_date="2024-05-01"),
    ),
]

SPREAD = [
    case(
        "goodwill pays the last instalment and then the one before it",
        did("goodwill_credit", "2024-01-15", 300),
        account(
            "2024-01-15",
            "schedule",
            periods=[
                row(1),
                row(2),
                row(3, settled=50, in_advance=50),
                row(4, "2024-01-15", 250, in_advance=250),
            ],
        ),
    ),
    case(
        "a merchant refund pays what is late and spreads the rest, the odd cent to the last",
        did("merchant_issued_refund", "2024-02-10", 350),
        account(
            "2024-02-10",
            "schedule",
            periods=[
                row(1, "2024-02-10", 250, late=250),
                *(row(no, settled=33.33, in_advance=33.33) for no in (2, 3)),
                row(4, settled=33.34, in_advance=33.34),
            ],
        ),
    ),
    case(
        "half a cent is rounded to the even one",
        *ALL_PAID[:2],
        did("merchant_issued_refund", "2024-03-10", 100.01),
        account(
            "2024-03-10",
            "schedule",
            periods=[
                *PAID_ROWS[:2],
                row(3, settled=50, in_advance=50),
                row(4, settled=50.01, in_advance=50.01),
            ],
        ),
    ),
    case(
        "what is overpaid pays a later charge, and the rest is paid out",
        *ALL_PAID[:3],
        paid("2024-05-01", 290),
        account("2024-05-01", "overpaid", amount=40),
        did("charge", "2024-05-05", 15, due_date="2024-05-10", kind="penalty"),
        account("2024-05-05", "overpaid", amount=25),
        account("2024-05-05", "outstanding", amount=0),
        did("credit_balance_refund", "2024-05-06", 25),
        account("2024-05-06", "overpaid", amount=0),
        account("2024-05-06", "outstanding", amount=0),
    ),
    case(
        "a charge after maturity is an instalment of its own",
        *ALL_PAID,
        did("charge", "2024-05-05", 15, due_date="2024-05-20", kind="fee"),
        paid("2024-05-10", 5),
        account(
            "2024-05-10",
            "schedule",
            periods=[*PAID_ROWS, row(5, settled=5, in_advance=5, due_date="2024-05-20", principal=0, fee=15)],
        ),
    ),
    case(
        "vertical takes the fees of all that is late before any principal",
        paid("2024-04-02", 100),
        account(
            "2024-04-02",
            "schedule",
            periods=[
                row(1, settled=80, late=80, fee=10),
                *(row(no, settled=10, late=10, fee=10) for no in (2, 3)),
                row(4, fee=10),
            ],
        ),
        fee=10,
        processing="vertical",
    ),
    case(
        "a reversed payment stays listed as it was spent",
        paid("2024-02-01", 250),
        did("reversal", "2024-02-05", of=2),
        account(
            "2024-02-05",
            "transactions",
            rows=[
                {"type": "repayment", "date": "2024-02-01", "amount": 250, "principal": 250, "reversed": True}
                | dict.fromkeys(("interest", "fee", "penalty"), 0)
            ],
        ),
        account("2024-02-05", "outstanding", amount=1000),
    ),
]
