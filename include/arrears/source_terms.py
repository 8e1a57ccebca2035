"""Where a portfolio's ledger comes from, as ``portfolio.yaml`` says it: a database, a folder or an inbox of files.

Belongs here: the shape of ``source`` and its readable mistakes. How sources are read stands in ``arrears.sources``.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from arrears.policy.documents import Document
from arrears.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping


def _from_repository(folder: str) -> str:
    """A relative path begins at the repository, as the lake's does, wherever the process was started."""
    return folder if "://" in folder else str(REPOSITORY / folder)


def dated(name: str, dates: Mapping[str, date]) -> str:
    """A file name or glob with its dates."""
    return name.format(**dates)


def is_dated(name: str) -> bool:
    """Whether a date stands in it: another day's file has another name."""
    return re.search(r"\{(business|closing)_date\b", name) is not None


def _with_known_dates(name: str) -> str:
    try:
        dated(name, {"business_date": date.min, "closing_date": date.min})
    except (LookupError, ValueError, AttributeError):
        raise ValueError("{business_date} and {closing_date} are the only names in braces") from None
    return name


Folder = Annotated[str, Field(min_length=1), AfterValidator(_from_repository)]
DatedName = Annotated[str, Field(min_length=1), AfterValidator(_with_known_dates)]


class DatabaseSource(Document):
    """A source database; the SELECTs run in it.

    Attributes:
        url: SQLAlchemy URL, usually ``${VARIABLE}``.
    """

    kind: Literal["database"]
    url: str = Field(min_length=1, repr=False)


class Trailer(Document):
    """The last line of a CSV file, which is no row and says what the rows are.

    Attributes:
        mark: Its first value, exactly.
        rows: Position of the number of rows in it, the mark being 1; left out when it has none.
        sums: Position of a sum by column, in minor units.
    """

    mark: str = Field(min_length=1)
    rows: int | None = Field(default=None, ge=2)
    sums: dict[str, Annotated[int, Field(ge=2)]] = Field(default_factory=dict)


class SourceFile(Document):
    """One kind of file in the source's folder.

    Attributes:
        pattern: Glob below the folder; ``{business_date}`` and ``{closing_date}`` stand for the dates, and
            ``{closing_date:%Y%m%d}`` for another form of one.
        format: csv (also .gz) or parquet.
        delimiter: One character.
        encoding: Declared, never guessed.
        columns: The header, exactly; of Parquet its columns in any order, or left out for whatever it has.
        changes_daily: In an inbox, a file equal to the one of the delivery before is refused.
        trailer: Of a CSV file whose last line is one; a file without it was cut off.
        unreadable: ``name`` sets aside the rows that cannot be read and goes on; ``refuse`` refuses a file with one.
    """

    pattern: DatedName
    format: Literal["csv", "parquet"] = "csv"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()
    changes_daily: bool = False
    trailer: Trailer | None = None
    unreadable: Literal["name", "refuse"] = "name"

    @model_validator(mode="after")
    def _csv_declares_header(self) -> SourceFile:
        if self.format == "csv" and not self.columns:
            raise ValueError("a csv file declares its header under `columns`")
        if self.trailer and (self.format != "csv" or not set(self.trailer.sums) <= set(self.columns)):
            raise ValueError("trailer: of a csv file, with sums of its columns")
        return self


class FileLimits(Document):
    """What one delivered file may be, and what reading the files of a kind may use; more is refused unread.

    Attributes:
        delivered_mb: Size as it lies there.
        unpacked_mb: Size once decompressed.
        rows: Lines or rows.
        columns: Columns of a Parquet file; a CSV file has those declared.
        cell_kb: One value.
        memory_mb: Memory of the process that reads.
        seconds: Its time.
    """

    delivered_mb: int = Field(default=8_192, ge=1)
    unpacked_mb: int = Field(default=32_768, ge=1)
    rows: int = Field(default=150_000_000, ge=1)
    columns: int = Field(default=300, ge=1)
    cell_kb: int = Field(default=1_024, ge=1, le=4_096)
    memory_mb: int = Field(default=512, ge=256)
    seconds: int = Field(default=1_800, ge=1)


class FolderSource(Document):
    """A folder of files; the SELECTs run over them in DuckDB, each file kind a table of its name.

    Attributes:
        directory: fsspec URL or path, usually ``${VARIABLE}``; a relative path begins at the repository.
        files: File kinds by the name the SELECTs use.
        limits: What a file may be.
    """

    directory: Folder
    files: dict[str, SourceFile] = Field(min_length=1)
    limits: FileLimits = FileLimits()


class FileSource(FolderSource):
    """A folder whose files stay where they are.

    Attributes:
        settle_seconds: A file that was changed less than so long ago is looked at again after so long; one that grows
            is not there yet.
    """

    kind: Literal["files"]
    settle_seconds: int = Field(default=2, ge=0, le=60)


class InboxSource(FolderSource):
    """A folder into which the files of a day are dropped, the control file that lists them last.

    Once a day is validated its delivery is moved to ``<archive>/<closing date>/``.

    Attributes:
        archive: fsspec URL or path of the folder that keeps what was picked up; on the inbox's own file system.
        control: Name of the control file, with its date.
    """

    kind: Literal["inbox"]
    archive: Folder
    control: DatedName = "control_{closing_date}.json"

    @model_validator(mode="after")
    def _flat_and_dated(self) -> InboxSource:
        if self.archive.rstrip("/") == self.directory.rstrip("/"):
            raise ValueError("archive: another folder than the inbox")
        if not is_dated(self.control):
            raise ValueError("control: a name with {closing_date} in it")
        deep = [name for name, file in self.files.items() if "/" in file.pattern]
        if "/" in self.control or deep:
            raise ValueError(f"an inbox is one flat folder: no / in {', '.join(deep) or 'control'}")
        return self
