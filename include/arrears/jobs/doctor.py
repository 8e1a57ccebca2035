"""What is wrong with this deployment, and what to do about each thing: for whoever is on call.

Belongs here: looking, one function a matter, each independent of the others. Nothing is changed but one probe file in
the lake, written and taken away.
"""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fsspec
from sqlalchemy import func, select, text

from arrears.errors import ArrearsError, SourceNotReadyError
from arrears.jobs.extract import check_source_ready
from arrears.jobs.status import status
from arrears.jobs.watch import last_published, watch
from arrears.policy.review import check_review
from arrears.policy.selection import select as select_packs
from arrears.portfolio import load_folder, names
from arrears.warehouse.anchors import verify
from arrears.warehouse.connection import transaction
from arrears.warehouse.migrate import check_tables
from arrears.warehouse.roles import OWNER_ROLE
from arrears.warehouse.tables import DATA_KEY, NOTIFICATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from arrears.settings import Settings

OK, WARN, FAIL = "ok", "warn", "fail"
FREE_BYTES = 5 * 1024**3  # below it a day of a million loans may not fit; a tenth of the disk on small ones
CLOCK_SECONDS = 5.0
ANCHOR_AGE = timedelta(days=2)
PROBE = "tmp.doctor-"


@dataclass(frozen=True)
class Finding:
    """What one look found.

    Attributes:
        matter: What was looked at.
        state: ``ok``, ``warn`` (somebody should) or ``fail`` (days or sends will fail).
        found: What is the case, without row values.
        fix: What to do, as a command where there is one; empty when it is ok.
    """

    matter: str
    state: str
    found: str
    fix: str = ""


def doctor(settings: Settings, now: datetime) -> list[Finding]:
    """Look at everything; a look that fails is a finding of its own and hides none of the others.

    Args:
        settings: This deployment.
        now: With a zone.
    """
    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "warehouse": lambda: _warehouse(settings),
        "master keys": lambda: _keys(settings),
        "clock": lambda: _clock(settings),
        "lake": lambda: _lake(settings),
        "portfolios": lambda: _portfolios(settings, now),
        "dates": lambda: _dates(settings),
        "freshness": lambda: _freshness(settings, now),
        "outbox": lambda: _outbox(settings),
        "audit trail": lambda: _audit(settings, now),
        "alarms": lambda: _alarms(settings),
    }
    findings: list[Finding] = []
    for matter, look in looks.items():
        try:
            findings += look()
        except ArrearsError as error:
            findings.append(_failed(matter, error))
    return findings


def _failed(matter: str, error: ArrearsError, state: str = FAIL) -> Finding:
    return Finding(matter, state, f"{error.code}: {error.found}; expected {error.expected}", f"see {error.runbook}")


def _warehouse(settings: Settings) -> Iterator[Finding]:
    with transaction(settings.warehouse) as connection:
        version = connection.execute(text("SHOW server_version")).scalar_one()
        yield Finding("warehouse", OK, f"PostgreSQL {version} answers")
        yield _login(connection)
        try:
            check_tables(connection)
        except ArrearsError as error:
            yield Finding("migrations", FAIL, f"{error.code}: {error.found}", "python -m arrears migrate")
        else:
            yield Finding("migrations", OK, "tables are those of this version")


def _login(connection: Connection) -> Finding:
    """Jobs that own the tables could rewrite history; so could whoever has their password."""
    powers = "SELECT rolsuper OR pg_has_role(current_user, CAST(:owner AS name), 'MEMBER') FROM pg_roles "
    is_owner = connection.execute(
        text(f"{powers} WHERE rolname = current_user AND EXISTS (SELECT FROM pg_roles WHERE rolname = :owner)"),
        {"owner": OWNER_ROLE},
    ).scalar_one_or_none()
    if is_owner is False:
        return Finding("login", OK, "the jobs own no table")
    fix = "python -m arrears migrate as ARREARS_WAREHOUSE_OWNER_URL with ARREARS_JOBS_PASSWORD; docs/reference/roles.md"
    return Finding("login", WARN, "the jobs log in as whoever owns the tables", fix)


