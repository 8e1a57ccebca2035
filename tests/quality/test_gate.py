"""The decision of both gates: figures against their bounds."""

import pytest
from arrears.errors import QualityGateError
from arrears.quality import gate
from arrears.quality.gate import BOUNDS, Expected, Figure, decide


def decide_on(expected, value):
    return decide([Figure("loan", "figure", expected, value)], "sound figures", "here")


@pytest.mark.parametrize(
    ("expected", "value"),
    [(kind, edge) for kind, (lowest, highest, _) in BOUNDS.items() for edge in (lowest, highest) if edge is not None],
)
def test_bounds_themselves_are_within(expected, value):
    assert decide_on(expected, value) == []


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        pytest.param(Expected.AT_LEAST_1, 0, id="none of at least one"),
        pytest.param(Expected.AT_LEAST_0, -1, id="less than nothing"),
        pytest.param(Expected.ZERO, 1, id="one too many"),
        pytest.param(Expected.ZERO, -1, id="one too few"),
        pytest.param(Expected.ZERO, 2**62 + 1, id="more than a float can tell apart"),
        pytest.param(Expected.ZERO, None, id="a figure that is not there"),
        pytest.param(Expected.AT_LEAST_0, None, id="a count that is not there"),
    ],
)
def test_critical_figure_outside_stops(expected, value):
    with pytest.raises(QualityGateError, match="loan: expect_column_values_to_be_between of figure") as stopped:
        decide_on(expected, value)

    assert stopped.value.where == "here"


@pytest.mark.parametrize("expected", [Expected.NO_WARNING, Expected.NEAR, Expected.STEADY])
def test_warning_goes_on(expected):
    assert decide_on(expected, BOUNDS[expected][1] + 1) == ["loan: expect_column_values_to_be_between of figure"]
    assert decide_on(expected, None) == []


def test_expectation_that_cannot_be_asked_stops(monkeypatch):
    monkeypatch.setitem(gate.NAMED, "unexpected_index_column_names", ["no such column"])

    with pytest.raises(QualityGateError, match="of critical could not be asked"):
        decide_on(Expected.ZERO, 1)
