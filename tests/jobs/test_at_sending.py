"""At the moment of sending the policy knows what the plan knew, and what has become known since."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from arrears.errors import PackNotReviewedError, PartitionMissingError
from arrears.jobs.at_sending import PolicyAtSending
from arrears.jobs.day import Day
from arrears.warehouse.connection import transaction
from arrears.warehouse.feedback_tables import FEEDBACK_EVENT
from arrears.warehouse.tables import NOTIFICATION
from pydantic import SecretStr
from sqlalchemy import insert, select, text, update
from support.books import FIRST, rows_of
from support.floor import aged, make_floor, put_ledger, work

TEN = datetime(2026, 3, 2, 2, tzinfo=UTC)  # 10:00 in Shanghai on the first day
MINUTE = timedelta(minutes=1)
ONE, REST = frozenset({"house_humane.one_per_day"}), "house_humane.rest_after_talk"  # an unknown outcome may be any
LAST_WEEK = TEN - timedelta(days=5)


CALL = {"channel_code": "call", "direction_code": "out", "purpose_code": "collection", "outcome_code": "no_answer"}
CALLS = {"b2": (LAST_WEEK, LAST_WEEK + timedelta(days=1)), "b3": (LAST_WEEK,)}  # that the ledger tells of
PLANNED = ("b1", "b2", "b3", "b4")


@pytest.fixture(scope="module")
def floor(tmp_path_factory, warehouse_url):
    """A deployment whose first day is planned, a reminder by SMS for everybody, and the rows of its outbox."""
    made = make_floor(tmp_path_factory.mktemp("floor"))
    made = made.model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    shutil.copytree(made.portfolios / "book", made.portfolios / "other")
    calls = [
        {**CALL, "contact_id": f"{party}{number}", "party_id": party, "started_at": at}
        for party, instants in CALLS.items()
        for number, at in enumerate(instants)
    ]
    put_ledger(made, FIRST, [aged(f"l{number}", 5) for number in range(1, 5)], contact=calls)
    work(made, FIRST)
    names = {column.name for column in NOTIFICATION.columns}
    rows = [
        {name: value for name, value in row.items() if name in names}
        | {"loan_ids": row["loan_ids"].split(","), "portfolio": "book", "business_date": FIRST}
        for row in rows_of(made, "out__contact_plan_daily", FIRST)
        if row["state_code"] == "planned"
    ]
    return made, rows


@pytest.fixture
def settings(floor):
    """The deployment: nothing sent, nothing reported."""
    made, rows = floor
    with transaction(made.warehouse) as connection:
        connection.execute(text("ALTER TABLE ops.feedback_event DISABLE TRIGGER appended_only"))
        connection.execute(text("DELETE FROM ops.feedback_event"))
        connection.execute(text("ALTER TABLE ops.feedback_event ENABLE TRIGGER appended_only"))
        connection.execute(text("DELETE FROM ops.notification"))
        connection.execute(insert(NOTIFICATION), rows)
    return made


def asked(settings, *, borrower="b1", at=TEN, policy=None, content=()):
    """Rules that forbid the borrower's row at that instant."""
    policy = policy or PolicyAtSending(settings)
    with transaction(settings.warehouse) as connection:
        row = connection.execute(select(NOTIFICATION).where(NOTIFICATION.c.borrower_id == borrower)).mappings().one()
        decision = policy.decision(connection, row, at, content=content)
    return {fired.rule_id for fired in decision.fired}


def report(settings, kind, ref="1", **given):
    """Something that was reported a minute ago."""
    values = {"portfolio": "book", "person_id": "p-b1", "party_id": "b1", "contact_point_id": None, "loan_ids": []}
    values |= {"occurred_at": TEN - MINUTE, "received_at": TEN - MINUTE, "detail": {}, **given}
    fixed = {"source_code": "desk", "revision": 1, "content_hash": "0"}
    with transaction(settings.warehouse) as connection:
        event = insert(FEEDBACK_EVENT).values(event_id=kind + ref, kind_code=kind, source_ref=ref, **fixed, **values)
        connection.execute(event)


