"""The demo as file drops: for each closing date CSV and Parquet files in an inbox, the control file last.

Belongs here: writing what a lender's nightly export would. How an inbox is read stands in ``arrears.sources.inbox``.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv as pacsv

from arrears.errors import ConfigurationError
from arrears.sources.demo.files import Closes
from arrears.sources.demo.schema import MONEY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from arrears.sources.demo.order import Order

MARKER = ".demo_ledger.json"
SUFFIX = {"csv": "csv.gz", "parquet": "parquet"}
KINDS = {  # file kind: its format; the bigger ones are Parquet
    "loan": "csv",
    "instalment": "parquet",
    "transaction": "parquet",
    "pause": "csv",
    "party": "csv",
    "loan_party": "csv",
    "contact_point": "parquet",
    "consent": "parquet",
    "flag": "csv",
    "contact": "parquet",
    "promise": "csv",
    "agent_shift": "csv",
    "queue": "csv",
    "control_total": "csv",
}


class Drops:
    """Gathers the source's tables and writes them as drops. They are held in memory: a demo's size.

    Args:
        inbox: Folder; made when it is not there.
        dates: Business dates, one drop each.
    """

    def __init__(self, inbox: Path, dates: Iterable[date]) -> None:
        self._inbox = inbox
        self._dates = list(dates)
        self._tables: dict[str, list[pa.Table]] = {}

    def write(self, tables: dict[str, pa.Table]) -> None:
        """Take some rows of some source tables."""
        for name, rows in tables.items():
            self._tables.setdefault(name, []).append(rows)

    def deliver(self) -> None:
        """Write every drop."""
        self._inbox.mkdir(parents=True, exist_ok=True)
        with Closes() as closes:
            closes.hold({name: pa.concat_tables(parts) for name, parts in self._tables.items()})
            for day in self._dates:
                self._drop(closes, day)

    def _drop(self, closes: Closes, business_date: date) -> None:
        closing_date = business_date - timedelta(days=1)
        listed = []
        for kind, form in KINDS.items():
            rows = _exported(closes, kind, business_date)
            name = f"{kind}_{closing_date}.{SUFFIX[form]}"
            content = _content(rows, form)
            (self._inbox / name).write_bytes(content)
            listed.append(
                {
                    "name": name,
                    "kind": kind,
                    "rows": rows.num_rows,
                    "sums": _sums(rows),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
            )
        control = json.dumps({"closing_date": closing_date.isoformat(), "files": listed}, indent=1)
        (self._inbox / control_name(closing_date)).write_text(control + "\n", encoding="utf-8")


def control_name(closing_date: date) -> str:
    """Name of the control file of a delivery."""
    return f"control_{closing_date}.json"


def missing(order: Order, inbox: Path) -> list[date]:
    """Business dates of the order that were not dropped into the inbox yet, whoever picked them up since.

    Raises:
        ConfigurationError: Another ledger's files were dropped there.
    """
    marker = inbox / MARKER
    if not marker.exists():
        return list(order.dates)
    known = json.loads(marker.read_text(encoding="utf-8"))
    if known["order"] != order.identity:
        raise ConfigurationError(
            f"an inbox of another demo ledger: {known['order']}", f"{order.identity}, or an empty inbox", str(inbox)
        )
    return [day for day in order.dates if day.isoformat() not in known["dates"]]


def mark(order: Order, inbox: Path, dates: Iterable[date]) -> None:
    """Note what was dropped, so that an equal call drops nothing."""
    marker = inbox / MARKER
    known = json.loads(marker.read_text(encoding="utf-8"))["dates"] if marker.exists() else []
    content = {"order": order.identity, "dates": sorted({*known, *(day.isoformat() for day in dates)})}
    marker.write_text(json.dumps(content) + "\n", encoding="utf-8")


def _exported(closes: Closes, kind: str, business_date: date) -> pa.Table:
    closing_date = business_date - timedelta(days=1)
    noun = "control" if kind == "control_total" else kind
    if kind == "promise":
        return closes.query(
            f"SELECT * EXCLUDE (known_on) FROM core_banking.promise WHERE known_on <= DATE '{closing_date}'"
        )
    found = closes.read(noun, business_date)
    if kind == "loan":
        dated = pa.array([closing_date] * found.num_rows, pa.date32())
        found = found.append_column("closed_on", dated)
    return found


def _content(rows: pa.Table, form: str) -> bytes:
    sink = pa.BufferOutputStream()
    if form == "parquet":
        pq.write_table(rows, sink, compression="lz4", write_page_checksum=True)
    else:
        pacsv.write_csv(rows, sink, pacsv.WriteOptions(quoting_style="needed"))
    content: bytes = sink.getvalue().to_pybytes()
    return content if form == "parquet" else gzip.compress(content, compresslevel=1, mtime=0)


def _sums(rows: pa.Table) -> dict[str, Any]:
    """Sums of the columns of money, the only 64-bit integers there are."""
    money = [field.name for field in rows.schema if field.type == MONEY]
    return {name: pc.sum(rows[name], min_count=0).as_py() for name in money}
