"""Between plan and send the world goes on: what is no longer right is not sent, and says why."""

from datetime import UTC, date, datetime, timedelta

import pytest
from arrears.errors import PackNotReviewedError, PortfolioUnknownError
from arrears.jobs.at_sending import PolicyAtSending
from arrears.jobs.dispatch import dispatch, due_work, hand_over
from arrears.jobs.recheck import Recheck
from arrears.sending import by_hand
from arrears.sending.addresses import load_addresses
from arrears.sending.channels.spool import Spool, messages
from arrears.sending.claims import SHARDS, Shard
from arrears.sending.dispatch import Dispatcher, Terms
from arrears.warehouse.connection import transaction
from arrears.warehouse.feedback_tables import FEEDBACK_EVENT
from sqlalchemy import insert, text
from support.books import put
from support.outbox import empty_outbox, history, states
from support.sending_floor import DAY, TEN, made_floor, prepare

MINUTE = timedelta(minutes=1)
EVENING = TEN + timedelta(hours=8)
DST_DAY = date(2026, 3, 9)  # in the night to Sunday the 8th New York's clocks went forward
DEAD = {"detail": {"flag_code": "deceased"}}
CALL = {"channel_code": "call", "direction_code": "out", "purpose_code": "collection", "outcome_code": "no_answer"}


@pytest.fixture(scope="module")
def floor(tmp_path_factory, warehouse_url):
    return made_floor(tmp_path_factory.mktemp("floor"), warehouse_url)


@pytest.fixture
def settings(floor):
    made, rows = floor
    prepare(made, rows, DAY)
    yield made
    empty_outbox(made.warehouse)


def send(settings, at=TEN, *, is_sandbox=True):
    """One run of the dispatcher at that instant."""
    way = Spool("sms", settings.outbox_folder / "sandbox", is_sandbox=is_sandbox)
    judge = Recheck(settings, way)
    for number in range(SHARDS):
        shard = Shard("sms", number)
        Dispatcher(settings.warehouse, way, judge, shard, Terms(lease_seconds=60), clock=lambda: at).run()


def of(settings, borrower="b1"):
    """State and reason of the borrower's row."""
    with transaction(settings.warehouse) as connection:
        asked = text("SELECT state_code, reason_code FROM ops.notification WHERE borrower_id = :b")
        return tuple(connection.execute(asked, {"b": borrower}).one())


def report(settings, kind, **given):
    values = {"portfolio": "book", "person_id": "p-b1", "party_id": "b1", "contact_point_id": None, "loan_ids": []}
    values |= {"occurred_at": TEN - MINUTE, "received_at": TEN - MINUTE, "detail": {}, **given}
    fixed = {"event_id": kind, "kind_code": kind, "source_ref": "1", "source_code": "desk", "revision": 1}
    with transaction(settings.warehouse) as connection:
        connection.execute(insert(FEEDBACK_EVENT).values(content_hash="0", **fixed | values))


def pays(settings, amount, state="initiated", **given):
    detail = {"amount_minor": amount, "currency": "CNY", "state_code": state}
    report(settings, "payment_notice", loan_ids=["l1"], detail={**detail, **given})


def test_what_is_still_right_is_sent_with_the_ledgers_amount_and_its_time(settings):
    send(settings)

    assert set(states(settings.warehouse).values()) == {"sent"}
    said = messages(settings.outbox_folder / "sandbox")
    assert len(said) == 3
    assert all("¥50.00" in one["body"] and "2026年3月1日" in one["body"] for one in said)


@pytest.mark.parametrize(
    ("amount", "state", "given", "reason"),
    [
        pytest.param(5000, "initiated", {}, "paid", id="paid, under way"),
        pytest.param(9000, "pending", {}, "paid", id="paid, debit pending"),
        pytest.param(5000, "booked", {}, "paid", id="paid, booked since the cut"),
        pytest.param(2000, "initiated", {}, "part_paid", id="part-paid, under way"),
        pytest.param(2000, "booked", {}, "part_paid", id="part-paid, booked"),
        pytest.param(1, "pending", {}, "part_paid", id="a debit of a cent is pending"),
        pytest.param(5000, "failed", {}, None, id="a payment that failed"),
        pytest.param(5000, "initiated", {"valid_until_at": "2026-03-02T01:00:00+00:00"}, None, id="one that ran out"),
    ],
)
def test_whoever_is_paying_is_not_written_to(settings, amount, state, given, reason):
    pays(settings, amount, state, **given)

    send(settings)

    assert of(settings)[0] == ("suppressed" if reason else "sent")
    assert reason is None or of(settings)[1] == reason
    assert of(settings, "b2")[0] == "sent"


