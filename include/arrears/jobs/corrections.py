"""What today's ledger says of days that were published without an entry it has: the past as it truly was.

Belongs here: finding the loans whose past an entry booked later changed, and ageing just these again, day by day, with
the same SELECTs that aged them then. There is no second way to age: what these days cost is what they are, few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from arrears.contracts.raw_loans import TERMINAL_STATUSES
from arrears.engine.duckdb import select_text
from arrears.engine.tables import DuckTables
from arrears.jobs.accounts import make_ages
from arrears.jobs.age import ageing_parameters, put_buckets
from arrears.portfolio import closing_date

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from typing import Any

    import duckdb

    from arrears.jobs.day import Day, Work

RECOMPUTED = pa.schema(
    [
        pa.field("loan_id", pa.string()),
        pa.field("seq", pa.int32()),
        pa.field("on_date", pa.date32()),
        pa.field("past_due_days", pa.int32()),
        pa.field("past_due_minor", pa.int64()),
        pa.field("bucket", pa.string()),
        pa.field("contract_bucket", pa.string()),
    ]
)
LATE_ENTRY = pa.schema([pa.field("loan_id", pa.string()), pa.field("from_on", pa.date32())])
NOUNS = ("loan", "instalment", "transaction", "pause")


@dataclass(frozen=True)
class Past:
    """Earlier business dates as today's ledger tells them.

    Attributes:
        late_entry: ``LATE_ENTRY``: loans with an entry booked since, and the first date it concerns.
        recomputed: ``RECOMPUTED``: each of these loans (seq 0) and its overdue instalments on each date since then, the
            day compared with included; a loan that was clean has its row, an instalment that was has none.
    """

    late_entry: pa.Table
    recomputed: pa.Table

    def put(self, work: Work, current_bucket: str) -> None:
        """Make ``late_entry`` and ``recomputed`` readable to a SELECT, the latter with the days that were clean.

        Args:
            work: Has ``previous__bucket_history``.
            current_bucket: Bucket of 0 days.
        """
        work.connection.register("late_entry", self.late_entry)
        work.connection.register("aged_again", self.recomputed)
        select = select_text("correction__recomputed")
        work.connection.execute(f"CREATE TABLE recomputed AS {select}", {"current_bucket": current_bucket})


def past_of(day: Day, compared_with: date | None) -> Past:
    """The past that entries booked since ``compared_with`` changed; empty on most days.

    A past day is told from the ledger as its close would have been with these entries in it: what became effective
    after that close does not count, so a payment returned later was a payment until it was returned.

    Raises:
        PartitionMissingError: The day is not validated yet.
    """
    nothing = Past(LATE_ENTRY.empty_table(), RECOMPUTED.empty_table())
    if compared_with is None:
        return nothing
    config = day.folder.portfolio
    with day.work() as work:
        connection = work.connection
        for noun in NOUNS:
            work.read_optional(f"raw__{noun}", view=f"ledger__{noun}")
        for noun in ("loan", "transaction"):
            connection.execute(f"CREATE VIEW raw__{noun} AS FROM ledger__{noun}")
        known = {"closed_then": closing_date(compared_with), "timezone": config.timezone}
        connection.execute(f"CREATE TABLE late_entry AS {select_text('correction__entry')}", known)
        late_entry = connection.sql("FROM late_entry ORDER BY loan_id").to_arrow_table().cast(LATE_ENTRY)
        if not late_entry.num_rows:
            return nothing
        for noun in ("loan", "transaction"):
            connection.execute(f"DROP VIEW raw__{noun}")
        for noun in NOUNS:
            connection.execute(
                f"CREATE TABLE whole__{noun} AS FROM ledger__{noun} SEMI JOIN late_entry USING (loan_id)"
            )
        put_buckets(DuckTables(connection), config.bucket_set)
        first = min(late_entry["from_on"].to_pylist())
        dates = config.business_dates.between(first, compared_with)
        tables = [_aged(day, connection, each) for each in dates]
    return Past(late_entry, pa.concat_tables([RECOMPUTED.empty_table(), *tables]))


def _aged(day: Day, connection: duckdb.DuckDBPyConnection, business_date: date) -> pa.Table:
    """The loans of ``late_entry`` on one earlier business date."""
    config = day.folder.portfolio
    closed = closing_date(business_date)
    ended = ", ".join(f"'{code}'" for code in TERMINAL_STATUSES)
    _as_of_close(
        connection,
        {
            "loan": f"SELECT * REPLACE (CASE WHEN status_code IN ({ended}) AND status_on > $closed THEN 'active' "
            "ELSE status_code END AS status_code) FROM whole__loan WHERE disbursed_on <= $closed",
            "instalment": "SELECT i.* FROM whole__instalment AS i SEMI JOIN raw__loan USING (loan_id)",
            "transaction": "SELECT t.* FROM whole__transaction AS t SEMI JOIN raw__loan USING (loan_id) "
            "WHERE effective_on <= $closed",
            "pause": "SELECT p.* FROM whole__pause AS p SEMI JOIN raw__loan USING (loan_id)",
        },
        {"closed": closed},
    )
    parameters = ageing_parameters(config.ageing, config.bucket_set, config.as_of(business_date)) | {
        "timezone": config.timezone,
        "closing_date": closed,
        "business_date": business_date,
    }
    make_ages(DuckTables(connection), config.ageing.waterfalls, parameters)
    rows: pa.Table = connection.sql(select_text("correction__aged"), params={"on_date": business_date}).to_arrow_table()
    return rows.cast(RECOMPUTED)


def _as_of_close(
    connection: duckdb.DuckDBPyConnection, selects: Mapping[str, str], parameters: Mapping[str, Any]
) -> None:
    for noun, select in selects.items():
        bound = dict(parameters) if "$closed" in select else {}
        connection.execute(f"CREATE OR REPLACE TABLE raw__{noun} AS {select}", bound)
