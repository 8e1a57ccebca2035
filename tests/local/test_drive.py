"""What a drive says: the steps at work, a failed task's own words, the dates that stay."""

from datetime import date

import pytest
from arrears.errors import RejectLimitError
from arrears.local.api import Task
from arrears.local.demo import DEMOS
from arrears.local.drive import Patience, last_words
from arrears.local.progress import steps_now


def task(task_id, state, map_index=-1):
    return Task(task_id, map_index, str(map_index), state, 1)


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        pytest.param([], "", id="nothing yet"),
        pytest.param([task("age", "success"), task("cases", "")], "", id="between two steps"),
        pytest.param([task("age", "running")], "age", id="one at work"),
        pytest.param([task("transitions", "up_for_retry")], "transitions (will retry)", id="waits for a retry"),
        pytest.param(
            [task("extract", "success", 0), task("extract", "running", 1), task("extract", "queued", 2)],
            "extract 1/3",
            id="mapped, some done",
        ),
        pytest.param([task("a", "running"), task("b", "queued")], "a, b (queued)", id="two at once"),
    ],
)
def test_steps_now_names_what_is_at_work(tasks, words):
    assert steps_now(tasks) == words


CODED = str(RejectLimitError("12 of 100 rows rejected", "at most 1 %", "raw__loan"))


@pytest.mark.parametrize(
    ("log", "words"),
    [
        pytest.param([], "the task ended without a word (killed?)", id="no log"),
        pytest.param([{"event": "fine", "level": "info"}], "the task ended without a word (killed?)", id="killed"),
        pytest.param([{"event": "lost", "level": "error"}], "lost", id="an error line only"),
        pytest.param(
            [{"event": "x", "error_detail": [{"exc_type": "ValueError", "exc_value": "bad"}]}],
            "ValueError: bad",
            id="a foreign exception",
        ),
        pytest.param(
            [
                {
                    "event": "x",
                    "error_detail": [
                        {"exc_type": "KeyError", "exc_value": "k"},
                        {"exc_type": "RejectLimitError", "exc_value": CODED},
                        {"exc_type": "OSError", "exc_value": "cause"},
                    ],
                }
            ],
            CODED,
            id="a coded error among others",
        ),
    ],
)
def test_last_words_are_the_coded_error_or_the_next_best(log, words):
    assert last_words(log) == words


def test_demo_dates_are_pinned_at_the_first_look(tmp_path):
    demo = DEMOS[0]
    pins = tmp_path / "demo.json"

    first = demo.dates(pins)
    pins.write_text(pins.read_text().replace(first[-1].isoformat(), "2026-03-01"))
    later = demo.dates(pins)

    assert first[-1] == demo.today()
    assert later == (date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1))


def test_slow_days_are_waited_for_and_stuck_ones_are_not():
    now = 0.0
    patience = Patience(600, clock=lambda: now)

    for state in ("queued", "running", "success"):  # half an hour, and something moved all the while
        assert not patience.is_over([task("age", state)])
        now += 599
        assert not patience.is_over([task("age", state)])
    now += 2

    assert patience.is_over([task("age", "success")])
