"""A portfolio as a folder: ``portfolio.yaml``, typed and validated, and one SELECT per ledger table.

Belongs here: the shape of the configuration and its readable mistakes. It runs nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from arrears.contracts.ledger import LEDGER
from arrears.errors import ConfigurationError, PortfolioUnknownError, TimeZoneRefusedError
from arrears.policy.documents import Document, read_document
from arrears.rules.ageing import Terms
from arrears.rules.allocation import Waterfall, Waterfalls
from arrears.rules.bucket_sets import NAMED
from arrears.rules.buckets import Bucket, check_buckets
from arrears.rules.business_dates import BusinessDates
from arrears.rules.departure import Limits
from arrears.rules.materiality import Materiality
from arrears.settings import ENVIRONMENT_FILE, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from arrears.settings import Settings

NAME = re.compile(r"^[a-z][a-z0-9_]{1,40}$")
Component = Literal["principal", "interest", "fee", "penalty"]


def _from_repository(folder: str) -> str:
    """A relative path begins at the repository, as the lake's does, wherever the process was started."""
    return folder if "://" in folder else str(REPOSITORY / folder)


def dated(name: str, dates: Mapping[str, date]) -> str:
    """A file name or glob with its dates."""
    return name.format(**dates)


def is_dated(name: str) -> bool:
    """Whether a date stands in it: another day's file has another name."""
    return re.search(r"\{(business|closing)_date\b", name) is not None


def _with_known_dates(name: str) -> str:
    try:
        dated(name, {"business_date": date.min, "closing_date": date.min})
    except (LookupError, ValueError, AttributeError):
        raise ValueError("{business_date} and {closing_date} are the only names in braces") from None
    return name


Folder = Annotated[str, Field(min_length=1), AfterValidator(_from_repository)]
DatedName = Annotated[str, Field(min_length=1), AfterValidator(_with_known_dates)]


def _each_once(order: tuple[Component, ...]) -> tuple[Component, ...]:
    if len(set(order)) != len(order):
        raise ValueError("each of penalty, fee, interest, principal exactly once")
    return order


ComponentOrder = Annotated[tuple[Component, Component, Component, Component], AfterValidator(_each_once)]
PaymentKind = Literal["repayment", "waiver", "goodwill_credit", "merchant_refund", "payout_refund"]


class Allocation(Document):
    """How payments are spread where one component order does not say it all.

    Attributes:
        past_due: Component order for instalments due before the payment; left out: ``allocation_order``.
        due: For those due on its date.
        in_advance: For later ones.
        processing: ``horizontal``: an instalment before the next; ``vertical``: a component before the next.
        prepays: Which later instalment is paid in advance.
    """

    past_due: ComponentOrder | None = None
    due: ComponentOrder | None = None
    in_advance: ComponentOrder | None = None
    processing: Literal["horizontal", "vertical"] = "horizontal"
    prepays: Literal["next", "last", "reamortise"] = "next"

    def waterfall(self, order: tuple[str, ...]) -> Waterfall:
        """As a rule value; ``order`` stands where it says nothing."""
        return Waterfall(
            self.past_due or order, self.due or order, self.in_advance or order, self.processing, self.prepays
        )


class MaterialityRow(Document):
    """Above which amount a loan's arrears are material: both thresholds.

    Attributes:
        minor: Amount.
        bps: Share of the outstanding principal, in basis points (100 = 1 %).
    """

    minor: int = Field(default=0, ge=0)
    bps: int = Field(default=0, ge=0, le=10_000)


