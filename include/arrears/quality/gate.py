"""Great Expectations, imported when a gate is reached, without telemetry, bars, documents or row values.

Belongs here: everything that touches the library's workings. What is expected stands with each gate: ``profile`` after
extract, ``staged`` before publishing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arrears.errors import QualityGateError

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULT_FORMAT = "BOOLEAN_ONLY"  # every other format repeats row values
CRITICAL, WARNING = "critical", "warning"


@dataclass(frozen=True)
class Failure:
    """An expectation that did not hold.

    Attributes:
        table: Of what.
        words: The expectation and its columns; no value.
        is_critical: Whether the day stops.
    """

    table: str
    words: str
    is_critical: bool


def great_expectations() -> Any:  # noqa: ANN401  a module
    """The library: seconds and 270 MB to import, so never at the top of a module."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as library  # noqa: PLC0415  see above

    return library


def new_context() -> Any:  # noqa: ANN401  as above
    """A context that writes nothing to disk and draws no bars."""
    context = great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context


def failures_of(table: str, batch: Any, suite: Any) -> list[Failure]:  # noqa: ANN401  classes of the library
    """Ask one batch. An expectation that could not be asked is a critical failure, whatever its severity."""
    results = batch.validate(suite, result_format=RESULT_FORMAT).results
    return [_failure(table, result) for result in results if not result.success]


def refuse(failures: Sequence[Failure], expected: str, where: str) -> None:
    """Stop for critical failures.

    Raises:
        QualityGateError: Names every critical failure by table and expectation.
    """
    critical = [f"{failure.table}: {failure.words}" for failure in failures if failure.is_critical]
    if critical:
        raise QualityGateError("; ".join(critical), expected, where)


def _failure(table: str, result: Any) -> Failure:  # noqa: ANN401  a result of the library
    asked = result.expectation_config
    columns = asked.kwargs.get("column") or ", ".join(asked.kwargs.get("column_list", ()))
    # One flat entry when all went well, one entry per failed question otherwise.
    was_asked = result.exception_info.get("raised_exception") is False
    return Failure(
        table,
        f"{asked.type}{f' of {columns}' if columns else ''}{'' if was_asked else ' could not be asked'}",
        not was_asked or asked.severity == CRITICAL,
    )
