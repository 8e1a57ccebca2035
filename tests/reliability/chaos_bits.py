"""One bit flipped in a file of the lake, many times: the next read notices, before anything is made of it."""

import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from arrears.errors import PartitionCorruptError
from arrears.jobs.day import Day
from reliability.report import Part
from support.day_book import FIRST, deliver, make_day_book, work_day

FLIPS = 400


def files_of(settings):
    """Every file of the lake that a job reads, with its table; reports are for people, and read by none."""
    root = Path(settings.lake_url.removeprefix("file://"))
    paths = [*root.rglob("business_date=*/part-*.parquet"), *root.rglob("business_date=*/manifest.json")]
    return [(path, path.parents[1].name) for path in sorted(paths)]


def is_noticed(settings, table):
    """Whether reading the table's rows is refused."""
    try:
        with Day.open("book", FIRST, settings=settings).work() as work:
            work.read(table)
            work.connection.execute(f'SELECT count(*) FROM "{table}"').fetchall()
    except PartitionCorruptError:
        return True
    return False


def flip(path, dice):
    """Flip one bit; the content that was there."""
    before = path.read_bytes()
    place = dice.randrange(len(before))
    path.write_bytes(before[:place] + bytes([before[place] ^ (1 << dice.randrange(8))]) + before[place + 1 :])
    return before


def main():
    """Flip, and leave the part."""
    began, dice, found = time.monotonic(), random.Random(1), {}
    with tempfile.TemporaryDirectory(prefix="arrears-bits-") as name:
        settings = make_day_book(Path(name) / "book")
        deliver(settings, FIRST)
        work_day(settings, FIRST)
        files = files_of(settings)
        for number in range(FLIPS):
            path, table = dice.choice(files)
            before = flip(path, dice)
            found[number, path.suffix] = is_noticed(settings, table)
            path.write_bytes(before)
        sound = sum(is_noticed(settings, table) for _, table in files)
    part = Part("bits", "One flipped bit", "python tests/reliability/chaos_bits.py", order=5)
    part.about = (
        f"A random bit of a random file among the {len(files)} data files and manifests of a day, read afterwards."
    )
    for suffix, what in ((".parquet", "data files"), (".json", "manifests")):
        tried = [noticed for (_, ending), noticed in found.items() if ending == suffix]
        part.figure(f"bits flipped in {what}", len(tried))
        part.figure(f"of them noticed before a row was used ({what})", sum(tried), len(tried))
    part.figure("bits flipped in all", len(found), "at least 100", holds=len(found) >= 100)
    part.figure("files refused with every bit in its place", sound, 0)
    part.seconds = time.monotonic() - began
    part.write()
    return int(not all(row["holds"] for row in part.rows))


if __name__ == "__main__":
    raise SystemExit(main())
