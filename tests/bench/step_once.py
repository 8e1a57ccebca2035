"""One measured step of a day in a process of its own: ``step_once.py DATE STEP [NOUN]`` prints figures as JSON.

The deployment is that of the environment (``ARREARS_*``). Seconds are the job's alone, its imports apart: on Airflow a
task is forked from a server that has made them.
"""

import importlib
import json
import resource
import sys
import time
from datetime import UTC, date, datetime

from arrears.jobs import STEPS, job
from arrears.jobs.extract import extract
from arrears.jobs.publish import publish
from arrears.jobs.retention import retention
from arrears.jobs.run_day import run_day
from arrears.local.airflow import PRELOADED

PORTFOLIO = "bench"


def done(step, day, noun):
    """The rows that tell the step's size, once it is done."""
    if step == "extract":
        return extract(PORTFOLIO, day, noun)["rows"]
    if step == "publish":
        return publish(PORTFOLIO, day, is_backfill=True, now=datetime.now(UTC))["rows"]
    if step == "retention":
        return retention(PORTFOLIO, dry_run=False)["partitions"]
    if step == "day":
        return run_day(PORTFOLIO, day)["loans"]
    result = job(step)(PORTFOLIO, day)
    return sum(table["rows"] for table in result["tables"].values()) if step == "validate" else result["rows"]


def main(day, step, noun=""):
    for name in PRELOADED:
        if not name.startswith(("airflow", "arrears")):
            importlib.import_module(name)
    if step in STEPS:
        job(step)
    start, cpu_start = time.perf_counter(), time.process_time()
    rows = done(step, date.fromisoformat(day), noun)
    measured = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu_start}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({**measured, "peak_mb": peak, "rows": rows}))  # noqa: T201  read by the bench


if __name__ == "__main__":
    main(*sys.argv[1:])
