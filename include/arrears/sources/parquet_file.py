"""Reads one delivered Parquet file to its end, and hands on a copy that we wrote: flat columns, rows numbered.

Belongs here: what a Parquet file may be. What its values mean is decided in ``arrears.sources.convert``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from arrears.errors import SourceColumnsError, SourceFileError, SourceLimitError, SourceTypeError
from arrears.sources.limits import FEW_ROWS, MB, RATIO, ROWS_PER_BYTE, WINDOW, check_cells, check_rows, shown

if TYPE_CHECKING:
    from pathlib import Path

    from arrears.sources.limits import Limits, Shape

BATCH = 1 << 16
FOOTER = 16 * MB
TAIL = 8  # bytes: the footer's length and the mark of the format
LINEAGE = ("source_file", "source_line")


def read_parquet(path: Path, declared: Shape, source_file: str, target: Path, limits: Limits) -> None:
    """Copy a file's rows, each with ``source_file`` and ``source_line``, its number from 1.

    Args:
        path: Local copy.
        declared: Its columns, where the portfolio declares them.
        source_file: Name shown to people.
        target: The Parquet file that is made.
        limits: What the file may be.

    Raises:
        SourceColumnsError: Its columns are not those declared, or one is there twice.
        SourceTypeError: A column is nested, or of spans of time.
        SourceFileError: It is not readable to its end, which names row group and column; or holds text that is none.
        SourceLimitError: It is more than a file may be.
    """
    _check_footer(path, source_file)
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False, buffer_size=MB)
        schema = file.schema_arrow
    except (OSError, pa.ArrowException):
        raise _unreadable(f"{source_file} footer") from None
    with file:
        _check_size(file.metadata, path.stat().st_size, source_file, limits)
        _check_columns(schema, declared, source_file)
        own = [pa.field(field.name, _plain(field.type)) for field in schema if field.name not in LINEAGE]
        there = [pa.field("source_file", pa.string()), pa.field("source_line", pa.int64())]
        with pq.ParquetWriter(target, pa.schema([*own, *there]), compression="lz4") as rows:
            first = 1
            for group in range(file.num_row_groups):
                first = _copy_group(file, group, [field.name for field in own], rows, first, source_file, limits)


def _check_footer(path: Path, source_file: str) -> None:
    size = path.stat().st_size
    with path.open("rb") as raw:
        raw.seek(max(0, size - TAIL))
        tail = raw.read(TAIL)
    footer = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or footer + TAIL > size:
        raise _unreadable(f"{source_file} footer")
    if footer > FOOTER:
        raise SourceLimitError(f"a footer of {footer >> 20} MB", f"at most {FOOTER >> 20} MB", source_file)


def _check_size(metadata: pq.FileMetaData, size: int, source_file: str, limits: Limits) -> None:
    check_rows(metadata.num_rows, limits, source_file)
    if metadata.num_rows > max(FEW_ROWS, ROWS_PER_BYTE * size):
        raise SourceLimitError(
            f"{metadata.num_rows} rows in {size} bytes", "rows that each have a key of their own", source_file
        )
    if metadata.num_columns > limits.columns:
        raise SourceLimitError(f"{metadata.num_columns} columns", f"at most {limits.columns}", source_file)
    unpacked = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if unpacked > limits.unpacked_mb * MB or unpacked > max(2 * WINDOW, RATIO * size):
        raise SourceLimitError(
            f"{unpacked >> 20} MB once unpacked",
            f"at most {limits.unpacked_mb} MB and {RATIO} times its size",
            source_file,
        )


def _check_columns(schema: pa.Schema, declared: Shape, source_file: str) -> None:
    names = schema.names
    twice = [shown(name, names.index(name) + 1) for name in dict.fromkeys(names) if names.count(name) > 1]
    wrong = [f"{', '.join(twice)} twice"] if twice else []
    if declared.columns:
        missing = [name for name in declared.columns if name not in names]
        extra = [str(number) for number, name in enumerate(names, 1) if name not in declared.columns]
        wrong += [f"{', '.join(missing)} missing"] if missing else []
        wrong += [f"undeclared in column {', '.join(extra)}"] if extra else []
    if wrong:
        raise SourceColumnsError("; ".join(wrong), "the columns declared, each once", source_file)
    nested = [str(number) for number, field in enumerate(schema, 1) if pa.types.is_nested(field.type)]
    if nested:
        raise SourceTypeError(f"nested values in column {', '.join(nested)}", "flat columns", source_file)
    spans = [str(number) for number, field in enumerate(schema, 1) if _is_span(field.type)]
    if spans:  # our copy would say a whole number
        raise SourceTypeError(f"spans of time in column {', '.join(spans)}", "values of a ledger", source_file)


def _copy_group(  # noqa: PLR0913, PLR0917  one place, named whole
    file: pq.ParquetFile,
    group: int,
    columns: list[str],
    rows: pq.ParquetWriter,
    first: int,
    source_file: str,
    limits: Limits,
) -> int:
    """Copy one row group; the number of the row after it."""
    batches = file.iter_batches(BATCH, row_groups=[group], columns=columns, use_threads=False)
    extremes = _Extremes()
    while True:
        try:
            batch = next(batches, None)
        except pa.ArrowMemoryError:
            raise
        except (OSError, pa.ArrowException):
            place = f"{source_file} row group {group + 1}{_broken_column(file, group, columns)}"
            raise _unreadable(place) from None
        if batch is None:
            extremes.check(file, group, source_file)
            return first
        batch = _spelt_out(batch, file, source_file, group)
        numbers = np.arange(first, first + batch.num_rows)
        check_cells(batch, limits, source_file, numbers)
        _check_text(batch, file, source_file, first)
        extremes.add(batch)
        names = pa.repeat(pa.scalar(source_file), batch.num_rows)
        copied = batch.append_column("source_file", names).append_column("source_line", pa.array(numbers))
        rows.write_batch(copied.select(rows.schema.names))
        first += batch.num_rows


class _Extremes:
    """Smallest and largest value and the NULLs of each column of a row group, held against what the footer says.

    Writers leave page checksums out unless told otherwise. What a damaged page still reads as is then seen only where
    it leaves the bounds that the writer noted.
    """

    def __init__(self) -> None:
        self._nulls: dict[str, int] = {}
        self._bounds: dict[str, tuple[Any, Any]] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Note one batch of the row group."""
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            self._nulls[name] = self._nulls.get(name, 0) + column.null_count
            if _has_order(column.type) and column.null_count < len(column):
                least, most = map(_raw, pc.min_max(column.cast(_ordered(column.type))).as_py().values())
                before = self._bounds.get(name, (least, most))
                self._bounds[name] = min(least, before[0]), max(most, before[1])

    def check(self, file: pq.ParquetFile, group: int, source_file: str) -> None:
        """Refuse a row group whose values are not those its footer speaks of.

        Raises:
            SourceFileError: Names row group and column.
        """
        for name, nulls in self._nulls.items():
            said = file.metadata.row_group(group).column(file.schema_arrow.names.index(name)).statistics
            if said is None:
                continue
            is_wrong = said.has_null_count and said.null_count != nulls
            if said.has_min_max and name in self._bounds:
                is_wrong = is_wrong or not _fits(self._bounds[name], (said.min_raw, said.max_raw))
            if is_wrong:
                raise SourceFileError(
                    "values that its footer does not speak of",
                    "the smallest and the largest value and the NULLs as its writer noted them",
                    f"{source_file} row group {group + 1}, column {_shown(file, name)}",
                )


