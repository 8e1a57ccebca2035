"""Where a channel may connect to: an address from the deployment's configuration, on its list, and nowhere private.

The name is resolved once for each connection, every address it has is checked, and the checked address is the one
connected to: a name that changes its answer in between gains nothing. Redirects are not followed, proxies of the
environment not used. A server that sends a byte now and then gains nothing either: beside the timeout of each read a
whole exchange has its own.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore
import httpx

from arrears.errors import EndpointRefusedError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection, Iterable

EXCHANGE = 4  # timeouts that a whole one may take: name, connection, request, answer
GIVEN_OUT = ipaddress.ip_network("2000::/3")  # all there is of public IPv6, but for these
EXAMPLES = ipaddress.ip_network("3fff::/20")  # RFC 9637, which this Python does not know yet
NAT64 = ipaddress.ip_network("64:ff9b::/96")
ISATAP, ISATAP_MASK = 0x5EFE, 0xFDFFFFFF  # RFC 5214: before the IPv4 address, the universal bit either way
HOST = re.compile(r"^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")


@dataclass(frozen=True)
class Endpoint:
    """A base URL that has been checked.

    Attributes:
        base: ``https://host[:port][/path]``, without a slash at its end.
        private: ``host:port`` of servers in private ranges that the deployment allows.
    """

    base: str
    private: frozenset[str] = frozenset()

    @classmethod
    def of(cls, base: str, allowed: Collection[str], private: Collection[str] = ()) -> Endpoint:
        """Check a URL of the deployment's configuration.

        Args:
            base: The URL.
            allowed: ``host:port`` of every server that may be asked.
            private: Those of them that may be in a private range or speak plain HTTP.

        Raises:
            EndpointRefusedError: It is not one of them, or no plain URL of one.
        """
        try:
            parts = urlsplit(base)
            port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
        except ValueError:
            raise EndpointRefusedError("no readable URL", "https://host[:port]/path", "sending") from None
        host = parts.hostname or ""
        place = f"{host}:{port}"
        is_plain = parts.scheme == "https" or (parts.scheme == "http" and place in private)
        is_bare = not (parts.username or parts.password or parts.query or parts.fragment) and base.isascii()
        is_named = HOST.match(host) is not None or place in private
        if not (is_plain and is_bare and is_named and place in allowed and not re.search(r"[\s\\]", base)):
            raise EndpointRefusedError(
                f"{parts.scheme}://{place}", f"https, and one of {sorted(allowed)}", "sending configuration"
            )
        return cls(base.rstrip("/"), frozenset(private))

    def client(self, timeout: float) -> Client:
        """An HTTP client that can connect to this place alone; the caller closes it.

        Args:
            timeout: Seconds for each of connecting, reading and writing; a whole exchange has four times as many.
        """
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=2.0)
        transport = httpx.HTTPTransport(verify=True, trust_env=False, retries=0, limits=limits)
        backend = _CheckedBackend(self.private)
        transport._pool._network_backend = backend  # noqa: SLF001  httpx has no public way to choose where it connects
        return Client(transport, backend, timeout)


class Client(httpx.Client):
    """As httpx's, with an end to every exchange."""

    def __init__(self, transport: httpx.HTTPTransport, backend: _CheckedBackend, timeout: float) -> None:
        super().__init__(
            transport=transport,
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "arrears"},
        )
        self._backend = backend
        self._seconds = EXCHANGE * timeout

    def send(self, *args: Any, **kwargs: Any) -> httpx.Response:  # noqa: ANN401  as the base class
        """As the base class does; the answer must have been read when the time is over."""
        self._backend.give_up = time.monotonic() + self._seconds
        return super().send(*args, **kwargs)


class _CheckedBackend(httpcore.SyncBackend):
    """Connects to the address that was checked, never to the name again, and lets no exchange outlast its end."""

    def __init__(self, private: frozenset[str]) -> None:
        super().__init__()
        self._private = private
        self.give_up = float("inf")

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:  # noqa: ANN401
        """As the base class does, at a public address, or a private one that is allowed by name."""
        address = checked_address(host, port, self._private)
        return _EndingStream(super().connect_tcp(address, port, *args, **kwargs), self)


class _EndingStream(httpcore.NetworkStream):
    """A stream that is read from until the exchange's end, however slowly it comes."""

    def __init__(self, stream: httpcore.NetworkStream, backend: _CheckedBackend) -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As the stream does; a read that begins when the time is over fails."""
        left = self._backend.give_up - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("an answer that comes too slowly")
        return self._stream.read(max_bytes, left if timeout is None else min(left, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As the stream does."""
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        """As the stream does."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """As the stream does, with the same end."""
        return _EndingStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._backend)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  as the base class
        """As the stream does."""
        return self._stream.get_extra_info(info)


def checked_address(host: str, port: int, private: Collection[str]) -> str:
    """The first address of a name, all of which may be connected to.

    Raises:
        httpcore.ConnectError: It has none, or one of them is private and not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError("no such name") from error
    addresses = [str(place[0]) for *_, place in found]
    if f"{host}:{port}" not in private and not all_public(addresses):
        raise httpcore.ConnectError("an address in a private range")
    return addresses[0]


def all_public(addresses: Iterable[str]) -> bool:
    """Whether every address is one of the public internet, an IPv4 address inside an IPv6 one included."""
    return all(_is_public(ipaddress.ip_address(text.partition("%")[0])) for text in addresses)


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.ipv4_mapped is not None or address in NAT64:
            return _is_public(low)
        if address not in GIVEN_OUT or address in EXAMPLES:
            return False
        inner = [low] if (int(address) >> 32) & ISATAP_MASK == ISATAP else []
        inner += [address.sixtofour] if address.sixtofour is not None else []
        if not all(map(_is_public, inner)):
            return False
    return address.is_global and not address.is_multicast
