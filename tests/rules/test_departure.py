"""A plan departs from its history, or lies in its bands."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from arrears.rules.departure import Limits, PlanFigures, departures

TODAY = date(2026, 3, 31)
USUAL = PlanFigures(TODAY, {"sms": 200, "call": 100}, blocked=100, past_due_loans=1000, strategy="s@1", packs="p@1")
HISTORY = [replace(USUAL, business_date=TODAY - timedelta(days=back)) for back in range(1, 8)]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({}, [], id="as_usual"),
        pytest.param({"by_channel": {"sms": 400, "call": 50}}, [], id="at_the_edges"),
        pytest.param({"by_channel": {"sms": 401, "call": 100}}, [("volume", "sms", "401", "100 to 400")], id="more"),
        pytest.param({"by_channel": {"sms": 99, "call": 100}}, [("volume", "sms", "99", "100 to 400")], id="fewer"),
        pytest.param({"by_channel": {"sms": 200}}, [("volume", "call", "0", "50 to 200")], id="a_channel_is_gone"),
        pytest.param(
            {"by_channel": {"sms": 200, "call": 100, "visit": 60}},
            [("volume", "visit", "60", "0 to 0")],
            id="a_new_one",
        ),
        pytest.param({"by_channel": {"sms": 200, "call": 100, "visit": 49}}, [], id="a_new_one_of_few"),
        pytest.param({"blocked": 500}, [("blocked_share", "", "62.5 %", "25.0 % +- 30")], id="many_are_blocked"),
        pytest.param({"past_due_loans": 1300}, [], id="overdue_at_the_edge"),
        pytest.param({"past_due_loans": 1301}, [("overdue_jump", "", "1301", "1000 +- 30 %")], id="overdue_jumps"),
        pytest.param({"past_due_loans": 600}, [("overdue_jump", "", "600", "1000 +- 30 %")], id="overdue_falls"),
        pytest.param({"strategy": "s@2"}, [("strategy_changed", "", "s@2", "s@1")], id="another_strategy"),
        pytest.param({"packs": "p@2"}, [("packs_changed", "", "p@2", "p@1")], id="another_pack"),
        pytest.param({"strategy": "", "packs": ""}, [], id="nothing_was_asked"),
    ],
)
def test_plan_is_compared_with_its_history(changed, said):
    found = departures(replace(USUAL, **changed), HISTORY, Limits())

    assert [(one.code, one.what, one.figure, one.usual) for one in found] == said


def test_figures_are_not_compared_with_a_short_history_but_versions_are():
    today = replace(USUAL, by_channel={"sms": 9000}, strategy="s@2")

    assert [one.code for one in departures(today, HISTORY[:4], Limits())] == ["strategy_changed"]
    assert departures(today, [], Limits()) == []


def test_version_is_compared_with_the_last_day_that_names_one():
    silent = [replace(one, strategy="") for one in HISTORY[:2]]

    assert departures(USUAL, [*silent, *HISTORY[2:]], Limits()) == []
    assert [one.code for one in departures(replace(USUAL, strategy="s@2"), [*silent, *HISTORY[2:]], Limits())] == [
        "strategy_changed"
    ]
