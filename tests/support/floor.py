"""A collections floor in the lake: aged loans and the ledger around them, and the three jobs that work them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from arrears.contracts import CONTRACTS
from arrears.jobs.assign import assign
from arrears.jobs.cases import cases
from arrears.jobs.day import Day
from arrears.jobs.plan import plan
from arrears.settings import INCLUDE
from arrears.warehouse.tables import FACTS

from support.books import ARROW, FILLER, FIRST, PORTFOLIO, make_book

if TYPE_CHECKING:
    from pathlib import Path

    from arrears.contracts.model import Column
    from arrears.settings import Settings

NEXT = FIRST + timedelta(days=1)
STRATEGY = """\
strategy: path
title: Test path
versions:
  - version: 3
    valid_from: 2026-01-01
    segments:
      - id: early
        when: {bucket: ["1-30"]}
        steps:
          - {id: hello, day: 0, purpose: reminder, channels: [push, sms], template: hello}
      - id: middle
        when: {bucket: ["31-60"]}
        steps:
          - {id: talk, day: 0, repeat_every_days: 5, channels: [call], template: talk}
"""
LOANS = "core__loan_delinquency_daily"


def make_floor(folder: Path, *, packs: str = "[cn_gbt45251, house_humane]") -> Settings:
    """Settings of a deployment with the portfolio ``book``, the shipped packs and a small strategy."""
    settings = make_book(folder).model_copy(update={"policies": INCLUDE / "policies"})
    text = PORTFOLIO.replace("packs: [house]", f"packs: {packs}").replace("strategy: early", "strategy: path")
    (folder / "portfolios/book/portfolio.yaml").write_text(text)
    (folder / "strategies/path.yaml").write_text(STRATEGY)
    return settings


def aged(loan_id: str, days: int, **change: Any) -> dict[str, Any]:
    """One loan as the ageing step leaves it."""
    borrower = "b" + loan_id.lstrip("l")
    bucket = "0" if days == 0 else "1-30" if days <= 30 else "31-60" if days <= 60 else "61-90" if days <= 90 else "91+"
    row = {
        "loan_id": loan_id,
        "borrower_id": borrower,
        "currency": "CNY",
        "status_code": "active",
        "is_open": True,
        "past_due_days": days,
        "delinquent_days": days,
        "past_due_minor": 1000 * days,
        "bucket": bucket,
    }
    return {**row, **change}


def ledger_of(loans: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """A party and a mobile phone for every borrower, nothing against any of them, and two agents."""
    borrowers = sorted({loan["borrower_id"] for loan in loans})
    return {
        "party": [{"party_id": b, "person_id": f"p-{b}", "is_minor": False, "language": "zh-CN"} for b in borrowers],
        "contact_point": [
            {
                "contact_point_id": f"m-{b}",
                "party_id": b,
                "kind_code": "mobile",
                "place_code": "personal",
                "timezone": "Asia/Shanghai",
            }
            for b in borrowers
        ],
        "flag": [],
        "consent": [],
        "contact": [],
        "pause": [],
        "queue": [
            {"queue_id": "bot", "work_mode_code": "bot", "avg_handle_seconds": 60, "attempts_per_case": 1},
            {"queue_id": "named", "work_mode_code": "named", "avg_handle_seconds": 300, "attempts_per_case": 2},
        ],
    }


def shifts(day: date, **minutes: int) -> list[dict[str, Any]]:
    """A shift in the queue ``named`` for each agent."""
    return [
        {"agent_id": name, "shift_on": day, "queue_ids": "named", "languages": "zh-CN", "productive_minutes": number}
        for name, number in minutes.items()
    ]


def put_ledger(
    settings: Settings, day: date, loans: list[dict[str, Any]], *, without: tuple[str, ...] = (), **raw: Any
) -> None:
    """Write the aged loans and the ledger tables around them; ``raw`` replaces a table, ``without`` leaves it out."""
    tables = {**ledger_of(loans), "agent_shift": shifts(day, a1=20, a2=30), **raw}
    rejected, differences = tables.pop("quarantine", []), tables.pop("differences", [])
    delivered = {f"raw__{noun}": rows for noun, rows in tables.items() if noun not in without}
    made = {"out__quarantine": rejected, "core__source_difference_daily": differences}
    made |= {"core__instalment_delinquency_daily": [], "core__bucket_history_daily": []}
    put_tables(settings, day, {LOANS: loans, **delivered, **made})


def put_tables(settings: Settings, day: date, tables: dict[str, list[dict[str, Any]]]) -> None:
    """Write several partitions of one day; the portfolio is opened once, unlike with ``put``."""
    with Day.open("book", day, settings=settings).work() as opened:
        for table, rows in tables.items():
            columns = CONTRACTS[table].columns
            opened.connection.complete()
            arrays = {c.name: [row.get(c.name, filler(c)) for row in rows] for c in columns}
            schema = pa.schema([(c.name, ARROW[c.type.value]) for c in columns])
            opened.connection.register("given", pa.table(arrays, schema=schema))
            opened.write(table, select="SELECT * FROM given")


def filler(column: Column) -> Any:
    """What stands where a row says nothing."""
    return None if column.nullable else FILLER.get(column.type.value)


def work(settings: Settings, day: date) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Run the three jobs; afterwards every other table of the day is there too, empty, so that the next may follow."""
    done = tuple(job("book", day, settings=settings) for job in (cases, assign, plan))
    opened = Day.open("book", day, settings=settings)
    absent = [one.table for one in FACTS if opened.lake.find(opened.key(one.table)) is None]
    put_tables(settings, day, {table: [] for table in absent})
    return done
