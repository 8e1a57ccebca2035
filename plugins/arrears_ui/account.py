"""Account: one loan or one case: why it is late, what was decided, and why. Nobody's name: ids and pseudonyms."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from arrears.errors import ArrearsError
from arrears.jobs.explain import explain
from arrears.settings import load_settings
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from arrears_ui.access import Chosen, Readable
from arrears_ui.portfolio import Asked
from arrears_ui.reading import Reader, reader
from arrears_ui.registry import CASE_TABLES, LOAN_TABLES
from arrears_ui.view import Viewed, shown

if TYPE_CHECKING:
    from arrears_ui.view import Shown

Wanted = Annotated[str, Query(max_length=200)]
ANY_DAY = date(9999, 12, 31)

routes = APIRouter()


@routes.get("/account")
def account(view: Viewed, allowed: Readable, portfolio: Chosen, q: Wanted = "", asked: Asked = None) -> HTMLResponse:
    """What is known of a loan or case, as of a date or the newest."""
    if portfolio is None:
        return view.page("nothing.html", allowed=allowed)
    wanted = q.strip()
    found: dict[str, Any] = {"loan": None, "case": None, "tables": []}
    if wanted:
        with reader() as look:
            found = look_up(look, portfolio, wanted, asked or ANY_DAY)
    loan = found["loan"]
    return view.page(
        "account.html",
        portfolio=portfolio,
        allowed=allowed,
        wanted=wanted,
        asked=asked,
        lender_url=lender_url(portfolio, loan["loan_id"]) if loan else "",
        **found,
    )


@routes.get("/why")
def why(view: Viewed, portfolio: Chosen, loan_id: Wanted, asked: Asked = None) -> HTMLResponse:
    """Why the loan is as many days past due: the ledger rows and the rules, one by one; a part of the account page."""
    answer, problem = None, None
    if portfolio is not None and asked is not None:
        try:
            answer = explain(portfolio, asked, loan_id)
        except ArrearsError as error:
            problem = error
    return view.page("why.html", portfolio=portfolio, loan_id=loan_id, day=asked, answer=answer, problem=problem)


def look_up(look: Reader, portfolio: str, wanted: str, until: date) -> dict[str, Any]:
    """The loan and its newest case, or the case and its loans."""
    loans = look.rows("found_loan", portfolio=portfolio, loan_id=wanted, business_date=until)
    loan = loans[0] if loans else None
    links = look.rows("cases_of_loan", portfolio=portfolio, loan_id=wanted, business_date=until) if loan else []
    case_id = links[0]["case_id"] if links else wanted
    cases = look.rows("found_case", portfolio=portfolio, case_id=case_id, business_date=until)
    case = cases[0] if cases else None
    tables: list[Shown] = []
    if loan:
        values = {"portfolio": portfolio, "loan_id": loan["loan_id"], "business_date": loan["business_date"]}
        tables += [_shown(look, table, values) for table in LOAN_TABLES]
    if case:
        values = {"portfolio": portfolio, "case_id": case["case_id"], "business_date": case["business_date"]}
        tables += [_shown(look, table, values) for table in CASE_TABLES]
    return {"loan": loan, "case": case, "tables": tables}


def _shown(look: Reader, table: Any, values: dict[str, Any]) -> Shown:  # noqa: ANN401  a Table
    asked = {**values, "date": values["business_date"]}
    del asked["business_date"]
    return shown(table, look.rows(table.name, **values), asked, is_open=True)


def lender_url(portfolio: str, loan_id: str) -> str:
    """Address of the loan in the lender's own system; empty when none is configured."""
    pattern = load_settings().lender_url
    return pattern.format(portfolio=quote(portfolio, safe=""), loan_id=quote(loan_id, safe="")) if pattern else ""
