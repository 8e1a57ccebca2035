"""Which step is due: exact days, repetitions, steps blocked the day before; and files that explain their mistakes."""

from datetime import date
from itertools import pairwise

import pytest
from arrears.contact.paths import contact_days, presses_harder, step_due, step_key_of
from arrears.contact.strategy import Segment, Step, load_strategy
from arrears.errors import ConfigurationError
from arrears.policy.packs import load_rules
from arrears.portfolio import load_folder
from arrears.settings import INCLUDE, Settings

FOLDER = INCLUDE / "strategies"
BUCKETS = ("M0", "M1", "M2", "M3", "M4", "M5", "M6", "M6+")
BUCKETS_OF = {"loan_us": ("current", "1-29", "30-59", "60-89", "90-119", "120+")}  # where a strategy has others
PATH = (
    Step(id="first", day=0, channels=("sms",), template="t"),
    Step(id="third", day=3, channels=("call",), template="t"),
    Step(id="weekly", day=5, repeat_every_days=7, until_day=20, catch_up_days=3, channels=("call",), template="t"),
)


def due(age, *, blocked=None):
    found = step_due(PATH, age_days=age, person="p", episode="C-1", waiting_key=blocked)
    return found and (found.step.id, found.occurrence)


def key(step_id, occurrence=0):
    return step_key_of("p", "C-1", step_id, occurrence)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (-1, None),
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


def test_step_key_is_of_person_episode_step_and_occurrence_alone():
    keys = {key("a"), key("b"), key("a", 1), step_key_of("q", "C-1", "a", 0), step_key_of("p", "C-2", "a", 0)}

    assert len(keys) == 5
    assert len(key("a")) == 64
    assert due(5) == due(5)


def test_steps_that_follow_others_are_counted_out():
    chain = [
        Step(id="a", day=2, channels=("sms",), template="t"),
        Step(id="c", day=5, after="b", channels=("sms",), template="t"),
        Step(id="b", day=3, after="a", channels=("sms",), template="t"),
    ]

    found = Segment(id="s", steps=tuple(chain)).resolved

    assert {step.id: step.day for step in found} == {"a": 2, "b": 5, "c": 10}


@pytest.mark.parametrize(
    ("mine", "theirs", "harder"),
    [
        ([0, 10], [0, 10], False),
        ([0], [0, 10], False),
        ([0, 10, 20], [0, 10], True),
        ([0, 3], [0, 10], True),
        ([4, 14], [0, 10], False),
    ],
    ids=["the same", "less", "one more", "closer together", "later"],
)
def test_pressure_is_the_number_of_contacts_within_any_stretch(mine, theirs, harder):
    paths = [[Step(id=f"s{day}", day=day, channels=("sms",), template="t") for day in days] for days in (mine, theirs)]

    assert presses_harder(*paths) is harder


STEP = "          - {id: a, day: 0, channels: [sms], template: t}\n"
SEGMENT = "      - id: one\n        when: {bucket: [M1]}\n        steps:\n"
HEAD = "strategy: mine\ntitle: Mine\nversions:\n  - version: 1\n    valid_from: 2026-01-01\n    segments:\n"
FILE = HEAD + SEGMENT + STEP
ONE = "versions.0.segments.0"
TWO = "versions.0.segments.1"


def second(when, *, steps=None, more=""):
    steps = steps or STEP.replace("id: a", "id: b")
    return f"      - id: two\n        when: {when}\n{more}        steps:\n{steps}"


def experiment(arms, *, segments="[one]", approved="2026-01-15"):
    return (
        f"    experiments:\n      - id: e\n        segments: {segments}\n        from: 2026-02-01\n"
        f"        to: 2026-03-01\n        approval: {{office: head, given_on: {approved}, reference: R-1}}\n"
        f"        arms: [{arms}]\n"
    )


