"""Files of what is handed over: a campaign's list, worklists of visits by area, letters; each with its manifest.

Belongs here: what stands in a file, and that no cell of it is a formula to any spreadsheet. A file holds personal data
and is made for its owner alone; its manifest holds references only.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from arrears.csv_cells import safe_cell
from arrears.sending.letters import pdf_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from arrears.sending.letters import Style

    Messages = list[dict[str, Any]]
    Batch = tuple[str, bytes, dict[str, Any] | None]  # name, content, what its manifest says; None: it needs none
    Writer = Callable[[str, Messages, datetime], Iterable[Batch]]

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
AREA_UNKNOWN = "unknown"


def campaign(channel: str, live: Messages, now: datetime) -> Iterable[Batch]:
    """One list for a dialler or a bot."""
    rows = [_columns_of(one, COLUMNS) for one in live]
    yield f"{channel}_{_stamp(now)}.csv", csv_of(COLUMNS, rows), {"references": _references(live), "rows": len(live)}


@dataclass(frozen=True)
class Visits:
    """A worklist for each area, in rounds that a team can walk in a day.

    Attributes:
        people: Who must go together; each signs in a column of their own.
        most_per_round: Visits of one round.
    """

    people: int = 2
    most_per_round: int = 12

    def __call__(self, channel: str, live: Messages, now: datetime) -> Iterable[Batch]:
        """Make them; rows without a known area come into a list of their own."""
        visitors = tuple(f"visitor_{number}" for number in range(1, self.people + 1))
        header = ("area", "round", "place", *COLUMNS, "people", *visitors, "outcome")
        for number, (area, group) in enumerate(groupby(sorted(live, key=_area_and_order), _area_of), start=1):
            visits = list(group)
            rows = [
                [
                    area,
                    str(place // self.most_per_round + 1),
                    str(place % self.most_per_round + 1),
                    *_columns_of(one, COLUMNS),
                    str(self.people),
                    *("" for _ in visitors),
                    "",
                ]
                for place, one in enumerate(visits)
            ]
            name = f"{channel}_{re.sub('[^A-Za-z0-9-]', '_', area)[:40]}_{number}_{_stamp(now)}.csv"
            told = {"references": _references(visits), "rows": len(visits), "area": area, "people": self.people}
            yield name, csv_of(header, rows), told


@dataclass(frozen=True)
class Letters:
    """One PDF of all letters of a batch.

    Attributes:
        style: How they look.
        hold: How long the printer waits: so long a letter can be taken back.
    """

    style: Style
    hold: timedelta = timedelta(minutes=30)

    def __call__(self, channel: str, live: Messages, now: datetime) -> Iterable[Batch]:
        """Make it."""
        content, index = pdf_of(live, self.style, now)
        told = {
            "references": _references(live),
            "rows": len(live),
            "pages": sum(one["pages"] for one in index),
            "letters": index,
            "print_not_before": (now + self.hold).isoformat(),
        }
        yield f"{channel}_{_stamp(now)}.pdf", content, told


def put_file(place: Path, batch: Batch, now: datetime) -> str:
    """Write a file whole or not at all, then its manifest; its name."""
    name, content, told = batch
    _write(place / name, content)
    if told is not None:
        digest = {"file": name, "sha256": hashlib.sha256(content).hexdigest(), "written_at": now.isoformat()}
        _write(place / f"{name}.manifest.json", json.dumps({**digest, **told}, indent=1).encode())
    return name


def csv_of(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV file in UTF-8 in which no cell is a formula to any spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _columns_of(message: dict[str, Any], columns: Sequence[str]) -> list[str]:
    named = {**message, **message["facts"], "text": message["body"]}
    return [str(named.get(name, "")) for name in columns]


def _area_of(message: dict[str, Any]) -> str:
    return str(message["facts"].get("area") or AREA_UNKNOWN)


def _area_and_order(message: dict[str, Any]) -> tuple[str, str, str]:
    return _area_of(message), str(message["to"]), str(message["reference"])


def _references(live: Messages) -> list[str]:
    return [str(one["reference"]) for one in live]


def _stamp(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S%f}"


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
