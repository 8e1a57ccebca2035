"""Which dates keep their full snapshots."""

from datetime import date, timedelta

import pytest
from arrears.errors import RuleInputError
from arrears.rules.retention import DateState, Verdict, snapshot_verdicts

FIRST = date(2026, 1, 2)  # the close of 1 January
DAYS = [FIRST + timedelta(days=number) for number in range(75)]  # to 17 March
LAST = DAYS[-1]
END_OF_JANUARY, END_OF_FEBRUARY = date(2026, 2, 1), date(2026, 3, 1)


def verdicts(*, days=DAYS, stale=(), unpublished=(), keep_days=10, keep_months=13):
    states = [DateState(day, day not in unpublished, day in stale) for day in days]
    return snapshot_verdicts(states, keep_days=keep_days, keep_months=keep_months)


def which(found, verdict):
    return [day for day, one in found.items() if one is verdict]


@pytest.mark.parametrize(
    ("day", "verdict"),
    [
        pytest.param(LAST, Verdict.NEWEST, id="last_published_date"),
        pytest.param(LAST - timedelta(days=9), Verdict.WITHIN_TERM, id="last_day_of_the_term"),
        pytest.param(LAST - timedelta(days=10), Verdict.EXPIRED, id="first_day_after_it"),
        pytest.param(END_OF_FEBRUARY, Verdict.MONTH_END, id="first_of_march_closes_february"),
        pytest.param(END_OF_FEBRUARY - timedelta(days=1), Verdict.EXPIRED, id="day_before_the_month_end"),
        pytest.param(END_OF_JANUARY, Verdict.MONTH_END, id="first_of_february_closes_january"),
        pytest.param(FIRST, Verdict.EXPIRED, id="portfolios_first_date"),
    ],
)
def test_date_keeps_its_snapshots_for_one_reason(day, verdict):
    assert verdicts()[day] is verdict


def test_month_ends_go_after_their_longer_term():
    assert which(verdicts(keep_months=2), Verdict.MONTH_END) == [END_OF_JANUARY, END_OF_FEBRUARY]
    assert which(verdicts(keep_months=1), Verdict.MONTH_END) == [END_OF_FEBRUARY]
    assert which(verdicts(keep_months=0), Verdict.MONTH_END) == []


def test_month_end_that_was_not_published_is_the_last_close_before_it():
    found = verdicts(unpublished={END_OF_FEBRUARY})

    assert found[END_OF_FEBRUARY] is Verdict.EXPIRED
    assert found[END_OF_FEBRUARY - timedelta(days=1)] is Verdict.MONTH_END


def test_from_the_date_before_a_stale_one_on_nothing_goes():
    found = verdicts(stale={DAYS[20], DAYS[40]}, unpublished={DAYS[19]})

    assert which(found, Verdict.EXPIRED) == DAYS[:18]
    assert which(found, Verdict.AWAITED)[0] == DAYS[18], "the published date before it, over the gap"
    assert END_OF_JANUARY not in which(found, Verdict.EXPIRED)


def test_stale_first_date_holds_everything():
    assert which(verdicts(stale={FIRST}), Verdict.EXPIRED) == []


def test_dates_begun_after_the_last_published_one_stay():
    found = verdicts(unpublished=set(DAYS[-3:]), keep_days=1)

    assert which(found, Verdict.NEWEST) == DAYS[-4:]
    assert which(found, Verdict.WITHIN_TERM) == []


def test_nothing_goes_before_anything_is_published():
    assert set(verdicts(unpublished=set(DAYS)).values()) == {Verdict.NEWEST}
    assert verdicts(days=[]) == {}


@pytest.mark.parametrize("terms", [{"keep_days": 0}, {"keep_months": -1}], ids=["no_day", "negative_months"])
def test_terms_that_would_drop_the_last_date_are_refused(terms):
    with pytest.raises(RuleInputError):
        verdicts(**terms)
