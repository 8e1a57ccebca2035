"""The last line of a CSV file that is no row: taken off, and held against the rows.

Belongs here: what a trailer says, and whether it is true. Lines and columns are read in ``arrears.sources.csv_text``.
"""

from __future__ import annotations

import csv
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arrears.errors import ControlTotalError, SourceFileError

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from arrears.sources.limits import Shape

LONGEST = 1 << 16
INTEGER = re.compile(r"-?[0-9]{1,18}")
TOTAL = re.compile(r"-?[0-9]{1,36}")


@dataclass(frozen=True)
class Said:
    """What a trailer says.

    Attributes:
        rows: Number of rows; None when it does not say.
        sums: Sum by column.
        where: File and line.
    """

    rows: int | None
    sums: dict[str, int]
    where: str


def take_trailer(body: Path, declared: Shape, where: str) -> Said:
    """Cut the last line off a UTF-8 file without header, and read it as the trailer.

    Args:
        body: The file.
        declared: With a trailer.
        where: File and line, for errors.

    Raises:
        SourceFileError: The last line is no trailer as declared: the file was cut off, or something follows it.
    """
    trailer = declared.trailer
    if trailer is None:
        raise AssertionError
    line, start = _last_line(body)
    cells = next(csv.reader([line], delimiter=declared.delimiter), []) or [""]
    wanted = {"rows": trailer.rows} if trailer.rows else {}
    found = {name: _integer(cells, place) for name, place in {**wanted, **trailer.sums}.items()}
    if cells[0] != trailer.mark or None in found.values():
        expected = f"a last line that begins with {trailer.mark}, with its numbers: a file that is complete"
        raise SourceFileError("no trailer", expected, where)
    os.truncate(body, start)
    numbers = {name: number for name, number in found.items() if number is not None}
    return Said(numbers.pop("rows") if trailer.rows else None, numbers, where)


class Tally:
    """Sums the rows of a file while they are read.

    Args:
        said: What its trailer says.
    """

    def __init__(self, said: Said) -> None:
        self._said = said
        self._sums = dict.fromkeys(said.sums, 0)

    def add(self, batch: pa.RecordBatch) -> None:
        """Count rows; a text that is no integer adds nothing, for the validation to name."""
        for name in self._sums:
            texts = batch.column(name).to_pylist()
            self._sums[name] += sum(int(text) for text in texts if INTEGER.fullmatch(text))

    def check(self, rows: int) -> None:
        """Hold the rows against the trailer.

        Args:
            rows: All lines of the file but header and trailer.

        Raises:
            ControlTotalError: They are others.
        """
        said = self._said
        found = {"rows": rows, **self._sums}
        told = {**({} if said.rows is None else {"rows": said.rows}), **said.sums}
        wrong = [name for name, total in told.items() if found[name] != total]
        if wrong:
            raise ControlTotalError(
                "; ".join(f"{name} {found[name]}" for name in wrong),
                "; ".join(f"{name} {told[name]} as the trailer says" for name in wrong),
                said.where,
            )


def _last_line(body: Path) -> tuple[str, int]:
    """The last line of a file, and the byte at which it begins."""
    size = body.stat().st_size
    with body.open("rb") as source:
        source.seek(max(0, size - LONGEST))
        tail = source.read()
    ended = tail.removesuffix(b"\n")
    line = ended[ended.rfind(b"\n") + 1 :]
    return line.decode(errors="replace"), size - (len(tail) - len(ended)) - len(line)


def _integer(cells: list[str], place: int) -> int | None:
    text = cells[place - 1] if place <= len(cells) else ""
    return int(text) if TOTAL.fullmatch(text) else None
