"""The DAG ``contact_dispatch`` on a real Airflow: what is planned goes out once, and a channel that fails is told of.

One channel's server is not on the deployment's list. Its task fails, the run is red and the on-call webhook hears why;
the others are sent. The run is cleared as it is, and again when the channel is mended: nobody is sent to twice.
"""

import json
import shutil
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from arrears.sending.channels.spool import messages
from arrears.settings import INCLUDE
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import MART, NOTIFICATION
from sqlalchemy import insert, select, text
from support.listener import listening
from support.servers import BOOK, WAIT_SECONDS, running_floor

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(900)]
DAG_ID = "contact_dispatch"
STRANGE = (
    "allowed: []\nrehearse: true\nchannels:\n  sms: {kind: gateway, provider: acme, url: 'https://elsewhere.example', "
    "secret: 'sixteen characters and more', settles: by_look_up}\n"
)
MENDED = "rehearse: true\n"


@pytest.fixture(scope="module")
def alerts():
    """A webhook of whoever is on call, and what it has heard."""
    with listening() as heard:
        yield heard


@pytest.fixture(scope="module")
def ways(tmp_path_factory):
    """The deployment's sending configuration."""
    config = tmp_path_factory.mktemp("sending") / "sending.yaml"
    config.write_text(STRANGE)
    return config


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    """The shipped packs; the house's lets people be reached on Sundays and holidays too, for the test runs today."""
    folder = tmp_path_factory.mktemp("policies") / "policies"
    shutil.copytree(INCLUDE / "policies", folder)
    house = folder / "house_humane.yaml"
    house.write_text(
        house.read_text().replace("sun: null", 'sun: ["09:00", "20:00"]').replace("    holiday: null\n", "")
    )
    return folder


@pytest.fixture(scope="module")
def floor(tmp_path_factory, alerts, ways, policies):
    """All days published; the plan of the last is in the outbox, some of it for the channel that fails."""
    told = {
        "ARREARS_SENDING": str(ways),
        "ARREARS_POLICIES": str(policies),
        "ARREARS_ALERT_CONNECTION": "on_call",
        "AIRFLOW_CONN_ON_CALL": json.dumps({"conn_type": "http", "host": alerts[1]}),
    }
    with running_floor(tmp_path_factory.mktemp("floor"), environment=told) as floor:
        for day in floor.dates:
            floor.api.trigger(BOOK.dag_id, day)
            floor.wait(day)
        put_plan(floor, floor.dates[-1])
        yield floor


def put_plan(floor, day):
    """The day's plan as its publication releases it; at night, when it releases nothing any more, none the less."""
    plan, names = MART["out__contact_plan_daily"], {column.name for column in NOTIFICATION.columns}
    with transaction(floor.deployment.owner_url) as connection:
        connection.execute(text("DELETE FROM ops.notification"))
        asked = select(plan).where(plan.c.business_date == day, plan.c.state_code == "planned")
        rows = [
            {name: value for name, value in row.items() if name in names} | {"loan_ids": row["loan_ids"].split(",")}
            for row in connection.execute(asked).mappings()
        ]
        late = datetime.now(UTC) + timedelta(hours=9)
        rows = [row | {"not_after_at": max(row["not_after_at"], late)} for row in rows]
        connection.execute(insert(NOTIFICATION), rows)


def written(floor):
    """What the sandboxes hold."""
    return messages(floor.deployment.home.var / "outbox" / "sandbox")


def counted(floor):
    with transaction(floor.deployment.warehouse_url) as connection:
        asked = text("SELECT channel_code = 'sms', state_code FROM ops.notification")
        return Counter((is_sms, state) for is_sms, state in connection.execute(asked))


def ended(floor, run_id):
    give_up = time.monotonic() + WAIT_SECONDS
    while not floor.api.run(DAG_ID, run_id).is_over:
        assert time.monotonic() < give_up
        time.sleep(0.5)
    return floor.api.run(DAG_ID, run_id).state


def states_of(floor, run_id):
    found = {}
    for task in floor.api.tasks(DAG_ID, run_id):
        found.setdefault(task.task_id, set()).add(task.state)
    return found


def first_told(heard):
    """The DAG processor calls whoever is on call, a moment after the run has ended."""
    give_up = time.monotonic() + WAIT_SECONDS
    while not heard and time.monotonic() < give_up:
        time.sleep(0.5)
    return heard[0]


def test_channel_that_fails_is_told_of_and_nobody_is_sent_to_twice(floor, alerts, ways):
    heard, _ = alerts
    planned = counted(floor)
    assert planned[True, "planned"] > 0
    assert planned[False, "planned"] > 0

    floor.api.pause(DAG_ID, paused=False)
    run_id = floor.api.start(DAG_ID).run_id
    first = ended(floor, run_id)
    tasks, after_first, sent = states_of(floor, run_id), counted(floor), written(floor)

    assert first == "failed"
    assert tasks["dispatch"] == {"success", "failed"}
    assert tasks["hand_over"] == {"success"}
    assert after_first[True, "planned"] == planned[True, "planned"]
    assert after_first[False, "planned"] == 0
    assert after_first[False, "sent"] > 0
    assert len(sent) == after_first[False, "sent"]
    told = first_told(heard)
    assert told["subject"].startswith("ARR-SND-004 contact_dispatch")
    assert "elsewhere.example" in told["text"]
    assert "docs/runbooks/ARR-SND-004.md" in told["text"]

    floor.api.clear(DAG_ID, run_id)
    assert ended(floor, run_id) == "failed"
    assert counted(floor) == after_first
    assert written(floor) == sent

    ways.write_text(MENDED)
    floor.api.clear(DAG_ID, run_id)
    assert ended(floor, run_id) == "success"
    done = counted(floor)
    assert done[True, "sent"] > 0
    assert {state: count for (is_sms, state), count in done.items() if not is_sms} == {
        state: count for (is_sms, state), count in after_first.items() if not is_sms
    }
    said = [one["reference"] for one in written(floor)]
    assert len(said) == len(set(said)) == done[False, "sent"] + done[True, "sent"]