def _has_order(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_signed_integer(kind)
        or pa.types.is_date32(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
    )


def _ordered(kind: pa.DataType) -> pa.DataType:
    """The type of what the footer holds: days of a date, which may be none that Python knows."""
    return pa.int32() if pa.types.is_date32(kind) else kind


def _raw(value: int | str) -> int | bytes:
    return value.encode() if isinstance(value, str) else value


def _fits(found: tuple[Any, Any], said: tuple[Any, Any]) -> bool:
    """Whether values are within what was said, and reach it; of texts the bounds may be cut short."""
    if {type(value) for value in found} != {type(value) for value in said}:
        return True  # told in another type, by another library
    return found == said if not isinstance(found[0], bytes) else said[0] <= found[0] and found[1] <= said[1]


def _spelt_out(batch: pa.RecordBatch, file: pq.ParquetFile, source_file: str, group: int) -> pa.RecordBatch:
    """The batch in plain types.

    Under our limits, because a dictionary of one large value names it a million times in a kilobyte; and instants in
    microseconds, because nobody who reads our copy would say which of them overflow.
    """
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            columns.append(column.cast(_plain(column.type)))
        except pa.ArrowInvalid:
            place = f"{source_file} row group {group + 1}, column {_shown(file, name)}"
            raise SourceFileError("an instant that no calendar has", "instants of our time", place) from None
    return pa.record_batch(columns, names=batch.schema.names)


def _shown(file: pq.ParquetFile, name: str) -> str:
    return shown(name, file.schema_arrow.names.index(name) + 1)


def _check_text(batch: pa.RecordBatch, file: pq.ParquetFile, source_file: str, first: int) -> None:
    """Arrow hands on what a file calls text, whatever bytes it is of."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            texts = column.cast(pa.large_binary())
            wrong = next(
                number for number, text in enumerate(texts, first) if text.is_valid and _is_broken(text.as_py())
            )
            raise SourceFileError(
                "bytes that are not utf-8",
                "text in every text column",
                f"{source_file} line {wrong}, column {_shown(file, name)}",
            ) from None


def _is_broken(text: bytes | None) -> bool:
    try:
        (text or b"").decode()
    except UnicodeDecodeError:
        return True
    return False


def _is_span(kind: pa.DataType) -> bool:
    return bool(pa.types.is_duration(kind) or pa.types.is_interval(kind))


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return kind.value_type
    is_coarse = pa.types.is_timestamp(kind) and kind.unit in {"s", "ms"}
    return pa.timestamp("us", kind.tz) if is_coarse else kind


def _broken_column(file: pq.ParquetFile, group: int, columns: list[str]) -> str:
    """The first column of a row group that cannot be read; a slow look, at a file that is refused anyway."""
    for name in columns:
        try:
            for _ in file.iter_batches(BATCH, row_groups=[group], columns=[name], use_threads=False):
                pass
        except (OSError, pa.ArrowException):
            return f", column {_shown(file, name)}"
    return ""


def _unreadable(where: str) -> SourceFileError:
    return SourceFileError("not readable as Parquet to its end", "a complete Parquet file", where)
