"""Pages of Arrears inside the Airflow UI. The whole app needs a login, a DAG's page the right to read that DAG."""

from __future__ import annotations

import html
import re
from pathlib import Path

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag, requires_access_view
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
PREFIX = "collections_daily__"
CODE = re.compile(r"^ARR-[A-Z]{3}-[A-Z0-9]{1,16}$")
STYLE = (
    "body{font:16px/1.5 system-ui;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1d2733;background:#fff}"
    "code,pre{background:#f2f4f7;border-radius:4px;padding:.1em .3em}pre{padding:1em;overflow:auto}"
    ".error{border-left:4px solid #b42318;padding:.5em 1em;background:#fef3f2}"
)

app = FastAPI(
    title="Arrears",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(requires_access_view(AccessView.WEBSITE))],
)


def page(title: str, body: str) -> HTMLResponse:
    """One self-contained page; ``body`` is HTML that was escaped by whoever made it."""
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
    return HTMLResponse(f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>")


def runbook_html(code: str) -> str:
    """The runbook of ``code``; raw HTML in it is shown, not run."""
    path = RUNBOOKS / f"{code}.md"
    if not CODE.match(code) or not path.is_file():
        raise HTTPException(404, "no runbook of that code")
    return str(MarkdownIt("js-default").render(path.read_text(encoding="utf-8")))


@app.get("/runbook", dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.RUN))])
def runbook_of_task(dag_id: str, run_id: str, task_id: str) -> HTMLResponse:
    """The runbook of the error that a task instance last recorded, under the error itself."""
    from arrears.settings import load_settings  # noqa: PLC0415  only when a page is asked for
    from arrears.warehouse.run_ledger import last_failure  # noqa: PLC0415

    portfolio = dag_id.removeprefix(PREFIX)
    failure = last_failure(load_settings().warehouse, portfolio, run_id, task_id)
    if failure is None:
        return page("Runbook", "<h1>No error is recorded</h1><p>This task has not failed in this run.</p>")
    code, message, _ = failure
    return page(code, f'<p class="error">{html.escape(message)}</p>{runbook_html(code)}')


@app.get("/runbook/{code}")
def runbook_of_code(code: str) -> HTMLResponse:
    """The runbook of one code."""
    return page(code, runbook_html(code))
