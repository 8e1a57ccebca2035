"""One plain function per DAG task: (portfolio, business_date) -> small summary."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = ("validate", "age", "transitions", "cases", "assign", "plan", "metrics")


def job(name: str) -> Callable[..., dict[str, Any]]:
    """The job of that step: function ``name`` of module ``arrears.jobs.<name>``, imported when asked for.

    Raises:
        KeyError: There is no such step.
    """
    if name not in STEPS:
        raise KeyError(name)
    function: Callable[..., dict[str, Any]] = getattr(import_module(f"arrears.jobs.{name}"), name)
    return function
