"""Portfolio: the day in figures, against yesterday and last week, and the five answers that people come for."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse, Response

from arrears_ui import charts
from arrears_ui.access import Chosen, Readable
from arrears_ui.reading import Reader, reader
from arrears_ui.registry import PORTFOLIO_TABLES, TABLES
from arrears_ui.tables import as_csv
from arrears_ui.view import Viewed, by_currency, configuration, shown, zone_of

if TYPE_CHECKING:
    from arrears_ui.formats import Formats
    from arrears_ui.reading import Rows
    from arrears_ui.view import Shown
    from arrears_ui.words import Words

CHARTS = {
    "buckets": charts.buckets,
    "trend": charts.trend,
    "rolls": charts.rolls,
    "rolls_month": charts.rolls,
    "vintage": charts.vintage,
    "queues": charts.queues,
    "blocked": charts.blocked,
    "contacts": charts.contacts,
    "funnel": charts.funnel,
    "pressure": charts.pressure,
}
OPEN = {"entry", "newly_overdue", "events", "queues", "blocked"}
GOOD_WHEN_FALLING = {"newly_overdue_loans", "past_due_loans", "past_due_minor", "par30_ratio", "open_cases"}
GOOD_WHEN_RISING = {"cured_loans", "assigned_cases"}

routes = APIRouter()
Asked = Annotated[date | None, Query(alias="date")]


@routes.get("/portfolio")
def portfolio(view: Viewed, allowed: Readable, portfolio: Chosen, asked: Asked = None) -> HTMLResponse:
    """The day of one portfolio."""
    if portfolio is None:
        return view.page("nothing.html", allowed=allowed)
    t, f = view.words, view.formats(portfolio)
    with reader() as look:
        dates = [row["business_date"] for row in look.rows("dates", portfolio=portfolio)]
        day = asked or (dates[0] if dates else None)
        rows = {one.name: look.of_publication(one.name, portfolio, day) for one in PORTFOLIO_TABLES} if day else {}
        mark_current(rows.get("buckets", []), portfolio)
        state = completeness(look, t, f, portfolio, day)
    sections = {name: section(name, found, portfolio, day, t, f) for name, found in rows.items()}
    return view.page(
        "portfolio.html",
        portfolio=portfolio,
        allowed=allowed,
        dates=dates,
        day=day,
        state=state,
        tiles=tiles(rows.get("summary", []), t, f),
        compared_with=rows["summary"][0]["day_before_on"] if rows.get("summary") else None,
        sections=sections,
    )


def mark_current(rows: Rows, portfolio: str) -> None:
    """Say of each bucket whether its loans are current: its portfolio's first bucket, whatever it is called there."""
    config = configuration(portfolio)
    current = config.bucket_set[0].code if config else "current"
    for row in rows:
        row["is_current"] = row["contract_bucket"] == current


