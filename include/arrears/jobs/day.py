"""What every job starts from: one portfolio, one business date, the lake, an engine."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import connect, quoted, select_text, smaller_size
from arrears.kept import is_keeping, kept_value
from arrears.lake import Lake, Manifest, PartitionKey
from arrears.portfolio import PortfolioFolder, closing_date, load_folder
from arrears.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb


ABSENT = "absent"  # stands for the content hash of a table the portfolio does not deliver


@dataclass(frozen=True)
class Day:
    """One portfolio's business date."""

    settings: Settings
    folder: PortfolioFolder
    business_date: date
    lake: Lake
    run_ref: str = ""

    @classmethod
    def open(cls, portfolio: str, business_date: date, *, run_ref: str = "", settings: Settings | None = None) -> Day:
        """Load what the day needs.

        Raises:
            ConfigurationError: The portfolio or the settings are wrong.
        """
        settings = settings or load_settings()
        return cls(settings, _folder(portfolio, settings), business_date, _lake(settings.lake_url), run_ref)

    @property
    def name(self) -> str:
        """Portfolio name."""
        return self.folder.portfolio.name

    @property
    def closing_date(self) -> date:
        """Close of the ledger the day is made from."""
        return closing_date(self.business_date)

    def key(self, table: str, business_date: date | None = None) -> PartitionKey:
        """Partition of ``table`` on the day, or on another."""
        return PartitionKey(self.name, table, business_date or self.business_date)

    @contextmanager
    def work(self, *, at_most: str | None = None) -> Iterator[Work]:
        """An engine with this day's tables at hand.

        Args:
            at_most: Memory limit of a job that needs no more; the settings' where they say less, or nothing is said.
        """
        with connect(self.settings if at_most is None else self.limited(at_most)) as connection:
            yield Work(self, connection)

    def limited(self, at_most: str) -> Settings:
        """The settings, with no more memory than a job needs."""
        return self.settings.model_copy(update={"memory_limit": smaller_size(at_most, self.settings.memory_limit)})


def _folder(portfolio: str, settings: Settings) -> PortfolioFolder:
    """The portfolio's folder; kept, all jobs of the process work with the configuration that the first one read."""
    key = ("folder", portfolio, settings.portfolios, settings.policies, settings.strategies)
    return kept_value(key, partial(load_folder, portfolio, settings))


def _lake(url: str) -> Lake:
    """The lake at that address; kept, it need not check again the files it has checked or written.

    Kept, it is also safe from a power cut only once it is settled, which ``publish`` does before it commits anything.
    """
    return kept_value(("lake", url), partial(Lake, url, settles=is_keeping()))


@dataclass
class Work:
    """One job's connection and the inputs it has read so far.

    Every partition read through ``read`` becomes an input of every partition written afterwards, beside the
    portfolio's configuration: that is how a partition knows when it is stale.
    """

    day: Day
    connection: duckdb.DuckDBPyConnection
    inputs: dict[str, str] = field(default_factory=dict)

    def read(self, table: str, business_date: date | None = None, *, view: str | None = None) -> Manifest:
        """Make ``table`` (of the day, or of another) readable as a view named ``view`` or as the table.

        Raises:
            PartitionMissingError: It was never written.
            PartitionDroppedError: Retention has dropped it.
            PartitionCorruptError: A file of it was changed.
        """
        key = self.day.key(table, business_date)
        manifest = self.day.lake.view(self.connection, key, view)
        suffix = "" if key.business_date == self.day.business_date else f"@{key.business_date}"
        self.inputs[f"{table}{suffix}"] = manifest.content_hash
        return manifest

    def read_optional(self, table: str, business_date: date | None = None, *, view: str | None = None) -> bool:
        """Like ``read``; a table the portfolio does not deliver becomes an empty view, and the answer is False."""
        if self.day.lake.known(self.day.key(table, business_date)) is not None:
            self.read(table, business_date, view=view)
            return True
        self.empty(table, view=view)
        self.inputs[table] = ABSENT
        return False

    def empty(self, table: str, *, view: str | None = None) -> None:
        """Make an empty view with the table's columns."""
        columns = ", ".join(f"NULL::{c.type.value} AS {quoted(c.name)}" for c in CONTRACTS[table].all_columns)
        self.connection.execute(f"CREATE OR REPLACE VIEW {quoted(view or table)} AS SELECT {columns} WHERE FALSE")

    def write(self, table: str, parameters: Mapping[str, Any] | None = None, *, select: str | None = None) -> Manifest:
        """Write ``table`` for the day from ``sql/<table>.sql``, or from ``select``.

        ``$business_date`` and the like are bound only where the SELECT names them.

        Raises:
            SchemaRefusedError: The result is not what the contract says.
        """
        select = select or select_text(table)
        known = {
            "business_date": self.day.business_date,
            "closing_date": self.day.closing_date,
            "as_of": self.day.folder.portfolio.as_of(self.day.business_date),
            **(parameters or {}),
        }
        return self.day.lake.write(
            self.connection,
            CONTRACTS[table],
            self.day.key(table),
            select,
            {name: value for name, value in known.items() if re.search(rf"\${name}\b", select)},
            inputs={**self.inputs, "config": self.day.folder.config_hash},
            known_until=self.known_until,
            run_ref=self.day.run_ref,
        )

    @property
    def known_until(self) -> str:
        """The instant frozen when the day's loans were extracted; empty before."""
        extract = self.day.lake.find(self.day.key("extract__loan"))
        return extract.known_until if extract else ""


def summary(manifest: Manifest) -> dict[str, Any]:
    """What a job returns: rows, totals and hash of what it wrote; no data."""
    return {"table": manifest.table, "rows": manifest.rows, **manifest.totals, "content_hash": manifest.content_hash}


def stale_inputs(lake: Lake, manifest: Manifest, config_hash: str) -> list[str]:
    """Names of the inputs of a partition that have moved since it was made; empty when it is fresh."""
    moved = []
    for name, content_hash in manifest.inputs.items():
        if name == "config":
            if content_hash != config_hash:
                moved.append(name)
            continue
        table, _, day = name.partition("@")
        if table not in CONTRACTS and not table.startswith("extract__"):
            continue
        key = PartitionKey(manifest.portfolio, table, date.fromisoformat(day or manifest.business_date))
        found = lake.known(key)
        if (found.content_hash if found else ABSENT) != content_hash:
            moved.append(name)
    return moved
