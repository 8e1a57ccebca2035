"""How far a long step is: rows done of a table, told to whoever listens while the step works.

Belongs here: the telling. Where it is heard is decided by who runs the job: a task of Airflow writes it to its log and
to ``ops.run_step``; the command line does not listen, and then nothing is told.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Listener = Callable[[str, int, int | None], None]

_LISTENER: ContextVar[Listener | None] = ContextVar("arrears_progress", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear of the body's progress: table, rows done, rows in all (None: not known beforehand)."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def rows_done(table: str, rows: int, of: int | None = None) -> None:
    """Tell how many rows of ``table`` are done; costs nothing when nobody listens."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(table, rows, of)
