"""The publish transaction: readers see all of a portfolio's business date, or none of it.

Rows are deleted and inserted, never truncated; tables are never swapped by rename: both tear a reader's view. When the
connection breaks, the ledger answers whether the transaction took place; nothing is guessed.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, cast, delete, func, insert, literal, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from arrears.errors import PublishLockedError, WarehouseUnreachableError
from arrears.failpoints import failpoint
from arrears.warehouse.approval import HELD_BECAUSE, ask
from arrears.warehouse.connection import session, transaction
from arrears.warehouse.ledger import find, newest
from arrears.warehouse.outbox import TIME_PASSED, UNREACHED
from arrears.warehouse.reconciliation import check_conservation
from arrears.warehouse.tables import DATA_FRESHNESS, FACTS, MART, NOTIFICATION, PUBLISH_LEDGER, STG
from arrears.warehouse.worklist import fill_worklist, has_opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Connection, Insert

    from arrears.contracts.model import Contract
    from arrears.lake import Manifest
    from arrears.rules.departure import Departure
    from arrears.warehouse.ledger import Published
    from arrears.warehouse.staging import Figures

LOCK_SECONDS = 5
PLAN = "out__contact_plan_daily"
HISTORY_ONCE_OPENED = ("out__assignment_daily", PLAN, "core__contact_decision_daily")
STEP_COLUMNS = (
    "step_key",
    "portfolio",
    "case_id",
    "borrower_id",
    "person_id",
    "business_date",
    "step_id",
    "channel_code",
    "contact_point_id",
    "template_code",
    "language",
    "not_before_at",
    "not_after_at",
    "state_code",
    "purpose_code",
    "strategy",
    "currency",
)


@dataclass(frozen=True)
class Publication:
    """One try to publish a portfolio's business date.

    Attributes:
        publication_id: Chosen before the transaction, so that its outcome can be looked up.
        portfolio: Portfolio folder name.
        business_date: The day.
        replaces: What was current when the lake was read; None when the date was never published.
        content_hash: Over the content hashes of ``manifests``.
        manifests: Manifest by lake table of every fact.
        known_until: Instant up to which feedback was known, if the day froze one.
        now: The instant of the publication; with a zone.
        release_at: Instant against which planned contacts are released to the outbox; None when they may not be.
        run_ref: The run, for people.
        departures: Why what it releases must wait for a person; empty: it need not.
    """

    publication_id: UUID
    portfolio: str
    business_date: date
    replaces: Published | None
    content_hash: str
    manifests: Mapping[str, Manifest]
    known_until: datetime | None
    now: datetime
    release_at: datetime | None
    run_ref: str
    departures: tuple[Departure, ...] = ()

    @property
    def has_new_content(self) -> bool:
        """Whether facts change: another content than the current one, or the first."""
        return self.replaces is None or self.replaces.content_hash != self.content_hash

    @property
    def is_done(self) -> bool:
        """Whether the current publication leaves nothing to do: equal content, contacts released if they may be.

        A date that a backfill published first is released by its own run later, without touching a fact.
        """
        released = self.replaces is not None and self.replaces.released_contacts is not None
        return not self.has_new_content and (released or self.release_at is None)


@contextmanager
def only_publisher(url: str, portfolio: str) -> Iterator[None]:
    """Be the one publisher of a portfolio, from staging to the end; the server lets go when the process dies.

    Should the server drop this connection earlier, another publisher may begin: the transaction has its own lock,
    counts what it inserts and looks at what it replaces, so the worst is a second try.

    Raises:
        PublishLockedError: There is another.
    """
    with session(url) as connection:
        connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS}s'"))
        connection.execute(select(func.pg_advisory_lock(func.hashtextextended(f"arrears.stage:{portfolio}", 0))))
        yield


def publish_staged(url: str, publication: Publication, figures: Mapping[str, Figures]) -> int | None:
    """Replace the date's facts by the staged ones, with freshness, ledger and outbox, in one transaction.

    Args:
        url: The warehouse.
        publication: What to publish; its rows are staged and audited when it has new content.
        figures: Figures of the staged rows by lake table.

    Returns:
        Contacts released to the outbox; None when they may not be.

    Raises:
        PublishLockedError: Another publication of the portfolio is or was at work meanwhile; try again.
        PublishAuditError: The facts do not sum to one another.
        WarehouseUnreachableError: The connection broke, and nothing was published.
    """
    try:
        return _try(url, publication, figures)
    except WarehouseUnreachableError:
        # Whether the lost transaction took place stands in the ledger. Should it still be at work, it holds the lock,
        # so that the second try waits for its end before it looks.
        return _try(url, publication, figures)


def _try(url: str, publication: Publication, figures: Mapping[str, Figures]) -> int | None:
    with transaction(url) as connection:
        released = _publish(connection, publication, figures)
        failpoint("publish.before_commit")
    failpoint("publish.after_commit")
    return released


def _publish(connection: Connection, publication: Publication, figures: Mapping[str, Figures]) -> int | None:
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
    lock = func.hashtextextended(f"arrears.publish:{publication.portfolio}", 0)
    connection.execute(select(func.pg_advisory_xact_lock(lock)))
    done = find(connection, publication.publication_id)
    if done is not None:
        return done.released_contacts
    current = newest(connection, publication.portfolio, publication.business_date)
    if current != publication.replaces:
        raise PublishLockedError(
            "the date was published by another run meanwhile", "one publication at a time", _place(publication)
        )
    is_history = has_opened(connection, publication.portfolio, publication.business_date, publication.now)
    if publication.has_new_content:
        kept = HISTORY_ONCE_OPENED if is_history else ()
        replaced = [contract for contract in FACTS if contract.table not in kept]
        for contract in replaced:
            _replace_fact(connection, contract, publication, figures[contract.table].rows)
        check_conservation(connection, publication.portfolio, publication.business_date, is_history=is_history)
        _note_freshness(connection, publication, figures, replaced)
    released = None if publication.release_at is None else _release(connection, publication, publication.release_at)
    if released and publication.departures:
        ask(
            connection,
            publication.publication_id,
            publication.portfolio,
            publication.business_date,
            publication.departures,
            released,
        )
    if released is not None and not is_history:
        fill_worklist(connection, publication.portfolio, publication.business_date)
    _note_publication(connection, publication, figures, released)
    return released


def _replace_fact(connection: Connection, contract: Contract, publication: Publication, rows: int) -> None:
    mart, stg = MART[contract.table], STG[contract.table]
    connection.execute(
        delete(mart).where(mart.c.portfolio == publication.portfolio, mart.c.business_date == publication.business_date)
    )
    names = [column.name for column in mart.columns]
    staged = select(*(stg.c[name] for name in names)).where(stg.c.publication_id == str(publication.publication_id))
    inserted = _inserted(connection, insert(mart).from_select(names, staged))
    if inserted != rows:
        raise PublishLockedError(
            f"stg.{contract.mart} holds {inserted} of {rows} audited rows",
            "staged rows untouched since the audit, by another run or a server crash",
            _place(publication),
        )


def _note_freshness(
    connection: Connection, publication: Publication, figures: Mapping[str, Figures], replaced: Sequence[Contract]
) -> None:
    key = [column.name for column in DATA_FRESHNESS.primary_key]
    moving = [column.name for column in DATA_FRESHNESS.columns if column.name not in key]
    note = upsert(DATA_FRESHNESS).values(
        [
            {
                "dataset": contract.mart,
                "portfolio": publication.portfolio,
                "business_date": publication.business_date,
                "status_code": "published" if publication.replaces is None else "restated",
                "published_at": func.now(),
                "rows": figures[contract.table].rows,
                "load_id": publication.manifests[contract.table].load_id,
                "content_hash": publication.manifests[contract.table].content_hash,
                "contract_version": contract.version,
            }
            for contract in replaced
        ]
    )
    connection.execute(
        note.on_conflict_do_update(index_elements=key, set_={name: note.excluded[name] for name in moving})
    )


def _release(connection: Connection, publication: Publication, now: datetime) -> int:
    """Hand the planned contacts whose time has not passed to the outbox; a step that is there stays as it is.

    Unless an earlier day put it there and it surely reached nobody: then it is this day's, by this day's way. (The
    trigger of the table lets no other day wake what has ended.)

    A plan that departs from its history waits there for a person: ``held``.
    """
    plan = MART[PLAN].c
    loan_ids = func.string_to_array(plan.loan_ids, ",")
    ways = func.coalesce(cast(plan.other_ways, JSONB), func.jsonb_build_array())
    state, reason = ("held", HELD_BECAUSE) if publication.departures else ("planned", "planned")
    columns = [literal(state) if name == "state_code" else plan[name] for name in STEP_COLUMNS]
    steps = select(*columns, loan_ids, ways, literal(reason)).where(
        plan.portfolio == publication.portfolio,
        plan.business_date == publication.business_date,
        plan.state_code == "planned",
        plan.not_after_at > now,
    )
    names = (*STEP_COLUMNS, "loan_ids", "ways", "reason_code")
    outbox = upsert(NOTIFICATION).from_select(names, steps)
    there, anew = NOTIFICATION.c, {name: outbox.excluded[name] for name in names[1:]}
    once = {"changed_by": "publish", "next_try_at": None, "approval_id": None}
    is_left = and_(
        there.business_date < outbox.excluded.business_date,
        there.state_code.in_(UNREACHED),
        or_(there.state_code != "expired", there.reason_code.in_(TIME_PASSED)),
    )
    return _inserted(
        connection, outbox.on_conflict_do_update(index_elements=["step_key"], set_=anew | once, where=is_left)
    )


def _note_publication(
    connection: Connection, publication: Publication, figures: Mapping[str, Figures], released: int | None
) -> None:
    connection.execute(
        insert(PUBLISH_LEDGER).values(
            publication_id=publication.publication_id,
            portfolio=publication.portfolio,
            business_date=publication.business_date,
            content_hash=publication.content_hash,
            contract_versions={contract.mart: contract.version for contract in FACTS},
            control_totals={contract.mart: asdict(figures[contract.table]) for contract in FACTS},
            inputs={table: manifest.content_hash for table, manifest in publication.manifests.items()},
            known_until=publication.known_until,
            released_contacts=released,
            run_ref=publication.run_ref,
        )
    )


def _inserted(connection: Connection, statement: Insert) -> int:
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount


def _place(publication: Publication) -> str:
    return f"{publication.portfolio} {publication.business_date}"
