"""The metrics: one module each, which says what it means; its SELECT is the view it names.

Belongs here: definitions. Numerators and denominators are made by ``sql/out__*.sql`` and published as facts; a ratio is
made only in the view, of PostgreSQL for BI, of DuckDB for readers of the lake: one text for both (``engines``).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files

from arrears.metrics.model import Metric

__all__ = ["Metric", "metrics"]

NOT_METRICS = ("__init__", "model", "engines")


@cache
def metrics() -> tuple[Metric, ...]:
    """Every metric, by name: ``METRIC`` of each module here."""
    names = sorted(file.name.removesuffix(".py") for file in files(__name__).iterdir() if file.name.endswith(".py"))
    found = [import_module(f"{__name__}.{name}").METRIC for name in names if name not in NOT_METRICS]
    return tuple(found)
