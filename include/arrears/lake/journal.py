"""What one piece of work reads from and writes to the lake, noted while it goes on.

Belongs here: the list that lineage, metrics and logs are made of. It is no part of any hash and decides nothing.
Does not belong here: who is told of it (``arrears.orchestration``).
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arrears.lake.manifest import Manifest


@dataclass
class Journal:
    """Partitions by table and business date, in the order they were first touched.

    Attributes:
        read: Read and not written by the same work.
        written: Written, or found to hold the same rows already.
    """

    read: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    written: dict[tuple[str, str], Manifest] = field(default_factory=dict)


_KEPT: ContextVar[Journal | None] = ContextVar("journal", default=None)


@contextmanager
def kept_journal() -> Iterator[Journal]:
    """Note everything that is read and written until the end of the block."""
    journal = Journal()
    token = _KEPT.set(journal)
    try:
        yield journal
    finally:
        _KEPT.reset(token)


def note_read(manifest: Manifest) -> None:
    """Note a partition that was made readable; nothing where no journal is kept."""
    journal = _KEPT.get()
    place = (manifest.table, manifest.business_date)
    if journal is not None and place not in journal.written:
        journal.read[place] = manifest


def note_written(manifest: Manifest) -> None:
    """Note a partition that now holds what was asked for; nothing where no journal is kept."""
    journal = _KEPT.get()
    if journal is not None:
        journal.written[manifest.table, manifest.business_date] = manifest
