"""What surrounds a day goes wrong: full and read-only disks, a clock that jumps, zones, DST nights, 29 February.

Disks are real ones: a tmpfs of a few hundred kB, mounted in a namespace of the worker's own. Where this machine allows
no such mount, those cases are left out, and the report says so.
"""

import re
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from arrears.settings import REPOSITORY
from reliability.report import Part
from support.day_book import deliver, environment, lake_hashes, make_day_book, noon, quick_folder, work_day
from support.zygote import Zygote

TIMES = 3
DAY = date(2026, 3, 2)
WORK = """
import sys
from datetime import date
sys.path.insert(0, sys.argv[1])
from support.day_book import settings_here, work_day
work_day(settings_here(), date.fromisoformat(sys.argv[2]))
"""
CODE = re.compile(r"ARR-[A-Z]{3}-[A-Z0-9]+")
NIGHTS = {
    "DST begins, New York": ("America/New_York", date(2026, 3, 8)),
    "DST ends, New York": ("America/New_York", date(2026, 11, 1)),
    "DST begins, Berlin": ("Europe/Berlin", date(2026, 3, 29)),
    "DST ends, Berlin": ("Europe/Berlin", date(2026, 10, 25)),
    "29 February": ("Asia/Shanghai", date(2028, 2, 29)),
    "the day after 29 February": ("Asia/Shanghai", date(2028, 3, 1)),
    "New Year": ("Asia/Shanghai", date(2027, 1, 1)),
}


def process(settings, day, **variables):
    """Work the day in a fresh interpreter; its code, or empty when it went through."""
    call = [sys.executable, "-c", WORK, str(REPOSITORY / "tests"), str(day)]
    done = subprocess.run(
        call, env={**environment(settings), **variables}, capture_output=True, text=True, check=False, timeout=300
    )
    return "" if done.returncode == 0 else code_in(done.stderr.splitlines()[-1])


def code_in(said):
    """The code of an error, or its first words when it has none."""
    found = CODE.search(said)
    return found[0] if found else said[:200]


class Worker:
    """Works days in forks, under mounts of their own."""

    def __init__(self, folder):
        self._zygote, self._said = Zygote(), folder / "ended-by"

    def code(self, settings, *, mounts="", **variables):
        """The code with which the day ended, or empty when it went through."""
        variables |= {"QUIET": "1", "ENDED_BY": str(self._said), "MOUNTS": mounts}
        status = self._zygote.run({**environment(settings), **variables}, "day", business_date=str(DAY))
        return "" if status == 0 else code_in(self._said.read_text() if self._said.exists() else f"status {status}")

    def close(self):
        self._zygote.close()


def may_mount():
    """Whether a disk of our own may be mounted here."""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"], capture_output=True, check=False
    )
    return done.returncode == 0


def book(folder, day=DAY, zone="Asia/Shanghai"):
    settings = make_day_book(folder, zone=zone, first=day)
    deliver(settings, day, zone=zone)
    return settings


def disks(folder):
    """Full and read-only disks: the code of each case, and whether the day is whole after the repair."""
    settings = book(folder / "sound")
    work_day(settings, DAY)
    expected, found, worker = lake_hashes(settings), [], Worker(folder)
    for number in range(TIMES):
        for what, size in (("lake", 100), ("lake", 250), ("lake", 400), ("lake", 600), ("tmp", 16), ("tmp", 40)):
            settings = book(folder / f"{what}-{size}-{number}")
            here = folder / f"{what}-{size}-{number}" / what
            here.mkdir()
            mount = f"mount -t tmpfs -o size={size + 7 * number}k tmpfs {here}"
            code = worker.code(settings, mounts=mount, **({"TMPDIR": str(here)} if what == "tmp" else {}))
            found.append((f"full {what}", code, worker.code(settings) == "" and lake_hashes(settings) == expected))
        settings = book(folder / f"read-only-{number}")
        here = folder / f"read-only-{number}" / "lake"
        here.mkdir()
        code = worker.code(settings, mounts=read_only(here))
        found.append(("read-only lake", code, worker.code(settings) == "" and lake_hashes(settings) == expected))
        settings = book(folder / f"landing-{number}")
        code = worker.code(settings, mounts=read_only(folder / f"landing-{number}" / "landing"))
        found.append(("read-only landing", code, lake_hashes(settings) == expected))
    worker.close()
    return found


