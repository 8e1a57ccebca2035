"""A collections floor in memory: the production SELECTs and rules over a handful of loans, a day in a few hundredths.

The lake and the policy stay outside: whether the day is a pure function, and what it says of cases, steps and agents,
is asked here; the jobs around it have tests of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from arrears.cases.assignment import assignment_rows
from arrears.contact.strategy import Segment, Step, Version, When
from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import connect, select_text
from arrears.jobs.cases import TRAITS, ending_table, move_table
from arrears.jobs.due import cases_due_of
from arrears.jobs.experiments import Arms
from arrears.portfolio_terms import AssignmentTerms
from arrears.rules.buckets import Bucket, bucket_of
from arrears.rules.case_states import REOPENED_FROM
from arrears.rules.cases import CLOSE_REASONS, HOLD_CODES
from arrears.rules.hours import day_bounds
from arrears.settings import Settings
from arrears.warehouse.feedback_known import REASSIGN

from support.books import ARROW

if TYPE_CHECKING:
    import duckdb

ZONE = ZoneInfo("Asia/Shanghai")
LIVE_PROMISE = pa.schema([("loan_id", pa.string()), ("is_plan", pa.bool_()), ("due_on", pa.date32())])
FIRST = date(2026, 3, 2)
BUCKETS = (Bucket("0", 0, 0), Bucket("1-30", 1, 30), Bucket("31+", 31, None))
QUEUES = [
    {"queue_id": "bot", "work_mode_code": "bot", "avg_handle_seconds": 60, "attempts_per_case": 1},
    {"queue_id": "named", "work_mode_code": "named", "avg_handle_seconds": 600, "attempts_per_case": 1},
]
QUEUE_OF = {"1-30": "bot", "31+": "named"}
VERSION = Version(
    version=1,
    valid_from=date(2026, 1, 1),
    segments=(
        Segment(
            id="early",
            when=When(bucket=("1-30",)),
            steps=(
                Step(id="hello", day=0, channels=("sms",), template="t", purpose="reminder"),
                Step(id="later", day=2, repeat_every_days=4, channels=("sms",), template="t"),
            ),
        ),
        Segment(
            id="late",
            when=When(bucket=("31+",)),
            steps=(Step(id="talk", day=0, repeat_every_days=3, channels=("call",), template="t"),),
        ),
    ),
)
Row = dict[str, Any]
OUTPUTS = ("case_loan", "case", "watch", "trait", "assigned", "plan")
LAKE = {
    "case_loan": "core__case_loan_daily",
    "case": "core__case_daily",
    "watch": "core__case_watch_daily",
    "trait": "core__case_trait_daily",
    "assigned": "out__assignment_daily",
    "plan": "out__contact_plan_daily",
}
RAW = ("party", "flag", "pause", "contact_point", "contact", "score", "loan", "transaction", "agent_conflict", "queue")
CORE = (
    "source_difference_daily",
    "instalment_delinquency_daily",
    "bucket_history_daily",
    "loan_delinquency_daily",
    "promise_daily",
)


@dataclass(frozen=True)
class Loan:
    """Instalments of 100, one every ten days from a day on; as many as have come due."""

    loan_id: str
    borrower_id: str
    first_due: int
    status: str = "active"

    def due(self, day: int) -> list[int]:
        """Days of the instalments due before a day."""
        return list(range(self.first_due, day, 10))


@dataclass(frozen=True)
class Ledger:
    """Everything known when a day is cut: a value, so that any day can be worked again."""

    loans: tuple[Loan, ...] = ()
    payments: tuple[tuple[str, int, int], ...] = ()  # loan, day, amount; a reversal is a negative one
    promises: tuple[tuple[str, int, int], ...] = ()  # loan, made on, due on
    disputes: tuple[tuple[str, int, int], ...] = ()  # loan, from, until
    opt_outs: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    named: tuple[tuple[str, int, str], ...] = ()  # borrower, decided on, the agent whom a supervisor names


@dataclass
class SmallFloor:
    """The days worked so far, with what each was made from."""

    known: dict[int, Ledger] = field(default_factory=dict)
    made: dict[int, dict[str, list[Row]]] = field(default_factory=dict)

    def work(self, day: int, ledger: Ledger) -> dict[str, list[Row]]:
        """The day's tables, from the day before and the ledger alone."""
        before = self.made.get(day - 1, {name: [] for name in OUTPUTS})
        with connect(Settings()) as connection:
            return _Day(connection, day, ledger, before).tables()


