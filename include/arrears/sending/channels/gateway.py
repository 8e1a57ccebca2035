"""An HTTP gateway: JSON, our reference as key, signed with HMAC-SHA-256. SMS and push go by it, and campaigns.

``POST <base>/messages`` takes a message, ``GET <base>/messages/<reference>`` finds it. A definite rejection is a
failure before the request's first byte, or a status that the provider documents as "not accepted". Everything else (a
reset, a timeout, any 500, an answer that is too long) is unknown.

A **campaign** (dialler, voice bot) is the same with somebody at its other end who acts later. Each contact carries the
instant after which nobody may act on it, the figures, and where to call back: with receipts, and, right before it acts,
to ask whether it still may. ``DELETE <base>/messages/<reference>`` takes one back.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore
import httpx

from arrears.errors import ClaimTooOldError
from arrears.sending.endpoints import EXCHANGE
from arrears.sending.values import ADDRESS_DEAD, Capabilities, Found, LookUp, Outcome, Reply, Settles

if TYPE_CHECKING:
    from collections.abc import Callable

    from arrears.sending.endpoints import Client, Endpoint
    from arrears.sending.values import Message

FIRST_BYTE = "send_request_headers.started"
ANSWER_BYTES = 64 * 1024
FINAL = frozenset({400, 404, 405, 413, 415, 422})  # of this message; another try would be the same
NOT_NOW = frozenset({401, 403, 429, 503})  # of us, or of this moment
GONE, CONFLICT = 412, 409  # the key's time has passed; the key came with another content


@dataclass
class Gateway:
    """One gateway.

    Attributes:
        code: Channel code.
        endpoint: Where it is; checked when it was made.
        secret: Signs what we send.
        settles: What the provider can do about unknown outcomes.
        timeout: Seconds for connecting, for writing, and for the whole answer.
        lag_seconds: How long it may not see what it has accepted.
        window_seconds: How long it remembers a key.
        hands_over: Whether it is a campaign: somebody acts later.
        callback: Our own address for its receipts and questions; campaigns are told it.
    """

    code: str
    provider: str
    endpoint: Endpoint
    secret: bytes = field(repr=False)
    settles: Settles = Settles.BY_LOOK_UP
    timeout: float = 10.0
    lag_seconds: float = 60.0
    window_seconds: float = 0.0
    hands_over: bool = False
    callback: str = ""
    is_sandbox: bool = False
    _client: Client | None = field(default=None, repr=False)

    @property
    def capabilities(self) -> Capabilities:
        """As the deployment declares them."""
        return Capabilities(
            self.settles,
            seconds=EXCHANGE * self.timeout,
            lag_seconds=self.lag_seconds,
            window_seconds=self.window_seconds,
            hands_over=self.hands_over,
            is_sandbox=self.is_sandbox,
        )

    def deliver(self, message: Message, before_write: Callable[[], None]) -> Outcome:
        """Hand over one message; see ``values.Channel``."""
        is_written = False

        def trace(event: str, _info: dict[str, Any]) -> None:
            nonlocal is_written
            if event.endswith(FIRST_BYTE):
                before_write()
                is_written = True

        try:
            status, answer = self._ask("POST", "messages", self._body(message), message.reference, trace)
        except ClaimTooOldError:
            return Outcome(Reply.GIVEN_UP, "claim_too_old")
        except (httpx.HTTPError, httpcore.NetworkError, OSError) as error:
            kind = type(error).__name__.lower()
            if is_written:
                return Outcome(Reply.UNKNOWN, f"gateway_{kind}", is_outage=True)
            return Outcome(Reply.NOT_NOW, f"gateway_unreachable_{kind}", is_outage=True)
        return _outcome(status, answer)

    def _body(self, message: Message) -> bytes:
        said: dict[str, Any] = {
            "reference": message.reference,
            "to": message.address.reveal(),
            "title": message.content.subject.reveal(),
            "text": message.content.body.reveal(),
            "not_after": message.not_after,
        }
        if self.hands_over:
            said |= {"facts": dict(message.content.facts), "callback": self.callback}
        return json.dumps(said, ensure_ascii=False).encode()

    def look_up(self, reference: str) -> LookUp:
        """Ask for it by our reference."""
        try:
            status, answer = self._ask("GET", f"messages/{reference}", b"", reference, lambda *_: None)
        except (httpx.HTTPError, httpcore.NetworkError, OSError):
            return LookUp(Found.NO_ANSWER)
        if status == httpx.codes.OK:
            return LookUp(Found.ACCEPTED, _identifier(answer))
        return LookUp(Found.ABSENT if status == httpx.codes.NOT_FOUND else Found.NO_ANSWER)

    def take_back(self, reference: str) -> bool:
        """Have a campaign forget a contact; False: it did not say that it has, or it has acted on it already."""
        try:
            status, _ = self._ask("DELETE", f"messages/{reference}", b"", reference, lambda *_: None)
        except (httpx.HTTPError, httpcore.NetworkError, OSError):
            return False
        return httpx.codes.is_success(status) or status == httpx.codes.GONE

    def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ask(
        self, method: str, path: str, body: bytes, reference: str, trace: Callable[[str, dict[str, Any]], None]
    ) -> tuple[int, bytes]:
        """Status and the answer, of which no more is read than an honest one has; its end in time is the client's."""
        if self._client is None:
            self._client = self.endpoint.client(self.timeout)
        url, stamp = f"{self.endpoint.base}/{path}", str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": reference,
            "X-Arrears-Timestamp": stamp,
            "X-Arrears-Signature": signature(self.secret, stamp, method, urlsplit(url).path, body),
        }
        with self._client.stream(method, url, content=body, headers=headers, extensions={"trace": trace}) as response:
            answer = b""
            for chunk in response.iter_raw(4096):
                answer += chunk
                if len(answer) > ANSWER_BYTES:
                    raise httpx.ReadError("an answer too long")
            return response.status_code, answer


def signature(secret: bytes, stamp: str, method: str, path: str, body: bytes) -> str:
    """HMAC-SHA-256 over ``<instant>.<method>.<path>.<body>``, in hexadecimal: of one request it fits no other."""
    return hmac.new(secret, f"{stamp}.{method}.{path}.".encode() + body, hashlib.sha256).hexdigest()


def _outcome(status: int, answer: bytes) -> Outcome:
    if httpx.codes.is_success(status):
        identifier = _identifier(answer)
        if identifier is None:
            return Outcome(Reply.UNKNOWN, "gateway_answer_unreadable")
        return Outcome(Reply.SENT, "gateway_accepted", identifier)
    if status in FINAL:
        return Outcome(Reply.NEVER, ADDRESS_DEAD if _says_invalid(answer) else f"gateway_{status}")
    if status in NOT_NOW:
        return Outcome(Reply.NOT_NOW, f"gateway_{status}", is_outage=True)
    return Outcome(Reply.UNKNOWN, f"gateway_{status}", is_outage=status not in (GONE, CONFLICT))


def _says_invalid(answer: bytes) -> bool:
    """Whether a refusal says that there is no such number, in the word of receipts."""
    try:
        return bool(json.loads(answer)["status"] == "invalid")
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _identifier(answer: bytes) -> str | None:
    """The provider's own reference: short, printable, or not believed."""
    try:
        identifier = json.loads(answer)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    is_one = isinstance(identifier, str) and 0 < len(identifier) <= 100 and identifier.isprintable()  # noqa: PLR2004
    return identifier if is_one else None
