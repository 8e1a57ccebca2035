"""What providers of channels tell and ask us: receipts, "may I still?", and a person's one-click unsubscription.

``POST /receipts/<provider>`` takes ``{"receipts": [...]}``, ``POST /checks/<provider>`` ``{"checks": [reference]}``;
both are signed as every request to the webhook is, with the secret that ``sending.yaml`` has for the provider.
``POST /unsubscribe/<reference>`` is what a mail program sends (RFC 8058): it can sign nothing, and the reference, which
nobody else is told, is its right to be heard.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from sqlalchemy import select

from arrears.errors import FeedbackUnreadableError, WebhookReplayedError
from arrears.feedback.intake import Delivery, Row, take_in
from arrears.feedback.signature import HEADERS, verify
from arrears.feedback.subjects import Subject
from arrears.feedback.webhook import body_of, delivery_id_of, listed, signature_of
from arrears.jobs.dispatch import load_ways
from arrears.jobs.receipts import take_receipts
from arrears.jobs.recheck import Recheck
from arrears.lake import Lake
from arrears.sending.claims import message_of
from arrears.sending.handover import STANDING, mark_withdrawn
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import NOTIFICATION

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arrears.settings import Settings

STEP = NOTIFICATION.c
JUDGE_SECONDS = 300.0
REFERENCE = r"^[0-9a-f]{32}$"
ASK = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Unsubscribe</title><form method="post"><button>Stop these e-mails / 不再接收此类邮件</button></form>"""
HEARD = '<!doctype html><meta charset="utf-8"><title>Unsubscribe</title><p>Done. / 已停止。</p>'


def provider_calls(settings: Settings) -> APIRouter:
    """The places, for ``feedback.webhook``."""
    router, judges = APIRouter(), _Judges(settings)

    @router.post("/receipts/{provider}", status_code=202)
    async def receipts(provider: str, request: Request) -> dict[str, Any]:
        body, headers = await body_of(request), signature_of(request)
        return await run_in_threadpool(_receipts, settings, provider, headers, body)

    @router.post("/checks/{provider}")
    async def checks(provider: str, request: Request) -> dict[str, Any]:
        body, headers = await body_of(request), signature_of(request)
        return await run_in_threadpool(_checks, settings, judges, provider, headers, body)

    @router.get("/unsubscribe/{reference}", response_class=HTMLResponse)
    def ask(reference: Annotated[str, Path(pattern=REFERENCE)]) -> str:
        """A page that asks first: programs that look at every link of a mail must not unsubscribe anybody."""
        del reference
        return ASK

    @router.post("/unsubscribe/{reference}", response_class=HTMLResponse)
    def unsubscribe(reference: Annotated[str, Path(pattern=REFERENCE)]) -> str:
        _unsubscribe(settings, reference)
        return HEARD

    return router


def _receipts(settings: Settings, provider: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    verify(headers, body, load_ways(settings).callers(provider), datetime.now(UTC))
    said = enumerate(listed(body, "receipts"), start=1)
    done = take_receipts(settings, provider, delivery_id_of(headers, body), said)
    if done.pop("is_known"):
        raise WebhookReplayedError("a request that was taken in before", "a signature of its own", HEADERS[0])
    return done


class _Judges:
    """Who answers, by channel, one question at a time: what a judge has read of the ledger serves the next ones too.

    What was reported since it reads anew for each; configuration is read again after ``JUDGE_SECONDS``.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._found: dict[str, tuple[float, Recheck]] = {}
        self.lock = threading.Lock()

    def of(self, channel: str) -> Recheck:
        made_at, judge = self._found.get(channel, (0.0, None))
        if judge is None or time.monotonic() - made_at > JUDGE_SECONDS:
            settings = self._settings
            judge = Recheck(settings, load_ways(settings).channel(channel, settings.outbox_folder))
            self._found[channel] = time.monotonic(), judge
        return judge


def _checks(settings: Settings, judges: _Judges, provider: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """Whether each contact may still be made, this second; what may not is taken back with the answer."""
    now = datetime.now(UTC)
    verify(headers, body, load_ways(settings).callers(provider), now)
    asked = listed(body, "checks")
    if not all(isinstance(reference, str) for reference in asked):
        raise FeedbackUnreadableError("another body", "references, as text", "checks")
    answers = []
    for reference in asked:
        with judges.lock, transaction(settings.warehouse) as connection:
            reason = _objection(connection, judges, provider, reference, now)
        answers.append({"reference": reference, "may": reason is None, "reason": reason or ""})
    return {"checks": answers}


def _objection(connection: Connection, judges: _Judges, provider: str, reference: str, now: datetime) -> str | None:
    """Why it may not be made; None: it may."""
    mine = select(NOTIFICATION).where(STEP.provider_code == provider, STEP.reference == reference)
    found = connection.execute(mine.with_for_update()).mappings().one_or_none()
    row = dict(found or {})
    if not row or row["state_code"] != "sent" or row["delivery_code"] not in STANDING:
        return "not_handed_over"
    if row["not_after_at"] <= now:
        return "too_late"
    reason, is_for_good = judges.of(row["channel_code"]).objection(connection, row, now)
    if reason is not None and is_for_good:
        mark_withdrawn(connection, row, reason)
    return reason


def _unsubscribe(settings: Settings, reference: str) -> None:
    """An opt-out of e-mail for whom the message was, heard by the same door as any other; of a stranger nothing."""
    with transaction(settings.warehouse) as connection:
        row = message_of(connection, "email", reference)
    if row is None:
        return
    now = datetime.now(UTC)
    report = {
        "kind": "opt_out",
        "ref": f"{reference}-{now:%Y%m%d}",  # said once a day, however often it is clicked
        "occurred_at": now.isoformat(),
        "party_id": row["borrower_id"],
        "channel_code": "email",
    }
    name = f"unsubscribe {report['ref']}"
    delivery = Delivery(row["portfolio"], "unsubscribe", name, "webhook", name, (Row(1, report),))
    take_in(settings, Lake(settings.lake_url), delivery, Subject(row["borrower_id"], row["person_id"]))
