"""The experiments of a day: who enters which arm, how the arms stand, and which have stopped.

Belongs here: the part of the job ``plan`` that writes ``core__experiment_arm_daily`` and ``out__experiment_daily``, and
the report over them. The arithmetic stands in ``rules.experiments``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.contact.coding import TEXT, table_of
from arrears.contact.strategy import load_strategy
from arrears.jobs.day import Day
from arrears.jobs.previous import read_previous
from arrears.jobs.rows import read_rows, write_rows
from arrears.rules.experiments import CHAMPION, MISMATCH_PPM, Counts, arm_of, breached, effect, mismatch_ppm
from arrears.rules.hours import day_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from arrears.contact.strategy import Arm, Experiment, Version
    from arrears.jobs.day import Work
    from arrears.settings import Settings

Row = dict[str, Any]
ENTERED = pa.schema([("experiment_id", TEXT), ("person_id", TEXT), ("arm_code", TEXT)])


@dataclass
class Arms:
    """Who is in which arm today.

    Attributes:
        day: The business date.
        version: The strategy in force.
        key: Secret that the hash is keyed with.
        before: Arm by experiment and person, of everybody who entered on a day before.
        stopped: Since when an arm goes on as champion, by experiment and arm.
        entered: Who is met today, with the arm by experiment.
    """

    day: date
    version: Version
    key: bytes
    before: Mapping[tuple[str, str], str] = field(default_factory=dict)
    stopped: Mapping[tuple[str, str], date] = field(default_factory=dict)
    entered: dict[tuple[str, str], str] = field(default_factory=dict)

    def of(self, row: Row, segment_id: str) -> Arm | None:
        """The arm of a case; None where no experiment runs, and for people who need care: those are in none.

        Without a key nobody enters: who is in no arm has the path as it stands, which harms nobody.
        """
        experiment = self.version.experiment_of(segment_id, self.day)
        if experiment is None or row["is_vulnerable"] or not self.key:
            return None
        person = row["person_id"] or row["borrower_id"]
        arm_code = self.before.get((experiment.id, person)) or self._chosen(experiment, person)
        self.entered[experiment.id, person] = arm_code
        if (experiment.id, arm_code) in self.stopped:
            arm_code = CHAMPION
        return next((arm for arm in experiment.arms if arm.id == arm_code), experiment.arms[0])

    def label(self, segment_id: str, arm: Arm) -> str:
        """Experiment and arm, as the plan shows them."""
        experiment = self.version.experiment_of(segment_id, self.day)
        return f"{experiment.id}/{arm.id}" if experiment else ""

    def _chosen(self, experiment: Experiment, person: str) -> str:
        return arm_of(self.key, experiment.id, person, [(arm.id, arm.share_pct) for arm in experiment.arms])


def read_arms(day: Day, work: Work, version: Version, compared_with: date | None) -> Arms:
    """The arms as the day before left them.

    Args:
        day: The day.
        work: Its connection; ``previous__arm`` and ``previous__experiment`` are made.
        version: The strategy in force.
        compared_with: The day before; None on the first.
    """
    read_previous(work, "core__experiment_arm_daily", compared_with, view="previous__arm")
    read_previous(work, "out__experiment_daily", compared_with, view="previous__experiment")
    known = work.connection.execute("SELECT experiment_id, person_id, arm_code FROM previous__arm").fetchall()
    stops = work.connection.execute(
        "SELECT experiment_id, arm_code, stopped_on FROM previous__experiment WHERE stopped_on IS NOT NULL"
    ).fetchall()
    return Arms(
        day=day.business_date,
        version=version,
        key=day.settings.experiment_secret,
        before={(experiment, person): arm for experiment, person, arm in known},
        stopped={(experiment, arm): since for experiment, arm, since in stops},
    )


def write_experiments(day: Day, work: Work, arms: Arms) -> None:
    """Write who is in which arm, and how the arms stand by now."""
    entered = [(experiment, person, arm) for (experiment, person), arm in sorted(arms.entered.items())]
    work.connection.register("arm_entered", table_of(ENTERED, entered))
    start, end = day_bounds(day.business_date, day.folder.portfolio.zone)
    work.write("core__experiment_arm_daily", {"day_start": start, "day_end": end})
    work.read("core__experiment_arm_daily")
    counted = {(row["experiment_id"], row["arm_code"]): row for row in read_rows(work, "read__experiment_arm")}
    rows = [
        _standing(arms, experiment, arm, counted)
        for experiment in arms.version.experiments
        if experiment.from_on <= day.business_date
        for arm in experiment.arms
    ]
    write_rows(work, "out__experiment_daily", rows)


NOBODY = {"people": 0, "cured_people": 0, "contacts": 0, "complaints": 0, "opt_outs": 0}


def _standing(arms: Arms, experiment: Experiment, arm: Arm, counted: Mapping[tuple[str, str], Row]) -> Row:
    sizes = {one.id: counted.get((experiment.id, one.id), NOBODY)["people"] for one in experiment.arms}
    mine = {name: counted.get((experiment.id, arm.id), NOBODY)[name] for name in NOBODY}
    rails = experiment.guard_rails
    broken = breached(
        Counts(mine["people"], mine["cured_people"], mine["contacts"], mine["complaints"], mine["opt_outs"]),
        complaints_per_1000=rails.complaints_per_1000,
        opt_outs_per_1000=rails.opt_outs_per_1000,
        contacts_per_cured=rails.contacts_per_cured,
        after_people=rails.after_people,
    )
    since = arms.stopped.get((experiment.id, arm.id))
    if since is None and broken and experiment.stop_on_breach and arm.id != CHAMPION:
        since = arms.day
    return {
        "experiment_id": experiment.id,
        "arm_code": arm.id,
        "share_pct": arm.share_pct,
        **mine,
        "mismatch_ppm": mismatch_ppm(sizes, {one.id: one.share_pct for one in experiment.arms}),
        "breached": ",".join(broken),
        "stopped_on": since,
    }


def experiment_report(portfolio: str, business_date: date, *, settings: Settings | None = None) -> list[Row]:
    """How the arms of a date stand, each with its effect on the cure rate against the champion.

    An effect is said only where the arm sizes fit their shares: a mismatch means that something removes people from an
    arm, and then no difference can be read.

    Raises:
        PartitionMissingError: The date is not planned.
    """
    day = Day.open(portfolio, business_date, settings=settings)
    with day.work() as work:
        work.read("out__experiment_daily")
        table: Any = work.connection.sql("FROM out__experiment_daily ORDER BY experiment_id, arm_code").to_arrow_table()
    rows: Sequence[Row] = table.to_pylist()
    champions = {row["experiment_id"]: row for row in rows if row["arm_code"] == CHAMPION}
    return [_reported(row, champions[row["experiment_id"]]) for row in rows]


def _reported(row: Row, champion: Row) -> Row:
    shown = {name: row[name] for name in row if name not in ("portfolio", "business_date")}
    if not champion["people"]:
        return {**shown, "effect": "nobody is in it: no case yet, or no ARREARS_EXPERIMENT_KEY"}
    if row["mismatch_ppm"] < MISMATCH_PPM:
        return {**shown, "effect": f"not readable: arm sizes do not fit their shares ({row['mismatch_ppm']} ppm)"}
    if row is champion or not row["people"]:
        return {**shown, "effect": ""}
    found = effect(Counts(row["people"], row["cured_people"]), Counts(champion["people"], champion["cured_people"]))
    points = [100 * value for value in (found.difference, found.low, found.high)]
    return {**shown, "effect": "{:+.1f} points of cure rate, 95 % interval {:+.1f} to {:+.1f}".format(*points)}


def strategy_of(day: Day) -> Version:
    """The version of the portfolio's strategy that is in force on the day.

    Raises:
        ConfigurationError: The strategy is wrong, or none is in force.
    """
    configured = day.folder.portfolio
    buckets = [bucket.code for bucket in configured.bucket_set]
    return load_strategy(configured.strategy, day.settings.strategies, buckets).on(day.business_date)