def _keys(settings: Settings) -> Iterator[Finding]:
    try:
        versions = sorted(settings.keys.masters)
    except ArrearsError as error:
        yield Finding("master keys", FAIL, f"{error.code}: {error.found}", "python -m arrears keys new, then set them")
        return
    asked = select(DATA_KEY.c.key_version).distinct()
    with transaction(settings.warehouse) as connection:
        used = set(connection.execute(asked).scalars())
    if used - set(versions):
        lacking = ", ".join(map(str, sorted(used - set(versions))))
        fix = "put the old keys back behind a comma in ARREARS_MASTER_KEYS"
        yield Finding("master keys", FAIL, f"version {lacking} sealed values of the vault and is not here", fix)
    else:
        yield Finding("master keys", OK, f"versions {', '.join(map(str, versions))}")


def _clock(settings: Settings) -> Iterator[Finding]:
    before = datetime.now(UTC)
    with transaction(settings.warehouse) as connection:
        theirs = connection.execute(select(func.clock_timestamp())).scalar_one()
    after = datetime.now(UTC)
    off = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
    if off > CLOCK_SECONDS:
        fix = "set both clocks by NTP before anything is sent: contact hours and claims are judged by them"
        yield Finding("clock", FAIL, f"this machine and the warehouse differ by {off:.0f} s", fix)
    else:
        yield Finding("clock", OK, f"this machine and the warehouse agree within {CLOCK_SECONDS:.0f} s")


