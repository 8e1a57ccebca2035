"""The whole one-machine deployment: whose warehouse it uses, and a real ``make run``, twice."""

import json
import re
import stat
from datetime import UTC, datetime
from io import StringIO

import httpx
import pytest
from arrears.errors import ConfigurationError
from arrears.feedback.signature import sign
from arrears.local import deployment as module
from arrears.local.airflow import API_SERVER, COMPONENTS
from arrears.local.demo import DEMOS, Demo, demos_with_past
from arrears.local.deployment import Deployment
from arrears.local.home import Home
from arrears.local.run import DemoRun
from arrears.portfolio import load_folder
from arrears.settings import load_settings
from dotenv import dotenv_values
from rich.console import Console

ELSEWHERE = "postgresql+psycopg://someone:a-password@db.example:5432/warehouse"
SMALL = Demo("demo_travel_cn", "Asia/Shanghai", loans=300, seed=7)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A deployment of its own, whatever this checkout's own one has left in ``var/``."""
    deployment = Deployment(Home(tmp_path / "var"), (SMALL,))
    monkeypatch.setenv(
        "ARREARS_WAREHOUSE_URL", f"postgresql://arrears:{deployment.postgres.password}@127.0.0.1/arrears"
    )
    monkeypatch.setattr(module, "ENVIRONMENT_FILE", tmp_path / "var" / "arrears.env")
    yield deployment
    deployment.stop()


def test_demo_zone_is_its_portfolios(monkeypatch):
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", ELSEWHERE)
    monkeypatch.setenv("ARREARS_DEMO_FIRST_DATE", "2026-02-01")

    zones = {demo.portfolio: load_folder(demo.portfolio, load_settings()).portfolio.timezone for demo in DEMOS}

    assert zones == {demo.portfolio: demo.timezone for demo in DEMOS}
    assert len(zones) == len(DEMOS) > 0


def test_days_of_history_are_those_of_the_first_run(tmp_path):
    pins = tmp_path / "demo.json"

    asked = demos_with_past(60, pins)

    assert [demo.past_days for demo in asked] == [60] * len(DEMOS)
    assert demos_with_past(None, pins) == demos_with_past(60, pins) == asked
    with pytest.raises(ConfigurationError, match="14 days of history"):
        demos_with_past(14, pins)
    assert demos_with_past(None, tmp_path / "another.json") == DEMOS


def test_named_warehouse_is_used_and_told_to_nobody_else(machine, monkeypatch):
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", ELSEWHERE)

    machine._tell_the_command_line()  # noqa: SLF001

    assert machine.warehouse_url == ELSEWHERE
    assert machine.bi_url is None
    assert not module.ENVIRONMENT_FILE.exists()


def test_command_line_is_told_of_the_embedded_warehouse_beside_what_it_knew(machine):
    machine.postgres.start()
    module.ENVIRONMENT_FILE.write_text("ARREARS_THREADS=1\nARREARS_WAREHOUSE_URL=old\n")

    machine._tell_the_command_line()  # noqa: SLF001

    told = dotenv_values(module.ENVIRONMENT_FILE)
    assert told["ARREARS_WAREHOUSE_URL"] == machine.warehouse_url != machine.owner_url
    assert told["ARREARS_WAREHOUSE_URL"].startswith("postgresql+psycopg://arrears_jobs:")
    assert machine.postgres.password not in module.ENVIRONMENT_FILE.read_text()
    assert told["ARREARS_MASTER_KEYS"]
    assert told["ARREARS_THREADS"] == "1"
    assert told["ARREARS_DEMO_FIRST_DATE"] == machine.dates(SMALL)[0].isoformat()
    assert stat.S_IMODE(module.ENVIRONMENT_FILE.stat().st_mode) == 0o600


def test_webhook_is_up_with_a_secret_of_its_own_and_ends_with_the_rest(machine):
    machine.postgres.start()
    machine.make_warehouse()
    machine.start_webhook()
    webhook = machine.webhook
    kept = json.loads(webhook.kept.read_text())
    body = json.dumps({"reports": [{"kind": "nonsense", "ref": "1"}]}).encode()
    path = f"/feedback/{SMALL.portfolio}/gateway"

    unsigned = httpx.post(webhook.address + path, content=body)
    signed = httpx.post(
        webhook.address + path, content=body, headers=sign(kept["secret"], "m", datetime.now(UTC), body)
    )
    listening = {one.laddr.ip for process in webhook.server.processes() for one in process.net_connections()}
    machine.stop()

    assert unsigned.status_code == 401
    assert (signed.status_code, signed.json()["refused"][0]["code"]) == (202, "ARR-FBK-001")
    assert listening == {"127.0.0.1"}
    assert stat.S_IMODE(webhook.kept.stat().st_mode) == 0o600
    assert webhook.server.processes() == []


@pytest.mark.airflow
@pytest.mark.timeout(900)
def test_run_twice_publishes_three_dates_once_and_leaves_nothing_running(machine):
    printed = [StringIO(), StringIO()]
    results = [DemoRun(machine, Console(file=file, width=100)).run() for file in printed]
    first, second = (file.getvalue() for file in printed)
    servers = [machine.airflow.server(name) for name in (API_SERVER, *COMPONENTS)]

    assert results == [True, True], first + second
    dates = [str(day) for day in machine.dates(SMALL)]
    kinds = [re.findall(rf"{day} \((\w+)\): success", first) for day in dates]
    assert kinds == [["backfill"], ["backfill"], ["today"]]
    assert re.search(r"before +│ not published │ not published │ not published", first)
    assert re.search(r"before +│ +the same │ +the same │ +the same", second)
    hashes = [re.findall(r"\b[0-9a-f]{12}\b", text) for text in (first, second)]
    assert hashes[0] == hashes[1]
    assert len(set(hashes[0])) == 3
    assert not machine.postgres.is_running()
    assert [server.processes() for server in servers] == [[]] * 4
    assert machine.postgres.password not in first + second
