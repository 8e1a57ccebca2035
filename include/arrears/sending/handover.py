"""What is handed over: campaigns and worklists made from the spool, and the deltas that take rows back.

The promise is weaker than that of a message: whoever has the file acts on it later. So every row carries the instant
after which nobody may act on it, a stop delta names what must not be acted on any more, and what has passed before it
was written into a file is not written at all.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from arrears.sending.channels.spool import messages
from arrears.warehouse.given_out import WITHDRAWN
from arrears.warehouse.tables import NOTIFICATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from arrears.sending.claims import Row

STEP = NOTIFICATION.c
COLUMNS = (
    "reference",
    "portfolio",
    "to",
    "not_after",
    "amount_minor",
    "currency",
    "as_of",
    "template",
    "subject",
    "text",
)
# What a spreadsheet may take for a formula: OWASP's list, after blanks and quotes too, and its full-width twins.
FORMULA = re.compile(r"^[\s'\"\u00a0\u200b\ufeff]*[=+\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20\u2212]")
ACTOR = "handover"


def write_batch(connection: Connection, folder: Path, channel: str, now: datetime) -> dict[str, Any]:
    """Write the channel's spooled messages that are in no batch yet, and have not passed, as one CSV with its manifest.

    What was taken back before it was in any batch is left out of all of them.

    Args:
        connection: Says what was taken back.
        folder: Of the spools; batches go to ``<folder>/batches/<channel>``.
        channel: Channel code.
        now: With a zone.

    Returns:
        File name, rows, rows passed over because their time has passed; no file when there is no row.
    """
    place = folder / "batches" / channel
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = {one for path in place.glob("*.manifest.json") for one in json.loads(path.read_text("utf-8"))["references"]}
    fresh = [one for one in messages(folder) if one["channel"] == channel and one["reference"] not in known]
    live = [
        one
        for one in fresh
        if datetime.fromisoformat(str(one["not_after"])) > now and not _is_withdrawn(connection, one)
    ]
    if not live:
        return {"file": "", "rows": 0, "passed": len(fresh) - len(live)}
    name = f"{channel}_{now.astimezone(UTC):%Y%m%dT%H%M%S%f}.csv"
    content = csv_of(COLUMNS, (_columns_of(one) for one in live))
    manifest = {
        "file": name,
        "rows": len(live),
        "sha256": hashlib.sha256(content).hexdigest(),
        "written_at": now.isoformat(),
        "references": [one["reference"] for one in live],
    }
    _write(place / name, content)
    _write(place / f"{name}.manifest.json", json.dumps(manifest, indent=1).encode())
    return {"file": name, "rows": len(live), "passed": len(fresh) - len(live)}


def write_stop_delta(  # noqa: PLR0913, PLR0917  a delta is its parts
    connection: Connection,
    folder: Path,
    channel: str,
    may_still: Callable[[Connection, Row, datetime], str | None],
    now: datetime,
    provider: str,
) -> dict[str, Any]:
    """Take back what was handed over today and may not be acted on any more.

    The file is written before the rows are marked: a delta that goes out twice stops twice, one that is lost nobody.

    Args:
        connection: With the caller's transaction.
        folder: Of the spools.
        channel: Channel code.
        may_still: Why a row may not be acted on any more; None when it may.
        now: With a zone.
        provider: Whose rows.

    Returns:
        File name and rows; no file when there is none.
    """
    asked = select(NOTIFICATION).where(
        STEP.channel_code == channel,
        STEP.provider_code == provider,
        STEP.state_code == "sent",
        STEP.delivery_code == "handed_over",
        STEP.not_after_at > now,
    )
    rows = [dict(row) for row in connection.execute(asked.with_for_update()).mappings()]
    stopped = [(row, reason) for row in rows if (reason := may_still(connection, row, now)) is not None]
    if not stopped:
        return {"file": "", "rows": 0}
    place = folder / "batches" / channel
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"stop_{channel}_{now.astimezone(UTC):%Y%m%dT%H%M%S%f}.csv"
    _write(place / name, csv_of(("reference",), ((row["provider_reference"],) for row, _ in stopped)))
    for row, reason in stopped:
        change = update(NOTIFICATION).where(STEP.step_key == row["step_key"])
        connection.execute(change.values(delivery_code=WITHDRAWN, reason_code=reason, changed_by=ACTOR))
    return {"file": name, "rows": len(stopped)}


def _is_withdrawn(connection: Connection, message: dict[str, Any]) -> bool:
    asked = select(STEP.delivery_code).where(STEP.step_key == message["step_key"])
    return connection.execute(asked).scalar_one_or_none() == WITHDRAWN


def csv_of(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV file in UTF-8 in which no cell is a formula to any spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([safe_cell(str(cell)) for cell in row] for row in rows)
    return text.getvalue().encode()


def safe_cell(text: str) -> str:
    """The cell as text: one line, and with an apostrophe before what a spreadsheet would run.

    A plain number, negative ones too, is a number and stays one.
    """
    line = " ".join(text.replace("\0", "").split())
    if re.fullmatch(r"[+-]?\d{1,18}(\.\d{1,6})?", text):
        return text
    return f"'{line}" if FORMULA.match(text) or FORMULA.match(line) else line


def _columns_of(message: dict[str, Any]) -> list[str]:
    named = {**message, **message["facts"], "text": message["body"]}
    return [str(named.get(name, "")) for name in COLUMNS]


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
