"""The dry run: what another strategy would have planned for a day that is made, and nothing written."""

import pytest
from arrears.errors import ConfigurationError
from arrears.jobs.strategy_diff import strategy_diff
from support.books import FIRST, rows_of
from support.floor import STRATEGY, aged, make_floor, put_ledger, work


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    settings = make_floor(tmp_path_factory.mktemp("floor"))
    put_ledger(settings, FIRST, [aged("l1", 5), aged("l2", 8), aged("l3", 40)])
    work(settings, FIRST)
    return settings


def other(tmp_path, *changes):
    text = STRATEGY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "path.yaml").write_text(text)
    return tmp_path / "path.yaml"


def test_same_strategy_changes_nothing(settings, tmp_path):
    found = strategy_diff("book", FIRST, other(tmp_path), settings=settings)

    assert (found["old"], found["contacts"]) == (found["new"], [])
    assert found["old"]["people"] == 3


def test_other_channel_and_dropped_step_are_named_and_nothing_is_written(settings, tmp_path):
    before = rows_of(settings, "out__contact_plan_daily", FIRST)

    found = strategy_diff(
        "book",
        FIRST,
        other(
            tmp_path,
            ("version: 3", "version: 4"),
            ("id: talk, day: 0", "id: talk, day: 1"),
            ("push, sms", "email, sms"),
        ),
        settings=settings,
    )

    assert (found["added"], found["dropped"], found["changed"]) == (0, 1, 0)
    assert found["new"]["strategy"] == "path@4"
    assert found["new"]["steps"] == {"hello": 2}
    assert [row["change"] for row in found["contacts"]] == ["dropped"]
    assert rows_of(settings, "out__contact_plan_daily", FIRST) == before


def test_wrong_strategy_is_refused(settings, tmp_path):
    with pytest.raises(ConfigurationError, match=r"unknown bucket M9"):
        strategy_diff("book", FIRST, other(tmp_path, ('"31-60"', "M9")), settings=settings)
