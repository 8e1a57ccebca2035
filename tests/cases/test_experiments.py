"""Arms by keyed hash: stable, uniform; sizes that do not fit are seen; the interval covers the truth it should."""

from collections import Counter
from random import Random

import pytest
from arrears.rules.experiments import (
    MISMATCH_PPM,
    Counts,
    arm_of,
    breached,
    chi_square_tail,
    effect,
    mismatch_ppm,
    slot_of,
)
from scipy.stats import chi2

KEY = b"a secret of this deployment"
SHARES = [("champion", 49), ("challenger", 49), ("hold_out", 2)]
PEOPLE = [f"person-{number}" for number in range(20_000)]


def test_slots_are_uniform_by_chi_square():
    counted = Counter(slot_of(KEY, "e", person) // 100 for person in PEOPLE)

    distance = sum((counted[slot] - 200) ** 2 / 200 for slot in range(100))

    assert len(counted) == 100
    assert chi2.sf(distance, 99) > 0.001


def test_arms_have_their_shares_and_never_change_over_sixty_days():
    first = {person: arm_of(KEY, "e", person, SHARES) for person in PEOPLE}

    for _ in range(60):
        person = PEOPLE[_ * 300]
        assert arm_of(KEY, "e", person, SHARES) == first[person]
    assert mismatch_ppm(Counter(first.values()), dict(SHARES)) > MISMATCH_PPM


def test_another_key_or_experiment_puts_people_elsewhere():
    mine = [arm_of(KEY, "e", person, SHARES) for person in PEOPLE[:2000]]

    for other in (
        [arm_of(b"another", "e", person, SHARES) for person in PEOPLE[:2000]],
        [arm_of(KEY, "f", person, SHARES) for person in PEOPLE[:2000]],
    ):
        agreeing = sum(one == two for one, two in zip(mine, other, strict=True))
        assert 800 < agreeing < 1200


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10])
@pytest.mark.parametrize("distance", [0.0, 0.1, 1.0, 3.84, 12.0, 60.0])
def test_tail_of_chi_square_is_that_of_the_reference(distance, degrees):
    assert chi_square_tail(distance, degrees) == pytest.approx(chi2.sf(distance, degrees), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(
    ("people", "is_mismatch"),
    [
        pytest.param({"champion": 490, "challenger": 490, "hold_out": 20}, False, id="as configured"),
        pytest.param({"champion": 505, "challenger": 476, "hold_out": 19}, False, id="an accident"),
        pytest.param({"champion": 560, "challenger": 420, "hold_out": 20}, True, id="somebody removes challengers"),
        pytest.param({"champion": 500, "challenger": 500}, True, id="an empty arm"),
        pytest.param({}, False, id="nobody yet"),
    ],
)
def test_sizes_that_do_not_fit_their_shares_are_seen(people, is_mismatch):
    assert (mismatch_ppm(people, dict(SHARES)) < MISMATCH_PPM) is is_mismatch


def test_interval_covers_the_truth_in_about_ninety_five_percent_of_two_hundred_runs():
    random = Random(20260302)  # noqa: S311  a repeatable draw
    truth = 0.44 - 0.40
    covered = 0
    for _ in range(200):
        arm = Counts(400, sum(random.random() < 0.44 for _ in range(400)))
        champion = Counts(600, sum(random.random() < 0.40 for _ in range(600)))
        found = effect(arm, champion)
        covered += found.low <= truth <= found.high

    assert 181 <= covered <= 199  # 190 expected; outside of this in one of 300 seeds


def test_interval_of_newcombe_is_that_of_his_paper():
    found = effect(Counts(70, 56), Counts(80, 48))

    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


@pytest.mark.parametrize(
    ("counts", "broken"),
    [
        pytest.param(Counts(1000, 100, 500, 5, 10), (), id="all within"),
        pytest.param(Counts(1000, 100, 500, 6, 10), ("complaints",), id="complaints"),
        pytest.param(Counts(1000, 100, 801, 5, 11), ("opt_outs", "contacts_per_cured"), id="two at once"),
        pytest.param(Counts(99, 0, 900, 90, 90), (), id="too few people to say"),
    ],
)
def test_guard_rails(counts, broken):
    found = breached(counts, complaints_per_1000=5, opt_outs_per_1000=10, contacts_per_cured=8, after_people=100)

    assert found == broken
