"""What every table of the warehouse is declared with, wherever it is declared."""

from __future__ import annotations

from sqlalchemy import MetaData
from sqlalchemy.dialects.postgresql import TIMESTAMP

INSTANT = TIMESTAMP(timezone=True)

metadata = MetaData()
