"""Charts as Plotly figures, made of the same rows as the table beside them.

Belongs here: which figure goes on which axis. Colours are names of the style sheet's (``$accent``), put in by the page,
so that a chart is as light or as dark as its page. Every text on a chart is made here, in the reader's language.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from arrears_ui.formats import major

if TYPE_CHECKING:
    from datetime import date

    from arrears_ui.formats import Formats
    from arrears_ui.reading import Rows
    from arrears_ui.words import Words

    Figure = dict[str, Any]

RAMP = tuple(f"$ramp{step}" for step in range(1, 7))
# One curve a month of disbursement, told apart by mark as well as by colour.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
CURVES = tuple(zip(RAMP, SYMBOLS, strict=True))
TOP_RULES = 10
LABEL_WIDTH = 34


def figure(data: list[dict[str, Any]], height: int = 260, **layout: Any) -> Figure:  # noqa: ANN401  Plotly's own
    """A figure in the house's manner."""
    return {"data": data, "layout": {"height": height, "showlegend": False, **layout}}


def buckets(rows: Rows, t: Words, f: Formats) -> Figure | None:
    """Principal by bucket of the loans that are late; the current ones would dwarf them."""
    late = [row for row in rows if not row["is_current"]]
    if not any(row["outstanding_principal_minor"] for row in late):
        return None
    currency = late[0]["currency"]
    names = [t.code("bucket", row["contract_bucket"]) for row in late]
    return figure(
        [
            {
                "type": "bar",
                "x": names,
                "y": [float(major(row["outstanding_principal_minor"], currency)) for row in late],
                "marker": {"color": [RAMP[min(place, len(RAMP) - 1)] for place in range(len(late))]},
                "text": [f.short_money(row["outstanding_principal_minor"], currency) for row in late],
                "textposition": "outside",
                "cliponaxis": False,
                "hovertext": [
                    f"{name}<br>{f.money(row['outstanding_principal_minor'], currency)}<br>"
                    f"{f.count(row['loans'])} {t('column.loans')}"
                    for name, row in zip(names, late, strict=True)
                ],
                "hoverinfo": "text",
            }
        ],
        xaxis={"type": "category", "title": {"text": t("axis.principal_by_days")}},
        yaxis={"visible": False},
    )


def trend(rows: Rows, t: Words, f: Formats) -> Figure | None:
    """Past-due amount above; loans that entered and left arrears below."""
    if len(rows) < 2:  # noqa: PLR2004  one day is no trend
        return None
    currency = rows[0]["currency"]
    days = [row["business_date"].isoformat() for row in rows]
    said = [f.day(row["business_date"]) for row in rows]
    return figure(
        [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": t("column.past_due_minor"),
                "x": days,
                "y": [float(major(row["past_due_minor"], currency)) for row in rows],
                "line": {"color": "$accent", "width": 2},
                "marker": {"size": 4},
                "hovertext": [
                    f"{day}<br>{f.money(row['past_due_minor'], currency)}" for day, row in zip(said, rows, strict=True)
                ],
                "hoverinfo": "text",
            },
            _flow(rows, days, said, "newly_overdue_loans", 1, "$ramp4", t, f),
            _flow(rows, days, said, "cured_loans", -1, "$good", t, f),
        ],
        height=300,
        showlegend=True,
        barmode="relative",
        legend={"orientation": "h", "y": -0.16, "x": 0},
        xaxis=_published_days("y2"),
        yaxis={"domain": [0.5, 1], "rangemode": "tozero", "tickformat": "~s"},
        yaxis2={"domain": [0, 0.42], "anchor": "x", "tickformat": "~s"},
    )


def _published_days(anchor: str) -> dict[str, Any]:
    """An axis of published dates, each as wide as the other: month ends of a past stand as close as days."""
    return {"type": "category", "anchor": anchor, "nticks": 6, "tickangle": 0}


def _flow(  # noqa: PLR0913, PLR0917  a trace is its parts
    rows: Rows, days: list[str], said: list[str], name: str, sign: int, color: str, t: Words, f: Formats
) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": t(f"column.{name}"),
        "x": days,
        "y": [sign * row[name] for row in rows],
        "yaxis": "y2",
        "marker": {"color": color},
        "hovertext": [
            f"{day}<br>{t(f'column.{name}')}: {f.count(row[name])}" for day, row in zip(said, rows, strict=True)
        ],
        "hoverinfo": "text",
    }


