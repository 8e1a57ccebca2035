"""Drills of sending: each fault meets a dispatcher over a real gateway, and the page's commands send what waited."""

import json
import os
import shutil
import signal
import time
from datetime import timedelta

import pytest
import yaml
from arrears.cli import main
from arrears.keys import new_key
from arrears.sending.addresses import load_addresses
from arrears.settings import INCLUDE
from arrears.warehouse.connection import transaction
from sqlalchemy import text
from support.drills import block_of
from support.outbox import states
from support.sending import gateway_process
from support.sending_floor import DAY, TEN, made_floor, prepare

CODES = {"ARR-POL-001", "ARR-VLT-001", *(f"ARR-SND-00{number}" for number in (1, 2, 3, 4, 5, 7, 9))}
PEOPLE = 3
SEND = ("outbox", "send")
HALF_A_LEASE = 6.0
pytestmark = pytest.mark.chaos  # half a minute; that the pages' commands are commands is looked at without it
LETTERS = {
    "P": "book",
    "WHY": "drill",
    "TEMPLATE": "friendly_reminder",
    "LANGUAGE": "zh-CN",
    "CHANNEL": "sms",
    "PROVIDER": "acme",
}


@pytest.fixture(scope="module")
def floor(tmp_path_factory, warehouse_url):
    return made_floor(tmp_path_factory.mktemp("floor"), warehouse_url, people=PEOPLE)


@pytest.fixture
def gateway(tmp_path):
    """A process of the test's own: a gateway remembers what it took."""
    with gateway_process(tmp_path) as running:
        yield running


class Deployment:
    """A day of one message a person, all by one live gateway, under packs that somebody has reviewed."""

    def __init__(self, floor, gateway, folder, monkeypatch):
        self.settings, rows = floor
        self.gateway, self.folder, self._now = gateway, folder, TEN
        prepare(self.settings, rows, DAY, people=PEOPLE)
        with transaction(self.settings.warehouse) as connection:
            connection.execute(text("UPDATE ops.notification SET not_after_at = now() + interval '9 days'"))
            points = connection.execute(text("SELECT contact_point_id FROM ops.notification")).scalars().all()
            numbers = [(point, f"+86 138 0000 000{n}") for n, point in enumerate(points)]
            load_addresses(connection, self.settings.keys, "book", numbers)
        for name in ("policies", "templates"):
            shutil.copytree(INCLUDE / name, folder / name)
        for pack in sorted((folder / "policies").glob("*.yaml")):
            self.review(pack)
        self.way = {
            "kind": "gateway",
            "provider": "acme",
            "url": gateway.base,
            "secret": "gateway secret of the tests",
            "settles": "by_look_up",
            "timeout": 0.25,
        }
        place = f"127.0.0.1:{gateway.port}"
        self.config = {"allowed": [place], "private": [place], "lease_seconds": 2 * HALF_A_LEASE}
        self.configure()
        for name, value in {
            "warehouse_url": self.settings.warehouse,
            "lake_url": self.settings.lake_url,
            "portfolios": self.settings.portfolios,
            "strategies": self.settings.strategies,
            "policies": folder / "policies",
            "templates": folder / "templates",
            "sending": folder / "sending.yaml",
            "outbox_folder": folder / "outbox",
        }.items():
            monkeypatch.setenv(f"ARREARS_{name.upper()}", str(value))
        monkeypatch.setattr("arrears.sending.dispatch.utc_now", lambda: self._now)

    @staticmethod
    def review(pack):
        said = yaml.safe_load(pack.read_text("utf-8"))
        if isinstance(said, dict) and "pack" in said:
            pack.write_text(pack.read_text("utf-8") + "\nreviewed_by: legal department\nreview_due_on: 2099-01-01\n")

    def configure(self, **changed):
        """Write the sending configuration, with other words in it."""
        way = {**self.way, **changed.pop("way", {})}
        said = {**self.config, **changed, "channels": {"sms": way}}
        (self.folder / "sending.yaml").write_text(json.dumps(said))

    def wait(self, **long):
        self._now += timedelta(**long)

    def states(self):
        return sorted(states(self.settings.warehouse).values())

    def some_step(self, state="planned"):
        return next(key for key, found in states(self.settings.warehouse).items() if found == state)

    def reached(self):
        """How often each address was reached."""
        return sorted(self.gateway.delivered().values())

    def sql(self, statement):
        with transaction(self.settings.warehouse) as connection:
            connection.execute(text("ALTER TABLE ops.notification DISABLE TRIGGER notification_guard"))
            connection.execute(text(statement))
            connection.execute(text("ALTER TABLE ops.notification ENABLE TRIGGER notification_guard"))


