"""Is every portfolio's day published by its hour: asked from outside Airflow, so that Airflow's death is noticed too.

Belongs here: what must raise somebody, and telling whoever is told. It reads the warehouse alone; a cron line runs it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import httpx
from sqlalchemy import func, or_, select, text, tuple_

from arrears.errors import (
    AlarmUndeliveredError,
    AnswerDueError,
    ArrearsError,
    DayLateError,
    SliceStoppedError,
    SupervisorCallError,
    UnknownSendsError,
)
from arrears.portfolio import load_folder, names
from arrears.quality.slices import HOLDS
from arrears.quality.trend import TABLE as FIGURES
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import MART, NOTIFICATION, PUBLISH_LEDGER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from arrears.portfolio import Portfolio
    from arrears.settings import Settings

WEBHOOK_SECONDS = 10
ANSWERS_DUE = text(
    "SELECT portfolio, count(*) FILTER (WHERE alarm_code = 'overdue'), count(*) FILTER (WHERE alarm_code = 'soon') "
    "FROM bi.answer_clock WHERE alarm_code <> 'waiting' GROUP BY portfolio ORDER BY portfolio"
)

SUPERVISOR_CALLS = text(
    "SELECT portfolio, count(*), min(since_at) FROM ops.supervisor_call GROUP BY portfolio ORDER BY portfolio"
)


@dataclass(frozen=True)
class Alarm:
    """One thing that somebody must look at now.

    Attributes:
        code: Error code, whose runbook says what to do.
        portfolio: Folder name; empty when it is about all of them.
        found: What is wrong, without row values.
        runbook: Page of the code.
    """

    code: str
    portfolio: str
    found: str
    runbook: str

    @classmethod
    def of(cls, error: ArrearsError, portfolio: str = "") -> Alarm:
        """The alarm that an error is."""
        return cls(error.code, portfolio, f"{error.found}; expected {error.expected}", error.runbook)


def watch(settings: Settings, now: datetime, portfolios: Sequence[str] = ()) -> list[Alarm]:
    """What must be looked at now; empty when all is as it should be.

    A day is late when it is not published ``source_deadline_hours`` (of the portfolio) and ``watch_margin_hours`` (of
    the deployment) after its midnight; until then yesterday's must be there. A portfolio that was never published is
    watched only when it is named: a folder alone is no promise.

    Args:
        settings: This deployment.
        now: With a zone.
        portfolios: Folder names; none for all.

    Raises:
        PortfolioUnknownError: A named folder is not there.
    """
    try:
        last = last_published(settings.warehouse)
        waiting = [
            *supervisor_calls(settings),
            *_unknown_sends(settings, now),
            *_answers_due(settings),
            *_stopped_slices(settings, last),
        ]
    except ArrearsError as error:
        return [Alarm.of(error)]
    alarms = []
    for name in portfolios or [name for name in names(settings) if name in last]:
        try:
            portfolio = load_folder(name, settings).portfolio
        except ArrearsError as error:
            if name not in names(settings):
                raise
            alarms.append(Alarm.of(error, name))
            continue
        late = _late(portfolio, last.get(name), now, settings.watch_margin_hours)
        alarms += [] if late is None else [Alarm.of(late, name)]
    return alarms + waiting


def last_published(url: str) -> Mapping[str, date]:
    """Newest published business date by portfolio.

    Raises:
        WarehouseUnreachableError: The server did not answer.
        WarehouseSchemaError: The warehouse was never upgraded.
    """
    newest = select(PUBLISH_LEDGER.c.portfolio, func.max(PUBLISH_LEDGER.c.business_date).label("last")).group_by(
        PUBLISH_LEDGER.c.portfolio
    )
    with transaction(url) as connection:
        return {row.portfolio: row.last for row in connection.execute(newest)}


def date_due(portfolio: Portfolio, now: datetime, margin_hours: int) -> date:
    """The business date that must be published by now."""
    local = now.astimezone(portfolio.zone)
    allowed = timedelta(hours=portfolio.source_deadline_hours + margin_hours)
    due_at = datetime.combine(local.date(), time.min, portfolio.zone).astimezone(UTC) + allowed  # elapsed hours
    return local.date() if now >= due_at else local.date() - timedelta(days=1)


def _late(portfolio: Portfolio, last: date | None, now: datetime, margin_hours: int) -> DayLateError | None:
    due = date_due(portfolio, now, margin_hours)
    if due < portfolio.first_business_date or (last is not None and last >= due):
        return None
    return DayLateError(f"last published: {last or 'nothing yet'}", f"{due} by now", portfolio.name)


def _unknown_sends(settings: Settings, now: datetime) -> list[Alarm]:
    """One alarm for each portfolio with sends that nobody has settled in time, or with too many of them."""
    step = NOTIFICATION.c
    since = now - timedelta(hours=settings.watch_unknown_hours)
    oldest = func.min(step.changed_at)
    waiting = (
        select(step.portfolio, func.count().label("sends"), oldest.label("oldest"))
        .where(step.state_code == "unknown")
        .group_by(step.portfolio)
        .having(or_(oldest <= since, func.count() >= settings.watch_unknown_count))
        .order_by(step.portfolio)
    )
    with transaction(settings.warehouse) as connection:
        rows = connection.execute(waiting).all()
    wanted = (
        f"each settled within {settings.watch_unknown_hours} hours, and fewer than {settings.watch_unknown_count}: "
        "python -m arrears outbox list --state unknown"
    )
    return [
        Alarm.of(
            UnknownSendsError(
                f"{row.sends} sends unknown, the oldest since {row.oldest.astimezone(UTC):%Y-%m-%d %H:%M} UTC", wanted
            ),
            row.portfolio,
        )
        for row in rows
    ]


def _answers_due(settings: Settings) -> list[Alarm]:
    """One alarm for each portfolio with complaints or disputes whose answer is overdue or due within three days."""
    with transaction(settings.warehouse) as connection:
        rows = connection.execute(ANSWERS_DUE).all()
    return [
        Alarm.of(AnswerDueError(f"{overdue} answers overdue, {soon} due within three days", "each answered"), name)
        for name, overdue, soon in rows
    ]


def _stopped_slices(settings: Settings, last: Mapping[str, date]) -> list[Alarm]:
    """One alarm for each portfolio whose newest published day has products about which contact has stopped."""
    quality = MART[FIGURES].c
    stopped = (
        select(quality.portfolio, quality.business_date, func.array_agg(quality.profile_code).label("figures"))
        .where(tuple_(quality.portfolio, quality.business_date).in_(list(last.items())), quality.verdict_code == HOLDS)
        .group_by(quality.portfolio, quality.business_date)
        .order_by(quality.portfolio)
    )
    with transaction(settings.warehouse) as connection:
        rows = connection.execute(stopped).all()
    return [
        Alarm.of(
            SliceStoppedError(f"{', '.join(sorted(row.figures))} of {row.business_date}", "figures as ever"),
            row.portfolio,
        )
        for row in rows
    ]


def supervisor_calls(settings: Settings) -> list[Alarm]:
    """One alarm for each portfolio with people at risk whom no supervisor has taken over.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    with transaction(settings.warehouse) as connection:
        rows = connection.execute(SUPERVISOR_CALLS).all()
    wanted = "a supervisor takes each over: override take_over"
    return [
        Alarm.of(SupervisorCallError(f"{count} people at risk, since {since:%Y-%m-%d %H:%M} UTC", wanted), name)
        for name, count, since in ((name, count, since.astimezone(UTC)) for name, count, since in rows)
    ]


def tell(settings: Settings, alarms: Sequence[Alarm], now: datetime) -> bool:
    """Post the alarms to the deployment's webhook; without one, or without alarms, nothing happens.

    Returns:
        Whether anything was posted.

    Raises:
        AlarmUndeliveredError: The webhook did not answer with a 2xx.
    """
    if settings.watch_webhook is None or not alarms:
        return False
    body = {"at": now.isoformat(), "alarms": [asdict(alarm) for alarm in alarms]}
    try:
        answer = httpx.post(settings.watch_webhook.get_secret_value(), json=body, timeout=WEBHOOK_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:  # its words may hold the address, and so its token
        raise AlarmUndeliveredError(type(error).__name__, "a 2xx answer", "ARREARS_WATCH_WEBHOOK") from None
    if not answer.is_success:
        raise AlarmUndeliveredError(f"HTTP {answer.status_code}", "a 2xx answer", "ARREARS_WATCH_WEBHOOK")
    return True