class Ageing(Document):
    """How this portfolio counts days.

    Attributes:
        convention: ``elapsed`` (due yesterday = 1 day today), ``inclusive`` (the due date is day 1), ``months_ots`` or
            ``months_mba`` (30 days for each month that is over).
        grace_days: Days of grace before delinquent_days, unless the loan has its own.
        grace: ``subtract`` takes them off; ``threshold`` forgives up to them and counts in full past them.
        tolerance_minor: Cumulative shortfall up to which a loan counts as paid.
        full_payment_pct: Share of an instalment that passes for all of it; 90 by the rule of that name.
        materiality: Thresholds of ``material_days``; without them it is not available.
        allocation_order: Component order inside one instalment; the oldest instalment first.
        allocation: What else there is to say of how payments are spread.
        allocation_by_kind: The same for single kinds of payment.
    """

    convention: Literal["elapsed", "inclusive", "months_ots", "months_mba"] = "elapsed"
    grace_days: int = Field(default=0, ge=0, le=365)
    grace: Literal["subtract", "threshold"] = "subtract"
    tolerance_minor: int = Field(default=0, ge=0)
    full_payment_pct: int = Field(default=100, ge=50, le=100)
    materiality: MaterialityRow | None = None
    allocation_order: ComponentOrder = ("penalty", "fee", "interest", "principal")
    allocation: Allocation = Allocation()
    allocation_by_kind: dict[PaymentKind, Allocation] = Field(default_factory=dict)

    @property
    def waterfalls(self) -> Waterfalls:
        """How payments are spread, as a rule value."""
        kinds: dict[str, Waterfall] = {
            kind: each.waterfall(self.allocation_order) for kind, each in self.allocation_by_kind.items()
        }
        return Waterfalls(self.allocation.waterfall(self.allocation_order), kinds)

    @property
    def terms(self) -> Terms:
        """The whole day count, as a rule value."""
        given = self.materiality
        return Terms(
            self.convention,
            self.grace_days,
            self.tolerance_minor,
            self.waterfalls,
            self.grace,
            self.full_payment_pct,
            None if given is None else Materiality(given.minor, given.bps),
        )


class TieOut(Document):
    """How far the source's own figures may be from ours before contact about the loan stops.

    Attributes:
        tolerance_days: Of days past due.
        tolerance_minor: Of the past-due amount and the payoff.
    """

    tolerance_days: int = Field(default=0, ge=0)
    tolerance_minor: int = Field(default=0, ge=0)


class CaseTerms(Document):
    """How long a cure is looked after.

    Attributes:
        reopen_days: Arrears back within so many days of a cure or relief re-open the same case.
        watch_days: Days after a cure, a relief or a new schedule in which arrears count as back again.
    """

    reopen_days: int = Field(default=30, ge=0, le=365)
    watch_days: int = Field(default=90, ge=0, le=730)

    @model_validator(mode="after")
    def _watched_while_reopened(self) -> CaseTerms:
        if self.watch_days < self.reopen_days:
            raise ValueError("watch_days: not shorter than reopen_days")
        return self


class Approval(Document):
    """When a person is asked before a day's plan is sent; the figures are those of ``rules.departure.Limits``.

    Attributes:
        enabled: Whether anybody is asked at all.
        min_days: Days of history without which figures are not compared.
        volume_pct: By how much more than the median of a channel, or how many times fewer.
        volume_floor: Differences of fewer contacts are never a departure.
        blocked_points: Percentage points of the blocked share.
        overdue_pct: Percent of the loans past due on the day before.
    """

    enabled: bool = True
    min_days: int = Field(default=5, ge=1, le=28)
    volume_pct: float = Field(default=100, gt=0)
    volume_floor: int = Field(default=50, ge=0)
    blocked_points: float = Field(default=30, ge=0, le=100)
    overdue_pct: float = Field(default=30, ge=0)

    @property
    def limits(self) -> Limits | None:
        """As a rule value; None when nobody is asked."""
        return Limits(**self.model_dump(exclude={"enabled"})) if self.enabled else None


class Quality(Document):
    """How far a day's ledger may be from the last eight same weekdays.

    Attributes:
        min_days: Known days of those eight without which nothing is compared.
        volume_pct: Percent by which rows or sums may differ from the median before it is told.
        stop_below_pct: A table that every portfolio delivers with fewer rows than this share of the median stops the
            day: who has paid would be asked to.
        floor_rows: Differences of fewer are never told.
        lag_days: Days that the newest transaction may be older than usual.
    """

    min_days: int = Field(default=3, ge=1, le=8)
    volume_pct: int = Field(default=30, ge=1)
    stop_below_pct: int = Field(default=50, ge=0, le=100)
    floor_rows: int = Field(default=20, ge=0)
    lag_days: int = Field(default=2, ge=0)


