"""Treatment paths ``include/strategies/<name>.yaml``: segments, their steps, and the experiments run on them.

Belongs here: the file's shape. What only a look over a whole version can find wrong stands in ``strategy_checks``; what
is due on a day, in ``paths``; whether a step may be taken, in ``rules.contact``.
"""

from __future__ import annotations

from datetime import date  # noqa: TC003  pydantic reads it
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from arrears.errors import ConfigurationError
from arrears.kept import kept_value
from arrears.policy.documents import Document, place_of, read_document
from arrears.policy.packs import Channel  # noqa: TC001  pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

Id = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
PATHS = ("past_due", "held", "pre_due", "first_loan")
Path_ = Literal["past_due", "held", "pre_due", "first_loan"]
MADE_BY_PEOPLE = ("call", "visit")
MADE_BY_BOT = ("voice_bot", "voicemail_drop")
# Under these nobody but a supervisor speaks to the person, or nobody may: no path, however gentle.
NEVER_AUTOMATIC = ("self_harm_risk", "deceased", "minor", "missing", "bankruptcy_stay", "attorney_known")
HOLD_OUT_SHARE_PCT = 2
HOLD_OUT_LAST_DAY = 15


class Step(Document):
    """One step of a path.

    Attributes:
        id: Stable: part of the key that keeps a step from being taken twice.
        day: Day on which it is due, counted from the episode's first; with ``after``, from that step's day.
        after: Id of an earlier step of the path.
        repeat_every_days: Due again every so many days; left out: once.
        until_day: Last day on which a repetition may fall.
        catch_up_days: Days after which a step that was blocked every day is given up.
        purpose: What the contact is for.
        channels: Tried in this order.
        who: ``bot`` or ``people`` for what is spoken; ``bot_first``: no person calls where the bot may.
        template: Template of the text or the script.
        content: What the text holds, in the packs' code words: opt_out_notice ...
        optional: A nudge that nobody needs: a hold-out goes without it.
    """

    id: Id
    day: int = Field(ge=-30, le=3650)
    after: Id | None = None
    repeat_every_days: int | None = Field(default=None, ge=1, le=365)
    until_day: int | None = Field(default=None, ge=0)
    catch_up_days: int = Field(default=2, ge=0, le=30)
    purpose: Literal["collection", "reminder", "service"] = "collection"
    channels: tuple[Channel, ...] = Field(min_length=1)
    who: Literal["bot", "people", "bot_first"] | None = None
    template: Id
    content: frozenset[str] = frozenset()
    optional: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Step:
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("each channel once")
        if self.until_day is not None and (self.repeat_every_days is None or self.until_day < self.day):
            raise ValueError("until_day ends a repetition, on or after its first day")
        if self.repeat_every_days is not None and self.catch_up_days >= self.repeat_every_days:
            raise ValueError("catch_up_days is shorter than repeat_every_days")
        bots = [place for place, channel in enumerate(self.channels) if channel in MADE_BY_BOT]
        people = [place for place, channel in enumerate(self.channels) if channel in MADE_BY_PEOPLE]
        if (self.who == "bot" and people) or (self.who == "people" and bots):
            raise ValueError(f"who is {self.who}, and a channel is made by the other")
        if self.who == "bot_first" and not (bots and people and max(bots) < min(people)):
            raise ValueError("who is bot_first: a bot's channel stands before every channel of people")
        return self

    def occurrence_on(self, age_days: int) -> int | None:
        """Number of the latest repetition due by then, from 0; None before the first."""
        if age_days < self.day:
            return None
        if self.repeat_every_days is None:
            return 0
        last = age_days if self.until_day is None else min(age_days, self.until_day)
        return (last - self.day) // self.repeat_every_days

    def day_of(self, occurrence: int) -> int:
        """Day on which that repetition is due."""
        return self.day + occurrence * (self.repeat_every_days or 0)


class Amounts(Document):
    """A half-open range of past-due amounts in minor units."""

    from_minor: Annotated[int, Field(alias="from", ge=0)] = 0
    below_minor: Annotated[int | None, Field(alias="below", ge=1)] = None


