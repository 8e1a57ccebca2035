"""What is handed over: when its files are made from the tray, and how it is taken back.

The promise is weaker than that of a message: whoever has the file acts on it later. So every row carries the instant
after which nobody may act on it, a stop delta names what must not be acted on any more, and what has passed before it
was written into a file is not written at all. What the files look like stands in ``batches``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, update

from arrears.sending.batches import csv_of, put_file
from arrears.sending.channels.spool import forget, messages
from arrears.warehouse.connection import transaction
from arrears.warehouse.given_out import WITHDRAWN
from arrears.warehouse.tables import NOTIFICATION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

    from arrears.sending.batches import Writer
    from arrears.sending.claims import Row
    from arrears.sending.values import CampaignChannel

STEP = NOTIFICATION.c
HANDED_OVER, PRINTED = "handed_over", "printed"
STANDING = (HANDED_OVER, "accepted")  # nobody has acted on it yet, as far as we know
STANDS = or_(STEP.delivery_code.in_(STANDING), STEP.delivery_code.is_(None))  # NULL: found again by a look-up
ACTOR = "handover"
RECENT, KEPT = timedelta(days=2), timedelta(days=7)  # of the tray: what may still be of today; what is kept at all


def write_batches(connection: Connection, folder: Path, channel: str, write: Writer, now: datetime) -> dict[str, Any]:
    """Write the channel's messages of the tray that are in no batch yet, and have not passed, into files.

    What was taken back before it was in any batch is left out of all of them. A batch counts once its manifest is
    there: whoever dies before it writes the batch again, and a file without a manifest is none.

    Args:
        connection: Says what was taken back.
        folder: Of the trays; batches go to ``<folder>/batches/<channel>``.
        channel: Channel code.
        write: Makes the files.
        now: With a zone.

    Returns:
        Files, rows, rows passed over because their time has passed or they were taken back.
    """
    place = folder / "batches" / channel
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    forget(folder, channel, now - KEPT)
    known = {one for manifest in manifests(place, now) for one in manifest["references"]}
    fresh = [one for one in messages(folder, channel, now - RECENT) if one["reference"] not in known]
    live = [
        one
        for one in fresh
        if datetime.fromisoformat(str(one["not_after"])) > now and not _is_withdrawn(connection, one)
    ]
    files = [put_file(place, batch, now) for batch in write(channel, live, now)] if live else []
    return {"files": files, "rows": len(live), "passed": len(fresh) - len(live)}


def manifests(place: Path, now: datetime) -> list[dict[str, Any]]:
    """Batches of a channel that hold anything of today."""
    paths = (path for path in sorted(place.glob("*.manifest.json")) if path.stat().st_mtime >= (now - KEPT).timestamp())
    return [json.loads(path.read_text("utf-8")) for path in paths]


def standing(connection: Connection, channel: str, provider: str, now: datetime) -> list[Row]:
    """What was handed over and may still be acted on, without a lock."""
    asked = select(NOTIFICATION).where(
        STEP.channel_code == channel,
        STEP.provider_code == provider,
        STEP.state_code == "sent",
        STANDS,
        STEP.not_after_at > now,
    )
    return [dict(row) for row in connection.execute(asked.order_by(STEP.not_after_at, STEP.step_key)).mappings()]


def write_stop_delta(  # noqa: PLR0913, PLR0917  a delta is its parts
    connection: Connection,
    folder: Path,
    channel: str,
    may_still: Callable[[Connection, Row, datetime], str | None],
    now: datetime,
    provider: str,
) -> dict[str, Any]:
    """Take back what was handed over by file today and may not be acted on any more.

    The file is written before the rows are marked: a delta that goes out twice stops twice, one that is lost nobody.

    Args:
        connection: With the caller's transaction.
        folder: Of the trays.
        channel: Channel code.
        may_still: Why a row may not be acted on any more; None when it may.
        now: With a zone.
        provider: Whose rows.

    Returns:
        File name and rows; no file when there is none.
    """
    rows = standing(connection, channel, provider, now)
    stopped = [(row, reason) for row in rows if (reason := may_still(connection, row, now)) is not None]
    if not stopped:
        return {"file": "", "rows": 0}
    place = folder / "batches" / channel
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"stop_{channel}_{now.astimezone(UTC):%Y%m%dT%H%M%S%f}.csv"
    put_file(place, (name, csv_of(("reference",), ((row["reference"],) for row, _ in stopped)), None), now)
    for row, reason in stopped:
        mark_withdrawn(connection, row, reason)
    return {"file": name, "rows": len(stopped)}


def take_back(
    url: str,
    campaign: CampaignChannel,
    may_still: Callable[[Connection, Row, datetime], str | None],
    now: datetime,
) -> dict[str, int]:
    """The same for a campaign over HTTP: each contact is taken back by its own request, and marked once it is.

    Returns:
        Rows taken back, and those that the other side would not give back: acted on already, or asked again next time.
    """
    with transaction(url) as connection:
        rows = standing(connection, campaign.code, campaign.provider, now)
    done = {"stopped": 0, "not_stopped": 0}
    for row in rows:
        with transaction(url) as connection:
            reason = may_still(connection, row, now)
            if reason is None:
                continue
            is_taken_back = campaign.take_back(row["reference"]) and mark_withdrawn(connection, row, reason)
        done["stopped" if is_taken_back else "not_stopped"] += 1
    return done


def mark_withdrawn(connection: Connection, row: Row, reason: str) -> bool:
    """Note that nobody acts on it any more; False: somebody has, meanwhile."""
    still = update(NOTIFICATION).where(
        STEP.step_key == row["step_key"],
        STEP.attempt_no == row["attempt_no"],
        STANDS,
    )
    return connection.execute(still.values(delivery_code=WITHDRAWN, reason_code=reason, changed_by=ACTOR)).rowcount == 1


def mark_printed(connection: Connection, folder: Path, channel: str, now: datetime) -> int:
    """Note letters whose batch the printer may have begun with: until then they can be taken back, since then not."""
    begun = [
        one
        for manifest in manifests(folder / "batches" / channel, now)
        if datetime.fromisoformat(manifest["print_not_before"]) <= now
        for one in manifest["references"]
    ]
    change = update(NOTIFICATION).where(
        STEP.channel_code == channel, STEP.state_code == "sent", STANDS, STEP.reference.in_(begun)
    )
    return connection.execute(change.values(delivery_code=PRINTED, reason_code="printed", changed_by=ACTOR)).rowcount


def _is_withdrawn(connection: Connection, message: dict[str, Any]) -> bool:
    asked = select(STEP.delivery_code).where(STEP.step_key == message["step_key"])
    return connection.execute(asked).scalar_one_or_none() == WITHDRAWN