def call(settings, ref="1", *, at=TEN - MINUTE, party="b1", **given):
    """A call that an agent reports."""
    who = {"person_id": f"p-{party}", "party_id": party}
    report(settings, "contact", ref, detail={**CALL, "right_party_code": "unknown"}, occurred_at=at, **who, **given)


def put_in_outbox(settings, state, **given):
    """Another row of the outbox, of the same person."""
    values = dict.fromkeys(("case_id", "step_id", "contact_point_id", "template_code", "language"), "x")
    values |= {"step_key": "another", "portfolio": "other", "business_date": FIRST, "person_id": "p-b1"}
    values |= {"borrower_id": "x1", "channel_code": "email", "state_code": state}
    values |= {"not_before_at": TEN - 60 * MINUTE, "not_after_at": TEN + 60 * MINUTE, **given}
    with transaction(settings.warehouse) as connection:
        connection.execute(insert(NOTIFICATION).values(**values))


def test_what_the_plan_allowed_may_be_sent_within_its_window(settings):
    assert {borrower: asked(settings, borrower=borrower) for borrower in PLANNED} == {one: set() for one in PLANNED}
    assert asked(settings, at=datetime(2026, 3, 2, 12, tzinfo=UTC)) == {"house_humane.hours"}


def test_row_does_not_count_against_itself(settings):
    with transaction(settings.warehouse) as connection:
        connection.execute(update(NOTIFICATION).values(state_code="claimed"))

    assert asked(settings) == set()


def test_row_that_goes_on_by_another_way_is_asked_about_there(settings):
    """Read ahead for its first point: what is said of that one is not what holds for the other."""
    policy = PolicyAtSending(settings)
    before = asked(settings, policy=policy)
    with transaction(settings.warehouse) as connection:
        mine = update(NOTIFICATION).where(NOTIFICATION.c.borrower_id == "b1")
        connection.execute(mine.values(channel_code="email", contact_point_id="gone"))

    assert before == set()
    assert asked(settings, policy=policy) == {"insufficient_facts.contact_point"}


@pytest.mark.parametrize(
    ("kind", "given", "rule"),
    [
        pytest.param("opt_out", {}, "house_humane.opt_out", id="stop to everything"),
        pytest.param("opt_out", {"detail": {"channel_code": "sms"}}, "house_humane.opt_out", id="stop to texts"),
        pytest.param("opt_out", {"portfolio": "other"}, "house_humane.opt_out", id="stop said to another portfolio"),
        pytest.param("dispute", {"loan_ids": ["l1"]}, "house_humane.dispute", id="loan disputed"),
        pytest.param("hardship", {}, "house_humane.hardship", id="hardship"),
        pytest.param("complaint", {}, "house_humane.complaint", id="complaint"),
        pytest.param("wrong_number", {"contact_point_id": "m-b1"}, "house.wrong_number", id="wrong number"),
        pytest.param(
            "override", {"detail": {"action_code": "pause"}}, "house.supervisor_pause", id="paused by a supervisor"
        ),
        pytest.param("flag", {"detail": {"flag_code": "deceased"}}, "house_humane.deceased", id="dead"),
        pytest.param(
            "flag",
            {"detail": {"flag_code": "inconvenient_time_mon_0900_1200"}},
            "house_humane.asked_times",
            id="not on Monday mornings",
        ),
        pytest.param(
            "flag",
            {"detail": {"flag_code": "inconvenient_time_monday"}},
            "house_humane.asked_times",
            id="a time nobody can read",
        ),
    ],
)
def test_what_was_reported_a_minute_ago_forbids(settings, kind, given, rule):
    report(settings, kind, **given)

    assert rule in asked(settings)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        pytest.param("opt_out", {"detail": {"channel_code": "call"}}, id="stop to calls alone"),
        pytest.param("opt_out", {"person_id": "p-b2", "party_id": "b2"}, id="another person's stop"),
        pytest.param("dispute", {"loan_ids": ["l9"]}, id="another loan disputed"),
        pytest.param("dispute", {"loan_ids": ["l1"], "portfolio": "other"}, id="another portfolio's loan of that name"),
        pytest.param("wrong_number", {"contact_point_id": "m-b2"}, id="another number is wrong"),
        pytest.param("hardship", {"detail": {"ends_at": "2026-02-27T00:00:00+00:00"}}, id="over, and long ago"),
    ],
)
def test_what_concerns_others_does_not(settings, kind, given):
    report(settings, kind, **{"occurred_at": TEN - timedelta(days=40), **given})

    assert asked(settings) == set()


