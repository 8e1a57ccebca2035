"""Reports from files: CSV with a header, or one JSON object a line; which lie in an inbox, and where they go."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arrears.errors import FeedbackUnreadableError
from arrears.feedback.intake import Delivery, Row
from arrears.feedback.reports import COLUMNS

if TYPE_CHECKING:
    from arrears.feedback.sources import InboxOfReports

FILE_BYTES = 50 * 1024 * 1024
FORMS = (".csv", ".jsonl")
REFUSED = "refused"
CSV_COLUMNS = COLUMNS - {"parts"}  # a row of a CSV promises one amount
csv.field_size_limit(1024 * 1024)


def waiting(source: InboxOfReports) -> list[Path]:
    """Complete files in the inbox, by name; what is being written has another ending."""
    folder = _folder(source.directory)
    return sorted(path for path in folder.glob("*") if path.suffix in FORMS and path.is_file())


def read_file(path: Path, portfolio: str, source: str) -> Delivery:
    """All rows of a file.

    Raises:
        FeedbackUnreadableError: It is too large, no UTF-8, or its header is not that of reports.
    """
    content = content_of(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FeedbackUnreadableError("bytes that are no UTF-8", "UTF-8", f"{path.name} line {line}") from None
    rows = _csv(text, path.name) if path.suffix == ".csv" else _json_lines(text)
    return Delivery(portfolio, source, delivery_id(content, path.name), "file", path.name, tuple(rows))


def content_of(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        FeedbackUnreadableError: There are too many.
    """
    if path.stat().st_size > FILE_BYTES:
        raise FeedbackUnreadableError("a file too large to be reports", f"{FILE_BYTES} bytes at most", path.name)
    return path.read_bytes()


def delivery_id(content: bytes, name: str) -> str:
    """The same for the same file: bytes and name."""
    return hashlib.sha256(name.encode() + b"\0" + content).hexdigest()


def put_away(path: Path, source: InboxOfReports, delivery: str, *, is_refused: bool = False) -> None:
    """Move a file into the archive, under a name that no other content has; again, it is a no-op."""
    archive = _folder(source.archive) / (REFUSED if is_refused else "")
    archive.mkdir(parents=True, exist_ok=True)
    path.replace(archive / f"{path.stem}-{delivery[:12]}{path.suffix}")


def _folder(url: str) -> Path:
    return Path(url.removeprefix("file://"))


def _csv(text: str, name: str) -> list[Row]:
    """Rows by the header; a line that is no row of it is broken, the others go on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            # What follows an unclosed quote cannot be told apart: nothing of the file is certain.
            raise FeedbackUnreadableError(
                "a quote or cell that does not end", "CSV as RFC 4180 says", f"{name} line {line}"
            ) from None
        if cells is None:
            break
        if header is None:
            header = _header(cells, name)
        elif cells and len(cells) != len(header):
            rows.append(Row(line, {"": ",".join(cells)}, f"{len(header)} cells, as in the header"))
        elif cells:
            rows.append(Row(line, {column: cell for column, cell in zip(header, cells, strict=True) if cell != ""}))
    if header is None:
        raise FeedbackUnreadableError("an empty file", "a header", name)
    return rows


def _header(cells: list[str], name: str) -> list[str]:
    unknown = [number for number, cell in enumerate(cells, start=1) if cell not in CSV_COLUMNS]
    if unknown or len(set(cells)) != len(cells) or not {"kind", "ref", "occurred_at"} <= set(cells):
        where = f"{name} line 1" + (f" column {unknown[0]}" if unknown else "")
        raise FeedbackUnreadableError(
            "a header of other columns", f"kind, ref, occurred_at, and of {', '.join(sorted(CSV_COLUMNS))}", where
        )
    return cells


def _json_lines(text: str) -> list[Row]:
    """One object a line; a line that is none is broken, the others go on."""
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            rows.append(row_of(number, line))
    return rows


def row_of(number: int, line: str) -> Row:
    """One row from one JSON object."""
    try:
        values = json.loads(line, parse_constant=_no_number, object_pairs_hook=no_key_twice)
    except (ValueError, RecursionError):
        return Row(number, {"": line}, "one JSON object")
    if not isinstance(values, dict):
        return Row(number, {"": line}, "one JSON object")
    return Row(number, values)


def no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object's members; one that says two things under one name says nothing."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key twice")
    return members


def _no_number(name: str) -> None:
    raise ValueError(name)
