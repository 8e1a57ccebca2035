"""The job of erasing a person: whatever the vault holds of one party goes, its keys first, and never comes back.

What goes: numbers and addresses, what agents wrote, values of rejected rows and reports that name the party, its loans
or its points, dial tokens; and the data keys, so that copies of the database hold noise. What stays: pseudonymous rows
in lake, marts and outbox, the record of what was done and of what was owed; no figure changes. From then on nothing
that is loaded, reported or rerun brings a value of the party back. The source is the lender's own, and is not touched.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, or_, select, update

from arrears.errors import LegalHoldError, OutboxStateError
from arrears.failpoints import failpoint
from arrears.feedback.vault import emptied_report, rejected_reports
from arrears.jobs.day import Day
from arrears.portfolio import load_folder
from arrears.settings import load_settings
from arrears.sources.vault import words_of
from arrears.warehouse.audit import record
from arrears.warehouse.connection import transaction
from arrears.warehouse.feedback_tables import FEEDBACK_EVENT, FEEDBACK_NOTE, FEEDBACK_REJECTED_VALUES
from arrears.warehouse.sealing import Vault
from arrears.warehouse.tables import CONTACT_VALUE, LEGAL_HOLD, REJECTED_ROW
from arrears.warehouse.worklist import DIAL_TOKEN

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arrears.settings import Settings

HOLD, VALUE, NOTE, TOKEN = LEGAL_HOLD.c, CONTACT_VALUE.c, FEEDBACK_NOTE.c, DIAL_TOKEN.c
NAMED_BY = {"raw__loan": ("borrower_id", "loan_id"), "raw__contact_point": ("party_id", "contact_point_id")}


def erasure(  # noqa: PLR0913  an action is its parts
    portfolio: str,
    party_id: str,
    *,
    actor: str,
    reason: str,
    dry_run: bool = True,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Erase what the vault holds of a party, or count it.

    Args:
        portfolio: Folder name.
        party_id: The party, as the source calls it.
        actor: Who erases; goes into the audit trail.
        reason: Why: the request, the law.
        dry_run: Count only.
        settings: This deployment, unless a test brings its own.

    Returns:
        Rows by kind, and data keys.

    Raises:
        LegalHoldError: A hold keeps the party's records.
        RuleInputError: Nobody, or no reason, is named.
        WarehouseUnreachableError: The server did not answer; nothing was erased.
    """
    settings = settings or load_settings()
    points, loans = _known_of(portfolio, party_id, settings)
    with transaction(settings.warehouse) as connection:
        held = connection.execute(_holds(portfolio, party_id).limit(1)).scalar_one_or_none()
        if held is not None:
            raise LegalHoldError(f"legal hold {held}", "a party that no hold keeps", portfolio)
        vault = Vault(connection, settings.keys)
        points |= set(
            connection.execute(
                select(VALUE.contact_point_id).where(VALUE.portfolio == portfolio, VALUE.subject == f"party:{party_id}")
            ).scalars()
        )
        named = {party_id, *points, *loans}
        subjects = [f"party:{party_id}", *(f"point:{point}" for point in points)]
        rejected = _rejected_naming(connection, vault, portfolio, named)
        reported = _reports_naming(connection, settings, vault, portfolio, named)
        of_party = [
            (
                CONTACT_VALUE,
                [VALUE.portfolio == portfolio, or_(VALUE.subject.in_(subjects), VALUE.contact_point_id.in_(points))],
            ),
            (FEEDBACK_NOTE, [NOTE.subject == f"party:{party_id}", NOTE.event_id.in_(_events(portfolio))]),
            (DIAL_TOKEN, [TOKEN.portfolio == portfolio, TOKEN.contact_point_id.in_(points)]),
        ]
        found = {
            str(table): connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
            for table, where in of_party
        }
        found |= {str(REJECTED_ROW): len(rejected), str(FEEDBACK_REJECTED_VALUES): len(reported)}
        if dry_run:
            return {"portfolio": portfolio, "dry_run": True, **found}
        for table, where in of_party:
            connection.execute(delete(table).where(*where))
        for table, emptied in ((REJECTED_ROW, rejected), (FEEDBACK_REJECTED_VALUES, reported)):
            for key, sealed in emptied:
                same = [table.c[name] == value for name, value in key.items()]
                connection.execute(update(table).where(*same).values(delivered=sealed))
        keys = vault.erase(portfolio, [*subjects, *(f"named:{one}" for one in named)])
        failpoint("erasure.before_commit")
        after = {**found, "data_keys": keys}
        subject = f"{portfolio} {vault.mac_of(portfolio, party_id)}"
        record(connection, actor=actor, action="privacy.erase", subject=subject, reason=reason, after=after)
    return {"portfolio": portfolio, "dry_run": False, **after}


