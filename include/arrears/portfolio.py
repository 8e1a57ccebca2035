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
from arrears.portfolio_terms import (
    Ageing,
    Approval,
    AssignmentTerms,
    BucketRows,
    CaseTerms,
    Component,
    Promises,
    Quality,
    TieOut,
    each_once,
)
from arrears.rules.buckets import Bucket, check_buckets
from arrears.rules.business_dates import BusinessDates
from arrears.settings import ENVIRONMENT_FILE
from arrears.source_terms import (  # noqa: TC001  pydantic reads the annotations when it runs
    DatabaseSource,
    FileSource,
    InboxSource,
)

if TYPE_CHECKING:
    from pathlib import Path

    from arrears.settings import Settings

NAME = re.compile(r"^[a-z][a-z0-9_]{1,40}$")


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
    aged_components: Annotated[tuple[Component, ...], Field(min_length=1), AfterValidator(each_once)] = (
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
