"""One folder on any file system that fsspec knows, with our errors.

Belongs here: listing, reading, copying and removing files. Which files a day is made of is decided elsewhere.
"""

from __future__ import annotations

import glob
import hashlib
import math
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fsspec

from arrears.errors import SourceLimitError, SourceNameError, SourceNotReadyError, SourceUnreachableError
from arrears.sources.limits import MB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK = 1 << 20
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}")  # of each part of a path


@dataclass(frozen=True)
class Copy:
    """A private copy of one file of a source.

    Attributes:
        path: Where it lies.
        name: The file's name in its folder, as shown to people.
        sha256: Of the copy, so that what is hashed is what is read.
    """

    path: Path
    name: str
    sha256: str


class SourceFolder:
    """One folder; it need not exist.

    Args:
        url: fsspec URL or absolute path.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._files, root = fsspec.core.url_to_fs(url)
        self._files.invalidate_cache()  # what was there when this process last looked is of no interest
        self._root = str(root).rstrip("/")

    def __truediv__(self, name: str) -> SourceFolder:
        return SourceFolder(f"{self.url.rstrip('/')}/{name}")

    @property
    def name(self) -> str:
        """Its last part."""
        return self._root.rsplit("/", 1)[-1]

    def names(self, pattern: str = "*") -> list[str]:
        """Names below the folder that match a glob, sorted; none when there is no folder.

        Raises:
            SourceUnreachableError: The file system did not answer.
        """
        try:
            found = self._files.glob(f"{glob.escape(self._root)}/{pattern}")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SourceUnreachableError(type(error).__name__, "a folder that answers", self.url) from None
        return sorted(str(path).removeprefix(f"{self._root}/") for path in found)

    def is_plain(self, name: str) -> bool | None:
        """Whether a name is a file and no link or folder; None when there is nothing of that name.

        Raises:
            SourceUnreachableError: The file system did not answer.
        """
        try:
            info = self._files.info(self._path(name))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SourceUnreachableError(type(error).__name__, "a folder that answers", name) from None
        return info["type"] == "file" and not info.get("islink", False)

    def check_plain(self, name: str) -> None:
        """Refuse what may not be opened, whatever it holds.

        Raises:
            SourceNameError: It is a link, a folder or a device, lies outside the folder, or is not named as allowed.
            SourceNotReadyError: It is not there.
            SourceUnreachableError: The file system did not answer.
        """
        if not all(NAME.fullmatch(part) for part in name.split("/")):
            shown = re.sub(r"[^A-Za-z0-9._/-]", "?", name)[:120]
            raise SourceNameError("a name with other signs", "letters, digits, dot, hyphen and underscore", shown)
        is_plain = self.is_plain(name)
        if is_plain is None:
            raise SourceNotReadyError("a file went away", "a complete delivery", name)
        if not is_plain:
            raise SourceNameError("a link, a folder or a device", "a file", name)
        if self._is_local and not os.path.realpath(self._path(name)).startswith(f"{os.path.realpath(self._root)}/"):
            raise SourceNameError("a way out of the folder, by a linked folder", "a file below it", name)

    def head(self, name: str, size: int) -> bytes:
        """The first bytes of a file.

        Raises:
            SourceNotReadyError: It is not there.
            SourceUnreachableError: The file system did not answer.
        """
        with self._reading(name) as file:
            found: bytes = file.read(size)
        return found

    def sha256(self, name: str, most_mb: float = math.inf) -> str:
        """SHA-256 of a file.

        Raises:
            SourceNotReadyError: It is not there.
            SourceLimitError: It is larger than ``most_mb``.
            SourceUnreachableError: The file system did not answer.
        """
        with self._reading(name) as file:
            digest = _hashed(file, most=most_mb * MB)
            if file.tell() > most_mb * MB:
                raise SourceLimitError(f"more than {most_mb} MB", "a file within its limits", name)
        return digest

    def state(self, name: str) -> tuple[int, float] | None:
        """Size and time of the last change of a file on this machine; None of one that is put in its place whole.

        Raises:
            SourceNotReadyError: It is not there.
            SourceUnreachableError: The file system did not answer.
        """
        if not self._is_local:
            return None
        try:
            status = os.stat(self._path(name))  # noqa: PTH116  a path of the file system's own
        except FileNotFoundError:
            raise SourceNotReadyError("a file went away", "a complete delivery", name) from None
        except OSError as error:
            raise SourceUnreachableError(type(error).__name__, "a readable file", name) from None
        return status.st_size, status.st_mtime

    def fetch(self, name: str, path: Path, most_mb: int) -> Copy:
        """Copy one file to a private place.

        Args:
            name: Which.
            path: Where to.
            most_mb: More is not copied.

        Raises:
            SourceNotReadyError: It is not there, or changed meanwhile.
            SourceLimitError: It is larger.
            SourceUnreachableError: The file system did not answer.
        """
        before = self.state(name)
        with self._reading(name) as file, path.open("wb") as local:
            copy = Copy(path, name, _hashed(file, local, most_mb << 20))
        if self.state(name) != before:
            raise SourceNotReadyError("a file that changed while it was read: still growing", "a complete file", name)
        if path.stat().st_size > most_mb << 20:
            raise SourceLimitError(f"more than {most_mb} MB", "a file within its limits", name)
        return copy

    def copy_to(self, name: str, there: SourceFolder) -> str:
        """Copy one file into another folder, on whatever file system; SHA-256 of what was copied.

        Raises:
            SourceNotReadyError: It is not there.
            SourceUnreachableError: A file system did not answer.
        """
        with self._reading(name) as file, there.writing(name) as target:
            return _hashed(file, target)

    @contextmanager
    def writing(self, name: str) -> Iterator[Any]:
        """A file to write, in a folder that is made; on a local disk it is synced.

        Raises:
            SourceUnreachableError: The file system did not answer.
        """
        try:
            self._files.makedirs(self._root, exist_ok=True)
            with self._files.open(self._path(name), "wb") as file:
                yield file
                if self._is_local:
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            raise SourceUnreachableError(type(error).__name__, "a folder that may be written", self.url) from None

    def remove(self, name: str) -> bool:
        """Remove one file; whether it was there.

        Raises:
            SourceUnreachableError: The file system did not answer.
        """
        try:
            self._files.rm_file(self._path(name))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise SourceUnreachableError(type(error).__name__, "a folder that may be written", name) from None
        return True

    @property
    def _is_local(self) -> bool:
        protocol = self._files.protocol
        return "file" in (protocol if isinstance(protocol, tuple) else (protocol,))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _reading(self, name: str) -> Iterator[Any]:
        try:
            with self._files.open(self._path(name), "rb") as file:
                yield file
        except FileNotFoundError:
            raise SourceNotReadyError("a file went away", "a complete delivery", name) from None
        except OSError as error:
            raise SourceUnreachableError(type(error).__name__, "a readable file", name) from None


def _hashed(file: Any, target: Any = None, most: float = math.inf) -> str:  # noqa: ANN401  of any file system
    """SHA-256 of what is left of a file, given up past ``most`` bytes; written to ``target`` on the way."""
    digest, read = hashlib.sha256(), 0
    while read <= most and (chunk := file.read(CHUNK)):
        digest.update(chunk)
        read += len(chunk)
        if target is not None:
            target.write(chunk)
    return digest.hexdigest()
