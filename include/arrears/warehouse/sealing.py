"""Sealed values of the vault: each subject has a data key of its own, and who destroys the key has erased the values.

Belongs here: data keys (``vault.data_key``), sealing and opening with AES-256-GCM, and the list of who is erased. A
data key is itself sealed under ``ARREARS_MASTER_KEYS``, which the database never sees: a superuser, a copy of the disk
or a dump reads nothing. A dump does hold the sealed data keys: keep dumps of that one table apart and shortly
(docs/how-to/privacy.md), and erasing reaches the copies too. A sealed value is bound to its place, and opens nowhere
else.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from arrears.errors import VaultSealError
from arrears.warehouse.tables import DATA_KEY, ERASED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from arrears.keys import KeyRing

NONCE = 12
OF_KEYS, OF_ERASED = "vault-data-key", "vault-erased"
KEY, GONE = DATA_KEY.c, ERASED.c


class Vault:
    """The vault over one transaction of the caller.

    Args:
        connection: With the caller's transaction.
        keys: The deployment's master keys.
    """

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys
        self._known: dict[tuple[str, str], bytes | None] = {}
        self._erased: dict[str, set[str]] = {}

    def seal(self, portfolio: str, subject: str, place: str, text: str) -> bytes | None:
        """A text, sealed under the subject's key, which is made when there is none; None when the subject is erased.

        Args:
            portfolio: Folder name.
            subject: Whose: ``party:P1``, ``point:C1``, or ``day:2026-03-02`` for what belongs to nobody known.
            place: Table and row it is written to.
            text: In clear.
        """
        key = self._key(portfolio, subject) or self._new_key(portfolio, subject)
        return key and _sealed(key, text.encode(), f"{portfolio}\0{subject}\0{place}")

    def open(self, portfolio: str, subject: str, place: str, sealed: bytes) -> str | None:
        """The text in clear; None when the subject's key is destroyed.

        Raises:
            VaultSealError: It was changed, or was sealed for another place.
        """
        key = self._key(portfolio, subject)
        return None if key is None else _opened(key, bytes(sealed), f"{portfolio}\0{subject}\0{place}").decode()

    def destroy(self, portfolio: str, subjects: Iterable[str]) -> int:
        """Destroy data keys: what was sealed under them is noise from the commit on; the number of them."""
        gone = list(subjects)
        for subject in gone:
            self._known.pop((portfolio, subject), None)
        return self._connection.execute(
            delete(DATA_KEY).where(KEY.portfolio == portfolio, KEY.subject.in_(gone))
        ).rowcount

    def erase(self, portfolio: str, subjects: Iterable[str]) -> int:
        """Destroy keys and remember, by HMAC, that these subjects get none again; the number of keys destroyed."""
        gone = list(subjects)
        for subject in gone:
            noted = upsert(ERASED).values(portfolio=portfolio, subject_mac=self._mac(portfolio, subject))
            self._connection.execute(noted.on_conflict_do_nothing())
        self._erased.pop(portfolio, None)
        return self.destroy(portfolio, gone)

    def is_erased(self, portfolio: str, subject: str) -> bool:
        """Whether the subject was erased."""
        if portfolio not in self._erased:
            asked = select(GONE.subject_mac).where(GONE.portfolio == portfolio)
            self._erased[portfolio] = set(self._connection.execute(asked).scalars())
        gone = self._erased[portfolio]
        return bool(gone) and any(self._mac(portfolio, subject, one) in gone for one in self._keys.masters)

    def mac_of(self, portfolio: str, party_id: str) -> str:
        """What stands for a party where its identifier must not: the same again, of no use without the key."""
        return self._mac(portfolio, f"party:{party_id}")[:32]

    def _mac(self, portfolio: str, subject: str, version: int | None = None) -> str:
        return self._keys.mac(OF_ERASED, f"{portfolio}\0{subject}", version)

    def _key(self, portfolio: str, subject: str) -> bytes | None:
        if (portfolio, subject) not in self._known:
            asked = select(DATA_KEY).where(KEY.portfolio == portfolio, KEY.subject == subject)
            row = self._connection.execute(asked).one_or_none()
            if row is None:
                return None
            master = self._keys.derived(OF_KEYS, row.key_version)
            self._known[portfolio, subject] = _opened(master, bytes(row.sealed_key), f"{portfolio}\0{subject}")
        return self._known[portfolio, subject]

    def _new_key(self, portfolio: str, subject: str) -> bytes | None:
        if self.is_erased(portfolio, subject):
            return None
        fresh = AESGCM.generate_key(bit_length=256)
        sealed = _sealed(self._keys.derived(OF_KEYS), fresh, f"{portfolio}\0{subject}")
        made = upsert(DATA_KEY).values(
            portfolio=portfolio, subject=subject, key_version=self._keys.current, sealed_key=sealed
        )
        self._connection.execute(made.on_conflict_do_nothing())
        return self._key(portfolio, subject)  # another's, where somebody was quicker


def _sealed(key: bytes, content: bytes, bound_to: str) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, bound_to.encode())


def _opened(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound_to.encode())
    except InvalidTag:
        found = "a value that does not open"
        raise VaultSealError(found, "a value as sealed for its place, under a key of ours", "vault") from None
