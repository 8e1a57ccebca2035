"""Reads delivered files in a process that may use so much memory, time and disk, and no more.

Whatever a file does to its reader, it does it there: the job that asked gets a coded error, and goes on living. Every
job process has one *room*, a small process that has imported what reading needs; it forks for each order, and the fork
limits itself before it opens a file. It inherits no setting and no secret of ours.

Belongs here: the room, its limits, and what becomes of a reader that dies. How a file is read: ``csv_text`` and
``parquet_file``.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import select
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arrears import errors
from arrears.errors import ArrearsError, SourceLimitError
from arrears.sources.limits import MB, Limits, Shape, Trailer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

PYTHON = ("PYTHONPATH", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")  # an image finds us by the first
INHERITED = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR", *PYTHON)
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
FILES_OPEN = 128
FULL = (errno.ENOSPC, errno.EDQUOT)
GRACE_SECONDS = 10


@dataclass(frozen=True)
class Order:
    """Files of one kind to be read.

    Attributes:
        files: Path of each local copy, and the name shown to people.
        shape: What is declared of them.
        limits: What they may be.
        rows: Parquet file of the rows that is made: of all CSV files one, of Parquet files one each, numbered.
        malformed: Parquet file that takes the lines that are no rows.
    """

    files: Sequence[tuple[str, str]]
    shape: Shape
    limits: Limits
    rows: str
    malformed: str

    @property
    def parts(self) -> list[str]:
        """The files of rows that are made."""
        return [self.rows] if self.shape.format == "csv" else [f"{self.rows}.{n}" for n in range(len(self.files))]


# --------------------------------------------------------------------------------------------------- the job's side
class _Room:
    """The process that reads for this one."""

    def __init__(self) -> None:
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self.owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "arrears.sources.parsing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a library's last words may hold what was delivered
            env={**kept, **ONE_THREAD},
            start_new_session=True,
        )

    @property
    def is_open(self) -> bool:
        return self.owner == os.getpid() and self._process.poll() is None

    def ask(self, order: Order) -> dict[str, Any]:
        """The reader's answer; one who says nothing in time is ended, and the room with it."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:  # both are pipes
            raise AssertionError
        answer = b""
        try:
            stdin.write(json.dumps(asdict(order)).encode() + b"\n")
            stdin.flush()
            if select.select([stdout], [], [], order.limits.seconds + GRACE_SECONDS)[0]:
                answer = stdout.readline()
        except BrokenPipeError:
            pass
        if not answer:
            self.close()
            return {"died": "ended by us, or by the machine"}
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


_rooms: dict[str, _Room] = {}


def parse(order: Order) -> dict[str, int]:
    """Read files in the room of this process.

    Args:
        order: What to read, and where to.

    Returns:
        Lines that are no rows, by name of the file.

    Raises:
        SourceColumnsError: Columns are not those declared.
        SourceTypeError: A column of a Parquet file is nested.
        SourceFileError: A file is not what it is declared to be.
        SourceLimitError: A file is more than a file may be, or reading it used more than it may.
        ControlTotalError: A file's trailer says other rows or sums.
        ConfigurationError: The declared encoding is none.
        StorageError: There is no room for what is read.
    """
    room = _rooms.get("room")
    if room is None or not room.is_open:
        room = _rooms["room"] = _Room()
    answer = room.ask(order)
    if "error" in answer:
        kind: type[ArrearsError] = getattr(errors, answer["error"])
        raise kind(*answer["said"])
    if "died" in answer:
        limits = order.limits
        raise SourceLimitError(
            f"reading was given up ({answer['died']})",
            f"files that are read with {limits.memory_mb} MB in {limits.seconds} s",
            ", ".join(name for _, name in order.files),
        )
    malformed: dict[str, int] = answer["malformed"]
    return malformed


