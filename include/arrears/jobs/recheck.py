"""Everything again, at the moment of sending: the dispatcher's judge over the real books.

Belongs here: the questions, in their order, each about one row that the dispatcher has locked: is its day still the
portfolio's, does a stop cover what it is about, is the payment feed alive, is it still owed, does the contact policy
allow it now, is there a text and an address. The first that says no is the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from pydantic import Field
from sqlalchemy import and_, column, func, or_, select, table

from arrears.errors import TemplateError
from arrears.jobs.at_sending import PolicyAtSending
from arrears.jobs.day import Day
from arrears.policy.documents import Document, read_document
from arrears.sending.addresses import address_of
from arrears.sending.dispatch import Go, No
from arrears.sending.templates import Figures, cached_library
from arrears.sending.values import Message, Private
from arrears.warehouse.tables import MART, OUTBOX_STOP, PUBLISH_LEDGER

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arrears.sending.claims import Row
    from arrears.sending.values import Channel
    from arrears.settings import Settings

PAYMENT = table(
    "feedback_payment",
    *map(column, ("portfolio", "loan_id", "amount_minor", "state_code", "valid_until_at", "received_at")),
    schema="ops",
)
LOAN, LEDGER, STOP = MART["core__loan_delinquency_daily"].c, PUBLISH_LEDGER.c, OUTBOX_STOP.c
SENDER_FILE = "sender.yaml"
STOPPED = "stopped"
UNDER_WAY = ("initiated", "pending")
REASON_CHARACTERS = 400


class Sender(Document):
    """What a portfolio's messages say of the sender: ``include/portfolios/<name>/sender.yaml``.

    Attributes:
        creditor: Who is owed, as borrowers know them.
        phone: Where to call.
        pay_url: Where to pay, or see one's options.
        agency: Who collects; stops name it.
        payment_feed_hours: Nothing is sent when no payments have been heard of for so long.
    """

    creditor: str = Field(min_length=1, max_length=40)
    phone: str = Field(min_length=1, max_length=30)
    pay_url: str = Field(pattern=r"^https://[^\s]+$", max_length=80)
    agency: str = ""
    payment_feed_hours: int = Field(default=36, ge=1, le=168)


@dataclass(frozen=True)
class Debts:
    """What the row's loans owe, by the ledger of its day.

    Attributes:
        loans: Past-due amount by loan.
        products: Of those loans.
        as_of: Close of the ledger.
    """

    loans: dict[str, int]
    products: frozenset[str]
    as_of: date | None

    @property
    def amount_minor(self) -> int:
        """Of all of them."""
        return sum(self.loans.values())


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
    _senders: dict[str, Sender] = field(default_factory=dict, repr=False)

    def __call__(self, connection: Connection, row: Row, now: datetime) -> Go | No:
        """Judge one row; see ``dispatch.Judge``."""
        day = Day.open(row["portfolio"], row["business_date"], settings=self.settings)
        today = now.astimezone(day.folder.portfolio.zone).date()
        if row["business_date"] != today:
            return No("expired", "another_day")
        sender = self._sender(row["portfolio"])
        debts = debts_of(connection, row)
        scopes = {"product": debts.products, "agency": {sender.agency}, "list": {row["strategy"]}}
        if is_stopped_by(connection, scopes):
            return No("planned", STOPPED, until=now + timedelta(minutes=1))
        heard_at = payments_heard_at(connection, row)
        if heard_at is None or now - heard_at > timedelta(hours=sender.payment_feed_hours):
            return No("suppressed", "payment_feed_silent")
        return (
            _no_longer_owed(connection, row, debts, now)
            or self._forbidden(connection, row, now)
            or self._message(connection, row, today, debts, sender)
        )

    def withdrawn(self, connection: Connection, row: Row, now: datetime) -> str | None:
        """Why a row that was handed over may not be acted on any more; None when it may, or may later today."""
        answer = self(connection, row, max(now, row["not_before_at"]))
        if isinstance(answer, Go) or (answer.until is not None and answer.reason != STOPPED):
            return None
        return answer.reason

    def _forbidden(self, connection: Connection, row: Row, now: datetime) -> No | None:
        """The contact policy's no: for now, where it names a time that is early enough, else for good."""
        if self._policy is None:
            self._policy = PolicyAtSending(self.settings)
        self._policy.check_review(row, now, is_sandbox=self.channel.capabilities.is_sandbox)
        content = cached_library(self.settings.templates).content_of(row["template_code"], row["language"])
        decision = self._policy.decision(connection, row, now, content=content)
        if decision.is_allowed:
            return None
        reason = ",".join(fired.rule_id for fired in decision.fired)[:REASON_CHARACTERS]
        if decision.earliest_at is not None and decision.earliest_at < row["not_after_at"]:
            return No("planned", reason, until=decision.earliest_at)
        return No("suppressed", reason)

    def _message(self, connection: Connection, row: Row, today: date, debts: Debts, sender: Sender) -> Go | No:
        address = address_of(connection, row["portfolio"], row["contact_point_id"])
        if address is None:
            if not self.channel.capabilities.is_sandbox:
                return No("suppressed", "no_address")
            address = Private(f"point {row['contact_point_id']}")
        figures = Figures(
            creditor=sender.creditor,
            amount_minor=debts.amount_minor,
            currency=row["currency"],
            as_of=debts.as_of or today,
            debts=len(debts.loans),
            phone=sender.phone,
            pay_url=sender.pay_url,
        )
        library = cached_library(self.settings.templates)
        try:
            content = library.render(row["template_code"], row["language"], row["channel_code"], figures)
        except TemplateError:
            return No("held", f"template_{row['template_code']}_{row['language']}")
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
    asked = select(LOAN.loan_id, LOAN.past_due_minor, LOAN.product_code, LOAN.closing_date).where(
        LOAN.portfolio == row["portfolio"],
        LOAN.business_date == row["business_date"],
        LOAN.loan_id.in_(row["loan_ids"]),
        LOAN.past_due_minor > 0,
    )
    found = connection.execute(asked).all()
    closed = max((one.closing_date for one in found), default=None)
    return Debts(
        {one.loan_id: one.past_due_minor for one in found}, frozenset(one.product_code for one in found), closed
    )


