"""One business date from source to published metrics: the DAG's jobs in their order, without Airflow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from arrears.contracts.core import CORE
from arrears.contracts.ledger import LEDGER
from arrears.contracts.measures import MEASURES
from arrears.contracts.out import OUT
from arrears.jobs import STEPS, job
from arrears.jobs.day import Day
from arrears.jobs.extract import check_source_ready, extract, tables_to_extract
from arrears.jobs.publish import publish
from arrears.kept import one_process
from arrears.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from arrears.settings import Settings


@one_process()
def run_day(  # noqa: PLR0913  a day is its parts
    portfolio: str,
    business_date: date,
    *,
    refresh_source: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
    run_ref: str = "cli",
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Run every job of the day and publish it where a warehouse is configured; nothing it plans is ever sent.

    Args:
        portfolio: Folder name.
        business_date: The day that is worked.
        refresh_source: Extract again what is already there.
        on_step: Called with each step's name before it runs.
        run_ref: Written into manifests and ledgers, for people.
        settings: This deployment, unless a test brings its own.

    Returns:
        Open loans, loans by bucket, events by code, content hash by table, and what publishing did.

    Raises:
        SourceNotReadyError: The source has not closed the day's ledger.
        ArrearsError: Whatever a job found.
    """
    settings = settings or load_settings()
    check_source_ready(portfolio, business_date, settings=settings)
    for noun in tables_to_extract(portfolio, settings=settings):
        on_step(f"extract {noun}")
        extract(portfolio, business_date, noun, refresh_source=refresh_source, run_ref=run_ref, settings=settings)
    for step in STEPS:
        on_step(step)
        job(step)(portfolio, business_date, run_ref=run_ref, settings=settings)
    published: dict[str, Any] = {"published": False, "reason": "no warehouse is configured"}
    if settings.warehouse_url is not None:
        on_step("publish")
        published = publish(
            portfolio, business_date, is_backfill=True, now=datetime.now(UTC), run_ref=run_ref, settings=settings
        )
    day = Day.open(portfolio, business_date, settings=settings)
    day.lake.settle()
    return {**day_summary(day), "publication": published}


def day_summary(day: Day) -> dict[str, Any]:
    """What a finished day says of itself: counts and hashes, from the lake.

    Raises:
        PartitionMissingError: The day has not run.
    """
    with day.work() as work:
        work.read("core__loan_delinquency_daily")
        work.read("core__delinquency_event_daily")
        buckets = dict(
            work.connection.execute(
                "SELECT bucket, count(*) FROM core__loan_delinquency_daily WHERE is_open GROUP BY bucket"
            ).fetchall()
        )
        events = dict(
            work.connection.execute(
                "SELECT event_code, count(*) FROM core__delinquency_event_daily GROUP BY event_code ORDER BY event_code"
            ).fetchall()
        )
    hashes = {}
    for contract in (*LEDGER, *CORE, *OUT, *MEASURES):
        manifest = day.lake.find(day.key(contract.table))
        if manifest is not None:
            hashes[contract.table] = manifest.content_hash
    return {
        "portfolio": day.name,
        "business_date": day.business_date.isoformat(),
        "closing_date": day.closing_date.isoformat(),
        "loans": sum(buckets.values()),
        "buckets": {bucket.code: buckets.get(bucket.code, 0) for bucket in day.folder.portfolio.bucket_set},
        "newly_overdue": events.get("newly_overdue", 0),
        "events": events,
        "content_hashes": hashes,
    }
