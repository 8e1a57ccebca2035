"""A later day's plan, and nothing else, may take up again a step that has ended and surely reached nobody.

And a provider's word that an attempt arrived after all ends what was to be tried again, wherever it stands by then.
"""

from __future__ import annotations

from alembic import op

from arrears.warehouse.migrations.versions.v0021_outbox import GUARD, MOVES
from arrears.warehouse.migrations.versions.v0090_receipts import HAS_IT_AFTER_ALL

revision = "0201"
down_revision = "0200"

TAKEN_UP = (
    *("expired planned", "expired held", "rejected_final planned", "rejected_final held"),
    "rejected_retryable planned",  # its time had passed, and nobody was there to say so
)


def upgrade() -> None:
    """Let the guard know it."""
    pairs = [(old, new) for known in (MOVES, HAS_IT_AFTER_ALL) for old, news in known.items() for new in news]
    moves = ", ".join(f"'{old} {new}'" for old, new in pairs)
    taken_up = ", ".join(f"'{move}'" for move in TAKEN_UP)
    unless = (
        f"NOT (NEW.business_date > OLD.business_date AND (OLD.state_code || ' ' || NEW.state_code) IN ({taken_up})) "
        "AND NOT (NEW.state_code = 'sent' AND NEW.reason_code = 'receipt' AND OLD.attempt_no > 0 "
        "AND OLD.state_code IN ('planned', 'held', 'expired'))"
    )
    guard = GUARD.replace("NOT IN ({moves})", "NOT IN ({moves}) AND {unless}")
    op.execute(guard.format(moves=moves, unless=unless).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
