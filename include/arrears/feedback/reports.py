"""What may be reported: one typed shape for each kind, ids and codes only.

Belongs here: the shapes and the natural key. Words that people wrote (an agent's note, a supervisor's remark) are taken
out of a report before it is kept, and go to the vault.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, TypeAdapter, model_validator

from arrears.contracts.core_contact import CHANNEL_CODES
from arrears.policy.documents import Document

LARGEST_MINOR = 10**15
EARLIEST_YEAR, FOREVER_YEAR = 1900, 9000
ONE_DAY = timedelta(days=1)
FURTHEST = timedelta(days=5 * 366)  # of a promise: sixty parts, a month each; it pauses contact until then
ID = r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,79}$"
CODE = r"^[a-z][a-z0-9_]{0,39}$"
CHANNELS = frozenset(CHANNEL_CODES)

Id = Annotated[str, Field(pattern=ID)]
Code = Annotated[str, Field(pattern=CODE)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]


def _in_utc(given: datetime) -> datetime:
    """One instant, one spelling: a report that comes again with another zone is the same."""
    if not EARLIEST_YEAR <= given.year < FOREVER_YEAR:
        raise ValueError(f"an instant of the years {EARLIEST_YEAR} to {FOREVER_YEAR - 1}")
    return given.astimezone(UTC)


def _unless_always(given: datetime | None) -> datetime | None:
    """As ``_in_utc``; None for the year 1 and the like, by which sources say that they know of no beginning."""
    return None if given is None or given.year < EARLIEST_YEAR else _in_utc(given)


def _unless_forever(given: datetime | None) -> datetime | None:
    """As ``_in_utc``; None for the year 9999 and the like, by which sources say that there is no end."""
    return None if given is None or given.year >= FOREVER_YEAR else _in_utc(given)


def _no_truth(given: object) -> object:
    """What it is, unless it is JSON's true, which would pass for 1."""
    if isinstance(given, bool):
        raise ValueError("a whole number")  # noqa: TRY004  what pydantic names
    return given


def _storable(given: str) -> str:
    if "\0" in given:
        raise ValueError("text without NUL")
    return given


Minor = Annotated[int, BeforeValidator(_no_truth), Field(gt=0, le=LARGEST_MINOR)]
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Words = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_storable)]


def _listed(given: object) -> object:
    """A list, or in one text, its members divided by commas."""
    return [part for part in given.split(",") if part] if isinstance(given, str) else given


def _channel(given: object) -> object:
    if given is not None and given not in CHANNELS:
        raise ValueError(f"one of {', '.join(sorted(CHANNELS))}")
    return given


Channel = Annotated[Code, BeforeValidator(_channel)]


class Report(Document):
    """What every report says.

    Attributes:
        ref: The source's own identifier of what it reports.
        revision: From 1; the highest says what is true, whenever it arrives.
        occurred_at: When it happened, with its zone.
        party_id: Whom it concerns; found from the loan or point where it is left out.
        contact_point_id: The point it is about.
        loan_ids: The loans it is about; none: it is about the person.
        author_id: Agent or supervisor who says so.
        is_withdrawn: Whether the source takes it back.
    """

    ref: Id
    revision: int = Field(default=1, ge=1, le=100_000)
    occurred_at: Instant
    party_id: Id | None = None
    contact_point_id: Id | None = None
    loan_ids: Annotated[tuple[Id, ...], BeforeValidator(_listed), Field(max_length=50)] = ()
    author_id: Id | None = None
    is_withdrawn: bool = False

    @model_validator(mode="after")
    def _about_somebody(self) -> Report:
        if not (self.party_id or self.contact_point_id or self.loan_ids):
            raise ValueError("party_id, contact_point_id or loan_ids: about whom it is")
        return self


class Lasting(Report):
    """What holds for a time.

    Attributes:
        starts_at: First instant; when it occurred, if left out or before 1900.
        ends_at: First instant after it (half-open); none, or one from 9000 on, while it lasts.
    """

    starts_at: Annotated[AwareDatetime | None, AfterValidator(_unless_always)] = None
    ends_at: Annotated[AwareDatetime | None, AfterValidator(_unless_forever)] = None

    @model_validator(mode="after")
    def _has_a_direction(self) -> Lasting:
        if self.ends_at is not None and self.ends_at < (self.starts_at or self.occurred_at):
            raise ValueError("ends_at: not before it starts")
        return self


class Contact(Report):
    """A call, visit or message, and what came of it."""

    kind: Literal["contact"]
    channel_code: Channel
    direction_code: Literal["out", "in"]
    purpose_code: Literal["collection", "service", "reminder"] = "collection"
    outcome_code: Literal[
        "conversation",
        "no_answer",
        "voicemail",
        "dropped",
        "rejected",
        "busy",
        "not_in_service",
        "delivered",
        "read",
        "sent",
        "received",
    ]
    right_party_code: Literal["yes", "no", "unknown"] = "unknown"
    talk_seconds: int | None = Field(default=None, ge=0, le=86_400)


class Part(Document):
    """One amount promised by one day."""

    amount_minor: Minor
    due_on: date


