"""A lake partition: whole or not there, true to its contract, the same whoever wrote it."""

import hashlib
import json
import signal
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import fsspec
import pandas as pd
import pytest
from arrears.contracts.model import count, text
from arrears.errors import PartitionCorruptError, PartitionMissingError, SchemaRefusedError
from arrears.lake import Lake
from support.things import DAY, KEY, NULLS, ONE, THING, TWO, start_writer, write


@pytest.fixture
def connection():
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.fixture(params=["file", "memory"])
def lake(request, tmp_path):
    if request.param == "file":
        return Lake(f"file://{tmp_path / 'lake'}")
    fsspec.filesystem("memory").store.clear()
    return Lake("memory://lake", cache=tmp_path / "cache")


def ids(lake, connection, key=KEY):
    lake.view(connection, key)
    return [row[0] for row in connection.execute("SELECT thing_id FROM core__thing ORDER BY 1").fetchall()]


def parts(tmp_path):
    return sorted((tmp_path / "lake" / KEY.path).glob("part-*.parquet"))


# ------------------------------------------------------------------------------------------------- what is written
def test_written_partition_reads_back_with_rows_totals_and_standard_columns(lake, connection):
    manifest = write(lake, connection, inputs={"raw__loan": "abc"}, known_until="2026-03-02T00:00:00+00:00")
    lake.view(connection, KEY, "back")

    back = connection.execute("SELECT portfolio, business_date, thing_id, amount_minor FROM back ORDER BY 3").fetchall()

    assert back == [("book", DAY, "a", 1), ("book", DAY, "b", 2)]
    assert (manifest.rows, manifest.totals) == (2, {"amount_minor": 3})
    assert manifest.inputs == {"raw__loan": "abc"}
    assert lake.find(KEY) == manifest
    assert lake.dates("book", "core__thing") == [DAY]


def test_partition_never_written_is_told_as_missing(lake, connection):
    with pytest.raises(PartitionMissingError):
        lake.view(connection, KEY)

    assert lake.find(KEY) is None


def test_empty_partition_is_a_partition(lake, connection):
    manifest = write(lake, connection, f"SELECT * FROM ({ONE}) WHERE FALSE")

    assert (manifest.rows, manifest.totals) == (0, {"amount_minor": 0})
    assert ids(lake, connection) == []


@pytest.mark.parametrize(
    ("select", "complaint"),
    [
        pytest.param(ONE.replace("1::BIGINT", "sum(1::BIGINT)"), "amount_minor is HUGEINT", id="an uncast SUM"),
        pytest.param(ONE.replace("1::BIGINT", "1::DOUBLE"), "amount_minor is DOUBLE", id="money as a float"),
        pytest.param(ONE.replace("1::BIGINT", "1::DECIMAL(18,2)"), "DECIMAL", id="money as a decimal"),
        pytest.param(ONE.replace("AS note", "AS remark"), "note is missing", id="a column under another name"),
        pytest.param(ONE.replace("'a' AS", "5 AS more, 'a' AS"), "more is not in the contract", id="a column too many"),
        pytest.param(ONE.replace("'a'", "NULL::VARCHAR"), "1 rows without thing_id", id="NULL where none may be"),
    ],
)
def test_result_that_is_not_the_contracts_is_refused_and_changes_nothing(lake, connection, select, complaint):
    before = write(lake, connection)

    with pytest.raises(SchemaRefusedError, match=complaint.replace("(", r"\(")):
        write(lake, connection, select)

    assert lake.find(KEY) == before
    assert ids(lake, connection) == ["a", "b"]


# ---------------------------------------------------------------------------------------------------- content hash
def test_content_hash_is_equal_for_equal_rows_in_another_order_and_file_layout(tmp_path, connection):
    rows = f"SELECT 'id-' || x AS thing_id, x::BIGINT AS amount_minor, {NULLS} FROM range(300000) AS numbers (x)"
    other = Lake(f"file://{tmp_path / 'other'}")

    hashes = {
        write(Lake(f"file://{tmp_path / 'lake'}"), connection, rows).content_hash,
        write(other, connection, f"{rows} ORDER BY hash(x)").content_hash,
    }
    connection.execute("SET threads = 1")
    hashes.add(write(other, connection, f"{rows} ORDER BY x DESC", run_ref="again").content_hash)

    assert len(hashes) == 1


