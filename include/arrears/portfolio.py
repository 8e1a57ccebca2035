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
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from arrears.contracts.ledger import LEDGER
from arrears.errors import ConfigurationError, PortfolioUnknownError, TimeZoneRefusedError
from arrears.rules.ageing import Terms
from arrears.rules.allocation import Waterfall, Waterfalls
from arrears.rules.buckets import Bucket, check_buckets
from arrears.settings import ENVIRONMENT_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from arrears.settings import Settings

NAME = re.compile(r"^[a-z][a-z0-9_]{1,40}$")
VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::-([^}]*))?\}")
Component = Literal["principal", "interest", "fee", "penalty"]


def _each_once(order: tuple[Component, ...]) -> tuple[Component, ...]:
    if len(set(order)) != len(order):
        raise ValueError("each of penalty, fee, interest, principal exactly once")
    return order


ComponentOrder = Annotated[tuple[Component, Component, Component, Component], AfterValidator(_each_once)]
PaymentKind = Literal["repayment", "waiver", "goodwill_credit", "merchant_refund", "payout_refund"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Allocation(_Strict):
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


class Ageing(_Strict):
    """How this portfolio counts days.

    Attributes:
        convention: ``elapsed`` (due yesterday = 1 day today) or ``inclusive`` (the due date is day 1).
        grace_days: Days subtracted from delinquent_days, unless the loan has its own.
        tolerance_minor: Cumulative shortfall up to which a loan counts as paid.
        allocation_order: Component order inside one instalment; the oldest instalment first.
        allocation: What else there is to say of how payments are spread.
        allocation_by_kind: The same for single kinds of payment.
    """

    convention: Literal["elapsed", "inclusive"] = "elapsed"
    grace_days: int = Field(default=0, ge=0, le=365)
    tolerance_minor: int = Field(default=0, ge=0)
    allocation_order: ComponentOrder = ("penalty", "fee", "interest", "principal")
    allocation: Allocation = Allocation()
    allocation_by_kind: dict[PaymentKind, Allocation] = {}

    @property
    def waterfalls(self) -> Waterfalls:
        """How payments are spread, as a rule value."""
        kinds = {kind: each.waterfall(self.allocation_order) for kind, each in self.allocation_by_kind.items()}
        return Waterfalls(self.allocation.waterfall(self.allocation_order), kinds)

    @property
    def terms(self) -> Terms:
        """The whole day count, as a rule value."""
        return Terms(self.convention, self.grace_days, self.tolerance_minor, self.waterfalls)


class BucketRow(_Strict):
    """One bucket: inclusive bounds in days; ``to`` is left out in the last."""

    code: str = Field(min_length=1, max_length=16)
    from_days: Annotated[int, Field(alias="from", ge=0)]
    to_days: Annotated[int | None, Field(alias="to")] = None


class DatabaseSource(_Strict):
    """A source database; the SELECTs run in it.

    Attributes:
        url: SQLAlchemy URL, usually ``${VARIABLE}``.
    """

    kind: Literal["database"]
    url: str = Field(min_length=1, repr=False)


class SourceFile(_Strict):
    """One kind of file in the source's folder.

    Attributes:
        pattern: Glob below the folder; ``{business_date}`` and ``{closing_date}`` stand for the dates.
        format: csv (also .gz) or parquet.
        delimiter: One character.
        encoding: Declared, never guessed.
        columns: The header, exactly; empty for Parquet.
    """

    pattern: str = Field(min_length=1)
    format: Literal["csv", "parquet"] = "csv"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _csv_declares_header(self) -> SourceFile:
        if self.format == "csv" and not self.columns:
            raise ValueError("a csv file declares its header under `columns`")
        return self


class FileSource(_Strict):
    """A folder of files; the SELECTs run over them in DuckDB, each file kind a table of its name.

    Attributes:
        directory: fsspec URL or path, usually ``${VARIABLE}``.
        files: File kinds by the name the SELECTs use.
    """

    kind: Literal["files"]
    directory: str = Field(min_length=1)
    files: dict[str, SourceFile] = Field(min_length=1)


class Portfolio(_Strict):
    """One portfolio.

    Attributes:
        name: Folder name.
        title: Words for people.
        currency: ISO 4217.
        timezone: IANA zone of the business date.
        holidays: ISO 3166 country of the ``holidays`` library, for contact hours.
        language: Default BCP 47 language.
        first_business_date: The first day; it has no predecessor.
        allowed_gaps: Business dates whose predecessor may be missing.
        ageing: Day count.
        buckets: Contiguous from 0.
        collector_type: Who collects, which selects what binds.
        packs: Contact packs by file name.
        strategy: Strategy file name.
        queues: Queue id by bucket code.
        reject_limit_pct: Share of rejected rows of a table, in percent, above which the day stops.
        source_deadline_hours: How long a late source is waited for.
        source: Where the ledger comes from.
    """

    name: str
    title: str = Field(min_length=1)
    currency: str = Field(pattern="^[A-Z]{3}$")
    timezone: str
    holidays: str = Field(pattern="^[A-Z]{2}$")
    language: str = Field(min_length=2)
    first_business_date: date
    allowed_gaps: tuple[date, ...] = ()
    ageing: Ageing = Ageing()
    buckets: tuple[BucketRow, ...]
    collector_type: Literal["first_party", "third_party", "debt_buyer"]
    packs: tuple[str, ...] = ()
    strategy: str
    queues: dict[str, str]
    reject_limit_pct: float = Field(default=1.0, ge=0, le=100)
    source_deadline_hours: int = Field(default=8, ge=1, le=24)
    source: Annotated[DatabaseSource | FileSource, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _consistent(self) -> Portfolio:
        if not NAME.match(self.name):
            raise ValueError(f"name must match {NAME.pattern}")
        check_buckets(self.bucket_set)
        codes = {bucket.code for bucket in self.bucket_set if bucket.from_days > 0}
        unknown, missing = set(self.queues) - codes, codes - set(self.queues)
        if unknown or missing:
            raise ValueError(f"queues: unknown buckets {sorted(unknown)}, buckets without a queue {sorted(missing)}")
        return self

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

        ``elapsed`` ages as of the business date itself. ``inclusive`` counts the close of the day, so it ages as of
        the closing date: due yesterday and unpaid at yesterday's close is 1 day past due under both (docs/adr/0003).
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
    where = f"{path.parent.name}/{path.name}"
    source = path.read_text(encoding="utf-8")
    try:
        node = yaml.compose(source)
        content = yaml.safe_load(source)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise ConfigurationError("not readable as YAML", "one mapping of keys", where + line) from None
    if not isinstance(content, dict):
        raise ConfigurationError("no mapping at the top", "keys as in another portfolio's file", where)
    lines = _lines(node)
    mistakes: list[str] = []
    content = _expand(content, (), lines, mistakes)
    content.setdefault("name", path.parent.name)
    portfolio = None
    try:
        portfolio = Portfolio.model_validate(content)
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            key = tuple(part for part in problem["loc"] if part not in ("database", "files"))
            mistakes.append(f"line {_line_of(lines, key)}, key {'.'.join(map(str, key)) or '(top)'}: {problem['msg']}")
    if portfolio is None or mistakes:
        raise ConfigurationError("; ".join(mistakes), "keys and values as documented", where)
    if portfolio.name != path.parent.name:
        raise ConfigurationError(f"name {portfolio.name!r}", f"the folder's name {path.parent.name!r}", where)
    return portfolio


def _expand(value: Any, key: tuple[Any, ...], lines: dict[tuple[Any, ...], int], mistakes: list[str]) -> Any:  # noqa: ANN401  YAML values
    """Replace ``${VARIABLE}`` and ``${VARIABLE:-default}`` in every text value."""
    if isinstance(value, dict):
        return {name: _expand(item, (*key, name), lines, mistakes) for name, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, (*key, index), lines, mistakes) for index, item in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value
    known = {**dotenv_values(ENVIRONMENT_FILE), **os.environ}

    def replaced(match: re.Match[str]) -> str:
        found = known.get(match[1]) or match[2]
        if found is None:
            mistakes.append(
                f"line {_line_of(lines, key)}, key {'.'.join(map(str, key))}: "
                f"environment variable {match[1]} is not set"
            )
            return match[0]
        return found

    return VARIABLE.sub(replaced, value)


def _lines(node: yaml.Node | None, key: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], int]:
    """1-based line of every key path."""
    if node is None:
        return {}
    found = {key: node.start_mark.line + 1}
    if isinstance(node, yaml.MappingNode):
        for name, child in node.value:
            found |= _lines(child, (*key, name.value)) | {(*key, name.value): name.start_mark.line + 1}
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            found |= _lines(child, (*key, index))
    return found


def _line_of(lines: dict[tuple[Any, ...], int], key: tuple[Any, ...]) -> int:
    while key and key not in lines:
        key = key[:-1]
    return lines.get(key, 1)


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
