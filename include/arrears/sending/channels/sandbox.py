"""Writes what would be sent into files, one a message: the default of every channel, and of the demo.

A message's file has the attempt's reference as its name, so it can be looked up like at a provider that de-duplicates.
The folder holds personal data where the vault does: it is made for its owner alone.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from arrears.errors import ClaimTooOldError
from arrears.sending.values import Capabilities, Found, LookUp, Outcome, Reply, Settles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from arrears.sending.values import Message


@dataclass(frozen=True)
class Sandbox:
    """A folder that stands for a provider.

    Attributes:
        code: Channel whose messages it takes.
        folder: Where they are written, a folder a day.
        hands_over: As the real channel would.
    """

    code: str
    folder: Path
    hands_over: bool = False
    provider: str = "sandbox"

    @property
    def capabilities(self) -> Capabilities:
        """Finds any message by its reference, at once."""
        return Capabilities(Settles.BY_LOOK_UP, seconds=5.0, hands_over=self.hands_over, is_sandbox=True)

    def deliver(self, message: Message, before_write: Callable[[], None]) -> Outcome:
        """Write the message's file whole, or not at all; see ``values.Channel``."""
        folder = self.folder / self.code
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        said = {
            "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "channel": self.code,
            "portfolio": message.portfolio,
            "to": message.address.reveal(),
            "template": message.content.template,
            "subject": message.content.subject.reveal(),
            "body": message.content.body.reveal(),
            "facts": dict(message.content.facts),
            "not_after": message.not_after,
            "reference": message.reference,
        }
        partial = folder / f".{message.reference}.partial"
        try:
            before_write()
        except ClaimTooOldError:
            return Outcome(Reply.GIVEN_UP, "claim_too_old")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(said, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._file(message.reference))
        return Outcome(Reply.SENT, "sandbox_written", message.reference)

    def look_up(self, reference: str) -> LookUp:
        """Whether its file is there."""
        is_there = self._file(reference).is_file()
        return LookUp(Found.ACCEPTED, reference) if is_there else LookUp(Found.ABSENT)

    def close(self) -> None:
        """Nothing is kept open."""

    def _file(self, reference: str) -> Path:
        return self.folder / self.code / f"{reference}.json"