def test_content_hash_is_equal_for_rows_that_another_engine_made(tmp_path, connection):
    connection.execute(f"CREATE TABLE things AS {TWO}")
    frame = pd.DataFrame({"thing_id": ["b", "a"], "amount_minor": [2, 1], "note": ["", None]})
    connection.register("frame", frame)
    by_pandas = (
        "SELECT thing_id, amount_minor, CASE thing_id WHEN 'b' THEN DATE '2026-01-31' END AS seen_on, "
        "CASE thing_id WHEN 'b' THEN TIMESTAMPTZ '2026-01-31 02:00:00Z' END AS seen_at, "
        "CASE thing_id WHEN 'b' THEN TRUE END AS is_seen, note FROM frame"
    )

    by_duckdb = write(Lake(f"file://{tmp_path / 'one'}"), connection, "SELECT * FROM things")

    assert write(Lake(f"file://{tmp_path / 'two'}"), connection, by_pandas).content_hash == by_duckdb.content_hash


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(TWO.replace("2::BIGINT", "3::BIGINT"), id="one minor unit more"),
        pytest.param(TWO.replace("TRUE, ''", "TRUE, NULL"), id="NULL instead of an empty text"),
        pytest.param(TWO.replace("TRUE, ''", "FALSE, ''"), id="the other boolean"),
        pytest.param(TWO.replace("10:00:00+08", "10:00:00+09"), id="another instant of the same wall clock"),
        pytest.param(f"{TWO} UNION ALL {ONE}", id="a row twice"),
        pytest.param(ONE, id="a row less"),
    ],
)
def test_content_hash_moves_with_the_rows(tmp_path, connection, other):
    first = write(Lake(f"file://{tmp_path / 'one'}"), connection)

    second = write(Lake(f"file://{tmp_path / 'two'}"), connection, other)

    assert second.content_hash != first.content_hash


def test_content_hash_keeps_neighbouring_texts_apart(tmp_path, connection):
    contract = replace(THING, columns=(text("thing_id", ""), text("note", "")), totals=())
    lake = Lake(f"file://{tmp_path / 'lake'}")

    one = write(lake, connection, "SELECT 'ab' AS thing_id, 'c' AS note", contract=contract)
    other = write(lake, connection, "SELECT 'a' AS thing_id, 'bc' AS note", contract=contract)

    assert one.content_hash != other.content_hash


def test_content_hash_is_what_its_definition_says(lake, connection):
    """Lakes outlive versions: what this test computes by hand may never move."""
    rows = "SELECT 'ä' AS thing_id, NULL AS note UNION ALL SELECT 'b', ''"
    contract = replace(THING, columns=(text("thing_id", ""), text("note", "", nullable=True)), totals=())

    some = write(lake, connection, rows, contract=contract)
    none = write(lake, connection, f"{rows} LIMIT 0", contract=contract)

    assert some.content_hash == defined_hash("4:book10:2026-03-022:ä-1:", "4:book10:2026-03-021:b0:")
    assert (none.rows, none.content_hash) == (0, defined_hash())


def defined_hash(*rows):
    numbers = [int.from_bytes(hashlib.md5(row.encode()).digest(), "little") for row in rows]  # noqa: S324  no secret
    halves = (sum(number % 2**64 for number in numbers), sum(number >> 64 for number in numbers))
    return hashlib.sha256(f"core__thing:1:{len(rows)}:{halves[0]}:{halves[1]}".encode()).hexdigest()


def test_content_hash_moves_with_the_contracts_version(lake, connection):
    first = write(lake, connection)

    second = write(lake, connection, contract=replace(THING, version=2))

    assert second.content_hash != first.content_hash


