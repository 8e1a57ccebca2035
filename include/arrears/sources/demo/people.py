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
from arrears.sources.demo.stories import STORIES

if TYPE_CHECKING:
    import numpy.typing as npt

    from arrears.sources.demo.calendar import Days
    from arrears.sources.demo.plan import Plan

LANGUAGES = (("zh-CN", 0.945), ("en", 0.035), ("ug", 0.015), ("bo", 0.005))
ZONES = (  # travellers roam; "": not known
    *(("Asia/Shanghai", 0.93), ("Asia/Urumqi", 0.02), ("Asia/Bangkok", 0.01), ("Asia/Tokyo", 0.01)),
    *(("Europe/Paris", 0.01), ("", 0.02)),
)
OTHERS = (("E", "emergency_contact", 0.25), ("K", "co_borrower", 0.04))  # prefix, role, share of loans
POINTS = (  # prefix, kind, place, share of borrowers, beside the mobile that everybody has
    ("U", "push", "personal", 0.35),
    ("X", "email", "personal", 0.45),
    ("H", "postal", "home", 0.70),
    ("W", "landline", "workplace", 0.03),
)
CONSENTS = (("sms", 0.96), ("call", 0.97), ("voice_bot", 0.80))
FLAGS = (
    *(("dispute", 30), ("hardship", 22), ("opt_out", 14), ("opt_out_sms", 8), ("attorney_known", 7)),
    *(("deceased", 5), ("bankruptcy_stay", 4), ("disaster_area", 4), ("identity_theft", 4), ("self_harm_risk", 2)),
)
ON_LOAN = ("dispute", "identity_theft")
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
        "customer": _customers(customers, since, random),
        "loan_role": _roles(plan, others),
        "contact_point": _points(plan, customers, since, random),
        "consent": _consents(plan, known_on, random),
        "account_flag": flags,
    }
    return People(tables, held_from, known_on)


def _customers(customers: pa.Array, since: Days, random: np.random.Generator) -> pa.Table:
    size = len(customers)
    return pa.Table.from_arrays(
        [
            customers,
            pa.compute.binary_join_element_wise(pa.scalar("P"), customers, ""),
            pa.array(drawn(random, 0.001, size)),
            texts(choice(random, LANGUAGES, size)),
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
    size, borrowers = len(customers), len(plan.risk)
    row = [np.arange(size), *(np.flatnonzero(drawn(random, share, borrowers)) for _, _, _, share in POINTS)]
    kinds = [("M", "mobile", "personal"), *((prefix, kind, place) for prefix, kind, place, _ in POINTS)]
    index = np.concatenate(row)
    known = since[index]
    zone = choice(random, ZONES, size)[index]
    wrong = drawn(random, 0.025, len(index))
    invalid = known + np.floor(random.random(len(index)) * (plan.calendar.end - known + 1)).astype(np.int32)
    invalid = np.where(wrong, invalid, NEVER)
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
            instants(verified, random.integers(32_000, 64_000, len(index))),
            instants(invalid, random.integers(32_000, 64_000, len(index))),
            days(known),
            days(invalid),
        ],
        schema=TABLES["contact_point"].arrow,
    )


def _point_ids(prefix: str, customers: pa.Array) -> pa.Array:
    return pa.compute.binary_join_element_wise(pa.scalar(prefix), customers, "")


def mobile_ids(numbers: npt.NDArray[np.int64]) -> pa.Array:
    """The mobile of each borrower."""
    return _point_ids("M", customer_ids(numbers))


def _consents(plan: Plan, known_on: Days, random: np.random.Generator) -> pa.Table:
    """Consents given with the first loan; a few expire, are withdrawn, or extend the hours."""
    borrowers, end = len(known_on), plan.calendar.end
    kinds = [(channel, "collection", share) for channel, share in CONSENTS] + [("call", "hours", 0.005)]
    row = [np.flatnonzero(drawn(random, share, borrowers)) for _, _, share in kinds]
    index = np.concatenate(row)
    order = np.concatenate([np.full(len(at), number) for number, at in enumerate(row)])
    size = len(index)
    given = known_on[index]
    revoked = given + np.floor(random.random(size) * (end - given + 1)).astype(np.int32)
    revoked = np.where(drawn(random, 0.03, size), revoked, NEVER)
    expires = np.where(drawn(random, 0.03, size), given + 365, NEVER)
    second = random.integers(32_000, 64_000, size)
    return pa.Table.from_arrays(
        [
            ids("S", plan.borrower_numbers[index] * 10 + order, 9),
            customer_ids(plan.borrower_numbers[index]),
            texts(np.array([channel for channel, _, _ in kinds])[order]),
            texts(np.array([purpose for _, purpose, _ in kinds])[order]),
            instants(given, second),
            instants(expires, second),
            instants(revoked, second + 1),
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
    flag_of_story = np.array([story.flag for story in STORIES])
    told = np.flatnonzero(plan.story != "")
    chosen[told] = flag_of_story[told] != ""
    code = choice(random, FLAGS, plan.loans)
    code[paused] = "hardship"
    code[told] = flag_of_story[told]
    starts = end - random.integers(0, FLAG_DAYS, plan.loans)
    starts[plan.pauses.loan] = plan.pauses.known_on
    starts[told] = end - 1
    lasts = np.where(drawn(random, 0.25, plan.loans), random.integers(5, 60, plan.loans), NEVER)
    lasts[told] = NEVER
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
            instants(starts, second),
            instants(ends, second),
            days(starts),
            days(ends),
        ],
        schema=TABLES["account_flag"].arrow,
    )
    return table, held_from
