"""The contact policy over a million candidates and twenty million contacts so far, and one decision after the other.

Each way runs in a process of its own; the set-based form has a minute and 4 GB on two cores, and both forms must answer
the same people the same. ``measured_contacts`` gives the figures to the report of ``make bench`` too.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.contact_crowd import write_crowd

PEOPLE, HISTORY = 1_000_000, 20_000_000
SECONDS, PEAK_MB = 60, 4096
DECISIONS_PER_SECOND = 1000  # of the scalar form, at the moment of sending; a floor, not a figure to boast of


def run(folder, way):
    script = Path(__file__).with_name("contact_once.py")
    done = subprocess.run([sys.executable, script, folder, way], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def measured_contacts(people=PEOPLE, history=HISTORY):
    """Seconds, processor seconds, peak and answers of both ways of asking about such a crowd, by way."""
    with tempfile.TemporaryDirectory(prefix="arrears-bench-") as folder:
        write_crowd(Path(folder), people=people, history=history)
        found = {way: run(folder, way) for way in ("sets", "scalar")}
    found["scalar"]["per_second"] = round(found["scalar"]["asked"] / found["scalar"]["cpu_seconds"])
    return found


@pytest.mark.bench
@pytest.mark.timeout(900)
def test_contact_policy_answers_a_million_within_a_minute(capsys):
    found = measured_contacts()

    many, single = found["sets"], found["scalar"]
    with capsys.disabled():
        print(  # noqa: T201  the figures are the point
            f"\nsets: {many['asked']:,} candidates, {HISTORY:,} contacts so far: {many['seconds']:.1f} s, "
            f"{many['cpu_seconds']:.1f} s of processor, peak {many['peak_mb']:,} MB, {many['allowed']:,} allowed"
            f"\nscalar: {single['per_second']:,} decisions a second of one processor"
        )
    assert many["asked"] == PEOPLE
    assert 0 < many["allowed"] < PEOPLE
    assert many["sample"] == single["sample"]
    assert many["cpu_seconds"] <= SECONDS  # the clock on the wall is that of a machine that others may share
    assert many["peak_mb"] <= PEAK_MB
    assert single["per_second"] >= DECISIONS_PER_SECOND
