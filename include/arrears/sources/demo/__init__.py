"""The demo ledger: a synthetic lender of travel instalment loans whose every truth is known.

Belongs here: the making of one world (``world``, ``behaviour``, ``people``, ``contacts``, ``staff``), what is true in
it (``truth``), and its delivery as a source database or as ledger files (``load``). Nothing of it reads a clock, and
nobody in it exists: parties are numbers.
"""

from arrears.sources.demo.load import load_demo, make_demo

__all__ = ["load_demo", "make_demo"]
