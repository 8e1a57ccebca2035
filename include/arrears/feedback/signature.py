"""Signed requests, in the form of Standard Webhooks (standardwebhooks.com), so that senders find a library for it.

HMAC-SHA256 over ``<id>.<timestamp>.<body>``; the headers are ``webhook-id``, ``webhook-timestamp`` and
``webhook-signature``. Fifteen lines of the standard library: the published package brings four others for the same.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from secrets import token_bytes
from typing import TYPE_CHECKING

from arrears.errors import WebhookUnsignedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

TOLERANCE_SECONDS = 300
SECRET_BYTES = 24
NEW_BYTES = 32
PREFIX = "whsec_"
VERSION = "v1"
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
LONGEST_HEADER = 512
TIMESTAMP = re.compile(r"[0-9]{1,12}")


def key_of(secret: str) -> bytes:
    """The bytes of a secret, with or without its prefix.

    Raises:
        ValueError: It is not base64.
    """
    try:
        return base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a secret in base64") from None


def sign(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a request that is sent at that instant."""
    timestamp = str(int(at.timestamp()))
    signature = _signature(key_of(secret), message_id, timestamp, body)
    return dict(zip(HEADERS, (message_id, timestamp, f"{VERSION},{signature}"), strict=True))


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Refuse a request that none of the secrets signed, or whose time is not now.

    Raises:
        WebhookUnsignedError: Says what is missing or wrong, never what was sent.
    """
    values = [headers.get(name, "") for name in HEADERS]
    if not all(values) or any(len(value) > LONGEST_HEADER for value in values):
        raise WebhookUnsignedError("a header is missing or too long", f"{', '.join(HEADERS)}", "headers")
    message_id, timestamp, signatures = values
    if not TIMESTAMP.fullmatch(timestamp) or abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise WebhookUnsignedError(
            "the request's time is not now", f"within {TOLERANCE_SECONDS} s of ours", "webhook-timestamp"
        )
    wanted = [_signature(key_of(secret), message_id, timestamp, body) for secret in secrets]
    given = [one.removeprefix(f"{VERSION},") for one in signatures.split(" ") if one.startswith(f"{VERSION},")]
    # Every pair is compared, each in constant time: how long it takes says nothing.
    matches = [hmac.compare_digest(right.encode(), one.encode()) for right in wanted for one in given]
    if not any(matches):
        raise WebhookUnsignedError("the signature is not ours", "HMAC-SHA256 with the source's secret", HEADERS[2])


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    said = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()


def new_secret() -> str:
    """A new secret for a webhook source."""
    return f"whsec_{base64.b64encode(token_bytes(NEW_BYTES)).decode()}"