class Promises(Document):
    """When a promise to pay is kept.

    Attributes:
        tolerance_minor: Shortfall of a promised amount up to which it is kept.
        grace_days: Days after the promised one in which money still counts.
    """

    tolerance_minor: int = Field(default=0, ge=0)
    grace_days: int = Field(default=0, ge=0, le=31)


class AssignmentTerms(Document):
    """How cases are given to agents.

    Attributes:
        soft_capacity_pct: Share of an agent's minutes, in percent, that is given before anybody is given more.
        stale_days: Days without a conversation after which a case goes to another agent, if one has room.
        overflow_queue: Queue, worked by machines, for what nobody has room for; left out: it waits.
        supervisor_queue: Queue of cases that no machine and no agent may work.
    """

    soft_capacity_pct: int = Field(default=90, ge=1, le=100)
    stale_days: int = Field(default=14, ge=1, le=365)
    overflow_queue: str | None = None
    supervisor_queue: str = Field(default="supervisor", min_length=1)


class BucketRow(Document):
    """One bucket: inclusive bounds in days; ``to`` is left out in the last."""

    code: str = Field(min_length=1, max_length=16)
    from_days: Annotated[int, Field(alias="from", ge=0)]
    to_days: Annotated[int | None, Field(alias="to")] = None


def _named_set(given: object) -> object:
    """The rows of a set that is only named."""
    if not isinstance(given, str):
        return given
    if given not in NAMED:
        raise ValueError(f"no bucket set {given!r}; known: {', '.join(sorted(NAMED))}")
    return [{"code": each.code, "from": each.from_days, "to": each.to_days} for each in NAMED[given]]


BucketRows = Annotated[tuple[BucketRow, ...], BeforeValidator(_named_set)]


class DatabaseSource(Document):
    """A source database; the SELECTs run in it.

    Attributes:
        url: SQLAlchemy URL, usually ``${VARIABLE}``.
    """

    kind: Literal["database"]
    url: str = Field(min_length=1, repr=False)


class Trailer(Document):
    """The last line of a CSV file, which is no row and says what the rows are.

    Attributes:
        mark: Its first value, exactly.
        rows: Position of the number of rows in it, the mark being 1; left out when it has none.
        sums: Position of a sum by column, in minor units.
    """

    mark: str = Field(min_length=1)
    rows: int | None = Field(default=None, ge=2)
    sums: dict[str, Annotated[int, Field(ge=2)]] = Field(default_factory=dict)


class SourceFile(Document):
    """One kind of file in the source's folder.

    Attributes:
        pattern: Glob below the folder; ``{business_date}`` and ``{closing_date}`` stand for the dates, and
            ``{closing_date:%Y%m%d}`` for another form of one.
        format: csv (also .gz) or parquet.
        delimiter: One character.
        encoding: Declared, never guessed.
        columns: The header, exactly; of Parquet its columns in any order, or left out for whatever it has.
        changes_daily: In an inbox, a file equal to the one of the delivery before is refused.
        trailer: Of a CSV file whose last line is one; a file without it was cut off.
        unreadable: ``name`` sets aside the rows that cannot be read and goes on; ``refuse`` refuses a file with one.
    """

    pattern: DatedName
    format: Literal["csv", "parquet"] = "csv"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()
    changes_daily: bool = False
    trailer: Trailer | None = None
    unreadable: Literal["name", "refuse"] = "name"

    @model_validator(mode="after")
    def _csv_declares_header(self) -> SourceFile:
        if self.format == "csv" and not self.columns:
            raise ValueError("a csv file declares its header under `columns`")
        if self.trailer and (self.format != "csv" or not set(self.trailer.sums) <= set(self.columns)):
            raise ValueError("trailer: of a csv file, with sums of its columns")
        return self


