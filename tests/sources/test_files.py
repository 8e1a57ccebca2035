"""Rows of a folder of files: exactly as declared, every physical line accounted for, no value in a message."""

import csv as csv_module
import gzip
import io
from datetime import date

import duckdb
import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from arrears.contracts import CONTRACTS
from arrears.errors import (
    ConfigurationError,
    ControlTotalError,
    SourceColumnsError,
    SourceFileError,
    SourceLimitError,
    SourceNotReadyError,
    SourceQueryError,
    SourceTypeError,
)
from arrears.source_terms import FileSource
from arrears.sources.csv_text import Quotes
from arrears.sources.files import find, rows_of_files
from arrears.sources.folder import SourceFolder
from arrears.sources.staging import check_delivery
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

DATES = {"business_date": date(2026, 3, 2), "closing_date": date(2026, 3, 1)}
SECRET = "138-0013-8000"  # noqa: S105  a value that no message may show
ALL = "SELECT * FROM thing"


def source(folder, *, pattern="f.csv", file_format="csv", columns=("a", "b"), **declared):
    kind = {"pattern": pattern, "format": file_format, "columns": columns, **declared}
    return FileSource.model_validate({"kind": "files", "directory": str(folder), "files": {"thing": kind}})


def read(folder, tmp_path, select=ALL, **declared):
    """Rows and malformed lines of a SELECT."""
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    with (
        duckdb.connect() as connection,
        rows_of_files(
            source(folder, **declared), select, DATES, connection=connection, folder=work, where="book/thing.sql"
        ) as delivered,
    ):
        rows = delivered.reader.read_all().to_pylist()
        malformed = pq.read_table(delivered.malformed).to_pylist() if delivered.malformed else []
    return rows, malformed


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "landing").mkdir()
    return tmp_path / "landing"


def csv(folder, content, name="f.csv"):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def row(a, b, line, file="f.csv"):
    return {"a": a, "b": b, "source_file": file, "source_line": line}


# ---------------------------------------------------------------------------------------------------- what is read
@pytest.mark.parametrize(
    "content",
    [
        pytest.param("a,b\n1,x\n2,y\n", id="line feeds"),
        pytest.param("a,b\r\n1,x\r\n2,y\r\n", id="carriage returns and line feeds"),
        pytest.param("a,b\n1,x\n2,y", id="no line end after the last row"),
        pytest.param(b"\xef\xbb\xbfa,b\n1,x\n2,y\n", id="a byte order mark"),
        pytest.param('a,b\n"1",x\n2,"y"\n', id="quotes that are not needed"),
    ],
)
def test_csv_is_read_as_text_with_file_and_line(folder, tmp_path, content):
    csv(folder, content)

    assert read(folder, tmp_path) == ([row("1", "x", 2), row("2", "y", 3)], [])


def test_nothing_is_guessed_about_types(folder, tmp_path):
    csv(folder, 'a,b\n007,\nNULL,"NA"\n1e5,2026-02-31\n"a ""quoted"", text", x \n')

    rows, _ = read(folder, tmp_path)

    assert [(found["a"], found["b"]) for found in rows] == [
        ("007", ""),
        ("NULL", "NA"),
        ("1e5", "2026-02-31"),
        ('a "quoted", text', " x "),
    ]


@pytest.mark.parametrize(("encoding", "delimiter"), [("gbk", ","), ("utf-16", ";"), ("latin-1", "\t"), ("utf-8", "|")])
def test_declared_encoding_and_delimiter_are_used(folder, tmp_path, encoding, delimiter):
    word = "café" if encoding == "latin-1" else "张三"
    csv(folder, f"a{delimiter}b\n1{delimiter}{word}\n".encode(encoding))

    rows, _ = read(folder, tmp_path, encoding=encoding, delimiter=delimiter)

    assert rows == [row("1", word, 2)]


def test_all_files_of_the_pattern_are_read_by_name(folder, tmp_path):
    csv(folder, "a,b\n2,y\n", "part_2_2026-03-01.csv")
    csv(folder, gzip.compress(b"a,b\n1,x\n"), "part_1_2026-03-01.csv.gz")
    csv(folder, "a,b\n9,z\n", "part_1_2026-02-28.csv")

    rows, _ = read(folder, tmp_path, f"{ALL} ORDER BY a", pattern="part_*_{closing_date}.csv*")

    assert rows == [row("1", "x", 2, "part_1_2026-03-01.csv.gz"), row("2", "y", 2, "part_2_2026-03-01.csv")]


