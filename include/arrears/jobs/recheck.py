"""Everything again, at the moment of sending: the dispatcher's judge over the real books.

Belongs here: the questions, in their order, each about one row that the dispatcher has locked: is its day still the
portfolio's, is its ledger the newest, does a stop cover what it is about, is the payment feed alive, is it still owed
and nothing promised, does the contact policy allow it now, is there a text and an address. The first that says no is
the reason.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, cast

from pydantic import Field
from sqlalchemy import Text, and_, column, func, or_, select, table
from sqlalchemy.dialects.postgresql import ARRAY

from arrears.errors import TemplateError
from arrears.jobs.at_sending import PolicyAtSending
from arrears.jobs.day import Day
from arrears.jobs.freshness import moved_inputs
from arrears.policy.documents import Document, read_document
from arrears.portfolio import closing_date
from arrears.rules.hours import midnight
from arrears.sending.addresses import address_of
from arrears.sending.claims import is_stopped_by
from arrears.sending.dispatch import Go, No
from arrears.sending.templates import Figures, cached_library
from arrears.sending.values import Message, Private
from arrears.warehouse.tables import DATA_FRESHNESS, MART, PUBLISH_LEDGER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, ScalarSelect

    from arrears.keys import KeyRing
    from arrears.sending.claims import Row
    from arrears.sending.values import Channel
    from arrears.settings import Settings

PAYMENT = table(
    "feedback_payment",
    *map(
        column, ("portfolio", "loan_id", "amount_minor", "state_code", "initiated_at", "valid_until_at", "received_at")
    ),
    schema="ops",
)
PROMISE = table(
    "feedback_promise",
    column("loan_ids", ARRAY(Text)),
    *map(column, ("portfolio", "due_on", "cancelled_at", "received_at")),
    schema="ops",
)
LOAN, CASE, PLAN = (
    MART[table].c for table in ("core__loan_delinquency_daily", "core__case_daily", "out__contact_plan_daily")
)
LEDGER, FRESHNESS = PUBLISH_LEDGER.c, DATA_FRESHNESS.c
SENDER_FILE = "sender.yaml"
STOPPED, STALE = "stopped", "stale_ledger"
STALE_WAIT, LOOK_SECONDS = timedelta(minutes=10), 60.0
MADE_FROM = ("core__loan_delinquency_daily", "out__contact_plan_daily")
UNDER_WAY = ("initiated", "pending")
REASON_CHARACTERS = 400


class Sender(Document):
    """What a portfolio's messages say of the sender: ``include/portfolios/<name>/sender.yaml``.

    Attributes:
        creditor: Who is owed, as borrowers know them.
        phone: Where to call.
        pay_url: Where to pay, or see one's options.
        agency: Who collects; stops name it.
        address: One line for the head of letters.
        payment_feed_hours: Nothing is sent when no payments have been heard of for so long.
    """

    creditor: str = Field(min_length=1, max_length=40)
    phone: str = Field(min_length=1, max_length=30)
    pay_url: str = Field(pattern=r"^https://[^\s]+$", max_length=80)
    agency: str = ""
    address: str = Field(default="", max_length=120)
    payment_feed_hours: int = Field(default=36, ge=1, le=168)


@dataclass(frozen=True)
class Debts:
    """What the row's loans owe, by the ledger of its day.

    Attributes:
        loans: Past-due amount by loan.
        as_of: Close of the ledger.
        coming_minor: Of a row about nothing that is late: what falls due soon, 0 where it asks for nothing.
    """

    loans: dict[str, int]
    as_of: date
    coming_minor: int | None = None

    @property
    def amount_minor(self) -> int:
        """Of all of them."""
        return self.coming_minor or sum(self.loans.values())

    def are_met_by(self, paying: Mapping[str, int]) -> bool:
        """Whether nothing of it is left once these payments have come."""
        if self.coming_minor is not None:
            return sum(paying.values()) >= self.coming_minor
        return all(paying.get(loan, 0) >= owed for loan, owed in self.loans.items())


@dataclass
class Recheck:
    """A ``Judge``; one for a dispatcher's run.

    Attributes:
        settings: The deployment.
        channel: Where the row would go.
    """

    settings: Settings
    channel: Channel
    _policy: PolicyAtSending | None = field(default=None, repr=False)
    _days: dict[tuple[str, date], Day] = field(default_factory=dict, repr=False)
    _senders: dict[str, Sender] = field(default_factory=dict, repr=False)
    _fresh: dict[tuple[str, date], tuple[float, bool]] = field(default_factory=dict, repr=False)

    def __call__(self, connection: Connection, row: Row, now: datetime) -> Go | No:
        """Judge one row; see ``dispatch.Judge``."""
        day = self._day(row)
        today = now.astimezone(day.folder.portfolio.zone).date()
        if row["business_date"] != today:
            return No("expired", "another_day")
        sender = self._sender(row["portfolio"])
        if self._is_stale(day):
            return _of_another_ledger(row, now)
        debts = debts_of(connection, row)
        regions = self.policy.regions(connection, row)
        products = self.policy.products(connection, row)
        about = {"region": regions, "product": products, "list": {row["strategy"]}}
        about |= {"agency": {sender.agency}} if sender.agency else {}
        if is_stopped_by(connection, row, about):
            return No("planned", STOPPED, until=now + timedelta(minutes=1))
        heard_at = payments_heard_at(connection, row)
        if heard_at is None or now - heard_at > timedelta(hours=sender.payment_feed_hours):
            return No("suppressed", "payment_feed_silent")
        return (
            _no_longer_owed(connection, row, debts, now, midnight(today, day.folder.portfolio.zone))
            or _promised(connection, row, today - timedelta(days=day.folder.portfolio.promises.grace_days))
            or self._forbidden(connection, row, now)
            or self._message(connection, row, today, debts, sender, regions)
        )

    def objection(self, connection: Connection, row: Row, now: datetime) -> tuple[str | None, bool]:
        """Why a row that was handed over may not be acted on now, and whether that is for good; None: it may."""
        answer = self(connection, row, now)
        if isinstance(answer, Go):
            return None, False
        return answer.reason, answer.until is None or answer.reason == STOPPED

    def withdrawn(self, connection: Connection, row: Row, now: datetime) -> str | None:
        """Why a row that was handed over may not be acted on any more; None when it may, or may later today."""
        reason, is_for_good = self.objection(connection, row, max(now, row["not_before_at"]))
        return reason if is_for_good else None

    @property
    def policy(self) -> PolicyAtSending:
        """The contact policy, with what it has read ahead for this run."""
        if self._policy is None:
            self._policy = PolicyAtSending(self.settings)
        return self._policy

    def _day(self, row: Row) -> Day:
        """The row's day, with the configuration that this run began with."""
        key = (row["portfolio"], row["business_date"])
        if key not in self._days:
            self._days[key] = Day.open(*key, settings=self.settings)
        return self._days[key]

    @cached_property
    def _keys(self) -> KeyRing:
        return self.settings.keys

    def _is_stale(self, day: Day) -> bool:
        """Whether what the day's amounts and plan were made from has been delivered anew; looked at once a minute.

        A correction that is in the lake and not published yet: the amounts would be wrong. A changed configuration
        alone is no reason: the plan was made by the one of its time.
        """
        key = (day.name, day.business_date)
        looked_at, is_stale = self._fresh.get(key, (float("-inf"), False))
        if time.monotonic() - looked_at >= LOOK_SECONDS:
            is_stale = any(not one.startswith("config of ") for one in moved_inputs(day, MADE_FROM))
            self._fresh[key] = (time.monotonic(), is_stale)
        return is_stale

    def _forbidden(self, connection: Connection, row: Row, now: datetime) -> No | None:
        """The contact policy's no: for now, where it names a time that is early enough, else for good."""
        self.policy.check_review(self._day(row), now, is_sandbox=self.channel.capabilities.is_sandbox)
        content = cached_library(self.settings.templates).content_of(row["template_code"], row["language"])
        decision = self.policy.decision(connection, row, now, content=content)
        if decision.is_allowed:
            return None
        reason = ",".join(fired.rule_id for fired in decision.fired)[:REASON_CHARACTERS]
        if decision.earliest_at is not None and decision.earliest_at < row["not_after_at"]:
            return No("planned", reason, until=decision.earliest_at)
        return No("suppressed", reason)

    def _message(  # noqa: PLR0913, PLR0917  a message is its parts
        self, connection: Connection, row: Row, today: date, debts: Debts, sender: Sender, regions: frozenset[str]
    ) -> Go | No:
        address = address_of(connection, self._keys, row["portfolio"], row["contact_point_id"])
        if address is None:
            if not self.channel.capabilities.is_sandbox:
                return No("suppressed", "no_address")
            address = Private(f"point {row['contact_point_id']}")
        figures = Figures(
            creditor=sender.creditor,
            amount_minor=debts.amount_minor,
            currency=row["currency"],
            as_of=debts.as_of,
            debts=len(debts.loans or row["loan_ids"]),
            phone=sender.phone,
            pay_url=sender.pay_url,
        )
        library = cached_library(self.settings.templates)
        try:
            content = library.render(row["template_code"], row["language"], row["channel_code"], figures)
        except TemplateError:
            return No("held", f"template_{row['template_code']}_{row['language']}")
        if self.channel.capabilities.hands_over:
            named = {"area": min(regions) if len(regions) == 1 else "", "sender": sender.creditor}
            content = replace(content, facts={**content.facts, **named, "sender_address": sender.address})
        message = Message(
            step_key=row["step_key"],
            attempt_no=row["attempt_no"] + 1,
            channel=row["channel_code"],
            address=address,
            content=content,
            portfolio=row["portfolio"],
            not_after=row["not_after_at"].isoformat(),
        )
        return Go(message, today)

    def _sender(self, portfolio: str) -> Sender:
        if portfolio not in self._senders:
            path = self.settings.portfolios / portfolio / SENDER_FILE
            self._senders[portfolio] = read_document(path, Sender)
        return self._senders[portfolio]


