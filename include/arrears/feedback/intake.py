"""One delivery of reports: what is good is kept and acts, what is not is named, all in one transaction.

Belongs here: judging rows and keeping them, from wherever they come. It may be done again at any time: a delivery that
was taken in is known by its bytes, a report by its natural key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import and_, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from arrears.errors import FeedbackConflictError, FeedbackRowError, FeedbackSubjectError
from arrears.failpoints import failpoint
from arrears.feedback.reaction import react
from arrears.feedback.reports import ID, KINDS, REPORT, content_hash_of, detail_of, event_id_of
from arrears.feedback.subjects import Stranger, Subject, known_subjects
from arrears.feedback.vault import keep_note, keep_rejected_report
from arrears.warehouse.audit import record
from arrears.warehouse.connection import transaction
from arrears.warehouse.feedback_known import feedback_lock
from arrears.warehouse.feedback_tables import (
    FEEDBACK_DELIVERY,
    FEEDBACK_EVENT,
    FEEDBACK_REJECTED,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from arrears.lake import Lake
    from arrears.settings import Settings

CLOCKS_DIFFER = timedelta(minutes=5)  # by so much a source's clock may be ahead of ours
SHOWN_COLUMN = 60


@dataclass(frozen=True)
class Row:
    """One reported row.

    Attributes:
        number: Line of a file, from 1; else the ordinal.
        values: As delivered, by column; what could not even be read stands under "".
        broken: What was expected of a row that could not be read; "" for one that could.
    """

    number: int
    values: Mapping[str, Any]
    broken: str = ""


@dataclass(frozen=True)
class Delivery:
    """Rows that came together.

    Attributes:
        portfolio: Folder name.
        source: Who delivered.
        delivery_id: The same for the same bytes.
        way: file, database or webhook.
        name: For people: file name, SELECT, or the request's own identifier.
        rows: The rows.
    """

    portfolio: str
    source: str
    delivery_id: str
    way: str
    name: str
    rows: tuple[Row, ...]

    @property
    def key(self) -> dict[str, str]:
        """Its primary key."""
        return {"portfolio": self.portfolio, "source_code": self.source, "delivery_id": self.delivery_id}


@dataclass(frozen=True)
class Refusal:
    """A row that was not taken in.

    Attributes:
        row: The row.
        column: The column to look at; empty for the whole row.
        code: Error code.
        expected: What was expected; never what was found.
    """

    row: Row
    column: str
    code: str
    expected: str


@dataclass(frozen=True)
class Taken:
    """What became of a delivery.

    Attributes:
        rows: Delivered.
        accepted: New, and kept.
        repeated: Known already, word for word.
        stopped: Waiting contacts ended.
        refusals: The others, in their order.
        is_known: Whether the whole delivery had been taken in before; then nothing else is said.
    """

    rows: int
    accepted: int = 0
    repeated: int = 0
    stopped: int = 0
    refusals: tuple[Refusal, ...] = ()
    is_known: bool = False


@dataclass
class _Judged:
    """Good rows with whom they are about, and the others."""

    good: list[tuple[Row, Any, Subject]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def take_in(settings: Settings, lake: Lake, delivery: Delivery, about: Subject | None = None) -> Taken:
    """Take in one delivery: keep its new reports, quarantine its bad rows, and stop what they forbid.

    Args:
        settings: This deployment.
        lake: Whose newest ledger says whom a report is about.
        delivery: The rows.
        about: Whom all of them are about, where we know it ourselves, from a message that we sent: it holds whether
            the newest ledger still names them or not.

    Raises:
        WarehouseUnreachableError: The server did not answer; nothing of it was kept.
        PartitionCorruptError: A file of the ledger was changed; nothing of it was kept.
    """
    judged = _judge(settings, lake, delivery, about)
    with transaction(settings.warehouse) as connection:
        connection.execute(select(func.pg_advisory_xact_lock_shared(feedback_lock(delivery.portfolio))))
        now = connection.execute(select(func.clock_timestamp())).scalar_one()
        if not _note_delivery(connection, delivery, now):
            return Taken(len(delivery.rows), is_known=True)
        taken = _keep(connection, settings, delivery, judged, now)
        failpoint("feedback.before_commit")
    failpoint("feedback.after_commit")
    return taken


def _judge(settings: Settings, lake: Lake, delivery: Delivery, about: Subject | None) -> _Judged:
    """Read every row as its kind, and find whom it is about."""
    judged = _Judged()
    read = []
    for row in delivery.rows:
        if row.broken:
            judged.refusals.append(Refusal(row, "", FeedbackRowError.code, row.broken))
            continue
        try:
            read.append((row, REPORT.validate_python(row.values)))
        except ValidationError as error:
            judged.refusals += [Refusal(row, *wrong) for wrong in _mistakes(error)]
    unknown = [] if about else [report for _, report in read]
    known = known_subjects(settings, lake, delivery.portfolio, unknown)
    for row, report in read:
        subject = about or known.subject_of(report)
        if isinstance(subject, Stranger):
            judged.refusals.append(Refusal(row, subject.column, FeedbackSubjectError.code, subject.expected))
        else:
            judged.good.append((row, report, subject))
    return judged


def _mistakes(error: ValidationError) -> list[tuple[str, str, str]]:
    """Column, code and what was expected, a column once; the words never repeat what was delivered."""
    found: dict[str, str] = {}
    for one in error.errors(include_input=False, include_url=False):
        kind = str(one["type"])
        where = [str(part) for part in one["loc"] if str(part) not in KINDS]
        column = ".".join(where)[:SHOWN_COLUMN]
        if kind.startswith("union_tag"):
            column, words = "kind", f"one of {', '.join(KINDS)}"
        elif kind == "extra_forbidden":
            column, words = _shown(column), "no such column"
        elif kind == "missing":
            words = "this column"
        else:
            words = str(one["msg"]).removeprefix("Value error, ")
        if not column and re.match(r"[a-z_]+: ", words):
            column, words = words.split(": ", 1)
        found.setdefault(column, words)
    return [(column, FeedbackRowError.code, words) for column, words in found.items()]


def _shown(column: str) -> str:
    """A column's name as delivered, unless it is none that anybody would choose."""
    return column if re.match(ID, column) and not re.search(r"\d{4}", column) else "(another column)"


