"""What a report stops at once: waiting contacts with whom it is about, in the transaction that keeps the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.warehouse.outbox import Scope, suppress
from arrears.warehouse.worklist import take_from_agents

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from arrears.feedback.subjects import Subject

# About the human, whoever lends to them and whatever the report names; ``ops.feedback_flag`` says the same. All else is
# about the portfolio's own dealings.
OF_THE_PERSON = frozenset({"self_harm_risk", "deceased", "minor", "bankruptcy_stay", "identity_theft"})
RISK_TO_LIFE = "self_harm_risk"
ITS_OWN_REASON = ("opt_out", "dispute", "complaint", "hardship", "wrong_number")


def react(connection: Connection, portfolio: str, source: str, report: Any, subject: Subject, now: datetime) -> int:  # noqa: ANN401, PLR0913, PLR0917  a report of any kind, and its place
    """End the open outbox rows that a new report forbids. What it allows again is for the next day's plan.

    A risk to somebody's life also takes their cases from agents' lists; ``ops.supervisor_call`` rings for them.

    Args:
        connection: With the transaction that keeps the report.
        portfolio: Folder name.
        source: Who reported.
        report: The report, the newest revision of it.
        subject: Whom it is about.
        now: When it was received.

    Returns:
        Rows ended.
    """
    reason = reason_of(report, now)
    if reason is None:
        return 0
    if reason == RISK_TO_LIFE:
        take_from_agents(connection, portfolio, subject.party_id, subject.person_id)
    return sum(
        suppress(connection, scope, actor=f"feedback:{source}", reason=reason)
        for scope in scopes_of(portfolio, report, subject, reason)
    )


def reason_of(report: Any, now: datetime) -> str | None:  # noqa: ANN401  a report of any kind
    """Code of why contact must stop, or None: the report forbids nothing, or nothing any more."""
    ends_at = getattr(report, "ends_at", None)
    if report.is_withdrawn or (ends_at is not None and ends_at <= now):
        return None
    kind: str = report.kind
    reason: str | None = kind if kind in ITS_OWN_REASON else None
    if kind == "flag":
        reason = report.flag_code
    elif kind == "override":
        reason = {"pause": "supervisor_pause", "bar_channel": "channel_barred"}.get(report.action_code)
    elif kind == "promise" and report.cancelled_at is None:
        reason = "promised"
    elif kind == "payment_notice":
        is_under_way = report.state_code in ("initiated", "pending") and report.valid_until_at > now
        reason = "payment_under_way" if is_under_way or report.state_code == "booked" else None
    return reason


def scopes_of(portfolio: str, report: Any, subject: Subject, reason: str) -> list[Scope]:  # noqa: ANN401  as above
    """Which outbox rows: of the point, else of each loan, else of the person."""
    channel = getattr(report, "channel_code", None) if report.kind in ("opt_out", "override") else None
    if report.contact_point_id is not None and report.kind in ("opt_out", "wrong_number"):
        return [Scope(portfolio=portfolio, contact_point_id=report.contact_point_id, channel_code=channel)]
    if reason in OF_THE_PERSON and subject.person_id is not None:
        return [Scope(person_id=subject.person_id)]
    if report.loan_ids and not (reason in OF_THE_PERSON and subject.party_id is not None):
        return [Scope(portfolio=portfolio, loan_id=loan, channel_code=channel) for loan in sorted(report.loan_ids)]
    if subject.party_id is None:
        return []
    return [Scope(portfolio=portfolio, borrower_id=subject.party_id, channel_code=channel)]
