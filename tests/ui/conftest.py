"""The real Airflow API server in this process, its plugin's pages over a real warehouse with published days."""

from support.airflow_app import app_of, browsers  # noqa: I001  before anything imports Airflow

import shutil

import pytest
from arrears.jobs.day import Day
from arrears.jobs.publish import publish
from arrears.settings import Settings
from arrears.warehouse.connection import transaction
from arrears.warehouse.run_ledger import failed, started
from arrears.warehouse.run_steps import StepRows, note
from pydantic import SecretStr
from sqlalchemy import text
from support.books import make_book
from support.facts import DAY, NOON, put_day
from support.pages import (
    CHOSEN_ELSEWHERE,
    FAILED_RUN,
    NEXT,
    QUALITY_REPORT,
    RUN,
    SCRIPT,
    UNPUBLISHED,
    UNPUBLISHED_RUN,
)


@pytest.fixture(scope="package")
def airflow_app():
    return app_of("book", "empty", "other")


@pytest.fixture(scope="module")
def deployment(warehouse_url, tmp_path_factory):
    """Two published days of ``book`` and a failed one, nothing of ``empty`` and ``other``; a run of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    settings = make_book(folder).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    for name in ("empty", "other"):
        shutil.copytree(settings.portfolios / "book", settings.portfolios / name)
    put_day(settings, loans=3, amount=100_50, planned=("a", "b"))
    publish("book", DAY, is_backfill=False, now=NOON, run_ref=RUN, settings=settings)
    day = Day.open("book", DAY, settings=settings)
    day.lake.attach(day.key("out__data_quality_daily"), "report.html", QUALITY_REPORT)
    put_day(settings, NEXT, loans=4, amount=100_50)
    publish("book", NEXT, is_backfill=True, now=NOON, run_ref="manual__3", settings=settings)
    started(warehouse_url, "book", DAY, RUN)
    note(warehouse_url, "book", DAY, RUN, "age", [StepRows("core__loan_delinquency_daily", "out", 4, seconds=1)])
    started(warehouse_url, "book", NEXT, FAILED_RUN)
    problem = {"error_code": "ARR-VAL-001", "message": "ARR-VAL-001: too many rejects", "runbook": "x"}
    failed(warehouse_url, "book", NEXT, FAILED_RUN, "validate", **problem)
    failed(warehouse_url, "book", NEXT, FAILED_RUN, **problem)
    started(warehouse_url, "book", UNPUBLISHED, UNPUBLISHED_RUN)
    set_aside = StepRows("out__quarantine", "out", 7, rejected=7, seconds=1)
    note(warehouse_url, "book", UNPUBLISHED, UNPUBLISHED_RUN, "validate", [set_aside])
    failed(warehouse_url, "book", UNPUBLISHED, UNPUBLISHED_RUN, "validate", **problem)
    failed(warehouse_url, "book", UNPUBLISHED, UNPUBLISHED_RUN, **problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Settings.model_config, "env_file", None)  # not the developer's own deployment
        patch.setenv("ARREARS_WAREHOUSE_URL", warehouse_url)
        patch.setenv("ARREARS_LAKE_URL", settings.lake_url)
        patch.setenv("ARREARS_LENDER_URL", "https://lender.example/{portfolio}/{loan_id}")
        for name in ("portfolios", "policies", "strategies"):
            patch.setenv(f"ARREARS_{name.upper()}", str(getattr(settings, name)))
        yield settings


@pytest.fixture(scope="module")
def scripted(deployment, warehouse_url):
    """The same days with a script in every text that others choose; undone by no one, so it comes last."""
    from arrears_ui import reading

    reading.KEPT.clear()  # no publication says that figures have moved
    with transaction(warehouse_url) as connection:
        for statement in CHOSEN_ELSEWHERE:
            assert connection.execute(text(statement), {"script": SCRIPT}).rowcount > 0, statement
    return deployment


@pytest.fixture(scope="module")
def browser_of(airflow_app, deployment):  # noqa: ARG001  the pages need it
    return browsers(airflow_app)


@pytest.fixture
def viewer(browser_of):
    return browser_of("viewer")
