"""Dispatchers die by SIGKILL, freeze past their lease, lose their database: nobody is contacted twice.

``ARREARS_SENDING_REPORT=file`` appends the figures to a file.
"""

import os
import signal
import threading
import time
from contextlib import suppress

import psutil
import pytest
from arrears.local.postgres import EmbeddedPostgres
from arrears.sending import claims, protocol
from arrears.sending.claims import SHARDS, Shard
from arrears.sending.dispatch import Dispatcher, Terms
from arrears.sending.values import Reply, Settles
from arrears.warehouse.connection import transaction
from arrears.warehouse.migrate import upgrade
from sqlalchemy import text
from support.outbox import empty_outbox, put_steps, states, step
from support.sending import (
    LEASE,
    Storm,
    count_states,
    fork,
    gateway_process,
    open_rows,
    send_all,
    shard_of,
    tell_report,
    waited,
    work,
)

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(590)]

MESSAGES = int(os.environ.get("ARREARS_SENDING_MESSAGES", "1000"))
KILLS = int(os.environ.get("ARREARS_SENDING_KILLS", "150"))
FAILING = {"refuse": 0.03, "final": 0.005, "hang": 0.01, "reset": 0.02, "fail": 0.02, "fail_before": 0.01}
TERMS = Terms(lease_seconds=LEASE, back_off_seconds=0.01, max_attempts=50)
LONG = Terms(lease_seconds=60, back_off_seconds=0.01)
POINTS = ("before_intent", "after_intent", "before_check", "after_check", "before_record", "after_record")


@pytest.fixture
def url(warehouse_url):
    empty_outbox(warehouse_url)
    yield warehouse_url
    empty_outbox(warehouse_url)


def storm(url, folder, settles, *, messages=MESSAGES, kills=KILLS, ways=(), failing=FAILING, **how):
    keys = [f"m{number}" for number in range(messages)]
    put_steps(url, [step(key, ways=[{**way, "contact_point_id": f"point-{key}"} for way in ways]) for key in keys])
    window = {"window_seconds": 3600.0} if settles is Settles.BY_ASKING_AGAIN else {}
    with gateway_process(folder, **failing, hang_seconds=0.6, **window) as gateway:
        blown = Storm(url, gateway, settles, kills, channel_terms=window, **how)
        blown.blow()
        return blown.figures(messages)


@pytest.mark.parametrize("settles", list(Settles))
def test_storm_of_kills(url, tmp_path, settles):
    began = time.monotonic()

    figures = storm(url, tmp_path, settles)

    tell_report("storm", {**figures, "seconds": round(time.monotonic() - began)})
    assert figures["kills"] >= KILLS
    assert figures["people contacted twice"] == 0
    assert figures["called sent that was not accepted"] == 0
    found = figures["states"]
    assert sum(found.get(state, 0) for state in ("sent", "unknown", "rejected_final")) == MESSAGES
    if settles is not Settles.BY_PERSON:
        assert found.get("unknown", 0) == 0
        assert figures["accepted and not known"] == 0


@pytest.mark.parametrize("settles", [Settles.BY_PERSON, Settles.BY_LOOK_UP])
def test_storm_over_a_second_channel(url, tmp_path, settles):
    """One in five messages is refused for good and goes on by another channel to the same person."""
    messages, kills = MESSAGES // 5, KILLS // 5
    window = {"not_before_at": "2026-01-01T00:00:00+00:00", "not_after_at": "2999-01-01T00:00:00+00:00"}
    ways, failing = [{"channel_code": "voice_bot", **window}], {**FAILING, "final": 0.2}
    about = {"messages": messages, "kills": kills, "ways": ways, "failing": failing, "codes": ("sms", "voice_bot")}

    figures = storm(url, tmp_path, settles, **about)

    with transaction(url) as connection:
        asked = "SELECT count(*) FROM ops.notification WHERE state_code = 'sent' AND channel_code = 'voice_bot'"
        figures["went on and were sent"] = connection.execute(text(asked)).scalar_one()
    tell_report("second channel", figures)
    assert figures["kills"] >= kills
    assert figures["people contacted twice"] == 0
    assert figures["called sent that was not accepted"] == 0
    assert figures["went on and were sent"] > 0
    if settles is Settles.BY_LOOK_UP:
        assert figures["accepted and not known"] == 0


def send_then_record(self, connection, breaker):
    """Mutant: the message goes out first, and what became of it is written afterwards."""
    with connection.begin():
        row = claims.next_due(connection, self.shard, self.clock())
        if row is None:
            return False
        go = self.judge(connection, row, self.clock())
        outcome = self._deliver(go.message, time.monotonic())
        claim_id = self._claim(connection, row, go)
    self._record(connection, claim_id, row, outcome)
    breaker.note(is_outage=False)
    return True


def take_back_dead_claims(connection, _shard, _actor):
    """Mutant: a claim that nobody holds any more is simply planned again, as job queues do."""
    dead = text(
        "UPDATE ops.notification SET state_code = 'planned', reason_code = 'lease_over', contacted_on = NULL "
        "WHERE state_code = 'claimed'"
    )
    return connection.execute(dead).rowcount


