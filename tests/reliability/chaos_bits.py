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
KINDS = {".parquet": "data files", ".json": "manifests"}


def files_of(settings):
    """Every file of the lake but locks, with its table."""
    root = Path(settings.lake_url.removeprefix("file://"))
    paths = [path for path in root.rglob("business_date=*/*") if path.is_file() and not path.name.startswith(".")]
    return [(path, path.parents[1].name) for path in sorted(paths)]


def is_noticed(settings, table, name):
    """Whether reading the table's rows, or the text beside them, is refused."""
    day = Day.open("book", FIRST, settings=settings)
    try:
        if name.startswith("report."):
            return day.lake.attached(day.key(table), name) is None
        with day.work() as work:
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
        reports = [one for one in files if one[0].name.startswith("report.")]
        for number in range(FLIPS):
            path, table = dice.choice(files if number % 10 else reports)
            before = flip(path, dice)
            kind = "quality reports" if path.name.startswith("report.") else KINDS[path.suffix]
            found[number, kind] = is_noticed(settings, table, path.name)
            path.write_bytes(before)
        sound = sum(is_noticed(settings, table, path.name) for path, table in files)
    part = Part("bits", "One flipped bit", "python tests/reliability/chaos_bits.py", order=5)
    part.about = (
        f"A random bit of a random file among the {len(files)} files of a day in the lake: data, manifests, quality "
        "reports; each read afterwards."
    )
    for what in (*KINDS.values(), "quality reports"):
        tried = [noticed for (_, kind), noticed in found.items() if kind == what]
        part.figure(f"bits flipped in {what}", len(tried))
        part.figure(f"of them noticed before a row was used ({what})", sum(tried), len(tried))
    part.figure("bits flipped in all", len(found), "at least 100", holds=len(found) >= 100)
    part.figure("files refused with every bit in its place", sound, 0)
    part.seconds = time.monotonic() - began
    part.write()
    return int(not all(row["holds"] for row in part.rows))


if __name__ == "__main__":
    raise SystemExit(main())