CHAMPION = "{id: champion, share_pct: 98}"
MISTAKES = {
    "unknown channel": (FILE.replace("sms", "pigeon"), f"line 10, key {ONE}.steps.0.channels.0"),
    "channel twice": (FILE.replace("[sms]", "[sms, sms]"), f"line 10, key {ONE}.steps.0: each channel once"),
    "unknown template": (
        FILE.replace("template: t", "template: x"),
        f"line 10, key {ONE}.steps.0.template: unknown te",
    ),
    "unknown key": (FILE.replace("template: t", "script: t"), "line 10"),
    "unknown bucket": (FILE.replace("M1", "M9"), f"line 8, key {ONE}.when.bucket: unknown bucket M9"),
    "step before its time": (
        FILE.replace("day: 0", "day: -3"),
        f"line 10, key {ONE}.steps.0.day: a: a step in the past",
    ),
    "step before what it follows": (
        FILE + "          - {id: b, day: -2, after: a, channels: [sms], template: t}\n",
        f"line 11, key {ONE}.steps.1.day: b: a step in the past",
    ),
    "reminder after the due date": (
        FILE.replace("when: {bucket: [M1]}", "path: pre_due").replace("day: 0", "day: 2"),
        f"line 10, key {ONE}.steps.0.day: a: a reminder before the due date",
    ),
    "cycle": (
        HEAD
        + SEGMENT
        + "          - {id: a, day: 1, after: b, channels: [sms], template: t}\n"
        + "          - {id: b, day: 1, after: a, channels: [sms], template: t}\n",
        f"line 10, key {ONE}.steps.0.after: a cycle: a after b after a",
    ),
    "follows nobody": (FILE.replace("day: 0", "day: 1, after: z"), f"line 10, key {ONE}.steps.0.after: no step z"),
    "two steps one day": (FILE + STEP.replace("id: a", "id: b"), f"line 11, key {ONE}.steps.1.day: steps a and b fall"),
    "step id twice": (FILE + second("{bucket: [M2]}", steps=STEP), "step ids differ: a is there twice"),
    "ends before it begins": (FILE.replace("day: 0", "day: 5, until_day: 9"), "until_day ends a repetition"),
    "catch-up too long": (FILE.replace("day: 0", "day: 5, repeat_every_days: 2"), "catch_up_days is shorter"),
    "bot that calls": (FILE.replace("[sms]", "[call], who: bot"), "who is bot, and a channel is made by the other"),
    "people first": (FILE.replace("[sms]", "[call, voice_bot], who: bot_first"), "a bot's channel stands before"),
    "overlap": (
        FILE + second("{behaviour: [new]}"),
        f"line 12, key {TWO}.when: overlaps segment one: both take bucket M1, behaviour new",
    ),
    "unreachable": (
        FILE + second("{amount: {from: 900, below: 100}}"),
        f"line 12, key {TWO}.when: unreachable segment two",
    ),
    "nothing left over": (
        FILE.replace("[M1]", "[M1, M2]") + second("{}", more="        otherwise: true\n"),
        f"line 13, key {TWO}.otherwise: unreachable segment two: the others leave nothing over",
    ),
    "age": (FILE.replace("bucket: [M1]", "age: [18]"), f"line 8, key {ONE}.when: age: may not steer contact"),
    "sex": (FILE.replace("bucket: [M1]", "bucket: [M1], sex: [f]"), "sex: may not steer contact"),
    "region": (FILE.replace("bucket: [M1]", "region: [x]"), "region: may not steer contact"),
    "language": (FILE.replace("bucket: [M1]", "language: [vi]"), "language: may not steer contact"),
    "score that presses": (
        FILE.replace("bucket: [M1]", "risk_band: [low, medium]")
        + second(
            "{risk_band: [high]}",
            steps=STEP.replace("id: a", "id: b") + STEP.replace("id: a", "id: c").replace("day: 0", "day: 1"),
        ),
        f"line 12, key {TWO}.when.risk_band: risk_band may not raise contacts: two has more than segment one",
    ),
    "broken promise that presses": (
        FILE.replace("bucket: [M1]", "promise: [none]")
        + second(
            "{promise: [recently_broken]}",
            steps=STEP.replace("id: a", "id: b") + STEP.replace("id: a", "id: c").replace("day: 0", "day: 1"),
        ),
        f"line 12, key {TWO}.when.promise: promise may not raise contacts: two has more than segment one",
    ),
    "care that presses": (
        FILE.replace("bucket: [M1]", "vulnerable: false")
        + second("{vulnerable: true}", steps=STEP.replace("id: a, day: 0", "id: b, day: 0, repeat_every_days: 9")),
        f"line 12, key {TWO}.when.vulnerable: vulnerable may not raise contacts",
    ),
    "asking the held": (
        FILE.replace("when: {bucket: [M1]}", "path: held\n        when: {hold: [hardship]}"),
        "a: on a held case only steps of purpose service",
    ),
    "machine at somebody at risk": (
        FILE.replace("when: {bucket: [M1]}", "path: held\n        when: {hold: [self_harm_risk]}").replace(
            "channels", "purpose: service, channels"
        ),
        "names its holds, and none of self_harm_risk",
    ),
    "versions out of order": (
        FILE + HEAD.split("versions:\n")[1] + SEGMENT + STEP,
        "line 3, key versions: versions rise",
    ),
    "other name": (FILE.replace("strategy: mine", "strategy: other"), "strategy 'other'"),
    "hold-out too large": (
        FILE + experiment("{id: champion, share_pct: 97}, {id: h, share_pct: 3, is_hold_out: true}"),
        "a hold-out has at most 2 % of the people",
    ),
    "hold-out of what everybody needs": (
        FILE + experiment(CHAMPION + ", {id: h, share_pct: 2, is_hold_out: true}"),
        "key versions.0.experiments.0.arms.1: a hold-out needs optional steps",
    ),
    "arm that presses": (
        FILE
        + "          - {id: b, day: 9, channels: [sms], template: t}\n"
        + experiment(CHAMPION + ", {id: n, share_pct: 2, later_days: {a: 7}}"),
        "key versions.0.experiments.0.arms.1: arm n may not raise contacts above those of segment one",
    ),
    "shares": (FILE + experiment(CHAMPION + ", {id: n, share_pct: 3}"), "shares sum to 100"),
    "no approval before": (
        FILE + experiment(CHAMPION + ", {id: n, share_pct: 2}", approved="2026-02-02"),
        "key versions.0.experiments.0.approval.given_on: approved after it begins",
    ),
    "unknown step of an arm": (FILE + experiment(CHAMPION + ", {id: n, share_pct: 2, skip: [z]}"), "unknown step z"),
    "experiment before anything is late": (
        FILE.replace("when: {bucket: [M1]}", "path: pre_due") + experiment(CHAMPION + ", {id: n, share_pct: 2}"),
        "key versions.0.experiments.0.segments: one is on the path pre_due: experiments need past_due",
    ),
    "unknown segment": (FILE + experiment(CHAMPION + ", {id: n, share_pct: 2}", segments="[z]"), "unknown segment z"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_in_a_strategy_is_one_error_with_file_line_and_key(tmp_path, name):
    text, expected = MISTAKES[name]
    (tmp_path / "mine.yaml").write_text(text)

    with pytest.raises(ConfigurationError) as raised:
        load_strategy("mine", tmp_path, ["M0", "M1", "M2"], templates={"t"})

    said = str(raised.value)
    assert expected in said
    assert "mine.yaml" in said
    assert said.count("line ") <= (2 if name == "unknown key" else 1), said  # the right one is missing, too


def test_version_in_force_is_the_latest_that_has_begun(tmp_path):
    later = HEAD.split("versions:\n")[1].replace("version: 1", "version: 2").replace("2026-01-01", "2026-03-01")
    (tmp_path / "mine.yaml").write_text(FILE + later + SEGMENT + STEP)

    strategy = load_strategy("mine", tmp_path, ["M0", "M1"])

    assert strategy.on(date(2026, 2, 28)).version == 1
    assert strategy.on(date(2026, 3, 1)).version == 2
    with pytest.raises(ConfigurationError, match="2025-12-31"):
        strategy.on(date(2025, 12, 31))


CASE = {
    "bucket": "M1",
    "amount": 500,
    "product": "trip",
    "behaviour": "new",
    "promise": "none",
    "risk_band": "low",
    "contactability": "reached",
    "vulnerable": False,
    "hold": None,
}


def test_stop_conditions_end_a_path():
    segment = Segment(id="s", stop_after_contacts=3, stop_after_day=40, steps=PATH)

    assert not segment.is_over(age_days=40, contacts=2)
    assert segment.is_over(age_days=0, contacts=3)
    assert segment.is_over(age_days=41, contacts=0)


@pytest.mark.parametrize("name", ["default", "loan_us", "travel_cn"])
def test_shipped_strategies_load_and_leave_two_days_between_contacts_once_late(name):
    buckets = BUCKETS_OF.get(name, BUCKETS)
    version = load_strategy(name, FOLDER, buckets).versions[-1]

    for bucket in buckets[1:]:
        for vulnerable in (False, True):
            segment = version.segment_of("past_due", {**CASE, "bucket": bucket, "vulnerable": vulnerable})
            days = contact_days(segment.resolved)
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
    for bucket in portfolio.queues:
        assert version.segment_of("past_due", {**CASE, "bucket": bucket})