@pytest.fixture
def deployment(floor, gateway, tmp_path, monkeypatch):
    return Deployment(floor, gateway, tmp_path, monkeypatch)


def all_are_sent(deployment):
    return (deployment.states(), deployment.reached()) == (["sent"] * PEOPLE, [1] * PEOPLE)


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        pytest.param("ARR-SND-001", {"lease_seconds": 1}, id="a_lease_shorter_than_a_delivery"),
        pytest.param("ARR-SND-004", {"allowed": ["127.0.0.1:9"]}, id="a_server_that_is_not_allowed"),
    ],
)
def test_configuration_that_is_refused_sends_nothing_until_it_is_mended(deployment, typed, followed, code, changed):
    deployment.configure(**changed)
    status, said = typed(SEND)
    assert (status, code in said, deployment.states()) == (1, True, ["planned"] * PEOPLE), said

    deployment.configure()
    followed(block_of(code))

    assert all_are_sent(deployment)


def test_pack_that_nobody_has_reviewed_sends_nothing_until_it_is(deployment, typed, followed):
    packs = deployment.folder / "policies"
    shutil.rmtree(packs)
    shutil.copytree(INCLUDE / "policies", packs)
    status, said = typed(SEND)
    assert (status, "ARR-POL-001" in said, deployment.states()) == (1, True, ["planned"] * PEOPLE), said

    for pack in sorted(packs.glob("*.yaml")):
        deployment.review(pack)
    deployment.wait(minutes=16)
    followed(block_of("ARR-POL-001"))

    assert all_are_sent(deployment)


def test_addresses_under_another_key_are_sent_to_once_the_key_is_back(deployment, typed, followed, monkeypatch):
    kept = os.environ["ARREARS_MASTER_KEYS"]
    monkeypatch.setenv("ARREARS_MASTER_KEYS", f"1:{new_key()}")
    status, said = typed(SEND)
    assert (status, "ARR-VLT-001" in said, deployment.states()) == (1, True, ["planned"] * PEOPLE), said

    monkeypatch.setenv("ARREARS_MASTER_KEYS", kept)
    deployment.wait(minutes=16)
    look, send = block_of("ARR-VLT-001")
    keys = next(line for line in typed(look)[1].splitlines() if "master keys" in line)
    followed([send])

    assert " ok " in keys
    assert all_are_sent(deployment)


def test_provider_that_was_left_alone_is_tried_again_once_it_answers(deployment, typed, followed):
    nowhere = ["127.0.0.1:9"]
    deployment.configure(way={"url": f"http://{nowhere[0]}", "outages": 1}, allowed=nowhere, private=nowhere)
    status, said = typed(SEND)
    assert (status, "ARR-SND-009" in said) == (1, True), said
    refused = deployment.states().count("rejected_retryable")

    deployment.configure()
    deployment.wait(hours=1)
    waiting, _, unknown = followed(block_of("ARR-SND-009"))

    assert (refused, "connect" in waiting, "sms" in unknown) == (1, True, False)
    assert all_are_sent(deployment)