def debts_of(connection: Connection, row: Row) -> Debts:
    """What is owed on the row's loans by the published ledger of its day; what is not past due is not there."""
    asked = select(LOAN.loan_id, LOAN.past_due_minor).where(
        LOAN.portfolio == row["portfolio"],
        LOAN.business_date == row["business_date"],
        LOAN.loan_id.in_(row["loan_ids"]),
        LOAN.past_due_minor > 0,
    )
    late = {one.loan_id: one.past_due_minor for one in connection.execute(asked)}
    return Debts(late, closing_date(row["business_date"]), None if late else _coming_minor(connection, row))


def _coming_minor(connection: Connection, row: Row) -> int | None:
    """Amount of a step before anything is late, as planned: of a coming due date or a first loan, which no case has.

    None, too, where the ledger was corrected after the day had opened and its plan was history: what was paid in
    advance meanwhile, nobody knows.
    """
    of_the_day = (CASE.portfolio == row["portfolio"], CASE.business_date == row["business_date"])
    has_case = select(CASE.case_id).where(*of_the_day, CASE.case_id == row["case_id"]).exists()
    of_facts = (FRESHNESS.portfolio == row["portfolio"], FRESHNESS.business_date == row["business_date"])
    ledger_at, plan_at = (
        select(FRESHNESS.published_at).where(*of_facts, FRESHNESS.dataset == MART[table].name).scalar_subquery()
        for table in MADE_FROM
    )
    asked = select(PLAN.past_due_minor).where(
        PLAN.portfolio == row["portfolio"],
        PLAN.business_date == row["business_date"],
        PLAN.step_key == row["step_key"],
        ~has_case,
        or_(PLAN.past_due_minor == 0, func.coalesce(ledger_at <= plan_at, True)),
    )
    return cast("int | None", connection.execute(asked).scalar_one_or_none())


