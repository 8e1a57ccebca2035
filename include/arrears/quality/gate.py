"""Great Expectations, imported when a gate is reached, without telemetry, bars, documents or row values.

Belongs here: the decision on figures, and everything that touches the library's workings. Which figures there are
stands with each gate: ``profile`` after extract, ``staged`` before publishing.

An expectation costs the library milliseconds by the dozen, however many rows it stands for: so every figure of every
table is in one batch, as what lies between it and each of its bounds, and there is one expectation for each severity:
that none of these margins is below zero.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from arrears.errors import QualityGateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FAR_DAYS = 100 * 366  # a ledger's dates lie within a century of its close: 0206-01-31 and 2206-01-31 are slips
CHANGE_PCT = 20  # our judgement: a book does not grow or shrink by a fifth overnight
CRITICAL, WARNING = "critical", "warning"
NAMED = {
    "result_format": "COMPLETE",  # its rows are figures; a gate that is asked about rows uses BOOLEAN_ONLY
    "unexpected_index_column_names": ["table", "figure"],
    "include_unexpected_rows": False,
    "return_unexpected_index_query": False,
}


class Expected(StrEnum):
    """What a figure must be."""

    AT_LEAST_1 = "at_least_1"
    AT_LEAST_0 = "at_least_0"
    ZERO = "zero"
    NO_WARNING = "no_warning"
    NEAR = "near"
    STEADY = "steady"


# Lowest, highest, severity: `critical` stops the day, `warning` is told.
BOUNDS: dict[Expected, tuple[int | None, int | None, str]] = {
    Expected.AT_LEAST_1: (1, None, CRITICAL),
    Expected.AT_LEAST_0: (0, None, CRITICAL),
    Expected.ZERO: (0, 0, CRITICAL),
    Expected.NO_WARNING: (None, 0, WARNING),
    Expected.NEAR: (-FAR_DAYS, FAR_DAYS, WARNING),
    Expected.STEADY: (-CHANGE_PCT, CHANGE_PCT, WARNING),
}
ABSENT = -1  # stands for a critical figure that is not there: outside every critical bound


@dataclass(frozen=True)
class Figure:
    """One figure of one table.

    Attributes:
        table: Of what.
        name: ``<kind>`` or ``<kind>__<column>``.
        expected: What it must be.
        value: None where there is nothing to judge; of a critical figure that is a failure.
    """

    table: str
    name: str
    expected: Expected
    value: int | None

    @property
    def severity(self) -> str:
        """What follows when it is not."""
        return BOUNDS[self.expected][2]


@dataclass(frozen=True)
class Failure:
    """A figure outside its bounds.

    Attributes:
        words: Table, expectation and figure; no value.
        is_critical: Whether the day stops.
    """

    words: str
    is_critical: bool


def great_expectations() -> Any:  # noqa: ANN401  a module
    """The library: seconds and 270 MB to import, so never at the top of a module."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as library  # noqa: PLC0415  see above

    return library


def decide(figures: Sequence[Figure], expected: str, where: str) -> list[str]:
    """Ask for every figure whether it is within its bounds.

    Args:
        figures: At least one.
        expected: Words for what was expected, for the error.
        where: Words for what was judged.

    Returns:
        The warnings, by table and figure.

    Raises:
        QualityGateError: A critical figure is outside its bounds; names every one.
    """
    import pandas as pd  # noqa: PLC0415  half a second, needed here only

    margins = [(one, margin) for one in figures for margin in _margins(one)]
    frame = pd.DataFrame({"table": [one.table for one, _ in margins], "figure": [one.name for one, _ in margins]})
    asked = frozenset(one.severity for one in figures)
    for severity in asked:
        values = [margin if one.severity == severity else None for one, margin in margins]
        frame[severity] = pd.Series(values, dtype="float64")
    results = _batch().get_batch({"dataframe": frame}).validate(_suite(asked), result_format=NAMED).results
    failures = [failure for result in results if not result.success for failure in _failures(result)]
    critical = [failure.words for failure in failures if failure.is_critical]
    if critical:
        raise QualityGateError("; ".join(critical), expected, where)
    return [failure.words for failure in failures]


def _margins(figure: Figure) -> Iterator[int | None]:
    """How far it is within its lowest and its highest; below zero is outside, None is not judged."""
    lowest, highest, severity = BOUNDS[figure.expected]
    value = ABSENT if figure.value is None and severity == CRITICAL else figure.value
    if lowest is not None:
        yield None if value is None else value - lowest
    if highest is not None:
        yield None if value is None else highest - value


@cache
def _suite(asked: frozenset[str]) -> Any:  # noqa: ANN401  a class of the library
    library = great_expectations()
    between = library.expectations.ExpectColumnValuesToBeBetween
    expectations = [between(column=severity, min_value=0, severity=severity) for severity in sorted(asked)]
    return library.ExpectationSuite("figures", expectations=expectations)


@cache
def _batch() -> Any:  # noqa: ANN401  as above
    """The one batch there is, without its frame; its context writes nothing to disk and draws no bars."""
    context = great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("figures").add_dataframe_asset("figures")
    return asset.add_batch_definition_whole_dataframe("figures")


def _failures(result: Any) -> Iterator[Failure]:  # noqa: ANN401  a result of the library
    """One failure for each figure outside; an expectation that could not be asked is a critical one."""
    asked = result.expectation_config
    # One flat entry when all went well, one entry per failed question otherwise.
    if result.exception_info.get("raised_exception") is not False:
        yield Failure(f"{asked.type} of {asked.kwargs['column']} could not be asked", is_critical=True)
        return
    for row in result.result["unexpected_index_list"]:
        yield Failure(f"{row['table']}: {asked.type} of {row['figure']}", asked.severity == CRITICAL)
