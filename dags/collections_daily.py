"""The day of one portfolio: from the closed ledger to published metrics.

**What it does.** Extracts the ledger closed yesterday, validates it, ages every loan as of today, finds the day's
transitions, keeps one case per borrower, assigns cases, plans lawful contacts, measures, and publishes all of it in
one transaction. A plan that departs from its history is published as held, and `contact_approval` asks a person. One
DAG per folder of `include/portfolios`; the run's **partition key is the business date**.

**Reads**: the portfolio's source (`include/portfolios/<name>/*.sql`), yesterday's published day.

**Writes**: the lake's partitions of the date, then `mart.*` of the date, which `bi.*` shows; `ops.notification` rows
only if the date is today's and the run is no backfill.

**Safe to rerun?** Yes: any task, alone or with what follows, in any order. Equal input gives equal content hashes; an
equal day is not published again; nothing is sent by a rerun.

**If late**: a source that has not closed is waited for, up to the portfolio's deadline; a day whose predecessor is not
published waits for it (`ARR-RUN-PREDECESSOR`). Yesterday stays published meanwhile.

**Runbook**: the task's *Runbook* link, or `docs/runbooks/<code>.md` of the code in its log. The run's *Day report* tab,
which every task links to as well, shows rows in and out per step while they work, rejected rows, balance and changes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import XComArg, dag, get_current_context, task
from arrears.orchestration.approval import AskForApproval
from arrears.orchestration.callbacks import PREFIX, run_failed, run_started, run_succeeded
from arrears.orchestration.defaults import (
    START_DATE,
    ledger_nouns,
    portfolio_names,
    predecessor_retries,
    schedule_of,
    source_deadline,
    source_wait,
    task_defaults,
)
from arrears.orchestration.observe import observed
from arrears.orchestration.run import current_run


def collections_daily(portfolio: str) -> None:
    """Make the DAG of one portfolio folder."""

    @dag(
        dag_id=f"{PREFIX}{portfolio}",
        dag_display_name=f"collections daily: {portfolio}",
        schedule=schedule_of(portfolio),
        start_date=START_DATE,
        catchup=False,
        max_active_runs=8,
        default_args=task_defaults(),
        on_failure_callback=run_failed,
        on_success_callback=run_succeeded,
        doc_md=__doc__,
        tags=["collections", portfolio, "impact:tier-1"],
    )
    def day() -> None:
        @task.sensor(poke_interval=source_wait(), timeout=source_deadline(portfolio), mode="reschedule")
        def wait_for_source() -> bool:
            from arrears.jobs.extract import source_is_ready

            run_started(get_current_context())
            return source_is_ready(portfolio, current_run().business_date)

        @task(map_index_template="{{ noun }}")
        def extract(noun: str) -> dict[str, Any]:
            from arrears.jobs.extract import extract

            get_current_context()["noun"] = noun
            return observed(extract, portfolio, noun)

        def step(name: str, **options: int) -> XComArg:
            @task(task_id=name, **options)
            def work() -> dict[str, Any]:
                from arrears.jobs import job

                return observed(job(name), portfolio)

            return work()

        @task(execution_timeout=timedelta(minutes=30))
        def publish() -> dict[str, Any]:
            from arrears.jobs.publish import publish

            return observed(publish, portfolio, is_backfill=current_run().is_backfill, now=datetime.now(UTC))

        (
            wait_for_source()
            >> extract.expand(noun=ledger_nouns(portfolio))
            >> step("validate")
            >> step("age")
            >> step("transitions", retries=predecessor_retries())
            >> step("cases")
            >> step("assign")
            >> step("plan")
            >> step("metrics")
            >> publish()
            >> AskForApproval()
        )

    day()


for name in portfolio_names():
    collections_daily(name)
