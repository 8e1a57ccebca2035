"""The bucket sets that a portfolio may name: twelve day counts under each."""

import pytest
from arrears.rules.bucket_sets import NAMED
from arrears.rules.buckets import bucket_of, check_buckets

DAYS = (0, 1, 7, 29, 30, 31, 59, 60, 61, 89, 90, 91)


@pytest.mark.parametrize("name", sorted(NAMED))
def test_named_set_is_contiguous_from_0(name):
    check_buckets(NAMED[name])


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        pytest.param("m0_m7", "M0 M1 M1 M1 M1 M2 M2 M2 M3 M3 M3 M4", id="m0_m7"),
        pytest.param(
            "days_1_30", "current 1-30 1-30 1-30 1-30 31-60 31-60 31-60 61-90 61-90 61-90 91-120", id="days_1_30"
        ),
        pytest.param(
            "days_30_59", "current 1-29 1-29 1-29 30-59 30-59 30-59 60-89 60-89 60-89 90-119 90-119", id="days_30_59"
        ),
        pytest.param(
            "rbi_sma", "standard SMA-0 SMA-0 SMA-0 SMA-0 SMA-1 SMA-1 SMA-1 SMA-2 SMA-2 SMA-2 NPA", id="rbi_sma"
        ),
    ],
)
def test_twelve_day_counts_fall_where_the_field_puts_them(name, codes):
    assert [bucket_of(days, NAMED[name]) for days in DAYS] == codes.split()


def test_m7_plus_begins_after_six_months():
    assert [bucket_of(days, NAMED["m0_m7"]) for days in (150, 151, 180, 181, 4000)] == ["M5", "M6", "M6", "M7+", "M7+"]
