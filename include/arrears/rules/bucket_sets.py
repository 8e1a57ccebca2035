"""Bucket sets that portfolios may name instead of listing their own.

Belongs here: values. What makes a set valid stands in ``buckets``.
"""

from __future__ import annotations

from arrears.rules.buckets import Bucket

NAMED = {
    "m0_m7": (  # 逾期 M1 is 1-30 days; M7+ is 181 and more
        Bucket("M0", 0, 0),
        *(Bucket(f"M{number}", 30 * number - 29, 30 * number) for number in range(1, 7)),
        Bucket("M7+", 181, None),
    ),
    "days_1_30": (
        Bucket("current", 0, 0),
        Bucket("1-30", 1, 30),
        Bucket("31-60", 31, 60),
        Bucket("61-90", 61, 90),
        Bucket("91-120", 91, 120),
        Bucket("121-150", 121, 150),
        Bucket("151-180", 151, 180),
        Bucket("181+", 181, None),
    ),
    "days_30_59": (  # as US credit bureaus count: 30 days past due is the second bucket
        Bucket("current", 0, 0),
        Bucket("1-29", 1, 29),
        Bucket("30-59", 30, 59),
        Bucket("60-89", 60, 89),
        Bucket("90-119", 90, 119),
        Bucket("120-149", 120, 149),
        Bucket("150-179", 150, 179),
        Bucket("180+", 180, None),
    ),
    "rbi_sma": (  # RBI/2021-22/125: SMA-1 above 30 days, SMA-2 above 60, NPA above 90
        Bucket("standard", 0, 0),
        Bucket("SMA-0", 1, 30),
        Bucket("SMA-1", 31, 60),
        Bucket("SMA-2", 61, 90),
        Bucket("NPA", 91, None),
    ),
}
