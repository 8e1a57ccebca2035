"""Buckets: inclusive bounds, contiguous, exactly one per count."""

import pytest
from arrears.rules.buckets import Bucket, bucket_of, check_buckets

HOUSES = {
    "cn_1_30": (("0", 0, 0), ("1-30", 1, 30), ("31-60", 31, 60), ("61-90", 61, 90), ("91+", 91, None)),
    "us_1_29": (("0", 0, 0), ("1-29", 1, 29), ("30-59", 30, 59), ("60-89", 60, 89), ("90+", 90, None)),
}
DAYS = (0, 1, 7, 29, 30, 31, 59, 60, 61, 89, 90, 91)


@pytest.mark.parametrize(
    ("house", "expected"),
    [
        pytest.param("cn_1_30", "0 1-30 1-30 1-30 1-30 31-60 31-60 31-60 61-90 61-90 61-90 91+", id="cn"),
        pytest.param("us_1_29", "0 1-29 1-29 1-29 30-59 30-59 30-59 60-89 60-89 60-89 90+ 90+", id="us"),
    ],
)
def test_bucket_holds_both_its_bounds(house, expected):
    buckets = [Bucket(*row) for row in HOUSES[house]]
    check_buckets(buckets)

    assert " ".join(bucket_of(days, buckets) for days in DAYS) == expected


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([("1+", 1, None)], id="does_not_start_at_0"),
        pytest.param([("0", 0, 0), ("2+", 2, None)], id="gap"),
        pytest.param([("0", 0, 1), ("1+", 1, None)], id="overlap"),
        pytest.param([("0", 0, 0), ("1-9", 1, 9)], id="not_open_ended"),
        pytest.param([("0", 0, 0), ("0", 1, None)], id="code_twice"),
        pytest.param([("0", 0, None), ("1+", 1, None)], id="open_in_the_middle"),
        pytest.param([], id="empty"),
    ],
)
def test_broken_set_is_refused(rows):
    with pytest.raises(ValueError, match="bucket"):
        check_buckets([Bucket(*row) for row in rows])


def test_negative_days_have_no_bucket():
    with pytest.raises(ValueError, match="no bucket"):
        bucket_of(-1, [Bucket(*row) for row in HOUSES["cn_1_30"]])