def test_report_after_the_first_question_is_heard_by_the_next(settings):
    policy = PolicyAtSending(settings)

    before = asked(settings, policy=policy)
    call(settings)
    after = asked(settings, policy=policy)

    assert (before, after) == (set(), {"house_humane.one_per_day"})


def test_call_that_the_ledger_told_of_is_counted_once(settings):
    for ref in ("1", "2"):
        call(settings, ref, at=LAST_WEEK, received_at=LAST_WEEK, party="b2")

    assert asked(settings, borrower="b2") == set()


def test_late_report_of_an_old_call_counts(settings):
    call(settings, at=LAST_WEEK + timedelta(days=2), party="b2")

    assert asked(settings, borrower="b2") == {"house_humane.three_per_7_days"}


@pytest.mark.parametrize(
    ("state", "given", "fired"),
    [
        pytest.param("sent", {}, ONE, id="sent by another portfolio"),
        pytest.param("claimed", {}, {*ONE, REST}, id="being sent by another portfolio"),
        pytest.param("unknown", {}, {*ONE, REST}, id="perhaps sent"),
        pytest.param("sent", {"delivery_code": "handed_over"}, {*ONE, REST}, id="handed over"),
        pytest.param("sent", {"delivery_code": "withdrawn"}, set(), id="handed over and taken back"),
        pytest.param("planned", {}, set(), id="only planned"),
        pytest.param("suppressed", {}, set(), id="suppressed"),
        pytest.param("sent", {"person_id": "p-b2"}, set(), id="of another person"),
    ],
)
def test_what_the_outbox_gave_out_counts_whichever_portfolio_it_is_of(settings, state, given, fired):
    put_in_outbox(settings, state, **given)

    assert asked(settings) == fired


def test_contact_of_the_outbox_that_was_reported_back_is_counted_once(settings):
    yesterday = {"business_date": FIRST - timedelta(days=1), "channel_code": "call", "portfolio": "book"}
    window = {"not_before_at": TEN - timedelta(days=1), "not_after_at": TEN - timedelta(hours=20)}
    put_in_outbox(settings, "sent", person_id="p-b3", **yesterday, **window)

    alone = asked(settings, borrower="b3")
    call(settings, at=TEN - timedelta(hours=23), party="b3")
    reported = asked(settings, borrower="b3")
    call(settings, "2", at=TEN - timedelta(hours=48), party="b3")

    assert (alone, reported) == (set(), set())
    assert asked(settings, borrower="b3") == {"house_humane.three_per_7_days"}


def test_point_that_is_gone_denies(settings):
    with transaction(settings.warehouse) as connection:
        connection.execute(update(NOTIFICATION).values(contact_point_id="m-gone"))

    assert asked(settings) == {"insufficient_facts.contact_point"}


def test_rows_are_read_ahead_and_each_has_its_own_facts(settings):
    report(settings, "opt_out", person_id="p-b3", party_id="b3")
    policy = PolicyAtSending(settings)

    answers = {borrower: asked(settings, borrower=borrower, policy=policy) for borrower in PLANNED}

    assert answers == {"b1": set(), "b2": set(), "b3": {"house_humane.opt_out"}, "b4": set()}


def test_day_without_its_ledger_is_no_ground_to_send(settings):
    with transaction(settings.warehouse) as connection:
        connection.execute(update(NOTIFICATION).values(business_date=FIRST + timedelta(days=1)))

    with pytest.raises(PartitionMissingError):
        asked(settings)


def test_live_sending_is_refused_under_packs_that_nobody_has_reviewed(settings):
    policy = PolicyAtSending(settings)
    day = Day.open("book", FIRST, settings=settings)

    policy.check_review(day, TEN, is_sandbox=True)

    with pytest.raises(PackNotReviewedError, match="house_humane"):
        policy.check_review(day, TEN, is_sandbox=False)
