"""The deployment's sending configuration: sandboxes unless it says else, and never a server it does not name."""

import base64
import json

import pytest
from arrears.cli_outbox import app
from arrears.errors import ConfigurationError, EndpointRefusedError
from arrears.sending.batches import Visits, campaign
from arrears.sending.channels.gateway import Gateway
from arrears.sending.channels.smtp import Smtp
from arrears.sending.claims import Shard
from arrears.sending.dispatch import Dispatcher, Terms
from arrears.sending.ways import CHANNELS, load_sending
from arrears.settings import INCLUDE
from support.outbox import empty_outbox, history, put_steps, states, step
from typer.testing import CliRunner

GATEWAY = "{kind: gateway, provider: test, url: '%s', secret: '${SECRET}', settles: by_look_up}"
MAIL = (
    "{kind: smtp, host: mail.example, port: 587, sender: a@b.example, domain: b.example, "
    "unsubscribe: 'https://b.example/{reference}'}"
)
SECRET = {"SECRET": "sixteen characters and more"}


def sending(tmp_path, text):
    path = tmp_path / "sending.yaml"
    path.write_text(text)
    return load_sending(path, SECRET)


def test_shipped_configuration_reaches_nobody(tmp_path):
    shipped = load_sending(INCLUDE / "sending.yaml", {})

    assert set(shipped.channels) == set(CHANNELS)
    assert all(shipped.channel(code, tmp_path).capabilities.is_sandbox for code in CHANNELS)
    assert all(shipped.terms(code).rehearses for code in CHANNELS)


def test_channels_are_what_the_file_says(tmp_path):
    text = (
        "allowed: ['sms.example:443', 'mail.example:587']\nrehearse: true\nchannels:\n"
        f"  sms: {GATEWAY % 'https://sms.example/v1'}\n  email: {MAIL}\n  call: {{kind: file, daily_cap: 9}}\n"
    )
    made = sending(tmp_path, text)

    assert isinstance(made.channel("sms", tmp_path), Gateway)
    assert isinstance(made.channel("email", tmp_path), Smtp)
    call = made.channel("call", tmp_path)
    assert (call.provider, call.capabilities.hands_over, call.capabilities.is_sandbox) == ("handover", True, False)
    assert made.channel("letter", tmp_path).capabilities.is_sandbox
    assert made.terms("call").daily_cap == 9
    assert not made.terms("sms").rehearses
    assert "sixteen" not in repr(made) + repr(made.channel("sms", tmp_path))


def test_hand_overs_are_what_the_file_says(tmp_path):
    secrets = ",".join(f"whsec_{base64.b64encode(bytes([number] * 24)).decode()}" for number in (1, 2))
    bots = GATEWAY.replace(
        "kind: gateway", f"kind: campaign, callback: 'https://us.example', callback_secrets: '{secrets}'"
    )
    text = (
        "allowed: ['bots.example:443', 'sms.example:443']\nchannels:\n"
        f"  voice_bot: {bots % 'https://bots.example/v1'}\n  sms: {GATEWAY.replace('test', 'other') % 'https://sms.example'}\n"
        "  visit: {kind: visits, people: 3, most_per_round: 5}\n"
    )
    made = sending(tmp_path, text)

    bot = made.channel("voice_bot", tmp_path)
    assert (bot.capabilities.hands_over, bot.callback, bot.provider) == (True, "https://us.example", "test")
    assert made.callers("test") == secrets.split(",")
    assert made.callers("other") == made.callers("smtp") == made.callers("nobody") == []
    assert made.writer("visit") == Visits(3, 5)
    assert made.writer("call") is campaign
    assert secrets not in repr(made)


@pytest.mark.parametrize(
    "line",
    [
        f"sms: {GATEWAY % 'https://evil.example'}",
        f"sms: {GATEWAY % 'http://sms.example'}",
        f"email: {MAIL.replace('mail.example', 'evil.example')}",
    ],
)
def test_server_that_is_not_named_is_refused(tmp_path, line):
    made = sending(tmp_path, f"allowed: ['sms.example:443', 'mail.example:587']\nchannels:\n  {line}\n")

    with pytest.raises(EndpointRefusedError):
        made.channel(line.partition(":")[0], tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "fax: {kind: sandbox}",
        "sms: {kind: sandbox}\nproviders: {acme: {per_second: 5}}",
        f"sms: {GATEWAY % 'https://sms.example'}\nproviders: {{test: {{per_second: 0}}}}",
        f"letter: {GATEWAY % 'https://sms.example'}",
        "sms: {kind: file}",
        "email: {kind: pigeon}",
        "sms: {kind: gateway, provider: t, url: 'https://a.b', secret: short, settles: by_look_up}",
        "sms: {kind: sandbox, max_attempts: 0}",
        "letter: {kind: file}",
        "visit: {kind: file}",
        "sms: {kind: campaign, provider: t, url: 'https://a.b', secret: '${SECRET}', settles: by_look_up}",
        "letter: {kind: print, font: /no/such/font.ttf}",
        "visit: {kind: visits, people: 0}",
        (
            "email: {kind: smtp, host: m, port: 25, sender: a@b, domain: b, unsubscribe: 'https://b/{reference}', "
            "callback_secrets: short}"
        ),
    ],
)
def test_configuration_that_cannot_be_meant_is_refused(tmp_path, line):
    with pytest.raises(ConfigurationError):
        sending(tmp_path, f"channels:\n  {line}\n")


