"""Complaints and disputes have a day by which they are answered, and ring before it."""

from datetime import UTC, datetime, timedelta

import pytest
from arrears.errors import AnswerDueError
from arrears.feedback.intake import take_in
from arrears.jobs.watch import watch
from arrears.lake import Lake
from support.desk import delivery, make_desk, rows

NOW = datetime.now(UTC)


def matter(kind, ref, days, **values):
    due = (NOW + timedelta(days=days)).date().isoformat()
    return {
        "kind": kind,
        "ref": ref,
        "occurred_at": NOW.isoformat(),
        "loan_ids": ["L1"],
        "answer_due_on": due,
        **values,
    }


@pytest.fixture(scope="module")
def desk(tmp_path_factory, warehouse_url):
    desk = make_desk(tmp_path_factory.mktemp("desk"), warehouse_url)
    answered = {"ends_at": (NOW + timedelta(seconds=1)).isoformat(), "revision": 2}
    reports = [
        matter("complaint", "late", -1),
        matter("dispute", "soon", 3),
        matter("dispute", "later", 4),
        matter("complaint", "answered", -5),
        matter("complaint", "answered", -5, **answered),
        {"kind": "dispute", "ref": "no_term", "occurred_at": NOW.isoformat(), "loan_ids": ["L3"]},
    ]
    taken = take_in(desk, Lake(desk.lake_url), delivery(*reports))
    assert taken.refusals == ()
    return desk


def test_open_matters_are_listed_by_their_day(desk):
    found = rows(desk, "SELECT source_ref, days_left, alarm_code FROM bi.answer_clock ORDER BY answer_due_on")

    assert [row for row in found if row[0] != "answered"] == [
        ("late", -1, "overdue"),
        ("soon", 3, "soon"),
        ("later", 4, "waiting"),
        ("no_term", 30, "waiting"),
    ]


def test_watch_rings_for_answers_due(desk):
    alarms = [alarm for alarm in watch(desk, NOW) if alarm.code == AnswerDueError.code]

    assert [(alarm.portfolio, alarm.runbook) for alarm in alarms] == [("book", "docs/runbooks/ARR-FBK-008.md")]
    assert "1 due within three days" in alarms[0].found
