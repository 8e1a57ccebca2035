"""Which step is due: exact days, repetitions, steps blocked the day before; and files that explain their mistakes."""

from datetime import date
from itertools import pairwise

import pytest
from arrears.contact.strategy import Step, Version, load_strategy, step_due, step_key_of
from arrears.errors import ConfigurationError
from arrears.policy.packs import load_rules
from arrears.portfolio import load_folder
from arrears.settings import INCLUDE, Settings

FOLDER = INCLUDE / "strategies"
BUCKETS = ("M1", "M2", "M3", "M4", "M5", "M6", "M6+")
BUCKETS_OF = {"loan_us": ("1-29", "30-59", "60-89", "90-119", "120+")}  # where a strategy has others
PATH = Version(
    version=1,
    valid_from=date(2026, 1, 1),
    steps=(
        Step(id="first", buckets=("M1",), day=0, channels=("sms",), template="t"),
        Step(id="third", buckets=("M1",), day=3, channels=("call",), template="t"),
        Step(id="weekly", day=5, repeat_every_days=7, until_day=20, catch_up_days=3, channels=("call",), template="t"),
    ),
)


def due(age, *, bucket="M1", blocked=None):
    found = step_due(PATH, bucket=bucket, case_age_days=age, person="p", case_id="C-1", blocked_key=blocked)
    return found and (found.step.id, found.occurrence)


def key(step_id, occurrence=0):
    return step_key_of("p", "C-1", step_id, occurrence)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, ("first", 0)),
        (1, None),
        (3, ("third", 0)),
        (4, None),
        (5, ("weekly", 0)),
        (6, None),
        (12, ("weekly", 1)),
        (19, ("weekly", 2)),
        (26, None),
    ],
)
def test_step_is_due_on_its_day_and_each_repetition(age, expected):
    assert due(age) == expected


def test_step_of_another_bucket_is_not_due():
    assert due(0, bucket="M2") is None
    assert due(5, bucket="M2") == ("weekly", 0)


@pytest.mark.parametrize(
    ("age", "blocked", "expected"),
    [
        (1, key("first"), ("first", 0)),
        (2, key("first"), ("first", 0)),
        (3, key("first"), ("third", 0)),
        (4, key("first"), None),
        (8, key("weekly"), ("weekly", 0)),
        (9, key("weekly"), None),
        (14, key("weekly", 1), ("weekly", 1)),
        (14, key("weekly", 0), None),
        (22, key("weekly", 2), ("weekly", 2)),
    ],
    ids=[
        "the day after",
        "two days after",
        "the next step overtakes it",
        "given up",
        "last day of a longer catch-up",
        "the day after that",
        "a repetition",
        "an earlier repetition is over",
        "the last repetition, past until_day",
    ],
)
def test_blocked_step_is_due_again_with_its_key_until_given_up(age, blocked, expected):
    assert due(age, blocked=blocked) == expected


def test_blocked_step_waits_only_in_its_bucket():
    assert due(1, bucket="M2", blocked=key("first")) is None


def test_step_key_is_of_person_case_step_and_occurrence_alone():
    keys = {key("a"), key("b"), key("a", 1), step_key_of("q", "C-1", "a", 0), step_key_of("p", "C-2", "a", 0)}

    assert len(keys) == 5
    assert len(key("a")) == 64
    assert due(5) == due(5)


STEP = "      - {id: a, day: 0, channels: [sms], template: t}\n"
HEAD = "strategy: mine\ntitle: Mine\nversions:\n  - version: 1\n    valid_from: 2026-01-01\n    steps:\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + STEP.replace("sms", "pigeon"), ["line 7", "steps.0.channels"]),
        (HEAD + STEP.replace("[sms]", "[sms, sms]"), ["line 7", "each channel once"]),
        (HEAD + STEP.replace("day: 0", "day: -3"), ["line 7", "steps.0.day"]),
        (HEAD + STEP + STEP, ["step ids differ"]),
        (HEAD + STEP + STEP.replace("id: a", "id: b"), ["steps a and b fall on one day"]),
        (HEAD + STEP.replace("day: 0", "day: 5, until_day: 9"), ["until_day ends a repetition"]),
        (HEAD + STEP.replace("day: 0", "day: 5, repeat_every_days: 2"), ["catch_up_days is shorter"]),
        (HEAD + STEP.replace("day: 0", "day: 0, buckets: [M9]"), ["M9", "M1"]),
        (HEAD.replace("strategy: mine", "strategy: other") + STEP, ["strategy 'other'"]),
        (HEAD + STEP + HEAD.split("versions:\n")[1] + STEP, ["versions rise"]),
        (HEAD + STEP.replace("template: t", "script: t"), ["line 7", "steps.0.script"]),
    ],
)
def test_mistake_in_a_strategy_is_named(tmp_path, text, expected):
    (tmp_path / "mine.yaml").write_text(text)

    with pytest.raises(ConfigurationError) as raised:
        load_strategy("mine", tmp_path, ["M0", "M1"])

    assert all(part in str(raised.value) for part in [*expected, "mine.yaml"]), str(raised.value)


def test_version_in_force_is_the_latest_that_has_begun(tmp_path):
    later = HEAD.split("versions:\n")[1].replace("version: 1", "version: 2").replace("2026-01-01", "2026-03-01")
    (tmp_path / "mine.yaml").write_text(HEAD + STEP + later + STEP)

    strategy = load_strategy("mine", tmp_path, [])

    assert strategy.on(date(2026, 2, 28)).version == 1
    assert strategy.on(date(2026, 3, 1)).version == 2
    with pytest.raises(ConfigurationError, match="2025-12-31"):
        strategy.on(date(2025, 12, 31))


def test_shipped_strategies_load_and_leave_two_days_between_contacts():
    names = sorted(path.stem for path in FOLDER.glob("*.yaml"))

    assert {"default", "loan_us", "travel_cn"} <= set(names)
    for name in names:
        buckets = BUCKETS_OF.get(name, BUCKETS)
        version = load_strategy(name, FOLDER, buckets).versions[-1]
        for bucket in buckets:
            days = [
                age
                for age in range(200)
                if step_due(version, bucket=bucket, case_age_days=age, person="p", case_id="C", blocked_key=None)
            ]
            assert days
            assert all(later - earlier >= 3 for earlier, later in pairwise(days))


@pytest.mark.parametrize("name", ["demo_loan_us", "demo_travel_cn", "superlender"])
def test_shipped_portfolio_names_packs_and_a_strategy_that_fit_it(name, monkeypatch):
    monkeypatch.setenv("ARREARS_DEMO_FIRST_DATE", "2026-03-02")
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", "sqlite://")
    settings = Settings()
    portfolio = load_folder(name, settings).portfolio

    version = load_strategy(
        portfolio.strategy, settings.strategies, [bucket.code for bucket in portfolio.bucket_set]
    ).on(portfolio.first_business_date)

    assert load_rules(portfolio.packs, settings.policies).rules
    assert {bucket for step in version.steps for bucket in step.buckets} in (set(), set(portfolio.queues))