def _note_delivery(connection: Connection, delivery: Delivery, now: datetime) -> bool:
    """Whether it is new; of two at once the second waits here for the first."""
    noted = upsert(FEEDBACK_DELIVERY).values(
        **delivery.key,
        way_code=delivery.way,
        name=delivery.name,
        rows=len(delivery.rows),
        accepted=0,
        repeated=0,
        rejected=0,
        stopped=0,
        received_at=now,
    )
    done = noted.on_conflict_do_nothing().returning(FEEDBACK_DELIVERY.c.delivery_id)
    return connection.execute(done).one_or_none() is not None


def _keep(connection: Connection, settings: Settings, delivery: Delivery, judged: _Judged, now: datetime) -> Taken:
    accepted = repeated = stopped = 0
    overrides: list[tuple[str, Any, int]] = []
    refusals = list(judged.refusals)
    # In one order, whoever writes: two deliveries of the same reports must not wait for each other in a circle.
    for row, report, subject in sorted(judged.good, key=lambda one: _place(one[1])):
        if report.occurred_at > now + CLOCKS_DIFFER:
            refusals.append(Refusal(row, "occurred_at", FeedbackRowError.code, "an instant that has passed"))
            continue
        event_id, content = event_id_of(delivery.portfolio, delivery.source, report), content_hash_of(report)
        if _append(connection, settings, delivery, event_id, content, report, subject, now):
            accepted, ended = accepted + 1, 0
            if _is_newest(connection, delivery, report):
                ended = react(connection, delivery.portfolio, delivery.source, report, subject, now)
            stopped += ended
            if report.kind == "override":
                overrides.append((event_id, report, ended))
        elif _there(connection, event_id) == content:
            repeated += 1
        else:
            refusals.append(
                Refusal(row, "revision", FeedbackConflictError.code, "a higher revision, or the same content")
            )
    _settle(connection, delivery, [report for _, report, _ in judged.good], now)
    refusals.sort(key=lambda one: (one.row.number, one.column))
    _quarantine(connection, settings, delivery, refusals, now)
    rejected = len({one.row.number for one in refusals})
    counts = {"accepted": accepted, "repeated": repeated, "rejected": rejected, "stopped": stopped}
    connection.execute(update(FEEDBACK_DELIVERY).where(*_is(FEEDBACK_DELIVERY, delivery)).values(**counts))
    for event_id, report, ended in overrides:
        _audit(connection, delivery, event_id, report, ended)
    return Taken(len(delivery.rows), accepted, repeated, stopped, tuple(refusals))


def _place(report: Any) -> tuple[str, str, int]:  # noqa: ANN401  a report of any kind
    return report.kind, report.ref, report.revision


def _append(  # noqa: PLR0913, PLR0917  one row's parts
    connection: Connection,
    settings: Settings,
    delivery: Delivery,
    event_id: str,
    content: str,
    report: Any,  # noqa: ANN401  as above
    subject: Subject,
    now: datetime,
) -> bool:
    """Whether the report is new; one that somebody else is writing at this instant is waited for."""
    written = upsert(FEEDBACK_EVENT).values(
        event_id=event_id,
        portfolio=delivery.portfolio,
        source_code=delivery.source,
        kind_code=report.kind,
        source_ref=report.ref,
        revision=report.revision,
        content_hash=content,
        person_id=subject.person_id,
        party_id=subject.party_id,
        contact_point_id=report.contact_point_id,
        loan_ids=list(report.loan_ids),
        author_id=report.author_id,
        occurred_at=report.occurred_at,
        received_at=now,
        detail=detail_of(report),
    )
    done = written.on_conflict_do_nothing().returning(FEEDBACK_EVENT.c.event_id)
    is_new = connection.execute(done).one_or_none() is not None
    note = getattr(report, "note", None)
    if is_new and note:
        keep_note(connection, settings.keys, delivery.portfolio, str(subject.party_id), event_id, note)
    return is_new


