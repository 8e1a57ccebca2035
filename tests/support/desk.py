"""A small portfolio that hears reports: two borrowers, their points, what is planned for them, and the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from arrears.feedback.intake import Delivery, Row
from arrears.warehouse.connection import transaction
from arrears.warehouse.feedback_tables import FEEDBACK_EVENT, FEEDBACK_REJECTED
from arrears.warehouse.tables import NOTIFICATION
from pydantic import SecretStr
from sqlalchemy import insert, text

from support.books import FIRST, make_book, put

if TYPE_CHECKING:
    from pathlib import Path

    from arrears.settings import Settings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"  # noqa: S105  of this test
AT = "2026-03-02T03:00:00+00:00"
SOURCES = f"""\
sources:
  desk: {{kind: inbox, directory: "INBOX", archive: "ARCHIVE"}}
  gateway: {{kind: webhook, secrets: "{SECRET}"}}
"""
EMPTIED = (
    *("ops.feedback_event", "ops.feedback_delivery", "ops.feedback_rejected"),
    *("vault.feedback_rejected", "vault.feedback_note"),
)


def make_desk(folder: Path, warehouse_url: str) -> Settings:
    """A book with a ledger of one day, an inbox and a webhook, and an empty log."""
    settings = make_book(folder).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    feedback = folder / "portfolios/book/feedback"
    feedback.mkdir()
    (folder / "inbox").mkdir()
    (feedback / "sources.yaml").write_text(
        SOURCES.replace("INBOX", str(folder / "inbox")).replace("ARCHIVE", str(folder / "archive"))
    )
    loans = [("L1", "P1"), ("L2", "P1"), ("L3", "P2")]
    put(
        settings,
        "raw__loan",
        FIRST,
        [{"loan_id": loan, "borrower_id": party, "currency": "CNY"} for loan, party in loans],
    )
    put(settings, "raw__party", FIRST, [{"party_id": f"P{n}", "person_id": f"H{n}", "is_minor": False} for n in (1, 2)])
    put(settings, "raw__contact_point", FIRST, [{"contact_point_id": f"C{n}", "party_id": f"P{n}"} for n in (1, 2)])
    forget(warehouse_url)
    return settings


def forget(warehouse_url: str) -> None:
    """Empty the log, which refuses it otherwise, and the outbox."""
    with transaction(warehouse_url) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in (*EMPTIED, "ops.notification_event", "ops.notification"):
            connection.execute(text(f"DELETE FROM {table}"))


def plan(warehouse_url: str, *steps: tuple[str, str, list[str], str, str]) -> None:
    """Put planned rows into the outbox: step key, party, loans, point, channel."""
    now = datetime.now(UTC)
    with transaction(warehouse_url) as connection:
        for key, party, loans, point, channel in steps:
            connection.execute(
                insert(NOTIFICATION).values(
                    step_key=key,
                    portfolio="book",
                    case_id=f"case-{party}",
                    borrower_id=party,
                    person_id=party.replace("P", "H"),
                    loan_ids=loans,
                    business_date=now.date(),
                    step_id="first",
                    channel_code=channel,
                    contact_point_id=point,
                    template_code="t",
                    language="en",
                    not_before_at=now,
                    not_after_at=now + timedelta(hours=5),
                    state_code="planned",
                )
            )


def rows(settings: Settings, statement: str) -> list[tuple[Any, ...]]:
    """What the warehouse answers."""
    with transaction(settings.warehouse) as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def delivery(*reports: dict[str, Any], name: str = "one", way: str = "file", source: str = "desk") -> Delivery:
    """A delivery of these reports."""
    return Delivery(
        "book", source, name, way, name, tuple(Row(number, one) for number, one in enumerate(reports, start=1))
    )


def opt_out(**values: Any) -> dict[str, Any]:
    """An opt-out of the first borrower."""
    return {"kind": "opt_out", "ref": "o1", "occurred_at": AT, "party_id": "P1", **values}


def put_reports(warehouse_url: str) -> None:
    """One report of each kind that a view of BI shows, and one rejected row."""
    common = {
        "portfolio": "book",
        "source_code": "desk",
        "revision": 1,
        "content_hash": "0",
        "person_id": "H1",
        "party_id": "P1",
        "loan_ids": ["L1"],
        "author_id": "S1",
        "occurred_at": datetime.now(UTC),
        "received_at": datetime.now(UTC),
    }
    kinds: dict[str, dict[str, Any]] = {
        "complaint": {"reason_code": "tone"},
        "override": {"action_code": "pause", "reason_code": "illness"},
    }
    rejected = {
        "portfolio": "book",
        "source_code": "desk",
        "delivery_id": "d",
        "row_number": 1,
        "column_name": "ref",
        "name": "calls.csv",
        "error_code": "ARR-FBK-001",
        "expected": "a reference",
        "received_at": datetime.now(UTC),
    }
    with transaction(warehouse_url) as connection:
        for kind, detail in kinds.items():
            own = {"event_id": kind, "kind_code": kind, "source_ref": kind, "detail": detail}
            connection.execute(insert(FEEDBACK_EVENT).values(**common, **own))
        connection.execute(insert(FEEDBACK_REJECTED).values(**rejected))
