"""The two halves of the DAG ``contact_approval``: what a person is asked, and what their answer does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from arrears.errors import ApprovalAnswerMissingError, ApprovalUnknownError
from arrears.settings import load_settings
from arrears.warehouse.approval import APPROVED, ASKED, REFUSED, TIMED_OUT, asked, decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arrears.settings import Settings

REASONS = {
    "volume": "contacts planned by {what}",
    "blocked_share": "share of cases that may not be contacted",
    "overdue_jump": "loans past due",
    "strategy_changed": "strategy",
    "packs_changed": "contact packs",
}


def question(approval_id: str, *, settings: Settings | None = None) -> dict[str, Any] | None:
    """What a person is asked about a held plan; None once it is answered.

    It is this question, whatever else is asked about the day: what is said to it must not reach the rows of another.

    Raises:
        ApprovalUnknownError: There is no such question.
        WarehouseUnreachableError: The server did not answer.
    """
    found = asked((settings or load_settings()).warehouse, _read(approval_id))
    if found.state_code != ASKED:
        return None
    lines = [f"| {REASONS[one['code']].format(**one)} | {one['figure']} | {one['usual']} |" for one in found.reasons]
    body = "\n".join(
        [
            f"{found.held} contacts of **{found.portfolio}** on **{found.business_date}** are held; none is sent yet.",
            "",
            "| What departs | Today | Usual |",
            "|---|---|---|",
            *lines,
            "",
            "*Approve*: they may be sent inside their windows. *Reject*, or no answer in time: they expire, unsent.",
        ]
    )
    return {
        "approval_id": str(found.approval_id),
        "subject": f"Send {found.held} contacts of {found.portfolio} on {found.business_date}?",
        "body": body,
    }


def settle(approval_id: str, answer: Mapping[str, Any] | None, *, settings: Settings | None = None) -> dict[str, Any]:
    """Do what was answered.

    Args:
        approval_id: The question.
        answer: Of Airflow's approval: ``chosen_options`` and ``responded_by_user``, which is None when time ran out.
        settings: This deployment, unless a test brings its own.

    Returns:
        State, contacts moved and who decided, as decided first.

    Raises:
        ApprovalAnswerMissingError: No answer is stored.
        ApprovalUnknownError: There is no such question.
        WarehouseUnreachableError: The server did not answer; nothing moved.
    """
    if answer is None:
        raise ApprovalAnswerMissingError("no answer", "what the task approve stores", f"approval {approval_id}")
    user = answer.get("responded_by_user") or {}
    name = str(user.get("name") or user.get("id") or "") or None
    chosen = list(answer.get("chosen_options") or ())
    state = TIMED_OUT if name is None else APPROVED if chosen == ["Approve"] else REFUSED
    return decide((settings or load_settings()).warehouse, _read(approval_id), state_code=state, decided_by=name)


def _read(approval_id: str) -> UUID:
    try:
        return UUID(approval_id)
    except ValueError:
        raise ApprovalUnknownError("no identifier", "one of `ops.contact_approval`", "approval") from None
