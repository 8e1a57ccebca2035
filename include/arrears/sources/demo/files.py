"""The ledger as files: what the source's SELECTs deliver, run over the demo's source tables in DuckDB.

Belongs here: one Parquet file per ledger table, in the contract's columns, as closed the day before ``as_of``.
The SELECTs are those of ``demo_travel_cn``, whose source system both lenders have, so that the files are what its
extract would deliver.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from arrears.contracts.ledger import LEDGER
from arrears.contracts.raw import LINEAGE
from arrears.settings import INCLUDE
from arrears.sources.demo.schema import SCHEMA, TABLES
from arrears.sources.staging import bound

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

PORTFOLIO = INCLUDE / "portfolios" / "demo_travel_cn"
THREADS = 1  # equal bytes every time; the next chunks are being made beside it
LEADING = {  # the source table whose rows each ledger table has, one for one or fewer
    "loan": "loan_account",
    "instalment": "repayment_plan",
    "transaction": "posting",
    "pause": "payment_pause",
    "party": "customer",
    "loan_party": "loan_role",
    "contact_point": "contact_point",
    "consent": "consent",
    "flag": "account_flag",
    "contact": "contact_log",
    "agent_shift": "agent_roster",
    "queue": "work_queue",
    "promise": "promise",
}


class Closes:
    """The source's tables, read as the ledger of any business date."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._selects = {path.stem: path.read_text(encoding="utf-8") for path in PORTFOLIO.glob("*.sql")}

    def __enter__(self) -> Self:
        self._engine = self._stack.enter_context(duckdb.connect(config={"threads": THREADS}))
        self._engine.execute("SET TimeZone = 'UTC'")
        self._engine.execute(f"CREATE SCHEMA {SCHEMA}")
        for name, table in TABLES.items():
            self._engine.register(name, table.arrow.empty_table())
            self._engine.execute(f"CREATE VIEW {SCHEMA}.{name} AS FROM main.{name}")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def hold(self, tables: dict[str, pa.Table]) -> None:
        """Put these rows in the place of what the tables held."""
        for name, rows in tables.items():
            self._engine.register(name, rows)

    def read(self, noun: str, business_date: date, columns: str = "*") -> pa.Table:
        """What the SELECT of that name delivers for a business date."""
        dates = {"business_date": business_date, "closing_date": business_date - timedelta(days=1)}
        closed = bound(self._selects[noun], lambda name: f"DATE '{dates[name]}'")
        return self.query(f"SELECT {columns} FROM ({closed})")

    def query(self, select: str) -> pa.Table:
        """What a SELECT over the source's tables delivers."""
        return self._engine.sql(select).to_arrow_table()


class LedgerFiles:
    """Writes the ledger of one business date, a chunk of source rows at a time.

    Args:
        folder: Existing folder; files of the same names are replaced when everything is written.
        as_of: Business date.
    """

    def __init__(self, folder: Path, as_of: date) -> None:
        self.rows: Counter[str] = Counter()
        self._folder = folder
        self._as_of = as_of
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._stack = ExitStack()
        self._columns = {
            contract.noun: [column.name for column in contract.columns if column not in LINEAGE]
            for contract in LEDGER
            if contract.noun in LEADING
        }

    def __enter__(self) -> Self:
        self._closes = self._stack.enter_context(Closes())
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stack.close()
        for noun in self._writers:
            if kind is None:
                self._partial(noun).replace(self._folder / f"{noun}.parquet")
            else:
                self._partial(noun).unlink(missing_ok=True)

    def write(self, tables: dict[str, pa.Table]) -> None:
        """Append what these source rows mean to the ledger."""
        self._closes.hold(tables)
        for noun, columns in self._columns.items():
            if LEADING[noun] not in tables:
                continue
            found = self._closes.read(noun, self._as_of)
            found = found.select([name for name in columns if name in found.column_names])
            self._writer(noun, found.schema).write_table(found)
            self.rows[noun] += found.num_rows

    def _writer(self, noun: str, schema: pa.Schema) -> Any:  # noqa: ANN401  pyarrow has no types
        if noun not in self._writers:
            writer = pq.ParquetWriter(self._partial(noun), schema, compression="zstd")
            self._writers[noun] = self._stack.enter_context(writer)
        return self._writers[noun]

    def _partial(self, noun: str) -> Path:
        return self._folder / f"{noun}.partial"
