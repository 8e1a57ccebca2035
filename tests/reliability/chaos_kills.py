"""SIGKILL at every named place of a day, five times each, and at random times: what a plain rerun leaves is the same.

A day runs from CSV files to the outbox in a real warehouse, each task in a process of its own, as Airflow runs it.
Killed, a task is run again as it is, with no step by hand, then what follows; the day is compared with one that nobody
disturbed: partitions, facts, outbox, ledger and freshness. A day killed at a named place begins with a copy of the lake
as the tasks before left it. Counts are kept after every day: stopped, the suite goes on where it was.
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

from arrears.jobs import STEPS
from arrears.local.postgres import EmbeddedPostgres
from arrears.warehouse.migrate import upgrade
from reliability.report import Part, Tally
from support.day_book import (
    FIRST,
    deliver,
    environment,
    fingerprint,
    forget_warehouse,
    lake_hashes,
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
TASKS = ("extract", *STEPS, "publish")
TIMES, RANDOM_KILLS = 5, 300
KILLS_A_TASK = 4  # of one day; then it runs in peace


class Harm:
    """One deployment, killed and compared again and again.

    Args:
        folder: Where its files are.
        url: Of its warehouse.
        found: What is counted.
    """

    def __init__(self, folder, url, found):
        self.settings = make_day_book(folder, url)
        deliver(self.settings, FIRST)
        self.environment = {**environment(self.settings), "TMPDIR": str(folder / "tmp"), "QUIET": "1"}
        (folder / "tmp").mkdir()
        self.folder, self.zygote, self.found = folder, Zygote(), found
        self.begin_before(TASKS[0])
        self.seconds, self.task_of = {}, {}
        for task in TASKS:
            shutil.copytree(folder / "lake", folder / "before" / task)
            began = time.monotonic()
            assert self.work(task, quiet=False) == 0
            self.seconds[task] = time.monotonic() - began
            tables = {key.split("/")[1] for key in lake_hashes(self.settings)}
            self.task_of = dict.fromkeys(tables, task) | self.task_of
        self.expected, self.messages = fingerprint(self.settings), messages(self.settings)[0]

    def work(self, *tasks, quiet=True, **variables):
        """Run tasks in a process of their own; its exit status."""
        variables = {**self.environment, "QUIET": "1" if quiet else "", **variables}
        return self.zygote.run(variables, "day", business_date=str(FIRST), only=list(tasks))

    def begin_before(self, task):
        """All is as the tasks before left it; nothing is published."""
        shutil.rmtree(self.folder / "lake", ignore_errors=True)
        if (self.folder / "before" / task).exists():
            shutil.copytree(self.folder / "before" / task, self.folder / "lake", copy_function=os.link)
        (self.folder / "lake").mkdir(exist_ok=True)
        forget_warehouse(self.settings)

    def look(self, failed):
        """Count what is not as on an undisturbed day."""
        if failed:
            self.found["failed"] += 1
            return
        left = fingerprint(self.settings)
        if left != self.expected:
            self.found["wrong"] += 1
            names = {name for name in left.keys() | self.expected.keys() if left.get(name) != self.expected.get(name)}
            sys.stderr.write(f"differs: {sorted(names)[:5]}\n")
        there, doubled = messages(self.settings)
        self.found["lost"] += max(0, self.messages - there)
        self.found["doubled"] += doubled + max(0, there - self.messages)
        rest = [*orphans(self.settings), *(path for path in (self.folder / "tmp").iterdir() if path.is_dir())]
        if rest:
            self.found["orphans"] += 1
            sys.stderr.write(f"left: {rest[:5]}\n")

    def at(self, place):
        """Kill at a place; whether it was reached."""
        step, _, table = place.partition("/")
        task = self.task_of[table] if table else step.partition(".")[0]
        marker = self.folder / "failpoint"
        self.begin_before(task)
        marker.touch()
        died = self.work(task, ARREARS_FAILPOINT=place, ARREARS_FAILPOINT_FILE=str(marker))
        marker.unlink(missing_ok=True)
        if died != -signal.SIGKILL:
            self.found["unreached"] += 1
            return False
        self.look(self.work(*TASKS[TASKS.index(task) :], quiet=False) != 0)
        self.found[f"at {place}"] += 1
        return True

    def at_random(self, dice):
        """A day of which each task is killed at random times, at most so often; kills made."""
        self.begin_before(TASKS[0])
        kills = failed = 0
        for task in TASKS:
            for _ in range(KILLS_A_TASK):
                worker = self.zygote.start(self.environment, "day", business_date=str(FIRST), only=[task])
                time.sleep(dice.uniform(0, self.seconds[task]))
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
                kills += self.zygote.wait() == -signal.SIGKILL
            failed += self.work(task, quiet=False) != 0
        self.look(failed)
        self.found.update({"at random": kills, "days": 1})
        return kills


def strike(harm, found, times, wanted):
    """Every place so often, then random times; counts are kept after each day."""
    began = time.monotonic()

    def keep():
        nonlocal began
        found.keep(seconds=time.monotonic() - began)
        began = time.monotonic()

    for _ in range(times):
        for place in PLACES:
            if found[f"at {place}"] < times:
                harm.at(place)
                keep()
    dice = random.Random(found["at random"])
    while found["at random"] < wanted:
        harm.at_random(dice)
        keep()


def part_of(found, times, wanted):
    """The figures so far."""
    part = Part("kills", "Killed processes", "python tests/reliability/chaos_kills.py", order=1)
    part.about = (
        "Tasks of a day from CSV files to the outbox, killed by SIGKILL and run again as they are, then what follows; "
        "compared with an undisturbed day: every partition's content hash, every fact, outbox, ledger, freshness."
    )
    named = sum(found[f"at {place}"] for place in PLACES)
    random_kills = found["at random"]
    part.figure("named places", len(PLACES), "at least 20", holds=len(PLACES) >= 20)
    part.figure("kills at named places", named, f"{times} x {len(PLACES)}", holds=named >= times * len(PLACES))
    part.figure("places that were not reached", found["unreached"], 0)
    part.figure("kills at random times", random_kills, f"at least {wanted}", holds=random_kills >= wanted)
    part.figure(f"days of which each task was killed at random, up to {KILLS_A_TASK} times", found["days"])
    part.figure("messages of a day", found["messages"])
    part.figure("days that differ from an undisturbed one after a plain rerun", found["wrong"], 0)
    part.figure("reruns that failed, or needed a hand", found["failed"], 0)
    part.figure("messages lost", found["lost"], 0)
    part.figure("messages doubled", found["doubled"], 0)
    part.figure("days that left files or staged rows which nothing names", found["orphans"], 0)
    part.notes.append("By the rule of three, none wrong in n kills means at most 3/n a kill, at 95 %.")
    part.seconds = found["seconds"]
    return part


def main():
    """Kill, and leave the part."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else TIMES
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else RANDOM_KILLS
    found = Tally("kills")
    with tempfile.TemporaryDirectory(prefix="arrears-chaos-", dir=quick_folder(), ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # PostgreSQL may run as another user
        server = EmbeddedPostgres(Path(name) / "pg")
        server.start()
        try:
            upgrade(server.url("arrears"))
            harm = Harm(Path(name) / "book", server.url("arrears"), found)
            found["messages"] = harm.messages
            strike(harm, found, times, wanted)
            harm.zygote.close()
        finally:
            server.stop()
            part = part_of(found, times, wanted)
            part.write()
    if len(sys.argv) == 1:  # with fewer asked for, the next run goes on from here
        found.forget()
    sys.stderr.write(f"{part.rows}\n")
    return int(not all(row["holds"] for row in part.rows))


if __name__ == "__main__":
    raise SystemExit(main())