def _of_another_ledger(row: Row, now: datetime) -> No:
    """Not now; and, once its window leaves no time for a restatement and a look after it, not at all."""
    look = now + STALE_WAIT
    if look + STALE_WAIT > row["not_after_at"]:
        return No("suppressed", STALE)
    return No("planned", STALE, until=look)


def _no_longer_owed(connection: Connection, row: Row, debts: Debts, now: datetime, began_at: datetime) -> No | None:
    """No when nothing is owed, or when somebody is paying: then the amount in the text would be wrong."""
    if debts.coming_minor == 0:  # it asks for nothing
        return None
    if not debts.amount_minor:
        return No("suppressed", "nothing_owed")
    paying = payments_since(connection, row, now, began_at)
    if not paying:
        return None
    return No("suppressed", "paid" if debts.are_met_by(paying) else "part_paid")


def _promised(connection: Connection, row: Row, due_from: date) -> No | None:
    """No when somebody has promised since the day was cut, due then or later; of an earlier promise the plan knows."""
    view = PROMISE.c
    asked = select(view.due_on).where(
        view.portfolio == row["portfolio"],
        view.loan_ids.overlap(row["loan_ids"]),
        view.cancelled_at.is_(None),
        view.due_on >= due_from,
        view.received_at > _cut_of(row),
    )
    return None if connection.execute(asked.limit(1)).first() is None else No("suppressed", "promised")


def _cut_of(row: Row) -> ScalarSelect[datetime]:
    """Until when the published day of the row knew what was reported."""
    asked = select(func.max(LEDGER.known_until)).where(
        LEDGER.portfolio == row["portfolio"], LEDGER.business_date == row["business_date"]
    )
    return asked.scalar_subquery()


def payments_since(connection: Connection, row: Row, now: datetime, began_at: datetime) -> dict[str, int]:
    """Payments by loan that the day's ledger does not know: under way and still valid, or booked since.

    Since its cut, or, where the cut came late, made since the day began: the ledger was closed before.
    """
    view = PAYMENT.c
    is_under_way = and_(view.state_code.in_(UNDER_WAY), or_(view.valid_until_at.is_(None), view.valid_until_at > now))
    is_news = and_(view.state_code == "booked", or_(view.received_at > _cut_of(row), view.initiated_at >= began_at))
    asked = (
        select(view.loan_id, func.sum(view.amount_minor).label("amount_minor"))
        .where(view.portfolio == row["portfolio"], view.loan_id.in_(row["loan_ids"]), or_(is_under_way, is_news))
        .group_by(view.loan_id)
    )
    return {one.loan_id: int(one.amount_minor) for one in connection.execute(asked)}


def payments_heard_at(connection: Connection, row: Row) -> datetime | None:
    """When payments were last heard of: the cut of the day's published ledger, or a later report of a payment."""
    cut = select(func.max(func.coalesce(LEDGER.known_until, LEDGER.published_at))).where(
        LEDGER.portfolio == row["portfolio"], LEDGER.business_date == row["business_date"]
    )
    reported = select(func.max(PAYMENT.c.received_at)).where(PAYMENT.c.portfolio == row["portfolio"])
    found = connection.execute(select(func.greatest(cut.scalar_subquery(), reported.scalar_subquery()))).scalar_one()
    return None if found is None else cast("datetime", found)