def test_template_that_is_not_there_holds_its_rows_until_it_is(deployment, typed, followed):
    template = deployment.folder / "templates" / "zh-CN" / "friendly_reminder.yaml"
    kept = template.read_text("utf-8")
    template.write_text(kept.replace("{{pay_url}}", "{{pay_now_url}}"))
    preview = block_of("ARR-SND-005", **LETTERS)[0]
    status, said = typed(preview)
    assert (status, "ARR-SND-005" in said, "pay_now_url" in said) == (1, True, True), said
    template.unlink()
    typed(SEND)
    assert deployment.states() == ["held"] * PEOPLE

    template.write_text(kept)
    followed(block_of("ARR-SND-005", **LETTERS))

    assert all_are_sent(deployment)


def test_attempt_that_would_be_repeated_in_other_words_is_settled_by_a_person(deployment, typed, followed):
    asks_again = {"settles": "by_asking_again", "window_seconds": 600}
    deployment.sql("UPDATE ops.notification SET state_code = 'cancelled' WHERE borrower_id <> 'b1'")
    deployment.configure(way=asks_again)
    deployment.gateway.mode(fail=1, window_seconds=600)
    typed(SEND)
    deployment.gateway.mode(fail=0)
    step = deployment.some_step("unknown")
    deployment.sql(
        "UPDATE ops.notification SET claim_expires_at = claim_expires_at - interval '30 s', "
        "changed_at = changed_at - interval '30 s'"
    )
    template = deployment.folder / "templates" / "zh-CN" / "friendly_reminder.yaml"
    template.write_text(template.read_text("utf-8").replace("version: 1", "version: 2").replace("感谢您", "谢谢您"))
    status, said = typed(SEND)
    assert (status, "ARR-SND-003" in said, step[:16] in said) == (1, True, True), said

    followed(block_of("ARR-SND-003", STEP=step, **LETTERS))

    assert states(deployment.settings.warehouse)[step] == "sent"
    assert deployment.reached() == [1]


def test_receipts_that_were_refused_are_taken_once_they_are_mended(deployment, typed, followed, tmp_path):
    followed([SEND])
    references = [one["id"] for one in deployment.gateway.log()["delivered"][-PEOPLE:]]
    file = tmp_path / "receipts.jsonl"
    file.write_text("\n".join(json.dumps({"id": one, "status": "handset says hello"}) for one in references))
    ((*words, _),) = block_of("ARR-SND-007", FILE=file, **LETTERS)
    status, said = typed([*words, file])
    assert (status, said.count("ARR-SND-007")) == (1, PEOPLE), said

    file.write_text("\n".join(json.dumps({"id": one, "status": "delivered"}) for one in references))
    (taken,) = followed(block_of("ARR-SND-007", FILE=file, **LETTERS))

    assert json.loads(taken)["taken"] == PEOPLE
    with transaction(deployment.settings.warehouse) as connection:
        found = connection.execute(text("SELECT DISTINCT delivery_code FROM ops.notification")).scalars().all()
    assert found == ["delivered"]


def test_dispatcher_that_slept_past_its_claim_sends_nothing_and_the_next_run_does(
    deployment, followed, monkeypatch, tmp_path
):
    """It is stopped by SIGSTOP right before its first byte, and woken once half of its lease has passed."""
    marker = tmp_path / "armed"
    marker.touch()
    sleeper = os.fork()
    if not sleeper:  # pragma: no cover  another process
        os.environ |= {
            "ARREARS_FAILPOINT": "dispatch.before_check",
            "ARREARS_FAILPOINT_FILE": str(marker),
            "ARREARS_FAILPOINT_SIGNAL": "SIGSTOP",
        }
        monkeypatch.setattr("sys.argv", ["arrears", *SEND])
        try:
            main()
        finally:
            os._exit(0)
    _, status = os.waitpid(sleeper, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    time.sleep(HALF_A_LEASE + 0.5)
    os.kill(sleeper, signal.SIGCONT)
    os.waitpid(sleeper, 0)
    with transaction(deployment.settings.warehouse) as connection:
        slept = "SELECT step_key FROM ops.notification_event WHERE reason_code = 'claim_too_old'"
        (step,) = connection.execute(text(slept)).scalars()

    shown, _ = followed(block_of("ARR-SND-002", STEP=step))

    assert "claim_too_old" in shown
    assert all_are_sent(deployment)