class Promise(Report):
    """A promise to pay: an amount and a day, or several of them as ``parts``."""

    kind: Literal["promise"]
    currency: Currency
    amount_minor: Minor | None = None
    due_on: date | None = None
    parts: Annotated[tuple[Part, ...], Field(max_length=60)] = ()
    channel_code: Channel | None = None
    contact_ref: Id | None = None
    cancelled_at: Instant | None = None
    cancel_reason_code: Code | None = None

    @model_validator(mode="after")
    def _promises_something(self) -> Promise:
        if not self.loan_ids:
            raise ValueError("loan_ids: the loans whose payments keep it")
        single = self.amount_minor is not None and self.due_on is not None
        if single == bool(self.parts) or (self.parts and (self.amount_minor or self.due_on)):
            raise ValueError("amount_minor and due_on, or parts")
        made_on = self.occurred_at.date()  # in UTC: where it was promised, it may have been the day before
        if any(part.due_on < made_on - ONE_DAY for part in self.all_parts):
            raise ValueError("due_on: not before it was promised")
        if any(part.due_on > made_on + FURTHEST for part in self.all_parts):
            raise ValueError(f"due_on: within {FURTHEST.days} days")
        return self

    @property
    def all_parts(self) -> tuple[Part, ...]:
        """The parts, a single amount being one; the part due first at the front."""
        if self.amount_minor is not None and self.due_on is not None:
            return (Part(amount_minor=self.amount_minor, due_on=self.due_on),)
        return tuple(sorted(self.parts, key=lambda part: part.due_on))


class Matter(Lasting):
    """A dispute or a complaint: it holds contact, and has a day by which it is answered."""

    kind: Literal["dispute", "complaint"]
    reason_code: Code | None = None
    amount_minor: Minor | None = None
    answer_due_on: date | None = None


class Hardship(Lasting):
    """A request for relief."""

    kind: Literal["hardship"]
    reason_code: Code | None = None


class OptOut(Lasting):
    """Somebody does not want to be contacted, on one channel, at one point, or at all."""

    kind: Literal["opt_out"]
    channel_code: Channel | None = None


class WrongNumber(Report):
    """A contact point that does not reach the party."""

    kind: Literal["wrong_number"]
    contact_point_id: Id


class FlagReport(Lasting):
    """Any other fact that holds contact: bankruptcy, death, an attorney, a risk to life ..."""

    kind: Literal["flag"]
    flag_code: Literal[
        "self_harm_risk",
        "deceased",
        "minor",
        "bankruptcy_stay",
        "identity_theft",
        "attorney_known",
        "disaster_area",
        "written_cease",
    ]


class PaymentNotice(Report):
    """A payment under way, failed, or booked."""

    kind: Literal["payment_notice"]
    amount_minor: Minor
    currency: Currency
    state_code: Literal["initiated", "pending", "failed", "booked"]
    expected_on: date | None = None
    valid_until_at: Instant
    payment_channel_code: Code | None = None

    @model_validator(mode="after")
    def _of_one_loan(self) -> PaymentNotice:
        if len(self.loan_ids) != 1:
            raise ValueError("loan_ids: the one loan it is for")
        return self


class AgentNote(Report):
    """What an agent wrote down; the words go to the vault."""

    kind: Literal["agent_note"]
    author_id: Id
    topic_code: Code | None = None
    note: Words


class Override(Lasting):
    """A supervisor's decision: another agent, a pause, a channel barred, a call taken over; remarks go to the vault."""

    kind: Literal["override"]
    author_id: Id
    reason_code: Code
    action_code: Literal["reassign", "pause", "bar_channel", "take_over"]
    agent_id: Id | None = None
    channel_code: Channel | None = None
    note: Words | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Override:
        if (self.action_code == "reassign") != (self.agent_id is not None):
            raise ValueError("agent_id: to whom, of reassign alone")
        if (self.action_code == "bar_channel") != (self.channel_code is not None):
            raise ValueError("channel_code: which, of bar_channel alone")
        return self


AnyReport = Annotated[
    Contact | Promise | Matter | Hardship | OptOut | WrongNumber | FlagReport | PaymentNotice | AgentNote | Override,
    Field(discriminator="kind"),
]
REPORT: TypeAdapter[Any] = TypeAdapter(AnyReport)
COMMON = frozenset(Report.model_fields) - {"is_withdrawn"} | {"kind"}
MODELS: tuple[type[Report], ...] = (
    *(Contact, Promise, Matter, Hardship, OptOut),
    *(WrongNumber, FlagReport, PaymentNotice, AgentNote, Override),
)
KINDS = tuple(code for model in MODELS for code in get_args(model.model_fields["kind"].annotation))
COLUMNS = frozenset(name for model in MODELS for name in model.model_fields)


def detail_of(report: Any) -> dict[str, Any]:  # noqa: ANN401  one of the shapes above
    """What the kind says beside the common part, without words: what is kept as ``detail``."""
    said: dict[str, Any] = report.model_dump(mode="json", exclude=set(COMMON) | {"note"}, exclude_none=True)
    if not said.get("is_withdrawn"):
        said.pop("is_withdrawn", None)
    if isinstance(report, Promise):
        for name in ("amount_minor", "due_on"):
            said.pop(name, None)
        said["parts"] = [part.model_dump(mode="json") for part in report.all_parts]
    return said


def event_id_of(portfolio: str, source: str, report: Any) -> str:  # noqa: ANN401  as above
    """Identifier of a report and revision: the same wherever and how often it arrives."""
    key = "\x1f".join((portfolio, source, report.kind, report.ref, str(report.revision)))
    return f"F-{hashlib.sha256(key.encode()).hexdigest()[:24]}"


def content_hash_of(report: Any) -> str:  # noqa: ANN401  as above
    """Hash of all that is reported, words included: the same again is no news, other content is a contradiction."""
    said = json.dumps(report.model_dump(mode="json"), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(said.encode()).hexdigest()
