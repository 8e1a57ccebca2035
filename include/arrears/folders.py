"""Private folders for what a process needs while it works, gone afterwards even when the process was killed.

Belongs here: making them, and taking away those of the dead. Raw rows lie in them: a killed job may not leave them to
the machine. A folder belongs to a live process as long as its lock is held; the lock goes with the process.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = ".lock"


@contextmanager
def private_folder(prefix: str) -> Iterator[Path]:
    """A new folder that only we can read; folders of that prefix whose process is dead are removed first.

    Args:
        prefix: Beginning of its name, which tells whoever finds it what it is.
    """
    root = Path(tempfile.gettempdir())
    with _locked(root / f"arrears-folders-{os.getuid()}.lock"):
        for left in root.glob(f"{prefix}*"):
            _remove_if_dead(left)
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_if_dead(folder: Path) -> None:
    """Remove a folder of ours that nobody holds.

    One without a lock is of a process killed as it made it or took it away: while this one looks, nobody makes any.
    """
    with suppress(OSError):
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return
        with _locked(folder / LOCK, wait=False):
            shutil.rmtree(folder)


@contextmanager
def _locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock file.

    Raises:
        OSError: Somebody holds it.
    """
    opened = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CREAT, 0o600)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(opened)
