"""The control file of a delivery: which files it is made of, with their rows, sums and SHA-256.

Belongs here: its shape, and that it speaks of nothing but files of the day in its own folder.
"""

from __future__ import annotations

from datetime import date  # noqa: TC003  pydantic reads the annotations when it runs
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError

from arrears.errors import ControlFileError, SourceNotReadyError
from arrears.policy.documents import Document
from arrears.source_terms import dated
from arrears.sources.limits import PLAIN_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arrears.source_terms import InboxSource

CONTROL_BYTES = 1 << 20
UNFINISHED = "EOF while parsing"


class ListedFile(Document):
    """One file of a delivery.

    Attributes:
        name: In the inbox itself: no folder, nothing hidden.
        kind: File kind of the portfolio.
        rows: Data rows: lines without the header, or rows of a Parquet file.
        sums: Sum by column, in minor units.
        sha256: Of the file as it lies there, compressed or not.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}$")
    kind: str
    rows: Annotated[int, Field(ge=0, strict=True)]
    sums: dict[str, Annotated[int, Field(strict=True)]]
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ControlFile(Document):
    """What a control file says.

    Attributes:
        closing_date: The close of the ledger delivered.
        files: Every file of the delivery, once.
        unchanged: The sender vouches that a delivery equal to the one before is no mistake.
    """

    closing_date: date
    files: tuple[ListedFile, ...] = Field(min_length=1)
    unchanged: bool = False


def read_control(content: bytes, name: str) -> ControlFile:
    """Read a control file by itself.

    Args:
        content: Its bytes.
        name: For errors.

    Raises:
        SourceNotReadyError: It ends in the middle: it is still being written.
        ControlFileError: It is no control file; every mistake is named, no value.
    """
    if len(content) > CONTROL_BYTES:
        raise ControlFileError(f"more than {CONTROL_BYTES >> 20} MB", "a list of files", name)
    try:
        return ControlFile.model_validate_json(content)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
    if UNFINISHED in problems[0]["msg"]:
        raise SourceNotReadyError("a control file that ends in the middle", "one written to its end", name)
    wrong = (f"{_place(problem['loc'])}: {problem['msg']}" for problem in problems)
    raise ControlFileError("; ".join(wrong), "closing_date and files as in docs/how-to/file-drops.md", name)


def check_control(control: ControlFile, name: str, source: InboxSource, dates: Mapping[str, date]) -> None:
    """Hold a control file against the portfolio and the day.

    Args:
        control: What it says.
        name: For errors.
        source: Declares the kinds and the names of their files.
        dates: Of the day.

    Raises:
        ControlFileError: It is another day's, or lists what it must not.
    """
    if control.closing_date != dates["closing_date"]:
        raise ControlFileError(f"closing_date {control.closing_date}", f"closing_date {dates['closing_date']}", name)
    wrong = _wrong_files(control, source, dates)
    if wrong:
        raise ControlFileError("; ".join(wrong), "each declared kind, by files of its pattern, each once", name)


def _place(location: Sequence[str | int]) -> str:
    """Where a mistake is: numbers and plain names, for a key may be anything."""
    is_told = (isinstance(part, int) or PLAIN_NAME.fullmatch(part) for part in location)
    return ".".join(str(part) if told else "?" for part, told in zip(location, is_told, strict=True)) or "the file"


def _wrong_files(control: ControlFile, source: InboxSource, dates: Mapping[str, date]) -> list[str]:
    names = [file.name for file in control.files]
    wrong = [
        f"files.{names.index(name)} is listed {names.count(name)} times"
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    for number, file in enumerate(control.files):
        declared = source.files.get(file.kind)
        if declared is None:
            wrong.append(f"files.{number} is of a kind that the portfolio does not declare")
        elif not fnmatchcase(file.name, dated(declared.pattern, dates)):
            pattern = dated(declared.pattern, dates)
            wrong.append(f"files.{number} has no name of a {file.kind} of that day: {pattern}")
    wrong += [f"no file of kind {kind}" for kind in source.files if kind not in {file.kind for file in control.files}]
    return wrong