def rolls(rows: Rows, t: Words, f: Formats) -> Figure | None:
    """The matrix: where each bucket's loans went, in shares of the bucket."""
    if not rows:
        return None
    sources = list(dict.fromkeys(row["from_bucket"] for row in rows))
    targets = list(dict.fromkeys([*sources, *(row["to_bucket"] for row in rows)]))
    targets = [target for target in targets if any(row["to_bucket"] == target for row in rows)]
    share = {(row["from_bucket"], row["to_bucket"]): row["loans_share"] for row in rows}
    grid = [[share.get((source, target)) for target in targets] for source in sources]
    return figure(
        [
            {
                "type": "heatmap",
                "x": [t.code("bucket", target) for target in targets],
                "y": [t.code("bucket", source) for source in sources],
                "z": [[None if value is None else float(value) for value in line] for line in grid],
                "text": [["" if value is None else f.share(value) for value in line] for line in grid],
                "texttemplate": "%{text}",
                "textfont": {"color": "$ink"},  # readable on every step of the scale, which Plotly's own choice is not
                "hovertemplate": f"{t('column.from_bucket')} %{{y}}<br>{t('column.to_bucket')} %{{x}}<br>"
                "%{text}<extra></extra>",
                "colorscale": "$heat",
                "zmin": 0,
                "zmax": 1,
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
            }
        ],
        height=120 + 34 * len(sources),
        xaxis={"type": "category", "side": "top", "title": {"text": t("column.to_bucket")}},
        yaxis={"type": "category", "autorange": "reversed", "title": {"text": t("column.from_bucket")}},
    )


def is_over(row: dict[str, Any]) -> bool:
    """Whether a queue's agents need more minutes than are there; where nobody is, only while cases wait."""
    available = row["available_minutes"] or 0
    return row["required_minutes"] > available and bool(available or row["overflow_cases"])


def queues(rows: Rows, t: Words, f: Formats) -> Figure | None:
    """Minutes needed against minutes there."""
    if not rows:
        return None
    names = [row["queue_id"] for row in rows]
    over = [is_over(row) for row in rows]
    staffed = [row for row in rows if row["available_minutes"]]
    return figure(
        [
            {
                "type": "bar",
                "orientation": "h",
                "name": t("column.required_minutes"),
                "x": [row["required_minutes"] for row in rows],
                "y": names,
                "marker": {"color": ["$bad" if late else "$accent" for late in over]},
                "text": [f.share(row["utilisation"]) if row["available_minutes"] else "" for row in rows],
                "textposition": "auto",
                "hovertext": [
                    f"{row['queue_id']}<br>{t('column.required_minutes')}: {f.count(row['required_minutes'])}<br>"
                    f"{t('column.available_minutes')}: {f.count(row['available_minutes'])}"
                    for row in rows
                ],
                "hoverinfo": "text",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "name": t("column.available_minutes"),
                "x": [row["available_minutes"] for row in staffed],
                "y": [row["queue_id"] for row in staffed],
                "marker": {"symbol": "line-ns", "size": 22, "line": {"width": 3, "color": "$ink"}},
                "hoverinfo": "skip",
            },
        ],
        height=100 + 36 * len(rows),
        showlegend=True,
        legend={"orientation": "h", "y": -0.25, "x": 0},
        xaxis={"rangemode": "tozero", "tickformat": "~s"},
        yaxis={"type": "category", "autorange": "reversed"},
    )


def blocked(rows: Rows, t: Words, f: Formats) -> Figure | None:
    """The rules that block most."""
    top = [row for row in rows if row["contacts"]][:TOP_RULES]
    if not top:
        return None
    return figure(
        [
            {
                "type": "bar",
                "orientation": "h",
                "x": [row["contacts"] for row in top],
                "y": [_short(row["rule_id"]) for row in top],
                "marker": {"color": "$accent"},
                "text": [f.count(row["contacts"]) for row in top],
                "textposition": "auto",
                "hovertext": [f"{row['rule_id']}<br>{t('column.contacts')}: {f.count(row['contacts'])}" for row in top],
                "hoverinfo": "text",
            }
        ],
        height=70 + 26 * len(top),
        xaxis={"visible": False},
        yaxis={"type": "category", "autorange": "reversed"},
    )


def contacts(rows: Rows, t: Words, f: Formats) -> Figure | None:
    """Planned contacts by channel, beside what is blocked."""
    if not rows:
        return None
    by: dict[str, int] = {}
    for row in rows:
        name = t("contact_state.blocked") if row["state_code"] == "blocked" else t.code("channel", row["channel_code"])
        by[name] = by.get(name, 0) + row["contacts"]
    blocked_name = t("contact_state.blocked")
    return figure(
        [
            {
                "type": "bar",
                "orientation": "h",
                "x": list(by.values()),
                "y": list(by),
                "marker": {"color": ["$muted" if name == blocked_name else "$accent" for name in by]},
                "text": [f.count(number) for number in by.values()],
                "textposition": "auto",
                "hoverinfo": "skip",
            }
        ],
        height=70 + 30 * len(by),
        xaxis={"visible": False},
        yaxis={"type": "category", "autorange": "reversed"},
    )


