"""Which dates a portfolio works, with and without a past of month ends."""

from datetime import date

import pytest
from arrears.rules.business_dates import BusinessDates, month_ends_before

DAILY = BusinessDates(date(2026, 3, 2), date(2026, 3, 2))
PAST = BusinessDates(date(2026, 1, 1), date(2026, 3, 12))


@pytest.mark.parametrize(
    ("dates", "day", "before"),
    [
        pytest.param(DAILY, date(2026, 3, 2), None, id="first date of all"),
        pytest.param(DAILY, date(2026, 3, 3), date(2026, 3, 2), id="any day: the day before"),
        pytest.param(PAST, date(2026, 1, 1), None, id="first month end"),
        pytest.param(PAST, date(2026, 2, 1), date(2026, 1, 1), id="month end: the month end before"),
        pytest.param(PAST, date(2026, 3, 12), date(2026, 3, 1), id="first daily date: the last month end"),
        pytest.param(PAST, date(2026, 3, 13), date(2026, 3, 12), id="second daily date: the day before"),
        pytest.param(PAST, date(2026, 4, 1), date(2026, 3, 31), id="month end among daily dates: the day before"),
    ],
)
def test_date_before(dates, day, before):
    assert dates.before(day) == before


@pytest.mark.parametrize("day", [date(2025, 12, 1), date(2026, 1, 31), date(2026, 3, 11)], ids=str)
def test_date_that_is_not_worked_has_none_before_it(day):
    assert day not in PAST
    with pytest.raises(ValueError, match=str(day)):
        PAST.before(day)


def test_dates_of_a_span_are_in_order_and_each_is_before_the_next():
    span = PAST.between(date(2025, 6, 1), date(2026, 3, 14))

    assert span == [date(2026, month, 1) for month in (1, 2, 3)] + [date(2026, 3, day) for day in (12, 13, 14)]
    assert [PAST.before(day) for day in span] == [None, *span[:-1]]


@pytest.mark.parametrize(
    ("day", "found"),
    [
        pytest.param(date(2026, 3, 12), [date(2026, 2, 1), date(2026, 3, 1)], id="in a month"),
        pytest.param(date(2026, 3, 1), [date(2026, 1, 1), date(2026, 2, 1)], id="a month end is not before itself"),
        pytest.param(date(2026, 1, 15), [date(2025, 12, 1), date(2026, 1, 1)], id="over the new year"),
    ],
)
def test_month_ends_before(day, found):
    assert month_ends_before(day, 2) == found
