"""Runs the independent opinion and the engine over the same random loans and counts where they differ.

``python tests/proof/compare.py --loans 50000 --days 120`` (or ``make proof``) is the full proof.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1]))

from arrears.contracts import CONTRACTS
from arrears.engine.tables import DuckTables
from arrears.jobs.accounts import LOANS, make_ages
from arrears.jobs.age import ageing_parameters, put_buckets
from arrears.portfolio_terms import Ageing, MaterialityRow
from proof.independent import ORDER, Answer, Debt, Policy, answers
from proof.random_book import CURRENCIES, FIRST, random_debts
from support.ageing import BUCKETS
from support.books import ARROW

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

CHUNK = 2_500
ZONE, OFFSET = "Asia/Shanghai", timedelta(hours=8)
POLICIES = {
    "elapsed": Policy(),
    "inclusive with grace": Policy(count="inclusive", grace=3),
    "tolerance": Policy(tolerance=Decimal(5)),
    "grace": Policy(grace=5),
    "threshold grace": Policy(count="inclusive", grace=4, is_threshold=True),
    "months (OTS)": Policy(count="months_ots", enough_pct=90),
    "months (MBA)": Policy(count="months_mba", grace=2, material=(Decimal(20), Decimal("0.01"))),
    "material, 90 %": Policy(enough_pct=90, material=(Decimal(1), Decimal("0.05")), tolerance=Decimal(1)),
}


def differences(debts: Sequence[Debt], days: Sequence[date], policy: Policy) -> Iterator[tuple[str, date, str]]:
    """Each loan, date and figure on which the two are not of one mind."""
    said: dict[date, dict[str, Answer]] = {day: {} for day in days}
    for debt in debts:
        for day, answer in answers(debt, list(days), policy).items():
            said[day][debt.name] = answer
    with duckdb.connect(config={"threads": 1}) as connection:
        put_debts(connection, debts)
        for day in days:
            found = engine_rows(connection, day, policy)
            assert len(found) == len(debts)
            for name, row in found.items():
                expected = _figures(said[day].get(name), policy)
                yield from ((name, day, figure) for figure, value in expected.items() if row[figure] != value)


def _figures(answer: Answer | None, policy: Policy) -> dict[str, Any]:
    if answer is None:
        zeros = {f"past_due_{component}_minor": 0 for component in ORDER}
        material = None if policy.material is None else 0
        counts = {"past_due_days": 0, "delinquent_days": 0, "material_days": material}
        return {"past_due_on": None, "bucket": "0", **counts, **zeros}
    by_component = {
        f"past_due_{component}_minor": int(amount * 100)
        for component, amount in zip(ORDER, answer.by_component, strict=True)
    }
    return {
        "past_due_on": answer.since,
        "past_due_days": answer.past_due_days,
        "delinquent_days": answer.delinquent_days,
        "bucket": answer.bucket,
        "material_days": answer.material_days,
        **by_component,
    }


def engine_rows(connection: duckdb.DuckDBPyConnection, day: date, policy: Policy) -> dict[str, dict[str, Any]]:
    """Every loan's row by the pipeline's SELECTs."""
    ageing = Ageing(
        convention=policy.count,
        grace_days=policy.grace,
        grace="threshold" if policy.is_threshold else "subtract",
        tolerance_minor=int(policy.tolerance * 100),
        full_payment_pct=policy.enough_pct,
        materiality=policy.material
        and MaterialityRow(minor=int(policy.material[0] * 100), bps=int(policy.material[1] * 10_000)),
        allocation_order=ORDER,
    )
    tables = DuckTables(connection)
    put_buckets(tables, BUCKETS)
    known = ageing_parameters(ageing, BUCKETS, day) | {"closing_date": day, "timezone": ZONE}
    make_ages(tables, ageing.waterfalls, known)
    columns = ("loan_id", *_figures(None, policy))
    rows = connection.execute(f"SELECT {', '.join(columns)} FROM {LOANS}").fetchall()
    return {row[0]: dict(zip(columns, row, strict=True)) for row in rows}


def put_debts(connection: duckdb.DuckDBPyConnection, debts: Sequence[Debt]) -> None:
    """Make the ledger's tables from the loans."""
    for table, rows in ledger_of(debts).items():
        _put(connection, table, rows)


def ledger_of(debts: Sequence[Debt]) -> dict[str, list[dict[str, Any]]]:
    """The loans as rows of the ledger, by table."""
    return {
        "raw__loan": [
            {
                "loan_id": debt.name,
                "status_code": debt.status,
                "grace_days": debt.grace,
                "grace_code": {None: None, True: "threshold", False: "subtract"}[debt.is_threshold],
                "outstanding_principal_minor": int(debt.principal_left * 100),
                "currency": CURRENCIES[number % len(CURRENCIES)],
            }
            for number, debt in enumerate(debts)
        ],
        "raw__instalment": [
            {
                "loan_id": debt.name,
                "seq": due.seq,
                "due_on": due.on,
                "kind_code": "down_payment" if due.is_down_payment else None,
                **{f"{component}_minor": int(due.amounts[component] * 100) for component in ORDER},
            }
            for debt in debts
            for due in debt.schedule
        ],
        "raw__transaction": [
            {
                "transaction_id": entry.name,
                "loan_id": debt.name,
                "kind_code": entry.kind,
                "effective_on": entry.on,
                "booked_at": entry.known - OFFSET,
                "amount_minor": int(entry.amount * 100),
                "reverses_id": entry.undoes,
                "component_code": entry.component if entry.kind == "charge" else None,
            }
            for debt in debts
            for entry in debt.entries
        ],
        "raw__pause": [
            {"loan_id": debt.name, "starts_on": starts, "ends_on": ends, "reason_code": "x", "effect_code": effect}
            for debt in debts
            for effect, spans in ((None, debt.pauses), ("deferral", debt.deferrals))
            for starts, ends in spans
        ],
    }


def _put(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    columns = {
        column.name: pa.array([row.get(column.name) for row in rows], type=ARROW[column.type.value])
        for column in CONTRACTS[table].columns
    }
    connection.register("given", pa.table(columns))
    connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM given")
    connection.unregister("given")


def main() -> int:
    """Compare in chunks, print what was found, answer 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loans", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    days = [FIRST + timedelta(days=number) for number in range(asked.days)]
    counts, shown, began, done = Counter(), [], time.monotonic(), 0
    policies = list(POLICIES.values())
    while done < asked.loans:
        chunk = min(CHUNK, asked.loans - done)
        number = done // CHUNK
        debts = random_debts(chunk, asked.seed * 1_000_003 + number, asked.days)
        for name, day, figure in differences(debts, days, policies[number % len(policies)]):
            counts[figure] += 1
            shown = [*shown, (name, str(day), figure)][:20]
        done += chunk
        took = time.monotonic() - began
        sys.stdout.write(f"{done} loans x {asked.days} days: {counts.total()} differences, {took:.0f} s\n")
        sys.stdout.flush()
    sys.stdout.write(f"by figure {dict(counts)}; first {shown}\n")
    return int(counts.total() > 0)


if __name__ == "__main__":
    sys.exit(main())
