"""The web app inside Airflow: its routes, the login that stands before all of them, and what every answer carries.

Documentation routes are off; a route of this app without a login does not exist, since the login stands on the app.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow.api_fastapi.core_api.security import get_user
from arrears.errors import ArrearsError
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse

from arrears_ui import account, assets, day, outbox, portfolio, runbook
from arrears_ui.access import signed_in
from arrears_ui.reading import TooSlowError
from arrears_ui.view import environment
from arrears_ui.words import Words, language_of

if TYPE_CHECKING:
    from starlette.responses import Response

# Nothing from elsewhere, nothing inline; framed by Airflow's own pages alone.
HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        b"form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
}
NO_STORE = b"no-store"


class SafeHeaders:
    """Puts the headers on every answer, refusals and failures included; pages are kept by no cache.

    Args:
        app: What answers.
    """

    def __init__(self, app: Any) -> None:  # noqa: ANN401  ASGI's own types
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  as above
        """Hand on, and add to the answer's head."""

        async def send_with_headers(message: Any) -> None:  # noqa: ANN401  as above
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                added = HEADERS if b"cache-control" in there else {**HEADERS, b"cache-control": NO_STORE}
                message["headers"] = [*message["headers"], *added.items()]
            await send(message)

        await self._app(scope, receive, send_with_headers)


app = FastAPI(
    title="Arrears",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(signed_in), Depends(get_user)],
)
for module in (portfolio, day, account, outbox, runbook, assets):
    app.include_router(module.routes)


@app.get("/")
def front() -> RedirectResponse:
    """The first page."""
    return RedirectResponse("portfolio")


def trouble(request: Request, status: int, key: str, **values: Any) -> HTMLResponse:  # noqa: ANN401  for the words
    """A page that says what is wrong and what to do."""
    t = Words(language_of(request.query_params.get("lang"), request.headers.get("accept-language", "")))
    depth = request.url.path.removeprefix(request.scope.get("root_path", "")).strip("/").count("/")
    page = environment().get_template("trouble.html")
    rendered = page.render(t=t, key=key, values=values, status=status, root="../" * depth, asset=assets.address)
    return HTMLResponse(rendered, status_code=status)


@app.exception_handler(HTTPException)
def refused(request: Request, error: HTTPException) -> Response:
    """A login that is missing, a right, a page."""
    key = {401: "trouble.login", 403: "trouble.right", 404: "trouble.page"}.get(error.status_code, "trouble.request")
    return trouble(request, error.status_code, key)


@app.exception_handler(RequestValidationError)
def misunderstood(request: Request, _error: RequestValidationError) -> Response:
    """An address that makes no sense; what it said is not repeated."""
    return trouble(request, HTTPStatus.UNPROCESSABLE_ENTITY, "trouble.request")


@app.exception_handler(ArrearsError)
def failed(request: Request, error: ArrearsError) -> Response:
    """The warehouse or the configuration: code, message and runbook."""
    return trouble(request, HTTPStatus.SERVICE_UNAVAILABLE, "trouble.coded", code=error.code, message=str(error))


@app.exception_handler(TooSlowError)
def too_slow(request: Request, _error: TooSlowError) -> Response:
    """A SELECT over its time."""
    return trouble(request, HTTPStatus.GATEWAY_TIMEOUT, "trouble.slow")


@app.exception_handler(Exception)
def unforeseen(request: Request, _error: Exception) -> Response:
    """A mistake of ours: the server's log has it, the reader is told no more."""
    return trouble(request, HTTPStatus.INTERNAL_SERVER_ERROR, "trouble.ours")


pages = SafeHeaders(app)
