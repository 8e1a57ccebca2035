"""A folder that takes messages, one file each: the sandbox of every channel, and the tray of what is handed over.

A message's file has the attempt's reference as its name: it is there whole or not at all, twice is once, and it can be
looked up. The folder holds personal data as the vault does: it is made for its owner alone.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from arrears.errors import ClaimTooOldError
from arrears.sending.values import Capabilities, Found, LookUp, Outcome, Reply, Settles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from arrears.sending.values import Message


@dataclass(frozen=True)
class Spool:
    """One channel's folder.

    Attributes:
        code: Channel whose messages it takes.
        folder: Where its own folder is made.
        hands_over: Whether somebody acts on the messages later.
        is_sandbox: Whether nobody does.
        refuses: Why nobody could ever act on a message (a letter that would have holes in it); None: one can.
    """

    code: str
    folder: Path
    hands_over: bool = False
    is_sandbox: bool = True
    refuses: Callable[[Message], str | None] = field(default=lambda _message: None, repr=False)

    @property
    def provider(self) -> str:
        """Who is asked to deliver."""
        return "sandbox" if self.is_sandbox else "handover"

    @property
    def capabilities(self) -> Capabilities:
        """Finds any message by its reference, at once."""
        return Capabilities(Settles.BY_LOOK_UP, seconds=5.0, hands_over=self.hands_over, is_sandbox=self.is_sandbox)

    def deliver(self, message: Message, before_write: Callable[[], None]) -> Outcome:
        """Write the message's file; see ``values.Channel``."""
        if reason := self.refuses(message):
            return Outcome(Reply.NEVER, reason)
        said = {
            "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "channel": self.code,
            "portfolio": message.portfolio,
            "step_key": message.step_key,
            "to": message.address.reveal(),
            "template": message.content.template,
            "subject": message.content.subject.reveal(),
            "body": message.content.body.reveal(),
            "facts": dict(message.content.facts),
            "not_after": message.not_after,
            "reference": message.reference,
        }
        place = self.folder / self.code
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = place / f".{message.reference}.partial"
        try:
            before_write()
        except ClaimTooOldError:
            return Outcome(Reply.GIVEN_UP, "claim_too_old")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(said, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(place / f"{message.reference}.json")
        return Outcome(Reply.SENT, f"{self.provider}_written", message.reference)

    def look_up(self, reference: str) -> LookUp:
        """Whether its file is there."""
        is_there = (self.folder / self.code / f"{reference}.json").is_file()
        return LookUp(Found.ACCEPTED, reference) if is_there else LookUp(Found.ABSENT)

    def close(self) -> None:
        """Nothing is kept open."""


def messages(folder: Path, channel: str = "*", since: datetime | None = None) -> list[dict[str, object]]:
    """What lies below a folder of spools, the oldest first.

    Args:
        folder: Of spools.
        channel: Of that channel alone.
        since: Only what was written since then.
    """
    paths = folder.glob(f"{channel}/[!.]*.json")
    found = [json.loads(path.read_text(encoding="utf-8")) for path in paths if since is None or _is_since(path, since)]
    return sorted(found, key=lambda one: (one["written_at"], one["reference"]))


def forget(folder: Path, channel: str, before: datetime) -> int:
    """Remove what was written before then: nobody may act on it any more, and it is personal data; how many."""
    old = [path for path in (folder / channel).glob("*.json") if not _is_since(path, before)]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _is_since(path: Path, since: datetime) -> bool:
    return path.stat().st_mtime >= since.timestamp()
