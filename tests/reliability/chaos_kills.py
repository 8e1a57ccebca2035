"""SIGKILL at every named place of a day, five times each, and at random times: what a plain rerun leaves is the same.

A day runs from CSV files to the outbox in a real warehouse. Killed, it is run again as it is, with no step by hand,
and is then compared with a day that nobody disturbed: partitions, facts, outbox, ledger and freshness.
"""

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from arrears.local.postgres import EmbeddedPostgres
from arrears.warehouse.migrate import upgrade
from reliability.report import Part
from support.day_book import (
    FIRST,
    deliver,
    environment,
    fingerprint,
    forget_warehouse,
    make_day_book,
    messages,
    orphans,
    quick_folder,
)
from support.zygote import Zygote

# Extract, validate, age, transitions, cases, assign, plan, metrics: each within its own write and after it.
IN_STEPS = (
    "lake.part_written/extract__loan",
    "lake.part_stored/extract__loan",
    "lake.text_written/extract__loan",
    "lake.manifest_in_force/extract__loan",
    "lake.part_stored/out__quarantine",
    "lake.text_written/raw__transaction",
    "lake.part_written/core__loan_delinquency_daily",
    "lake.manifest_in_force/core__loan_delinquency_daily",
    "lake.part_stored/core__delinquency_event_daily",
    "lake.text_written/core__case_daily",
    "lake.manifest_in_force/core__case_daily",
    "lake.part_stored/out__assignment_daily",
    "lake.text_written/out__contact_plan_daily",
    "lake.manifest_in_force/out__contact_plan_daily",
    "lake.text_written/out__portfolio_daily",
)
PLACES = (
    "extract.before_write",
    "extract.after_write",
    "validate.after_quarantine",
    "publish.in_staging",
    "publish.staged",
    "publish.before_commit",
    "publish.after_commit",
    "publish.cleared",
    *IN_STEPS,
)
TIMES, RANDOM_KILLS = 5, 300


class Harm:
    """One deployment, killed and compared again and again."""

    def __init__(self, folder, url):
        self.settings = make_day_book(folder, url)
        deliver(self.settings, FIRST)
        self.environment = {**environment(self.settings), "TMPDIR": str(folder / "tmp"), "QUIET": "1"}
        (folder / "tmp").mkdir()
        self.folder, self.zygote = folder, Zygote()
        self.kills = self.wrong = self.lost = self.doubled = self.orphans = self.failed = 0
        self.fresh()
        assert self.zygote.run({**self.environment, "QUIET": ""}, "day", business_date=str(FIRST)) == 0
        self.expected, self.messages = fingerprint(self.settings), messages(self.settings)[0]
        self.seconds = self.time_of_a_day()

    def fresh(self):
        """Nothing has ever run here."""
        shutil.rmtree(self.folder / "lake", ignore_errors=True)
        shutil.rmtree(self.folder / "vault", ignore_errors=True)
        forget_warehouse(self.settings)

    def time_of_a_day(self):
        self.fresh()
        began = time.monotonic()
        assert self.zygote.run(self.environment, "day", business_date=str(FIRST)) == 0
        return time.monotonic() - began

    def run_again(self):
        """A plain rerun, and what it leaves."""
        if self.zygote.run({**self.environment, "QUIET": ""}, "day", business_date=str(FIRST)) != 0:
            self.failed += 1
            return
        found = fingerprint(self.settings)
        if found != self.expected:
            self.wrong += 1
            names = {name for name in found.keys() | self.expected.keys() if found.get(name) != self.expected.get(name)}
            sys.stderr.write(f"differs: {sorted(names)[:5]}\n")
        there, doubled = messages(self.settings)
        self.lost += max(0, self.messages - there)
        self.doubled += doubled + max(0, there - self.messages)
        left = [*orphans(self.settings), *(path for path in (self.folder / "tmp").iterdir() if path.is_dir())]
        if left:
            self.orphans += 1
            sys.stderr.write(f"left: {left[:5]}\n")

    def at(self, place):
        """Kill at a place; whether it was reached."""
        marker = self.folder / "failpoint"
        marker.touch()
        armed = {**self.environment, "ARREARS_FAILPOINT": place, "ARREARS_FAILPOINT_FILE": str(marker)}
        self.fresh()
        died = self.zygote.run(armed, "day", business_date=str(FIRST))
        marker.unlink(missing_ok=True)
        if died != -signal.SIGKILL:
            return False
        self.kills += 1
        self.run_again()
        return True

    def at_random(self, dice):
        """Kill at a random time, again and again, until a run gets through; kills made."""
        self.fresh()
        kills = 0
        while True:
            worker = self.zygote.start(self.environment, "day", business_date=str(FIRST))
            time.sleep(dice.uniform(0, 1.1 * self.seconds))
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
            if self.zygote.wait() != -signal.SIGKILL:
                break
            kills += 1
        self.kills += kills
        self.run_again()
        return kills


def main():
    """Kill, and leave the part."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else TIMES
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else RANDOM_KILLS
    began, dice = time.monotonic(), random.Random(1)
    with tempfile.TemporaryDirectory(prefix="arrears-chaos-", dir=quick_folder(), ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # PostgreSQL may run as another user
        server = EmbeddedPostgres(Path(name) / "pg")
        server.start()
        try:
            upgrade(server.url("arrears"))
            harm = Harm(Path(name) / "book", server.url("arrears"))
            unreached = [place for place in PLACES for _ in range(times) if not harm.at(place)]
            named, days = harm.kills, 0
            while harm.kills - named < wanted:
                harm.at_random(dice)
                days += 1
            harm.zygote.close()
        finally:
            server.stop()
    part = Part("kills", "Killed processes", "python tests/reliability/chaos_kills.py", order=1)
    part.about = (
        f"A day of {harm.messages} messages, from CSV files to the outbox, killed by SIGKILL and run again as it is; "
        "compared with an undisturbed day: every partition's content hash, every fact, outbox, ledger, freshness."
    )
    part.figure("named places", len(PLACES), "at least 20", holds=len(PLACES) >= 20)
    part.figure("kills at named places", named, f"{times} x {len(PLACES)}", holds=named == times * len(PLACES))
    part.figure("places that were not reached", len(set(unreached)), 0)
    part.figure("kills at random times", harm.kills - named, f"at least {wanted}", holds=harm.kills - named >= wanted)
    part.figure("days that were killed at random until they got through", days)
    part.figure("days that differ from an undisturbed one after a plain rerun", harm.wrong, 0)
    part.figure("reruns that failed, or needed a hand", harm.failed, 0)
    part.figure("messages lost", harm.lost, 0)
    part.figure("messages doubled", harm.doubled, 0)
    part.figure("days that left files or staged rows which nothing names", harm.orphans, 0)
    part.seconds = time.monotonic() - began
    part.write()
    sys.stderr.write(f"{part.rows}\n")
    return int(not all(row["holds"] for row in part.rows))


if __name__ == "__main__":
    raise SystemExit(main())
