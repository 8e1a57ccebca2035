"""Rows that no ledger should deliver, so that quarantine is not empty: a few of many thousands, each listed.

Belongs here: the mistakes. They hang on loans that were cancelled before anything fell due, and on rows of their own,
so that no figure of a good loan depends on them; ``truth`` leaves the cancelled hosts out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from arrears.sources.demo.calendar import date_of
from arrears.sources.demo.columns import customer_ids, loan_ids
from arrears.sources.demo.schema import TABLES

if TYPE_CHECKING:
    from arrears.sources.demo.plan import Plan

PLANTED = pa.schema(
    [
        pa.field("table_name", pa.string()),
        pa.field("row_id", pa.string()),
        pa.field("mistake", pa.string()),
        pa.field("loan_id", pa.string()),
    ]
)
NOUNS = {"repayment_plan": "instalment", "posting": "transaction", "contact_log": "contact", "consent": "consent"}
MISCOUNTED_EACH, MISCOUNTED_DAYS = 50, 3  # of the loans, and by how much the source's own list has them too late
STRANGER = 90_000_000  # numbers that no loan or customer of the ledger has


def plant(plan: Plan, tables: dict[str, pa.Table]) -> tuple[dict[str, pa.Table], pa.Table]:
    """Add the mistakes of one chunk.

    Args:
        plan: The chunk; its last ``hosts`` loans carry mistakes.
        tables: Source tables by name.

    Returns:
        The tables with the mistakes in them, and the list of the mistakes in ``PLANTED``'s columns.
    """
    listed: list[dict[str, str | None]] = []
    numbers = plan.numbers[plan.loans - plan.hosts :]
    loans, borrowers = loan_ids(numbers).to_pylist(), plan.borrower_numbers[plan.borrower[plan.loans - plan.hosts :]]
    for at in range(0, plan.hosts, 2):
        mistaken = _one_set(plan, int(numbers[at]), loans[at], customer_ids(borrowers[at : at + 1])[0].as_py())
        for name, row_id, mistake, row in mistaken:
            tables[name] = pa.concat_tables([tables[name], pa.Table.from_pylist([row], tables[name].schema)])
            on_host = loans[at] if row.get("loan_no") == loans[at] else None
            listed.append({"table_name": NOUNS[name], "row_id": row_id, "mistake": mistake, "loan_id": on_host})
        foreign = pc.equal(tables["loan_account"]["loan_no"], loans[at + 1])
        currency = pc.if_else(foreign, plan.lender.foreign, tables["loan_account"]["currency"])
        index = tables["loan_account"].schema.get_field_index("currency")
        tables["loan_account"] = tables["loan_account"].set_column(index, "currency", currency)
        wrong = {"table_name": "loan", "row_id": loans[at + 1], "mistake": "currency of another country"}
        listed.append({**wrong, "loan_id": loans[at + 1]})
    return tables, pa.Table.from_pylist(listed, PLANTED)


def _one_set(plan: Plan, number: int, loan: str, customer: str) -> list[tuple[str, str, str, dict[str, Any]]]:
    """(source table, row id, mistake, row), all known since a week before the end."""
    known = date_of(plan.calendar.end - 7)
    at = pa.scalar((plan.calendar.end - 7) * 86_400_000_000, pa.timestamp("us", tz="UTC")).as_py()
    stranger = {"loan": f"L{STRANGER + number}", "customer": f"C{STRANGER + number}"}
    money = {"effective_on": known, "booked_on": known, "booked_at": at}
    contact = {"channel": "call", "direction": "out", "purpose": "collection", "started_at": at, "known_on": known}
    return [
        (
            "repayment_plan",
            f"{loan}/99",
            "negative amount",
            {"loan_no": loan, "period_no": 99, "due_on": known, "principal_minor": -5_000, "interest_minor": 0}
            | {"fee_minor": 0, "known_on": known},
        ),
        (
            "posting",
            f"Z{number}1",
            "unknown loan",
            {"posting_no": f"Z{number}1", "loan_no": stranger["loan"], "kind": "repayment", "amount_minor": 100}
            | money,
        ),
        (
            "posting",
            f"Z{number}2",
            "reversal of nothing",
            {"posting_no": f"Z{number}2", "loan_no": loan, "kind": "reversal", "amount_minor": 100} | money,
        ),
        (
            "contact_log",
            f"Z{number}3",
            "unknown outcome",
            {"contact_no": f"Z{number}3", "customer_no": customer, "outcome": "unreached"} | contact,
        ),
        (
            "consent",
            f"Z{number}4",
            "unknown party",
            {"consent_no": f"Z{number}4", "customer_no": stranger["customer"], "channel": "sms"}
            | {"purpose": "collection", "given_at": at, "known_on": known},
        ),
    ]


def good_loans(plan: Plan, loans: pa.Array) -> pa.Array:
    """Which loans no mistake touches."""
    hosts = loan_ids(plan.numbers[plan.loans - plan.hosts :]) if plan.hosts else pa.array([], pa.string())
    return pc.invert(pc.is_in(loans, hosts))


def arrears_list(truth: pa.Table) -> pa.Table:
    """What the source itself lists as past due at each close; of one loan in fifty it counts some days too many.

    Args:
        truth: What is true, in ``truth.TRUTH``'s columns, of any dates.

    Returns:
        The source's ``arrears_list``. The difference is planted so that the tie-out has something to find.
    """
    late = truth.filter(pc.greater(truth["past_due_days"], 0))
    numbers = pc.utf8_slice_codeunits(late["loan_id"], 1).cast(pa.int64()).to_numpy()
    too_many = np.where(numbers % MISCOUNTED_EACH == MISCOUNTED_EACH - 1, MISCOUNTED_DAYS, 0).astype(np.int32)
    closed_on = pc.subtract(late["business_date"].cast(pa.int32()), pa.scalar(1, pa.int32())).cast(pa.date32())
    days = pc.add(late["past_due_days"], pa.array(too_many))
    columns = [late["loan_id"], closed_on, days, late["past_due_minor"]]
    return pa.Table.from_arrays(columns, schema=TABLES["arrears_list"].arrow)
