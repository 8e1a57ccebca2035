"""Files made to exhaust their reader: refused within seconds and 512 MB, and the job that asked lives on."""

import gzip
import json
import os
import subprocess
import sys
import threading
import time
import zlib
from dataclasses import asdict
from datetime import date

import duckdb
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from arrears.errors import SourceFileError, SourceLimitError, SourceNameError
from arrears.source_terms import FileSource
from arrears.sources import parsing
from arrears.sources.files import rows_of_files
from arrears.sources.limits import Limits, Shape

DATES = {"business_date": date(2026, 3, 2), "closing_date": date(2026, 3, 1)}
LIMITS = Limits(delivered_mb=1, unpacked_mb=10, rows=100, columns=10, cell_kb=1, memory_mb=512, seconds=60)
SECONDS, MEMORY_MB = 5, 512


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "landing").mkdir()
    (tmp_path / "work").mkdir()
    return tmp_path


def read(folder, pattern, file_format="csv", **limits):
    """The rows of the files that match; read twice, the second time into the same place."""
    columns = ("a", "b") if file_format == "csv" else ()
    declared = {"pattern": pattern, "format": file_format, "columns": columns}
    source = FileSource(kind="files", directory=str(folder / "landing"), files={"thing": declared}, limits=limits)
    select = "SELECT * FROM thing"
    with (
        duckdb.connect() as connection,
        rows_of_files(
            source, select, DATES, connection=connection, folder=folder / "work", where="thing.sql"
        ) as delivered,
    ):
        return delivered.reader.read_all().to_pylist()


