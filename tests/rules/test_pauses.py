"""Pauses: half-open, merged, counted once, only inside the span."""

from datetime import date

import pytest
from arrears.errors import RuleInputError
from arrears.rules.pauses import Pause, merged, paused_days


def on(day):
    return date(2026, 1, day)


@pytest.mark.parametrize(
    ("pauses", "days"),
    [
        pytest.param([], 0, id="none"),
        pytest.param([(12, 15)], 3, id="end_day_counts_again"),
        pytest.param([(12, 12)], 0, id="empty_pause"),
        pytest.param([(1, 9)], 0, id="before_the_span_deducts_nothing"),
        pytest.param([(5, 12)], 2, id="cut_at_the_start"),
        pytest.param([(18, 25)], 2, id="cut_at_the_end"),
        pytest.param([(15, None)], 5, id="open_pause_lasts"),
        pytest.param([(12, 15), (15, 17)], 5, id="touching"),
        pytest.param([(12, 16), (14, 18)], 6, id="overlapping_counts_once"),
        pytest.param([(12, 18), (13, 14), (12, 18)], 6, id="nested_and_repeated"),
        pytest.param([(13, 14), (11, 12)], 2, id="any_order"),
        pytest.param([(1, None)], 10, id="covers_all"),
    ],
)
def test_paused_days_between_the_10th_and_the_20th(pauses, days):
    given = [Pause(on(start), on(end) if end else None) for start, end in pauses]

    assert paused_days(given, on(10), on(20)) == days


def test_merged_pauses_are_disjoint():
    given = [Pause(on(3), on(5)), Pause(on(1), on(3)), Pause(on(8)), Pause(on(9), on(9))]

    assert merged(given, on(20)) == [Pause(on(1), on(5)), Pause(on(8), on(20))]


def test_pause_that_ends_before_it_starts_is_refused():
    with pytest.raises(RuleInputError):
        merged([Pause(on(5), on(4))], on(20))
