"""Dimensions of type 2: versions that touch and never overlap, one current, and every fact finds exactly one."""

from datetime import date

import pytest
from support.golden import by_duckdb, by_postgres, given

FIRST, SECOND, THIRD, FOURTH = (date(2026, 6, day) for day in (1, 2, 3, 4))
FOREVER, ALWAYS = date(9999, 12, 31), date(1, 1, 1)
# Its code, what each dimension knows a version by, and two values of that.
DIMENSIONS = {
    "bucket": ("bucket_code", "to_days", 30, 29),
    "queue": ("queue_id", "avg_handle_seconds", 180, 240),
    "agent": ("agent_id", "languages", "zh-CN", "zh-CN,en"),
    "strategy": ("strategy_code", "version_label", "early@1", "early@2"),
}


def member(dimension, day, code="m", **figures):
    return {"business_date": day, "dimension_code": dimension, "member_code": code, **figures}


def facts(dimension):
    """A member that changes on the third day and back on the fourth, another that comes late, and the book's days."""
    _, column, before, after = DIMENSIONS[dimension]
    members = [
        member(dimension, day, **{column: value})
        for day, value in zip((FIRST, SECOND, THIRD, FOURTH), (before, before, after, before), strict=True)
    ]
    days = [{"business_date": day, "currency": "CNY"} for day in (FIRST, SECOND, THIRD, FOURTH)]
    return given({"dim_member_daily": [*members, member(dimension, THIRD, "late")], "fct_summary_daily": days})


def versions(dimension, ask):
    code, column, *_ = DIMENSIONS[dimension]
    return ask(
        f"SELECT {code} AS code, valid_from, valid_to, is_current, {column} AS value "
        f"FROM bi.dim_{dimension} ORDER BY 1, 2"
    )


@pytest.fixture(params=["duckdb", "postgres"])
def ask(request):
    """Asks one of the two engines."""
    url = request.getfixturevalue("warehouse_url") if request.param == "postgres" else None
    return lambda tables: lambda query: by_postgres(url, tables, query) if url else by_duckdb(tables, query)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_each_change_is_a_version_from_the_day_that_knew_it(ask, dimension):
    *_, before, after = DIMENSIONS[dimension]

    found = [tuple(row.values()) for row in versions(dimension, ask(facts(dimension)))]

    assert found == [
        ("late", THIRD, FOREVER, True, None),
        ("m", FIRST, THIRD, False, before),
        ("m", THIRD, FOURTH, False, after),
        ("m", FOURTH, FOREVER, True, before),
        ("unknown", ALWAYS, FOREVER, True, None),
    ]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_each_day_of_each_member_finds_exactly_one_version(ask, dimension):
    joined = ask(facts(dimension))(
        "SELECT seen.member_code, seen.business_date, count(*) AS versions, "
        "count(*) FILTER (WHERE version.is_current) AS newest "
        f"FROM mart.dim_member_daily AS seen INNER JOIN bi.dim_{dimension} AS version "
        f"ON seen.member_code = version.{DIMENSIONS[dimension][0]} AND seen.business_date >= version.valid_from "
        "AND seen.business_date < version.valid_to GROUP BY 1, 2"
    )

    assert len(joined) == 5
    assert {row["versions"] for row in joined} == {1}
    assert sum(row["newest"] for row in joined) == 2


def test_calendar_has_no_gap(warehouse_url):
    [row] = by_postgres(
        warehouse_url,
        {},
        "SELECT count(*) AS days, max(date_on) - min(date_on) + 1 AS span, count(DISTINCT date_on) AS dates "
        "FROM bi.dim_date",
    )

    assert row["days"] == row["span"] == row["dates"] > 10_000
