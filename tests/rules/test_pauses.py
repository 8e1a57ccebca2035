"""Pauses: half-open, merged, counted once, only inside the span."""

from datetime import date

import pytest
from arrears.errors import RuleInputError
from arrears.rules.account import Instalment, Transaction
from arrears.rules.pauses import Pause, classified_on, deferred, merged, paused_days


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


JULY = (Instalment(1, date(2026, 7, 10)), Instalment(2, date(2026, 8, 10)))


@pytest.mark.parametrize(
    ("pauses", "due"),
    [
        pytest.param([], [(7, 10), (8, 10)], id="none"),
        pytest.param([(date(2026, 7, 1), date(2026, 7, 31))], [(8, 9), (9, 9)], id="across_the_board"),
        pytest.param([(date(2026, 7, 10), date(2026, 7, 20))], [(7, 20), (8, 20)], id="its_first_day_is_moved"),
        pytest.param([(date(2026, 7, 11), date(2026, 7, 21))], [(7, 10), (8, 20)], id="what_was_due_before_stays"),
        pytest.param(
            [(date(2026, 7, 1), date(2026, 7, 11)), (date(2026, 7, 11), date(2026, 7, 21))],
            [(7, 30), (8, 30)],
            id="touching_ones_add_up",
        ),
        pytest.param(
            [(date(2026, 7, 1), date(2026, 7, 11)), (date(2026, 7, 5), date(2026, 7, 11))],
            [(7, 20), (8, 20)],
            id="overlapping_ones_do_not",
        ),
        pytest.param(
            [(date(2026, 7, 1), date(2026, 7, 11)), (date(2026, 7, 15), date(2026, 7, 20))],
            [(7, 25), (8, 25)],
            id="moved_into_a_later_one",
        ),
        pytest.param([(date(2026, 7, 1), None)], [(10, 10), (11, 10)], id="lasting_until_the_day_asked_for"),
    ],
)
def test_deferral_moves_due_dates(pauses, due):
    given = [Pause(starts_on, ends_on, "deferral") for starts_on, ends_on in pauses]

    moved = deferred(JULY, given, date(2026, 10, 1))

    assert [(each.due_on.month, each.due_on.day) for each in moved] == due


@pytest.mark.parametrize(
    ("pauses", "entered", "held_as_of"),
    [
        pytest.param([], None, 20, id="no_freeze"),
        pytest.param([(10, 19)], None, 20, id="over_the_day_after_its_end"),
        pytest.param([(10, 20)], None, 9, id="on_the_day_counting_resumes"),
        pytest.param([(20, 25)], None, 19, id="on_its_first_day"),
        pytest.param([(10, 15), (16, 25)], None, 9, id="goes_on_with_one_from_the_day_after"),
        pytest.param([(10, 14), (16, 25)], None, 15, id="not_over_a_day_between"),
        pytest.param([(10, None)], 12, 12, id="an_entry_is_looked_at"),
        pytest.param([(10, None)], 8, 9, id="one_before_it_is_not"),
    ],
)
def test_freeze_holds_the_bucket(pauses, entered, held_as_of):
    given = [Pause(date(2026, 7, one), other and date(2026, 7, other)) for one, other in pauses]
    entries = [Transaction("t", "repayment", date(2026, 7, entered), 1)] if entered else []

    assert classified_on(given, entries, date(2026, 7, 20)) == date(2026, 7, held_as_of)