def read_only(path):
    """Shell commands that mount a folder over itself, read-only."""
    return f"mount --bind {path} {path} && mount -o remount,ro,bind {path}"


def clocks(folder):
    """The same day under other clocks and zones of the machine: whether it leaves the same."""
    settings = book(folder / "now")
    work_day(settings, DAY)
    expected, found = lake_hashes(settings), []
    for number, hours in enumerate((-24, 24, -1, 1, 24 * 365)):
        settings = book(folder / f"jump-{number}")
        work_day(settings, DAY, now=noon(DAY) + timedelta(hours=hours))
        found.append((f"clock {hours:+} h", lake_hashes(settings) == expected))
        work_day(settings, DAY, now=noon(DAY))
        found.append((f"clock {hours:+} h, and back", lake_hashes(settings) == expected))
    for zone in ("UTC", "Pacific/Auckland", "America/St_Johns", "Asia/Kathmandu"):
        settings = book(folder / zone.replace("/", "-"))
        code = process(settings, DAY, TZ=zone)
        found.append((f"TZ={zone}", code == "" and lake_hashes(settings) == expected))
    return found


def nights(folder):
    """Days whose nights are odd: worked, worked again, and followed by the next day."""
    found = []
    for number, (name, (zone, day)) in enumerate(NIGHTS.items()):
        settings = book(folder / f"night-{number}", day, zone)
        work_day(settings, day)
        once = lake_hashes(settings)
        work_day(settings, day)
        deliver(settings, day + timedelta(days=1), zone=zone)
        found.append((name, once == lake_hashes(settings) and len(once) > 30))
    return found


def main():
    """Do all of it, and leave the part."""
    began = time.monotonic()
    where = {"prefix": "arrears-surroundings-", "dir": quick_folder(), "ignore_cleanup_errors": True}
    with tempfile.TemporaryDirectory(**where) as name:
        full = disks(Path(name)) if may_mount() else []
        clock, odd = clocks(Path(name)), nights(Path(name))
    part = Part(
        "surroundings", "Disks, clocks and calendars", "python tests/reliability/chaos_surroundings.py", order=4
    )
    part.about = (
        "A day worked while its surroundings fail, and again once they are repaired; compared by content hashes."
    )
    for what in dict.fromkeys(what for what, _, _ in full):
        cases = [(code, whole) for kind, code, whole in full if kind == what]
        codes = sorted({code or "went through" for code, _ in cases})
        known = all(not code or CODE.fullmatch(code) for code, _ in cases)
        part.figure(f"{what}, {len(cases)} cases: how they end", ", ".join(codes), "a code, or through", holds=known)
        part.figure(f"{what}: whole after a plain rerun", sum(whole for _, whole in cases), len(cases))
    if not full:
        part.notes.append("No file system may be mounted on the machine these figures are of: no full disk was tried.")
    for what, found in (("clocks and zones of the machine", clock), ("DST nights, 29 February, New Year", odd)):
        wrong = [case for case, same in found if not same]
        part.figure(f"{what}: cases", len(found))
        part.figure(f"{what}: days that differ", len(wrong), 0)
        sys.stderr.write("".join(f"differs: {case}\n" for case in wrong))
    part.seconds = time.monotonic() - began
    part.write()
    sys.stderr.write(f"{part.rows}\n")
    return int(not all(row["holds"] for row in part.rows))


if __name__ == "__main__":
    raise SystemExit(main())
