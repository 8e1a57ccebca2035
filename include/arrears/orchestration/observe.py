"""Runs a task's job and tells what it did: structured log lines, metrics, and the facts that lineage is made of.

Whoever logs in a task, ours or a library, has its portfolio, business date, step and run beside the words.

Belongs here: what is measured of every job, in one place. Does not belong here: what OpenLineage calls it
(``lineage``), and Airflow's own logs and metrics.

Only names, counts, sums of rows, hashes and seconds: never a value of a row, never a foreign exception's words.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog
from airflow.sdk import get_current_context
from airflow.sdk.observability import stats
from structlog.contextvars import bound_contextvars

from arrears.errors import ArrearsError
from arrears.orchestration.callbacks import describe
from arrears.orchestration.run import current_run
from arrears.progress import listening
from arrears.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from arrears.lake import Manifest

log = structlog.get_logger("arrears.jobs")
PROGRESS_SECONDS = 5  # between two words on how far a step is


def gauge(name: str, tag: str, values: dict[str, int]) -> None:
    """Set a gauge for each value, tagged with its name."""
    for of, value in values.items():
        stats.gauge(name, value, tags={tag: of})


@dataclass
class Observation:
    """What one try of one task did.

    Attributes:
        task_instance: Airflow's id of the try.
        step: Task id.
        portfolio: Folder name.
        business_date: The day.
        read: Partitions read and not written.
        written: Partitions written, or found to hold the same rows already.
        summary: What the job returned; empty until it has.
    """

    task_instance: str
    step: str
    portfolio: str
    business_date: date
    read: list[Manifest] = field(default_factory=list)
    written: list[Manifest] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)


class _Latest:
    """The task at work in this process: a process works one at a time."""

    observation: Observation | None = None


def observation_of(task_instance: str) -> Observation | None:
    """What that try of a task has done so far, or None when it is no job of ours."""
    latest = _Latest.observation
    return latest if latest is not None and latest.task_instance == task_instance else None


def observed(job: Callable[..., dict[str, Any]], portfolio: str, *arguments: str, **options: object) -> dict[str, Any]:
    """Call ``job(portfolio, business_date, *arguments, run_ref=..., **options)`` for the current run, and tell of it.

    Returns:
        What the job returned.

    Raises:
        RunKeyMissingError: The run has no business date.
        ArrearsError: Whatever the job found.
    """
    from arrears.lake import kept_journal  # noqa: PLC0415  it brings DuckDB, which parsing a DAG file must not

    run, instance = current_run(), get_current_context()["ti"]
    seen = Observation(str(instance.id), instance.task_id, portfolio, run.business_date)
    _Latest.observation = seen
    started = time.monotonic()
    beside = {"portfolio": portfolio, "business_date": run.business_date.isoformat(), "step": seen.step}
    try:
        with (
            bound_contextvars(**beside, run=run.run_ref),
            kept_journal() as journal,
            listening(_Progress(seen, run.run_ref)),
        ):
            try:
                seen.summary = job(portfolio, run.business_date, *arguments, run_ref=run.run_ref, **options)
            finally:
                seen.read, seen.written = list(journal.read.values()), list(journal.written.values())
    except Exception as error:
        _tell_of_failure(seen, error, time.monotonic() - started)
        raise
    _tell(seen, time.monotonic() - started)
    _note_steps(seen, run.run_ref, round(time.monotonic() - started))
    return seen.summary


class _Progress:
    """Tells of a long step while it works: a line in the task's log, and the figure of the day report.

    Args:
        seen: The task.
        run_ref: Its run.
    """

    def __init__(self, seen: Observation, run_ref: str) -> None:
        self._seen = seen
        self._run_ref = run_ref
        self._told_at = time.monotonic()

    def __call__(self, table: str, rows: int, of: int | None) -> None:
        """Hear of rows done; told on at most every ``PROGRESS_SECONDS``."""
        if time.monotonic() - self._told_at < PROGRESS_SECONDS:
            return
        seen = self._seen
        day = seen.business_date.isoformat()
        said = {"table": table, "rows": rows, **({"of": of} if of else {})}
        log.info("rows done", portfolio=seen.portfolio, business_date=day, step=seen.step, **said)
        _note(seen, self._run_ref, [("out", table, rows, None, None, None)])
        self._told_at = time.monotonic()


def _note_steps(seen: Observation, run_ref: str, seconds: int) -> None:
    """What the day report shows of a step that has ended."""
    rejected = {f"extract__{noun}": counts["rejected"] for noun, counts in seen.summary.get("tables", {}).items()}
    _note(
        seen,
        run_ref,
        [
            *(
                ("in", m.table, m.rows, rejected.get(m.table), m.content_hash, seconds)
                for m in _of_day(seen, seen.read)
            ),
            *(("out", m.table, m.rows, None, m.content_hash, seconds) for m in _of_day(seen, seen.written)),
            *(("out", fact, rows, None, None, seconds) for fact, rows in seen.summary.get("facts", {}).items()),
        ],
    )


def _of_day(seen: Observation, manifests: list[Manifest]) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest.business_date == seen.business_date.isoformat()]


def _note(
    seen: Observation, run_ref: str, figures: list[tuple[str, str, int, int | None, str | None, int | None]]
) -> None:
    """Write figures for the day report; a warehouse that is away must not fail a step that does not need it."""
    settings = load_settings()
    if settings.warehouse_url is None:
        return
    from arrears.warehouse.run_steps import StepRows, note  # noqa: PLC0415  not needed to parse a DAG

    rows = [
        StepRows(table, direction, number, rejected, seconds is not None, content_hash, seconds)
        for direction, table, number, rejected, content_hash, seconds in figures
    ]
    try:
        note(settings.warehouse, seen.portfolio, seen.business_date, run_ref, seen.step, rows)
    except ArrearsError as error:
        log.warning("the day report lacks this step", step=seen.step, code=error.code)


def _tell(seen: Observation, seconds: float) -> None:
    tags = {"portfolio": seen.portfolio}
    known = {"portfolio": seen.portfolio, "business_date": seen.business_date.isoformat(), "step": seen.step}
    for manifest in seen.written:
        log.info(
            "table written",
            **known,
            table=manifest.table,
            rows=manifest.rows,
            content_hash=manifest.content_hash,
            load_id=manifest.load_id,
        )
        stats.gauge("arrears.table.rows", manifest.rows, tags={**tags, "table": manifest.table})
    for noun, counts in seen.summary.get("tables", {}).items():
        stats.gauge("arrears.table.rejected", counts["rejected"], tags={**tags, "table": f"raw__{noun}"})
    if seen.summary.get("published"):
        stats.incr("arrears.published", tags=tags)
    stats.timing("arrears.step.duration", seconds * 1000, tags={**tags, "step": seen.step})
    # The table that stands for the job: the one it says it wrote, or the day itself when it is published.
    log.info(
        "job done",
        **known,
        table=seen.summary.get("table", ""),
        rows=seen.summary.get("rows", sum(manifest.rows for manifest in seen.written)),
        content_hash=seen.summary.get("content_hash", ""),
        tables=len(seen.written),
        seconds=round(seconds, 3),
    )


def _tell_of_failure(seen: Observation, error: Exception, seconds: float) -> None:
    code, _, _ = describe(error)
    stats.incr("arrears.step.failed", tags={"portfolio": seen.portfolio, "step": seen.step, "code": code})
    log.warning(
        "job failed",
        portfolio=seen.portfolio,
        business_date=seen.business_date.isoformat(),
        step=seen.step,
        code=code,
        seconds=round(seconds, 3),
    )
