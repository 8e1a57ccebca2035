"""Treatment paths ``include/strategies/<name>.yaml``: which step a case is due today.

Belongs here: the file's shape and the pure rule of what is due. Whether a step may be taken stands in
``rules.contact``; which channel of it is, in ``plan``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date  # noqa: TC003  pydantic reads it
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator

from arrears.errors import ConfigurationError
from arrears.policy.documents import Document, read_document
from arrears.policy.packs import Channel  # noqa: TC001  pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


class Step(Document):
    """One step of a path.

    Attributes:
        id: Stable: part of the key that keeps a step from being taken twice.
        buckets: Buckets of the case it is for; left out: all.
        day: Days since the case opened on which it is due.
        repeat_every_days: Due again every so many days; left out: once.
        until_day: Last day of the case on which a repetition may fall.
        catch_up_days: Days after which a step that was blocked every day is given up.
        purpose: What the contact is for.
        channels: Tried in this order.
        template: Template of the text or the script.
        content: What the text holds, in the packs' code words: opt_out_notice ...
    """

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    buckets: tuple[str, ...] = ()
    day: int = Field(ge=0, le=3650)
    repeat_every_days: int | None = Field(default=None, ge=1, le=365)
    until_day: int | None = Field(default=None, ge=0)
    catch_up_days: int = Field(default=2, ge=0, le=30)
    purpose: Literal["collection", "reminder", "service"] = "collection"
    channels: tuple[Channel, ...] = Field(min_length=1)
    template: str = Field(pattern=r"^[a-z0-9_]+$")
    content: frozenset[str] = frozenset()

    @model_validator(mode="after")
    def _consistent(self) -> Step:
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("each channel once")
        if self.until_day is not None and (self.repeat_every_days is None or self.until_day < self.day):
            raise ValueError("until_day ends a repetition, on or after its first day")
        if self.repeat_every_days is not None and self.catch_up_days >= self.repeat_every_days:
            raise ValueError("catch_up_days is shorter than repeat_every_days")
        return self

    def occurrence_on(self, case_age_days: int) -> int | None:
        """Number of the latest repetition due by then, from 0; None before the first."""
        if case_age_days < self.day:
            return None
        if self.repeat_every_days is None:
            return 0
        last = case_age_days if self.until_day is None else min(case_age_days, self.until_day)
        return (last - self.day) // self.repeat_every_days

    def day_of(self, occurrence: int) -> int:
        """Day of the case on which that repetition is due."""
        return self.day + occurrence * (self.repeat_every_days or 0)


class Version(Document):
    """A strategy from a date on."""

    version: int = Field(ge=1)
    valid_from: date
    steps: tuple[Step, ...] = Field(min_length=1)

    @field_validator("steps")
    @classmethod
    def _distinct(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        ids = [step.id for step in steps]
        if len(set(ids)) != len(ids):
            raise ValueError("step ids differ")
        for index, step in enumerate(steps):
            for other in steps[:index]:
                shares = not step.buckets or not other.buckets or set(step.buckets) & set(other.buckets)
                if step.day == other.day and shares:
                    raise ValueError(f"steps {other.id} and {step.id} fall on one day of one bucket")
        return steps


class Strategy(Document):
    """One strategy file: its versions, oldest first."""

    strategy: str
    title: str = Field(min_length=1)
    versions: tuple[Version, ...] = Field(min_length=1)

    @field_validator("versions")
    @classmethod
    def _in_order(cls, versions: tuple[Version, ...]) -> tuple[Version, ...]:
        for earlier, later in pairwise(versions):
            if later.version <= earlier.version or later.valid_from <= earlier.valid_from:
                raise ValueError("versions rise, each valid from a later date")
        return versions

    def on(self, day: date) -> Version:
        """The version in force on a date.

        Raises:
            ConfigurationError: The date is before the first version.
        """
        in_force = [version for version in self.versions if version.valid_from <= day]
        if not in_force:
            raise ConfigurationError(
                f"no version in force on {day}", f"a version valid from {day} or earlier", f"{self.strategy}.yaml"
            )
        return in_force[-1]


@dataclass(frozen=True)
class DueStep:
    """The step a case is due, and its key."""

    step: Step
    occurrence: int
    step_key: str


def load_strategy(name: str, folder: Path, buckets: Collection[str]) -> Strategy:
    """Read one strategy file.

    Args:
        name: File name without suffix.
        folder: Where it is.
        buckets: The portfolio's bucket codes.

    Raises:
        ConfigurationError: Anything in it is wrong, or a step names a bucket the portfolio does not have.
    """
    strategy = read_document(folder / f"{name}.yaml", Strategy)
    if strategy.strategy != name:
        raise ConfigurationError(f"strategy {strategy.strategy!r}", f"the file's name {name!r}", f"{name}.yaml")
    named = {bucket for version in strategy.versions for step in version.steps for bucket in step.buckets}
    if unknown := named - set(buckets):
        raise ConfigurationError(
            f"steps name buckets {sorted(unknown)}", f"buckets of the portfolio: {sorted(buckets)}", f"{name}.yaml"
        )
    return strategy


def step_key_of(person: str, case_id: str, step_id: str, occurrence: int) -> str:
    """The key under which a step is taken at most once: never of date, channel, run or version."""
    return hashlib.sha256(f"{person}|{case_id}|{step_id}|{occurrence}".encode()).hexdigest()


def step_due(  # noqa: PLR0913  a case is its parts
    version: Version, *, bucket: str, case_age_days: int, person: str, case_id: str, blocked_key: str | None
) -> DueStep | None:
    """The step due today, or None.

    A step is due on its day. One that was blocked the day before is due again, with the same key, for
    ``catch_up_days``, unless another falls on today; of two that fall on today the later one of the path goes.

    Args:
        version: The path.
        bucket: Bucket the case is worked in.
        case_age_days: Days since the case opened.
        person: person_id, or borrower_id where the source does not say.
        case_id: The case.
        blocked_key: Key of the step that the day before planned and found blocked on every channel.

    Source:
        ARR-STR-01.
    """
    waiting = None
    for step in sorted(version.steps, key=lambda step: -step.day):
        occurrence = step.occurrence_on(case_age_days)
        if occurrence is None or (step.buckets and bucket not in step.buckets):
            continue
        late_days = case_age_days - step.day_of(occurrence)
        if late_days > step.catch_up_days:
            continue
        due = DueStep(step, occurrence, step_key_of(person, case_id, step.id, occurrence))
        if late_days == 0:
            return due
        if due.step_key == blocked_key:
            waiting = due
    return waiting