class When(Document):
    """What a case has to be for a segment; left out: anything. These columns and no others may steer contact.

    Attributes:
        bucket: Bucket it is worked in.
        amount: Past-due amount that is worked.
        product: Product of its worked loans.
        behaviour: As in ``rules.traits``.
        promise: As in ``rules.traits``; a broken one may only lower the pressure.
        risk_band: As in ``rules.traits``; it may only lower the pressure of the band ``medium``.
        contactability: As in ``rules.traits``.
        vulnerable: Whether a flag says so; it may only lower the pressure.
        hold: Of the path ``held``: why the case is held.
    """

    bucket: tuple[str, ...] = ()
    amount: Amounts | None = None
    product: tuple[str, ...] = ()
    behaviour: tuple[Literal["cured_and_back", "first_payment_default", "habitual_late", "new", "regular"], ...] = ()
    promise: tuple[Literal["none", "recently_broken"], ...] = ()
    risk_band: tuple[Literal["low", "medium", "high"], ...] = ()
    contactability: tuple[Literal["reached", "unreached", "no_point"], ...] = ()
    vulnerable: bool | None = None
    hold: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _allowed(cls, given: Any) -> Any:  # noqa: ANN401  YAML values
        if isinstance(given, dict) and (others := sorted(set(given) - set(cls.model_fields))):
            allowed = ", ".join(cls.model_fields)
            raise ValueError(f"{', '.join(others)}: may not steer contact; the columns that may are {allowed}")
        return given

    def matches(self, case: Mapping[str, Any]) -> bool:
        """Whether a case fits; ``case`` holds the columns by their names here, ``amount`` in minor units."""
        if self.amount is not None:
            below = self.amount.below_minor
            if case["amount"] < self.amount.from_minor or (below is not None and case["amount"] >= below):
                return False
        if self.vulnerable is not None and case["vulnerable"] != self.vulnerable:
            return False
        listed = ("bucket", "product", "behaviour", "promise", "risk_band", "contactability", "hold")
        return all(not getattr(self, name) or case[name] in getattr(self, name) for name in listed)


class Segment(Document):
    """Cases of one kind and their path.

    Attributes:
        id: Stable name.
        path: What it counts from: ``past_due`` and ``held``, the case's opening; ``pre_due``, the due date (its days
            are -30 to 0); ``first_loan``, the disbursement of a borrower's first loan.
        when: What a case has to be.
        otherwise: For every case of the path that no other segment takes.
        stop_after_contacts: Contacts of an episode after which the path is over.
        stop_after_day: Day after which it is over.
        steps: The steps.
    """

    id: Id
    path: Path_ = "past_due"
    when: When = When()
    otherwise: bool = False
    stop_after_contacts: int | None = Field(default=None, ge=1)
    stop_after_day: int | None = Field(default=None, ge=0)
    steps: tuple[Step, ...] = Field(min_length=1)

    @cached_property
    def resolved(self) -> tuple[Step, ...]:
        """The steps with their own days, what they follow counted out; ``strategy_checks`` has refused cycles."""
        by_id = {step.id: step for step in self.steps}

        def day_of(step: Step) -> int:
            return step.day if step.after is None else step.day + day_of(by_id[step.after])

        return tuple(step.model_copy(update={"day": day_of(step), "after": None}) for step in self.steps)

    def is_over(self, *, age_days: int, contacts: int) -> bool:
        """Whether a stop condition has come true."""
        is_late = self.stop_after_day is not None and age_days > self.stop_after_day
        return is_late or (self.stop_after_contacts is not None and contacts >= self.stop_after_contacts)


class Arm(Document):
    """One arm of an experiment: the segment's path, with less of it, or otherwise.

    Attributes:
        id: Stable name; ``champion`` is the path as it stands.
        share_pct: Share of the people, in percent.
        is_hold_out: Goes without the optional steps until 15 days past due.
        skip: Steps left out.
        channels: Other channels by step.
        template: Another template by step.
        later_days: Days by which a step is later.
    """

    id: Id
    share_pct: int = Field(ge=1, le=100)
    is_hold_out: bool = False
    skip: tuple[Id, ...] = ()
    channels: dict[Id, tuple[Channel, ...]] = Field(default_factory=dict)
    template: dict[Id, Id] = Field(default_factory=dict)
    later_days: dict[Id, Annotated[int, Field(ge=1, le=60)]] = Field(default_factory=dict)

    @property
    def named_steps(self) -> set[str]:
        """Steps it speaks of."""
        return {*self.skip, *self.channels, *self.template, *self.later_days}

    def path(self, steps: Collection[Step], *, past_due_days: int = 0) -> tuple[Step, ...]:
        """The path as this arm takes it."""
        is_spared = self.is_hold_out and past_due_days < HOLD_OUT_LAST_DAY
        return tuple(
            self._changed(step) for step in steps if step.id not in self.skip and not (is_spared and step.optional)
        )

    def _changed(self, step: Step) -> Step:
        return step.model_copy(
            update={
                "channels": self.channels.get(step.id, step.channels),
                "template": self.template.get(step.id, step.template),
                "day": step.day + self.later_days.get(step.id, 0),
            }
        )