def test_pattern_may_write_its_date_in_another_form(folder):
    csv(folder, "a,b\n", "thing20260301.csv")

    declared = source(folder, pattern="thing{closing_date:%Y%m%d}.csv")

    assert find(declared, declared.files["thing"], DATES) == ["thing20260301.csv"]


def test_folder_may_be_any_file_system(tmp_path):
    with fsspec.open("memory://landing/f.csv", "wb") as file:
        file.write(b"a,b\n1,x\n")

    rows, _ = read("memory://landing", tmp_path)

    assert rows == [row("1", "x", 2)]


def test_select_runs_over_the_rows_with_its_dates(folder, tmp_path):
    csv(folder, "a,b\n1,2026-03-01\n2,2026-03-02\n")

    rows, _ = read(folder, tmp_path, "SELECT a AS loan_id FROM thing WHERE CAST(b AS DATE) <= :closing_date")

    assert rows == [{"loan_id": "1"}]


def test_parquet_is_read_in_its_own_types(folder, tmp_path):
    for name, value in (("f_1.parquet", 1), ("f_2.parquet", 2)):
        pq.write_table(pa.table({"a": [value], "b": [date(2026, 1, 1)]}), folder / name)

    rows, _ = read(folder, tmp_path, f"{ALL} ORDER BY a", pattern="f_*.parquet", file_format="parquet", columns=())

    assert rows == [row(1, date(2026, 1, 1), 1, "f_1.parquet"), row(2, date(2026, 1, 1), 1, "f_2.parquet")]


def test_uncast_sum_over_files_is_refused(folder, tmp_path):
    csv(folder, "a,b\n1,5\n")
    select = (
        "SELECT 'T' AS transaction_id, 'L' AS loan_id, 'repayment' AS kind_code, '2026-01-01' AS effective_on, "
        "'2026-01-01T00:00Z' AS booked_at, sum(CAST(b AS BIGINT)) AS amount_minor FROM thing"
    )
    with (
        duckdb.connect() as connection,
        pytest.raises(SourceTypeError, match="amount_minor is decimal128"),
        rows_of_files(
            source(folder), select, DATES, connection=connection, folder=tmp_path, where="x.sql"
        ) as delivered,
    ):
        check_delivery(CONTRACTS["raw__transaction"], delivered.reader.schema, "x.sql")


# ------------------------------------------------------------------------------------------------------- malformed
def test_lines_of_another_width_are_kept_apart_with_their_numbers(folder, tmp_path):
    csv(folder, f"a,b\n1,x\n{SECRET}\n2,y\n3,z,{SECRET}\n\n,\n4,w\n")

    rows, malformed = read(folder, tmp_path)

    assert rows == [row("1", "x", 2), row("2", "y", 4), row("4", "w", 8)]
    assert sorted((line["source_line"], line["line"]) for line in malformed) == [
        (3, SECRET),
        (5, f"3,z,{SECRET}"),
        (6, ""),
        (7, ""),
    ]


def test_line_numbers_hold_over_many_blocks(folder, tmp_path):
    wide = "x" * 200
    lines = [f"{number}" if number % 1000 == 7 else f"{number},{wide}" for number in range(2, 120_001)]
    csv(folder, "\n".join(["a,b", *lines]) + "\n")

    rows, malformed = read(folder, tmp_path, "SELECT a, source_line FROM thing")

    assert len(rows) + len(malformed) + 1 == 120_000
    assert [found for found in rows if int(found["a"]) != found["source_line"]] == []
    assert {line["source_line"] for line in malformed} == {n for n in range(2, 120_001) if n % 1000 == 7}


