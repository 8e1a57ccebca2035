"""Replays the accounts in which the order of entries matters, all of them a move at a time.

Belongs here: the loop over moves. What a move does stands in ``sql/account__*.sql`` and, readable, in
``arrears.rules.allocation``.
"""

from __future__ import annotations

import re
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.engine.duckdb import select_text
from arrears.rules.account import ADDING_KINDS, COMPONENTS, PAYMENT_KINDS
from arrears.rules.allocation import TIMINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from arrears.rules.allocation import Waterfalls

MAX_MOVES = 100_000


def replay_accounts(
    connection: duckdb.DuckDBPyConnection, waterfalls: Waterfalls, parameters: Mapping[str, Any]
) -> dict[str, int]:
    """Make the tables ``annulled``, ``replayed_loan`` and ``replayed_overdue``.

    Args:
        connection: Where the ledger's tables are views.
        waterfalls: How the portfolio spreads payments.
        parameters: ``as_of``, ``counted_until``, ``timezone``.

    Returns:
        Accounts replayed, and moves of the longest.
    """
    known = {**parameters, "is_plain": waterfalls.is_plain, "replays": _replays(waterfalls)}
    run = _Runner(connection, known)
    run.make("annulled", "account__annulled")
    run.make("replayed_loan", "account__loan")
    put_waterfalls(connection, waterfalls)
    run.make("account_entry", "account__entry")
    run.make("account_move", "account__move")
    run.make("account_state", "account__obligation")
    connection.execute("CREATE OR REPLACE TABLE account_end AS SELECT * FROM account_state WHERE moves = 0")
    longest = run.one("SELECT coalesce(max(moves), 0) FROM account_move")
    has_even = any(each.prepays == "reamortise" for each in (waterfalls.default, *waterfalls.kinds.values()))
    for number in range(1, longest + 1):
        known["move_number"] = number
        run.make("account_credit", "account__credit", is_first=number == 1)
        run.replace_state("account__step")
        if has_even:
            _spread_evenly(run)
        connection.execute(f"INSERT INTO account_end SELECT * FROM account_state WHERE moves = {number}")
    if not longest:
        known["move_number"] = 0
        run.make("account_credit", "account__credit")
    run.make("replayed_overdue", "account__overdue")
    return {"replayed": run.one("SELECT count(*) FROM replayed_loan"), "moves": longest}


def put_waterfalls(connection: duckdb.DuckDBPyConnection, waterfalls: Waterfalls) -> None:
    """Make the waterfalls readable to a SELECT as ``waterfall``, one row per kind, timing and component."""
    rows = [
        {
            "kind_code": kind,
            "timing": timing,
            "component_code": component,
            "component_rank": each.order(timing).index(component) + 1,
            "is_vertical": each.processing == "vertical",
            "prepays": each.prepays,
        }
        for kind in (*PAYMENT_KINDS, *ADDING_KINDS)
        for each in (waterfalls.of(kind),)
        for timing in TIMINGS
        for component in COMPONENTS
    ]
    connection.register("waterfall", pa.Table.from_pylist(rows))


def _replays(waterfalls: Waterfalls) -> str:
    """Which accounts need it.

    Only where an instalment is finished before the next one is begun does having paid what is due mean that nothing
    due is unpaid: otherwise what came in advance may have gone elsewhere.
    """
    if waterfalls.is_plain:
        return "adding"
    each = (waterfalls.default, *waterfalls.kinds.values())
    is_ordered = all(one.prepays == "next" and one.processing == "horizontal" for one in each)
    return "behind" if is_ordered else "all"


def _spread_evenly(run: _Runner) -> None:
    """Component after component, until nothing of the payment is left."""
    for rank in cycle(range(1, len(COMPONENTS) + 1)):
        if not run.one("SELECT coalesce(max(left_minor), 0) FROM account_state"):
            return
        run.known["component_rank"] = rank
        run.replace_state("account__even")


class _Runner:
    """Runs SELECT files into tables with what is known bound to what each names."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, known: dict[str, Any]) -> None:
        self.connection = connection
        self.known = known

    def make(self, table: str, select: str, *, is_first: bool = True) -> None:
        text = select_text(select)
        made = f"CREATE OR REPLACE TABLE {table} AS" if is_first else f"INSERT INTO {table}"
        bound = {name: value for name, value in self.known.items() if re.search(rf"\${name}\b", text)}
        self.connection.execute(f"{made} {text}", bound)

    def replace_state(self, select: str) -> None:
        self.make("account_next", select)
        self.connection.execute("DROP TABLE account_state")
        self.connection.execute("ALTER TABLE account_next RENAME TO account_state")

    def one(self, query: str) -> int:
        found: int = self.connection.execute(query).fetchall()[0][0]
        return found
