"""The deployment's master keys, and what is made from them.

Belongs here: reading ``ARREARS_MASTER_KEYS`` and deriving a key for each purpose, so that no two purposes share one.
What is done with a key stands where it is done: ``warehouse.anchors`` (HMAC), ``vault`` (AES-GCM).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from arrears.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

OCTETS = 32
WANTED = "VERSION:BASE64 of 32 bytes, several divided by commas; `arrears keys new` makes one"


@dataclass(frozen=True, repr=False)
class KeyRing:
    """Master keys by version; the highest is used for what is new, the others for what was written under them."""

    masters: Mapping[int, bytes]

    @classmethod
    def read(cls, text: str) -> KeyRing:
        """Of the setting's text.

        Raises:
            ConfigurationError: There is none, or one is malformed; none is repeated.
        """
        masters: dict[int, bytes] = {}
        for entry in filter(None, text.replace(" ", "").split(",")):
            version, _, encoded = entry.partition(":")
            try:
                key = base64.b64decode(encoded, altchars=b"-_", validate=True)
            except binascii.Error:
                key = b""
            if not version.isdecimal() or int(version) in masters or len(key) != OCTETS:
                raise ConfigurationError("a master key that is none, or a version twice", WANTED, "ARREARS_MASTER_KEYS")
            masters[int(version)] = key
        if not masters:
            raise ConfigurationError("no master key", WANTED, "ARREARS_MASTER_KEYS")
        return cls(masters)

    @property
    def current(self) -> int:
        """Version that new things are written under."""
        return max(self.masters)

    def derived(self, purpose: str, version: int | None = None) -> bytes:
        """The key of one purpose, 32 bytes.

        Raises:
            ConfigurationError: The master key of that version is not here any more.
        """
        wanted = self.current if version is None else version
        if wanted not in self.masters:
            raise ConfigurationError(
                f"no master key of version {wanted}", "every version that something was written under", purpose
            )
        return HKDF(SHA256(), OCTETS, salt=None, info=f"arrears/{purpose}".encode()).derive(self.masters[wanted])

    def mac(self, purpose: str, said: str, version: int | None = None) -> str:
        """HMAC-SHA-256 of a text under the key of a purpose, in hex."""
        return hmac.digest(self.derived(purpose, version), said.encode(), "sha256").hex()

    def __repr__(self) -> str:
        return f"<keys {sorted(self.masters)}>"


def new_key() -> str:
    """A master key as the setting wants it, without its version."""
    return base64.urlsafe_b64encode(secrets.token_bytes(OCTETS)).decode()