def test_payment_between_the_ledgers_close_and_a_late_cut_is_known(floor):
    """Paid at 00:30, and the day cut at 06:00, as the source was late: neither ledger nor "since the cut" has it."""
    made, rows = floor
    prepare(made, rows, DAY, known_until=TEN - timedelta(hours=4))
    at = {"occurred_at": TEN - timedelta(hours=9.5), "received_at": TEN - timedelta(hours=9)}
    detail = {"amount_minor": 5000, "currency": "CNY", "state_code": "booked"}
    report(made, "payment_notice", loan_ids=["l1"], detail=detail, **at)
    before = {"occurred_at": TEN - timedelta(hours=10.5), "received_at": TEN - timedelta(hours=9)}  # in the ledger
    report(made, "payment_notice", loan_ids=["l2"], detail=detail, event_id="old", source_ref="2", **before)

    send(made)

    assert of(made) == ("suppressed", "paid")
    assert of(made, "b2")[0] == "sent"
    empty_outbox(made.warehouse)


@pytest.mark.parametrize(
    ("given", "due", "found"),
    [
        pytest.param({}, "2026-03-05", ("suppressed", "promised"), id="promised since the cut"),
        pytest.param({}, "2026-03-02", ("suppressed", "promised"), id="for today"),
        pytest.param({}, "2026-03-01", ("suppressed", "promised"), id="for yesterday, and a day of grace"),
        pytest.param({}, "2026-02-28", None, id="for the day before"),
        pytest.param({"loan_ids": ["l9"]}, "2026-03-05", None, id="of another loan"),
        pytest.param({"received_at": TEN - timedelta(days=1)}, "2026-03-05", None, id="known when the day was cut"),
    ],
)
def test_whoever_has_promised_since_is_not_written_to(settings, given, due, found):
    """Told after the cut and before the publication: neither the plan nor the reaction to a report has seen it."""
    detail = {"currency": "CNY", "parts": [{"amount_minor": 5000, "due_on": due}]}
    report(settings, "promise", **{"loan_ids": ["l1"], "detail": detail, **given})

    send(settings)

    assert of(settings) == (found or ("sent", "sandbox_written"))
    assert of(settings, "b2")[0] == "sent"


@pytest.mark.parametrize(
    ("kind", "given", "rule"),
    [
        pytest.param("dispute", {"loan_ids": ["l1"]}, "dispute", id="disputed"),
        pytest.param("dispute", {}, "dispute", id="disputed by the person"),
        pytest.param("opt_out", {}, "opt_out", id="opted out"),
        pytest.param("opt_out", {"detail": {"channel_code": "sms"}}, "opt_out", id="opted out of texts"),
        pytest.param("opt_out", {"portfolio": "other"}, "opt_out", id="opted out elsewhere"),
        pytest.param("hardship", {}, "hardship", id="hardship"),
        pytest.param("hardship", {"detail": {"ends_at": "9999-12-31T23:59:59Z"}}, "hardship", id="hardship until 9999"),
        pytest.param("complaint", {}, "complaint", id="complaint"),
        pytest.param("flag", DEAD, "deceased", id="deceased"),
        pytest.param("flag", DEAD | {"loan_ids": ["l9"]}, "deceased", id="deceased, said of another loan"),
        pytest.param("flag", DEAD | {"contact_point_id": "m-b9"}, "deceased", id="deceased, said by another phone"),
        pytest.param(
            "dispute", {"loan_ids": ["l1"], "contact_point_id": "m-b9"}, "dispute", id="disputed by another phone"
        ),
        pytest.param("wrong_number", {"contact_point_id": "m-b1"}, "wrong_number", id="wrong number"),
        pytest.param("contact", {"detail": CALL}, "one_per_day", id="an agent called a minute ago"),
        pytest.param("override", {"detail": {"action_code": "pause"}}, "supervisor_pause", id="paused"),
    ],
)
def test_what_was_reported_a_minute_ago_stops_the_message(settings, kind, given, rule):
    report(settings, kind, **given)

    send(settings)

    state, reason = of(settings)
    assert state == "suppressed"
    assert rule in reason
    assert of(settings, "b2")[0] == "sent"


def test_ledger_without_the_debt_is_no_reason_to_write(settings):
    with transaction(settings.warehouse) as connection:
        connection.execute(text("DELETE FROM mart.fct_loan_daily WHERE loan_id = 'l1'"))

    send(settings)

    assert of(settings) == ("suppressed", "nothing_owed")


def test_nothing_is_sent_when_no_payments_have_been_heard_of(floor):
    made, rows = floor
    prepare(made, rows, DAY, known_until=TEN - timedelta(hours=37))

    send(made)

    assert {of(made, borrower) for borrower in ("b1", "b2", "b3")} == {("suppressed", "payment_feed_silent")}
    assert [reason for _, reason, _ in history(made.warehouse, next(iter(states(made.warehouse))))][-1:]
    empty_outbox(made.warehouse)


