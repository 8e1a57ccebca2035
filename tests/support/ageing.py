"""Ages a small book twice: by the scalar rule, and by the two SELECTs of the pipeline."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import select_text
from arrears.jobs.accounts import replay_accounts
from arrears.jobs.age import INSTALMENTS, LOANS, ageing_parameters, put_buckets
from arrears.portfolio import Ageing
from arrears.rules.account import COMPONENTS, Instalment, Transaction
from arrears.rules.ageing import InstalmentAge, LoanAge, Terms, age_of_loan
from arrears.rules.buckets import Bucket, bucket_of

from support.books import ARROW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from arrears.rules.pauses import Pause

BUCKETS = (
    Bucket("0", 0, 0),
    Bucket("1-30", 1, 30),
    Bucket("31-60", 31, 60),
    Bucket("61-90", 61, 90),
    Bucket("91+", 91, None),
)


@dataclass(frozen=True)
class Loan:
    """One loan of a book."""

    loan_id: str
    schedule: tuple[Instalment, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    pauses: tuple[Pause, ...] = ()
    status_code: str = "active"
    grace_days: int | None = None


def by_rule(loan: Loan, as_of: date, terms: Terms) -> dict[str, Any]:
    """The loan's row, and its instalments' rows, as the scalar rule has them."""
    own = terms if loan.grace_days is None else replace(terms, grace_days=loan.grace_days)
    age = age_of_loan(
        loan.schedule, loan.transactions, loan.pauses, as_of=as_of, terms=own, status_code=loan.status_code
    )
    return _loan_row(age) | {"instalments": [_instalment_row(each) for each in age.unpaid]}


def _loan_row(age: LoanAge) -> dict[str, Any]:
    names = ("past_due_on", "past_due_days", "paused_days", "delinquent_days", "past_due_instalments", "past_due_minor")
    return {
        **{name: getattr(age, name) for name in names},
        **{f"past_due_{component}_minor": age.component_minor(component) for component in COMPONENTS},
        "bucket": bucket_of(age.delinquent_days, BUCKETS),
        "contract_bucket": bucket_of(age.past_due_days, BUCKETS),
    }


def _instalment_row(age: InstalmentAge) -> dict[str, Any]:
    names = ("seq", "due_on", "overdue_on", "past_due_days", "delinquent_days", "past_due_minor")
    return {
        **{name: getattr(age, name) for name in names},
        **{f"past_due_{component}_minor": age.unpaid[component] for component in COMPONENTS},
        "bucket": bucket_of(age.delinquent_days, BUCKETS),
    }


def by_sql(
    connection: duckdb.DuckDBPyConnection, book: Sequence[Loan], as_of: date, terms: Terms
) -> dict[str, dict[str, Any]]:
    """The same rows by loan, as the pipeline's SELECTs have them."""
    _put(connection, "raw__loan", [{"loan_id": each.loan_id, **_state(each)} for each in book])
    for table, part in (
        ("raw__instalment", "schedule"),
        ("raw__transaction", "transactions"),
        ("raw__pause", "pauses"),
    ):
        _put(
            connection,
            table,
            [{"loan_id": loan.loan_id, **asdict(row)} for loan in book for row in getattr(loan, part)],
        )
    put_buckets(connection, BUCKETS)
    known = ageing_parameters(_ageing(terms), BUCKETS, as_of) | {"closing_date": as_of, "timezone": "UTC"}
    replay_accounts(connection, terms.waterfalls, known)
    rows = {}
    for table in (INSTALMENTS, LOANS):
        select = select_text(table)
        parameters = {name: known[name] for name in duckdb.extract_statements(select)[0].named_parameters}
        result = connection.sql(select, params=parameters).to_arrow_table()
        connection.register(table, result)
        rows[table] = result.to_pylist()
    aged = {}
    for row in rows[LOANS]:
        own = sorted((each for each in rows[INSTALMENTS] if each["loan_id"] == row["loan_id"]), key=_oldest_first)
        aged[row["loan_id"]] = {
            **{name: row[name] for name in _loan_row(LoanAge())},
            "instalments": [{k: v for k, v in each.items() if k != "loan_id"} for each in own],
        }
    assert len(aged) == len(rows[LOANS]) == len(book)
    return aged


def _ageing(terms: Terms) -> Ageing:
    default = terms.waterfalls.default
    return Ageing(
        convention=terms.convention,
        grace_days=terms.grace_days,
        tolerance_minor=terms.tolerance_minor,
        allocation_order=default.past_due,
    )


def _state(loan: Loan) -> dict[str, Any]:
    return {"status_code": loan.status_code, "grace_days": loan.grace_days, "outstanding_principal_minor": 1}


def _oldest_first(row: dict[str, Any]) -> tuple[date, date, int]:
    return row["overdue_on"], row["due_on"], row["seq"]


def _put(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    columns = {
        column.name: pa.array([row.get(column.name) for row in rows], type=ARROW[column.type.value])
        for column in CONTRACTS[table].columns
    }
    connection.register(table, pa.table(columns))