class GuardRails(Document):
    """Bounds of an arm, in events per 1,000 people of it, or contacts per cured case; left out: none."""

    complaints_per_1000: int | None = Field(default=None, ge=0)
    opt_outs_per_1000: int | None = Field(default=None, ge=0)
    contacts_per_cured: int | None = Field(default=None, ge=1)
    after_people: int = Field(default=100, ge=1)


class Approval(Document):
    """Who allowed an experiment, by office, and where that is on record."""

    office: str = Field(min_length=2)
    given_on: date
    reference: str = Field(min_length=2)


class Experiment(Document):
    """A comparison of arms over some segments.

    Attributes:
        id: Stable: the hash that chooses arms is keyed with it.
        segments: Segments whose people take part.
        from_on: First business date on which people enter.
        to_on: Last one on which arms differ.
        approval: Who allowed it.
        guard_rails: Bounds.
        stop_on_breach: Whether an arm that breaks one goes on as champion from the next day.
        arms: The champion first.
    """

    id: Id
    segments: tuple[Id, ...] = Field(min_length=1)
    from_on: Annotated[date, Field(alias="from")]
    to_on: Annotated[date, Field(alias="to")]
    approval: Approval
    guard_rails: GuardRails = GuardRails()
    stop_on_breach: bool = True
    arms: tuple[Arm, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _consistent(self) -> Experiment:
        if self.to_on < self.from_on:
            raise ValueError("to: not before from")
        if len({arm.id for arm in self.arms}) != len(self.arms):
            raise ValueError("arm ids differ")
        champion = self.arms[0]
        if champion.id != "champion" or champion.named_steps or champion.is_hold_out:
            raise ValueError("the first arm is `champion`: the path as it stands")
        if sum(arm.share_pct for arm in self.arms) != 100:  # noqa: PLR2004  percent
            raise ValueError("shares sum to 100")
        if sum(arm.share_pct for arm in self.arms if arm.is_hold_out) > HOLD_OUT_SHARE_PCT:
            raise ValueError(f"a hold-out has at most {HOLD_OUT_SHARE_PCT} % of the people")
        return self

    def is_on(self, day: date) -> bool:
        """Whether arms differ on that date."""
        return self.from_on <= day <= self.to_on


class Version(Document):
    """A strategy from a date on."""

    version: int = Field(ge=1)
    valid_from: date
    segments: tuple[Segment, ...] = Field(min_length=1)
    experiments: tuple[Experiment, ...] = ()

    def of_path(self, path: str) -> tuple[Segment, ...]:
        """The segments of a path, ``otherwise`` last."""
        return tuple(sorted((one for one in self.segments if one.path == path), key=lambda one: one.otherwise))

    def segment_of(self, path: str, case: Mapping[str, Any]) -> Segment | None:
        """The one segment that takes a case; None where nobody says anything about it."""
        return next((one for one in self.of_path(path) if one.otherwise or one.when.matches(case)), None)

    def experiment_of(self, segment_id: str, day: date) -> Experiment | None:
        """The experiment that runs over a segment on a date; a segment is in one at a time."""
        return next((one for one in self.experiments if segment_id in one.segments and one.is_on(day)), None)


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


def load_strategy(
    name: str, folder: Path, buckets: Collection[str], *, templates: Collection[str] | None = None
) -> Strategy:
    """Read one strategy file; a process that runs many jobs reads it once.

    Args:
        name: File name without suffix.
        folder: Where it is.
        buckets: The portfolio's bucket codes.
        templates: Templates there are in the portfolio's language; None: nobody knows here.

    Raises:
        ConfigurationError: Anything in it is wrong; each mistake is named with file, line and key.
    """
    asked = name, folder, frozenset(buckets), None if templates is None else frozenset(templates)
    return kept_value(
        ("strategy", *asked), lambda: read_strategy(folder / f"{name}.yaml", buckets, templates=templates)
    )


def read_strategy(path: Path, buckets: Collection[str], *, templates: Collection[str] | None = None) -> Strategy:
    """Read one strategy file, wherever it is; arguments and refusals as with ``load_strategy``."""
    from arrears.contact.strategy_checks import mistakes_of  # noqa: PLC0415  it checks what stands here

    strategy = read_document(path, Strategy)
    if strategy.strategy != path.stem:
        raise ConfigurationError(f"strategy {strategy.strategy!r}", f"the file's name {path.stem!r}", path.name)
    mistakes = mistakes_of(strategy, buckets, templates)
    if mistakes:
        found = "; ".join(f"{place_of(path, key)}: {words}" for key, words in mistakes)
        raise ConfigurationError(found, "a strategy as documented", path.name)
    return strategy