@pytest.mark.parametrize("mutant", ["record after send", "lease only", "resend unknown"])
def test_same_storm_catches_a_mutant(url, tmp_path, monkeypatch, mutant):
    """Each protocol that others use, put back: the storm finds people contacted twice."""
    if mutant == "record after send":
        monkeypatch.setattr(Dispatcher, "_one", send_then_record)
    elif mutant == "lease only":
        monkeypatch.setattr(claims, "abandon_dead_claims", take_back_dead_claims)
    else:
        monkeypatch.setitem(protocol.STATE_AFTER, Reply.UNKNOWN, "rejected_retryable")

    figures = storm(url, tmp_path, Settles.BY_PERSON, messages=300, kills=60)

    tell_report(f"mutant: {mutant}", figures)
    assert figures["people contacted twice"] > 0


@pytest.mark.parametrize("point", POINTS)
def test_dispatcher_frozen_past_its_lease_contacts_nobody_twice(url, tmp_path, point):
    """SIGSTOP at the point; others work on meanwhile, past the lease; SIGCONT; others again."""
    put_steps(url, [step("frozen"), *(step(f"other{number}") for number in range(12))])
    first = Shard("sms", shard_of("frozen"))
    marker = tmp_path / "strike"
    marker.touch()
    with gateway_process(tmp_path) as gateway:

        def body():
            os.environ.update(
                ARREARS_FAILPOINT=f"dispatch.{point}",
                ARREARS_FAILPOINT_FILE=str(marker),
                ARREARS_FAILPOINT_SIGNAL="SIGSTOP",
            )
            Dispatcher(url, gateway.channel(), send_all, first, TERMS).run()

        frozen = fork(body)
        os.waitpid(frozen, os.WUNTRACED)
        give_up = time.monotonic() + 1.2 * LEASE
        while time.monotonic() < give_up:
            for number in range(SHARDS):
                Dispatcher(url, gateway.channel(), send_all, Shard("sms", number), TERMS).run()
            time.sleep(0.5)
        os.kill(frozen, signal.SIGCONT)
        assert waited(frozen) == 0
        for _ in range(4):
            work(url, gateway.channel, TERMS)
            time.sleep(0.3)

        delivered = gateway.delivered()
    tell_report("frozen past its lease", {"point": point, "twice": sum(n > 1 for n in delivered.values())})
    assert set(delivered.values()) == {1}
    assert len(delivered) == 13
    assert set(states(url).values()) == {"sent"}


def test_two_dispatchers_and_ten_thousand_messages(url, tmp_path):
    count = 10 * MESSAGES
    put_steps(url, [step(f"d{number}") for number in range(count)])
    with gateway_process(tmp_path) as gateway:
        began = time.monotonic()
        while open_rows(url):
            children = [
                fork(lambda order=order: work(url, lambda: gateway.channel(timeout=5.0), LONG, order))
                for order in ((0, 1, 2, 3), (2, 3, 0, 1))
            ]
            assert [waited(child) for child in children] == [0, 0]
        seconds = time.monotonic() - began
        delivered = gateway.delivered()

    tell_report(
        "two dispatchers",
        {"messages": count, "twice": sum(n > 1 for n in delivered.values()), "per second": round(count / seconds)},
    )
    assert len(delivered) == count
    assert set(delivered.values()) == {1}
    assert count_states(url) == {"sent": count}


def test_postgres_restarted_hard_in_mid_dispatch(tmp_path):
    server = EmbeddedPostgres(tmp_path / "pg")
    server.start()
    try:
        url = server.url("postgres")
        upgrade(url)
        put_steps(url, [step(f"r{number}") for number in range(MESSAGES)])
        restarts, is_over = 0, threading.Event()
        with gateway_process(tmp_path, fail=0.02) as gateway:

            def send():
                while not is_over.is_set():
                    waited(fork(lambda: work(url, gateway.channel, TERMS)))

            sender = threading.Thread(target=send)
            sender.start()
            give_up = time.monotonic() + 400
            try:
                while restarts < 8 or open_rows(url) or count_states(url)["unknown"]:
                    assert time.monotonic() < give_up, count_states(url)
                    if restarts < 8:
                        time.sleep(0.7)
                        crash(server)
                        restarts += 1
                    else:
                        time.sleep(1)
            finally:
                is_over.set()
                sender.join()
            delivered, found = gateway.delivered(), count_states(url)
    finally:
        server.stop()

    tell_report(
        "database restarted hard",
        {"restarts": restarts, "states": found, "twice": sum(n > 1 for n in delivered.values())},
    )
    assert set(delivered.values()) == {1}
    assert found == {"sent": MESSAGES}
    assert len(delivered) == MESSAGES


def crash(server):
    """SIGKILL for the postmaster and all of its children; then start again, which recovers from the log."""
    postmaster = int((server.directory / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    process = psutil.Process(postmaster)
    family = [process, *process.children(recursive=True)]
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(family, timeout=10)
    server.start()
