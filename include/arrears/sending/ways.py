"""Which channel goes where: the deployment's ``sending.yaml``, and the channels made from it.

Belongs here: the file's shape, and refusing what it may not say. Every channel is a sandbox until the file says else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from arrears.errors import ConfigurationError, EndpointRefusedError
from arrears.policy.documents import Document, read_document
from arrears.sending.channels.gateway import Gateway
from arrears.sending.channels.smtp import Smtp
from arrears.sending.channels.spool import Spool
from arrears.sending.dispatch import Terms
from arrears.sending.endpoints import Endpoint
from arrears.sending.values import Settles  # noqa: TC001  pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from arrears.sending.values import Channel

CHANNELS = ("sms", "push", "email", "voice_bot", "call", "letter", "visit")
HANDED_OVER = ("voice_bot", "call", "letter", "visit")


class Limits(Document):
    """How fast and how often; see ``dispatch.Terms``."""

    per_second: float = Field(default=0, ge=0)
    daily_cap: int | None = Field(default=None, ge=0)
    max_attempts: int = Field(default=4, ge=1, le=10)
    outages: int = Field(default=5, ge=1)


class SandboxWay(Limits):
    """Writes what would be sent into files."""

    kind: Literal["sandbox"]


class FileWay(Limits):
    """Hands over by files: campaigns, letters, worklists (``handover``)."""

    kind: Literal["file"]


class SmtpWay(Limits):
    """A mail server."""

    kind: Literal["smtp"]
    host: str
    port: int = Field(ge=1, le=65535)
    sender: str = Field(pattern=r"^[^\s<>,@]+@[^\s<>,@]+$")
    domain: str = Field(pattern=r"^[a-z0-9.-]+$")
    unsubscribe: str = Field(pattern=r"^https://[^\s<>]*\{reference\}[^\s<>]*$")
    timeout: float = Field(default=5, gt=0, le=60)
    is_encrypted: bool = True
    user: str = ""
    password: str = Field(default="", repr=False)


class GatewayWay(Limits):
    """An HTTP gateway."""

    kind: Literal["gateway"]
    provider: str = Field(pattern=r"^[a-z0-9_]+$")
    url: str
    secret: str = Field(min_length=16, repr=False)
    settles: Settles
    timeout: float = Field(default=10, gt=0, le=60)
    lag_seconds: float = Field(default=60, ge=0)
    window_seconds: float = Field(default=0, ge=0)


Way = Annotated[SandboxWay | FileWay | SmtpWay | GatewayWay, Field(discriminator="kind")]


class Sending(Document):
    """The whole file.

    Attributes:
        allowed: ``host:port`` of every server that channels may connect to.
        private: Those of them that may be inside, or speak plain HTTP.
        lease_seconds: How long a claim holds; longer than twice the slowest channel.
        rehearse: Sandboxes do not wait for the hour; see ``dispatch.Terms``. Live channels do.
        channels: Where each goes; one that is left out is a sandbox.
    """

    allowed: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    lease_seconds: float = Field(default=150, gt=0)
    rehearse: bool = False
    channels: dict[str, Way] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> Sending:
        for code, way in self.channels.items():
            if code not in CHANNELS:
                raise ValueError(f"no channel {code}; known: {CHANNELS}")
            fits = {"smtp": ("email",), "gateway": ("sms", "push"), "file": HANDED_OVER, "sandbox": CHANNELS}
            if code not in fits[way.kind]:
                raise ValueError(f"{code} cannot go by {way.kind}")
        return self

    def channel(self, code: str, folder: Path) -> Channel:
        """The channel, ready to deliver.

        Args:
            code: Which.
            folder: Where sandboxes and hand-overs are written.

        Raises:
            EndpointRefusedError: Its server is not allowed.
            ConfigurationError: There is no such channel.
        """
        if code not in CHANNELS:
            raise ConfigurationError(f"channel {code!r}", f"one of {CHANNELS}", "outbox")
        way = self.channels.get(code)
        if isinstance(way, GatewayWay):
            endpoint = Endpoint.of(way.url, self.allowed, self.private)
            return Gateway(
                code,
                way.provider,
                endpoint,
                way.secret.encode(),
                way.settles,
                way.timeout,
                way.lag_seconds,
                way.window_seconds,
            )
        if isinstance(way, SmtpWay):
            return self._smtp(way)
        is_sandbox = not isinstance(way, FileWay)
        place = folder / ("sandbox" if is_sandbox else "handover")
        return Spool(code, place, hands_over=code in HANDED_OVER, is_sandbox=is_sandbox)

    def _smtp(self, way: SmtpWay) -> Smtp:
        place = f"{way.host}:{way.port}"
        if place not in self.allowed:
            raise EndpointRefusedError(f"smtp://{place}", f"one of {sorted(self.allowed)}", "sending configuration")
        named = way.model_dump(exclude={"kind", *Limits.model_fields})
        return Smtp(**named, private=frozenset(self.private))

    def terms(self, code: str) -> Terms:
        """How its shards are worked."""
        way = self.channels.get(code)
        limits = {name: getattr(way, name) for name in Limits.model_fields} if way else {}
        is_sandbox = way is None or isinstance(way, SandboxWay)
        return Terms(lease_seconds=self.lease_seconds, rehearses=self.rehearse and is_sandbox, **limits)


def load_sending(path: Path, environment: Mapping[str, str | None]) -> Sending:
    """Read the file.

    Raises:
        ConfigurationError: Anything in it is wrong.
    """
    return read_document(path, Sending, environment=environment)
