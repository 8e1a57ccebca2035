"""A real Airflow with a past, worked days, a failed run and a portfolio of which nothing is published; and Chromium."""

import dataclasses
import os
import shutil
import time
from pathlib import Path

import pytest
from arrears.local.airflow import USER
from arrears.warehouse.run_ledger import entries_of
from playwright.sync_api import sync_playwright
from support.browser import Site, Window, note_outside
from support.servers import BOOK as SMALL
from support.servers import WAIT_SECONDS, running_floor
from support.unsettled import leave_unsettled

BOOK = dataclasses.replace(SMALL, loans=1500, past_days=8, past_month_ends=7)  # a past, so that curves have points
CHROMIUM = os.environ.get("CHROMIUM", shutil.which("chromium") or "/usr/bin/chromium")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    with running_floor(tmp_path_factory.mktemp("site"), book=BOOK) as floor:
        dates = floor.dates
        for day in dates:
            floor.api.trigger(BOOK.dag_id, day)
            floor.wait(day)
        made = floor.api._ask(  # noqa: SLF001  a mistake that the client does not offer: no business date
            "POST", f"/api/v2/dags/{BOOK.dag_id}/dagRuns", json={"logical_date": None}
        )
        give_up = time.monotonic() + WAIT_SECONDS
        while not floor.api.run(BOOK.dag_id, made["dag_run_id"]).is_over and time.monotonic() < give_up:
            time.sleep(0.5)
        while not said_failed(floor, made["dag_run_id"]) and time.monotonic() < give_up:
            time.sleep(0.5)  # the DAG's own callback comes after the run's end
        airflow = floor.deployment.airflow
        leave_unsettled(floor.deployment.owner_url, BOOK.portfolio, dates[-1])
        yield Site(
            airflow.address,
            airflow.password,
            floor.deployment.warehouse_url,
            BOOK.portfolio,
            dates,
            floor.run_of(dates[-1]).run_id,
            made["dag_run_id"],
        )


def said_failed(floor, run_id):
    entries = entries_of(floor.deployment.warehouse_url, BOOK.portfolio, run_id)
    return any(entry.state_code == "failed" and not entry.task for entry in entries)


@pytest.fixture(scope="session")
def chromium():
    """Debian's browser; Playwright's own download is not needed."""
    if not Path(CHROMIUM).exists():
        pytest.fail("no Chromium: apt-get install chromium, or set CHROMIUM to its path")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def window(chromium, site, request):
    """Of the colours and language that the test asks for by an indirect parameter."""
    asked = getattr(request, "param", {})
    context = chromium.new_context(
        viewport={"width": 1280, "height": 900},
        color_scheme=asked.get("scheme", "light"),
        locale=asked.get("locale", "en-US"),
        reduced_motion="reduce",
    )
    token = context.request.post(f"{site.address}/auth/token", data={"username": USER, "password": site.password})
    context.add_cookies([{"name": "_token", "value": token.json()["access_token"], "url": site.address}])
    page = context.new_page()
    opened = Window(page, site, [], [])
    page.on("request", lambda asked: note_outside(opened, asked.url))
    page.on("console", lambda said: opened.broken.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("pageerror", lambda error: opened.broken.append(str(error)))
    yield opened
    context.close()
