"""Reads one CSV file as text: declared delimiter, encoding and header, nothing guessed, no line lost.

Belongs here: lines and columns. What a text means is decided in ``arrears.sources.convert``; the process that reads,
and what it may use, in ``arrears.sources.parsing``.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from arrears.errors import ConfigurationError, SourceColumnsError, SourceFileError, SourceLimitError
from arrears.sources.limits import Expansion, check_cells, check_rows
from arrears.sources.trailer import Tally, take_trailer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from arrears.sources.limits import Limits, Shape

CHUNK = 1 << 20
BLOCK = 8 << 20  # also what bounds a line
HEADER = 1 << 20
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


def read_csv(path: Path, declared: Shape, source_file: str, rows: pq.ParquetWriter, limits: Limits) -> Lines:
    """Append a file's rows, every column as text, with ``source_file`` and ``source_line``.

    Args:
        path: Local copy; beside it a UTF-8 copy without the header is made and removed.
        declared: Delimiter, encoding and header.
        source_file: Name shown to people.
        rows: Takes ``row_schema(declared.columns)``.
        limits: What the file may be.

    Returns:
        The lines that are no rows; a trailer is none of them.

    Raises:
        SourceColumnsError: The header is not the declared one.
        SourceFileError: The file is empty, truncated, not in its encoding, or cannot be split into lines and columns;
            or physical lines are not rows + malformed lines + header.
        SourceLimitError: It is more than a file may be.
        ControlTotalError: Its trailer says other rows or sums.
    """
    body = path.with_name(f"{path.name}.utf8")
    malformed = Lines(source_file)
    try:
        lines = _copy_as_utf8(path, body, declared, source_file, limits)
        check_rows(lines, limits, source_file)
        taken, tally = 0, None
        if declared.trailer:
            said = take_trailer(body, declared, f"{source_file} line {lines + 1}")
            tally, lines = Tally(said), lines - 1
        if lines:
            for batch in _batches(body, declared, malformed, limits):
                rows.write_batch(batch)
                taken += batch.num_rows
                if tally:
                    tally.add(batch)
        if lines != taken + len(malformed.numbers):
            raise SourceFileError(
                f"{lines + 1} lines are {taken} rows, {len(malformed.numbers)} malformed lines and a header",
                "every line accounted for (an unclosed quote, or a line break inside quotes, swallows lines)",
                _near(body, source_file),
            )
        if tally:
            tally.check(taken + len(malformed.numbers))
    finally:
        body.unlink(missing_ok=True)
    return malformed


def row_schema(columns: Sequence[str]) -> pa.Schema:
    """Schema of the rows of a file kind with that header."""
    own = [(name, pa.string()) for name in columns]
    return pa.schema([*own, ("source_file", pa.string()), ("source_line", pa.int64())])


class Quotes:
    """Follows a file while it is read, and refuses a quoted value that goes on after its closing quote.

    The parser would take ``"ab"c`` for ``abc``: another value than anybody meant.

    Args:
        delimiter: One character.
        source_file: Name shown to people.
    """

    def __init__(self, delimiter: str, source_file: str) -> None:
        own = re.escape(delimiter)
        self._suspect = re.compile(rf'[^{own}\n]"[^{own}\n"]|""[^{own}\n"]')
        field = rf'(?:"[^"]*(?:""[^"]*)*"|(?!")[^{own}]*)'
        self._sound = re.compile(f"{field}(?:{own}{field})*")
        self._source_file, self._line, self._begun, self._last = source_file, 2, "", ""

    def check(self, more: str) -> None:
        """Look at what was read since.

        Raises:
            SourceFileError: Names the line.
        """
        text = self._begun + more
        whole = text.rfind("\n") + 1
        self._begun = text[whole:]
        if '"' in text:
            at = 0
            while (suspect := self._suspect.search(text, at, whole)) is not None:
                begin, end = text.rfind("\n", 0, suspect.start() + 1) + 1, text.index("\n", suspect.end() - 1)
                # A quote that is never closed, or closed on another line, is told by whoever counts lines.
                if not self._sound.fullmatch(text, begin, end) and text.count('"', begin, end) % 2 == 0:
                    line = self._line + text.count("\n", 0, begin)
                    raise SourceFileError(
                        "a quoted value that goes on after its closing quote",
                        "a delimiter or the end of the line after it",
                        f"{self._source_file} line {line}",
                    )
                at = end
        self._line += text.count("\n", 0, whole)
        if whole:
            self._last = text[text.rfind("\n", 0, whole - 1) + 1 : whole - 1]

    def end(self) -> None:
        """Look at what is left; a quote that the last line opens swallows no line, and nobody counts it.

        Raises:
            SourceFileError: Names the line.
        """
        is_ended = not self._begun
        self.check("" if is_ended else "\n")
        if '"' in self._last and not self._sound.fullmatch(self._last):
            raise SourceFileError(
                "a quote that is not closed", "closed quotes", f"{self._source_file} line {self._line - 1}"
            )


def _copy_as_utf8(path: Path, body: Path, declared: Shape, source_file: str, limits: Limits) -> int:
    """Copy all but the header, decompressed and decoded, with one kind of line end; answer the number of lines."""
    read, last, unbroken = 0, "\n", 0
    expansion, quotes = Expansion(limits, source_file), Quotes(declared.delimiter, source_file)
    try:
        with (
            _text(path, declared.encoding) as (source, taken),
            body.open("w", encoding="utf-8", newline="\n") as target,
        ):
            header = source.readline(HEADER)
            if len(header) == HEADER and not header.endswith("\n"):
                raise SourceLimitError("a header of more than 1 MB", "a line of column names", f"{source_file} line 1")
            _check_header(header.rstrip("\n"), declared, source_file)
            while chunk := source.read(CHUNK):
                target.write(chunk)
                quotes.check(chunk)
                breaks = chunk.count("\n")
                read, last = read + breaks, chunk[-1]
                unbroken = len(chunk) - chunk.rfind("\n") - 1 if breaks else unbroken + len(chunk)
                if unbroken > BLOCK:
                    raise SourceLimitError(
                        f"a line of more than {BLOCK >> 20} MB", "lines that end", f"{source_file} line {read + 2}"
                    )
                expansion.check(len(chunk), taken())
            quotes.end()
    except LookupError:
        raise ConfigurationError(f"encoding {declared.encoding!r}", "an encoding Python knows", source_file) from None
    except UnicodeError:
        raise SourceFileError(
            f"bytes that are not {declared.encoding}",
            "the encoding declared",
            _undecodable(path, declared.encoding, source_file),
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        near = f"{source_file} after line {read + 1}" if read else source_file
        raise SourceFileError("not readable to its end", "a complete file, as compressed", near) from None
    return read + (last != "\n")


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[tuple[io.TextIOWrapper, Any]]:
    """The file as text, and how many of its bytes were taken so far."""
    named = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    with path.open("rb") as raw:
        unpacked: Any = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        with io.TextIOWrapper(unpacked, encoding=named, newline=None) as source:
            yield source, raw.tell


def _undecodable(path: Path, encoding: str, source_file: str) -> str:
    """The first line that is not in its encoding; a slow look, at a file that is refused anyway."""
    if "\n".encode(encoding) != b"\n":
        return f"{source_file} line 1 or later"
    with _text(path, "latin-1") as (source, _):  # each byte one sign, and every kind of line end
        for number, line in enumerate(iter(lambda: source.readline(BLOCK), ""), 1):
            try:
                line.encode("latin-1").decode(encoding)
            except UnicodeError:
                return f"{source_file} line {number}"
    return source_file


def _near(body: Path, source_file: str) -> str:
    """The first line whose quotes are not closed; a slow look, at a file that is refused anyway."""
    with body.open(encoding="utf-8", newline="\n") as source:
        for number, line in enumerate(iter(lambda: source.readline(BLOCK), ""), 2):
            if line.count('"') % 2:
                return f"{source_file.partition(' after ')[0]} line {number}"
    return source_file


def _check_header(line: str, declared: Shape, source_file: str) -> None:
    """Compare by name; what is not declared is told by position, because a file without a header shows data there."""
    if not line.strip():
        raise SourceFileError("no header", "a header and rows", f"{source_file} line 1")
    try:
        found = next(csv.reader([line], delimiter=declared.delimiter))
    except csv.Error:
        raise SourceFileError("no readable header", "a header and rows", f"{source_file} line 1") from None
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


def _batches(body: Path, declared: Shape, malformed: Lines, limits: Limits) -> Iterator[pa.RecordBatch]:
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
                check_cells(batch, limits, malformed.source_file, numbers)
                following = int(numbers[-1]) + 1
                ahead[:] = [number for number in ahead if number > numbers[-1]]
                yield _with_lineage(batch, numbers, malformed, declared)
    except pa.ArrowInvalid:
        raise SourceFileError(
            "lines that cannot be split into columns",
            f"closed quotes, and lines below {BLOCK >> 20} MB",
            _near(body, f"{malformed.source_file} after line {following - 1}"),
        ) from None


def _line_numbers(following: int, rows: int, malformed: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Physical line numbers of the next rows, passing over the malformed lines between them."""
    candidates = np.arange(following, following + rows + len(malformed))
    return candidates[~np.isin(candidates, malformed)][:rows]


def _with_lineage(
    batch: pa.RecordBatch, numbers: np.ndarray[tuple[int], np.dtype[np.int64]], malformed: Lines, declared: Shape
) -> pa.RecordBatch:
    """The batch with file and line; lines without any value, and the header once more, are malformed ones."""
    names = [malformed.source_file] * batch.num_rows
    batch = batch.append_column("source_file", pa.array(names)).append_column("source_line", pa.array(numbers))
    for values in ([""] * len(declared.columns), declared.columns):
        no_row = pc.equal(batch.column(0), values[0])
        if pc.any(no_row).as_py():
            for column, value in zip(batch.columns[1:-2], values[1:], strict=True):
                no_row = pc.and_(no_row, pc.equal(column, value))
            for number in batch.column("source_line").filter(no_row):
                malformed.add(number.as_py(), declared.delimiter.join(values) if values[0] else "")
            batch = batch.filter(pc.invert(no_row))
    return batch
