"""Whether a pack may decide about real people: somebody has read it beside the law, and not too long ago.

Belongs here: the predicate and its error. What is sent, and which channel is a sandbox, the dispatcher knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.errors import PackNotReviewedError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from arrears.policy.packs import PackDocument


def is_reviewed(pack: PackDocument, on: date) -> bool:
    """Whether a review stands on that date: it does until before ``review_due_on``."""
    return bool(pack.reviewed_by) and pack.review_due_on is not None and on < pack.review_due_on


def check_review(packs: Iterable[PackDocument], on: date, *, is_sandbox: bool) -> None:
    """Refuse to send live under a pack that nobody has reviewed, or whose review is due.

    Args:
        packs: The packs of the portfolio and all they include.
        on: Local date of the contact.
        is_sandbox: Whether the channel reaches no real person; then every pack will do.

    Raises:
        PackNotReviewedError: Naming every such pack.
    """
    if is_sandbox:
        return
    lacking = [
        f"{pack.label} (due {pack.review_due_on})" if pack.reviewed_by else f"{pack.label} (never)"
        for pack in packs
        if not is_reviewed(pack, on)
    ]
    if lacking:
        raise PackNotReviewedError(
            f"packs without a review that stands on {on}: {', '.join(lacking)}",
            "reviewed_by and a review_due_on later than that",
            "include/policies",
        )