def hold(connection: Connection, portfolio: str, party_id: str, *, actor: str, reason: str) -> int:
    """Keep a party's records from erasure; the number of the hold."""
    made = insert(LEGAL_HOLD).values(portfolio=portfolio, party_id=party_id, reason=reason, started_by=actor)
    number = int(connection.execute(made.returning(HOLD.hold_id)).scalar_one())
    record(connection, actor=actor, action="privacy.hold", subject=f"hold {number}", reason=reason)
    return number


def end_hold(connection: Connection, hold_id: int, *, actor: str, reason: str) -> None:
    """End a hold.

    Raises:
        OutboxStateError: There is no such hold, or it has ended.
    """
    ended = update(LEGAL_HOLD).where(HOLD.hold_id == hold_id, HOLD.ended_at.is_(None))
    if not connection.execute(ended.values(ended_at=func.clock_timestamp(), ended_by=actor)).rowcount:
        raise OutboxStateError(f"no hold {hold_id} that holds", "one that does", "privacy end-hold")
    record(connection, actor=actor, action="privacy.end_hold", subject=f"hold {hold_id}", reason=reason)


def _holds(portfolio: str, party_id: str) -> Any:  # noqa: ANN401  a SELECT
    return select(HOLD.hold_id).where(HOLD.portfolio == portfolio, HOLD.party_id == party_id, HOLD.ended_at.is_(None))


def _events(portfolio: str) -> Any:  # noqa: ANN401  a SELECT
    return select(FEEDBACK_EVENT.c.event_id).where(FEEDBACK_EVENT.c.portfolio == portfolio)


def _known_of(portfolio: str, party_id: str, settings: Settings) -> tuple[set[str], set[str]]:
    """Contact points and loans of the party, in every ledger that the lake still has."""
    first = load_folder(portfolio, settings).portfolio.first_business_date
    found: dict[str, set[str]] = {}
    day = Day.open(portfolio, first, settings=settings)
    for table, (owner, name) in NAMED_BY.items():
        found[table] = set()
        for one in day.lake.dates(portfolio, table):
            with Day.open(portfolio, one, settings=settings).work() as work:
                work.read(table)
                rows = work.connection.execute(
                    f"SELECT {name} FROM {table} WHERE {owner} = $party", {"party": party_id}
                )
                found[table] |= {value for (value,) in rows.fetchall()}
    return found["raw__contact_point"], found["raw__loan"]


def _rejected_naming(
    connection: Connection, vault: Vault, portfolio: str, named: set[str]
) -> list[tuple[dict[str, Any], bytes | None]]:
    """Rejected rows that name one of these, each with what takes the place of its values."""
    rows = connection.execute(select(REJECTED_ROW).where(REJECTED_ROW.c.portfolio == portfolio)).mappings()
    emptied = []
    for row in rows.all():
        subject, place = f"day:{row['business_date']}", f"{row['table_name']}/{row['row_number']}/{row['rule_id']}"
        delivered = json.loads(vault.open(portfolio, subject, place, row["delivered"]) or "{}")
        if named & words_of(delivered):
            key = {column.name: row[column.name] for column in REJECTED_ROW.primary_key}
            emptied.append((key, vault.seal(portfolio, subject, place, json.dumps(dict.fromkeys(delivered)))))
    return emptied


def _reports_naming(
    connection: Connection, settings: Settings, vault: Vault, portfolio: str, named: set[str]
) -> list[tuple[dict[str, Any], bytes | None]]:
    """Reported rows in quarantine that name one of these, likewise."""
    found = rejected_reports(connection, settings.keys, portfolio)
    return [(key, emptied_report(vault, key)) for key, said in found if any(one in said for one in named)]
