"""The demo ledgers: synthetic lenders whose every truth is known.

Belongs here: the making of one world (``world``, ``behaviour``, ``people``, ``contacts``, ``staff``) for each of two
lenders (``lender``), what is true in it (``truth``), and its delivery as a source database, as file drops or as
ledger files (``load``). Nothing of it reads a clock, and nobody in it exists: parties are numbers.
"""

from arrears.sources.demo.load import fill_demo, last_days, write_demo
from arrears.sources.demo.order import Order

__all__ = ["Order", "fill_demo", "last_days", "write_demo"]
