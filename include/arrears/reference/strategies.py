"""The page of strategies: segments, their paths step by step, and the experiments run on them, as the files say."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from arrears.contact.paths import contact_days
from arrears.contact.strategy import Strategy
from arrears.policy.documents import read_document
from arrears.settings import INCLUDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arrears.contact.strategy import Arm, Experiment, Segment, Step, Version, When

FOLDER = INCLUDE / "strategies"
YEAR = 365
INTRODUCTION = """\
What is done for whom, and when: the files of `include/strategies`, as they are read. How to change one: \
[docs/how-to/strategies.md](../how-to/strategies.md). Days count from what the path says; a step that no channel \
allows on its day is due again, as the same step, for some days.
"""
COUNTS_FROM = {
    "past_due": "the case's opening",
    "held": "the hold",
    "pre_due": "the due date",
    "first_loan": "the disbursement of a first loan",
}


def pages() -> dict[str, str]:
    """``strategies.md``."""
    found = [read_document(path, Strategy) for path in sorted(FOLDER.glob("*.yaml"))]
    lines = ["# Strategies", "", INTRODUCTION, *(line for one in found for line in _strategy(one))]
    return {"strategies.md": "\n".join(lines)}


def _strategy(strategy: Strategy) -> Iterator[str]:
    yield f"## {strategy.strategy}\n"
    yield f"{strategy.title}.\n"
    for version in strategy.versions:
        yield f"### {strategy.strategy}, version {version.version}, from {version.valid_from}\n"
        yield from _version(version)


def _version(version: Version) -> Iterator[str]:
    for segment in version.segments:
        yield f"**{segment.id}**: {_who(segment)}; days from {COUNTS_FROM[segment.path]}. {_pressure(segment)}\n"
        yield "| day | step | purpose | channels, in order | template | due again for |"
        yield "|---|---|---|---|---|---|"
        yield from (_step(step) for step in segment.resolved)
        yield ""
    for experiment in version.experiments:
        yield from _experiment(experiment)


def _who(segment: Segment) -> str:
    if segment.otherwise:
        return "everybody else"
    return _when(segment.when) or "everybody"


def _when(when: When) -> str:
    said = []
    for name, value in when.model_dump(exclude_none=True, by_alias=True).items():
        if name == "amount":
            above = f"from {value['from']}" if value.get("from") else ""
            below = f"below {value['below']}" if value.get("below") else ""
            said.append(" ".join(filter(None, ("amount", above, below))))
        elif name == "vulnerable":
            said.append("needs care" if value else "no sign of need for care")
        elif value:
            said.append(f"{name.replace('_', ' ')} {' or '.join(value)}")
    return ", ".join(said)


def _pressure(segment: Segment) -> str:
    """How many contacts there may be at most: the figure that an arm, a score or a flag may not raise."""
    days = contact_days(segment.resolved)
    most = f"At most {sum(day <= days[0] + YEAR for day in days)} contacts in its first year"
    gaps = [later - earlier for earlier, later in pairwise(days)]
    return f"{most}, {min(gaps)} days or more apart." if gaps else f"{most}."


def _step(step: Step) -> str:
    again = ""
    if step.repeat_every_days is not None:
        last = f" to {step.until_day}" if step.until_day is not None else ""
        again = f", then every {step.repeat_every_days}{last}"
    spoken = f" ({step.who.replace('_', ' ')})" if step.who else ""
    optional = " (optional)" if step.optional else ""
    channels = f"{', '.join(step.channels)}{spoken}"
    cells = (f"{step.day}{again}", f"`{step.id}`{optional}", step.purpose, channels, f"`{step.template}`")
    return f"| {' | '.join(cells)} | {step.catch_up_days} days |"


def _experiment(experiment: Experiment) -> Iterator[str]:
    approval, rails = experiment.approval, experiment.guard_rails
    bounds = [
        f"{value} {name.replace('_', ' ')}"
        for name, value in rails.model_dump(exclude_none=True).items()
        if name != "after_people"
    ]
    stops = "; an arm that breaks one goes on as champion" if experiment.stop_on_breach else ""
    yield (
        f"Experiment **{experiment.id}** over {', '.join(experiment.segments)}, {experiment.from_on} to "
        f"{experiment.to_on}. Approved: {approval.office}, {approval.given_on}, {approval.reference}. Guard rails, "
        f"once an arm has {rails.after_people} people: {', '.join(bounds) or 'none'}{stops}.\n"
    )
    yield "| arm | share | differs in |"
    yield "|---|---|---|"
    yield from (f"| `{arm.id}` | {arm.share_pct} % | {_differs(arm)} |" for arm in experiment.arms)
    yield ""


def _differs(arm: Arm) -> str:
    said = ["goes without optional steps until 15 days past due"] if arm.is_hold_out else []
    said += [f"without `{step}`" for step in arm.skip]
    said += [f"`{step}` by {', '.join(channels)}" for step, channels in arm.channels.items()]
    said += [f"`{step}` says `{template}`" for step, template in arm.template.items()]
    said += [f"`{step}` {days} days later" for step, days in arm.later_days.items()]
    return "; ".join(said) or "nothing"