def funnel(rows: Rows, t: Words, f: Formats) -> Figure | None:
    """How many contacts came how far, all channels together; a stage that no source tells of is left out."""
    stages = ("attempts", "connects", "right_party_contacts", "promises")
    told = [stage for stage in stages if any(row[stage] is not None for row in rows)]
    numbers = [sum(row[stage] or 0 for row in rows) for stage in told]
    if not numbers or not numbers[0]:
        return None
    of_those_before = ["", *(f"  {f.share(now / before)}" if before else "" for before, now in pairwise(numbers))]
    names = [t(f"column.{stage}") for stage in told]
    return figure(
        [
            {
                "type": "bar",
                "orientation": "h",
                "x": numbers,
                "y": names,
                "marker": {"color": "$accent"},
                "text": [f"{f.count(number)}{share}" for number, share in zip(numbers, of_those_before, strict=True)],
                "textposition": "auto",
                "cliponaxis": False,
                "hoverinfo": "skip",
            }
        ],
        height=70 + 34 * len(told),
        xaxis={"visible": False, "range": [0, numbers[0] * 1.15]},
        yaxis={"type": "category", "autorange": "reversed"},
    )


def pressure(rows: Rows, t: Words, f: Formats) -> Figure | None:
    """Contacts a borrower and day above; how borrowers answered below."""
    if len(rows) < 2:  # noqa: PLR2004  one day is no trend
        return None
    days = [row["business_date"].isoformat() for row in rows]
    said = [f.day(row["business_date"]) for row in rows]
    name = t("column.contacts_per_borrower_day")
    answers = (("opt_outs", "$ramp2"), ("complaints", "$bad"), ("hardships", "$ramp3"), ("disputes", "$muted"))
    return figure(
        [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": days,
                "y": [
                    None if row["contacts_per_borrower_day"] is None else float(row["contacts_per_borrower_day"])
                    for row in rows
                ],
                "line": {"color": "$accent", "width": 2},
                "marker": {"size": 4},
                "hovertext": [
                    f"{day}<br>{name}: {f.count(row['contacts_per_borrower_day'])}"
                    for day, row in zip(said, rows, strict=True)
                ],
                "hoverinfo": "text",
            },
            *(
                _flow(rows, days, said, column, 1, color, t, f)
                for column, color in answers
                if any(row[column] for row in rows)
            ),
        ],
        height=300,
        showlegend=True,
        barmode="stack",
        legend={"orientation": "h", "y": -0.16, "x": 0},
        xaxis=_published_days("y2"),
        yaxis={"domain": [0.5, 1], "rangemode": "tozero"},
        yaxis2={"domain": [0, 0.42], "anchor": "x", "rangemode": "tozero", "tickformat": "~s"},
    )


def vintage(rows: Rows, t: Words, f: Formats) -> Figure | None:
    """Share of each month's loans that were ever 30 days late, by months on book: the older, the paler."""
    curves: dict[date, Rows] = {}
    for row in rows:
        curves.setdefault(row["cohort_on"], []).append(row)
    drawn = {cohort: found for cohort, found in curves.items() if len(found) > 1}
    newest = list(drawn)[-len(CURVES) :]
    if not newest:
        return None
    return figure(
        [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": f.month(cohort),
                "x": [row["months_on_book"] for row in drawn[cohort]],
                "y": [None if row["ever30_ratio"] is None else float(row["ever30_ratio"]) for row in drawn[cohort]],
                "line": {"color": color, "width": 2},
                "marker": {"size": 5, "symbol": symbol},
                "hovertext": [
                    f"{f.month(cohort)}, {t('column.months_on_book')} {row['months_on_book']}<br>"
                    f"{t('column.ever30_ratio')}: {f.share(row['ever30_ratio'])}<br>"
                    f"{f.count(row['ever30_loans'])} / {f.count(row['loans'])}"
                    for row in drawn[cohort]
                ],
                "hoverinfo": "text",
            }
            for cohort, (color, symbol) in zip(newest, CURVES[-len(newest) :], strict=True)
        ],
        height=320,
        showlegend=True,
        legend={"orientation": "h", "y": -0.2, "x": 0},
        xaxis={"title": {"text": t("column.months_on_book")}, "dtick": 1},
        yaxis={"rangemode": "tozero", "tickformat": ".1%"},
    )


def _short(name: str) -> str:
    return name if len(name) <= LABEL_WIDTH else f"{name[: LABEL_WIDTH - 1]}…"
