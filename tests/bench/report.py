"""The report page of ``make bench``, from the figures kept beside it."""

import importlib.metadata
import math
import os
import platform
from pathlib import Path

import psutil
from arrears.settings import REPOSITORY

FIGURES = REPOSITORY / "docs" / "reference" / "bench.json"
NOTES = Path(__file__).with_name("notes.md")
PACKAGES = ("apache-airflow", "duckdb", "polars", "pandas", "pyarrow")
WORDS = {
    "scan": "bare scan: every value read, nothing done",
    "two_stage": "yardstick: `tests/bench/two_stage.sql`, repayments only",
    "ageing": "**ageing**, as the pipeline does it",
    "polars": "Polars, the yardstick's work, lazy and streaming",
    "pandas": "pandas on Arrow, the yardstick's work",
}
SIZED_BY = {
    "transitions": "loans",
    "metrics": "loans",
    "age": "loans, instalments and transactions",
    "publish": "staged",
}


def machine(load):
    """What the figures were measured on."""
    models = [line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "load_before": round(load, 1),
    }


def _cpuinfo():
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def write_page(figures):
    """Write ``bench.md`` beside the figures."""
    parts = [
        "<!-- measured by `make bench`; do not edit: what it means stands in tests/bench/notes.md -->\n",
        "# How fast it is\n",
        NOTES.read_text(encoding="utf-8"),
        *(_size(int(size), figures[size]) for size in sorted(figures, key=int)),
        *_growth({int(size): figures[size]["ways"]["figures"] for size in figures if "ways" in figures[size]}),
    ]
    FIGURES.with_suffix(".md").write_text("\n".join(parts), encoding="utf-8")


def _growth(ways):
    """How the seconds grow with the loans, and what ageing costs beside the yardstick."""
    if len(ways) < 2:
        return
    small, large = min(ways), max(ways)
    yield f"## From {small:,} to {large:,} loans\n"
    yield "| way | exponent: seconds grow as loans to the power of it |\n|---|---|"
    for way, words in WORDS.items():
        if way in ways[small] and way in ways[large]:
            times = ways[large][way]["seconds"] / ways[small][way]["seconds"]
            yield f"| {words} | {math.log(times) / math.log(large / small):.2f} |"
    beside = [f"{found['ageing']['seconds'] / found['two_stage']['seconds']:.2f}" for _, found in sorted(ways.items())]
    yield f"\nAgeing takes {' and '.join(beside)} times the yardstick's seconds, in the order of these sizes.\n"


def _size(loans, pieces):
    lines = [f"## {loans:,} loans\n"]
    if "ways" in pieces:
        lines += _ways(pieces["ways"]["figures"], loans)
        lines.append(_measured(pieces["ways"]))
    measured = pieces.get("day") or pieces.get("steps")
    if measured:
        day = measured["figures"]
        rows = day["rows"]
        lines += _steps(day["steps"], day["first_plan"])
        if "airflow" in day:
            lines += _airflow(day)
        kept = day["retention"]
        lines.append(f"Retention of one date afterwards: {kept['rows']} partitions in {kept['seconds']:.1f} s.\n")
        lines.append(
            f"A delivery: {rows['instalment']:,} instalments, {rows['transaction']:,} transactions, "
            f"{rows['party']:,} borrowers; {sum(rows.values()):,} rows in all. {_measured(measured)}"
        )
    if not measured or "airflow" not in measured["figures"]:
        lines.append(f"Not measured on Airflow: `make bench BENCH_LOANS={loans} BENCH_PIECES=day`.\n")
    return "\n".join(lines)


def _measured(piece):
    """When, and on what."""
    where = piece["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in where["packages"].items())
    return (
        f"Measured {piece['measured_at']}; {where['processor']}, {where['cores']} cores, {where['memory_gb']} GB; "
        f"{where['system']}, Python {where['python']}; {packages}. Load before: {where['load_before']}.\n"
    )


def _ways(ways, loans):
    scan = ways["scan"]["seconds"]
    yield "### Ageing, against others\n"
    yield (
        "| way | seconds | CPU seconds, start of the process included | peak MB | loans a second | times the scan |\n"
        "|---|---|---|---|---|---|"
    )
    for way, words in WORDS.items():
        if way in ways:
            one = ways[way]
            seconds = one["seconds"]
            cells = (
                f"{seconds:.2f}",
                f"{one['cpu_seconds']:.1f}",
                f"{one['peak_mb']:,}",
                f"{loans / seconds:,.0f}",
                f"{seconds / scan:.1f}",
            )
            yield f"| {words} | {' | '.join(cells)} |"
        else:
            yield f"| {words} | not run: it would need more memory than there is | | | | |"
    count, late, days, minor = ways["ageing"]["result"]
    yield (
        f"\nAll but the scan answer the same: {count:,} loans, {late:,} past due, {days:,} days and {minor:,} minor "
        "units in all.\n"
    )


def _steps(steps, first_plan):
    extracts = [one for one in steps if one["step"] == "extract"]
    together = {
        "step": "extract, all tables one by one",
        "seconds": sum(one["seconds"] for one in extracts),
        "cpu_seconds": sum(one["cpu_seconds"] for one in extracts),
        "peak_mb": max(one["peak_mb"] for one in extracts),
        "rows": sum(one["rows"] for one in extracts),
    }
    yield "### A day, step by step\n"
    yield "Each step in a process of its own; the largest three extracts are listed, all of them summed.\n"
    yield "| step | seconds | CPU seconds | peak MB | rows | rows a second |\n|---|---|---|---|---|---|"
    for one in sorted(extracts, key=lambda one: -one["seconds"])[:3]:
        yield _step({**one, "step": f"extract {one['noun']}"}, "")
    yield _step(together, "")
    for one in steps:
        if one["step"] != "extract":
            yield _step(one, SIZED_BY.get(one["step"], ""))
    total = sum(one["seconds"] for one in steps)
    cpu = sum(one["cpu_seconds"] for one in steps)
    yield f"| **sum** | **{total:.1f}** | {cpu:.1f} | {max(one['peak_mb'] for one in steps):,} | | |"
    yield _step({**first_plan, "step": "plan, were a step due in every case"}, "")
    yield ""


def _step(one, of):
    rows = f"{one['rows']:,} {of}".strip()
    timed = f"{one['seconds']:.1f} | {one['cpu_seconds']:.1f}"
    return f"| {one['step']} | {timed} | {one['peak_mb']:,} | {rows} | {one['rows'] / one['seconds']:,.0f} |"


def _airflow(found):
    total = sum(one["seconds"] for one in found["steps"])
    whole = found["airflow"]
    over = whole["seconds"] - total
    yield "### The whole day on Airflow\n"
    yield (
        f"{whole['seconds']:.1f} s from the run's start to its end; the steps' sum is {total:.1f} s: orchestration "
        f"{over:.1f} s, {100 * over / whole['seconds']:.0f} % of the run. Tables are extracted side by side there. No "
        f"task was at work for {whole['idle_seconds']:.1f} s.\n"
    )
    yield "| task | seconds, start to end | the job alone |\n|---|---|---|"
    alone = {}
    for one in found["steps"]:
        alone[one["step"]] = alone.get(one["step"], 0.0) + one["seconds"]
    for task, seconds in whole["tasks"].items():
        yield f"| {task} | {seconds:.1f} | {f'{alone[task]:.1f}' if task in alone else ''} |"
    yield ""
