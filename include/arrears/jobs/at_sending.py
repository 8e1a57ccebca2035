"""The contact policy at the moment of sending: one row of the outbox, by everything that is known at that instant.

Belongs here: what the dispatcher asks before each message. The rules are those of the plan, and so is what the ledger
knew when the day was cut; to it comes what the outbox has given out and what was reported since, read anew for every
question, so that an opt-out or an agent's call of a minute ago counts.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import and_, or_, tuple_
from sqlalchemy import select as sql_select

from arrears.contact.coding import TEXT, table_of
from arrears.contact.facts import Known, make_fact_relations, name_people
from arrears.contact.one_by_one import questions
from arrears.contact.plan import day_rules
from arrears.engine.duckdb import select_text
from arrears.jobs.day import Day
from arrears.jobs.elsewhere import ELSEWHERE, LOOK_BACK
from arrears.policy.packs import public_holidays
from arrears.policy.review import check_review
from arrears.policy.selection import Selection, select
from arrears.portfolio import names
from arrears.rules.contact import may_contact
from arrears.rules.contact_values import Decision, Facts, Fired, Flag, Planned, PriorContact, RuleBook
from arrears.rules.hours import barred_time_named, day_bounds
from arrears.sending.claims import Shard
from arrears.warehouse.known_now import feedback_mark, given_out_to, reported_contacts, reported_flags
from arrears.warehouse.tables import NOTIFICATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from sqlalchemy import Connection

    from arrears.jobs.day import Work
    from arrears.settings import Settings

Row = dict[str, Any]
STEP = NOTIFICATION.c

LEDGER = ("raw__party", "raw__loan", "raw__contact_point", "raw__flag", "raw__consent", "raw__contact")
WAITING = ("planned", "rejected_retryable", "unknown")
STANDING = ("handed_over", "accepted")  # of a sent one: somebody else will act on it, and is told if it may not
UNKNOWN_REGION = frozenset({""})
AHEAD = 1000  # rows whose ledger facts are read together: a scan of the ledger is shared by as many messages
OVERLAP = timedelta(hours=1)  # no transaction that reports something is open for longer
NO_POINT = Fired("insufficient_facts.contact_point", "a fact that is missing denies (ARR-CON-06)", "deny")

MESSAGE = pa.schema(
    [
        ("case_no", pa.int64()),
        ("person_id", TEXT),
        ("borrower_id", TEXT),
        ("channel", TEXT),
        ("purpose", TEXT),
        ("debts", pa.list_(TEXT)),
    ]
)


@dataclass(frozen=True)
class Asked:
    """One row of the outbox: the rules that bind it, and what the ledger knew of the person when the day was cut.

    Attributes:
        planned: Without its instant and its content.
        parties: The person's records in this portfolio.
    """

    book: RuleBook
    facts: Facts
    planned: Planned
    parties: frozenset[str]


@dataclass
class Ahead:
    """Rows read ahead of one portfolio's day, and what was reported about them.

    Attributes:
        opened_at: First instant of the business date.
        regions: Where those live whose loans a row is about, by step_key; the empty one: nobody says.
        products: Of those loans.
        ways: The rows, each with its channel and point: one that goes on by another is read anew.
        places: Where each of the people's contact points is.
        others: The other portfolios, by which their contacts are named instead of debts.
        cut_at: What was known until then is in the ledger's facts.
        mark: Of the reports that ``flags`` and ``contacts`` hold; None: not read yet.
    """

    portfolio: str
    others: frozenset[str]
    opened_at: datetime
    cut_at: datetime
    asked: dict[str, Asked] = field(default_factory=dict)
    regions: dict[str, frozenset[str]] = field(default_factory=dict)
    products: dict[str, frozenset[str]] = field(default_factory=dict)
    ways: set[tuple[str, ...]] = field(default_factory=set)
    about: dict[str, set[str]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    mark: tuple[int, int] | None = None
    flags: list[Row] = field(default_factory=list)
    contacts: dict[str, list[Row]] = field(default_factory=dict)


class PolicyAtSending:
    """Asked before each message; one for a dispatcher's run, whatever portfolios and dates its rows are of.

    Example:
        >>> policy = PolicyAtSending(settings)
        >>> policy.check_review(day, now, is_sandbox=channel.is_sandbox)
        >>> answer = policy.decision(connection, row, now, content={"opt_out_notice"})
        >>> answer.is_allowed, [fired.rule_id for fired in answer.fired], answer.earliest_at
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._ahead: dict[tuple[str, date], Ahead] = {}
        self._selections: dict[str, Selection] = {}

    def decision(
        self, connection: Connection, row: Mapping[str, Any], at: datetime, *, content: Iterable[str] = ()
    ) -> Decision:
        """Whether the row may be sent at that instant: all rules of all packs, all facts known by then.

        Args:
            connection: The dispatcher's, in the transaction that will claim the row, so that nothing comes between.
            row: Of ``ops.notification``, whole; it may be claimed already, it does not count against itself.
            at: Now, with a time zone.
            content: What the rendered text holds, in the packs' code words: opt_out_notice, debt_words ...

        Returns:
            Every rule that forbids it, with its citation, and the earliest instant at which none would.

        Raises:
            ConfigurationError: The portfolio or a pack is wrong.
            PartitionMissingError: The ledger of the row's day is not there, or retention has dropped it: nobody knows.
            WarehouseUnreachableError: The warehouse did not answer.
        """
        ahead = self._of(connection, row)
        asked = ahead.asked.get(row["step_key"])
        if asked is None:  # its contact point is gone, or was never known
            return Decision((NO_POINT,), None)
        self._hear(connection, ahead)
        facts = replace(
            asked.facts,
            flags=self._flags(ahead, asked),
            history=self._history(connection, ahead, asked, row),
        )
        times = [
            barred
            for flag in facts.flags or ()
            if flag.starts_at <= at and (flag.ends_at is None or at < flag.ends_at)
            if (barred := barred_time_named(flag.code)) is not None
        ]
        facts = replace(facts, inconvenient=None if facts.flags is None else times)
        return may_contact(asked.book, facts, replace(asked.planned, at=at, content=frozenset(content)))

    def regions(self, connection: Connection, row: Mapping[str, Any]) -> frozenset[str]:
        """Region codes of residence over the row's loans, as the day's ledger has them; "" where it has none.

        Raises:
            PartitionMissingError: As ``decision``.
        """
        return self._of(connection, row).regions.get(row["step_key"], UNKNOWN_REGION)

    def products(self, connection: Connection, row: Mapping[str, Any]) -> frozenset[str]:
        """Product codes of the row's loans; as ``regions``."""
        return self._of(connection, row).products.get(row["step_key"], frozenset())

    def check_review(self, day: Day, at: datetime, *, is_sandbox: bool) -> None:
        """Refuse to send a row of the day for real under a pack whose review does not stand on the portfolio's date.

        Raises:
            PackNotReviewedError: Naming every such pack.
        """
        on = at.astimezone(day.folder.portfolio.zone).date()
        check_review(self._selection(day).packs, on, is_sandbox=is_sandbox)

    # ------------------------------------------------------------------------------------------- what the ledger knew
    def _of(self, connection: Connection, row: Mapping[str, Any]) -> Ahead:
        key = (row["portfolio"], row["business_date"])
        found = self._ahead.get(key)
        if found is None or _way_of(row) not in found.ways:
            found = self._ahead[key] = self._read_ahead(connection, row)
        return found

    def _read_ahead(self, connection: Connection, row: Mapping[str, Any]) -> Ahead:
        """The row and those that the dispatcher will come to next, with what the ledger knows of their people."""
        day = Day.open(row["portfolio"], row["business_date"], settings=self.settings)
        rows = [dict(row), *_next_rows(connection, row)]
        start, _ = bounds = day_bounds(day.business_date, day.folder.portfolio.zone)
        with day.work() as work:
            delivered = {table: work.read_optional(table) for table in LEDGER}
            for table in ("out__quarantine", "core__case_loan_daily", "core__loan_delinquency_daily", ELSEWHERE):
                work.read(table)
            self._name(work, rows)
            make_fact_relations(work.connection, bounds, sources=("ledger",))
            known = Known(
                flags=delivered["raw__flag"],
                history=delivered["raw__contact"],
                consents=delivered["raw__consent"],
                holidays=public_holidays(day.folder.portfolio.holidays, day.business_date),
            )
            others = frozenset(names(self.settings)) - {day.name}
            found = Ahead(day.name, others, start, _cut_at(work, start))
            self._ask(work, day, rows, known, found)
        return found

    @staticmethod
    def _name(work: Work, rows: list[Row]) -> None:
        people = [(one["person_id"] or one["borrower_id"], one["borrower_id"]) for one in rows]
        name_people(
            work.connection,
            people,
            [(person, loan) for (person, _), one in zip(people, rows, strict=True) for loan in one["loan_ids"]],
        )
        messages = [
            (number, person, borrower, one["channel_code"], one["purpose_code"], list(one["loan_ids"]))
            for number, ((person, borrower), one) in enumerate(zip(people, rows, strict=True))
        ]
        work.connection.register("message", table_of(MESSAGE, messages))

    def _ask(self, work: Work, day: Day, rows: list[Row], known: Known, found: Ahead) -> None:
        """Make the rows candidates, as the plan did, and keep those of the point that each is planned for."""
        selection, books = self._selection(day), {}
        about = work.connection.execute(select_text("read__message_about")).fetchall()
        found.regions = {rows[number]["step_key"]: frozenset(regions) for number, regions, _ in about}
        found.products = {rows[number]["step_key"]: frozenset(products) for number, _, products in about}
        work.connection.execute(f"CREATE TABLE due_step AS {select_text('read__message_due')}")
        parameters = {
            "turn": 0,
            "planned_at": found.opened_at,
            "until_at": None,
            "are_flags_known": known.flags,
            "is_history_known": known.history,
            "are_consents_known": known.consents,
        }
        work.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE contact_candidate AS {select_text('read__contact_candidate')}", parameters
        )
        reach = work.connection.execute("SELECT contact_point_id, place_code FROM contact_reach")
        found.places = dict(reach.fetchall())
        parties = defaultdict(set)
        for person, party in work.connection.execute("SELECT person_id, party_id FROM due_person").fetchall():
            parties[person].add(party)
        for candidate, facts, planned in questions(work.connection, {"": known.holidays}):
            row = rows[candidate["case_no"]]
            if planned.contact_point_id != row["contact_point_id"]:
                continue
            name = candidate["book"]
            if name not in books:
                books[name] = day_rules(selection.named(name))
            of_person = frozenset(parties[candidate["person_id"]])
            found.asked[row["step_key"]] = Asked(books[name], facts, planned, of_person)
        found.ways = {_way_of(row) for row in rows}
        found.about = {
            "person_id": {row["person_id"] for row in rows if row["person_id"]},
            "party_id": {party for listed in parties.values() for party in listed},
            "loan_id": {loan for row in rows for loan in row["loan_ids"]},
            "contact_point_id": {row["contact_point_id"] for row in rows},
        }

    def _selection(self, day: Day) -> Selection:
        configured = day.folder.portfolio
        if day.name not in self._selections:
            self._selections[day.name] = select(
                configured.packs,
                day.settings.policies,
                collector_type=configured.collector_type,
                unbound_as_house=configured.unbound_packs_as_house,
            )
        return self._selections[day.name]

    # ---------------------------------------------------------------------------------------- what was said since then
    @staticmethod
    def _hear(connection: Connection, ahead: Ahead) -> None:
        """Read what was reported about the rows read ahead, if anything has been since the last look."""
        mark = feedback_mark(connection, ahead.cut_at - OVERLAP)
        if mark == ahead.mark:
            return
        ahead.flags = reported_flags(connection, ahead.portfolio, ahead.about)
        contacts = reported_contacts(connection, ahead.portfolio, ahead.about)
        # What happened before the day began and was known at its cut, the ledger has told.
        fresh = [one for one in contacts if one["started_at"] >= ahead.opened_at or one["received_at"] > ahead.cut_at]
        ahead.contacts = defaultdict(list)
        for one in fresh:
            for who in {one["person_id"], one["party_id"]} - {None}:
                ahead.contacts[who].append(one)
        ahead.mark = mark

    @staticmethod
    def _flags(ahead: Ahead, asked: Asked) -> list[Flag] | None:
        """The ledger's flags, and those reported: of the person anywhere, of its records, loans and points here."""
        if asked.facts.flags is None:
            return None
        return [
            *asked.facts.flags,
            *(
                Flag(one["flag_code"], one["starts_at"], one["ends_at"], one["loan_id"], one["contact_point_id"])
                for one in ahead.flags
                if _concerns(one, ahead.portfolio, asked)
            ),
        ]

    @staticmethod
    def _history(
        connection: Connection, ahead: Ahead, asked: Asked, row: Mapping[str, Any]
    ) -> list[PriorContact] | None:
        """The ledgers' contacts, those reported since, and what the outbox gave out that neither speaks of."""
        if asked.facts.history is None:
            return None
        heard = [
            one for who in {asked.planned.party_id, *asked.parties} for one in ahead.contacts.get(who, ())
        ]  # one that names the person and the record stands there twice
        known = [
            *asked.facts.history,
            *(_reported(one, ahead, asked) for one in {id(one): one for one in heard}.values()),
        ]
        since = row["business_date"] - LOOK_BACK
        given = [
            _given_out(one, ahead, asked)
            for one in given_out_to(connection, row["person_key"], since)
            if one["step_key"] != row["step_key"] and not _is_told(one, ahead, known)
        ]
        return known + given


