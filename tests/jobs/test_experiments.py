"""Experiments through the real jobs: arms that stay, a guard rail that stops one, sizes that do not fit, no key."""

from collections import Counter
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from arrears.jobs.experiments import experiment_report
from arrears.rules.experiments import MISMATCH_PPM, arm_of
from pydantic import SecretStr
from support.books import FIRST, rows_of
from support.floor import STRATEGY, aged, make_floor, put_ledger, work

KEY = "a secret of this test"
ZONE = ZoneInfo("Asia/Shanghai")
PEOPLE = 40
EXPERIMENT = """\
    experiments:
      - id: gently
        segments: [early]
        from: 2026-01-01
        to: 2026-12-31
        approval: {office: head of collections, given_on: 2025-12-15, reference: T-1}
        guard_rails: {complaints_per_1000: 100, after_people: 10}
        arms:
          - {id: champion, share_pct: 50}
          - {id: later, share_pct: 50, later_days: {again: 1}}
"""
AGAIN = "          - {id: again, day: 2, channels: [sms], template: hello}\n"
SHARES = [("champion", 50), ("later", 50)]


@pytest.fixture
def settings(tmp_path):
    made = make_floor(tmp_path, packs="[house_humane]").model_copy(update={"experiment_key": SecretStr(KEY)})
    steps, middle = STRATEGY.split("      - id: middle")
    (tmp_path / "strategies/path.yaml").write_text(steps + AGAIN + "      - id: middle" + middle + EXPERIMENT)
    return made


def run(settings, number, *, complaints=(), needs_care=(), people=range(PEOPLE)):
    """Work a day on which everybody is so many days late, and these have complained on the day before."""
    day = FIRST + timedelta(days=number)
    loans = [aged(f"l{one}", number + 1) for one in people]
    told = datetime.combine(day - timedelta(days=1), time(12), ZONE)
    flags = [
        {"flag_id": f"{code}{one}", "flag_code": code, "party_id": one, "starts_at": told, "ends_at": ends}
        for code, about, ends in (
            ("complaint", complaints, told + timedelta(hours=1)),
            ("vulnerable", needs_care, None),
        )
        for one in about
    ]
    put_ledger(settings, day, loans, flag=flags)
    work(settings, day)
    return day


def steps_of(settings, day):
    return {row["borrower_id"]: row for row in rows_of(settings, "out__contact_plan_daily", day)}


def standing(settings, day):
    return {row["arm_code"]: row for row in rows_of(settings, "out__experiment_daily", day)}


ARM = {f"b{one}": arm_of(KEY.encode(), "gently", f"p-b{one}", SHARES) for one in range(PEOPLE)}
LATER = [borrower for borrower, arm in ARM.items() if arm == "later"]


def test_arms_stay_through_the_days_and_take_their_own_path(settings):
    days = [run(settings, number) for number in range(4)]

    entered = [rows_of(settings, "core__experiment_arm_daily", day) for day in days]
    assert [{row["person_id"]: row["arm_code"] for row in rows} for rows in entered] == [
        {f"p-{borrower}": arm for borrower, arm in ARM.items()}
    ] * 4
    assert Counter(ARM.values()) == {arm: row["people"] for arm, row in standing(settings, days[3]).items()}
    asked = [
        {borrower for borrower, row in steps_of(settings, day).items() if row["step_id"] == "again"} for day in days
    ]
    assert asked == [set(), set(), set(ARM) - set(LATER), set(LATER)]
    assert {row["arm_code"] for row in steps_of(settings, days[3]).values()} == {"gently/later"}


def test_arm_that_breaks_a_guard_rail_goes_on_as_champion_from_the_next_day(settings):
    run(settings, 0)
    broken = run(settings, 1, complaints=LATER[: len(LATER) // 4])
    after = run(settings, 2)

    stopped = standing(settings, broken)
    assert (stopped["later"]["breached"], stopped["later"]["stopped_on"]) == ("complaints", broken)
    assert stopped["champion"]["stopped_on"] is None
    asked = steps_of(settings, after)
    assert {borrower for borrower, row in asked.items() if row["step_id"] == "again"} == set(ARM)
    assert {asked[borrower]["arm_code"] for borrower in LATER} == {"gently/champion"}
    assert standing(settings, after)["later"]["stopped_on"] == broken
    assert standing(settings, after)["later"]["people"] == len(LATER)


def test_who_needs_care_is_in_no_arm(settings):
    day = run(settings, 0, needs_care=("b1",))

    assert "p-b1" not in {row["person_id"] for row in rows_of(settings, "core__experiment_arm_daily", day)}
    assert sum(row["people"] for row in standing(settings, day).values()) == PEOPLE - 1


def test_sizes_that_do_not_fit_their_shares_are_said_instead_of_an_effect(settings):
    """Something keeps the people of one arm out of the book: nothing can be read off the others."""
    day = run(settings, 0, people=[int(one.lstrip("b")) for one in ARM if one not in LATER])

    assert {row["mismatch_ppm"] < MISMATCH_PPM for row in standing(settings, day).values()} == {True}
    assert {row["effect"].split(":")[0] for row in experiment_report("book", day, settings=settings)} == {
        "not readable"
    }


def test_report_says_the_effect_with_its_interval(settings):
    day = run(settings, 0)

    champion, later = experiment_report("book", day, settings=settings)

    assert champion["effect"] == ""
    assert later["effect"].startswith("+0.0 points of cure rate, 95 % interval -")


def test_without_a_key_nobody_enters_and_the_path_is_as_it_stands(settings):
    keyless = settings.model_copy(update={"experiment_key": SecretStr("")})
    day = run(keyless, 0)

    assert rows_of(keyless, "core__experiment_arm_daily", day) == []
    assert {row["arm_code"] for row in steps_of(keyless, day).values()} == {""}
    assert "no ARREARS_EXPERIMENT_KEY" in experiment_report("book", day, settings=keyless)[0]["effect"]
