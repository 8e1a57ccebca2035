"""How fast messages go: through a real gateway on loopback with one and four shards, and with all questions asked."""

import os
import time
from datetime import timedelta

import pytest
from arrears.jobs.recheck import Recheck
from arrears.sending.addresses import load_addresses
from arrears.sending.channels.spool import Spool
from arrears.sending.claims import SHARDS, Shard
from arrears.sending.dispatch import Dispatcher, Terms
from arrears.warehouse.connection import transaction
from sqlalchemy import text
from support.outbox import empty_outbox, put_steps, step
from support.sending import count_states, fork, gateway_process, tell_report, waited, work
from support.sending_floor import DAY, TEN, made_floor, prepare

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]

MESSAGES = int(os.environ.get("ARREARS_SENDING_MESSAGES", "1000"))
DAY_MESSAGES = int(os.environ.get("ARREARS_SENDING_DAY", "100000"))
WINDOW = timedelta(hours=12)  # 08:00 to 20:00, the narrowest of the shipped packs' days but one
LONG = Terms(lease_seconds=60, run_seconds=1200)


@pytest.fixture
def url(warehouse_url):
    empty_outbox(warehouse_url)
    yield warehouse_url
    empty_outbox(warehouse_url)


def timed(shares, body):
    """Seconds until all shares are worked, each in a process of its own."""
    began = time.monotonic()
    children = [fork(lambda share=share: body(share)) for share in shares]
    assert [waited(child) for child in children] == [0] * len(children)
    return time.monotonic() - began


@pytest.mark.parametrize("dispatchers", [1, SHARDS])
def test_pace_through_a_gateway(url, tmp_path, dispatchers):
    count = 2 * MESSAGES
    put_steps(url, [step(f"p{number}") for number in range(count)])
    shares = [tuple(range(SHARDS))] if dispatchers == 1 else [(number,) for number in range(SHARDS)]
    with gateway_process(tmp_path) as gateway:
        seconds = timed(shares, lambda share: work(url, lambda: gateway.channel(timeout=5.0), LONG, share))
        delivered = gateway.delivered()

    name = {"what": "protocol alone, gateway", "shards": dispatchers, "messages": count}
    tell_report("pace", {**name, "seconds": round(seconds, 1), "per second": round(count / seconds)})
    assert len(delivered) == count
    assert set(delivered.values()) == {1}


@pytest.fixture(scope="module")
def big_day(tmp_path_factory, warehouse_url):
    """A whole day's plan: a reminder for each of so many people, as the jobs make it."""
    return made_floor(tmp_path_factory.mktemp("day"), warehouse_url, people=DAY_MESSAGES)


def test_day_of_so_many_messages_goes_out_within_its_window(big_day):
    """Every question of the real judge, for each message; four dispatchers, a sandbox at the other end."""
    made, rows = big_day
    assert len(rows) == DAY_MESSAGES
    prepare(made, rows, DAY, people=DAY_MESSAGES)
    with transaction(made.warehouse) as connection:
        load_addresses(connection, made.keys, "book", [(row["contact_point_id"], "+86 138 0000 0000") for row in rows])
        connection.execute(text("ANALYZE"))

    def body(share):
        way = Spool("sms", made.outbox_folder / "sandbox")
        for number in share:
            sent = 1
            while sent:  # a run stops claiming after its time, as under contact_dispatch: the next one goes on
                judge, shard = Recheck(made, way), Shard("sms", number)
                sent = Dispatcher(made.warehouse, way, judge, shard, Terms(), clock=lambda: TEN).run().get("sent", 0)

    seconds = timed([(number,) for number in range(SHARDS)], body)

    assert count_states(made.warehouse) == {"sent": DAY_MESSAGES}
    name = {"what": "a day's plan, everything asked again, sandbox", "shards": SHARDS, "messages": DAY_MESSAGES}
    tell_report("pace", {**name, "seconds": round(seconds, 1), "per second": round(DAY_MESSAGES / seconds)})
    assert seconds < WINDOW.total_seconds()
    empty_outbox(made.warehouse)
