"""Runs a task's job and tells what it did: one structured log line, metrics, and the facts that lineage is made of.

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

from arrears.orchestration.callbacks import describe
from arrears.orchestration.run import current_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from arrears.lake import Manifest

log = structlog.get_logger("arrears.jobs")


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
    try:
        with kept_journal() as journal:
            try:
                seen.summary = job(portfolio, run.business_date, *arguments, run_ref=run.run_ref, **options)
            finally:
                seen.read, seen.written = list(journal.read.values()), list(journal.written.values())
    except Exception as error:
        _tell_of_failure(seen, error, time.monotonic() - started)
        raise
    _tell(seen, time.monotonic() - started)
    return seen.summary


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
