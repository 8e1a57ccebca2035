"""A flipped bit in any file of a partition is noticed when it is read; four hundred by ``make chaos``."""

import random

import pytest
from arrears.errors import PartitionCorruptError
from arrears.jobs.day import Day
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


def test_manifest_of_before_there_were_checksums_is_read(partition):
    _, (path, _) = partition
    now = Manifest.from_json(path.read_text())
    lines = [line for line in path.read_text().splitlines() if '"checksum"' not in line]

    assert len(lines) == len(path.read_text().splitlines()) - 1
    assert Manifest.from_json("\n".join(lines)) == now