@settings(max_examples=40, deadline=None)
@given(
    content=st.lists(
        st.one_of(st.sampled_from(["1,x", "", "1", "1,2,3", '"1","x"', ",", "张,三"]), st.text("ab,", max_size=6)),
        max_size=30,
    ),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_every_line_without_quotes_is_a_row_or_malformed(tmp_path_factory, content, end):
    tmp_path = tmp_path_factory.mktemp("lines")
    (tmp_path / "landing").mkdir()
    csv(tmp_path / "landing", end.join(["a,b", *content]) + end)

    rows, malformed = read(tmp_path / "landing", tmp_path)

    numbers = [found["source_line"] for found in (*rows, *malformed)]
    assert sorted(numbers) == list(range(2, len(content) + 2))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(*[st.text('a",| ', max_size=5)] * 2).filter(any), min_size=1, max_size=6),
    chunk=st.integers(1, 9),
)
def test_quotes_as_any_writer_writes_them_are_sound(rows, chunk):
    written = io.StringIO()
    csv_module.writer(written, lineterminator="\n").writerows(rows)
    quotes = Quotes(",", "f.csv")

    for at in range(0, len(written.getvalue()), chunk):
        quotes.check(written.getvalue()[at : at + chunk])


# -------------------------------------------------------------------------------------------------------- trailers
TRAILER = {"mark": "TRL", "rows": 2, "sums": {"b": 3}}


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_trailer_is_no_row_and_is_held_against_the_rows(folder, tmp_path, end):
    csv(folder, f"a,b\n1,5\nthree,x,y\n2,-7\nTRL,3,-2{end}")

    rows, malformed = read(folder, tmp_path, trailer=TRAILER)

    assert rows == [row("1", "5", 2), row("2", "-7", 4)]
    assert [line["source_line"] for line in malformed] == [3]


@pytest.mark.parametrize(
    ("content", "error", "found"),
    [
        pytest.param("a,b\n1,5\nTRL,2,5\n", ControlTotalError, "rows 1", id="another number of rows"),
        pytest.param("a,b\n1,5\nTRL,1,6\n", ControlTotalError, "b 5", id="another sum"),
        pytest.param("a,b\n1,5\n2,6\n", SourceFileError, "no trailer", id="cut off before it"),
        pytest.param("a,b\n1,5\nTRL,1\n", SourceFileError, "no trailer", id="cut off in it"),
        pytest.param("a,b\n1,5\nTRL,1,5\n\n", SourceFileError, "no trailer", id="a line after it"),
        pytest.param("a,b\n1,5\nTRL,one,5\n", SourceFileError, "no trailer", id="no number"),
        pytest.param("a,b\n", SourceFileError, "no trailer", id="a header alone"),
    ],
)
def test_trailer_that_is_not_true_or_not_there_refuses_the_file(folder, tmp_path, content, error, found):
    csv(folder, content)

    with pytest.raises(error) as refused:
        read(folder, tmp_path, trailer=TRAILER)

    assert refused.value.found == found
    assert refused.value.where == f"f.csv line {len(content.splitlines())}"


def test_trailer_alone_is_a_file_of_no_rows(folder, tmp_path):
    csv(folder, "a,b\nTRL,0,0\n")

    assert read(folder, tmp_path, trailer=TRAILER) == ([], [])


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param({"file_format": "parquet", "trailer": {"mark": "T"}}, id="of Parquet"),
        pytest.param({"trailer": {"mark": "T", "sums": {"c": 2}}}, id="sum of no column"),
    ],
)
def test_trailer_that_no_file_can_have_is_a_configuration_error(folder, declared):
    with pytest.raises(ValidationError, match="trailer"):
        source(folder, **declared)


# --------------------------------------------------------------------------------------------------------- growing
def test_file_that_grows_while_it_is_copied_is_not_there_yet(folder, tmp_path, monkeypatch):
    csv(folder, "a,b\n1,x\n")
    states = iter([(8, 1.0), (9, 2.0)])
    monkeypatch.setattr(SourceFolder, "state", lambda *_: next(states))

    with pytest.raises(SourceNotReadyError, match="still growing") as late:
        read(folder, tmp_path)

    assert late.value.where == "f.csv"


