"""From a published figure back to the files it came from: each making of a table on the way, and the lines of a loan.

Belongs here: reading manifests in the direction against the day's. Nothing is computed, and no value of a row is shown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from arrears.contracts import CONTRACTS
from arrears.contracts.ledger import LEDGER
from arrears.engine.duckdb import quoted
from arrears.errors import RuleInputError
from arrears.jobs.day import ABSENT, Day
from arrears.jobs.extract import FILES
from arrears.jobs.pick_up import DELIVERY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arrears.lake import Manifest
    from arrears.settings import Settings

AS_READ, MOVED, GONE = "as it was read", "has changed since", "not in the lake"


@dataclass(frozen=True)
class Making:
    """One making of a table, as whoever read it knew it.

    Attributes:
        depth: Tables between it and where the walk began.
        table: Lake table.
        business_date: Its day.
        load_id: Of what lies there now, in every row published of it; empty where nothing lies there.
        rows: Of what lies there now.
        content_hash: Of what was read.
        state: Whether what lies there is what was read. One of another day is not followed: walk it for itself.
        made_of: Of an extract: its files by SHA-256, the delivery of an inbox, or a hash of what a database was asked.
    """

    depth: int
    table: str
    business_date: str
    load_id: str
    rows: int | None
    content_hash: str
    state: str
    made_of: str = ""


def walk_back(portfolio: str, business_date: date, what: str, *, settings: Settings | None = None) -> list[Making]:
    """Everything that a table of the day was made from, nearest first.

    Args:
        portfolio: Folder name.
        business_date: The day.
        what: A fact (``fct_loan_daily``), a lake table, or the ``load_id`` of a row.
        settings: This deployment, unless a test brings its own.

    Raises:
        RuleInputError: The day has no such table.
    """
    day = Day.open(portfolio, business_date, settings=settings)
    found = next((one for one in _manifests(day) if what in _names(one)), None)
    if found is None:
        raise RuleInputError(
            f"nothing called {what!r}", "a fact, a lake table or a load_id of it", f"{day.name} {business_date}"
        )
    seen: set[tuple[str, str]] = set()
    return list(_makings(day, found, found.content_hash, 0, seen))


def lines_of(
    portfolio: str, business_date: date, loan_id: str, *, settings: Settings | None = None
) -> list[dict[str, Any]]:
    """Where each ledger row about a loan was delivered: table, file and line.

    Raises:
        RuleInputError: The day's ledger has no such loan.
    """
    day = Day.open(portfolio, business_date, settings=settings)
    rows: list[dict[str, Any]] = []
    with day.work() as work:
        for contract in LEDGER:
            if "loan_id" in {column.name for column in contract.columns} and work.read_optional(contract.table):
                asked = (
                    f"SELECT '{contract.table}' AS ledger_table, source_file AS file, source_line AS line "
                    f"FROM {quoted(contract.table)} WHERE loan_id = $loan ORDER BY 2, 3"
                )
                rows += work.connection.sql(asked, params={"loan": loan_id}).to_arrow_table().to_pylist()
    if not any(row["ledger_table"] == "raw__loan" for row in rows):
        raise RuleInputError(f"no loan {loan_id!r}", "a loan_id of raw__loan", f"{portfolio} {business_date}")
    return rows


def _makings(day: Day, there: Manifest, read: str, depth: int, seen: set[tuple[str, str]]) -> Iterator[Making]:
    seen.add((there.table, there.business_date))
    state = AS_READ if there.content_hash == read else MOVED
    yield Making(depth, there.table, there.business_date, there.load_id, there.rows, read, state, _made_of(there))
    for name, content_hash in sorted(there.inputs.items()):
        table, _, other = name.partition("@")
        is_table = table in CONTRACTS or table.startswith("extract__")
        on = other or there.business_date
        if not is_table or content_hash == ABSENT or (table, on) in seen:
            continue
        below = day.lake.known(day.key(table, date.fromisoformat(on)))
        if below is None:
            seen.add((table, on))
            yield Making(depth + 1, table, on, "", None, content_hash, GONE)
        elif other:
            seen.add((table, on))
            state = AS_READ if below.content_hash == content_hash else MOVED
            yield Making(depth + 1, table, on, below.load_id, below.rows, content_hash, state)
        else:
            yield from _makings(day, below, content_hash, depth + 1, seen)


def _made_of(manifest: Manifest) -> str:
    if FILES in manifest.inputs:
        files = json.loads(manifest.inputs[FILES])
        return ", ".join(f"{name} sha256 {sha256}" for name, sha256 in files.items())
    if DELIVERY in manifest.inputs:
        return f"delivery {manifest.inputs[DELIVERY]}, in the archive"
    return f"source {manifest.inputs['source']}" if "source" in manifest.inputs else ""


def _manifests(day: Day) -> Iterator[Manifest]:
    for table in CONTRACTS:
        found = day.lake.known(day.key(table))
        if found is not None:
            yield found


def _names(manifest: Manifest) -> set[str]:
    """What a table of a day goes by."""
    fact = CONTRACTS[manifest.table].mart if manifest.table in CONTRACTS else ""
    return {manifest.table, manifest.load_id, *([fact, f"mart.{fact}"] if fact else [])}
