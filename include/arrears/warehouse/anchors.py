"""Anchors of the audit trail: where the chain stood on each day, kept outside the table and signed.

A chain shows what was changed inside it, not that its end was cut off, nor that all of it was written anew by somebody
who may do everything in the database. An anchor shows both: one small file a day, in ``<lake>/_audit`` (or
``ARREARS_AUDIT_URL``), each carrying the one before and an HMAC by a key that the database does not hold. Whoever may
do everything in the database and also delete the newest files needs no key to cut off what these knew: days without an
anchor then tell of it, except the last one. A bucket with object lock closes that too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import fsspec

from arrears.errors import AuditTrailError
from arrears.warehouse.audit import Link, links
from arrears.warehouse.connection import transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

    from arrears.keys import KeyRing
    from arrears.settings import Settings

PURPOSE = "audit-anchor"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Anchor:
    """Where the chain stood.

    Attributes:
        on: Date in UTC.
        entry_no: Its last entry; 0 while there is none.
        entry_hash: Hash of that entry.
        previous: Signature of the anchor before; empty for the first.
        key_version: Master key that signed.
        signature: HMAC-SHA-256 over all of it.
    """

    on: str
    entry_no: int
    entry_hash: str
    previous: str
    key_version: int
    signature: str = ""

    @property
    def name(self) -> str:
        """File name; sorts as the anchors were made."""
        return f"{self.entry_no:012d}-{self.on}.json"

    @property
    def said(self) -> str:
        """What is signed."""
        return json.dumps({**asdict(self), "signature": ""}, sort_keys=True)


@dataclass(frozen=True)
class Trail:
    """What a look at the whole trail found.

    Attributes:
        entries: In the table.
        anchors: In their folder.
        anchored_on: Date of the newest; None while there is none.
        unanchored: Entries after the newest anchor: what could still be cut off unseen.
        gaps: Days between two anchors that have none: the job did not run, or the newest were deleted then.
        faults: What does not hold, the first broken link first; empty when all holds.
    """

    entries: int
    anchors: int
    anchored_on: str | None
    unanchored: int
    gaps: tuple[str, ...]
    faults: tuple[str, ...]


def anchor(settings: Settings, today: date) -> Anchor:
    """Sign where the chain stands; the same head twice on one day is one anchor.

    Args:
        settings: This deployment, with its master keys.
        today: In UTC.

    Raises:
        ConfigurationError: There is no master key.
        AuditTrailError: The chain does not hold, or anchors are not ours: nothing is signed.
    """
    keys, folder = settings.keys, _Folder(settings.audit_folder)
    with transaction(settings.warehouse) as connection:
        there = list(links(connection))
    known = list(folder.anchors())
    _refuse(_trail(there, known, keys))
    head = there[-1] if there else None
    number, digest = (head.entry_no, head.entry_hash) if head else (0, "")
    if known and (known[-1].entry_no, known[-1].on) == (number, today.isoformat()):
        return known[-1]
    made = Anchor(today.isoformat(), number, digest, known[-1].signature if known else "", keys.current)
    made = Anchor(**{**asdict(made), "signature": keys.mac(PURPOSE, made.said)})
    folder.put(made)
    return made


def verify(settings: Settings) -> Trail:
    """Look at every link and every anchor.

    Raises:
        ConfigurationError: A master key that signed is not here.
        WarehouseUnreachableError: The server did not answer.
    """
    with transaction(settings.warehouse) as connection:
        return trail_of(connection, settings)


def trail_of(connection: Connection, settings: Settings) -> Trail:
    """The same, as the caller's transaction sees it."""
    return _trail(list(links(connection)), list(_Folder(settings.audit_folder).anchors()), settings.keys)


def _refuse(trail: Trail) -> None:
    if trail.faults:
        raise AuditTrailError(trail.faults[0], "a chain that holds, and anchors of ours", "ops.audit_entry")


def _trail(there: list[Link], known: list[Anchor], keys: KeyRing) -> Trail:
    faults = [f"entry {link.entry_no}: {link.fault}" for link in there if link.fault]
    faults += _faults_of_anchors(known, {link.entry_no: link.entry_hash for link in there}, keys)
    last = known[-1] if known else None
    return Trail(
        entries=len(there),
        anchors=len(known),
        anchored_on=last.on if last else None,
        unanchored=sum(link.entry_no > (last.entry_no if last else 0) for link in there),
        gaps=tuple(_gaps([date.fromisoformat(one.on) for one in known])),
        faults=tuple(faults),
    )


def _gaps(days: list[date]) -> Iterator[str]:
    for before, after in pairwise(days):
        if after - before > ONE_DAY:
            yield f"{before + ONE_DAY} to {after - ONE_DAY}"


def _faults_of_anchors(known: Iterable[Anchor], hashes: dict[int, str], keys: KeyRing) -> Iterator[str]:
    previous = ""
    newest = max(hashes, default=0)
    for one in known:
        if one.signature != keys.mac(PURPOSE, one.said, one.key_version):
            yield f"anchor of {one.on}: it was not signed by us, or was changed"
        elif one.previous != previous:
            yield f"anchor of {one.on}: the anchor before it is gone"
        if one.entry_no > newest:
            yield f"entry {newest + 1}: gone with all after it; the anchor of {one.on} knows entry {one.entry_no}"
        elif one.entry_no and hashes.get(one.entry_no) != one.entry_hash:
            yield f"entry {one.entry_no}: not the entry that the anchor of {one.on} knows; the chain was written anew"
        previous = one.signature


class _Folder:
    """The anchors' folder: files are added and never replaced."""

    def __init__(self, url: str) -> None:
        self._files, self._root = fsspec.core.url_to_fs(url)

    def anchors(self) -> Iterator[Anchor]:
        """All of them, oldest first.

        Raises:
            AuditTrailError: A file is no anchor.
        """
        for path in sorted(self._files.glob(f"{self._root}/*.json")):
            try:
                yield Anchor(**json.loads(self._files.cat_file(path)))
            except (ValueError, TypeError):
                name = path.rpartition("/")[2]
                raise AuditTrailError("a file that is no anchor", "anchors as they were written", name) from None

    def put(self, made: Anchor) -> None:
        """Write one; a file is there whole or not at all."""
        self._files.makedirs(self._root, exist_ok=True)
        path = f"{self._root}/{made.name}"
        self._files.pipe_file(f"{path}.partial", json.dumps(asdict(made), indent=2).encode())
        self._files.mv(f"{path}.partial", path)
