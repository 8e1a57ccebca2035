"""Random loans for the proof: what happens on real books, and what seldom does, often enough to matter."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from proof.independent import ORDER, PAYS, Debt, Due, Entry

FIRST = date(2024, 1, 15)  # the dates asked for span 29 February 2024
CURRENCIES = ("CNY", "USD", "JPY", "KWD")
STATUSES = ("active",) * 30 + ("charged_off", "paid_off", "settled", "sold")


def random_debts(count: int, seed: int, days: int) -> list[Debt]:
    """Loans whose schedules lie around the ``days`` dates after ``FIRST``; equal arguments give equal loans."""
    random = Random(seed)  # noqa: S311  a test bed, no secret
    return [_debt(random, f"{seed}-{number:06d}", days) for number in range(count)]


def _debt(random: Random, name: str, days: int) -> Debt:
    schedule = _schedule(random, days)
    entries = _entries(random, name, schedule, days)
    status = random.choice(STATUSES)
    grace = random.choice((None, None, None, 0, 3, 10))
    is_threshold = random.choice((None, None, None, True, False))
    deferrals = _pauses(random, days) if random.random() < 0.3 else ()
    principal = Decimal(random.choice((0, 1, 1000, 20_000, 90_000))) / 100
    return Debt(name, schedule, entries, _pauses(random, days), status, grace, is_threshold, deferrals, principal)


def _schedule(random: Random, days: int) -> tuple[Due, ...]:
    begins = FIRST + timedelta(days=random.randint(-90, days))
    step = random.choice(("month", "month", "month end", "week", "fortnight", "same day"))
    dues = []
    for number in range(random.randint(1, 6)):
        amounts = {"principal": random.randint(0, 9000), "interest": random.randint(0, 900)}
        amounts |= {name: random.choice((0, 0, 0, random.randint(1, 300))) for name in ("fee", "penalty")}
        if random.random() < 0.05:
            amounts = dict.fromkeys(ORDER, 0)
        money = {component: Decimal(amounts[component]) / 100 for component in ORDER}
        is_down_payment = number == 0 and random.random() < 0.1
        dues.append(Due(number + 1, _due_on(begins, step, number), money, is_down_payment))
    return tuple(dues)


def _due_on(begins: date, step: str, number: int) -> date:
    if step in ("week", "fortnight", "same day"):
        return begins + timedelta(days={"week": 7, "fortnight": 14, "same day": 0}[step] * number)
    months = begins.year * 12 + begins.month - 1 + number
    year, month = divmod(months, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, last if step == "month end" else min(begins.day, last))


def _entries(random: Random, name: str, schedule: tuple[Due, ...], days: int) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    ends = max(due.on for due in schedule)

    def add(kind: str, on: date, amount: int, undoes: str | None = None, component: str = "fee") -> Entry:
        booked = on + timedelta(days=random.choice((0, 0, 0, 1, 5, 20)) if kind != "charge" else random.randint(-8, 8))
        known = datetime.combine(booked, time(random.randint(0, 23), random.choice((0, 30))))
        entry = Entry(f"{name}-{len(entries):02d}", kind, on, Decimal(max(1, amount)) / 100, known, undoes, component)
        entries.append(entry)
        return entry

    def anywhere() -> date:
        return FIRST + timedelta(days=random.randint(-60, days + 5))

    for due in schedule:
        owed = int(sum(due.amounts.values()) * 100)
        share = random.choice((0, 0, 1, 1, 1, 0.5, 0.3, 1.4))
        if share:
            on = due.on + timedelta(days=random.choice((-20, -1, 0, 0, 1, 2, 5, 30, 45)))
            add(random.choice(("repayment",) * 6 + tuple(sorted(PAYS))), on, int(owed * share))
    for kind, chance in (("charge", 0.15), ("chargeback", 0.12), ("credit_refund", 0.06), ("repayment", 0.2)):
        while random.random() < chance:
            on = ends + timedelta(days=random.choice((-1, 0, 1, 9))) if random.random() < 0.3 else anywhere()
            add(kind, on, random.randint(1, 4000), component=random.choice(("fee", "penalty")))
    originals = list(entries)
    for original in originals:
        undone, chance = original, 0.15
        for _ in range(3):  # a reversal of a reversal of a reversal, and no further
            if random.random() > chance:
                break
            on = undone.on + timedelta(days=random.choice((0, 1, 3, 17)))
            undone = add("reversal", on, int(original.amount * 100), undone.name)
            chance = 0.4
    return tuple(entries)


def _pauses(random: Random, days: int) -> tuple[tuple[date, date | None], ...]:
    pauses = []
    while random.random() < 0.2:
        starts = FIRST + timedelta(days=random.randint(-40, days))
        pauses.append((starts, random.choice((None, *(starts + timedelta(days=each) for each in (0, 1, 4, 10, 30))))))
    return tuple(pauses)
