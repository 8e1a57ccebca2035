"""Ages a small book twice: by the scalar rule, and by the two SELECTs of the pipeline."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from arrears.contracts import CONTRACTS
from arrears.engine.tables import DuckTables
from arrears.jobs.accounts import INSTALMENTS, LOANS, make_ages
from arrears.jobs.age import ageing_parameters, put_buckets
from arrears.portfolio_terms import Ageing, MaterialityRow
from arrears.rules.account import COMPONENTS, Instalment, Transaction
from arrears.rules.ageing import InstalmentAge, LoanAge, Terms, age_of_loan
from arrears.rules.buckets import Bucket, bucket_of

from support.books import ARROW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import duckdb
    from arrears.engine.tables import Tables
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
    grace_code: str | None = None
    exposure_minor: int = 1


def by_rule(loan: Loan, as_of: date, terms: Terms) -> dict[str, Any]:
    """The loan's row, and its instalments' rows, as the scalar rule has them."""
    own = {name: getattr(loan, name) for name in ("grace_days", "grace_code") if getattr(loan, name) is not None}
    age = age_of_loan(
        loan.schedule,
        loan.transactions,
        loan.pauses,
        as_of=as_of,
        terms=replace(terms, **own),
        status_code=loan.status_code,
        exposure_minor=loan.exposure_minor,
    )
    return _loan_row(age) | {"instalments": [_instalment_row(each) for each in age.unpaid]}


def _loan_row(age: LoanAge) -> dict[str, Any]:
    names = ("past_due_on", "past_due_days", "paused_days", "delinquent_days", "past_due_instalments", "past_due_minor")
    return {
        **{name: getattr(age, name) for name in names},
        **{f"past_due_{component}_minor": age.component_minor(component) for component in COMPONENTS},
        "past_due_months_ots": age.months_ots,
        "past_due_months_mba": age.months_mba,
        "material_days": age.material_days,
        "bucket_days": age.bucket_days,
        "bucket": bucket_of(age.bucket_days, BUCKETS),
        "contract_bucket": bucket_of(age.past_due_days, BUCKETS),
    }


def _instalment_row(age: InstalmentAge) -> dict[str, Any]:
    names = ("seq", "due_on", "overdue_on", "past_due_days", "paused_days", "delinquent_days", "is_counted")
    return {
        **{name: getattr(age, name) for name in names},
        "past_due_minor": age.past_due_minor,
        **{f"past_due_{component}_minor": age.unpaid[component] for component in COMPONENTS},
        "bucket": bucket_of(age.delinquent_days, BUCKETS),
    }


def by_sql(
    connection: duckdb.DuckDBPyConnection, book: Sequence[Loan], as_of: date, terms: Terms
) -> dict[str, dict[str, Any]]:
    """The same rows by loan, as the pipeline's SELECTs have them."""
    return by_tables(DuckTables(connection), book, as_of, terms)


def by_tables(tables: Tables, book: Sequence[Loan], as_of: date, terms: Terms) -> dict[str, dict[str, Any]]:
    """The same, on any engine."""
    _put(tables, "raw__loan", [{"loan_id": each.loan_id, **_state(each)} for each in book])
    for table, part in (
        ("raw__instalment", "schedule"),
        ("raw__transaction", "transactions"),
        ("raw__pause", "pauses"),
    ):
        _put(
            tables,
            table,
            [{"loan_id": loan.loan_id, **asdict(row)} for loan in book for row in getattr(loan, part)],
        )
    put_buckets(tables, BUCKETS)
    known = ageing_parameters(_ageing(terms), BUCKETS, as_of) | {"closing_date": as_of, "timezone": "UTC"}
    make_ages(tables, terms.waterfalls, known)
    rows = {table: tables.rows(table).to_pylist() for table in (INSTALMENTS, LOANS)}
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
        grace=terms.grace_code,
        tolerance_minor=terms.tolerance_minor,
        full_payment_pct=terms.full_payment_pct,
        materiality=terms.materiality and MaterialityRow(minor=terms.materiality.minor, bps=terms.materiality.bps),
        allocation_order=default.past_due,
    )


def _state(loan: Loan) -> dict[str, Any]:
    return {
        "status_code": loan.status_code,
        "grace_days": loan.grace_days,
        "grace_code": loan.grace_code,
        "outstanding_principal_minor": loan.exposure_minor,
    }


def _oldest_first(row: dict[str, Any]) -> tuple[date, date, int]:
    return row["overdue_on"], row["due_on"], row["seq"]


def _put(tables: Tables, table: str, rows: list[dict[str, Any]]) -> None:
    columns = {
        column.name: pa.array([row.get(column.name) for row in rows], type=ARROW[column.type.value])
        for column in CONTRACTS[table].columns
    }
    tables.put(table, pa.table(columns))
