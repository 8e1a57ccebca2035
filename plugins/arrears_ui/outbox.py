"""Outbox and approvals: what nobody knows, what is parked, and the stop; every change with its author and reason.

Belongs here: the screen. What an action does, and its entry in the audit trail, is ``arrears.sending.by_hand`` and, for
plans that wait for approval, ``arrears.warehouse.approval``.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from arrears.portfolio import names
from arrears.sending import by_hand
from arrears.settings import load_settings
from arrears.warehouse import approval
from arrears.warehouse.connection import transaction
from arrears.warehouse.outbox import Scope
from fastapi import APIRouter, Form, HTTPException, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import text

from arrears_ui.access import Acting, Chosen, Readable, User, portfolios_of
from arrears_ui.reading import SECONDS
from arrears_ui.registry import OUTBOX_TABLES
from arrears_ui.view import Viewed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
    from sqlalchemy import Connection

UNSETTLED = 100
RECENT = 50
DONE = ("settled", "approved", "refused", "released", "cancelled", "stopped", "started")
Reason = Annotated[str, Form(min_length=3, max_length=300)]

routes = APIRouter()


@routes.get("/outbox")
def outbox(
    view: Viewed, allowed: Readable, portfolio: Chosen, done: Annotated[str, Query(max_length=20)] = ""
) -> HTMLResponse:
    """How the portfolio's messages stand."""
    if portfolio is None:
        return view.page("nothing.html", allowed=allowed)
    with _bounded() as connection:
        unknown = by_hand.rows_of(connection, state="unknown", portfolio=portfolio, limit=UNSETTLED)
        questions = approval.waiting(connection, portfolio)
        asked = {one.business_date for one in questions}
        parked = [row for row in by_hand.parked(connection, portfolio) if not _waits_for_approval(row, asked)]
        stops = [one for one in by_hand.stops(connection) if _concerns(one, portfolio)]
        rows = {
            "outbox_totals": [row for row in by_hand.totals(connection) if row["portfolio"] == portfolio],
            "outbox_recent": by_hand.rows_of(connection, state=None, portfolio=portfolio, limit=RECENT),
        }
    return view.page(
        "outbox.html",
        portfolio=portfolio,
        allowed=allowed,
        may_act=view.may_act(portfolio),
        done=done if done in DONE else "",
        unknown=unknown,
        questions=questions,
        parked=parked,
        stops=stops,
        tables=[shown(table, rows[table.name], {}, is_open=True) for table in OUTBOX_TABLES],
    )


@routes.post("/outbox-settle")
def settle(
    user: User,
    portfolio: Acting,
    step_key: Annotated[str, Form(max_length=128)],
    answer: Annotated[Literal["sent", "not-sent", "give-up"], Form()],
    reason: Reason,
) -> RedirectResponse:
    """Say what became of an attempt that nobody knows about."""
    with _bounded() as connection:
        theirs = by_hand.rows_of(connection, state="unknown", portfolio=portfolio, limit=UNSETTLED)
        if step_key not in {row["step_key"] for row in theirs}:
            raise HTTPException(404, "no such unknown row in this portfolio")
        by_hand.settle(connection, step_key, answer, actor=_actor(user), reason=reason)
    return _back(portfolio, "settled")


@routes.post("/outbox-approval")
def decide(
    user: User,
    portfolio: Acting,
    approval_id: Annotated[UUID, Form()],
    answer: Annotated[Literal["approved", "refused"], Form()],
    reason: Reason,
) -> RedirectResponse:
    """Answer a question about a plan that departs from its history; whoever answered first is heeded."""
    with _bounded() as connection:
        if approval_id not in {one.approval_id for one in approval.waiting(connection, portfolio)}:
            raise HTTPException(404, "no such question of this portfolio, or somebody has answered it")
        decided = approval.decide_within(
            connection, approval_id, state_code=answer, decided_by=_actor(user), reason=reason
        )
    return _back(portfolio, str(decided["state"]))


@routes.post("/outbox-parked")
def decide_parked(  # noqa: PLR0913, PLR0917  a form's own values
    user: User,
    portfolio: Acting,
    business_date: Annotated[date, Form()],
    reason_code: Annotated[str, Form(max_length=200)],
    answer: Annotated[Literal["release", "cancel"], Form()],
    reason: Reason,
) -> RedirectResponse:
    """Let a day's messages that are parked for one reason be sent while their time lasts, or end them."""
    scope = Scope(portfolio=portfolio, business_date=business_date, reason_code=reason_code)
    with _bounded() as connection:
        asked = {one.business_date for one in approval.waiting(connection, portfolio)}
        if _waits_for_approval({"business_date": business_date, "reason_code": reason_code}, asked):
            raise HTTPException(409, "this plan waits for approval: answer that question")
        if answer == "release":
            by_hand.release(connection, scope, actor=_actor(user), reason=reason)
        else:
            by_hand.cancel_parked(connection, scope, actor=_actor(user), reason=reason)
    return _back(portfolio, "released" if answer == "release" else "cancelled")


@routes.post("/outbox-stop")
def stop(user: User, portfolio: Acting, reason: Reason) -> RedirectResponse:
    """Stop the portfolio's sending; no claim that begins afterwards is let through."""
    with _bounded() as connection:
        by_hand.stop(connection, "portfolio", portfolio, actor=_actor(user), reason=reason)
    return _back(portfolio, "stopped")


@routes.post("/outbox-start")
def start(user: User, portfolio: Acting, stop_id: Annotated[int, Form()], reason: Reason) -> RedirectResponse:
    """End a stop: one of the portfolio, or one that reaches beyond it by who may change every portfolio."""
    with _bounded() as connection:
        found = [one for one in by_hand.stops(connection) if one["stop_id"] == stop_id and _concerns(one, portfolio)]
        if not found:
            raise HTTPException(404, "no such stop of this portfolio")
        if not _is_own(found[0], portfolio) and set(portfolios_of(user, "PUT")) != set(names(load_settings())):
            raise HTTPException(403, "the stop reaches beyond what the user may change")
        by_hand.start(connection, stop_id, actor=_actor(user), reason=reason)
    return _back(portfolio, "started")


def _waits_for_approval(row: dict[str, Any], asked: set[date]) -> bool:
    """Whether a parked row is decided by the answer to a question, which is written down with it."""
    return row["reason_code"] == approval.HELD_BECAUSE and row["business_date"] in asked


def _concerns(one: dict[str, Any], portfolio: str) -> bool:
    return one["scope_code"] != "portfolio" or _is_own(one, portfolio)


def _is_own(one: dict[str, Any], portfolio: str) -> bool:
    return bool(one["scope_code"] == "portfolio" and one["scope_value"] == portfolio)


def _actor(user: BaseUser) -> str:
    return f"airflow:{user.get_name()}"


def _back(portfolio: str, done: str) -> RedirectResponse:
    """To the page, by GET: loading it again does nothing twice."""
    return RedirectResponse(f"outbox?{urlencode({'portfolio': portfolio, 'done': done})}", status_code=303)


@contextmanager
def _bounded() -> Iterator[Connection]:
    """A transaction that waits no longer than a page does."""
    with transaction(load_settings().warehouse) as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = '{SECONDS}s'"))
        connection.execute(text(f"SET LOCAL lock_timeout = '{SECONDS}s'"))
        yield connection