# --------------------------------------------------------------------------------------------------------- refused
@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        pytest.param("a", "b missing", id="a column missing"),
        pytest.param("a,b,c", "undeclared or repeated in column 3", id="a column too many"),
        pytest.param("a,a,b", "undeclared or repeated in column 2", id="a column twice"),
        pytest.param("b,a", "the columns in another order", id="another order"),
        pytest.param("A,b", "a missing; undeclared or repeated in column 1", id="another spelling"),
        pytest.param("a;b", "a, b missing; undeclared or repeated in column 1", id="another delimiter"),
        pytest.param(
            f"{SECRET},x", "a, b missing; undeclared or repeated in column 1, 2", id="data instead of a header"
        ),
    ],
)
def test_other_header_is_refused_by_name_and_position_only(folder, tmp_path, header, complaint):
    csv(folder, f"{header}\n1,2\n")

    with pytest.raises(SourceColumnsError) as refused:
        read(folder, tmp_path)

    assert refused.value.found == complaint
    assert refused.value.where == "f.csv line 1"
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("f.csv", b"", id="no bytes at all"),
        pytest.param("f.csv", b"\n\n\n", id="blank lines only"),
        pytest.param("f.csv", b'a,b\n1,"' + SECRET.encode() + b"\n2,y\n3,z\n", id="an unclosed quote"),
        pytest.param("f.csv", b'a,b\n1,"x\ny"\n3,z\n', id="a line break inside quotes"),
        pytest.param("f.csv", b'a,b\n1,"' + b"2,y\n" * 5_000_000, id="an unclosed quote over many blocks"),
        pytest.param("f.csv", b'a,b\n2,y\n1,"x"z\n', id="a value that goes on after its quotes"),
        pytest.param("f.csv", b'a,b\n""1,x\n', id="a value after empty quotes"),
        pytest.param("f.csv", b'a,b\n1,"x\n', id="an unclosed quote in the last line"),
        pytest.param("f.csv", b'a,b\n1,"x', id="an unclosed quote in a last line without an end"),
        pytest.param("f.csv", b"a,b\n1,\xff\xfe\n", id="bytes that are no UTF-8"),
        pytest.param("f.csv", "a,b\n1,张\n".encode("gbk"), id="another encoding"),
        pytest.param("f.csv", "a,b\n1,2\n".encode("utf-16"), id="UTF-16 undeclared"),
        pytest.param("f.csv", b"a,b\n" + b"x" * 50_000_000, id="one line of 50 MB"),
        pytest.param("f.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 9999)[:-30], id="a truncated gzip"),
        pytest.param("f.csv.gz", b"a,b\n1,2\n", id="no gzip"),
    ],
)
def test_file_that_is_not_what_it_is_declared_to_be_is_set_aside_whole(folder, tmp_path, name, content):
    csv(folder, content, name)

    with pytest.raises((SourceFileError, SourceLimitError)) as refused:
        read(folder, tmp_path, pattern=name)

    assert name in refused.value.where
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("cut", [0, 4, 200, -1])
def test_torn_parquet_is_set_aside(folder, tmp_path, cut):
    pq.write_table(pa.table({"a": list(range(1000)), "b": ["x"] * 1000}), folder / "f.parquet")
    whole = (folder / "f.parquet").read_bytes()
    (folder / "f.parquet").write_bytes(whole[:cut])

    with pytest.raises(SourceFileError, match=r"f\.parquet"):
        read(folder, tmp_path, pattern="f.parquet", file_format="parquet", columns=())


def test_text_of_parquet_that_is_none_is_named_by_row_and_column(folder, tmp_path):
    words = pa.array([b"one", b"\xff" + SECRET.encode(), b"three"], pa.binary())
    broken = pa.StringArray.from_buffers(3, *words.buffers()[1:])
    pq.write_table(pa.table({"a": [1, 2, 3], "b": broken}), folder / "f.parquet")

    with pytest.raises(SourceFileError, match="utf-8") as refused:
        read(folder, tmp_path, pattern="f.parquet", file_format="parquet", columns=())

    assert refused.value.where == "f.parquet line 2, column b"
    assert SECRET not in str(refused.value)


def test_value_that_the_footer_does_not_speak_of_is_damage_without_a_checksum_too(folder, tmp_path):
    path = folder / "f.parquet"
    pq.write_table(pa.table({"a": [1000, 2000, 3000]}), path, compression="none", use_dictionary=False)
    damaged = path.read_bytes().replace((2000).to_bytes(8, "little"), (2000 + (1 << 40)).to_bytes(8, "little"))
    path.write_bytes(damaged)

    with pytest.raises(SourceFileError, match="footer") as refused:
        read(folder, tmp_path, pattern="f.parquet", file_format="parquet", columns=())

    assert refused.value.where == "f.parquet row group 1, column a"


