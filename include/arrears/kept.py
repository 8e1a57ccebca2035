"""What one process opens once and keeps for all of its jobs, when it runs more than one.

Belongs here: the keeping. What is kept is decided where it is opened: engine, lake, connections. A task of Airflow runs
one job, keeps nothing, and opens what it needs as if this module were not there.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from contextlib import AbstractContextManager

Thing = TypeVar("Thing")


@dataclass
class _Shelf:
    closing: ExitStack
    things: dict[Hashable, Any] = field(default_factory=dict)


# A thread that was started meanwhile sees none: what is kept is used by one thread only.
_SHELF: ContextVar[_Shelf | None] = ContextVar("arrears_shelf", default=None)


@contextmanager
def one_process() -> Iterator[None]:
    """Keep what the body's jobs open until the body ends; an inner use keeps with the outer one."""
    if _SHELF.get() is not None:
        yield
        return
    with ExitStack() as closing:
        token = _SHELF.set(_Shelf(closing))
        try:
            yield
        finally:
            _SHELF.reset(token)


def is_keeping() -> bool:
    """Whether this process runs more than one job."""
    return _SHELF.get() is not None


def kept_value(key: Hashable, made: Callable[[], Thing]) -> Thing:
    """Like ``kept``, of a thing that needs no closing."""
    shelf = _SHELF.get()
    if shelf is None:
        return made()
    if key not in shelf.things:
        shelf.things[key] = made()
    found: Thing = shelf.things[key]
    return found


@contextmanager
def kept(key: Hashable, opened: Callable[[], AbstractContextManager[Thing]]) -> Iterator[Thing]:
    """The thing of that key: opened for this use alone, or once for the whole process.

    Args:
        key: Everything the thing depends on.
        opened: Opens it.
    """
    shelf = _SHELF.get()
    if shelf is None:
        with opened() as thing:
            yield thing
        return
    if key not in shelf.things:
        shelf.things[key] = shelf.closing.enter_context(opened())
    yield shelf.things[key]
