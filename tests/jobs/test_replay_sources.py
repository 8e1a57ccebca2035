"""The breach monitor hears of contacts from whoever speaks of them: a ledger, a report, our own outbox; each once."""

from datetime import UTC, datetime, timedelta

import pytest
from arrears.jobs.day import Work
from arrears.warehouse.connection import transaction
from arrears.warehouse.feedback_tables import FEEDBACK_EVENT
from arrears.warehouse.tables import NOTIFICATION
from pydantic import SecretStr
from sqlalchemy import insert, update
from support.books import FIRST, rows_of
from support.desk import forget
from support.floor import NEXT, aged, make_floor, put_ledger, work

NIGHT = datetime(2026, 3, 1, 15, tzinfo=UTC)  # 23:00 in Shanghai
HOUR = timedelta(hours=1)
CUTS = {FIRST: datetime.now(UTC) - 2 * HOUR, NEXT: datetime.now(UTC) + 2 * HOUR}
EARLY, LATE = CUTS[FIRST] - HOUR, CUTS[FIRST] + HOUR
HOURS = {"cn_gbt45251.hours"}


@pytest.fixture
def settings(tmp_path, warehouse_url, monkeypatch):
    """A floor with an empty log and outbox, whose first day was cut an hour after EARLY and an hour before LATE."""
    monkeypatch.setattr(Work, "known_until", property(lambda self: CUTS[self.day.business_date].isoformat()))
    monkeypatch.setattr("arrears.jobs.previous.published_dates", lambda _: {FIRST: None})
    monkeypatch.setattr("arrears.jobs.previous.reasons_to_rerun", lambda *_: [])
    forget(warehouse_url)
    yield make_floor(tmp_path, packs="[cn_gbt45251]").model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    forget(warehouse_url)


def report(settings, ref, received_at, *, source="agency", at=NIGHT):
    """A call that somebody reports."""
    detail = {
        "channel_code": "call",
        "direction_code": "out",
        "purpose_code": "collection",
        "outcome_code": "no_answer",
    }
    row = {
        "event_id": f"{source}-{ref}",
        "portfolio": "book",
        "source_code": source,
        "kind_code": "contact",
        "source_ref": ref,
        "revision": 1,
        "content_hash": "0",
        "person_id": "p-b1",
        "party_id": "b1",
        "contact_point_id": "m-b1",
        "loan_ids": ["l1"],
        "occurred_at": at,
        "received_at": received_at,
        "detail": detail,
    }
    with transaction(settings.warehouse) as connection:
        connection.execute(insert(FEEDBACK_EVENT).values(row))


def called(contact_id, at=NIGHT):
    """The same call in a ledger."""
    row = {"contact_id": contact_id, "party_id": "b1", "contact_point_id": "m-b1", "channel_code": "call"}
    row |= {"direction_code": "out", "purpose_code": "collection", "started_at": at, "outcome_code": "no_answer"}
    return row


def judged(settings, *, first=(), then=()):
    """Rules by contact of the first day and of the next, with these contacts in their ledgers."""
    found = []
    for day, contacts in ((FIRST, first), (NEXT, then)):
        rest = {"product_code": "tour", "currency": "CNY", "status_code": "active"}
        loans = [{"loan_id": f"l{n}", "borrower_id": f"b{n}", **rest} for n in range(1, 6)]
        put_ledger(settings, day, [aged(f"l{n}", 5) for n in range(1, 6)], contact=list(contacts), loan=loans)
        work(settings, day)
        rows = rows_of(settings, "core__contact_breach_daily", day)
        found.append(
            {one["contact_id"]: {r["rule_id"] for r in rows if r["contact_id"] == one["contact_id"]} for one in rows}
        )
    return found


def test_call_that_only_an_agency_reports_is_judged_on_the_day_it_is_known(settings):
    report(settings, "early", EARLY)
    report(settings, "late", LATE)

    assert judged(settings) == [{"early": HOURS}, {"late": HOURS}]


def test_call_that_a_ledger_delivers_after_its_report_is_judged_once(settings):
    report(settings, "k", EARLY)

    assert judged(settings, then=[called("k")]) == [{"k": HOURS}, {}]


def test_report_of_a_call_that_the_ledger_has_delivered_is_no_second_contact(settings):
    report(settings, "k", LATE)

    assert judged(settings, first=[called("k")], then=[called("k")]) == [{"k": HOURS}, {}]


def test_two_sources_may_use_one_reference_for_two_calls(settings):
    report(settings, "1", EARLY, source="dialler")
    report(settings, "1", LATE, source="agency", at=NIGHT + HOUR)

    assert judged(settings) == [{"1": HOURS}, {"agency:1": HOURS}]


def send(settings, key, *states, borrower="b1", delivery=None):
    """A row of the outbox that goes through these states, now."""
    row = dict.fromkeys(("case_id", "step_id", "template_code", "language"), "x")
    row |= {"step_key": key, "portfolio": "book", "borrower_id": borrower, "person_id": f"p-{borrower}"}
    row |= {"contact_point_id": f"m-{borrower}", "channel_code": "sms", "state_code": "planned", "business_date": FIRST}
    row |= {"not_before_at": datetime.now(UTC) - HOUR, "not_after_at": datetime.now(UTC) + HOUR}
    with transaction(settings.warehouse) as connection:
        connection.execute(insert(NOTIFICATION).values(row))
    for state in states:
        with transaction(settings.warehouse) as connection:
            own = {"state_code": state, "delivery_code": delivery if state == "sent" else None}
            connection.execute(update(NOTIFICATION).where(NOTIFICATION.c.step_key == key).values(own))


def one_a_day(settings):
    """Under one rule: an attempt a day, by whatever channel."""
    folder = settings.portfolios.parent / "own-policies"
    folder.mkdir()
    (folder / "law.yaml").write_text(
        "pack: law\ntitle: A law of this test\nrules:\n"
        "  - {id: law.once, citation: x, confidence: firm, effect: deny,\n"
        "     kind: cap, max: 1, window: {type: calendar_day}}\n"
    )
    book = settings.portfolios / "book/portfolio.yaml"
    book.write_text(book.read_text().replace("[cn_gbt45251]", "[law]"))
    return settings.model_copy(update={"policies": folder})


def test_what_our_own_outbox_made_is_judged_and_not_against_itself(settings):
    settings = one_a_day(settings)
    send(settings, "sent", "claimed", "sent", borrower="b1")
    send(settings, "nobody knows", "claimed", "unknown", borrower="b2")
    send(settings, "rejected", "claimed", "rejected_final", borrower="b3")
    send(settings, "who calls reports it", "claimed", "sent", borrower="b4", delivery="handed_over")
    send(settings, "only planned", borrower="b5")

    assert judged(settings) == [{}, {"sent": {""}, "nobody knows": {""}}]


@pytest.mark.parametrize(("back", "rules"), [(timedelta(minutes=1), {"law.once"}), (timedelta(days=3), {""})])
def test_a_call_earlier_the_same_day_counts_against_what_our_outbox_sent(settings, back, rules):
    settings = one_a_day(settings)
    send(settings, "step", "claimed", "sent")
    report(settings, "call", LATE, at=datetime.now(UTC) - back)

    assert judged(settings)[1]["step"] == rules


def test_message_that_the_ledger_speaks_of_is_judged_under_the_ledgers_id(settings):
    settings = one_a_day(settings)
    send(settings, "step", "claimed", "sent")
    told = {**called("theirs", datetime.now(UTC)), "channel_code": "sms"}

    assert judged(settings, then=[told]) == [{}, {"theirs": {""}}]