def test_yesterdays_row_is_not_sent_today(settings):
    with transaction(settings.warehouse) as connection:
        connection.execute(text("UPDATE ops.notification SET not_after_at = not_after_at + interval '2 days'"))

    send(settings, at=TEN + timedelta(days=1))

    assert of(settings) == ("expired", "another_day")


ABOUT = [
    *(("all", ""), ("portfolio", "book"), ("channel", "sms"), ("template", "friendly_reminder")),
    *(("product", "card"), ("agency", "north"), ("list", "path@3"), ("region", "CN-44")),
]


def stop(settings, scope, value):
    with transaction(settings.warehouse) as connection:
        return by_hand.stop(connection, scope, value, actor="a", reason="b")


def test_every_scope_that_a_stop_may_have_is_tried_here():
    assert {scope for scope, _ in ABOUT} == set(by_hand.SCOPES)


def start(settings, number):
    with transaction(settings.warehouse) as connection:
        by_hand.start(connection, number, actor="a", reason="b")


def test_stop_of_any_scope_holds_until_it_ends_for_asking_again_and_for_what_was_handed_over_too(settings):
    """The last two go past the claim, which sorts out what the row itself says."""
    judge = Recheck(settings, Spool("sms", settings.outbox_folder / "sandbox"))
    with transaction(settings.warehouse) as connection:
        row = dict(connection.execute(text("SELECT * FROM ops.notification WHERE borrower_id = 'b1'")).mappings().one())

    found = {}
    for scope, value in ABOUT:
        number = stop(settings, scope, value)
        with transaction(settings.warehouse) as connection:
            found[scope] = judge(connection, row, TEN).reason, judge.withdrawn(connection, row, TEN)
        start(settings, number)

    assert found == {scope: ("stopped", "stopped") for scope, _ in ABOUT}
    send(settings)
    assert of(settings)[0] == "sent"


def test_stops_of_other_things_cover_nothing(settings):
    for scope, value in ABOUT:
        if value and scope != "region":
            stop(settings, scope, "another")

    send(settings)

    assert of(settings)[0] == "sent"


def test_stop_of_another_region_covers_only_those_whose_region_nobody_knows(settings):
    """The third borrower's loan has no region: a fact that is missing denies."""
    stop(settings, "region", "CN-31")

    send(settings)

    assert [of(settings, borrower)[0] for borrower in ("b1", "b2", "b3")] == ["sent", "planned", "planned"]
    assert of(settings, "b3")[1] == "stopped"


def test_ledger_that_was_delivered_anew_and_not_published_yet_stops_its_portfolio(settings):
    """A correction is in the lake, the restatement is not made: the plan is of another ledger. Then it is as before."""
    put(settings, "raw__flag", DAY, [{"flag_code": "dispute", "party_id": "b9", "starts_at": TEN}])
    try:
        send(settings)
        waiting = {of(settings, borrower) for borrower in ("b1", "b2", "b3")}
    finally:
        put(settings, "raw__flag", DAY, [])
    send(settings, at=TEN + 11 * MINUTE)

    assert waiting == {("planned", "stale_ledger")}
    assert set(states(settings.warehouse).values()) == {"sent"}


@pytest.mark.parametrize(
    ("minutes", "found"),
    [(21, ("planned", "stale_ledger")), (19, ("suppressed", "stale_ledger"))],
    ids=["time for a restatement", "none left"],
)
def test_ledger_that_stays_stale_ends_the_message_with_that_reason(settings, minutes, found):
    put(settings, "raw__flag", DAY, [{"flag_code": "dispute", "party_id": "b9", "starts_at": TEN}])
    try:
        with transaction(settings.warehouse) as connection:
            ends = {"ends": TEN + minutes * MINUTE}
            connection.execute(text("UPDATE ops.notification SET not_after_at = :ends"), ends)
        send(settings)
    finally:
        put(settings, "raw__flag", DAY, [])

    assert {of(settings, borrower) for borrower in ("b1", "b2", "b3")} == {found}


def test_language_without_a_template_waits_for_a_person(settings):
    with transaction(settings.warehouse) as connection:
        connection.execute(text("UPDATE ops.notification SET language = 'bo' WHERE borrower_id = 'b1'"))

    send(settings)

    assert of(settings) == ("held", "template_friendly_reminder_bo")