def _lake(settings: Settings) -> Iterator[Finding]:
    filesystem, root = fsspec.url_to_fs(settings.lake_url)
    probe = f"{root.rstrip('/')}/{PROBE}{uuid.uuid4()}"
    try:
        filesystem.makedirs(root, exist_ok=True)
        filesystem.pipe_file(probe, b"probe")
        filesystem.rm_file(probe)
    except OSError as error:
        fix = "mend ARREARS_LAKE_URL, the folder's owner and rights, or the credentials"
        yield Finding("lake", FAIL, f"cannot be written: {type(error).__name__}", fix)
        return
    yield Finding("lake", OK, "can be written")
    if "file" in filesystem.protocol:
        usage = shutil.disk_usage(root)
        low = usage.free < min(FREE_BYTES, usage.total // 10)
        fix = "python -m arrears retention --portfolio P, then with --drop; or a larger disk" if low else ""
        yield Finding("disk", FAIL if low else OK, f"{usage.free / 1024**3:.1f} GiB free under the lake", fix)


def _portfolios(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Each folder, its packs' reviews, and whether its source answers."""
    published = last_published(settings.warehouse)
    for name in names(settings):
        matter = f"portfolio {name}"
        try:
            portfolio = load_folder(name, settings).portfolio
            chosen = select_packs(
                portfolio.packs,
                settings.policies,
                collector_type=portfolio.collector_type,
                unbound_as_house=portfolio.unbound_packs_as_house,
            )
        except ArrearsError as error:
            yield Finding(matter, FAIL, f"{error.code}: {error.found}", f"python -m arrears check-portfolio {name}")
            continue
        yield Finding(matter, OK, "its folder is right")
        try:
            check_review(chosen.packs, now.astimezone(portfolio.zone).date(), is_sandbox=False)
        except ArrearsError as error:
            yield _failed(f"packs of {name}", error, WARN)
        yield _source(name, now.astimezone(portfolio.zone).date(), settings, is_used=name in published)


def _source(name: str, today: Any, settings: Settings, *, is_used: bool) -> Finding:  # noqa: ANN401
    matter = f"source of {name}"
    try:
        check_source_ready(name, today, settings=settings)
    except SourceNotReadyError as late:
        return Finding(matter, OK, f"answers; today's ledger is not there yet: {late.found}")
    except ArrearsError as error:
        return _failed(matter, error, FAIL if is_used else WARN)
    return Finding(matter, OK, "answers, and today's ledger is there")


def _dates(settings: Settings) -> Iterator[Finding]:
    for one in status(settings):
        name = one["portfolio"]
        stale = [day["business_date"] for day in one.get("stale", ())]
        if stale:
            fix = f"python -m arrears restate --portfolio {name} --from {min(stale)} --to {max(stale)}"
            yield Finding(f"dates of {name}", WARN, f"{len(stale)} stale: {min(stale)} to {max(stale)}", fix)
        for trouble in one.get("troubles", ()):
            what = trouble["error_code"] or "started, never finished"
            fix = f"see {trouble['runbook'] or 'docs/runbooks/ARR-RUN-FAILED.md'}, then clear the task"
            place = f"{trouble['business_date']} {trouble['task'] or 'run'}"
            yield Finding(f"runs of {name}", FAIL, f"{place}: {what}", fix)
        if not stale and not one.get("troubles") and "error" not in one:
            yield Finding(f"dates of {name}", OK, f"{one['dates_published']} published, none stale, none failed")


def _freshness(settings: Settings, now: datetime) -> Iterator[Finding]:
    alarms = watch(settings, now)
    for alarm in alarms:
        yield Finding(f"watch {alarm.portfolio}".strip(), FAIL, alarm.found, f"see {alarm.runbook}")
    if not alarms:
        yield Finding("watch", OK, "every published portfolio is there by its hour")


def _outbox(settings: Settings) -> Iterator[Finding]:
    """Sends nobody knows the end of, and plans that wait for a person."""
    step = NOTIFICATION.c
    counts = (
        select(step.state_code, func.count().label("number"))
        .where(step.state_code.in_(("unknown", "held")))
        .group_by("state_code")
    )
    with transaction(settings.warehouse) as connection:
        found = {row.state_code: row.number for row in connection.execute(counts)}
    unknown, held = found.get("unknown", 0), found.get("held", 0)
    fix = "python -m arrears outbox list, then outbox settle each"
    yield Finding("unknown sends", FAIL if unknown else OK, f"{unknown} to settle", fix if unknown else "")
    fix = "answer the run of the DAG contact_approval that asks; unanswered they expire unsent"
    yield Finding("held plans", WARN if held else OK, f"{held} contacts wait for approval", fix if held else "")


def _audit(settings: Settings, now: datetime) -> Iterator[Finding]:
    trail = verify(settings)
    if trail.faults:
        fix = "keep the database and the anchors as they are; see docs/runbooks/ARR-AUD-001.md"
        yield Finding("audit trail", FAIL, f"does not hold: {trail.faults[0]}", fix)
        return
    yield Finding("audit trail", OK, f"{trail.entries} entries hold, {trail.anchors} anchors")
    is_old = trail.anchored_on is None or trail.anchored_on < (now - ANCHOR_AGE).date().isoformat()
    if (trail.entries or trail.anchors) and is_old:
        fix = (
            "python -m arrears audit anchor, unpause the DAG audit_anchor; if it ran, see docs/runbooks/ARR-AUD-001.md"
        )
        since = f"none since {trail.anchored_on}" if trail.anchors else "none at all"
        yield Finding("audit anchors", WARN, f"{since}; {trail.unanchored} entries could be cut off unseen", fix)


def _alarms(settings: Settings) -> Iterator[Finding]:
    wanted = {
        "failures": (settings.alert_connection, "ARREARS_ALERT_CONNECTION: an Airflow SMTP or HTTP connection"),
        "watch": (settings.watch_webhook, "ARREARS_WATCH_WEBHOOK, and a cron line for `python -m arrears watch`"),
    }
    for matter, (is_set, fix) in wanted.items():
        found = "tell somebody" if is_set else "tell nobody"
        yield Finding(f"alarms of {matter}", OK if is_set else WARN, found, "" if is_set else f"set {fix}")
