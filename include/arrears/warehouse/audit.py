"""The audit trail: one entry for each thing a person did by hand, chained so that a change of any is found.

Belongs here: writing an entry, and checking the chain. The table refuses UPDATE, DELETE and TRUNCATE by trigger; who
goes round the trigger breaks the chain, and who rewrites the whole chain breaks an anchor kept elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from arrears.errors import RuleInputError
from arrears.pii import scrubbed
from arrears.warehouse.tables import AUDIT_ENTRY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection

ENTRY = AUDIT_ENTRY.c
UNKEEPABLE = re.compile("[\\x00\\ud800-\\udfff]")
LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended("arrears.audit", 0)))


def record(  # noqa: PLR0913  an entry is its parts
    connection: Connection,
    *,
    actor: str,
    action: str,
    subject: str,
    reason: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> int:
    """Append an entry in the caller's transaction: what was done and its entry are there together, or neither.

    Writers wait for each other from here to their commit, so write the entry last.

    Args:
        connection: With the open transaction of the action.
        actor: Who; required.
        action: ``outbox.cancel`` and the like.
        subject: Identifier of what it was done to; never a name or an address.
        reason: Why, in the actor's words; required. Kept for ever, so a number or an address in it is not.
        before: How it was: strings, whole numbers, booleans, lists and mappings of them.
        after: How it is.

    Returns:
        Number of the entry.

    Raises:
        RuleInputError: Nobody, or no reason, is named.
    """
    if not (_is_said(actor) and _is_said(reason)):
        raise RuleInputError("an action without author or reason", "both, for the audit trail", action)
    connection.execute(LOCK)
    last = connection.execute(
        select(ENTRY.entry_no, ENTRY.entry_hash).order_by(ENTRY.entry_no.desc()).limit(1)
    ).one_or_none()
    number, previous = (last.entry_no + 1, last.entry_hash) if last else (1, "")
    at = connection.execute(select(func.clock_timestamp())).scalar_one()
    own = {"actor": actor, "action": action, "subject": subject, "reason": scrubbed(reason)}
    own = _kept({**own, "before": before, "after": after})
    connection.execute(
        insert(AUDIT_ENTRY).values(
            entry_no=number, at=at, previous_hash=previous, entry_hash=entry_hash(number, at, previous, own), **own
        )
    )
    return number


def _is_said(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _kept(value: Any) -> Any:  # noqa: ANN401  whatever an entry tells
    """The value as the database gives it back: no fractions (jsonb spells them anew), no NUL, no half characters."""
    if isinstance(value, Mapping):
        return {str(_kept(name)): _kept(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_kept(item) for item in value]
    if value is None or isinstance(value, int):
        return value
    return UNKEEPABLE.sub("\ufffd", str(value))


def entry_hash(number: int, at: datetime, previous: str, own: Mapping[str, Any]) -> str:
    """SHA-256 over an entry's number, instant, content and the hash of the one before."""
    said = [number, int(at.timestamp()), at.microsecond, previous, own]
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


@dataclass(frozen=True)
class Link:
    """One entry as a link of the chain.

    Attributes:
        entry_no: Its number.
        entry_hash: Its hash, as written.
        fault: What is wrong with it; empty when it holds.
    """

    entry_no: int
    entry_hash: str
    fault: str


def links(connection: Connection) -> Iterator[Link]:
    """Every link in order: changed, missing, swapped or put in between, each says so.

    A chain cut at its end still holds: ``warehouse.anchors`` knows where it stood.
    """
    number, previous = 0, ""
    for row in connection.execute(select(AUDIT_ENTRY).order_by(ENTRY.entry_no)).mappings():
        number += 1
        own = {name: row[name] for name in ("actor", "action", "subject", "reason", "before", "after")}
        fault = ""
        if row["entry_hash"] != entry_hash(row["entry_no"], row["at"], row["previous_hash"], own):
            fault = "its content is not what was written"
        elif row["entry_no"] != number:
            fault = f"entry {number} before it is missing"
        elif row["previous_hash"] != previous:
            fault = "it does not follow the entry before it"
        yield Link(row["entry_no"], row["entry_hash"], fault)
        number, previous = row["entry_no"], row["entry_hash"]


def broken_entries(connection: Connection) -> list[int]:
    """Numbers at which the chain does not hold; empty when it does."""
    return [link.entry_no for link in links(connection) if link.fault]
