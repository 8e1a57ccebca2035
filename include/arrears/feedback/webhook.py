"""The webhook: signed requests with reports, taken in while the sender waits. A small process of its own.

``POST /feedback/<portfolio>/<source>`` with ``{"reports": [...]}``. The answer is 202 with what was kept and, by row,
what was not and why; a refusal has an error code. Documentation routes are off, and nothing is said about what exists
to whoever has no secret. What providers of channels say is heard by the same process, at its own places
(``jobs.provider_calls``). Why it does not live in Airflow's API server: docs/adr/0016.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from arrears import log_filter
from arrears.errors import (
    ArrearsError,
    FeedbackUnreadableError,
    WarehouseUnreachableError,
    WebhookReplayedError,
    WebhookTooLargeError,
    WebhookUnsignedError,
)
from arrears.feedback.files import no_key_twice, row_of
from arrears.feedback.intake import Delivery, take_in
from arrears.feedback.signature import HEADERS, verify
from arrears.feedback.sources import WebhookOfReports, load_sources
from arrears.lake import Lake
from arrears.portfolio import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arrears.settings import Settings

log = logging.getLogger(__name__)
BODY_BYTES = 256 * 1024
REPORTS = 500
SIGNED = HEADERS[:2]
LENGTH = re.compile(r"[0-9]{1,9}")
STATUS: dict[type[ArrearsError], int] = {
    WebhookTooLargeError: 413,
    WebhookUnsignedError: 401,
    WebhookReplayedError: 409,
    FeedbackUnreadableError: 422,
    WarehouseUnreachableError: 503,
}


def webhook(settings: Settings, *more: APIRouter) -> FastAPI:
    """The app over one deployment, with more places than its own."""
    log_filter.install()
    app = FastAPI(title="Arrears feedback", docs_url=None, redoc_url=None, openapi_url=None)
    lake = Lake(settings.lake_url)

    @app.exception_handler(ArrearsError)
    def refuse(_request: Request, error: ArrearsError) -> JSONResponse:
        status = STATUS.get(type(error), 500)
        log.warning("feedback refused: %s", error)
        said = {"code": error.code, "found": error.found, "expected": error.expected} if status < 500 else {}  # noqa: PLR2004
        return JSONResponse({"code": error.code, **said}, status)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/feedback/{portfolio}/{source}", status_code=202)
    async def report(portfolio: str, source: str, request: Request) -> dict[str, Any]:
        body, headers = await body_of(request), signature_of(request)
        return await run_in_threadpool(_take, settings, lake, portfolio, source, headers, body)

    for router in more:
        app.include_router(router)
    return app


def signature_of(request: Request) -> dict[str, str]:
    """The headers of its signature, as far as they are there."""
    return {name: request.headers.get(name, "") for name in HEADERS}


def delivery_id_of(headers: Mapping[str, str], body: bytes) -> str:
    """The same for the same signed request: of what is signed, for anybody can add another signature to a request."""
    return hashlib.sha256("\0".join([*(headers[name] for name in SIGNED), ""]).encode() + body).hexdigest()


async def body_of(request: Request) -> bytes:
    """The body, as far as it may go: a request that says, or turns out, to be larger is not read to its end.

    Raises:
        WebhookTooLargeError: It is.
    """
    declared = request.headers.get("content-length", "0")
    body = bytearray()
    is_too_large = not LENGTH.fullmatch(declared) or int(declared) > BODY_BYTES
    if not is_too_large:
        async for part in request.stream():
            body += part
            is_too_large = len(body) > BODY_BYTES
            if is_too_large:
                break
    if is_too_large:
        raise WebhookTooLargeError("a body too large", f"{BODY_BYTES} bytes at most", "body")
    return bytes(body)


def _take(  # noqa: PLR0913, PLR0917  a request's parts
    settings: Settings, lake: Lake, portfolio: str, source: str, headers: dict[str, str], body: bytes
) -> dict[str, Any]:
    verify(headers, body, _secrets(settings, portfolio, source), datetime.now(UTC))
    rows = [row_of(number, json.dumps(one)) for number, one in enumerate(listed(body, "reports"), start=1)]
    name = headers[HEADERS[0]][:120]
    delivery = Delivery(portfolio, source, delivery_id_of(headers, body), "webhook", name, tuple(rows))
    taken = take_in(settings, lake, delivery)
    if taken.is_known:
        raise WebhookReplayedError("a request that was taken in before", "a signature of its own", HEADERS[0])
    refused = [
        {"row": one.row.number, "column": one.column, "code": one.code, "expected": one.expected}
        for one in taken.refusals
    ]
    return {"accepted": taken.accepted, "repeated": taken.repeated, "stopped": taken.stopped, "refused": refused}


def _secrets(settings: Settings, portfolio: str, source: str) -> list[str]:
    """The secrets of a source; none for one that is not there, which looks the same from outside."""
    if not NAME.match(portfolio):
        return []
    found = load_sources(portfolio, settings).get(source)
    return found.keys if isinstance(found, WebhookOfReports) else []


def listed(body: bytes, key: str) -> list[Any]:
    """The list of a body, which holds nothing else.

    Raises:
        FeedbackUnreadableError: It is not JSON with such a list, a key stands twice in it, or the list is too long.
    """
    try:
        content = json.loads(body, object_pairs_hook=no_key_twice)
    except (ValueError, RecursionError):
        content = None
    found = content.get(key) if isinstance(content, dict) and set(content) == {key} else None
    if not isinstance(found, list) or not 0 < len(found) <= REPORTS:
        raise FeedbackUnreadableError(
            "another body", f'a JSON object with one key "{key}", a list of 1 to {REPORTS}', "body"
        )
    return found