# -------------------------------------------------------------------------------------------------- the room's side
def serve(orders: BinaryIO, answers: BinaryIO) -> None:
    """Fork a limited reader for each order until nobody orders any more."""
    for line in orders:
        reading, writing = os.pipe()
        reader = os.fork()
        if reader == 0:
            os.close(reading)
            with os.fdopen(writing, "wb") as said:
                said.write(json.dumps(_obey(line)).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as heard:
            answer = heard.read()
        _, status = os.waitpid(reader, 0)
        if status or not answer:
            answer = json.dumps({"died": _words(status)}).encode()
        answers.write(answer + b"\n")
        answers.flush()


def _words(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"its process ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"its process ended with {os.waitstatus_to_exitcode(status)}"


def _obey(line: bytes) -> dict[str, Any]:
    """One order, in a process of its own."""
    given = json.loads(line)
    order = Order(
        [(path, name) for path, name in given["files"]],
        _shape(given["shape"]),
        Limits(**given["limits"]),
        given["rows"],
        given["malformed"],
    )
    _limit(order.limits)
    try:
        return {"malformed": _read(order)}
    except ArrearsError as error:
        return {"error": type(error).__name__, "said": error.args}
    except OSError as error:
        if error.errno in FULL:
            return {"error": "StorageError", "said": ["no space left", "a disk with room", "temporary folder"]}
        return {"died": type(error).__name__}
    except MemoryError:  # Arrow's is one too
        return {"died": "out of its memory"}
    except Exception as error:  # noqa: BLE001  its text may hold what was delivered: only its kind leaves the room
        return {"died": type(error).__name__}


def _shape(given: dict[str, Any]) -> Shape:
    trailer = Trailer(**given["trailer"]) if given["trailer"] else None
    return Shape(**{**given, "columns": tuple(given["columns"]), "trailer": trailer})


def _limit(limits: Limits) -> None:
    most = {
        resource.RLIMIT_DATA: limits.memory_mb * MB,
        resource.RLIMIT_CPU: limits.seconds,
        resource.RLIMIT_FSIZE: 2 * limits.unpacked_mb * MB,
        resource.RLIMIT_NOFILE: FILES_OPEN,
        resource.RLIMIT_CORE: 0,
    }
    for what, number in most.items():
        resource.setrlimit(what, (number, number))


def _read(order: Order) -> dict[str, int]:
    import pyarrow as pa  # noqa: PLC0415  the job's side has no use for these
    import pyarrow.parquet as pq  # noqa: PLC0415

    from arrears.sources.csv_text import read_csv, row_schema  # noqa: PLC0415
    from arrears.sources.parquet_file import read_parquet  # noqa: PLC0415

    if order.shape.format == "parquet":
        for (path, name), part in zip(order.files, order.parts, strict=True):
            read_parquet(Path(path), order.shape, name, Path(part), order.limits)
        return {}
    with pq.ParquetWriter(order.rows, row_schema(order.shape.columns), compression="lz4") as rows:
        lines = [read_csv(Path(path), order.shape, name, rows, order.limits) for path, name in order.files]
    counts = {one.source_file: len(one.numbers) for one in lines}
    if any(counts.values()):
        pq.write_table(pa.concat_tables(one.table() for one in lines), order.malformed)
    return counts


class _WithoutPandas(MetaPathFinder):
    """Hides pandas, which Arrow would import in every fork only to ask whether a list is a series of it."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        """Refuse the one name.

        Raises:
            ModuleNotFoundError: It is that.
        """
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


def _import_for_all() -> None:
    """Import once what every fork would import for itself.

    Arrow and numpy leave some of it until it is asked for, by the first array made of a list, or the first mask.
    """
    import numpy as np  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    import arrears.sources.csv_text  # noqa: PLC0415
    import arrears.sources.parquet_file  # noqa: F401, PLC0415

    pa.array([""])
    np.isin(pa.array(np.arange(1)).to_numpy(), [0])


def main() -> None:
    """The room: answers on the pipe it was given, and nothing else gets there."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.meta_path.insert(0, _WithoutPandas())
    _import_for_all()
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
