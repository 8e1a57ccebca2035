"""The parties around the loans: customers, roles, contact points, consents and flags, without a name or a number.

Belongs here: who may be reached where, and what forbids it. What was tried stands in ``contacts``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from arrears.sources.demo.calendar import NEVER, choice, drawn
from arrears.sources.demo.columns import customer_ids, days, ids, instants, loan_ids, texts
from arrears.sources.demo.schema import TABLES
from arrears.sources.demo.stories import told

if TYPE_CHECKING:
    import numpy.typing as npt

    from arrears.sources.demo.calendar import Days
    from arrears.sources.demo.plan import Plan

OTHERS = (("E", "emergency_contact", 0.25), ("K", "co_borrower", 0.04))  # prefix, role, share of loans
ON_LOAN = ("dispute", "written_dispute_in_validation_period", "identity_theft")
FLAG_DAYS = 90  # flags began within so many days before the end


@dataclass(frozen=True)
class People:
    """The parties of a chunk.

    Attributes:
        tables: customer, loan_role, contact_point, consent, account_flag.
        held_from: (borrowers,) first day on which a flag keeps everybody away; NEVER without one.
        known_on: (borrowers,) day of the first disbursal.
    """

    tables: dict[str, pa.Table]
    held_from: Days
    known_on: Days


def people(plan: Plan, random: np.random.Generator) -> People:
    """Everybody around one chunk of loans."""
    first_loan = np.searchsorted(plan.borrower, np.arange(plan.borrower[-1] + 1))
    known_on = np.minimum.reduceat(plan.disbursed, first_loan)
    others = [(prefix, role, np.flatnonzero(drawn(random, share, plan.loans))) for prefix, role, share in OTHERS]
    flags, held_from = _flags(plan, random)
    customers = pa.concat_arrays(
        [customer_ids(plan.borrower_numbers), *(ids(prefix, plan.numbers[row]) for prefix, _, row in others)]
    )
    since = np.concatenate([known_on, *(plan.disbursed[row] for _, _, row in others)])
    tables = {
        "customer": _customers(plan, customers, since, random),
        "loan_role": _roles(plan, others),
        "contact_point": _points(plan, customers, since, random),
        "consent": _consents(plan, known_on, random),
        "account_flag": flags,
    }
    return People(tables, held_from, known_on)


def _customers(plan: Plan, customers: pa.Array, since: Days, random: np.random.Generator) -> pa.Table:
    size = len(customers)
    return pa.Table.from_arrays(
        [
            customers,
            pa.compute.binary_join_element_wise(pa.scalar(f"P{plan.lender.currency}"), customers, ""),  # of one book
            pa.array(drawn(random, 0.001, size)),
            texts(choice(random, plan.lender.reaching.languages, size)),
            days(since),
        ],
        schema=TABLES["customer"].arrow,
    )


def _roles(plan: Plan, others: list[tuple[str, str, npt.NDArray[np.intp]]]) -> pa.Table:
    rows = np.concatenate([np.arange(plan.loans), *(row for _, _, row in others)])
    roles = np.concatenate([np.full(plan.loans, "borrower"), *(np.full(len(row), role) for _, role, row in others)])
    customers = pa.concat_arrays(
        [
            customer_ids(plan.borrower_numbers[plan.borrower]),
            *(ids(prefix, plan.numbers[row]) for prefix, _, row in others),
        ]
    )
    return pa.Table.from_arrays(
        [
            loan_ids(plan.numbers[rows]),
            customers,
            texts(roles),
            pa.array(roles != "emergency_contact"),
            days(plan.disbursed[rows]),
        ],
        schema=TABLES["loan_role"].arrow,
    )


def _points(plan: Plan, customers: pa.Array, since: Days, random: np.random.Generator) -> pa.Table:
    """A mobile for everybody; some borrowers have an app, an e-mail address, a line at work."""
    size, reaching = len(customers), plan.lender.reaching
    row = [np.arange(size), *(_owners(plan, kind, share, random) for _, kind, _, share in reaching.points)]
    kinds = [("M", "mobile", "personal"), *((prefix, kind, place) for prefix, kind, place, _ in reaching.points)]
    index = np.concatenate(row)
    known = since[index]
    home, other = choice(random, reaching.zones, size), choice(random, reaching.zones, size)
    mobile = np.where(drawn(random, reaching.moved, size), other, home)
    wrong = drawn(random, 0.025, len(index))
    invalid = known + np.floor(random.random(len(index)) * (plan.calendar.end - known + 1)).astype(np.int32)
    invalid = np.where(wrong, invalid, NEVER)
    for loan, story in told(plan):
        borrower = plan.borrower[loan]
        if story.zones:
            mobile[borrower], home[borrower] = story.zones
        invalid[index == borrower] = NEVER
        if story.has_wrong_number:
            invalid[borrower] = plan.calendar.end - 1
    zone = np.concatenate([mobile, home[index[size:]]])
    verified = np.where(drawn(random, 0.05, len(index)), NEVER, known)
    return pa.Table.from_arrays(
        [
            pa.concat_arrays(
                [_point_ids(kind[0], customers.take(pa.array(at))) for kind, at in zip(kinds, row, strict=True)]
            ),
            customers.take(pa.array(index)),
            texts(np.concatenate([np.full(len(at), kind[1]) for kind, at in zip(kinds, row, strict=True)])),
            texts(zone, absent=zone == ""),
            texts(np.concatenate([np.full(len(at), kind[2]) for kind, at in zip(kinds, row, strict=True)])),
            instants(plan.calendar, verified, random.integers(32_000, 64_000, len(index))),
            instants(plan.calendar, invalid, random.integers(32_000, 64_000, len(index))),
            days(known),
            days(invalid),
        ],
        schema=TABLES["contact_point"].arrow,
    )


def _owners(plan: Plan, kind: str, share: float, random: np.random.Generator) -> npt.NDArray[np.intp]:
    """Rows of the borrowers who have such a point; who has a story of zones has an address."""
    owns = drawn(random, share, len(plan.risk))
    if kind == "postal":
        owns[[plan.borrower[loan] for loan, story in told(plan) if story.zones]] = True
    return np.flatnonzero(owns)


def _point_ids(prefix: str, customers: pa.Array) -> pa.Array:
    return pa.compute.binary_join_element_wise(pa.scalar(prefix), customers, "")


def mobile_ids(numbers: npt.NDArray[np.int64]) -> pa.Array:
    """The mobile of each borrower."""
    return _point_ids("M", customer_ids(numbers))


def _consents(plan: Plan, known_on: Days, random: np.random.Generator) -> pa.Table:
    """Consents given with the first loan, for the mobile then known; a few expire, are withdrawn, or extend the hours.

    Who agreed to texts or to a machine's voice mostly agreed to how a machine sends them; every tenth did not.
    """
    borrowers, end = len(known_on), plan.calendar.end
    kinds = [(channel, "collection", share) for channel, share in plan.lender.reaching.consents]
    kinds.append(("call", "hours", 0.005))
    row = [np.flatnonzero(drawn(random, share, borrowers)) for _, _, share in kinds]
    index = np.concatenate(row)
    order = np.concatenate([np.full(len(at), number) for number, at in enumerate(row)])
    size = len(index)
    given = known_on[index]
    revoked = given + np.floor(random.random(size) * (end - given + 1)).astype(np.int32)
    revoked = np.where(drawn(random, 0.03, size), revoked, NEVER)
    expires = np.where(drawn(random, 0.03, size), given + 365, NEVER)
    second = random.integers(32_000, 64_000, size)
    channels = np.array([channel for channel, _, _ in kinds])[order]
    purposes = np.array([purpose for _, purpose, _ in kinds])[order]
    is_by_hand = plan.borrower_numbers[index] % 10 == 0
    scope = np.select([channels == "sms", channels == "voice_bot"], ["autodialled", "ai_voice"], "manual")
    scope = np.where(is_by_hand, "manual", scope)
    is_of_mobile = np.isin(channels, ["sms", "call", "voice_bot"]) & (purposes == "collection")
    point = mobile_ids(plan.borrower_numbers[index])
    return pa.Table.from_arrays(
        [
            ids("S", plan.borrower_numbers[index] * 10 + order, 9),
            customer_ids(plan.borrower_numbers[index]),
            texts(channels),
            texts(purposes),
            texts(scope, absent=~is_of_mobile),
            pa.compute.if_else(pa.array(is_of_mobile), point, None),
            instants(plan.calendar, given, second),
            instants(plan.calendar, expires, second),
            instants(plan.calendar, revoked, second + 1),
            days(given),
            days(revoked),
        ],
        schema=TABLES["consent"].arrow,
    )


def _flags(plan: Plan, random: np.random.Generator) -> tuple[pa.Table, Days]:
    """At most one flag a loan: the arranged, the paused in hardship, some of the late, a few others."""
    end = plan.calendar.end
    paused = plan.pauses.loan[plan.pauses.reason == "hardship"]
    late = plan.is_late_at(end)
    chosen = drawn(random, np.where(late, 0.07, 0.002), plan.loans)
    chosen[paused] = True
    arranged = np.flatnonzero(plan.story != "")
    flag_of_story = np.array([story.flag for _, story in told(plan)], dtype="<U40")
    chosen[arranged] = flag_of_story != ""
    code = choice(random, plan.lender.reaching.flags, plan.loans).astype("<U40")
    code[paused] = "hardship"
    code[arranged] = flag_of_story
    starts = end - random.integers(0, FLAG_DAYS, plan.loans)
    starts[plan.pauses.loan] = plan.pauses.known_on
    starts[arranged] = end - 1
    lasts = np.where(drawn(random, 0.25, plan.loans), random.integers(5, 60, plan.loans), NEVER)
    lasts[arranged] = NEVER
    row = np.flatnonzero(chosen & (starts >= plan.disbursed) & (starts < plan.ended) & (starts <= end))
    ends = np.where(starts + lasts <= end, starts + lasts, NEVER)[row]
    on_loan, on_point = np.isin(code[row], ON_LOAN), code[row] == "opt_out_sms"
    borrower = plan.borrower[row]
    numbers = plan.borrower_numbers[borrower]
    starts = starts[row].astype(np.int32)
    held_from = np.full(len(plan.risk), NEVER, dtype=np.int32)
    np.minimum.at(held_from, borrower, starts)
    second = random.integers(32_000, 64_000, len(row))
    no_text = pa.scalar(None, pa.string())
    table = pa.Table.from_arrays(
        [
            ids("F", plan.numbers[row]),
            texts(np.where(on_point, "opt_out", code[row])),
            pa.compute.if_else(pa.array(on_loan | on_point), no_text, customer_ids(numbers)),
            pa.compute.if_else(pa.array(on_loan), loan_ids(plan.numbers[row]), no_text),
            pa.compute.if_else(pa.array(on_point), mobile_ids(numbers), no_text),
            instants(plan.calendar, starts, second),
            instants(plan.calendar, ends, second),
            days(starts),
            days(ends),
        ],
        schema=TABLES["account_flag"].arrow,
    )
    return table, held_from