class FileLimits(Document):
    """What one delivered file may be, and what reading the files of a kind may use; more is refused unread.

    Attributes:
        delivered_mb: Size as it lies there.
        unpacked_mb: Size once decompressed.
        rows: Lines or rows.
        columns: Columns of a Parquet file; a CSV file has those declared.
        cell_kb: One value.
        memory_mb: Memory of the process that reads.
        seconds: Its time.
    """

    delivered_mb: int = Field(default=8_192, ge=1)
    unpacked_mb: int = Field(default=32_768, ge=1)
    rows: int = Field(default=150_000_000, ge=1)
    columns: int = Field(default=300, ge=1)
    cell_kb: int = Field(default=1_024, ge=1, le=4_096)
    memory_mb: int = Field(default=512, ge=256)
    seconds: int = Field(default=1_800, ge=1)


class FolderSource(Document):
    """A folder of files; the SELECTs run over them in DuckDB, each file kind a table of its name.

    Attributes:
        directory: fsspec URL or path, usually ``${VARIABLE}``; a relative path begins at the repository.
        files: File kinds by the name the SELECTs use.
        limits: What a file may be.
    """

    directory: Folder
    files: dict[str, SourceFile] = Field(min_length=1)
    limits: FileLimits = FileLimits()


class FileSource(FolderSource):
    """A folder whose files stay where they are.

    Attributes:
        settle_seconds: A file that was changed less than so long ago is looked at again after so long; one that grows
            is not there yet.
    """

    kind: Literal["files"]
    settle_seconds: int = Field(default=2, ge=0, le=60)


class InboxSource(FolderSource):
    """A folder into which the files of a day are dropped, the control file that lists them last.

    Once a day is validated its delivery is moved to ``<archive>/<closing date>/``.

    Attributes:
        archive: fsspec URL or path of the folder that keeps what was picked up; on the inbox's own file system.
        control: Name of the control file, with its date.
    """

    kind: Literal["inbox"]
    archive: Folder
    control: DatedName = "control_{closing_date}.json"

    @model_validator(mode="after")
    def _flat_and_dated(self) -> InboxSource:
        if self.archive.rstrip("/") == self.directory.rstrip("/"):
            raise ValueError("archive: another folder than the inbox")
        if not is_dated(self.control):
            raise ValueError("control: a name with {closing_date} in it")
        deep = [name for name, file in self.files.items() if "/" in file.pattern]
        if "/" in self.control or deep:
            raise ValueError(f"an inbox is one flat folder: no / in {', '.join(deep) or 'control'}")
        return self