def _no_longer_owed(connection: Connection, row: Row, debts: Debts, now: datetime) -> No | None:
    """No when nothing is owed, or when somebody is paying: then the amount in the text would be wrong."""
    if not debts.loans:
        return No("suppressed", "nothing_owed")
    paying = payments_since(connection, row, now)
    if not paying:
        return None
    is_paid = all(paying.get(loan, 0) >= owed for loan, owed in debts.loans.items())
    return No("suppressed", "paid" if is_paid else "part_paid")


def payments_since(connection: Connection, row: Row, now: datetime) -> dict[str, int]:
    """Payments by loan that the day's ledger does not know: under way and still valid, or booked since its cut."""
    cut = (
        select(func.max(LEDGER.known_until))
        .where(LEDGER.portfolio == row["portfolio"], LEDGER.business_date == row["business_date"])
        .scalar_subquery()
    )
    view = PAYMENT.c
    is_under_way = and_(view.state_code.in_(UNDER_WAY), or_(view.valid_until_at.is_(None), view.valid_until_at > now))
    is_news = and_(view.state_code == "booked", view.received_at > cut)
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


def is_stopped_by(connection: Connection, scopes: dict[str, Any]) -> bool:
    """Whether a stop covers what the row is about; what the row itself says, the claim has asked."""
    covers = [and_(STOP.scope_code == scope, STOP.scope_value.in_(list(values))) for scope, values in scopes.items()]
    return (
        connection.execute(select(STOP.stop_id).where(STOP.ended_at.is_(None), or_(*covers)).limit(1)).first()
        is not None
    )
