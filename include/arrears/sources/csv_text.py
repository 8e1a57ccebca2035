"""Reads one CSV file as text: declared delimiter, encoding and header, nothing guessed, no line lost.

Belongs here: lines and columns. What a text means is decided in ``arrears.sources.convert``.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from arrears.errors import ConfigurationError, SourceColumnsError, SourceFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from arrears.portfolio import SourceFile

CHUNK = 1 << 20
BLOCK = 8 << 20  # also what bounds a line
LINE = pa.schema([("source_file", pa.string()), ("source_line", pa.int64()), ("line", pa.string())])


@dataclass
class Lines:
    """Lines of a file that are no rows: too few or too many columns, or none at all.

    Attributes:
        source_file: Name shown to people.
        numbers: Physical line numbers, the header being 1.
        texts: The lines; they go to the vault and nowhere else.
    """

    source_file: str
    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def add(self, number: int, text: str) -> None:
        """Note one line."""
        self.numbers.append(number)
        self.texts.append(text)

    def table(self) -> pa.Table:
        """The lines, as ``LINE``."""
        return pa.table([[self.source_file] * len(self.numbers), self.numbers, self.texts], schema=LINE)


def read_csv(path: Path, declared: SourceFile, source_file: str, rows: pq.ParquetWriter) -> Lines:
    """Append a file's rows, every column as text, with ``source_file`` and ``source_line``.

    Args:
        path: Local copy; beside it a UTF-8 copy without the header is made and removed.
        declared: Delimiter, encoding and header.
        source_file: Name shown to people.
        rows: Takes ``row_schema(declared)``.

    Returns:
        The lines that are no rows.

    Raises:
        SourceColumnsError: The header is not the declared one.
        SourceFileError: The file is empty, truncated, not in its encoding, or cannot be split into lines and columns;
            or physical lines are not rows + malformed lines + header.
    """
    body = path.with_name(f"{path.name}.utf8")
    malformed = Lines(source_file)
    try:
        lines = _copy_as_utf8(path, body, declared, source_file)
        taken = 0
        if lines:
            for batch in _batches(body, declared, malformed):
                rows.write_batch(batch)
                taken += batch.num_rows
    finally:
        body.unlink(missing_ok=True)
    if lines != taken + len(malformed.numbers):
        raise SourceFileError(
            f"{lines + 1} lines are {taken} rows, {len(malformed.numbers)} malformed lines and a header",
            "every line accounted for (an unclosed quote, or a line break inside quotes, swallows lines)",
            source_file,
        )
    return malformed


def row_schema(declared: SourceFile) -> pa.Schema:
    """Schema of the rows of a file kind."""
    own = [(name, pa.string()) for name in declared.columns]
    return pa.schema([*own, ("source_file", pa.string()), ("source_line", pa.int64())])


def _copy_as_utf8(path: Path, body: Path, declared: SourceFile, source_file: str) -> int:
    """Copy all but the header, decompressed and decoded, with one kind of line end; answer the number of lines."""
    encoding = "utf-8-sig" if declared.encoding.lower() in ("utf-8", "utf8") else declared.encoding
    read, last = 0, "\n"
    try:
        with (
            (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding=encoding, newline=None) as source,
            body.open("w", encoding="utf-8", newline="\n") as target,
        ):
            _check_header(source.readline().rstrip("\n"), declared, source_file)
            while chunk := source.read(CHUNK):
                target.write(chunk)
                read, last = read + chunk.count("\n"), chunk[-1]
    except LookupError:
        raise ConfigurationError(f"encoding {declared.encoding!r}", "an encoding Python knows", source_file) from None
    except UnicodeError:
        near = f"{source_file} after line {read + 1}"
        raise SourceFileError(f"bytes that are not {declared.encoding}", "the encoding declared", near) from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise SourceFileError("not readable to its end", "a complete file, as compressed", source_file) from None
    return read + (last != "\n")


def _check_header(line: str, declared: SourceFile, source_file: str) -> None:
    """Compare by name; what is not declared is told by position, because a file without a header shows data there."""
    if not line.strip():
        raise SourceFileError("no header", "a header and rows", source_file)
    found = next(csv.reader([line], delimiter=declared.delimiter))
    missing = [name for name in declared.columns if name not in found]
    extra = [
        str(number)
        for number, name in enumerate(found, 1)
        if name not in declared.columns or name in found[: number - 1]
    ]
    wrong = [f"{', '.join(missing)} missing"] if missing else []
    wrong += [f"undeclared or repeated in column {', '.join(extra)}"] if extra else []
    if tuple(found) != declared.columns:
        raise SourceColumnsError(
            "; ".join(wrong) or "the columns in another order",
            f"the header {declared.delimiter.join(declared.columns)}",
            f"{source_file} line 1",
        )


def _batches(body: Path, declared: SourceFile, malformed: Lines) -> Iterator[pa.RecordBatch]:
    ahead: list[int] = []  # malformed lines the parser has met and no batch has passed

    def note(row: pacsv.InvalidRow) -> str:
        ahead.append(row.number + 1)
        malformed.add(row.number + 1, row.text)
        return "skip"

    following = 2  # physical line of the next row; the header is line 1
    try:
        with pacsv.open_csv(
            body,
            pacsv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=declared.columns),
            pacsv.ParseOptions(
                delimiter=declared.delimiter,
                newlines_in_values=False,
                ignore_empty_lines=False,
                invalid_row_handler=note,
            ),
            pacsv.ConvertOptions(column_types=dict.fromkeys(declared.columns, pa.string()), strings_can_be_null=False),
        ) as reader:
            for batch in reader:
                numbers = _line_numbers(following, batch.num_rows, ahead)
                following = int(numbers[-1]) + 1
                ahead[:] = [number for number in ahead if number > numbers[-1]]
                yield _with_lineage(batch, numbers, malformed)
    except pa.ArrowInvalid:
        raise SourceFileError(
            "lines that cannot be split into columns",
            f"closed quotes, and lines below {BLOCK >> 20} MB",
            f"{malformed.source_file} after line {following - 1}",
        ) from None


def _line_numbers(following: int, rows: int, malformed: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Physical line numbers of the next rows, passing over the malformed lines between them."""
    candidates = np.arange(following, following + rows + len(malformed))
    return candidates[~np.isin(candidates, malformed)][:rows]


def _with_lineage(
    batch: pa.RecordBatch, numbers: np.ndarray[tuple[int], np.dtype[np.int64]], malformed: Lines
) -> pa.RecordBatch:
    """The batch with file and line; lines without any value are malformed ones."""
    names = [malformed.source_file] * batch.num_rows
    batch = batch.append_column("source_file", pa.array(names)).append_column("source_line", pa.array(numbers))
    blank = pc.equal(batch.column(0), "")
    if not pc.any(blank).as_py():
        return batch
    for column in batch.columns[1:-2]:
        blank = pc.and_(blank, pc.equal(column, ""))
    for number in batch.column("source_line").filter(blank):
        malformed.add(number.as_py(), "")
    return batch.filter(pc.invert(blank))
