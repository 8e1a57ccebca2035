"""Which channel goes where: the deployment's ``sending.yaml``, and the channels made from it.

Belongs here: the file's shape, and refusing what it may not say. Every channel is a sandbox until the file says else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, FilePath, field_validator, model_validator

from arrears.errors import ConfigurationError, EndpointRefusedError
from arrears.feedback.signature import SECRET_BYTES, key_of
from arrears.policy.documents import Document, read_document
from arrears.sending.batches import Letters, Visits, campaign
from arrears.sending.channels.gateway import Gateway
from arrears.sending.channels.smtp import Smtp
from arrears.sending.channels.spool import Spool
from arrears.sending.dispatch import Terms
from arrears.sending.endpoints import Endpoint
from arrears.sending.letters import Style
from arrears.sending.values import Settles  # noqa: TC001  pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from arrears.sending.batches import Writer
    from arrears.sending.values import Channel

SMTP = "smtp"
CHANNELS = ("sms", "push", "email", "voice_bot", "call", "letter", "visit")
HANDED_OVER = ("voice_bot", "call", "letter", "visit")
FITS = {
    "sandbox": CHANNELS,
    "smtp": ("email",),
    "gateway": ("sms", "push"),
    "campaign": ("voice_bot", "call"),
    "file": ("voice_bot", "call"),
    "print": ("letter",),
    "visits": ("visit",),
}


class Limits(Document):
    """How fast and how often; see ``dispatch.Terms``."""

    per_second: float = Field(default=0, ge=0)
    daily_cap: int | None = Field(default=None, ge=0)
    max_attempts: int = Field(default=4, ge=1, le=10)
    outages: int = Field(default=5, ge=1)


class ProviderLimits(Document):
    """How fast a provider may be asked, over all channels that go by it."""

    per_second: float = Field(gt=0)


class SandboxWay(Limits):
    """Writes what would be sent into files."""

    kind: Literal["sandbox"]


class FileWay(Limits):
    """A campaign file for a dialler or a bot (``batches``)."""

    kind: Literal["file"]


class VisitsWay(Limits):
    """Worklists of visits by area.

    Attributes:
        people: Who must go together.
        most_per_round: Visits of one round.
    """

    kind: Literal["visits"]
    people: int = Field(default=2, ge=1, le=4)
    most_per_round: int = Field(default=12, ge=1, le=100)


class PrintWay(Limits):
    """Letters as one PDF a batch.

    Attributes:
        font: TrueType or OpenType file, collections too, with every character that letters may hold.
        font_number: Which font of a collection.
        paper: Size of the sheets.
        is_duplex: Whether they are printed on both sides.
        hold_minutes: How long the printer waits with a batch; so long a letter can be taken back.
    """

    kind: Literal["print"]
    font: FilePath
    font_number: int = Field(default=0, ge=0)
    paper: Literal["a4", "letter"] = "a4"
    is_duplex: bool = True
    hold_minutes: int = Field(default=30, ge=15, le=24 * 60)


class Calling(Limits):
    """A provider that calls us back.

    Attributes:
        callback_secrets: ``whsec_`` and base64, comma separated while a new one replaces an old one, that its callbacks
            are signed with (`arrears feedback secret` makes one); empty: it may not call.
    """

    callback_secrets: str = Field(default="", repr=False)

    @field_validator("callback_secrets")
    @classmethod
    def _long_enough(cls, given: str) -> str:
        if any(len(key_of(secret)) < SECRET_BYTES for secret in given.split(",") if secret):
            raise ValueError(f"whsec_ and base64 of {SECRET_BYTES} random bytes or more")
        return given


class SmtpWay(Calling):
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


class HttpWay(Calling):
    """What is reached by HTTP."""

    provider: str = Field(pattern=r"^[a-z0-9_]+$")
    url: str
    secret: str = Field(min_length=16, repr=False)
    settles: Settles
    timeout: float = Field(default=10, gt=0, le=60)
    lag_seconds: float = Field(default=60, ge=0)
    window_seconds: float = Field(default=0, ge=0)


class GatewayWay(HttpWay):
    """An HTTP gateway: it delivers at once."""

    kind: Literal["gateway"]


class CampaignWay(HttpWay):
    """A dialler or a bot over HTTP: it acts later.

    Attributes:
        callback: Our webhook as it reaches us, for receipts and for asking right before it acts.
    """

    kind: Literal["campaign"]
    callback: str = Field(default="", pattern=r"^(https?://[^\s]+)?$")


Way = Annotated[
    SandboxWay | FileWay | PrintWay | VisitsWay | SmtpWay | GatewayWay | CampaignWay, Field(discriminator="kind")
]


class Sending(Document):
    """The whole file.

    Attributes:
        allowed: ``host:port`` of every server that channels may connect to.
        private: Those of them that may be inside, or speak plain HTTP.
        lease_seconds: How long a claim holds; longer than twice the slowest channel.
        rehearse: Sandboxes do not wait for the hour; see ``dispatch.Terms``. Live channels do.
        channels: Where each goes; one that is left out is a sandbox.
        providers: Limits of providers that channels share, by name; ``smtp`` is the mail server.
    """

    allowed: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    lease_seconds: float = Field(default=150, gt=0)
    rehearse: bool = False
    channels: dict[str, Way] = Field(default_factory=dict)
    providers: dict[str, ProviderLimits] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> Sending:
        for code, way in self.channels.items():
            if code not in CHANNELS:
                raise ValueError(f"no channel {code}; known: {CHANNELS}")
            if code not in FITS[way.kind]:
                raise ValueError(f"{code} cannot go by {way.kind}")
        if strange := sorted(set(self.providers) - {self.provider(code) for code in self.channels}):
            raise ValueError(f"providers {strange}: no channel goes by them")
        return self

    def provider(self, code: str) -> str | None:
        """By whom a channel goes; None: it reaches nobody else's server."""
        way = self.channels.get(code)
        if isinstance(way, HttpWay):
            return way.provider
        return SMTP if isinstance(way, SmtpWay) else None

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
        if isinstance(way, HttpWay):
            endpoint = Endpoint.of(way.url, self.allowed, self.private)
            names = ("provider", "settles", "timeout", "lag_seconds", "window_seconds")
            named: dict[str, Any] = {name: getattr(way, name) for name in names}
            if isinstance(way, CampaignWay):
                named |= {"hands_over": True, "callback": way.callback}
            return Gateway(code, endpoint=endpoint, secret=way.secret.encode(), **named)
        if isinstance(way, SmtpWay):
            return self._smtp(way)
        is_sandbox = way is None or isinstance(way, SandboxWay)
        tray = Spool(
            code,
            folder / ("sandbox" if is_sandbox else "handover"),
            hands_over=code in HANDED_OVER,
            is_sandbox=is_sandbox,
        )
        if not isinstance(way, PrintWay):
            return tray
        style = self._style(way)
        return replace(tray, refuses=lambda message: "letter_without_glyph" if style.missing(message) else None)

    def writer(self, code: str) -> Writer:
        """What makes the files of a channel that goes by file."""
        way = self.channels.get(code)
        if isinstance(way, PrintWay):
            return Letters(self._style(way), timedelta(minutes=way.hold_minutes))
        if isinstance(way, VisitsWay):
            return Visits(way.people, way.most_per_round)
        return campaign

    def callers(self, provider: str) -> list[str]:
        """Secrets that a provider's callbacks are signed with; none for one that is not there, or may not call."""
        return [
            secret
            for code, way in self.channels.items()
            if isinstance(way, Calling) and self.provider(code) == provider
            for secret in way.callback_secrets.split(",")
            if secret
        ]

    @staticmethod
    def _style(way: PrintWay) -> Style:
        return Style(way.font, way.font_number, way.paper, way.is_duplex)

    def _smtp(self, way: SmtpWay) -> Smtp:
        place = f"{way.host}:{way.port}"
        if place not in self.allowed:
            raise EndpointRefusedError(f"smtp://{place}", f"one of {sorted(self.allowed)}", "sending configuration")
        named = way.model_dump(exclude={"kind", *Calling.model_fields})
        return Smtp(**named, private=frozenset(self.private))

    def terms(self, code: str, of: int = 1, of_provider: int = 1) -> Terms:
        """How its shards are worked.

        Args:
            code: Channel.
            of: Among how many dispatchers the channel's pace is divided.
            of_provider: Among how many the provider's is, over all its channels.
        """
        way = self.channels.get(code)
        limits: dict[str, Any] = {name: getattr(way, name) for name in Limits.model_fields} if way else {}
        whole = self.providers.get(self.provider(code) or "")
        paces = [limits.get("per_second", 0) / of, whole.per_second / of_provider if whole else 0]
        limits["per_second"] = min((pace for pace in paces if pace), default=0)
        is_sandbox = way is None or isinstance(way, SandboxWay)
        return Terms(lease_seconds=self.lease_seconds, rehearses=self.rehearse and is_sandbox, **limits)


def load_sending(path: Path, environment: Mapping[str, str | None]) -> Sending:
    """Read the file.

    Raises:
        ConfigurationError: Anything in it is wrong.
    """
    return read_document(path, Sending, environment=environment)
