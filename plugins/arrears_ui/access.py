"""Who may see and do what: every answer comes from Airflow's auth manager, a portfolio being the DAG that works it.

Belongs here: the dependencies of the app and its routes. ``signed_in`` stands on the app itself, so that a route that
forgets its own still fails closed. Changes are POSTs that pass ``may_act``: the right to change the portfolio's DAG,
and a token that this user's page was given.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import get_user, requires_access_view
from airflow.configuration import conf
from arrears.orchestration.callbacks import PREFIX
from arrears.portfolio import names
from arrears.settings import load_settings
from fastapi import Depends, Form, HTTPException, Query, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from arrears_ui.reading import reader

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod

TOKEN_SECONDS = 8 * 3600
FORBIDDEN = 403
PORTFOLIO_COOKIE = "arrears_portfolio"

signed_in = requires_access_view(AccessView.WEBSITE)
User = Annotated[BaseUser, Depends(get_user)]


def portfolios_of(user: BaseUser, method: ResourceMethod = "GET") -> list[str]:
    """Portfolios whose DAG the user may read (GET) or change (PUT), sorted."""
    allowed = get_auth_manager().get_authorized_dag_ids(user=user, method=method)
    return [name for name in names(load_settings()) if f"{PREFIX}{name}" in allowed]


def readable(user: User) -> list[str]:
    """The picker's choices."""
    return portfolios_of(user)


Readable = Annotated[list[str], Depends(readable)]


def chosen(
    request: Request, allowed: Readable, portfolio: Annotated[str | None, Query(max_length=64)] = None
) -> str | None:
    """The portfolio asked for; else the one chosen last, else the one published last; None when there is none to see.

    Raises:
        HTTPException: 403 for one that the user may not see, whether or not it exists.
    """
    if portfolio is not None:
        return _refused_unless(allowed, portfolio)
    remembered = request.cookies.get(PORTFOLIO_COOKIE)
    if remembered in allowed:
        return remembered
    if len(allowed) > 1:
        with reader() as look:
            for row in look.rows("published_last", portfolios=allowed):
                return str(row["portfolio"])
    return allowed[0] if allowed else None


def _refused_unless(allowed: list[str], portfolio: str) -> str:
    if portfolio not in allowed:
        raise HTTPException(FORBIDDEN, "no right to this portfolio")
    return portfolio


Chosen = Annotated[str | None, Depends(chosen)]


def portfolio_of_dag(allowed: Readable, dag_id: Annotated[str, Query(max_length=250)]) -> str | None:
    """The portfolio that a DAG works; None for a DAG that is not ours.

    Raises:
        HTTPException: 403 for one that the user may not see.
    """
    if not dag_id.startswith(PREFIX):
        return None
    return _refused_unless(allowed, dag_id.removeprefix(PREFIX))


OfDag = Annotated[str | None, Depends(portfolio_of_dag)]


def form_token(user: BaseUser) -> str:
    """What a form must send back: signed, of this user, good for a working day."""
    return _signer().dumps(str(user.get_id()))


def may_act(
    request: Request,
    user: User,
    portfolio: Annotated[str, Form(max_length=64)],
    form_token: Annotated[str, Form(max_length=500)] = "",
) -> str:
    """The portfolio that the user may change, asked for by a page of ours.

    Raises:
        HTTPException: 403 without the right, without the token, or from another site.
    """
    if portfolio not in portfolios_of(user, "PUT"):
        raise HTTPException(FORBIDDEN, "no right to change this portfolio")
    _refuse_other_sites(request)
    try:
        owner = _signer().loads(form_token, max_age=TOKEN_SECONDS)
    except BadSignature:
        owner = None
    if owner != str(user.get_id()):
        raise HTTPException(FORBIDDEN, "the form is too old, or not of this page: load the page again")
    return portfolio


Acting = Annotated[str, Depends(may_act)]


def _refuse_other_sites(request: Request) -> None:
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if site not in {"same-origin", "none"} or foreign:
        raise HTTPException(FORBIDDEN, "a request from another site")


@cache
def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get("api", "secret_key"), salt="arrears-form")
