"""Sends what is due from the outbox: every ten minutes, never twice.

**What it does.** `due_work` ends rows whose time has passed and finds the channels and shards with work. `dispatch`,
mapped over channels and their busy shards, first settles attempts whose outcome nobody knows (by the provider's
look-up), then sends: for each message everything is checked again (stops, payments under way, flags, consent, hours,
caps), the intent is committed, and only then the provider is asked. `hand_over` writes campaigns, letters and worklists
for what goes by file, takes back what nobody may act on any more, and sets the gauge of attempts whose outcome nobody
knows (`arrears watch` alarms about them). A channel whose provider fails several times in a row is left alone until the
next run; the others go on. `ended` fails when anything did, so that the run does and somebody is told.
Every channel writes into a sandbox until `ARREARS_SENDING` names a file that says else.

**Reads**: `ops.notification`, `ops.outbox_stop`, `ops.feedback_*`, the day's frozen ledger, the vault (one address a
message).

**Writes**: `ops.notification` and its history; messages to providers, or files below `var/outbox`.

**Safe to rerun?** Yes, at any time, beside itself too: a session lock has each shard worked once, and an attempt that
may have arrived is never sent again by itself.

**If late**: messages leave later, and expire at the end of their lawful window.

**Runbook**: the task's *Runbook* link, or `docs/runbooks/<code>.md` of the code in its log; `docs/how-to/sending.md`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import dag, get_current_context, task
from arrears.orchestration.callbacks import run_failed
from arrears.orchestration.defaults import START_DATE, task_defaults


@dag(
    dag_id="contact_dispatch",
    schedule="*/10 * * * *",
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(),
    on_failure_callback=run_failed,
    doc_md=__doc__,
    tags=["contact", "impact:tier-1"],
)
def contact_dispatch() -> None:
    """Make the DAG."""

    @task
    def due_work() -> list[dict[str, Any]]:
        from arrears.jobs.dispatch import due_work

        return due_work()

    @task(map_index_template="{{ share }}")
    def dispatch(work: dict[str, Any]) -> dict[str, Any]:
        from arrears.jobs.dispatch import dispatch

        get_current_context()["share"] = f"{work['channel']} {'/'.join(map(str, work['shards']))}"
        return dispatch(**work)

    @task(trigger_rule="all_done")
    def hand_over() -> dict[str, Any]:
        from arrears.jobs.dispatch import hand_over, unknown_sends
        from arrears.orchestration.observe import gauge

        gauge("arrears.outbox.unknown", "channel", unknown_sends())
        return hand_over(datetime.now(UTC))

    @task(trigger_rule="none_failed")
    def ended() -> None:
        pass

    sent, handed_over = dispatch.expand(work=due_work()), hand_over()
    sent >> handed_over
    [sent, handed_over] >> ended()


contact_dispatch()
