"""What happens when a task or a run fails: the run ledger, and one message to whoever is on call.

A task killed by SIGKILL or by the system calls no task callback; the DAG's callback and the ledger's "started, never
finished" are the net.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from arrears.errors import ArrearsError, RunFailedError, SourceNotReadyError
from arrears.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)
PREFIX = "collections_daily__"
FAILED = frozenset({"failed", "upstream_failed"})
SHARED_DAGS = (
    "audit_anchor",
    "contact_approval",
    "contact_dispatch",
    "feedback_intake",
    "retention",
)  # of no one portfolio


def describe(error: BaseException | None) -> tuple[str, str, str]:
    """Code, message and runbook of a failure; messages of foreign exceptions are left out: they may hold values."""
    if isinstance(error, ArrearsError):
        return error.code, str(error), error.runbook
    if error is not None and type(error).__name__ == "AirflowSensorTimeout":
        late = SourceNotReadyError("the source did not deliver by its deadline", "a closed ledger")
        return late.code, str(late), late.runbook
    what = f"the task ended with {type(error).__name__}" if error else "a task ended without a word (killed?)"
    failed = RunFailedError(what, "every task to succeed", "see the task's log")
    return failed.code, str(failed), failed.runbook


def task_failed(context: Mapping[str, Any]) -> None:
    """Task callback: record which task failed, with code and runbook."""
    instance = context["ti"]
    error = context.get("exception")
    code, message, runbook = describe(error if isinstance(error, BaseException) else None)
    _record(context, task=instance.task_id, code=code, message=message, runbook=runbook)


def run_started(context: Mapping[str, Any]) -> None:
    """Record that a run began: a run that is started and never finished shows in ``arrears status``."""
    _ledger_call("started", context, task="")


def run_succeeded(context: Mapping[str, Any]) -> None:
    """DAG callback: close the run in the ledger; as failed, and told, where one of its tasks is.

    Airflow calls a run a success by its last task alone: one that was cleared by itself and failed leaves it green.
    """
    if _has_failed_task(context):
        run_failed(context)
    else:
        _ledger_call("finished", context, task="")


def run_failed(context: Mapping[str, Any]) -> None:
    """DAG callback: close the run in the ledger as failed and tell whoever is on call, also when the ledger is away."""
    from arrears.warehouse.run_ledger import last_failure  # noqa: PLC0415  the warehouse is not needed to parse a DAG

    portfolio, business_date, run_ref = _day_of(context)
    try:
        known = last_failure(load_settings().warehouse, portfolio, run_ref)
    except ArrearsError as away:  # most likely what the run failed of
        known = describe(away)
    code, message, runbook = known or describe(None)
    try:
        _record(context, task="", code=code, message=message, runbook=runbook)
    finally:
        _notify(f"{code} {portfolio} {business_date}", message)


def call_supervisor() -> int:
    """Ring for people whose life may be at risk, every time until a supervisor has taken over; returns the alarms."""
    from arrears.jobs.watch import supervisor_calls, tell  # noqa: PLC0415  the warehouse is not needed to parse a DAG

    settings = load_settings()
    alarms = supervisor_calls(settings)
    for alarm in alarms:
        log.warning("%s %s %s", alarm.code, alarm.portfolio, alarm.found)
        _notify(f"{alarm.code} {alarm.portfolio}", f"{alarm.found}; {alarm.runbook}")
    tell(settings, alarms, datetime.now(UTC))
    return len(alarms)


def _has_failed_task(context: Mapping[str, Any]) -> bool:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance  # noqa: PLC0415  seconds, to parse a DAG

    run = context["dag_run"]
    states = RuntimeTaskInstance.get_task_states(dag_id=run.dag_id, run_ids=[run.run_id])
    return not FAILED.isdisjoint(states.get(run.run_id, {}).values())


def _record(context: Mapping[str, Any], *, task: str, code: str, message: str, runbook: str) -> None:
    _ledger_call("failed", context, task=task, error_code=code, message=message, runbook=runbook)


def _ledger_call(state: str, context: Mapping[str, Any], **fields: str) -> None:
    from arrears.warehouse import run_ledger  # noqa: PLC0415  as above

    portfolio, business_date, run_ref = _day_of(context)
    getattr(run_ledger, state)(load_settings().warehouse, portfolio, business_date, run_ref, **fields)


def _day_of(context: Mapping[str, Any]) -> tuple[str, str, str]:
    run = context["dag_run"]
    return str(run.dag_id).removeprefix(PREFIX), str(run.partition_key or ""), str(run.run_id)


def _notify(subject: str, message: str) -> None:
    """Send through the configured connection: SMTP by mail, anything else by an HTTP POST of JSON."""
    settings = load_settings()
    if not settings.alert_connection:
        log.info("no alert connection is configured")
        return
    from airflow.sdk import Connection  # noqa: PLC0415  only when there is something to send

    connection = Connection.get(settings.alert_connection)
    if connection.conn_type == "smtp":
        from airflow.providers.smtp.hooks.smtp import SmtpHook  # noqa: PLC0415

        with SmtpHook(smtp_conn_id=settings.alert_connection) as hook:
            hook.send_email_smtp(to=settings.alert_to, subject=subject, html_content=f"<pre>{message}</pre>")
    else:
        from airflow.providers.http.hooks.http import HttpHook  # noqa: PLC0415

        HttpHook(method="POST", http_conn_id=settings.alert_connection).run(json={"subject": subject, "text": message})