def _next_rows(connection: Connection, row: Mapping[str, Any]) -> list[Row]:
    """Rows of the same portfolio, date and shard that a dispatcher comes to after this one."""
    asked = (
        sql_select(NOTIFICATION)
        .where(
            STEP.portfolio == row["portfolio"],
            STEP.business_date == row["business_date"],
            Shard.of(row).rows,
            or_(STEP.state_code.in_(WAITING), and_(STEP.state_code == "sent", STEP.delivery_code.in_(STANDING))),
            tuple_(STEP.not_after_at, STEP.step_key) > (row["not_after_at"], row["step_key"]),
        )
        .order_by(STEP.not_after_at, STEP.step_key)
        .limit(AHEAD)
    )
    return [dict(one) for one in connection.execute(asked).mappings()]


def _way_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["step_key"], row["channel_code"], row["contact_point_id"]


def _cut_at(work: Work, start: datetime) -> datetime:
    """The instant until which the ledger's facts know; the day's first where no extract says."""
    return datetime.fromisoformat(work.known_until) if work.known_until else start


def _concerns(flag: Row, portfolio: str, asked: Asked) -> bool:
    if flag["person_id"] is not None and flag["person_id"] == asked.planned.party_id:
        return True
    return bool(flag["portfolio"] == portfolio) and (
        flag["party_id"] in asked.parties
        or flag["loan_id"] in asked.planned.debts
        or flag["contact_point_id"] == asked.planned.contact_point_id is not None
    )


