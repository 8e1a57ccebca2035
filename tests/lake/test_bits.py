"""A flipped bit in any file of a partition is noticed when it is read; four hundred by ``make chaos``."""

import json
import random
from pathlib import Path

import pytest
from arrears.errors import PartitionCorruptError
from arrears.jobs.day import Day
from arrears.lake import PartitionKey
from arrears.lake.manifest import Manifest
from support.books import FIRST, make_book, put

ROWS = [{"party_id": f"B{number}", "person_id": f"P{number}"} for number in range(50)]


@pytest.fixture
def partition(tmp_path):
    settings = make_book(tmp_path)
    put(settings, "raw__party", FIRST, ROWS)
    folder = tmp_path / "lake" / "book" / "raw__party" / f"business_date={FIRST}"
    return settings, [folder / "manifest.json", *folder.glob("part-*.parquet")]


def read(settings):
    with Day.open("book", FIRST, settings=settings).work() as work:
        work.read("raw__party")


def test_flipped_bit_of_any_file_is_noticed(partition):
    settings, files = partition
    dice = random.Random(1)
    for _ in range(30):
        path = dice.choice(files)
        before = path.read_bytes()
        place = dice.randrange(len(before))
        path.write_bytes(before[:place] + bytes([before[place] ^ (1 << dice.randrange(8))]) + before[place + 1 :])

        with pytest.raises(PartitionCorruptError):
            read(settings)

        path.write_bytes(before)
    read(settings)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("report.html", "<!doctype html>\n<p>Zürich</p>\n", id="HTML"),
        pytest.param("report.json", '{\n "rules": [{"rows": 1}]\n}', id="JSON"),
    ],
)
def test_flipped_bit_of_a_text_beside_a_partition_is_noticed(tmp_path, name, text):
    lake, key = Day.open("book", FIRST, settings=make_book(tmp_path)).lake, PartitionKey("book", "a", FIRST)
    path = Path(lake.attach(key, name, text).removeprefix("file://"))
    before = path.read_bytes()
    if name.endswith(".json"):
        assert json.loads(before) == {"rules": [{"rows": 1}], "checksum": json.loads(before)["checksum"]}

    for place in range(8 * len(before)):
        byte = before[place // 8] ^ (1 << place % 8)
        path.write_bytes(before[: place // 8] + bytes([byte]) + before[place // 8 + 1 :])
        with pytest.raises(PartitionCorruptError):
            lake.attached(key, name)

    path.write_bytes(before)
    assert lake.attached(key, name).encode() == before


def test_manifest_of_before_there_were_checksums_is_read(partition):
    _, (path, _) = partition
    now = Manifest.from_json(path.read_text())
    lines = [line for line in path.read_text().splitlines() if '"checksum"' not in line]

    assert len(lines) == len(path.read_text().splitlines()) - 1
    assert Manifest.from_json("\n".join(lines)) == now
