"""What a delivered file may be before it is refused, whatever it holds.

Belongs here: sizes, counts and how far a file may unpack. How files are read: ``csv_text`` and ``parquet_file``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from arrears.errors import SourceLimitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

MB = 1 << 20
RATIO = 150  # ledgers unpack to 5-30 times their size, zeros to 1,000
WINDOW = 32 * MB  # unpacked between two looks at the ratio
ROWS_PER_BYTE = 16  # every row has a key of its own, which costs something however it is packed
FEW_ROWS = 1_000_000
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


@dataclass(frozen=True)
class Trailer:
    """What a portfolio declares of the last line of a file.

    Attributes:
        mark: Its first value.
        rows: Position of the number of rows, from 1.
        sums: Position of a sum by column.
    """

    mark: str
    rows: int | None
    sums: dict[str, int]


@dataclass(frozen=True)
class Shape:
    """What a portfolio declares of a kind of file.

    Attributes:
        format: csv or parquet.
        delimiter: One character.
        encoding: Python's name of it.
        columns: The header, exactly; of Parquet its columns in any order, or empty for whatever it has.
        trailer: The last line of a CSV file, where it is no row.
    """

    format: str
    delimiter: str
    encoding: str
    columns: tuple[str, ...]
    trailer: Trailer | None = None


@dataclass(frozen=True)
class Limits:
    """What one file may be, and what reading the files of a kind may use.

    Attributes:
        delivered_mb: Size as it lies there.
        unpacked_mb: Size once decompressed.
        rows: Lines or rows.
        columns: Columns of a Parquet file; a CSV file has those declared.
        cell_kb: One value.
        memory_mb: Memory of the process that reads.
        seconds: Its time.
    """

    delivered_mb: int
    unpacked_mb: int
    rows: int
    columns: int
    cell_kb: int
    memory_mb: int
    seconds: int


class Expansion:
    """Follows a file while it is unpacked, and refuses it as soon as it becomes too much.

    Args:
        limits: What it may be.
        source_file: Name shown to people.
    """

    def __init__(self, limits: Limits, source_file: str) -> None:
        self._limits = limits
        self._source_file = source_file
        self._unpacked = 0
        self._window = (0, 0)  # unpacked and taken at the last look

    def check(self, more: int, taken: int) -> None:
        """Count what was unpacked.

        Args:
            more: Unpacked since the last call.
            taken: Bytes of the file taken so far.

        Raises:
            SourceLimitError: It is too much, or too much for what it was made from.
        """
        self._unpacked += more
        if self._unpacked > self._limits.unpacked_mb * MB:
            raise SourceLimitError(
                f"more than {self._limits.unpacked_mb} MB once unpacked", "a file within its limits", self._source_file
            )
        unpacked, before = self._unpacked - self._window[0], self._window[1]
        if unpacked >= WINDOW:
            if unpacked > RATIO * (taken - before):
                raise SourceLimitError(
                    f"more than {RATIO} times its size once unpacked", "a ledger, which does not", self._source_file
                )
            self._window = (self._unpacked, taken)


def shown(name: str, number: int) -> str:
    """A delivered column's name in a message, or its position where the name may be anything: a value, or lines."""
    return name if PLAIN_NAME.fullmatch(name) else str(number)


def check_rows(rows: int, limits: Limits, source_file: str) -> None:
    """Refuse a file of too many rows.

    Raises:
        SourceLimitError: It is one.
    """
    if rows > limits.rows:
        raise SourceLimitError(f"{rows} rows", f"at most {limits.rows}", source_file)


def check_cells(
    batch: pa.RecordBatch,
    limits: Limits,
    source_file: str,
    numbers: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    """Refuse a batch with a value that is larger than a value may be.

    Args:
        batch: The rows.
        limits: What a value may be.
        source_file: Name shown to people.
        numbers: Line or row number of each row.

    Raises:
        SourceLimitError: Names line and column.
    """
    most = limits.cell_kb << 10
    for place, (field, column) in enumerate(zip(batch.schema, batch.columns, strict=True), 1):
        if column.nbytes <= most or not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            continue
        lengths = pc.binary_length(column)
        if pc.max(lengths).as_py() > most:
            line = numbers[pc.index(pc.greater(lengths, most), value=True).as_py()]
            raise SourceLimitError(
                f"a value of more than {limits.cell_kb} kB",
                "values of a ledger",
                f"{source_file} line {line}, column {shown(field.name, place)}",
            )