# ------------------------------------------------------------------------------------------------- written again
def test_writing_the_same_rows_again_changes_no_file(tmp_path, connection):
    lake = Lake(f"file://{tmp_path / 'lake'}")
    first = write(lake, connection, run_ref="first", known_until="then")
    before = {path: path.read_bytes() for path in (tmp_path / "lake").rglob("*") if path.is_file()}

    second = write(lake, connection, f"SELECT * FROM ({TWO}) ORDER BY thing_id DESC", run_ref="second")

    after = {path: path.read_bytes() for path in (tmp_path / "lake").rglob("*") if path.is_file()}
    assert second == first
    assert before
    assert after == before


def test_same_rows_from_other_inputs_move_the_manifest_only(tmp_path, connection):
    lake = Lake(f"file://{tmp_path / 'lake'}")
    first = write(lake, connection, inputs={"raw__loan": "old"})

    second = write(lake, connection, inputs={"raw__loan": "new"})

    assert second.files == first.files
    assert lake.manifest(KEY).inputs == {"raw__loan": "new"}
    assert second.load_id != first.load_id


def test_reader_of_the_replaced_manifest_can_finish(tmp_path, connection):
    lake = Lake(f"file://{tmp_path / 'lake'}")
    write(lake, connection, ONE)
    lake.view(connection, KEY, "held")

    write(lake, connection, TWO)

    assert connection.execute("SELECT count(*) FROM held").fetchall() == [(1,)]
    assert ids(lake, connection) == ["a", "b"]


def test_data_files_of_older_generations_are_removed(tmp_path, connection):
    lake = Lake(f"file://{tmp_path / 'lake'}")

    for number in range(5):
        write(lake, connection, ONE.replace("1::BIGINT", f"{number}::BIGINT"))

    assert len(parts(tmp_path)) == 2  # in force, and the one a reader may still hold
    assert lake.manifest(KEY).totals == {"amount_minor": 4}


# ------------------------------------------------------------------------------------------------------ corruption
def test_every_flipped_bit_of_a_file_is_detected(tmp_path, connection):
    lake = Lake(f"file://{tmp_path / 'lake'}")
    write(lake, connection)
    (part,) = parts(tmp_path)
    good = part.read_bytes()
    missed = []

    for position in range(0, len(good), 7):
        part.write_bytes(good[:position] + bytes([good[position] ^ (1 << position % 8)]) + good[position + 1 :])
        try:
            Lake(f"file://{tmp_path / 'lake'}").view(connection, KEY)
            missed.append(position)
        except PartitionCorruptError:
            pass

    assert len(good) > 700
    assert missed == []


def test_changed_file_is_told_and_written_again(tmp_path, connection):
    lake = Lake(f"file://{tmp_path / 'lake'}")
    first = write(lake, connection)
    parts(tmp_path)[0].write_bytes(b"PAR1 not any more")

    with pytest.raises(PartitionCorruptError, match="changed after it was written"):
        lake.view(connection, KEY)
    again = write(lake, connection)

    assert again.content_hash == first.content_hash
    assert ids(lake, connection) == ["a", "b"]


def test_missing_file_is_told_and_written_again(lake, connection):
    first = write(lake, connection)
    lake._files.rm(f"{lake._root}/{KEY.path}/{first.files[0].name}")  # noqa: SLF001  what an operator's rm does

    with pytest.raises(PartitionCorruptError, match="missing"):
        lake.view(connection, KEY)
    write(lake, connection)

    assert ids(lake, connection) == ["a", "b"]


def test_unreadable_manifest_is_told_and_written_again(lake, connection):
    write(lake, connection)
    lake._files.pipe_file(f"{lake._root}/{KEY.path}/manifest.json", b'{"table": "core__')  # noqa: SLF001  as above

    with pytest.raises(PartitionCorruptError, match="manifest cannot be read"):
        lake.view(connection, KEY)
    write(lake, connection)

    assert ids(lake, connection) == ["a", "b"]