class Portfolio(Document):
    """One portfolio.

    Attributes:
        name: Folder name.
        title: Words for people.
        lender: Whose the loans are: portfolios of one lender share the key of BI's pseudonyms. The portfolio itself
            where it is left out.
        currency: ISO 4217.
        timezone: IANA zone of the business date.
        holidays: ISO 3166 country of the ``holidays`` library, for contact hours.
        language: Default BCP 47 language.
        first_business_date: The first day; it has no predecessor.
        daily_from: When given: business dates before it are firsts of months (month ends) only, each with the one a
            month earlier as its predecessor. Empty counts as not given.
        allowed_gaps: Business dates whose predecessor may be missing.
        ageing: Day count.
        buckets: Contiguous from 0, or the name of a set in ``arrears.rules.bucket_sets``.
        collector_type: Who collects, which selects what binds.
        packs: Contact packs by file name.
        unbound_packs_as_house: Whether packs that do not bind, as by collector or product, apply as rules of the house.
        strategy: Strategy file name.
        queues: Queue id by bucket code.
        reject_limit_pct: Share of rejected rows of a table, in percent, above which the day stops.
        missing_limit_pct: Share of open loans newly gone without an ending, in percent, above which the day stops.
        aged_components: Components that the source counts as past due; the others alone are no difference.
        promises: When a promise is kept.
        quality: How far a day's ledger may be from those of the same weekdays before.
        approval: When a person is asked before a plan is sent.
        tie_out: Tolerance of the comparison with the source's own figures.
        cases: How long a cure is looked after.
        assignment: How cases are given to agents.
        contagion: ``customer``: one loan past ``non_performing_days`` makes all of its customer's non-performing.
        non_performing_days: Contractual days past due; more than these.
        source_deadline_hours: How long a late source is waited for.
        source: Where the ledger comes from.
    """

    name: str
    title: str = Field(min_length=1)
    lender: str = Field(default="", pattern=r"^[a-z0-9_]*$")
    currency: str = Field(pattern="^[A-Z]{3}$")
    timezone: str
    holidays: str = Field(pattern="^[A-Z]{2}$")
    language: str = Field(min_length=2)
    first_business_date: date
    daily_from: Annotated[date | None, BeforeValidator(lambda given: given or None)] = None
    allowed_gaps: tuple[date, ...] = ()
    ageing: Ageing = Ageing()
    buckets: BucketRows
    collector_type: Literal["first_party", "third_party", "debt_buyer"]
    packs: tuple[str, ...] = ()
    unbound_packs_as_house: bool = False
    strategy: str
    queues: dict[str, str]
    reject_limit_pct: float = Field(default=1.0, ge=0, le=100)
    missing_limit_pct: float = Field(default=10.0, ge=0, le=100)
    aged_components: Annotated[tuple[Component, ...], Field(min_length=1), AfterValidator(_each_once)] = (
        "penalty",
        "fee",
        "interest",
        "principal",
    )
    promises: Promises = Promises()
    quality: Quality = Quality()
    approval: Approval = Approval()
    tie_out: TieOut = TieOut()
    cases: CaseTerms = CaseTerms()
    assignment: AssignmentTerms = AssignmentTerms()
    contagion: Literal["none", "customer"] = "none"
    non_performing_days: int = Field(default=90, ge=0)
    source_deadline_hours: int = Field(default=8, ge=1, le=24)
    source: Annotated[DatabaseSource | FileSource | InboxSource, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _consistent(self) -> Portfolio:
        if not NAME.match(self.name):
            raise ValueError(f"name must match {NAME.pattern}")
        check_buckets(self.bucket_set)
        codes = {bucket.code for bucket in self.bucket_set if bucket.from_days > 0}
        unknown, missing = set(self.queues) - codes, codes - set(self.queues)
        if unknown or missing:
            raise ValueError(f"queues: unknown buckets {sorted(unknown)}, buckets without a queue {sorted(missing)}")
        if self.daily_from and (self.first_business_date.day != 1 or self.first_business_date >= self.daily_from):
            raise ValueError("daily_from: later than first_business_date, which is then the first of a month")
        return self

    @property
    def business_dates(self) -> BusinessDates:
        """The dates it works."""
        return BusinessDates(self.first_business_date, self.daily_from or self.first_business_date)

    @property
    def bucket_set(self) -> tuple[Bucket, ...]:
        """The buckets as rule values."""
        return tuple(Bucket(row.code, row.from_days, row.to_days) for row in self.buckets)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the business date."""
        return ZoneInfo(self.timezone)

    def as_of(self, business_date: date) -> date:
        """The date the ages of that day hold for.

        ``elapsed`` ages as of the business date itself. The other conventions count the close of the day, so they age
        as of the closing date: due yesterday and unpaid at yesterday's close is 1 day past due, elapsed and inclusive
        (docs/adr/0003).
        """
        return business_date if self.ageing.convention == "elapsed" else closing_date(business_date)


def closing_date(business_date: date) -> date:
    """The close of the ledger that business date is made from: the day before."""
    return business_date - timedelta(days=1)


@dataclass(frozen=True)
class PortfolioFolder:
    """A loaded folder.

    Attributes:
        portfolio: The validated configuration.
        selects: SELECT text by ledger table (``raw__loan``); optional tables may be absent.
        ready: SELECT that answers whether the source has closed, or "".
        control: SELECT that gives control totals, or "".
        config_hash: SHA-256 over everything in the folder, its packs and its strategy.
    """

    portfolio: Portfolio
    selects: dict[str, str]
    ready: str
    control: str
    config_hash: str


def names(settings: Settings) -> list[str]:
    """Names of all portfolio folders, sorted."""
    return sorted(path.parent.name for path in settings.portfolios.glob("*/portfolio.yaml"))


def load_folder(name: str, settings: Settings) -> PortfolioFolder:
    """Load and validate one portfolio folder.

    Raises:
        PortfolioUnknownError: There is no such folder.
        ConfigurationError: Anything in it is wrong; the message names every mistake with file, line and key.
        TimeZoneRefusedError: The zone's clock skips midnight.
    """
    path = settings.portfolios / name / "portfolio.yaml"
    if not NAME.match(name) or not path.is_file():
        raise PortfolioUnknownError(f"no portfolio {name!r}", f"one of {names(settings)}", str(settings.portfolios))
    portfolio = _portfolio(path)
    mistakes = _file_mistakes(path, portfolio, settings)
    if mistakes:
        raise ConfigurationError("; ".join(mistakes), "a complete portfolio folder", name)
    _refuse_missing_midnight(portfolio)
    folder = path.parent
    selects = {
        contract.table: (folder / f"{contract.noun}.sql").read_text(encoding="utf-8")
        for contract in LEDGER
        if (folder / f"{contract.noun}.sql").is_file()
    }
    return PortfolioFolder(
        portfolio,
        selects,
        _optional_text(folder / "ready.sql"),
        _optional_text(folder / "control.sql"),
        _hash_of([*sorted(folder.iterdir()), *_rule_files(portfolio, settings)]),
    )


def _optional_text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _rule_files(portfolio: Portfolio, settings: Settings) -> list[Path]:
    packs = [settings.policies / f"{pack}.yaml" for pack in portfolio.packs]
    return [*packs, settings.strategies / f"{portfolio.strategy}.yaml"]


def _hash_of(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file():
            content = path.read_bytes()
            digest.update(f"{path.name}:{len(content)}:".encode() + content)
    return digest.hexdigest()


def _portfolio(path: Path) -> Portfolio:
    portfolio = read_document(
        path,
        Portfolio,
        defaults={"name": path.parent.name},
        environment={**dotenv_values(ENVIRONMENT_FILE), **os.environ},
    )
    if portfolio.name != path.parent.name:
        raise ConfigurationError(
            f"name {portfolio.name!r}", f"the folder's name {path.parent.name!r}", f"{path.parent.name}/{path.name}"
        )
    return portfolio


def _file_mistakes(path: Path, portfolio: Portfolio, settings: Settings) -> list[str]:
    folder = path.parent
    mistakes = [
        f"{folder.name}/{contract.noun}.sql is missing: every portfolio maps {contract.table}"
        for contract in LEDGER
        if contract.required and not (folder / f"{contract.noun}.sql").is_file()
    ]
    known = {f"{contract.noun}.sql" for contract in LEDGER} | {"ready.sql", "control.sql"}
    mistakes += [
        f"{folder.name}/{file.name}: no ledger table of that name; known: {sorted(known)}"
        for file in sorted(folder.glob("*.sql"))
        if file.name not in known
    ]
    mistakes += [
        f"{folder.name}/portfolio.yaml names {file.name}, which is not in {file.parent.name}/"
        for file in _rule_files(portfolio, settings)
        if not file.is_file()
    ]
    return mistakes


def _refuse_missing_midnight(portfolio: Portfolio) -> None:
    """A business date begins at midnight; zones whose clock skips it (ever since 2000) are refused."""
    where = f"{portfolio.name}/portfolio.yaml"
    try:
        missing = _missing_midnight(portfolio.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigurationError(
            f"time zone {portfolio.timezone!r}", "an IANA zone such as Asia/Shanghai", where
        ) from None
    if missing is not None:
        raise TimeZoneRefusedError(
            f"{portfolio.timezone} has no midnight on {missing}", "a zone in which every day has a midnight", where
        )


@cache
def _missing_midnight(timezone: str) -> date | None:
    """First date since 2000 without a midnight in the zone, or None."""
    zone = ZoneInfo(timezone)
    day = datetime(2000, 1, 1)  # noqa: DTZ001  wall-clock arithmetic on purpose
    while day.year < 2038:  # noqa: PLR2004  end of the zone database's explicit transitions
        there = day.replace(tzinfo=zone)
        if there.utcoffset() != there.astimezone(UTC).astimezone(zone).utcoffset():
            return day.date()
        day += timedelta(days=1)
    return None
