"""How fast, how often, and when not at all: pace, circuit breaker, and the daily cap of a channel.

A pace is kept by each dispatcher for itself; whoever starts several of one channel, or of one provider, divides it.

The cap is counted by a row that every claim of the channel locks, so that no two claims read the same count.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy.dialects.postgresql import insert

from arrears.warehouse.tables import OUTBOX_DAY

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection


@dataclass
class Breaker:
    """Opens when a provider fails several times in a row; the next run tries it again.

    Attributes:
        limit: Failures in a row that open it.
    """

    limit: int
    failures: int = 0

    def note(self, *, is_outage: bool) -> None:
        """Count an answer."""
        self.failures = self.failures + 1 if is_outage else 0

    @property
    def is_open(self) -> bool:
        """Whether to leave the provider alone."""
        return self.failures >= self.limit


@dataclass
class Pace:
    """Spreads messages evenly: at most ``per_second`` a second; 0: no limit."""

    per_second: float
    _next: float = field(default=0.0, repr=False)

    def wait(self) -> None:
        """Sleep until the next message may go."""
        if not self.per_second:
            return
        now = time.monotonic()
        if self._next > now:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self.per_second


def take_from_day(connection: Connection, channel: str, on: date, cap: int | None) -> bool:
    """Count one attempt of the channel's day; False when the cap is reached. Rolled back with the claim.

    Args:
        connection: Inside the claim's transaction.
        channel: Channel code.
        on: Date in UTC.
        cap: Attempts a day; None: no cap, and nothing is counted.
    """
    if cap is None:
        return True
    if cap <= 0:
        return False
    counted = insert(OUTBOX_DAY).values(channel_code=channel, on_date=on, attempts=1)
    counted = counted.on_conflict_do_update(
        index_elements=["channel_code", "on_date"],
        set_={"attempts": OUTBOX_DAY.c.attempts + 1},
        where=OUTBOX_DAY.c.attempts < cap,
    )
    return connection.execute(counted.returning(OUTBOX_DAY.c.attempts)).first() is not None