def test_changed_copy_of_a_remote_file_is_fetched_again(tmp_path, connection):
    fsspec.filesystem("memory").store.clear()
    manifest = write(Lake("memory://lake", cache=tmp_path / "cache"), connection)
    Lake("memory://lake", cache=tmp_path / "cache").view(connection, KEY)
    copy = tmp_path / "cache" / f"{manifest.files[0].sha256}.parquet"
    copy.write_bytes(b"rotten")

    with pytest.raises(PartitionCorruptError):
        Lake("memory://lake", cache=tmp_path / "cache").view(connection, KEY)

    assert ids(Lake("memory://lake", cache=tmp_path / "cache"), connection) == ["a", "b"]
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0


def test_files_the_manifest_does_not_name_are_never_read(tmp_path, connection):
    lake = Lake(f"file://{tmp_path / 'lake'}")
    write(lake, connection)
    stray = tmp_path / "lake" / KEY.path / "part-stray.parquet"
    connection.execute(f"COPY (SELECT 'stray' AS thing_id) TO '{stray}' (FORMAT parquet)")

    assert ids(lake, connection) == ["a", "b"]


def test_lake_below_a_folder_with_pattern_characters_reads_its_own_files(tmp_path, connection):
    lake = Lake(f"file://{tmp_path / 'la[k]e*s'}")

    write(lake, connection)

    assert ids(lake, connection) == ["a", "b"]


# --------------------------------------------------------------------------------------------- two writers, killed
def test_two_writers_leave_one_whole_partition(tmp_path, connection):
    writers = [start_writer(tmp_path / "lake", "many", number) for number in (1, 2)]

    codes = [writer.wait(60) for writer in writers]

    manifest = Lake(f"file://{tmp_path / 'lake'}").view(connection, KEY)
    amount = connection.execute("SELECT amount_minor FROM core__thing").fetchall()
    assert codes == [0, 0]
    assert amount == [(manifest.totals["amount_minor"],)]
    assert manifest.totals["amount_minor"] in {15, 25}


def test_killed_writer_leaves_the_old_partition_and_its_rest_is_removed(tmp_path, connection):
    lake = Lake(f"file://{tmp_path / 'lake'}")
    before = write(lake, connection)
    writer = start_writer(tmp_path / "lake", "slow")
    rest = wait_for_file(tmp_path / "lake" / KEY.path / ".tmp")

    writer.kill()

    assert writer.wait(60) == -signal.SIGKILL
    assert rest.exists()
    assert Lake(f"file://{tmp_path / 'lake'}").view(connection, KEY) == before
    assert ids(lake, connection) == ["a", "b"]
    write(lake, connection, ONE)
    assert ids(lake, connection) == ["a"]
    assert not rest.exists()


def wait_for_file(folder: Path) -> Path:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        found = [path for path in folder.glob("*.parquet") if path.stat().st_size > 0]
        if found:
            return found[0]
        time.sleep(0.01)
    raise AssertionError("the writer never began its file")


def test_writer_killed_between_file_and_manifest_leaves_an_orphan_that_goes(tmp_path, connection):
    lake = Lake(f"file://{tmp_path / 'lake'}")
    write(lake, connection)
    folder = tmp_path / "lake" / KEY.path
    orphan, half = folder / "part-orphan.parquet", folder / "manifest.json.half"
    orphan.write_bytes(b"PAR1")
    half.write_text(json.dumps({"table": "core__thing"}))

    write(lake, connection, ONE)

    assert not orphan.exists()
    assert not half.exists()
    assert ids(lake, connection) == ["a"]


def test_contract_without_totals_has_none(lake, connection):
    contract = replace(THING, columns=(text("thing_id", ""), count("things", "")), totals=())

    manifest = write(lake, connection, "SELECT 'a' AS thing_id, 1::BIGINT AS things", contract=contract)

    assert manifest.totals == {}
