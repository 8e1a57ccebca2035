"""A day's jobs see the ledger with what was reported by its cut, and nothing that was reported later."""

from datetime import UTC, datetime, timedelta

import pytest
from arrears.feedback.intake import take_in
from arrears.jobs.day import Day, Work
from arrears.jobs.reported import read_with_reports
from arrears.lake import Lake
from support.books import FIRST, put
from support.desk import AT, delivery, make_desk, opt_out

NOUNS = ("flag", "contact", "contact_point")
CALL = {
    "kind": "contact",
    "ref": "k1",
    "occurred_at": AT,
    "contact_point_id": "C1",
    "channel_code": "call",
    "direction_code": "out",
    "outcome_code": "no_answer",
}
PAYMENT = {
    "kind": "payment_notice",
    "ref": "m1",
    "occurred_at": AT,
    "loan_ids": ["L1"],
    "amount_minor": 5,
    "currency": "CNY",
    "state_code": "pending",
    "valid_until_at": "2026-03-09T00:00:00Z",
}


@pytest.fixture
def desk(tmp_path, warehouse_url):
    desk = make_desk(tmp_path, warehouse_url)
    own = {"flag_id": "f1", "flag_code": "hardship", "party_id": "P2", "starts_at": datetime(2026, 3, 1, tzinfo=UTC)}
    put(desk, "raw__flag", FIRST, [own])
    return desk


def seen(desk, monkeypatch, known_until):
    monkeypatch.setattr(Work, "known_until", property(lambda _: known_until.isoformat()))
    with Day.open("book", FIRST, settings=desk).work() as work:
        known = read_with_reports(work, *NOUNS)
        flags = work.connection.execute("SELECT flag_code, party_id, loan_id FROM raw__flag ORDER BY ALL").fetchall()
        contacts = work.connection.execute("SELECT contact_id, party_id FROM raw__contact").fetchall()
        points = work.connection.execute(
            "SELECT contact_point_id, invalid_from IS NOT NULL FROM raw__contact_point ORDER BY 1"
        ).fetchall()
    return known, flags, contacts, points


def test_reports_known_at_the_cut_are_seen(desk, monkeypatch):
    wrong = {"kind": "wrong_number", "ref": "w1", "occurred_at": AT, "contact_point_id": "C2"}
    dispute = opt_out(kind="dispute", loan_ids=["L1"])
    take_in(desk, Lake(desk.lake_url), delivery(dispute, CALL, PAYMENT, wrong))

    known, flags, contacts, points = seen(desk, monkeypatch, datetime.now(UTC) + timedelta(minutes=1))

    assert known == {"raw__flag": True, "raw__contact": False, "raw__contact_point": True}
    assert flags == [
        ("dispute", None, "L1"),
        ("hardship", "P2", None),
        ("payment_under_way", None, "L1"),
        ("wrong_number", None, None),
    ]
    assert contacts == [("k1", "P1")]
    assert points == [("C1", False), ("C2", True)]


def test_reports_after_the_cut_are_not(desk, monkeypatch):
    cut = datetime.now(UTC) - timedelta(minutes=1)
    take_in(desk, Lake(desk.lake_url), delivery(opt_out(), CALL))

    _, flags, contacts, _ = seen(desk, monkeypatch, cut)

    assert (flags, contacts) == ([("hardship", "P2", None)], [])
