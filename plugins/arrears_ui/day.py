"""Day report: one run of the daily DAG, or one published day: rows, balance, rejects, changes, failures, blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from arrears.lake import Lake, PartitionKey
from arrears.settings import load_settings
from arrears.warehouse.run_ledger import entries_of, newest_run
from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse

from arrears_ui.access import Chosen, OfDag, Readable
from arrears_ui.portfolio import Asked, completeness, section
from arrears_ui.reading import Reader, reader
from arrears_ui.registry import DAY_TABLES, STEPS
from arrears_ui.view import Viewed, shown

if TYPE_CHECKING:
    from datetime import date

    from arrears_ui.view import View

RunId = Annotated[str, Query(max_length=250)]
QUALITY = "out__data_quality_daily"
LISTED = {"balance", "rejected", "changes"}  # the lists below them open at a click

routes = APIRouter()


@routes.get("/day")
def day_of_date(view: Viewed, allowed: Readable, portfolio: Chosen, asked: Asked = None) -> HTMLResponse:
    """A day, by date; the run is the one that published it last, of an unpublished day the newest."""
    if portfolio is None:
        return view.page("nothing.html", allowed=allowed)
    with reader() as look:
        dates = [row["business_date"] for row in look.rows("dates", portfolio=portfolio)]
        day = asked or (dates[0] if dates else None)
        found = look.rows("publisher", portfolio=portfolio, business_date=day) if day else []
        run_id = found[0]["run_ref"] if found else None
        if day and run_id is None:
            run_id = newest_run(load_settings().warehouse, portfolio, day)
        return report(view, look, portfolio, day, run_id, allowed=allowed, dates=dates)


@routes.get("/run")
def day_of_run(
    view: Viewed, portfolio: OfDag, dag_id: Annotated[str, Query(max_length=250)], run_id: RunId
) -> HTMLResponse:
    """The tab on a run."""
    if portfolio is None:
        return view.page("foreign.html", dag_id=dag_id)
    with reader() as look:
        entries = entries_of(load_settings().warehouse, portfolio, run_id)
        told = look.rows("run_day", portfolio=portfolio, run_ref=run_id)
        known = [row["business_date"] for row in told] + [entry.business_date for entry in entries]
        day = next((one for one in known if one is not None), None)
        return report(view, look, portfolio, day, run_id, allowed=None, dates=[])


@routes.get("/quality")
def quality_report(portfolio: Chosen, asked: Asked = None) -> HTMLResponse:
    """The quality report that the last run of a day left in the lake, as a file of its own.

    Raises:
        HTTPException: 404 when there is none where this server looks.
    """
    found = None
    if portfolio is not None and asked is not None:
        key = PartitionKey(portfolio, QUALITY, asked)
        found = Lake(load_settings().lake_url).attached(key, "report.html")
    if found is None:
        raise HTTPException(404, "no quality report of that day")
    name = f"quality-{portfolio}-{asked}.html"
    return HTMLResponse(found, headers={"content-disposition": f'attachment; filename="{name}"'})


def report(  # noqa: PLR0913  a page is its parts
    view: View,
    look: Reader,
    portfolio: str,
    day: date | None,
    run_id: str | None,
    *,
    allowed: list[str] | None,
    dates: list[date],
) -> HTMLResponse:
    """Everything that is known of the run and of its day."""
    t, f = view.words, view.formats(portfolio)
    tables = {
        table.name: shown(
            table,
            look.of_publication(table.name, portfolio, day) if day else [],
            {"portfolio": portfolio, "date": day},
            is_open=table.name in LISTED,
        )
        for table in DAY_TABLES
    }
    steps = look.rows("steps", portfolio=portfolio, run_ref=run_id) if run_id else []
    entries = entries_of(load_settings().warehouse, portfolio, run_id) if run_id else []
    publications = look.rows("publications", portfolio=portfolio, business_date=day) if day else []
    own = [one for one in publications if one["run_ref"] == run_id]
    return view.page(
        "day.html",
        portfolio=portfolio,
        allowed=allowed,
        dates=dates,
        day=day,
        run_id=run_id,
        outcome=outcome(view, run_id, entries, own),
        failures=[entry for entry in entries if entry.state_code == "failed" and entry.task],
        publications=publications,
        is_by_hand=bool(own) and not entries and not steps,
        state=completeness(look, t, f, portfolio, day),
        steps=shown(STEPS, steps, {"portfolio": portfolio, "run_id": run_id}, is_open=True),
        tables=tables,
        blocked=section("blocked", look.of_publication("blocked", portfolio, day) if day else [], portfolio, day, t, f),
    )


def outcome(view: View, run_id: str | None, entries: list[Any], published: list[Any]) -> dict[str, str]:
    """How the run ended, as far as it has said."""
    t = view.words
    if run_id is None:
        return {"tone": "none", "title": t("outcome.no_run"), "words": ""}
    last = next((entry for entry in reversed(entries) if not entry.task), None)
    failed = [entry for entry in entries if entry.state_code == "failed"]
    if last is not None and last.state_code == "failed":
        return {"tone": "bad", "title": t("outcome.failed"), "words": t("outcome.failed_why")}
    if published or (last is not None and last.state_code == "finished"):
        words = t("outcome.published") if published else t("outcome.unchanged")
        return {"tone": "good", "title": t("outcome.finished"), "words": words}
    if failed:
        return {"tone": "warn", "title": t("outcome.retrying"), "words": t("outcome.retrying_why")}
    if entries:
        return {"tone": "none", "title": t("outcome.working"), "words": t("outcome.working_why")}
    return {"tone": "none", "title": t("outcome.unknown"), "words": t("outcome.unknown_why")}
