"""Tasks cleared alone, with what follows, twice, out of order, a day later; two runs at once; a backfill beside a day.

Nothing may change that was published, and nobody may get another message.
"""

import random
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from arrears.jobs import STEPS
from arrears.local.postgres import EmbeddedPostgres
from arrears.warehouse.migrate import upgrade
from reliability.report import Part
from support.day_book import (
    FIRST,
    deliver,
    environment,
    fingerprint,
    forget_day,
    make_day_book,
    messages,
    quick_folder,
)
from support.zygote import Zygote

TASKS = ("extract", *STEPS, "publish")
DAYS = [FIRST + timedelta(days=number) for number in range(3)]
PAIRS, BACKFILLS = 10, 3


class Reruns:
    """Three published days, and what may be done to them."""

    def __init__(self, folder, url):
        self.settings = make_day_book(folder, url)
        self.zygote, self.other = Zygote(), Zygote()
        for number, day in enumerate(DAYS):
            deliver(self.settings, day, late=number)
        self.variables = environment(self.settings)
        self.changed, self.failed, self.more, self.made, self.slowest = 0, 0, 0, 0, 0.0
        for day in DAYS:
            assert self.run(day) == 0
        self.expected, self.messages = fingerprint(self.settings), messages(self.settings)

    def run(self, day, **arguments):
        return self.zygote.run(self.variables, "day", business_date=str(day), **arguments)

    def again(self, day, tasks):
        """Run tasks again in the order given, and compare."""
        self.made += 1
        for task in tasks:
            self.failed += self.run(day, only=[task]) != 0
        self.compare()

    def compare(self):
        found = fingerprint(self.settings)
        if found != self.expected:
            self.changed += 1
            names = {name for name in found.keys() | self.expected.keys() if found.get(name) != self.expected.get(name)}
            sys.stderr.write(f"differs: {sorted(names)[:5]}\n")
        self.more += messages(self.settings) != self.messages

    def at_once(self, first, second):
        """Two workers at the same time; how each ended."""
        began = time.monotonic()
        for zygote, arguments in ((self.zygote, first), (self.other, second)):
            zygote.start(self.variables, "day", **arguments)
        ended = [self.zygote.wait(), self.other.wait()]
        self.slowest = max(self.slowest, time.monotonic() - began)
        return ended


def clear(reruns, dice):
    """Each task alone, twice in a row and with what follows, on the last day and the day before; in any order."""
    for number, task in enumerate(TASKS):
        reruns.again(DAYS[-1], [task])
        reruns.again(DAYS[-1], [task, task])
        reruns.again(DAYS[-1], TASKS[number:])
        reruns.again(DAYS[-2], [task])
    for _ in range(5):
        reruns.again(DAYS[-1], dice.sample(TASKS, len(TASKS)))
    reruns.again(DAYS[-1], TASKS)


def pairs(reruns, wanted):
    """The same new day by two runs at once; a run that found the other at work is run again."""
    clean, again = 0, 0
    for _ in range(wanted):
        forget_day(reruns.settings, DAYS[-1])
        order = {"business_date": str(DAYS[-1])}
        ended = reruns.at_once(order, order)
        clean += ended == [0, 0]
        again += ended.count(1)
        if ended != [0, 0]:
            reruns.failed += reruns.run(DAYS[-1]) != 0
        reruns.compare()
    return clean, again


def beside(reruns, wanted):
    """A backfill of the first days, again, while the last day runs."""
    for _ in range(wanted):
        for day in DAYS[:-1]:
            ended = reruns.at_once({"business_date": str(DAYS[-1])}, {"business_date": str(day), "is_backfill": True})
            reruns.failed += any(ended) and reruns.run(DAYS[-1]) != 0
        reruns.compare()


def main():
    """Rerun, and leave the part."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="arrears-reruns-", dir=quick_folder(), ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # PostgreSQL may run as another user
        server = EmbeddedPostgres(Path(name) / "pg")
        server.start()
        try:
            upgrade(server.url("arrears"))
            reruns = Reruns(Path(name) / "book", server.url("arrears"))
            clear(reruns, random.Random(1))
            made = reruns.made
            clean, again = pairs(reruns, wanted)
            beside(reruns, BACKFILLS)
            for zygote in (reruns.zygote, reruns.other):
                zygote.close()
        finally:
            server.stop()
    part = Part("reruns", "Run again, in any order, and at once", "python tests/reliability/chaos_reruns.py", order=3)
    part.about = (
        f"Three published days of {len(TASKS)} tasks; every task cleared alone, twice in a row, with what follows and "
        "on the day before; all of them in random orders; compared with what was published before."
    )
    part.figure("reruns", made, "at least 30", holds=made >= 30)
    part.figure("pairs of runs of one new date at once", wanted)
    part.figure("of them both went through", clean)
    part.figure("runs that found the other at work and ended with a code", again)
    part.figure("backfills of earlier days beside the live day", BACKFILLS * (len(DAYS) - 1))
    part.figure("reruns, pairs and backfills after which anything published differs", reruns.changed, 0)
    part.figure("reruns that brought another message", reruns.more, 0)
    part.figure("runs that failed, or needed a hand", reruns.failed, 0)
    part.figure("slowest pair, s", f"{reruns.slowest:.1f}")
    part.seconds = time.monotonic() - began
    part.write()
    sys.stderr.write(f"{part.rows}\n")
    return int(not all(row["holds"] for row in part.rows))


if __name__ == "__main__":
    raise SystemExit(main())
