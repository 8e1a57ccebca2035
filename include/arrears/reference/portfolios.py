"""The page of portfolios: what each is, and when its day starts, in its own time and in UTC.

Read as files, not loaded: a folder may ask for variables that only a deployment sets.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import yaml

from arrears.contracts.ledger import LEDGER
from arrears.portfolio import Portfolio
from arrears.settings import INCLUDE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLOCK_FROM, CLOCK_TO = date(2026, 1, 1), date(2028, 1, 1)  # fixed: the page must not change with the day it is made
FOLDER = INCLUDE / "portfolios"


def pages() -> dict[str, str]:
    """``portfolios.md``."""
    found = {path.parent.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(_files())}
    lines = [
        "# Portfolios",
        "",
        "A business date starts at midnight in its portfolio's zone: then its DAG `collections_daily__<name>` starts.",
        "",
        "| portfolio | zone | its day starts, UTC | currency | collector | source |",
        "|---|---|---|---|---|---|",
    ]
    for name, content in found.items():
        starts = " / ".join(sorted(set(_starts(content["timezone"]).values())))
        cells = (content["timezone"], starts, content["currency"], content["collector_type"], content["source"]["kind"])
        lines.append(f"| [{name}](#{name}) | {' | '.join(cells)} |")
    return {"portfolios.md": "\n".join([*lines, "", *(_portfolio(*each) for each in found.items())])}


def _files() -> Iterator[Path]:
    return FOLDER.glob("*/portfolio.yaml")


def _portfolio(name: str, content: dict[str, Any]) -> str:
    ageing = content.get("ageing", {})
    default = Portfolio.model_fields
    mapped = [c.noun for c in LEDGER if (FOLDER / name / f"{c.noun}.sql").is_file()]
    buckets = ", ".join(f"{b['code']} ({_bounds(b)})" for b in content["buckets"])
    facts = {
        "first business date": content["first_business_date"],
        "day count": f"{ageing.get('convention', 'elapsed')}; grace {ageing.get('grace_days', 0)} days; "
        f"tolerance {ageing.get('tolerance_minor', 0)} minor units",
        "buckets": buckets,
        "contact packs": ", ".join(content.get("packs", ())) or "none",
        "strategy": content["strategy"],
        "tables mapped": ", ".join(mapped),
        "rejected rows allowed": f"{content.get('reject_limit_pct', default['reject_limit_pct'].default)} % of a table",
        "source waited for": f"{content.get('source_deadline_hours', default['source_deadline_hours'].default)} hours",
    }
    lines = [f"## {name}", "", f"{content['title']}", "", "| | |", "|---|---|"]
    lines += [f"| {word} | {str(fact).replace('|', chr(92) + '|')} |" for word, fact in facts.items()]
    return "\n".join([*lines, "", _clock(content["timezone"]), ""])


def _bounds(bucket: dict[str, Any]) -> str:
    last = bucket.get("to")
    if last is None:
        return f"from {bucket['from']} days"
    return f"{bucket['from']}-{last} days"


def _clock(timezone: str) -> str:
    """In words: when the day starts in UTC, and what the clock changes do to it."""
    starts = _starts(timezone)
    (first, start), *changes = starts.items()
    if not changes:
        return f"Starts at 00:00 {timezone}, {start} UTC, all year."
    lines = [f"Starts at 00:00 {timezone}; {start} UTC on {first}. What the clock changes do to it:", ""]
    for day, changed in changes:
        long = (_midnight(day, timezone) - _midnight(day - timedelta(days=1), timezone)).total_seconds() / 3600
        lines.append(f"* from business date {day} on at {changed} UTC; {day - timedelta(days=1)} has {long:g} hours")
    return "\n".join(lines)


def _starts(timezone: str) -> dict[date, str]:
    """UTC time of the day's start, by the first business date it holds for."""
    starts: dict[date, str] = {}
    day = CLOCK_FROM
    while day < CLOCK_TO:
        start = _midnight(day, timezone)
        if not starts or starts[max(starts)] != f"{start:%H:%M}":
            starts[day] = f"{start:%H:%M}"
        day += timedelta(days=1)
    return starts


def _midnight(day: date, timezone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)
