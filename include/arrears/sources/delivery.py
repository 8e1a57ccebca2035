"""One delivery: the files of a closing date that a control file lists, read as it declares them.

Belongs here: SHA-256, rows and sums of its files. Which delivery a day is made of is decided in ``inbox``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pyarrow as pa

from arrears.engine.duckdb import literal, quoted
from arrears.errors import ControlFileError, ControlTotalError, SourceNotReadyError, SourceTypeError
from arrears.sources.convert import INTEGER_FORM
from arrears.sources.limits import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import duckdb

    from arrears.sources.control_file import ControlFile, ListedFile
    from arrears.sources.folder import Copy, SourceFolder

SHOWN = 12  # digits of a hash in messages


@dataclass(frozen=True)
class Delivery:
    """The files of one closing date.

    Attributes:
        id: SHA-256 of the control file.
        name: Name of the control file.
        control: What it says.
        folder: Where it lies: the inbox, or its folder in the archive.
    """

    id: str
    name: str
    control: ControlFile
    folder: SourceFolder

    def __str__(self) -> str:
        return f"{self.name} {self.id[:SHOWN]}"

    @property
    def shas(self) -> dict[str, set[str]]:
        """SHA-256 of the files by kind."""
        kinds = {file.kind for file in self.control.files}
        return {kind: {file.sha256 for file in self.control.files if file.kind == kind} for kind in kinds}

    def fetch(self, kind: str, folder: Path, most_mb: int) -> list[Copy]:
        """Private copies of the files of one kind, each with the declared SHA-256.

        Raises:
            SourceLimitError: A file is larger than a file may be.
            SourceNotReadyError: A file is not there, or not (yet) the declared one.
            ControlFileError: A listed name is a link or a folder, or there is no file of the kind: the delivery was
                picked up before the portfolio declared it.
            SourceUnreachableError: The file system did not answer.
        """
        copies = [
            self._fetched(file, folder / f"{kind}-{number}{PurePosixPath(file.name).suffix}", most_mb)
            for number, file in enumerate(self.control.files)
            if file.kind == kind
        ]
        if not copies:
            raise ControlFileError(f"no file of kind {kind}", "a delivery of the kinds declared now", str(self))
        return copies

    def check_files(self, most_mb: int) -> None:
        """Refuse a delivery of which a file is not there or not the declared one.

        Args:
            most_mb: No file is larger.

        Raises:
            SourceNotReadyError: Names every such file.
            SourceLimitError: A file is larger than a file may be.
            ControlFileError: A listed name is a link or a folder.
            SourceUnreachableError: The file system did not answer.
        """
        wrong = []
        for file in self.control.files:
            if not self._is_there(file):
                wrong.append(f"{file.name} is not there")
            elif self.folder.sha256(file.name, most_mb) != file.sha256:
                wrong.append(f"{file.name} is not what the control file declares: still growing, damaged or replaced")
        if wrong:
            raise SourceNotReadyError("; ".join(wrong), "every listed file with its SHA-256", str(self))

    def check_content(self, connection: duckdb.DuckDBPyConnection, kind: str, malformed: Mapping[str, int]) -> None:
        """Compare rows and sums of the files of one kind with what the control file declares.

        Args:
            connection: Has a view of the kind's name with ``source_file``.
            kind: File kind.
            malformed: Lines that are no rows, by file; they count as rows, and no sum holds them.

        Raises:
            ControlTotalError: A file has other rows or another sum.
            ControlFileError: A sum is of a column that is not there.
            SourceTypeError: A sum is of a column that holds no integers.
        """
        found, expected = [], []
        for file in self.control.files:
            if file.kind != kind:
                continue
            bad = malformed.get(file.name, 0)
            remark = f" (lines that are no rows: {bad})" if bad else ""
            rows, *sums = _totals(connection, file, self.name)
            theirs = [("rows", file.rows), *file.sums.items()]
            for (measure, total), ours in zip(theirs, [rows + bad, *sums], strict=True):
                if ours != total:
                    found.append(f"{file.name} {measure} {ours}{remark}")
                    expected.append(f"{measure} {total}")
        if found:
            raise ControlTotalError("; ".join(found), "; ".join(expected), self.name)

    def _is_there(self, file: ListedFile) -> bool:
        is_plain = self.folder.is_plain(file.name)
        if is_plain is False:
            raise ControlFileError(f"{file.name} is a link or a folder", "a file", self.name)
        return is_plain is not None

    def _fetched(self, file: ListedFile, path: Path, most_mb: int) -> Copy:
        if not self._is_there(file):
            raise SourceNotReadyError("a listed file is not there", "a complete delivery", f"{self} {file.name}")
        copy = self.folder.fetch(file.name, path, most_mb)
        if copy.sha256 != file.sha256:
            raise SourceNotReadyError(
                f"SHA-256 {copy.sha256[:SHOWN]} (still growing, damaged or replaced)",
                f"SHA-256 {file.sha256[:SHOWN]} as the control file declares",
                f"{self} {file.name}",
            )
        return copy


def _totals(connection: duckdb.DuckDBPyConnection, file: ListedFile, where: str) -> Iterator[int]:
    """Rows of one file, then its sums; a text that is no integer adds nothing, for the validation to name.

    A column of texts none of which is an integer has no sum, and none is taken for 0.
    """
    schema = connection.sql(f"SELECT * FROM {quoted(file.kind)} LIMIT 0").to_arrow_table().schema
    missing = [name for name in file.sums if name not in schema.names]
    if missing:
        told = ", ".join(shown(name, list(file.sums).index(name) + 1) for name in missing)
        raise ControlFileError(f"sums of {told}", f"columns of {file.name}", where)
    odd = [name for name in file.sums if not _sums_exactly(schema.field(name).type)]
    integers = {name: _integer(name, schema.field(name).type) for name in file.sums if name not in odd}
    sums = "".join(f", sum({value}), count(nullif({quoted(name)}::VARCHAR, ''))" for name, value in integers.items())
    rows, *found = connection.execute(
        f"SELECT count(*){sums} FROM {quoted(file.kind)} WHERE source_file = {literal(file.name)}"
    ).fetchall()[0]
    totals = dict(zip(integers, found[::2], strict=True))
    odd += [name for name, given in zip(integers, found[1::2], strict=True) if given and totals[name] is None]
    if odd:
        told = ", ".join(shown(name, schema.names.index(name) + 1) for name in odd)
        raise SourceTypeError(f"{told} with a sum and no integers", "integers, or their text", file.name)
    return iter([rows, *(int(total or 0) for total in totals.values())])


def _integer(name: str, kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return f"{quoted(name)}::HUGEINT"
    return f"CASE WHEN regexp_full_match({quoted(name)}, {literal(INTEGER_FORM)}) THEN {quoted(name)}::HUGEINT END"


def _sums_exactly(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))
