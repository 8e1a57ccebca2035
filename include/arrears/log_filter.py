"""Keeps people out of the logs, whoever writes them: ours, a library's, Airflow's, an exception's.

Belongs here: installing ``pii.scrubbed`` where records are made (standard library, with what ``extra`` adds to them)
and right before events are rendered (structlog, which Airflow's tasks use), however either is configured, or will be.
Called by the command line, the webhook, and each DAG file, so that tasks and the DAG processor have it. It is the
second line: the first is that nobody writes a value.
"""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

import structlog

from arrears.pii import scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "scrubs"
OF_EVERY_RECORD = logging.makeLogRecord({}).__dict__.keys() | {"message", "asctime"}


def install() -> None:
    """Scrub every record and event of this process from now on; does nothing the second time."""
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _Scrubbing):
        logging.setLogRecordFactory(_Scrubbing(factory))
    _wrap(logging.Logger, "makeRecord", _scrubbing_extra)
    _wrap(structlog.BoundLoggerBase, "_process_event", _scrubbing_events)  # documented for those who subclass it


def _wrap(owner: type, name: str, wrapper: Callable[[Any], Any]) -> None:
    """Put a method of a library into ours, once."""
    method = getattr(owner, name)
    if not hasattr(method, MARK):
        wrapped = wraps(method)(wrapper(method))
        setattr(wrapped, MARK, True)
        setattr(owner, name, wrapped)


def _scrubbing_extra(make: Any) -> Any:  # noqa: ANN401  a method of the library
    """What ``extra`` says is put into a record after it was made."""

    def make_record(*arguments: Any, **options: Any) -> logging.LogRecord:  # noqa: ANN401  a record's parts
        record: logging.LogRecord = make(*arguments, **options)
        for name in record.__dict__.keys() - OF_EVERY_RECORD:
            record.__dict__[name] = _clean(record.__dict__[name])
        return record

    return make_record


def _scrubbing_events(process: Any) -> Any:  # noqa: ANN401  a method of the library
    """Stand before whatever renders, also where a logger is bound already, or its processors cannot be changed."""

    def process_event(logger: Any, *arguments: Any) -> Any:  # noqa: ANN401  structlog's own shapes
        processors = logger._processors  # noqa: SLF001  what it will run
        if _scrub_event not in processors:
            last = max(len(processors) - 1, 0)
            if isinstance(processors, list):  # in place: others hold this very list
                processors.insert(last, _scrub_event)
            else:
                logger._processors = [*processors[:last], _scrub_event, *processors[last:]]  # noqa: SLF001
        return process(logger, *arguments)

    return process_event


class _Scrubbing:
    """Makes records as before, then takes people out of them."""

    def __init__(self, factory: Any) -> None:  # noqa: ANN401  whatever made records
        self._factory = factory

    def __call__(self, *arguments: Any, **options: Any) -> logging.LogRecord:  # noqa: ANN401  a record's parts
        record: logging.LogRecord = self._factory(*arguments, **options)
        if isinstance(record.msg, str):
            record.msg = scrubbed(record.msg)
        else:
            record.msg = _clean(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_clean(one) for one in record.args)
        elif record.args:
            record.args = {name: _clean(one) for name, one in record.args.items()}
        if record.exc_info and record.exc_info[0] is not None:
            told = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            if scrubbed(told) != told:  # as part of the message: not every handler asks for a ready traceback
                clean = scrubbed(told)
                record.msg = f"{record.msg}\n{clean.replace('%', '%%') if record.args else clean}"
                record.exc_info = None
        with suppress(TypeError, ValueError, KeyError):  # what does not format, logging itself will tell
            said = record.getMessage()
            if (clean := scrubbed(said)) != said:  # a number among the arguments, or one put together by them
                record.msg, record.args = clean, ()
        return record


def _scrub_event(_logger: Any, _method: str, event: Any) -> Any:  # noqa: ANN401  structlog's own shapes
    return _clean(event)


def _clean(value: Any) -> Any:  # noqa: ANN401  whatever is logged
    """The same, texts scrubbed at any depth; numbers stay numbers, other objects stay unless their words must go."""
    if isinstance(value, str):
        return scrubbed(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {_clean(name): _clean(item) for name, item in value.items()}
    if isinstance(value, list | tuple) and type(value) in {list, tuple}:
        return type(value)(_clean(item) for item in value)
    said = str(value)
    clean = scrubbed(said)
    return value if clean == said else clean
