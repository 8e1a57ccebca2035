"""Which day a DAG run works: its partition key, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from airflow.sdk import get_current_context

from arrears.errors import RunKeyMissingError


@dataclass(frozen=True)
class Run:
    """What a task needs to know of its run.

    Attributes:
        business_date: From the partition key.
        run_ref: The run id, for people and ledgers; never part of a hash.
        is_backfill: Whether a backfill made the run; what it plans is never sent.
    """

    business_date: date
    run_ref: str
    is_backfill: bool


def current_run() -> Run:
    """The run of the task that asks.

    Raises:
        RunKeyMissingError: The run was started without a partition key, or with one that is no date.
    """
    context = get_current_context()
    key = context.get("partition_key")
    dag_run = context["dag_run"]
    try:
        business_date = date.fromisoformat(key or "")
    except ValueError:
        found = f"partition key {key!r}" if key else "no partition key"
        raise RunKeyMissingError(found, "a business date such as 2026-01-31 as partition key", dag_run.run_id) from None
    return Run(business_date, dag_run.run_id, str(getattr(dag_run.run_type, "value", dag_run.run_type)) == "backfill")
