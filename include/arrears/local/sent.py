"""What the demo's day has sent, as its user sees it: counts by channel, and a few messages whole.

Belongs here: showing it. The sandbox's folder and the outbox are read as ``arrears outbox`` reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from sqlalchemy import text

from arrears.sending.channels.spool import messages
from arrears.warehouse.connection import transaction

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date
    from pathlib import Path

OUTBOX = text(
    "SELECT channel_code, state_code, COUNT(*) AS messages FROM ops.notification "
    "WHERE portfolio = :portfolio AND business_date = :business_date GROUP BY 1, 2 ORDER BY 1, 2"
)
SHOWN = 2  # messages of each portfolio
SAYS_MORE = ("email", "sms", "push", "letter")  # a script for a caller says less of what a borrower reads


def outbox_table(url: str, portfolio: str, business_date: date) -> Table:
    """Messages of the day by channel and state; those not sent say why with ``arrears outbox list``."""
    with transaction(url) as connection:
        rows = connection.execute(OUTBOX, {"portfolio": portfolio, "business_date": business_date}).all()
    table = Table("channel", "state", "messages", title=f"{portfolio}: outbox of {business_date}", title_justify="left")
    for row in rows:
        table.add_row(row.channel_code, row.state_code, f"{row.messages:,}")
    return table


def sample_messages(folder: Path, portfolios: Collection[str]) -> list[Panel]:
    """The newest sandbox messages of each portfolio, one a channel, whole."""
    panels = []
    for portfolio in portfolios:
        by_channel = {one["channel"]: one for one in messages(folder) if one["portfolio"] == portfolio}
        order = sorted(by_channel, key=lambda code: (code not in SAYS_MORE, code))
        for code in order[:SHOWN]:
            one = by_channel[code]
            said = "\n\n".join(str(one[name]) for name in ("subject", "body") if one[name])
            panels.append(
                Panel(Text(said.strip()), title=f"{portfolio}: {code}, {one['template']}", title_align="left")
            )
    return panels
