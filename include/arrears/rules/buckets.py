"""Which bucket a day count falls into."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Bucket:
    """Inclusive bounds in days; ``to_days`` None means open-ended."""

    code: str
    from_days: int
    to_days: int | None


def check_buckets(buckets: Sequence[Bucket]) -> None:
    """Refuse a bucket set that is not contiguous and gap-free from 0.

    Raises:
        ValueError: It starts above 0, has a gap or an overlap, repeats a code, or does not end open.
    """
    if not buckets or buckets[0].from_days != 0:
        raise ValueError("buckets start at 0 days")
    if len({bucket.code for bucket in buckets}) != len(buckets):
        raise ValueError("bucket codes are unique")
    if buckets[-1].to_days is not None:
        raise ValueError(f"the last bucket {buckets[-1].code!r} is open-ended (leave `to` out)")
    for bucket, following in pairwise(buckets):
        if bucket.to_days is None or bucket.to_days < bucket.from_days:
            raise ValueError(f"bucket {bucket.code!r} ends before it starts, or only the last may be open-ended")
        if following.from_days != bucket.to_days + 1:
            raise ValueError(f"bucket {following.code!r} must start at {bucket.to_days + 1}, not {following.from_days}")


def bucket_of(days: int, buckets: Sequence[Bucket]) -> str:
    """Code of the bucket that holds ``days``.

    Args:
        days: Whole days, >= 0.
        buckets: A set that ``check_buckets`` accepts.

    Raises:
        ValueError: ``days`` is negative.

    Source:
        ARR-BKT-01: inclusive bounds, exactly one bucket per count.
    """
    for bucket in buckets:
        if bucket.from_days <= days and (bucket.to_days is None or days <= bucket.to_days):
            return bucket.code
    raise ValueError(f"{days} days are in no bucket")
