"""Keeps people out of the logs, whoever writes them: ours, a library's, Airflow's, an exception's.

Belongs here: installing ``pii.scrubbed`` where records are made (standard library) and where events are rendered
(structlog, which Airflow's tasks use). Called by the command line, the webhook, and each DAG file, so that tasks and
the DAG processor have it. It is the second line: the first is that nobody writes a value.
"""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress
from typing import Any

import structlog

from arrears.pii import scrubbed


def install() -> None:
    """Scrub every record and event of this process from now on; does nothing the second time."""
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _Scrubbing):
        logging.setLogRecordFactory(_Scrubbing(factory))
    # In place: loggers that are bound already hold this very list.
    processors = structlog.get_config()["processors"]
    if isinstance(processors, list) and _scrub_event not in processors:
        processors.insert(max(len(processors) - 1, 0), _scrub_event)  # before whatever renders


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
