"""Live sending needs a pack that somebody has reviewed, and not too long ago."""

from datetime import date

import pytest
from arrears.errors import PackNotReviewedError
from arrears.policy.packs import load_pack
from arrears.policy.review import check_review

TODAY = date(2026, 3, 2)
PACK = """
pack: mine
title: Mine
{review}
rules:
  - {{id: mine.hours, kind: hours, citation: somewhere, effect: deny, confidence: firm, all_days: ["08:00", "20:00"]}}
"""


@pytest.fixture
def pack(tmp_path):
    def made(review):
        path = tmp_path / "mine.yaml"
        path.write_text(PACK.format(review=review))
        return load_pack(path)

    return made


def reviewed(until):
    return f"reviewed_by: legal department\nreview_due_on: {until}"


@pytest.mark.parametrize(
    "review",
    [
        pytest.param("", id="never_reviewed"),
        pytest.param(reviewed("2026-03-02"), id="review_due_today"),
        pytest.param(reviewed("2025-03-02"), id="review_long_due"),
    ],
)
def test_live_sending_is_refused(pack, review):
    with pytest.raises(PackNotReviewedError, match="mine"):
        check_review([pack(review)], TODAY, is_sandbox=False)


def test_live_sending_is_allowed_until_the_day_before_the_review_is_due(pack):
    check_review([pack(reviewed("2026-03-03"))], TODAY, is_sandbox=False)


def test_sandbox_needs_no_review(pack):
    check_review([pack("")], TODAY, is_sandbox=True)