def packed(*pieces):
    """Gzip of pieces, each repeated so often, never held unpacked."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(piece) for piece, times in pieces for _ in range(times)) + packer.flush()


MILLION = b"\0" * 2**20
ROWS = b"1,2\n" * 2**18
BOMBS = {
    "gzip of 4 GB of zeros": ("f.csv.gz", "csv", lambda: packed((b"a,b\n1,2\n", 1), (MILLION, 4096))),
    "gzip of 2 GB of equal rows": ("f.csv.gz", "csv", lambda: packed((b"a,b\n", 1), (ROWS, 2048))),
    "gzip of a header without end": ("f.csv.gz", "csv", lambda: packed((b"a" * 2**20, 512))),
    "gzip in gzip": ("f.csv.gz", "csv", lambda: gzip.compress(packed((b"a,b\n1,2\n", 1), (MILLION, 1024)))),
    "one value of 10 MB": ("f.csv", "csv", lambda: b"a,b\n1,2\n3," + b"x" * (10 << 20) + b"\n5,6\n"),
    "one value of 2 MB": ("f.csv", "csv", lambda: b"a,b\n1,2\n3," + b"x" * (2 << 20) + b"\n5,6\n"),
    "Parquet of 200 million rows in kilobytes": ("f.parquet", "parquet", lambda: equal_rows(200_000_000)),
    "Parquet of 5 million rows in kilobytes": ("f.parquet", "parquet", lambda: equal_rows(5_000_000)),
    "Parquet of one value of 1 MB, a million times": ("f.parquet", "parquet", lambda: repeated_value(2**20)),
    "Parquet of 20,000 columns": ("f.parquet", "parquet", lambda: many_columns(20_000)),
}


DEAR = {"Parquet of 200 million rows in kilobytes"}  # making it takes seconds


def equal_rows(rows):
    """A Parquet file of so many equal rows, written by DuckDB a stretch at a time."""
    sink = pa.BufferOutputStream()
    stretch = pa.table({"a": pa.repeat(pa.scalar("x"), 1_000_000), "b": pa.repeat(pa.scalar(1), 1_000_000)})
    with pq.ParquetWriter(sink, stretch.schema, compression="zstd") as writer:
        for _ in range(rows // 1_000_000):
            writer.write_table(stretch, row_group_size=1_000_000)
    return sink.getvalue().to_pybytes()


def repeated_value(size):
    """The dictionary holds it once, the rows name it: a terabyte in words, kilobytes on disk."""
    sink = pa.BufferOutputStream()
    values = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), 900_000), pa.array(["x" * size]))
    pq.write_table(pa.table({"a": values}), sink, compression="zstd", dictionary_pagesize_limit=1 << 24)
    return sink.getvalue().to_pybytes()


def many_columns(number):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({f"c{n}": [1] for n in range(number)}), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.chaos if name in DEAR else ()) for name in BOMBS]
)
def test_bomb_is_refused_in_time_and_memory_and_the_next_file_is_read(folder, name, record_property):
    file, file_format, made = BOMBS[name]
    (folder / "landing" / file).write_bytes(made())
    (folder / "landing" / "next.csv").write_text("a,b\n1,2\n")
    began, peak = time.monotonic(), Peak()

    with peak, pytest.raises((SourceLimitError, SourceFileError)) as refused:
        read(folder, file, file_format)

    assert refused.value.code in ("ARR-EXT-009", "ARR-EXT-005")
    assert file in str(refused.value)
    assert len(str(refused.value)) < 500
    seconds = time.monotonic() - began
    record_property("bomb", f"{name}|{seconds}|{peak.mb}")
    assert seconds < SECONDS * patience()
    assert peak.mb < MEMORY_MB
    assert len(read(folder, "next.csv")) == 1


def test_value_that_is_too_large_is_named_by_line_and_column(folder):
    (folder / "landing" / "f.csv").write_bytes(BOMBS["one value of 2 MB"][2]())

    with pytest.raises(SourceLimitError, match=r"f\.csv line 3, column b"):
        read(folder, "f.csv")


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        pytest.param({"rows": 2}, "3 rows", id="rows"),
        pytest.param({"delivered_mb": 1}, "more than 1 MB", id="size as delivered"),
        pytest.param({"unpacked_mb": 1}, "once unpacked", id="size once unpacked"),
    ],
)
def test_limits_are_the_portfolio_s(folder, limits, named):
    filler = "x" * 600_000
    (folder / "landing" / "f.csv").write_text(f"a,b\n1,{filler}\n2,{filler}\n3,{filler}\n")
    assert len(read(folder, "f.csv")) == 3

    with pytest.raises(SourceLimitError, match=named):
        read(folder, "f.csv", **limits)


def test_reader_that_dies_is_an_error_with_a_code_and_the_next_one_reads(folder, monkeypatch):
    (folder / "landing" / "f.csv").write_text("a,b\n1,2\n")
    read(folder, "f.csv")
    room = parsing._rooms["room"]  # noqa: SLF001  the process is to be ended from outside
    os.kill(room._process.pid, 9)  # noqa: SLF001
    room._process.wait()  # noqa: SLF001
    monkeypatch.setattr(type(room), "is_open", property(lambda _: True))

    with pytest.raises(SourceLimitError, match="given up"):
        read(folder, "f.csv")

    monkeypatch.undo()
    assert len(read(folder, "f.csv")) == 1


def test_room_knows_no_secret_of_ours(folder, monkeypatch):
    (folder / "landing" / "f.csv").write_text("a,b\n1,2\n")
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", "postgresql://nobody:secret@localhost/none")
    parsing._rooms.clear()  # noqa: SLF001  a new one, under these settings

    read(folder, "f.csv")

    environment = psutil.Process(parsing._rooms["room"]._process.pid).environ()  # noqa: SLF001
    assert not [name for name in environment if name.startswith(("ARREARS", "AIRFLOW"))]
    assert "secret" not in str(environment)


READS_ONE_OF_EACH = """
import json, sys
from arrears.sources import parsing
sys.meta_path.insert(0, parsing._WithoutPandas())
parsing._import_for_all()
known = set(sys.modules)
answers = [parsing._obey(line.encode()) for line in sys.stdin]
new = sorted(name for name in set(sys.modules) - known if not name.startswith("encodings."))
print(json.dumps([answers, new]))
"""


def test_forks_import_nothing_that_the_room_could_have(folder):
    """It was 70 ms of each file, fifteen times a day."""
    (folder / "f.csv").write_text("a,b\n1,2\n")
    pq.write_table(pa.table({"a": ["1"], "b": ["2"]}), folder / "f.parquet")
    orders = [
        parsing.Order(
            [(str(folder / name), name)],
            Shape(kind, ",", "utf-8", columns),
            LIMITS,
            str(folder / kind),
            str(folder / "m"),
        )
        for name, kind, columns in (("f.csv", "csv", ("a", "b")), ("f.parquet", "parquet", ()))
    ]

    done = subprocess.run(
        [sys.executable, "-c", READS_ONE_OF_EACH],
        input="".join(f"{json.dumps(asdict(order))}\n" for order in orders),
        env={**os.environ, **parsing.ONE_THREAD},
        capture_output=True,
        text=True,
        check=True,
    )

    answers, imported = json.loads(done.stdout)
    assert answers == [{"malformed": {"f.csv": 0}}, {"malformed": {}}]
    assert imported == []


# ------------------------------------------------------------------------------------------------------------ names
def outside(folder):
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "f.csv").write_text("a,b\n1,2\n")
    return folder / "elsewhere"


def linked_file(folder):
    (folder / "landing" / "f.csv").symlink_to(outside(folder) / "f.csv")


def linked_folder(folder):
    (folder / "landing" / "f").symlink_to(outside(folder))


def pipe(folder):
    os.mkfifo(folder / "landing" / "f.csv")


def odd_name(folder):
    (folder / "landing" / "f\n; rm.csv").write_text("a,b\n1,2\n")


@pytest.mark.parametrize(
    ("made", "pattern"),
    [
        pytest.param(linked_file, "f.csv", id="a link"),
        pytest.param(linked_folder, "f/f.csv", id="a linked folder"),
        pytest.param(pipe, "f.csv", id="a pipe, which nobody ever writes into"),
        pytest.param(odd_name, "f*.csv", id="a name with a line break"),
    ],
)
def test_what_is_no_plain_file_of_an_allowed_name_is_not_opened(folder, made, pattern):
    made(folder)

    with pytest.raises(SourceNameError) as refused:
        read(folder, pattern)

    assert "\n" not in str(refused.value)


class Peak:
    """Most memory that the processes below this one had meanwhile, in MB, looked at twenty times a second."""

    def __init__(self):
        self.mb = 0
        self._room = None

    def __enter__(self):
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _watch(self):
        while not self._ended.wait(0.05):
            for process in psutil.Process().children(recursive=True):
                try:
                    self.mb = max(self.mb, process.memory_info().rss >> 20)
                except psutil.NoSuchProcess:
                    continue


def patience():
    """How many times longer than alone a process may take here: others share the machine."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)) * 2
