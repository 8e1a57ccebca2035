"""Borrowers as BI sees them: HMAC-SHA-256 by a key of their lender, cut to 128 bits.

Belongs here: saying whose a portfolio is, and a new version of a key. The hash itself stands in the view
``bi.collection_case``; no role but the owner reads a key, so nobody can try out all identifiers there may be.
Portfolios of one lender share its key: the same borrower is the same there, and somebody else at another lender. A new
version changes every ``borrower_key`` at once, in all of history: what was exported before no longer joins.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy import text

from arrears.kept import kept_value
from arrears.warehouse.audit import record
from arrears.warehouse.connection import transaction

NAME = text("SELECT ops.name_lender(:portfolio, :lender)")
ROTATE = text("SELECT ops.rotate_pseudonyms(:lender)")


def name_lender(url: str, portfolio: str, lender: str) -> None:
    """Say whose a portfolio is; its lender has a key from then on.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    kept_value(("lender", url, portfolio), partial(_name, url, portfolio, lender))


def _name(url: str, portfolio: str, lender: str) -> bool:
    with transaction(url) as connection:
        connection.execute(NAME, {"portfolio": portfolio, "lender": lender})
    return True


def rotate(url: str, lender: str, *, actor: str, reason: str) -> int:
    """Give a lender a new key; the version. The change is in the audit trail.

    Raises:
        RuleInputError: Nobody, or no reason, is named.
        WarehouseUnreachableError: The server did not answer.
    """
    with transaction(url) as connection:
        version = int(connection.execute(ROTATE, {"lender": lender}).scalar_one())
        after = {"key_version": version}
        record(connection, actor=actor, action="privacy.rotate", subject=f"lender {lender}", reason=reason, after=after)
    return version
