"""Runbooks: what to do about an error, under the error itself when a task's link led here."""

from __future__ import annotations

import re
from pathlib import Path

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from arrears.orchestration.callbacks import SHARED_DAGS
from arrears.settings import load_settings
from arrears.warehouse.run_ledger import last_failure
from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt
from markupsafe import Markup

from arrears_ui.access import OfDag
from arrears_ui.view import Viewed

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
CODE = re.compile(r"^ARR-[A-Z]{3}-[A-Z0-9]{1,16}$")

routes = APIRouter()


def runbook_html(code: str) -> Markup:
    """The runbook of ``code``; raw HTML in it is shown, not run."""
    path = RUNBOOKS / f"{code}.md"
    if not CODE.match(code) or not path.is_file():
        raise HTTPException(404, "no runbook of that code")
    # Our own page, rendered without its HTML: the one text that is not escaped again.
    return Markup(MarkdownIt("js-default").render(path.read_text(encoding="utf-8")))  # noqa: S704  js-default escapes all HTML; the page is ours


@routes.get("/runbook", dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.RUN))])
def runbook_of_task(view: Viewed, portfolio: OfDag, dag_id: str, run_id: str, task_id: str) -> HTMLResponse:
    """The runbook of the error that a task instance last recorded, under the error itself."""
    subject = portfolio or (dag_id if dag_id in SHARED_DAGS else None)  # as the callbacks write it down
    failure = last_failure(load_settings().warehouse, subject, run_id, task_id) if subject else None
    code, message, _ = failure or ("", "", "")
    return view.page(
        "runbook.html",
        portfolio=portfolio,
        code=code,
        message=message,
        body=runbook_html(code) if failure else None,
        run={"dag_id": dag_id, "run_id": run_id} if portfolio else None,
        task=task_id,
    )


@routes.get("/runbook/{code}")
def runbook_of_code(view: Viewed, code: str) -> HTMLResponse:
    """The runbook of one code."""
    return view.page("runbook.html", code=code, message="", body=runbook_html(code), run=None, task="")