def _reported(one: Row, ahead: Ahead, asked: Asked) -> PriorContact:
    """A contact that somebody reports; whoever does not say who began has been the one who did."""
    return _prior(one, one["started_at"], one["direction_code"] or "out", ahead, asked)


def _given_out(one: Row, ahead: Ahead, asked: Asked) -> PriorContact:
    """A contact of the outbox: from the earliest instant at which it may have been made."""
    return _prior(one, one["not_before_at"], "out", ahead, asked)


def _prior(one: Row, at: datetime, direction: str, ahead: Ahead, asked: Asked) -> PriorContact:
    """About the loans it names; about none of these debts where it is another portfolio's."""
    is_ours = one["portfolio"] == ahead.portfolio
    return PriorContact(
        at.astimezone(UTC),
        one["channel_code"],
        one["outcome_code"],
        direction=direction,
        purpose=one["purpose_code"],
        party_id=asked.planned.party_id,
        place=ahead.places.get(one["contact_point_id"], "personal"),
        contact_point_id=one["contact_point_id"],
        debts=frozenset(one["loan_ids"] or ()) if is_ours else frozenset({one["portfolio"]}),
    )


def _is_told(given: Row, ahead: Ahead, known: Iterable[PriorContact]) -> bool:
    """Whether the ledger of its portfolio, or a report of it, already speaks of what the outbox gave out."""
    return any(
        contact.direction == "out"
        and contact.channel == given["channel_code"]
        and given["not_before_at"] <= contact.at < given["not_after_at"]
        and given["portfolio"] == next(iter(contact.debts & ahead.others), ahead.portfolio)
        for contact in known
    )