def test_instant_that_overflows_is_named_by_column_and_a_name_that_may_be_a_value_by_position(folder, tmp_path):
    late = pa.array([1 << 62], pa.int64()).cast(pa.timestamp("ms", "UTC"))
    pq.write_table(pa.table({"a": [1], SECRET: late}), folder / "f.parquet")

    with pytest.raises(SourceFileError, match="instant") as refused:
        read(folder, tmp_path, pattern="f.parquet", file_format="parquet", columns=())

    assert refused.value.where == "f.parquet row group 1, column 2"


def test_header_once_more_is_one_line_that_is_no_row(folder, tmp_path):
    csv(folder, "a,b\n1,x\na,b\n2,y\n")

    rows, malformed = read(folder, tmp_path)

    assert rows == [row("1", "x", 2), row("2", "y", 4)]
    assert malformed == [{"source_file": "f.csv", "source_line": 3, "line": "a,b"}]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_line_of_another_encoding_is_named_whatever_ends_lines(folder, tmp_path, end):
    csv(folder, end.join([b"a,b", b"1,x", b"2,y", b"3,\xff", b"4,z"]))

    with pytest.raises(SourceFileError) as refused:
        read(folder, tmp_path)

    assert refused.value.where == "f.csv line 4"


def test_span_of_time_is_no_amount(folder, tmp_path):
    pq.write_table(pa.table({"a": pa.array([5], pa.duration("s")), "b": ["x"]}), folder / "f.parquet")

    with pytest.raises(SourceTypeError, match="spans of time in column 1"):
        read(folder, tmp_path, pattern="f.parquet", file_format="parquet", columns=())


def test_missing_file_is_waited_for(folder, tmp_path):
    with pytest.raises(SourceNotReadyError, match="thing") as late:
        read(folder, tmp_path)

    assert late.value.retryable


def test_missing_folder_is_waited_for(tmp_path):
    with pytest.raises(SourceNotReadyError):
        read(tmp_path / "nowhere", tmp_path)


@pytest.mark.parametrize(
    ("select", "complaint"),
    [
        pytest.param("SELEC a FROM thing", "syntax error", id="no SQL"),
        pytest.param("SELECT c FROM thing", '"c" not found', id="a column that is not there"),
        pytest.param("SELECT * FROM elsewhere", "elsewhere", id="a table that is not there"),
        pytest.param(f"{ALL}; {ALL}", "not one SELECT", id="two statements"),
        pytest.param("CREATE TABLE x AS SELECT * FROM thing", "not one SELECT", id="no SELECT"),
        pytest.param("SELECT * FROM delivered", "delivered", id="a variable of ours"),
    ],
)
def test_select_that_does_not_run_says_why(folder, tmp_path, select, complaint):
    csv(folder, "a,b\n1,x\n")

    with pytest.raises(SourceQueryError, match=complaint):
        read(folder, tmp_path, select)


@pytest.mark.parametrize("rows", [1, 300_000])
def test_value_that_breaks_a_select_is_in_no_message(folder, tmp_path, rows):
    csv(folder, "a,b\n" + "1,x\n" * rows + f"{SECRET},x\n")

    with pytest.raises(SourceQueryError, match="Conversion") as refused:
        read(folder, tmp_path, "SELECT CAST(a AS INTEGER) AS a FROM thing")

    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__


def test_encoding_that_nobody_knows_is_a_configuration_error(folder, tmp_path):
    csv(folder, "a,b\n1,x\n")

    with pytest.raises(ConfigurationError, match="klingon"):
        read(folder, tmp_path, encoding="klingon")


@pytest.mark.parametrize("pattern", ["f_{month}.csv", "f_{0}.csv", "f_{closing_date.csv", "f_{closing_date.x}.csv"])
def test_pattern_names_dates_only(folder, pattern):
    with pytest.raises(ValidationError, match="the only names in braces"):
        source(folder, pattern=pattern)
