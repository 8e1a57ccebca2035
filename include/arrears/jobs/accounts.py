"""Makes the tables of ageing; accounts in which the order of entries matters are replayed, all of them move by move.

Belongs here: which SELECT comes after which. What each does stands in ``sql/account__*.sql`` and, readable, in
``arrears.rules``.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.rules.account import ADDING_KINDS, COMPONENTS, PAYMENT_KINDS
from arrears.rules.allocation import TIMINGS
from arrears.rules.pauses import DEFERRAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arrears.engine.tables import Tables
    from arrears.rules.allocation import Waterfalls

INSTALMENTS = "core__instalment_delinquency_daily"
LOANS = "core__loan_delinquency_daily"


def make_ages(
    tables: Tables,
    waterfalls: Waterfalls,
    parameters: Mapping[str, Any],
    write: Callable[[str], object] | None = None,
) -> dict[str, int]:
    """Age every loan and every instalment of the ledger.

    Args:
        tables: Has the ledger, ``raw__pause`` included, and ``bucket``.
        waterfalls: How the portfolio spreads payments.
        parameters: As ``ageing_parameters`` gives them, with ``closing_date`` and ``timezone``.
        write: Makes the two tables of ages where they are not only to be made in ``tables``.

    Returns:
        Accounts replayed, and moves of the longest.
    """
    make_schedule(tables, parameters)
    replayed = _replay(tables, waterfalls, parameters)
    tables.make("frozen", "account__frozen", parameters)
    for table in (INSTALMENTS, LOANS):
        if table == LOANS:
            _make_material(tables, parameters)
        if write is None:
            tables.make(table, table, parameters)
        else:
            write(table)
    return replayed


def make_schedule(tables: Tables, parameters: Mapping[str, Any]) -> None:
    """Make ``schedule``: the instalments, their due dates as deferrals have moved them.

    Args:
        tables: With ``raw__instalment`` and ``raw__pause``.
        parameters: As ``ageing_parameters`` gives them.
    """
    is_deferred = tables.number(f"SELECT count(*) FROM raw__pause WHERE effect_code = '{DEFERRAL}'") > 0
    if is_deferred:
        tables.make("moved_instalment", "account__schedule", parameters)
    tables.alias("schedule", "moved_instalment" if is_deferred else "raw__instalment")


def make_annulled(tables: Tables, parameters: Mapping[str, Any]) -> None:
    """Make ``annulled``: the entries that reversals undid; and ``eventful_transaction``, which it is made from.

    Args:
        tables: With ``raw__transaction``.
        parameters: ``as_of``.
    """
    tables.make("eventful_transaction", "account__eventful_transaction", parameters)
    tables.make("annulled", "account__annulled", parameters)


def make_charges(tables: Tables, parameters: Mapping[str, Any]) -> None:
    """Make ``charge_taken``: which instalment takes each standing charge; and what ``make_annulled`` makes.

    Args:
        tables: With ``schedule`` and ``raw__transaction``.
        parameters: ``as_of`` and ``zone``.
    """
    make_annulled(tables, parameters)
    tables.make("charge_taken", "charge__taken", parameters)


def _make_material(tables: Tables, parameters: Mapping[str, Any]) -> None:
    """Since when arrears are material; costs nothing where no thresholds are given."""
    if parameters["material_minor"] is None:
        tables.put(
            "material", pa.table({"loan_id": pa.array([], pa.string()), "material_on": pa.array([], pa.date32())})
        )
    else:
        tables.make("material", "account__material", parameters)


def _replay(tables: Tables, waterfalls: Waterfalls, parameters: Mapping[str, Any]) -> dict[str, int]:
    """Make the tables ``annulled``, ``replayed_loan`` and ``replayed_overdue``."""
    has_even = any(each.prepays == "reamortise" for each in (waterfalls.default, *waterfalls.kinds.values()))
    known = {**parameters, "is_plain": waterfalls.is_plain, "replays": _replays(waterfalls), "has_even": has_even}
    known["move_number"] = 0
    make_annulled(tables, known)
    tables.make("replay_candidate", "account__candidate", known)
    tables.make("replayed_loan", "account__loan", known)
    _put_waterfalls(tables, waterfalls)
    tables.make("replayed_instalment", "account__replayed_instalment", known)
    tables.make("replayed_transaction", "account__replayed_transaction", known)
    tables.make("account_entry", "account__entry", known)
    tables.make("account_move", "account__move", known)
    tables.make("account_state", "account__obligation", known)
    tables.make("account_credit", "account__credit", known)
    tables.take("account_end", "account_state", "moves = 0")
    longest = tables.number("SELECT coalesce(max(moves), 0) FROM account_move")
    for number in range(1, longest + 1):
        known["move_number"] = number
        tables.make("account_credit", "account__credit", known, append=True)
        _replace_state(tables, "account__step", known)
        if has_even:
            _spread_evenly(tables, known)
        tables.take("account_end", "account_state", f"moves = {number}", append=True)
    tables.make("replayed_overdue", "account__overdue", known)
    return {"replayed": tables.number("SELECT count(*) FROM replayed_loan"), "moves": longest}


def _put_waterfalls(tables: Tables, waterfalls: Waterfalls) -> None:
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
    tables.put("waterfall", pa.Table.from_pylist(rows))


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


def _spread_evenly(tables: Tables, known: dict[str, Any]) -> None:
    """Component after component, until nothing of the payment is left."""
    for rank in cycle(range(1, len(COMPONENTS) + 1)):
        if not tables.number("SELECT coalesce(max(left_minor), 0) FROM account_state"):
            return
        _replace_state(tables, "account__even", known | {"component_rank": rank})


def _replace_state(tables: Tables, select: str, known: Mapping[str, Any]) -> None:
    tables.make("account_next", select, known)
    tables.rename("account_next", "account_state")
