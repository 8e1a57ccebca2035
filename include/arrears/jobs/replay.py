"""The breach monitor: every contact that became known today, asked of the rules that were valid when it was made.

Belongs here: which contacts a day replays and what is known of them. It runs as the second half of the step ``plan``.
A contact is replayed on the first business date whose ledger holds it, however long ago it was made, so that each is
replayed once and late ones are not missed. Flags and consents are as that ledger says they stood at that instant; of
contacts only earlier ones count.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from arrears.contact.facts import Known, make_fact_relations
from arrears.contact.replay import NOT_KNOWN, books_of, replay_contacts
from arrears.engine.duckdb import select_text
from arrears.jobs.elsewhere import read_contacts_elsewhere
from arrears.jobs.previous import previous_date
from arrears.jobs.rows import read_rows, write_rows
from arrears.policy.packs import public_holidays
from arrears.policy.selection import select
from arrears.rules.hours import day_bounds

if TYPE_CHECKING:
    from arrears.jobs.day import Day, Work
    from arrears.policy.selection import Selection

BREACHES = "core__contact_breach_daily"
CONTACTS = "raw__contact"
LEDGER = (
    CONTACTS,
    "raw__party",
    "raw__contact_point",
    "raw__flag",
    "raw__consent",
    "raw__loan",
    "raw__loan_party",
)


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
    delivered = {table: work.read_optional(table) for table in LEDGER}
    work.read("core__case_daily")
    read_contacts_elsewhere(work)
    for table in ("out__quarantine", "core__case_loan_daily"):
        work.empty(table)  # a rejected row stops contacts that are yet to come
    compared_with = previous_date(day)
    if compared_with is None or day.lake.known(day.key(CONTACTS, compared_with)) is None:
        work.empty(CONTACTS, view="previous__contact")
    else:
        work.read(CONTACTS, compared_with, view="previous__contact")
    zone = {"zone": configured.zone.key}
    work.connection.execute(f"CREATE TABLE contact_replay AS {select_text('read__contact_to_replay')}", zone)
    for name in ("due_case", "due_loan", "due_person"):
        source = "read__due_person" if name == "due_person" else f"read__replayed_{name.removeprefix('due_')}"
        work.connection.execute(f"CREATE TABLE {name} AS {select_text(source)}")
    make_fact_relations(work.connection, day_bounds(day.business_date, configured.zone), sources=("ledger", "outbox"))
    books = {row["book"]: books_of(selection, row["products"]) for row in read_rows(work, "read__replayed_product")}
    known = Known(
        flags=delivered["raw__flag"],
        history=delivered[CONTACTS],
        consents=delivered["raw__consent"],
        holidays=public_holidays(configured.holidays, day.business_date),
    )
    return list(replay_contacts(work.connection, books, known, are_parties_known=delivered["raw__party"]))


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