def _audit(connection: Connection, delivery: Delivery, event_id: str, report: Any, ended: int) -> None:  # noqa: ANN401  as above
    """What a supervisor decided, into the audit trail: who, why, the decision that it replaces, and what it ended."""
    record(
        connection,
        actor=f"{delivery.source}:{report.author_id}",
        action=f"override.{report.action_code}",
        subject=event_id,
        reason=report.reason_code,
        before=_replaced(connection, delivery, report),
        after={**detail_of(report), "loan_ids": sorted(report.loan_ids), "contacts_ended": ended},
    )


def _replaced(connection: Connection, delivery: Delivery, report: Any) -> dict[str, Any] | None:  # noqa: ANN401  as above
    """The decision as an earlier revision had it; None of a new one."""
    event = FEEDBACK_EVENT.c
    earlier = (
        select(event.detail, event.loan_ids)
        .where(*_revisions(delivery, report), event.revision < report.revision)
        .order_by(event.revision.desc())
    )
    found = connection.execute(earlier.limit(1)).one_or_none()
    return None if found is None else {**found.detail, "loan_ids": sorted(found.loan_ids)}


def _there(connection: Connection, event_id: str) -> str | None:
    asked = select(FEEDBACK_EVENT.c.content_hash).where(FEEDBACK_EVENT.c.event_id == event_id)
    return connection.execute(asked).scalar_one_or_none()


def _is_newest(connection: Connection, delivery: Delivery, report: Any) -> bool:  # noqa: ANN401  as above
    """Whether no higher revision is there: one that comes late changes nothing."""
    event = FEEDBACK_EVENT.c
    later = select(event.event_id).where(*_revisions(delivery, report), event.revision > report.revision)
    return connection.execute(later.limit(1)).one_or_none() is None


def _revisions(delivery: Delivery, report: Any) -> list[Any]:  # noqa: ANN401  as above
    """Conditions of every revision of a report."""
    event = FEEDBACK_EVENT.c
    return [
        event.portfolio == delivery.portfolio,
        event.source_code == delivery.source,
        event.kind_code == report.kind,
        event.source_ref == report.ref,
    ]


def _settle(connection: Connection, delivery: Delivery, reports: Sequence[Any], now: datetime) -> None:
    """Mark what an earlier delivery had refused and is in the log by now: nobody need look at it any more.

    The same report is the same kind and reference of the same source; a row without them waits for a person.
    """
    refused = FEEDBACK_REJECTED.c
    waits = and_(*_is(FEEDBACK_REJECTED, delivery)[:2], refused.settled_at.is_(None))
    asked = select(refused.kind_code, refused.source_ref).where(waits, refused.source_ref.in_([r.ref for r in reports]))
    waiting = {(row.kind_code, row.source_ref) for row in connection.execute(asked.distinct())}
    for report in reports:
        if (report.kind, report.ref) in waiting and _is_kept(connection, delivery, report):
            mended = (waits, refused.kind_code == report.kind, refused.source_ref == report.ref)
            connection.execute(update(FEEDBACK_REJECTED).where(*mended).values(settled_at=now))


def _is_kept(connection: Connection, delivery: Delivery, report: Any) -> bool:  # noqa: ANN401  as above
    event_id = event_id_of(delivery.portfolio, delivery.source, report)
    return _there(connection, event_id) == content_hash_of(report)


def _quarantine(
    connection: Connection, settings: Settings, delivery: Delivery, refusals: Sequence[Refusal], now: datetime
) -> None:
    """Where and why in ``ops``, the values in ``vault``."""
    kept: set[int] = set()
    for one in refusals:
        connection.execute(
            upsert(FEEDBACK_REJECTED)
            .values(
                **delivery.key,
                row_number=one.row.number,
                column_name=one.column,
                name=delivery.name,
                error_code=one.code,
                expected=one.expected,
                received_at=now,
                kind_code=kind if (kind := one.row.values.get("kind")) in KINDS else None,
                source_ref=ref if re.match(ID, ref := str(one.row.values.get("ref") or "")) else None,
            )
            .on_conflict_do_nothing()
        )
        if one.row.number not in kept:
            kept.add(one.row.number)
            keep_rejected_report(connection, settings.keys, delivery.key, one.row.number, _storable(one.row.values))


def _storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as PostgreSQL can hold them: NUL and half a surrogate pair become U+FFFD, all but plain values text."""
    shown = {}
    for name, value in values.items():
        plain = value if value is None or isinstance(value, bool | int) else str(value)
        shown[_text(str(name))] = _text(plain) if isinstance(plain, str) else plain
    return shown


def _text(given: str) -> str:
    return given.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _is(table: Any, delivery: Delivery) -> list[Any]:  # noqa: ANN401  a table's columns
    return [table.c[name] == value for name, value in delivery.key.items()]