def test_rehearsal_never_reaches_people(tmp_path, warehouse_url):
    live = sending(tmp_path, "channels: {call: {kind: file}}").channel("call", tmp_path)
    put_steps(warehouse_url, [step("r", channel_code="call")])

    with pytest.raises(ConfigurationError, match="rehearsal"):
        Dispatcher(warehouse_url, live, None, Shard("call", 0), Terms(rehearses=True)).run()

    assert states(warehouse_url) == {"r": "planned"}
    empty_outbox(warehouse_url)


# --------------------------------------------------------------------------------------------------- command line
@pytest.fixture
def outbox(warehouse_url, monkeypatch):
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", warehouse_url)
    yield lambda *words: CliRunner().invoke(app, list(words))
    empty_outbox(warehouse_url)


def test_person_settles_stops_and_starts_from_the_command_line(outbox, warehouse_url):
    put_steps(warehouse_url, [step("abc1", state_code="unknown"), step("xyz9")])

    listed = json.loads(outbox("list", "--state", "unknown", "--json").stdout)
    settled = outbox("settle", "abc", "sent", "--reason", "provider's log", "--by", "ops:3")
    cancelled = outbox("cancel", "xyz", "--reason", "wrong text", "--by", "ops:3")
    stopped = outbox("stop", "channel", "sms", "--reason", "provider is down", "--by", "ops:3")
    number = stopped.stdout.split()[-1]
    holds = json.loads(outbox("stops", "--json").stdout)
    outbox("start", number, "--reason", "it is back", "--by", "ops:3")

    assert [row["step_key"] for row in listed] == ["abc1"]
    assert settled.stdout.strip() == "sent"
    assert cancelled.stdout.strip() == "cancelled"
    assert [str(stop["stop_id"]) for stop in holds] == [number]
    assert json.loads(outbox("stops", "--json").stdout) == []
    assert states(warehouse_url) == {"abc1": "sent", "xyz9": "cancelled"}
    assert json.loads(outbox("show", "abc1", "--json").stdout)[-1]["actor"] == "ops:3"


def test_nothing_is_done_without_a_reason(outbox, warehouse_url):
    put_steps(warehouse_url, [step("abc1", state_code="unknown")])

    assert outbox("settle", "abc", "sent").exit_code == 2
    assert states(warehouse_url) == {"abc1": "unknown"}


def test_addresses_go_into_the_vault_and_receipts_into_the_outbox(outbox, warehouse_url, tmp_path):
    put_steps(warehouse_url, [step("r", state_code="sent", provider_code="test", provider_reference="g-7")])
    (tmp_path / "a.csv").write_text("contact_point_id,value\npoint-r,+1 555 0100\n")
    lines = ['{"id": "g-7", "status": "read"}', '{"id": "g-8", "status": "read"}', "", "no JSON", '{"id": "g-7"}']
    (tmp_path / "r.jsonl").write_text("\n".join(lines))

    loaded = outbox("addresses", "--portfolio", "book", str(tmp_path / "a.csv"))
    first = outbox("receipts", "test", str(tmp_path / "r.jsonl"))
    again = outbox("receipts", "test", str(tmp_path / "r.jsonl"))

    assert loaded.stdout.strip() == "1 addresses"
    taken = json.loads(first.stdout)
    assert {name: taken[name] for name in ("kept", "taken", "unmatched")} == {"kept": 2, "taken": 1, "unmatched": 1}
    assert [(one["row"], one["code"]) for one in taken["refused"]] == [(4, "ARR-SND-007"), (5, "ARR-SND-007")]
    assert first.exit_code == 1
    assert json.loads(again.stdout)["is_known"]
    assert history(warehouse_url, "r")[-1] == ("sent", "receipt", "receipt:test")


def test_preview_shows_a_template_in_its_language(outbox):
    shown = outbox("preview", "loan_offer_help", "--language", "es", "--channel", "sms").stdout

    assert "offer_help@1/es-US" in shown
    assert "$1,234.56" in shown
