"""Arms by keyed hash, and what a comparison of arms is worth.

Belongs here: pure functions over counts. Which experiments there are stands in a strategy; who has entered, in
``core__experiment_arm_daily``.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from math import erfc, exp, gamma, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHAMPION = "champion"
SLOTS = 10_000
MISMATCH_PPM = 1_000  # below one in a thousand, arm sizes are no accident


@dataclass(frozen=True)
class Counts:
    """What an arm's people did since they entered."""

    people: int
    cured: int
    contacts: int = 0
    complaints: int = 0
    opt_outs: int = 0


@dataclass(frozen=True)
class Effect:
    """Difference of two cure rates, arm less champion, with its confidence interval; each between -1 and 1."""

    difference: float
    low: float
    high: float


def slot_of(key: bytes, experiment_id: str, person: str) -> int:
    """A person's slot of an experiment, 0 to 9,999: uniform, the same on every day, unforeseeable without the key.

    Source:
        ARR-EXP-01.
    """
    digest = hmac.digest(key, f"{experiment_id}|{person}".encode(), "sha256")
    return int.from_bytes(digest[:8], "big") % SLOTS


def arm_of(key: bytes, experiment_id: str, person: str, shares_pct: Sequence[tuple[str, int]]) -> str:
    """The arm of a person, by slot.

    Args:
        key: Secret of the deployment.
        experiment_id: The experiment.
        person: person_id, or borrower_id where the source does not say.
        shares_pct: Arms with their shares, in the file's order; they sum to 100.

    Source:
        ARR-EXP-01.
    """
    slot, begins = slot_of(key, experiment_id, person), 0
    for arm, share in shares_pct:
        begins += share * SLOTS // 100
        if slot < begins:
            return arm
    return shares_pct[-1][0]


def mismatch_ppm(people: Mapping[str, int], shares_pct: Mapping[str, int]) -> int:
    """Chance, in parts per million, of arm sizes at least this far from their shares; 1,000,000 without anybody.

    Pearson's chi-square. Below ``MISMATCH_PPM`` the sizes are no accident: something removes people from an arm, and
    its effect means nothing.

    Source:
        ARR-EXP-02.
    """
    total = sum(people.values())
    if total == 0:
        return 1_000_000
    expected = {arm: total * share / 100 for arm, share in shares_pct.items()}
    distance = sum((people.get(arm, 0) - wanted) ** 2 / wanted for arm, wanted in expected.items())
    return round(1_000_000 * chi_square_tail(distance, len(expected) - 1))


def chi_square_tail(distance: float, degrees: int) -> float:
    """Chance that a chi-square of so many degrees of freedom is at least that large: the closed form for whole degrees.

    Args:
        distance: >= 0.
        degrees: >= 1.

    Source:
        Abramowitz and Stegun 26.4.4 and 26.4.5.
    """
    half = distance / 2
    if degrees % 2 == 0:
        terms = [float(half**i) / gamma(i + 1) for i in range(degrees // 2)]
        return exp(-half) * sum(terms)
    terms = [float(half ** (i - 0.5)) / gamma(i + 0.5) for i in range(1, (degrees - 1) // 2 + 1)]
    return erfc(sqrt(half)) + exp(-half) * sum(terms)


def effect(arm: Counts, champion: Counts, *, confidence: float = 0.95) -> Effect:
    """Difference of the cure rates with Newcombe's interval: Wilson's for each rate, combined.

    It keeps its coverage for small arms and rare cures, where the plain normal interval does not.

    Raises:
        ZeroDivisionError: An arm has nobody.

    Source:
        ARR-EXP-03; Newcombe 1998, Statistics in Medicine 17, method 10.
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    mine, theirs = arm.cured / arm.people, champion.cured / champion.people
    my_low, my_high = _wilson(arm, z)
    their_low, their_high = _wilson(champion, z)
    difference = mine - theirs
    return Effect(
        difference,
        difference - sqrt((mine - my_low) ** 2 + (their_high - theirs) ** 2),
        difference + sqrt((my_high - mine) ** 2 + (theirs - their_low) ** 2),
    )


def _wilson(arm: Counts, z: float) -> tuple[float, float]:
    rate, n = arm.cured / arm.people, arm.people
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - half, middle + half


def breached(
    counts: Counts,
    *,
    complaints_per_1000: int | None,
    opt_outs_per_1000: int | None,
    contacts_per_cured: int | None,
    after_people: int,
) -> tuple[str, ...]:
    """Guard rails an arm has broken; none before it has enough people to say.

    Source:
        ARR-EXP-04.
    """
    if counts.people < after_people:
        return ()
    broken = {
        "complaints": complaints_per_1000 is not None
        and 1000 * counts.complaints > complaints_per_1000 * counts.people,
        "opt_outs": opt_outs_per_1000 is not None and 1000 * counts.opt_outs > opt_outs_per_1000 * counts.people,
        "contacts_per_cured": contacts_per_cured is not None
        and counts.contacts > contacts_per_cured * max(counts.cured, 1),
    }
    return tuple(name for name, is_so in broken.items() if is_so)
