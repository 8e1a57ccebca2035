"""A day's ledger beside the same weekdays before: what is told, and what stops the day."""

from datetime import date

import duckdb
import pyarrow as pa
import pytest
from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import select_text
from arrears.errors import QualityGateError
from arrears.portfolio_terms import Quality
from arrears.quality.trend import NUMBERS, TABLE, refuse_collapse, same_weekdays

BEFORE = pa.schema([("table_name", pa.string()), ("profile_code", pa.string()), ("profile_value", pa.int64())])


def verdict(value, before, *, name="rows", compared_by="volume", is_required=True):
    """What is made of one figure."""
    connection = duckdb.connect()
    today = ("raw__loan", name, value, compared_by, is_required)
    connection.register("quality_figure", pa.Table.from_pylist([dict(zip(NUMBERS.names, today, strict=True))], NUMBERS))
    rows = [{"table_name": "raw__loan", "profile_code": name, "profile_value": number} for number in before]
    connection.register("quality_before", pa.Table.from_pylist(rows, BEFORE))
    connection.execute(f"CREATE TABLE {TABLE} AS {select_text(TABLE)}", Quality().model_dump())
    return connection, connection.execute(f"SELECT verdict_code, median_value, compared_days FROM {TABLE}").fetchone()


@pytest.mark.parametrize(
    ("value", "before", "expected"),
    [
        pytest.param(1000, [900, 1000, 1100], "ok", id="as ever"),
        pytest.param(1000, [1000, 1000], "unknown", id="two weekdays are too few"),
        pytest.param(1290, [1000] * 8, "ok", id="29 per cent more"),
        pytest.param(1310, [1000] * 8, "departs", id="31 per cent more"),
        pytest.param(690, [1000] * 8, "departs", id="31 per cent fewer"),
        pytest.param(499, [1000] * 8, "stops", id="more than half is gone"),
        pytest.param(0, [1000] * 8, "stops", id="nothing is there"),
        pytest.param(5, [12] * 8, "ok", id="a small table may shrink by seven rows"),
        pytest.param(1000, [10, 1000, 1000, 1000, 9999], "ok", id="a median minds no single odd day"),
    ],
)
def test_rows_of_a_required_table(value, before, expected):
    _, (found, _, days) = verdict(value, before)

    assert found == expected
    assert days == len(before)


def test_table_that_not_every_portfolio_delivers_never_stops_the_day():
    _, (found, _, _) = verdict(0, [1000] * 8, is_required=False)

    assert found == "departs"


@pytest.mark.parametrize(
    ("name", "compared_by", "value", "before", "expected"),
    [
        pytest.param("rejected", "count", 41, [10] * 8, "departs", id="four times as many rejects"),
        pytest.param("rejected", "count", 39, [10] * 8, "ok", id="a few more rejects"),
        pytest.param("newest_days", "lag", 3, [0] * 8, "departs", id="the newest payment is three days old"),
        pytest.param("newest_days", "lag", 2, [1] * 8, "ok", id="a weekend"),
        pytest.param("nulls__loan_id", "none", 9, [0] * 8, "ok", id="what the gate judges is only followed"),
    ],
)
def test_other_figures(name, compared_by, value, before, expected):
    assert verdict(value, before, name=name, compared_by=compared_by)[1][0] == expected


def test_collapse_is_told_with_both_figures():
    connection, _ = verdict(3, [1000] * 8)

    with pytest.raises(QualityGateError, match=r"raw__loan: 3 rows, 1000 on the same weekdays before"):
        refuse_collapse(connection, "book 2026-03-02")


def test_eight_same_weekdays_are_compared():
    days = same_weekdays(date(2026, 3, 2))

    assert days[0] == date(2026, 2, 23)
    assert days[-1] == date(2026, 1, 5)
    assert len(days) == 8
    assert CONTRACTS[TABLE].mart == "fct_data_quality_daily"