@dataclass
class _Day:
    connection: duckdb.DuckDBPyConnection
    day: int
    ledger: Ledger
    before: dict[str, list[Row]]

    @property
    def date(self) -> date:
        return FIRST + timedelta(days=self.day)

    def tables(self) -> dict[str, list[Row]]:
        self._register()
        found = {name: self._write(LAKE[name]) for name in ("case_loan", "case", "watch", "trait")}
        found["assigned"] = self._assigned()
        self._table("out__assignment_daily", found["assigned"])
        found["plan"] = self._planned()
        return found

    def _register(self) -> None:
        for noun in RAW:
            self._table(f"raw__{noun}", [])
        for noun in CORE:
            self._table(f"core__{noun}", [])
        self._table("core__loan_delinquency_daily", [self._aged(loan) for loan in self.ledger.loans])
        borrowers = sorted({loan.borrower_id for loan in self.ledger.loans})
        parties = [{"party_id": b, "person_id": f"p-{b}", "is_minor": False, "language": "zh-CN"} for b in borrowers]
        self._table("raw__party", parties)
        self._table("raw__queue", QUEUES)
        self._table("raw__flag", self._flags())
        self._table("raw__transaction", self._transactions())
        for name in ("case", "case_loan", "watch", "plan"):
            self._table(LAKE[name], self.before[name], view=f"previous__{name}")
        self._table(LAKE["assigned"], self.before["assigned"], view="previous__assignment")
        self.connection.execute("CREATE TABLE missed_step (step_key VARCHAR)")  # every day is run in its time
        self.connection.execute(f"CREATE VIEW previous__waiting AS {select_text('read__waiting_step')}")
        self.connection.register("case_move", move_table())
        self.connection.register("ending_state", ending_table())
        live = [
            {"loan_id": loan, "is_plan": False, "due_on": FIRST + timedelta(days=due)}
            for loan, made, due in self.ledger.promises
            if made < self.day <= due
        ]
        self.connection.register("live_promise", pa.Table.from_pylist(live, LIVE_PROMISE))
        self.connection.register("feedback_reassign", pa.Table.from_pylist(self._named(), REASSIGN))

    def _aged(self, loan: Loan) -> Row:
        paid = sum(amount for name, day, amount in self.ledger.payments if name == loan.loan_id and day < self.day)
        unpaid = [due for number, due in enumerate(loan.due(self.day), 1) if 100 * number > paid]
        is_open = loan.status in ("active", "charged_off")
        days = self.day - unpaid[0] if unpaid and is_open else 0
        owed = max(0, 100 * len(loan.due(self.day)) - paid) if days else 0
        return {
            "loan_id": loan.loan_id,
            "borrower_id": loan.borrower_id,
            "currency": "CNY",
            "product_code": "trip",
            "status_code": loan.status,
            "is_open": is_open,
            "past_due_days": days,
            "delinquent_days": days,
            "past_due_minor": owed,
            "past_due_principal_minor": owed,
            "past_due_interest_minor": 0,
            "bucket": bucket_of(days, BUCKETS),
        }

    def _named(self) -> list[Row]:
        rows: list[Row] = []
        for number, (borrower, day, agent) in enumerate(self.ledger.named):
            at = datetime.combine(FIRST + timedelta(days=day), time(0), ZONE)
            made = {"event_id": f"F-{number:04d}", "made_at": at, "starts_at": at, "to_agent_id": agent}
            rows.append({**made, "party_id": borrower, "loan_id": None, "ends_at": None})
        return rows

    def _flags(self) -> list[Row]:
        def at(day: int) -> datetime:
            return datetime.combine(FIRST + timedelta(days=day), time(0), ZONE)

        return [
            {"flag_code": "dispute", "loan_id": loan, "starts_at": at(begins), "ends_at": at(ends)}
            for loan, begins, ends in self.ledger.disputes
        ]

    def _transactions(self) -> list[Row]:
        rows = []
        for number, (loan, day, amount) in enumerate(self.ledger.payments):
            if day >= self.day:
                continue
            paid_on = FIRST + timedelta(days=day)
            rows.append(
                {
                    "transaction_id": f"t{number}",
                    "loan_id": loan,
                    "kind_code": "repayment" if amount > 0 else "chargeback",
                    "effective_on": paid_on,
                    "booked_at": datetime.combine(paid_on, time(12), UTC),
                    "amount_minor": abs(amount),
                }
            )
        return rows

    def _assigned(self) -> list[Row]:
        start, end = day_bounds(self.date, ZONE)
        parameters = {
            "day_start": start,
            "day_end": end,
            "language": "zh-CN",
            "zone": "Asia/Shanghai",
            "stale_days": 5,
            "business_date": self.date,
            "compared_with": self.date - timedelta(days=1),
        }
        shifts = [
            {"agent_id": name, "queue_ids": "named", "languages": "zh-CN", "productive_minutes": 20, "team_id": "t"}
            for name in ("A1", "A2")
            if name not in self.ledger.absent
        ]
        cases = self._rows("read__case_to_assign", parameters)
        return assignment_rows(
            cases, QUEUES, shifts, QUEUE_OF, terms=AssignmentTerms(stale_days=5), business_date=self.date
        )

    def _planned(self) -> list[Row]:
        arms = Arms(self.date, VERSION, b"")
        rows = self._rows("read__case_to_contact", {"language": "zh-CN"})
        return [
            {
                "case_id": due.case_id,
                "borrower_id": due.borrower_id,
                "person_id": due.person_id,
                "step_id": due.due.step.id,
                "step_key": due.due.step_key,
                "state_code": "blocked" if due.borrower_id in self.ledger.opt_outs else "planned",
                "purpose_code": due.due.step.purpose,
                "loan_ids": ",".join(due.loan_ids),
            }
            for due in cases_due_of(rows, VERSION, self.date, arms)
        ]

    def _write(self, table: str) -> list[Row]:
        start, end = day_bounds(self.date, ZONE)
        parameters = {
            **TRAITS,
            "portfolio": "book",
            "business_date": self.date,
            "currency": "CNY",
            "current_bucket": "0",
            "hold_codes": list(HOLD_CODES),
            "close_reasons": list(CLOSE_REASONS),
            "reopened_from": list(REOPENED_FROM),
            "reopen_days": 5,
            "watch_days": 9,
            "compared_with": self.date - timedelta(days=1),
            "is_cash_known": True,
            "day_start": start,
            "day_end": end,
        }
        text = select_text(table)
        bound = {name: value for name, value in parameters.items() if f"${name}" in text}
        self.connection.execute(f"CREATE TABLE {table} AS {text}", bound)
        rows: list[Row] = self.connection.sql(f"FROM {table} ORDER BY ALL").to_arrow_table().to_pylist()
        return rows

    def _rows(self, select: str, parameters: Row) -> list[Row]:
        text = select_text(select)
        bound = {name: value for name, value in parameters.items() if f"${name}" in text}
        rows: list[Row] = self.connection.sql(text, params=bound).to_arrow_table().to_pylist()
        return rows

    def _table(self, table: str, rows: list[Row], *, view: str | None = None) -> None:
        columns = CONTRACTS[table].columns
        arrays = {c.name: pa.array([row.get(c.name) for row in rows], ARROW[c.type.value]) for c in columns}
        self.connection.register(view or table, pa.table(arrays))


def changed(ledger: Ledger, **fields: Any) -> Ledger:
    """The ledger with more in it."""
    return replace(ledger, **{name: (*getattr(ledger, name), value) for name, value in fields.items()})
