"""One dispatcher, a real gateway in its own process, the real outbox: what becomes of each answer."""

import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from arrears.errors import ConfigurationError, LeaseTooShortError, PayloadChangedError
from arrears.sending.claims import SHARDS, Shard, work_by_channel
from arrears.sending.dispatch import Dispatcher, No, Terms
from arrears.sending.values import Content, Private, Settles
from arrears.warehouse import outbox
from arrears.warehouse.connection import transaction
from arrears.warehouse.outbox import Scope
from arrears.warehouse.tables import NOTIFICATION
from sqlalchemy import func, select, text
from support.outbox import empty_outbox, history, put_steps, states, step
from support.sending import LEASE, ON, count_states, fork, gateway_process, send_all, shard_of, waited, work

TERMS = Terms(lease_seconds=LEASE, back_off_seconds=0.01)
POINTS = ("before_intent", "after_intent", "before_check", "after_check", "before_record", "after_record")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with gateway_process(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(scope="module")
def another_gateway(tmp_path_factory):
    with gateway_process(tmp_path_factory.mktemp("another")) as running:
        yield running


@pytest.fixture
def url(warehouse_url, gateway):
    gateway.mode(refuse=0, final=0, invalid=0, hang=0, reset=0, fail=0, fail_before=0, lag_seconds=0, window_seconds=0)
    yield warehouse_url
    empty_outbox(warehouse_url)


def run(url, gateway, *, judge=send_all, terms=TERMS, settles=Settles.BY_LOOK_UP, provider="test", **channel):
    total = {}
    for number in range(SHARDS):
        way = gateway.channel(settles, **channel)
        way.provider = provider
        for name, count in Dispatcher(url, way, judge, Shard("sms", number), terms).run().items():
            total[name] = total.get(name, 0) + count
    return {name: count for name, count in total.items() if count}


def sql(url, statement, **values):
    with transaction(url) as connection:
        return connection.execute(text(statement), values)


def end_leases(url):
    """Half a minute passes for every claim, and for every look."""
    with transaction(url) as connection:
        connection.execute(text("ALTER TABLE ops.notification DISABLE TRIGGER notification_guard"))
        connection.execute(
            text(
                "UPDATE ops.notification SET claim_expires_at = claim_expires_at - interval '30 s', "
                "changed_at = changed_at - interval '30 s'"
            )
        )
        connection.execute(text("ALTER TABLE ops.notification ENABLE TRIGGER notification_guard"))


def test_due_rows_are_sent_once_and_known_as_sent(url, gateway):
    put_steps(url, [step(f"n{number}") for number in range(20)])

    assert run(url, gateway) == {"sent": 20}
    assert run(url, gateway) == {}

    delivered = gateway.delivered()
    assert [delivered[f"point-n{number}"] for number in range(20)] == [1] * 20
    assert [state for state, *_ in history(url, "n7")] == ["planned", "claimed", "sent"]


def test_each_row_is_in_the_shard_that_is_worked_out_for_it(url):
    put_steps(url, [step(f"p{number}") for number in range(40)])

    with transaction(url) as connection:
        rows = connection.execute(select(NOTIFICATION)).mappings().all()
        for number in range(SHARDS):
            listed = set(connection.execute(select(NOTIFICATION.c.step_key).where(Shard("sms", number).rows)).scalars())
            assert listed == {row["step_key"] for row in rows if Shard.of(row).number == number}
            assert listed


def test_rows_outside_their_window_wait_or_pass(url, gateway):
    now = datetime.now(UTC)
    early = step("early", not_before_at=now + timedelta(minutes=1))
    late = step("late", not_after_at=now - timedelta(seconds=1))
    put_steps(url, [early, late, step("held", state_code="held")])

    assert run(url, gateway) == {}

    assert states(url) == {"early": "planned", "held": "held", "late": "planned"}


@pytest.mark.parametrize(
    ("mode", "state", "reason"),
    [
        ({"refuse": 1}, "rejected_retryable", "gateway_503"),
        ({"final": 1}, "rejected_final", "gateway_422"),
        ({"invalid": 1}, "rejected_final", "address_dead"),
        ({"fail_before": 1}, "unknown", "gateway_500"),
        ({"fail": 1}, "unknown", "gateway_500"),
        ({"reset": 1}, "unknown", "gateway_readerror"),
        ({"hang": 1, "hang_seconds": 1.5}, "unknown", "gateway_readtimeout"),
    ],
    ids=["503", "422", "no such number", "500 before", "accepted, 500", "accepted, reset", "accepted, hangs"],
)
def test_answer_decides_the_state(url, gateway, mode, state, reason):
    gateway.mode(**mode)
    put_steps(url, [step("a")])

    run(url, gateway, terms=Terms(lease_seconds=LEASE, back_off_seconds=600))

    assert states(url) == {"a": state}
    assert history(url, "a")[-1][:2] == (state, reason)
    day = sql(url, "SELECT contacted_on FROM ops.notification").scalar_one()
    assert day == (None if state.startswith("rejected") else ON)


def other(channel, minutes=60):
    """A way of a step, whose window ends in so many minutes."""
    now = datetime.now(UTC)
    window = {"not_before_at": now - timedelta(minutes=90), "not_after_at": now + timedelta(minutes=minutes)}
    named = {"channel_code": channel, "contact_point_id": f"{channel}-of-w"}
    return named | {name: instant.isoformat() for name, instant in window.items()}


def attempts(url):
    """What became of each attempt of the step ``w``: number, channel, point, state, why."""
    asked = (
        "SELECT attempt_no, channel_code, contact_point_id, state_code, reason_code FROM ops.notification_event "
        "WHERE step_key = 'w' AND event_id > :since AND state_code NOT IN ('planned', 'claimed') ORDER BY event_id"
    )
    since = "SELECT max(event_id) AS number FROM ops.notification_event WHERE step_key = 'w' AND attempt_no = 0"
    return [tuple(row) for row in sql(url, asked, since=sql(url, since).scalar_one())]


def run_channel(url, gateway, code, **mode):
    gateway.mode(**mode)
    way = gateway.channel()
    way.code = code
    return Dispatcher(url, way, send_all, Shard(code, shard_of("w")), TERMS).run()


def test_step_that_is_refused_for_good_goes_on_by_its_next_way_once(url, gateway):
    before = gateway.delivered()
    put_steps(url, [step("w", ways=[other("push", minutes=-1), other("voice_bot"), other("email")])])

    run_channel(url, gateway, "sms", final=1)
    between = sql(url, "SELECT channel_code, state_code, contacted_on, ways FROM ops.notification").one()
    for code in ("sms", "push", "voice_bot", "email"):
        run_channel(url, gateway, code, final=0)

    assert between[:3] == ("voice_bot", "rejected_retryable", None)
    assert [way["channel_code"] for way in between.ways] == ["email"]
    assert attempts(url) == [
        (1, "sms", "point-w", "rejected_retryable", "gateway_422"),
        (1, "voice_bot", "voice_bot-of-w", "rejected_retryable", "other_way"),
        (2, "voice_bot", "voice_bot-of-w", "sent", "gateway_accepted"),
    ]
    assert gateway.delivered() - before == {"voice_bot-of-w": 1}


@pytest.mark.parametrize(
    ("mode", "ways", "state"),
    [
        ({"final": 1}, [], "rejected_final"),
        ({"final": 1}, ["push"], "rejected_final"),
        ({"fail": 1}, ["voice_bot", "email"], "unknown"),
        ({"reset": 1}, ["voice_bot", "email"], "unknown"),
        ({}, ["voice_bot", "email"], "sent"),
    ],
    ids=["no way left", "its window has passed", "accepted, 500", "accepted, reset", "accepted"],
)
def test_step_goes_on_by_no_other_way_when_it_may_have_been_sent_or_none_is_left(url, gateway, mode, ways, state):
    put_steps(url, [step("w", ways=[other(code, minutes=-1 if code == "push" else 60) for code in ways])])

    run_channel(url, gateway, "sms", **mode)
    for code in ("push", "voice_bot", "email"):
        run_channel(url, gateway, code, **dict.fromkeys(mode, 0))

    assert states(url) == {"w": state}
    assert sql(url, "SELECT channel_code, attempt_no FROM ops.notification").one() == ("sms", 1)


@pytest.mark.parametrize("point", ["before_record", "after_record"])
def test_step_whose_dispatcher_dies_as_it_is_refused_is_nowhere_twice(url, gateway, monkeypatch, tmp_path, point):
    """Before the refusal is recorded nobody knows of it, so nothing goes on; afterwards it goes on once."""
    put_steps(url, [step("w", ways=[other("voice_bot")])])
    (tmp_path / "strike").touch()
    monkeypatch.setenv("ARREARS_FAILPOINT", f"dispatch.{point}")
    monkeypatch.setenv("ARREARS_FAILPOINT_FILE", str(tmp_path / "strike"))
    before = gateway.delivered()

    died = waited(fork(lambda: run_channel(url, gateway, "sms", final=1)))
    monkeypatch.delenv("ARREARS_FAILPOINT")
    run_channel(url, gateway, "voice_bot", final=0)
    reached = gateway.delivered() - before

    assert died == -signal.SIGKILL
    assert reached == ({} if point == "before_record" else {"voice_bot-of-w": 1})
    assert states(url) == {"w": "claimed" if point == "before_record" else "sent"}


def test_gateway_that_is_not_there_is_a_definite_rejection_and_opens_the_breaker(url, gateway):
    put_steps(url, [step(f"d{number}") for number in range(40)])
    away = gateway.channel(timeout=0.2)
    away.endpoint = type(away.endpoint)("http://127.0.0.1:9", frozenset({"127.0.0.1:9"}))
    terms = Terms(lease_seconds=LEASE, back_off_seconds=600, outages=3)

    done = Dispatcher(url, away, send_all, Shard("sms", 0), terms).run()

    assert done["rejected_retryable"] == 3
    assert done["breaker_open"] == 1


def test_last_rejection_is_final(url, gateway):
    gateway.mode(refuse=1)
    put_steps(url, [step("a")])
    terms = Terms(lease_seconds=LEASE, back_off_seconds=0.001, max_attempts=3, outages=99)

    for _ in range(3):
        run(url, gateway, terms=terms)
        time.sleep(0.05)

    assert states(url) == {"a": "rejected_final"}
    assert sql(url, "SELECT attempt_no FROM ops.notification").scalar_one() == 3


def test_rejected_rows_wait_twice_as_long_each_time_and_not_all_alike(url, gateway):
    gateway.mode(refuse=1)
    put_steps(url, [step(f"j{number}") for number in range(12)])
    terms = Terms(lease_seconds=LEASE, back_off_seconds=100, outages=99)
    waits = {}

    for attempt in (1, 2):
        run(url, gateway, terms=terms)
        asked = "SELECT extract(epoch FROM next_try_at - changed_at) FROM ops.notification"
        waits[attempt] = [float(one) for one in sql(url, asked).scalars()]
        sql(url, "UPDATE ops.notification SET next_try_at = NULL")

    for attempt, middle in ((1, 100), (2, 200)):
        assert all(0.49 * middle < wait < 1.51 * middle for wait in waits[attempt])
        assert len(set(waits[attempt])) == 12
        assert max(waits[attempt]) - min(waits[attempt]) > 0.2 * middle


def test_messages_go_no_faster_than_the_channel_may(url, gateway):
    """Ten messages at twenty a second take nine pauses."""
    keys = [key for key in map("v{}".format, range(200)) if shard_of(key) == 0][:10]
    put_steps(url, [step(key) for key in keys])
    terms = Terms(lease_seconds=LEASE, per_second=20)
    began = time.monotonic()

    done = Dispatcher(url, gateway.channel(), send_all, Shard("sms", 0), terms).run()

    assert done["sent"] == 10
    assert time.monotonic() - began >= 9 / 20


@pytest.mark.parametrize(("mode", "was_accepted"), [({"fail": 1}, True), ({"fail_before": 1}, False)])
def test_look_up_settles_what_is_unknown(url, gateway, mode, was_accepted):
    gateway.mode(**mode)
    put_steps(url, [step(f"l{was_accepted}")])
    run(url, gateway)
    gateway.mode(fail=0, fail_before=0)
    assert run(url, gateway) == {}  # its lease has not passed

    end_leases(url)
    first = run(url, gateway, lag_seconds=5)
    assert first == ({"settled_sent": 1} if was_accepted else {"unknown": 1})
    assert run(url, gateway, lag_seconds=5) == {}
    end_leases(url)
    run(url, gateway, lag_seconds=5)

    assert set(states(url).values()) == {"sent"}
    assert gateway.delivered()[f"point-l{was_accepted}"] == 1


def test_without_look_up_unknown_waits_for_a_person(url, gateway):
    gateway.mode(fail=1)
    put_steps(url, [step("p")])

    for _ in range(3):
        run(url, gateway, settles=Settles.BY_PERSON)
        end_leases(url)

    assert states(url) == {"p": "unknown"}
    assert gateway.delivered()["point-p"] == 1


def test_provider_that_de_duplicates_is_asked_again_within_its_window(url, gateway):
    gateway.mode(fail=1, window_seconds=600)
    put_steps(url, [step("within")])
    run(url, gateway, settles=Settles.BY_ASKING_AGAIN, window_seconds=600)
    gateway.mode(fail=0)
    end_leases(url)

    assert run(url, gateway, settles=Settles.BY_ASKING_AGAIN, window_seconds=600) == {"settled_sent": 1}

    assert gateway.delivered()["point-within"] == 1


@pytest.mark.parametrize("settles", [Settles.BY_LOOK_UP, Settles.BY_ASKING_AGAIN])
def test_provider_that_was_not_asked_to_deliver_settles_nothing(url, gateway, another_gateway, settles):
    """The first takes the message and says 500; then the deployment names another, who has never heard of it."""
    key, window = f"x{settles.value}", {"window_seconds": 600}
    gateway.mode(fail=1, **window)
    another_gateway.mode(**window)
    put_steps(url, [step(key)])
    run(url, gateway, settles=settles, **window)
    gateway.mode(fail=0)

    for _ in range(3):
        end_leases(url)
        run(url, another_gateway, settles=settles, provider="another", **window)
    waiting = states(url)
    run(url, gateway, settles=settles, **window)

    assert (waiting, states(url)) == ({key: "unknown"}, {key: "sent"})
    assert gateway.delivered()[f"point-{key}"] == 1
    assert another_gateway.delivered()[f"point-{key}"] == 0


def test_provider_that_has_forgotten_is_not_asked_again(url, gateway):
    gateway.mode(fail=1)
    put_steps(url, [step("f")])
    run(url, gateway, settles=Settles.BY_ASKING_AGAIN, window_seconds=LEASE - 1)
    end_leases(url)

    assert run(url, gateway, settles=Settles.BY_ASKING_AGAIN, window_seconds=LEASE - 1) == {}

    assert states(url) == {"f": "unknown"}
    assert gateway.delivered()["point-f"] == 1


def test_same_key_never_carries_another_content(url, gateway):
    gateway.mode(fail=1, window_seconds=600)
    put_steps(url, [step("c")])
    run(url, gateway, settles=Settles.BY_ASKING_AGAIN, window_seconds=600)
    gateway.mode(fail=0)
    end_leases(url)
    others = [f"c{number}" for number in range(9)]
    put_steps(url, [step(key) for key in others])

    def other_words(connection, row, now):
        go = send_all(connection, row, now)
        if row["step_key"] != "c":
            return go
        content = Content("t@2/en", Private(""), Private("another text"))
        message = type(go.message)(**{**vars(go.message), "content": content})
        return type(go)(message, go.contacted_on)

    raised = []
    for number in range(SHARDS):
        way = gateway.channel(Settles.BY_ASKING_AGAIN, window_seconds=600)
        try:
            Dispatcher(url, way, other_words, Shard("sms", number), TERMS).run()
        except PayloadChangedError:
            raised.append(number)

    assert raised == [shard_of("c")]
    assert states(url) == {"c": "unknown", **dict.fromkeys(others, "sent")}
    assert gateway.delivered()["point-c"] == 1
    assert {shard_of(key) for key in others} == set(range(SHARDS))


def test_row_that_cannot_be_judged_is_set_aside_and_keeps_nobody_from_their_message(url, gateway):
    now = datetime.now(UTC)
    keys = [key for key in map("z{}".format, range(99)) if shard_of(key) == 0][:6]
    put_steps(url, [step(key, not_after_at=now + timedelta(minutes=60 + place)) for place, key in enumerate(keys)])
    bad, is_mended = keys[:3], False

    def judge(connection, row, at):
        if row["step_key"] == bad[0] and not is_mended:
            raise ConfigurationError("no sender", "sender.yaml", "portfolio")
        if row["step_key"] in bad and not is_mended:
            connection.execute(text("SELECT 1 FROM mart.partition_that_was_dropped"))
        return send_all(connection, row, at)

    def dispatcher(after=timedelta(0)):
        way = gateway.channel()
        return Dispatcher(url, way, judge, Shard("sms", 0), TERMS, clock=lambda: datetime.now(UTC) + after)

    first = dispatcher()
    with pytest.raises(ConfigurationError, match=r"sender\.yaml"):
        first.run()
    found = states(url)
    reasons = sql(url, "SELECT DISTINCT reason_code FROM ops.notification WHERE state_code = 'planned'").scalars().all()
    is_mended = True
    too_early, later = dispatcher().run(), dispatcher(timedelta(minutes=16)).run()

    assert found == {key: "planned" if key in bad else "sent" for key in keys}
    assert reasons == ["failed_to_judge"]
    assert +first.done == {"failed": 3, "put_off": 3, "sent": 3}
    assert (too_early.get("sent"), later["sent"]) == (None, 3)


@pytest.mark.parametrize(("has_begun", "state"), [(False, "rejected_retryable"), (True, "unknown")])
def test_channel_that_breaks_over_a_message_has_sent_it_or_not_and_the_next_ones_go(url, gateway, has_begun, state):
    keys = [key for key in map(f"y{has_begun}{{}}".format, range(99)) if shard_of(key) == 0][:3]
    put_steps(url, [step(key) for key in keys])
    way = gateway.channel()
    deliver = way.deliver

    def breaks(message, before_write):
        if message.step_key != keys[0]:
            return deliver(message, before_write)
        if has_begun:
            before_write()
        raise IndexError("a library's own mistake")

    way.deliver = breaks
    dispatcher = Dispatcher(url, way, send_all, Shard("sms", 0), Terms(lease_seconds=LEASE, back_off_seconds=600))
    with pytest.raises(IndexError):
        dispatcher.run()

    assert states(url) == {keys[0]: state, keys[1]: "sent", keys[2]: "sent"}
    assert history(url, keys[0])[-1][1] == "channel_failed"


@pytest.mark.parametrize("lease", [1.0, LEASE - 0.1])
def test_lease_that_does_not_outlast_the_timeouts_is_refused(url, gateway, lease):
    put_steps(url, [step("a")])

    with pytest.raises(LeaseTooShortError):
        run(url, gateway, terms=Terms(lease_seconds=lease))

    assert states(url) == {"a": "planned"}


def test_refusals_of_the_judge_are_kept_with_their_reason(url, gateway):
    soon = datetime.now(UTC) + timedelta(minutes=5)
    answers = {
        "s": No("suppressed", "paid"),
        "h": No("held", "template"),
        "d": No("planned", "hours", until=soon),
    }
    put_steps(url, [step(key) for key in answers])

    done = run(url, gateway, judge=lambda _connection, row, _now: answers[row["step_key"]])

    assert done == {"suppressed": 1, "held": 1, "put_off": 1}
    assert states(url) == {"d": "planned", "h": "held", "s": "suppressed"}
    assert [history(url, key)[-1][1] for key in "shd"] == ["paid", "template", "hours"]
    assert run(url, gateway) == {}


def test_one_message_per_person_and_day_under_concurrency(url, gateway):
    """Fifty rows of one person, eight dispatchers at once: one is sent, the others never."""
    put_steps(url, [step(f"many{number}", person_id="one person") for number in range(50)])

    threads = [
        threading.Thread(target=work, args=(url, gateway.channel, TERMS, (number % SHARDS,))) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert count_states(url) == {"sent": 1, "suppressed": 49}
    assert sum(n for to, n in gateway.delivered().items() if to.startswith("point-many")) == 1


def test_daily_cap_is_never_passed_under_concurrency(url, gateway):
    put_steps(url, [step(f"cap{number}") for number in range(60)])
    terms = Terms(lease_seconds=LEASE, daily_cap=25)

    threads = [threading.Thread(target=work, args=(url, gateway.channel, terms, (number,))) for number in range(SHARDS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert count_states(url) == {"sent": 25, "planned": 35}
    sql(url, "DELETE FROM ops.outbox_day")


def test_contact_that_is_one_too_many_for_its_person_takes_nothing_from_the_channel_s_day(url, gateway):
    now = datetime.now(UTC)
    first = [step(f"q{number}", person_id="one person") for number in range(9)]
    others = [step(f"qq{number}", not_after_at=now + timedelta(hours=2)) for number in range(6)]
    put_steps(url, first + others)

    done = run(url, gateway, terms=Terms(lease_seconds=LEASE, daily_cap=5))

    assert count_states(url) == {"sent": 5, "suppressed": 8, "planned": 2}
    assert done["daily_cap"] > 0
    assert sql(url, "SELECT sum(attempts) FROM ops.outbox_day").scalar_one() == 5
    assert sql(url, "SELECT count(*) FROM ops.notification WHERE claim_id IS NOT NULL").scalar_one() == 5
    sql(url, "DELETE FROM ops.outbox_day")


def test_shard_that_another_dispatcher_works_is_left_to_it(url, gateway):
    put_steps(url, [step(f"b{number}") for number in range(8)])
    with transaction(url) as other:
        for number in range(SHARDS):
            other.execute(select(func.pg_advisory_xact_lock(Shard("sms", number).lock)))

        assert run(url, gateway) == {"busy": SHARDS}

    assert count_states(url) == {"planned": 8}


def test_stop_takes_effect_within_one_message(url, gateway):
    gateway.mode(hang=1, hang_seconds=0.1)  # slow enough to be stopped halfway
    put_steps(url, [step(f"k{number}") for number in range(60)])
    worker = threading.Thread(target=work, args=(url, gateway.channel, TERMS))
    worker.start()
    while not count_states(url)["sent"]:
        time.sleep(0.02)

    sql(url, "INSERT INTO ops.outbox_stop (scope_code, scope_value, reason, started_by) VALUES ('all', '', 'x', 'y')")
    stopped = time.time()
    worker.join()

    sql(url, "DELETE FROM ops.outbox_stop")
    begun = gateway.log()["requests"]
    assert count_states(url)["planned"] > 0
    assert max(begun) < stopped + 1


@pytest.mark.parametrize(
    ("scope", "value"), [("all", ""), ("portfolio", "book"), ("channel", "sms"), ("template", "friendly_reminder")]
)
def test_stop_covers_what_it_names(url, gateway, scope, value):
    put_steps(url, [step("s1"), step("s2", portfolio="other", template_code="other")])
    stop = "INSERT INTO ops.outbox_stop (scope_code, scope_value, reason, started_by) VALUES (:s, :v, 'x', 'y')"
    sql(url, stop, s=scope, v=value)

    run(url, gateway)

    sql(url, "UPDATE ops.outbox_stop SET ended_at = now()")
    found = states(url)
    assert found["s1"] == "planned"
    assert found["s2"] == ("planned" if scope in ("all", "channel") else "sent")
    run(url, gateway)
    assert set(states(url).values()) == {"sent"}


@pytest.mark.parametrize("point", POINTS)
def test_dispatcher_killed_at_each_point_contacts_nobody_twice_and_loses_nobody(url, gateway, tmp_path, point):
    key = f"kill-{point}"
    put_steps(url, [step(key)])
    marker = tmp_path / "strike"
    marker.touch()

    def body():
        os.environ.update(ARREARS_FAILPOINT=f"dispatch.{point}", ARREARS_FAILPOINT_FILE=str(marker))
        work(url, gateway.channel, TERMS)

    assert waited(fork(body)) == -signal.SIGKILL
    for _ in range(4):
        run(url, gateway)
        end_leases(url)

    assert states(url) == {key: "sent"}
    assert gateway.delivered()[f"point-{key}"] == 1


def test_work_is_found_by_channel_and_shard(url):
    put_steps(url, [step("w1"), step("w2", channel_code="email"), step("w3", channel_code="push", state_code="sent")])

    with transaction(url) as connection:
        found = work_by_channel(connection)

    assert set(found) == {"sms", "email"}
    assert [list(rows.values()) for rows in found.values()] == [[1], [1]]


def test_rows_that_feedback_has_ended_are_not_sent(url, gateway):
    put_steps(url, [step("gone"), step("goes")])
    with transaction(url) as connection:
        outbox.suppress(connection, Scope(person_id="person-gone"), actor="feedback", reason="opt_out")

    run(url, gateway)

    assert states(url) == {"goes": "sent", "gone": "suppressed"}
