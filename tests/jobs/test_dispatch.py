"""The job ``dispatch`` over real gateways: a provider that fails is said aloud, and keeps nobody else from sending."""

import re

import pytest
from arrears.cli_outbox import app
from arrears.errors import PortfolioUnknownError, ProviderFailingError
from arrears.jobs.at_sending import PolicyAtSending
from arrears.jobs.dispatch import dispatch, due_work, load_ways
from arrears.sending.addresses import load_addresses
from arrears.warehouse.connection import transaction
from sqlalchemy import text
from support.outbox import empty_outbox
from support.sending import count_states, gateway_process
from support.sending_floor import DAY, TEN, made_floor, prepare
from typer.testing import CliRunner

PEOPLE = 8
WAY = (
    "{{kind: {kind}, provider: acme, url: 'http://127.0.0.1:{port}', secret: 'gateway secret of the tests', "
    "settles: by_look_up, timeout: 5, per_second: 50, outages: 2}}"
)


class Reviewed(PolicyAtSending):
    """As if somebody had read the packs."""

    def check_review(self, row, at, *, is_sandbox):
        pass


@pytest.fixture(scope="module")
def floor(tmp_path_factory, warehouse_url):
    return made_floor(tmp_path_factory.mktemp("floor"), warehouse_url, people=PEOPLE)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with gateway_process(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def settings(floor, gateway, tmp_path, monkeypatch):
    """A day of which one half goes by a gateway that answers, the other by one that is not there."""
    made, rows = floor
    prepare(made, rows, DAY, people=PEOPLE)
    places = f"['127.0.0.1:{gateway.port}', '127.0.0.1:9']"
    config = tmp_path / "sending.yaml"
    ways = {"sms": WAY.format(kind="gateway", port=9), "call": WAY.format(kind="campaign", port=gateway.port)}
    config.write_text(
        f"allowed: {places}\nprivate: {places}\nproviders: {{acme: {{per_second: 60}}}}\nchannels:\n"
        + "".join(f"  {code}: {way}\n" for code, way in ways.items())
    )
    with transaction(made.warehouse) as connection:
        connection.execute(text("UPDATE ops.notification SET not_after_at = now() + interval '9 days'"))
        connection.execute(text("UPDATE ops.notification SET channel_code = 'call' WHERE borrower_id > 'b4'"))
        points = connection.execute(text("SELECT contact_point_id FROM ops.notification")).scalars().all()
        load_addresses(
            connection, made.keys, "book", [(point, f"+86 138 0000 000{n}") for n, point in enumerate(points)]
        )
    monkeypatch.setattr("arrears.sending.dispatch.utc_now", lambda: TEN)
    monkeypatch.setattr("arrears.jobs.recheck.PolicyAtSending", Reviewed)
    yield made.model_copy(update={"sending": config, "outbox_folder": tmp_path / "out"})
    empty_outbox(made.warehouse)


def test_provider_that_fails_is_named_and_the_other_channel_is_sent(settings, gateway):
    work = {one["channel"]: one for one in due_work(settings)}

    with pytest.raises(ProviderFailingError, match=re.escape("2 failures in a row, after 0 sent")) as raised:
        dispatch(**work["sms"], settings=settings)
    other = dispatch(**work["call"], settings=settings)

    assert raised.value.code == "ARR-SND-009"
    assert "sms by acme" in str(raised.value)
    assert other == {"channel": "call", "sent": 4}
    assert len(gateway.delivered()) == 4
    assert count_states(settings.warehouse) == {"sent": 4, "planned": 2, "rejected_retryable": 2}


def test_portfolio_that_cannot_be_judged_is_said_and_the_others_are_sent(settings):
    """One of its rows stands first in every shard."""
    gone = (
        "UPDATE ops.notification SET portfolio = 'gone', not_after_at = now() + interval '1 day' WHERE borrower_id = :b"
    )
    with transaction(settings.warehouse) as connection:
        connection.execute(text("UPDATE ops.notification SET channel_code = 'call'"))
        for borrower in ("b1", "b2"):
            connection.execute(text(gone), {"b": borrower})
    shards = [number for work in due_work(settings) for number in work["shards"]]

    with pytest.raises(PortfolioUnknownError):
        dispatch("call", shards, settings=settings)

    with transaction(settings.warehouse) as connection:
        asked = text("SELECT portfolio, state_code, count(*) FROM ops.notification GROUP BY 1, 2 ORDER BY 1")
        assert connection.execute(asked).all() == [("book", "sent", PEOPLE - 2), ("gone", "planned", 2)]


def test_command_sends_the_other_channels_before_it_says_what_failed(settings, monkeypatch):
    monkeypatch.setattr("arrears.jobs.dispatch.load_settings", lambda: settings)

    done = CliRunner().invoke(app, ["send"])

    assert isinstance(done.exception, ProviderFailingError)
    assert "channel call, sent 4" in done.output


def test_channels_of_one_provider_share_its_pace(settings):
    sending, work = load_ways(settings), due_work(settings)

    assert [(one["channel"], one["of"], one["of_provider"]) for one in work] == [("sms", 1, 2), ("call", 1, 2)]
    assert [sending.terms(one["channel"], one["of"], one["of_provider"]).per_second for one in work] == [30, 30]
    assert sending.terms("sms", of=5, of_provider=5).per_second == 10  # the channel's own is the narrower one there
    assert sending.terms("letter", of=5, of_provider=5).per_second == 0