@routes.get("/table.csv")
def csv(  # noqa: PLR0913, PLR0917  a table's own values
    view: Viewed,
    portfolio: Chosen,
    name: Annotated[str, Query(max_length=40)],
    asked: Asked = None,
    run_id: Annotated[str | None, Query(max_length=250)] = None,
    loan_id: Annotated[str | None, Query(max_length=200)] = None,
    case_id: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """One table as a file."""
    table = TABLES.get(name)
    if table is None or portfolio is None:
        raise HTTPException(404, "no such table")
    values = {
        "portfolio": portfolio,
        "business_date": asked,
        "run_ref": run_id,
        "loan_id": loan_id,
        "case_id": case_id,
    }
    with reader() as look:
        rows = look.rows(name, **values)
    stamp = "-".join(str(part) for part in (portfolio, name, asked) if part)
    return Response(
        as_csv(table, rows, view.words),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{stamp}.csv"'},
    )


def section(  # noqa: PLR0913, PLR0917  a section is its parts
    name: str, rows: Rows, portfolio: str, day: date | None, t: Words, f: Formats
) -> Shown:
    """A table of the day with its chart and its sentence."""
    draw = CHARTS.get(name)
    groups = by_currency(rows) if rows and "currency" in rows[0] else {"": rows}
    drawn = [(currency, draw(group, t, f)) for currency, group in groups.items()] if draw else []
    return shown(
        TABLES[name],
        rows,
        {"portfolio": portfolio, "date": day},
        lede=lede(name, rows, t, f),
        figures=tuple((currency, figure) for currency, figure in drawn if figure),
        is_open=name in OPEN,
    )


def lede(name: str, rows: Rows, t: Words, f: Formats) -> str:  # noqa: PLR0911  one sentence a section
    """The sentence to take away from a section; empty where the table says it as quickly."""
    if not rows:
        return ""
    if name == "buckets":
        late = sum(row["loans"] for row in rows if not row["is_current"])
        total = sum(row["loans"] for row in rows)
        return t(
            "lede.buckets", late=f.count(late), total=f.count(total), share=f.share(late / total if total else None)
        )
    if name == "entry":
        due, entered = (sum(row[column] for row in rows) for column in ("due_loans", "entered_loans"))
        share = f.share(entered / due if due else None)
        return t("lede.entry", entered=f.count(entered), due=f.count(due), share=share, day=f.day(rows[0]["due_on"]))
    if name == "queues":
        return "; ".join(_over(row, t, f) for row in rows if charts.is_over(row)) or t("lede.queues_within")
    if name == "blocked" and rows[0]["contacts"]:
        return t("lede.blocked", rule=rows[0]["rule_id"], contacts=f.count(rows[0]["contacts"]))
    if name in {"rolls", "rolls_month"}:
        return t("lede.rolls", day=f.day(rows[0]["compared_with"]))
    if name == "funnel":
        attempts, connects = (sum(row[column] for row in rows) for column in ("attempts", "connects"))
        return t(
            "lede.funnel", attempts=f.count(attempts), connects=f.count(connects), share=f.share(connects / attempts)
        )
    if name == "pressure":
        newest = rows[-1]
        return t(
            "lede.pressure",
            contacted=f.count(newest["contacted_borrowers"]),
            borrowers=f.count(newest["borrowers"]),
            most=f.count(newest["most_attempts"]),
            complaints=f.count(newest["complaints"]),
        )
    return t("lede.vintage") if name == "vintage" else ""


def _over(row: dict[str, Any], t: Words, f: Formats) -> str:
    """How a queue is over its capacity: too few minutes, or nobody there."""
    figures = {
        "queue": row["queue_id"],
        "required": f.count(row["required_minutes"]),
        "available": f.count(row["available_minutes"] or 0),
        "cases": f.count(row["overflow_cases"]),
    }
    return t("lede.queue_over", **figures) if row["available_minutes"] else t("lede.queue_empty", **figures)


def tiles(rows: Rows, t: Words, f: Formats) -> list[dict[str, Any]]:
    """The headline figures with their change; each also stands in the summary's table."""
    return [
        {
            "name": t.code("measure", row["measure_code"]),
            "code": row["measure_code"],
            "currency": row["currency"],
            "value": amount(row["today"], row, f, short=True),
            "exact": amount(row["today"], row, f),
            "changes": [change(row, against, t, f) for against in ("day_before", "week_before")],
        }
        for row in rows
    ]


def amount(value: Any, row: dict[str, Any], f: Formats, *, short: bool = False) -> str:  # noqa: ANN401  a figure
    """A figure of the summary in its unit."""
    if row["unit_code"] == "money":
        return (f.short_money if short else f.money)(value, row["currency"])
    return f.share(value) if row["unit_code"] == "share" else f.count(value)


def change(row: dict[str, Any], against: str, t: Words, f: Formats) -> dict[str, str]:
    """How far a figure is from an earlier one, and whether that is good."""
    then, now = row[against], row["today"]
    if then is None or now is None:
        return {"text": t("not_available"), "against": t(f"against.{against}"), "tone": "none"}
    moved = now - then
    if row["unit_code"] == "share":
        text = f.signed(t("points", number=f"{moved * 100:.2f}"), moved)
    else:
        text = f.signed(amount(moved, row, f, short=True), moved)
    risen = moved > 0
    good = row["measure_code"] in (GOOD_WHEN_RISING if risen else GOOD_WHEN_FALLING)
    bad = row["measure_code"] in (GOOD_WHEN_FALLING if risen else GOOD_WHEN_RISING)
    tone = "none" if not moved else "good" if good else "bad" if bad else "none"
    return {"text": text, "against": t(f"against.{against}"), "tone": tone}


def completeness(look: Reader, t: Words, f: Formats, portfolio: str, day: date | None) -> dict[str, Any]:
    """Whether the day is all there, in one sentence and a tone."""
    if day is None:
        return {"tone": "none", "title": t("complete.nothing"), "words": ""}
    found = look.of_publication("completeness", portfolio, day)
    if not found:
        return {
            "tone": "bad",
            "title": t("complete.unpublished", day=f.day(day)),
            "words": t("complete.unpublished_why"),
        }
    (one,) = found
    off = sum(bool(row["difference"]) for row in look.of_publication("balance", portfolio, day))
    facts = [t("complete.published", number=f.count(one["datasets"]), at=f.instant(one["published_at"]))]
    facts += [t("complete.restated")] if one["restated_datasets"] else []
    facts += [t("complete.off", number=f.count(off)) if off else t("complete.balanced")]
    facts += [
        t(f"complete.{name}", number=f.count(one[name]))
        for name in ("rejected_rows", "differing_loans", "missing_loans")
        if one[name]
    ]
    today = datetime.now(zone_of(portfolio)).date()
    if one["newest_on"] == day and day < today:
        facts.append(t("complete.not_today", day=f.day(today)))
    incomplete = off or one["rejected_rows"] or one["differing_loans"] or one["missing_loans"]
    tone = "bad" if off else "warn" if incomplete or (one["newest_on"] == day and day < today) else "good"
    title = {"bad": "complete.title_off", "warn": "complete.title_partly", "good": "complete.title_good"}[tone]
    if tone == "warn" and not incomplete:
        title = "complete.title_old"
    return {"tone": tone, "title": t(title), "words": " ".join(facts)}
