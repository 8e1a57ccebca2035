"""What is wrong with a strategy that only a look over the whole version finds.

Belongs here: segments that overlap or take nobody, steps that follow each other in a ring or fall before their time,
unknown names, and pressure that a score, a flag or an arm would raise. Segments are compared on a grid: one cell for
each combination of the values that the file itself tells apart.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any

from arrears.contact.paths import presses_harder
from arrears.contact.strategy import NEVER_AUTOMATIC
from arrears.rules.cases import HOLD_CODES
from arrears.rules.traits import BEHAVIOURS, CONTACTABILITIES, NEUTRAL_BAND, NEUTRAL_PROMISE, PROMISES, RISK_BANDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from arrears.contact.strategy import Experiment, Segment, Strategy, Version
    from arrears.policy.documents import Key

Mistake = tuple["Key", str]
Cell = dict[str, Any]
OTHER = "(any other)"  # a product that no segment names
COLUMNS = ("bucket", "amount", "product", "behaviour", "promise", "risk_band", "contactability", "vulnerable", "hold")
NEUTRAL = (
    ("risk_band", NEUTRAL_BAND),
    ("promise", NEUTRAL_PROMISE),
    ("vulnerable", False),
)  # may lower the pressure only


def mistakes_of(strategy: Strategy, buckets: Collection[str], templates: Collection[str] | None) -> list[Mistake]:
    """Every mistake with the key it stands under; the first of a kind and place.

    Args:
        strategy: Readable by itself.
        buckets: The portfolio's bucket codes.
        templates: Templates there are; None: nobody knows here.
    """
    found: list[Mistake] = []
    for number, version in enumerate(strategy.versions):
        key: Key = ("versions", number)
        by_itself = [
            *_names(version, key, buckets, templates),
            *(
                one
                for place, segment in enumerate(version.segments)
                for one in _days(segment, (*key, "segments", place))
            ),
        ]
        # A grid over wrong names, or over days that cannot be counted out, would say the same again in other words.
        found += by_itself or [*_grids(version, key, buckets), *_experiments(version, key)]
    return found


def _names(
    version: Version, key: Key, buckets: Collection[str], templates: Collection[str] | None
) -> Iterator[Mistake]:
    ids: set[str] = set()
    steps: set[str] = set()
    for place, segment in enumerate(version.segments):
        here = (*key, "segments", place)
        if segment.id in ids:
            yield (*here, "id"), "segment ids differ"
        if unknown := sorted(set(segment.when.bucket) - set(buckets)):
            yield (*here, "when", "bucket"), f"unknown bucket {unknown[0]}; the portfolio has {', '.join(buckets)}"
        if (unknown := sorted(set(segment.when.hold) - set(HOLD_CODES))) or (
            segment.when.hold and segment.path != "held"
        ):
            words = f"unknown hold {unknown[0]}" if unknown else "only the path `held` tells holds apart"
            yield (*here, "when", "hold"), words
        yield from _held(segment, here)
        for number, step in enumerate(segment.steps):
            if step.id in steps:
                yield (*here, "steps", number, "id"), f"step ids differ: {step.id} is there twice"
            if templates is not None and step.template not in templates:
                yield (
                    (*here, "steps", number, "template"),
                    f"unknown template {step.template} in the portfolio's language",
                )
            steps.add(step.id)
        ids.add(segment.id)


def _held(segment: Segment, here: Key) -> Iterator[Mistake]:
    """A held case is served, never asked; under the gravest holds no machine writes at all."""
    if segment.path != "held":
        return
    never = sorted(set(segment.when.hold) & set(NEVER_AUTOMATIC))
    if not segment.when.hold or segment.otherwise or never:
        yield (*here, "when"), f"names its holds, and none of {', '.join(NEVER_AUTOMATIC)}"
    for number, step in enumerate(segment.steps):
        if step.purpose != "service":
            yield (*here, "steps", number), f"{step.id}: on a held case only steps of purpose service"


def _days(segment: Segment, here: Key) -> Iterator[Mistake]:
    by_id = {step.id: step for step in segment.steps}
    for number, step in enumerate(segment.steps):
        place = (*here, "steps", number, "after")
        seen, at = [step.id], step.after
        while at is not None:
            if at not in by_id:
                yield place, f"no step {at} in this segment"
                return
            if at in seen:
                yield place, f"a cycle: {' after '.join([*seen, at])}"
                return
            seen.append(at)
            at = by_id[at].after
    bounds = (-30, 0) if segment.path == "pre_due" else (0, None)
    days: dict[int, str] = {}
    for number, step in enumerate(segment.resolved):
        place = (*here, "steps", number, "day")
        if step.day < bounds[0] or (segment.steps[number].after is not None and segment.steps[number].day < 0):
            yield place, f"{step.id}: a step in the past: it falls on day {step.day}, before what it follows"
        elif bounds[1] is not None and step.day > bounds[1]:
            yield place, f"{step.id}: a reminder before the due date falls on it or before it, on day -30 to 0"
        if step.day in days:
            yield place, f"steps {days[step.day]} and {step.id} fall on one day"
        days[step.day] = step.id


def _grids(version: Version, key: Key, buckets: Collection[str]) -> Iterator[Mistake]:
    """Overlaps, segments nobody falls in, and pressure, path by path."""
    place_of = {segment.id: place for place, segment in enumerate(version.segments)}
    for path in dict.fromkeys(segment.path for segment in version.segments):
        segments = [segment for segment in version.segments if segment.path == path]
        taken: Counter[str] = Counter()
        at: dict[tuple[Any, ...], Segment] = {}
        cells = list(_cells(segments, buckets))
        reported = set()
        for cell in cells:
            fitting = [one for one in segments if not one.otherwise and one.when.matches(cell)]
            fitting = fitting or [one for one in segments if one.otherwise]
            taken.update(one.id for one in fitting)
            if fitting:
                at[tuple(cell[name] for name in COLUMNS)] = fitting[0]
            for other in fitting[1:]:
                if (fitting[0].id, other.id) not in reported:
                    reported.add((fitting[0].id, other.id))
                    where = (*key, "segments", place_of[other.id], "when")
                    yield where, f"overlaps segment {fitting[0].id}: both take {_words(cell, segments)}"
        for one in segments:
            if not taken[one.id]:
                rest = "the others leave nothing over" if one.otherwise else "its conditions fit no case"
                yield (
                    (*key, "segments", place_of[one.id], "otherwise" if one.otherwise else "when"),
                    (f"unreachable segment {one.id}: {rest}"),
                )
        if not reported:
            tested = [one for one in NEUTRAL if one[0] in _minded(segments)]
            yield from _pressure(at, cells, tested, key, place_of)


def _cells(segments: Sequence[Segment], buckets: Collection[str]) -> Iterator[Cell]:
    """One case for each combination of values that the segments tell apart; the other columns keep one value."""
    whens = [segment.when for segment in segments]
    bounds = {0} | {when.amount.from_minor for when in whens if when.amount}
    bounds |= {when.amount.below_minor for when in whens if when.amount and when.amount.below_minor is not None}
    products = dict.fromkeys(name for when in whens for name in when.product)
    values: dict[str, Sequence[Any]] = {
        "bucket": tuple(buckets)[1:] or ("",),  # nobody in the first, the current one, has a case
        "amount": sorted(bounds),
        "product": (*products, OTHER),
        "behaviour": BEHAVIOURS,
        "promise": PROMISES,
        "risk_band": RISK_BANDS,
        "contactability": CONTACTABILITIES,
        "vulnerable": (False, True),
        "hold": HOLD_CODES,
    }
    used = _minded(segments)
    axes = [values[name] if name in used else values[name][:1] for name in COLUMNS]
    return (dict(zip(COLUMNS, point, strict=True)) for point in product(*axes))


def _words(cell: Cell, segments: Sequence[Segment]) -> str:
    return ", ".join(f"{name} {cell[name]}" for name in _minded(segments)) or "every case"


def _minded(segments: Sequence[Segment]) -> list[str]:
    """Columns that the segments tell apart."""
    return [name for name in COLUMNS if any(getattr(one.when, name) not in ((), None) for one in segments)]


def _pressure(
    at: Mapping[tuple[Any, ...], Segment],
    cells: Sequence[Cell],
    tested: Sequence[tuple[str, Any]],
    key: Key,
    place_of: Mapping[str, int],
) -> Iterator[Mistake]:
    """A score or a flag may lower the pressure of the case that is otherwise the same, never raise it."""
    compared = set()
    for cell in cells:
        for column, neutral in tested:
            mine = at.get(tuple(cell[name] for name in COLUMNS))
            theirs = at.get(tuple({**cell, column: neutral}[name] for name in COLUMNS))
            pair = (column, mine.id if mine else "", theirs.id if theirs else "")
            if mine is None or mine is theirs or pair in compared:
                continue
            compared.add(pair)
            if theirs is None or presses_harder(mine.resolved, theirs.resolved):
                other = f"segment {theirs.id}" if theirs else "no path"
                yield (
                    (*key, "segments", place_of[mine.id], "when", column),
                    (f"{column} may not raise contacts: {mine.id} has more than {other} for {column} {neutral}"),
                )


def _experiments(version: Version, key: Key) -> Iterator[Mistake]:
    by_id = {segment.id: segment for segment in version.segments}
    for place, experiment in enumerate(version.experiments):
        here = (*key, "experiments", place)
        if unknown := sorted(set(experiment.segments) - set(by_id)):
            yield (*here, "segments"), f"unknown segment {unknown[0]}"
            continue
        if aside := [name for name in experiment.segments if by_id[name].path != "past_due"]:
            yield (*here, "segments"), f"{aside[0]} is on the path {by_id[aside[0]].path}: experiments need past_due"
            continue
        for other in version.experiments[:place]:
            shares = set(other.segments) & set(experiment.segments)
            if shares and other.from_on <= experiment.to_on and experiment.from_on <= other.to_on:
                yield (*here, "segments"), f"{min(shares)} is in experiment {other.id} at the same time"
        if experiment.approval.given_on > experiment.from_on:
            yield (*here, "approval", "given_on"), "approved after it begins"
        yield from _arms(experiment, [by_id[name] for name in experiment.segments], here)


def _arms(experiment: Experiment, segments: Sequence[Segment], here: Key) -> Iterator[Mistake]:
    steps = {step.id for segment in segments for step in segment.steps}
    for number, arm in enumerate(experiment.arms):
        place = (*here, "arms", number)
        if unknown := sorted(arm.named_steps - steps):
            yield place, f"unknown step {unknown[0]}"
        if arm.is_hold_out and arm.named_steps:
            yield place, "a hold-out leaves out optional steps, and nothing else"
        if arm.is_hold_out and not any(step.optional for segment in segments for step in segment.steps):
            yield place, "a hold-out needs optional steps to leave out"
        for segment in segments:
            if presses_harder(arm.path(segment.resolved), segment.resolved):
                yield place, f"arm {arm.id} may not raise contacts above those of segment {segment.id}"
