"""The breach monitor: every contact that became known today, asked of the rules that were valid when it was made.

Belongs here: which contacts a day replays and what is known of them. It runs as the second half of the step ``plan``.
Contacts become known by the ledger, by a report of an agent, an agency or a machine, and by our own outbox, which is
not trusted to have asked. Each is replayed on the first business date at whose cut it is known, however long ago it was
made, so that it is replayed once and late ones are not missed. Flags and consents are as they were then said to have
stood at that instant; of contacts only earlier ones count.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from arrears.contact.facts import Known, make_fact_relations
from arrears.contact.replay import NOT_KNOWN, books_of, replay_contacts
from arrears.engine.duckdb import select_text
from arrears.jobs.elsewhere import LOOK_BACK, read_contacts_elsewhere
from arrears.jobs.previous import previous_date
from arrears.jobs.reported import read_with_reports, reported
from arrears.jobs.rows import read_rows, write_rows
from arrears.policy.packs import public_holidays
from arrears.policy.selection import select
from arrears.rules.hours import day_bounds
from arrears.warehouse.given_out import ATTEMPTED, attempted

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from arrears.jobs.day import Day, Work
    from arrears.policy.selection import Selection

BREACHES = "core__contact_breach_daily"
CONTACTS = "raw__contact"
LEDGER = ("raw__party", "raw__consent", "raw__loan", "raw__loan_party")
REPORTED = ("contact_point", "flag", "contact")


def replay(day: Day) -> dict[str, Any]:
    """Write ``core__contact_breach_daily``.

    Returns:
        Contacts replayed, and breaches by rule.

    Raises:
        ConfigurationError: A pack is wrong.
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: The day's cases are not made yet.
    """
    configured = day.folder.portfolio
    selection = select(
        configured.packs,
        day.settings.policies,
        collector_type=configured.collector_type,
        unbound_as_house=configured.unbound_packs_as_house,
    )
    with day.work() as work:
        rows = [_row(judged, selection) for judged in _replayed(work, selection)]
        write_rows(work, BREACHES, rows)
    return {
        "replayed": len({row["contact_id"] for row in rows}),
        "breaches_by_rule": dict(
            sorted(Counter(row["rule_id"] for row in rows if row["effect_code"] not in ("", NOT_KNOWN)).items())
        ),
    }


def _replayed(work: Work, selection: Selection) -> list[dict[str, Any]]:
    day, configured = work.day, work.day.folder.portfolio
    delivered = {table: work.read_optional(table) for table in LEDGER} | read_with_reports(work, *REPORTED)
    work.read("core__case_daily")
    read_contacts_elsewhere(work)
    for table in ("out__quarantine", "core__case_loan_daily"):
        work.empty(table)  # a rejected row stops contacts that are yet to come
    _know_contacts(work, previous_date(day))
    zone = {"zone": configured.zone.key}
    work.connection.execute(f"CREATE TABLE contact_replay AS {select_text('read__contact_to_replay')}", zone)
    for name in ("due_case", "due_loan", "due_person"):
        source = "read__due_person" if name == "due_person" else f"read__replayed_{name.removeprefix('due_')}"
        work.connection.execute(f"CREATE TABLE {name} AS {select_text(source)}")
    bounds = day_bounds(day.business_date, configured.zone)
    make_fact_relations(work.connection, bounds, sources=("ledger", "outbox"))  # our own stand in raw__contact
    books = {row["book"]: books_of(selection, row["products"]) for row in read_rows(work, "read__replayed_product")}
    known = Known(
        flags=delivered["raw__flag"],
        history=delivered[CONTACTS],
        consents=delivered["raw__consent"],
        holidays=public_holidays(configured.holidays, day.business_date),
    )
    return list(replay_contacts(work.connection, books, known, are_parties_known=delivered["raw__party"]))


def _know_contacts(work: Work, compared_with: date | None) -> None:
    """Make ``raw__contact`` all contacts known at the day's cut, and ``known_before`` the ids of those known earlier.

    Those of our own outbox are among them, at the instant they were begun.
    """
    day, connection = work.day, work.connection
    before = day.lake.find(day.key(BREACHES, compared_with)) if compared_with else None
    cut_before = before.known_until if before else ""
    if compared_with is None or day.lake.known(day.key(CONTACTS, compared_with)) is None:
        work.empty(CONTACTS, view="previous__contact")
    else:
        work.read(CONTACTS, compared_with, view="previous__contact")
    connection.register("reported_before", reported(work, "feedback_contact", known_until=cut_before))
    connection.register("outbox_attempt", _attempted(work))
    known = {"cut_before": datetime.fromisoformat(cut_before) if cut_before else None}
    connection.execute(f"CREATE TABLE known_before AS {select_text('read__contact_known_before')}", known)
    named = {"portfolio": day.name, "business_date": day.business_date}
    connection.execute(f"CREATE TABLE contact_known AS {select_text('read__contact_known')}", named)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {CONTACTS} AS FROM contact_known")


def _attempted(work: Work) -> pa.Table:
    """What the portfolio's own outbox made, or may have made, of the time that caps look back."""
    settings = work.day.settings
    if settings.warehouse_url is None or not work.known_until:
        return ATTEMPTED.empty_table()
    first = work.day.business_date - LOOK_BACK
    return attempted(settings.warehouse, work.day.name, first, datetime.fromisoformat(work.known_until))


def _row(judged: dict[str, Any], selection: Selection) -> dict[str, Any]:
    labels = {pack.pack: pack.label for pack in selection.packs}
    return {
        "contact_id": judged["contact_id"],
        "case_id": judged["case_id"],
        "loan_id": judged["loan_ids"][0] if judged["loan_ids"] else None,
        "person_id": judged["person_id"],
        "channel_code": judged["channel_code"],
        "purpose_code": judged["purpose_code"],
        "occurred_at": judged["started_at"],
        "rule_id": judged["rule_id"],
        "pack": labels.get(judged["pack"], ""),
        "citation": judged["citation"],
        "effect_code": judged["effect"],
    }