def test_night_on_which_the_clocks_change(tmp_path, warehouse_url):
    """In New York: too early by the clock of that day, and not an hour later by the clock of the day before."""
    made, rows = made_floor(tmp_path, warehouse_url, DST_DAY, "America/New_York")
    mine = [row for row in rows if row["borrower_id"] == "b1"]
    wide = [
        row | {"not_before_at": datetime(2026, 3, 9, tzinfo=UTC), "not_after_at": datetime(2026, 3, 10, tzinfo=UTC)}
        for row in mine
    ]
    prepare(made, wide, DST_DAY)

    send(made, at=datetime(2026, 3, 9, 11, 30, tzinfo=UTC))  # 07:30 by the new clock, 06:30 by the old
    assert of(made)[0] == "planned"
    assert "hours" in of(made)[1]
    with transaction(made.warehouse) as connection:
        until = connection.execute(text("SELECT next_try_at FROM ops.notification")).scalar_one()
    send(made, at=until - MINUTE)
    assert of(made)[0] == "planned"
    send(made, at=until)

    assert of(made)[0] == "sent"
    assert until == datetime(2026, 3, 9, 13, tzinfo=UTC)  # 09:00 by the new clock; 08:00 by the old
    empty_outbox(made.warehouse)


def test_jobs_send_the_day_and_a_rehearsal_need_not_wait_for_the_hour(settings, tmp_path, monkeypatch):
    config = tmp_path / "sending.yaml"
    config.write_text("rehearse: true\n")
    today = settings.model_copy(update={"sending": config, "outbox_folder": tmp_path / "out"})
    monkeypatch.setattr("arrears.sending.dispatch.utc_now", lambda: TEN - timedelta(hours=4))
    with transaction(settings.warehouse) as connection:
        connection.execute(text("UPDATE ops.notification SET not_after_at = now() + interval '9 days'"))

    done = [dispatch(**work, settings=today) for work in due_work(today)]

    assert done == [{"channel": "sms", "sent": 3}]
    assert due_work(today) == []
    assert len(messages(tmp_path / "out" / "sandbox")) == 3


def test_what_was_handed_over_is_taken_back_when_somebody_pays(settings, tmp_path):
    """A campaign goes out with three rows; one pays a minute later; the delta names that one alone.

    Then one cannot be judged any more, which keeps nobody else from being left in peace.
    """
    config = tmp_path / "sending.yaml"
    config.write_text("channels: {call: {kind: file}}\n")
    mine = settings.model_copy(update={"sending": config, "outbox_folder": tmp_path / "out"})
    with transaction(settings.warehouse) as connection:
        connection.execute(
            text("UPDATE ops.notification SET channel_code = 'call', not_after_at = '2026-03-02 10:00+00'")
        )
        points = connection.execute(text("SELECT contact_point_id FROM ops.notification")).scalars().all()
        load_addresses(
            connection, settings.keys, "book", [(point, f"+86 138 0000 000{n}") for n, point in enumerate(points)]
        )
    way = Spool("call", mine.outbox_folder / "handover", hands_over=True, is_sandbox=False)
    judge = Recheck(mine, way)
    judge._policy = Reviewed(mine)  # noqa: SLF001  the shipped packs wait for a lawyer
    for number in range(SHARDS):
        Dispatcher(mine.warehouse, way, judge, Shard("call", number), Terms(lease_seconds=60), clock=lambda: TEN).run()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("arrears.jobs.recheck.PolicyAtSending", Reviewed)
        first = hand_over(TEN, mine)["call"]
        pays(settings, 5000)
        second = hand_over(TEN + MINUTE, mine)["call"]
        third = hand_over(TEN + 2 * MINUTE, mine)["call"]
        unjudged = "portfolio = 'gone', not_after_at = not_after_at - interval '1 hour'"
        with transaction(settings.warehouse) as connection:
            connection.execute(text(f"UPDATE ops.notification SET {unjudged} WHERE borrower_id = 'b2'"))
        report(settings, "opt_out", party_id="b3", person_id="p-b3")
        with pytest.raises(PortfolioUnknownError):
            hand_over(TEN + 3 * MINUTE, mine)

    assert (first["rows"], first["stopped"]) == (3, 0)
    assert (second["rows"], second["stopped"]) == (0, 1)
    assert (third["rows"], third["stopped"]) == (0, 0)
    with transaction(settings.warehouse) as connection:
        asked = text("SELECT delivery_code, reason_code FROM ops.notification WHERE borrower_id = 'b1'")
        assert connection.execute(asked).one() == ("withdrawn", "paid")
        asked = text("SELECT borrower_id, delivery_code FROM ops.notification WHERE borrower_id > 'b1' ORDER BY 1")
        assert connection.execute(asked).all() == [("b2", "handed_over"), ("b3", "withdrawn")]


def test_live_channel_waits_for_the_packs_review(settings):
    with pytest.raises(PackNotReviewedError):
        send(settings, is_sandbox=False)

    assert set(states(settings.warehouse).values()) == {"planned"}


class Reviewed(PolicyAtSending):
    """As if somebody had read the packs."""

    def check_review(self, row, at, *, is_sandbox):
        pass
