"""The page of golden days: the stories of ``tests/golden/days.yaml``, as they are run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from arrears.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

STORIES = REPOSITORY / "tests" / "golden" / "days.yaml"
INTRODUCTION = """\
Small stories of the collections floor, each one borrower: what a day brings, and what follows. They are run together \
through the real jobs by `tests/jobs/test_golden_days.py`; day 0 is a Monday. Loans show their days past due, which \
grow by themselves, and owe 1,000 minor units for each. The strategy is `tests/golden/strategy.yaml`.
"""
BRINGS = {
    "loans": "loans",
    "paid": "paid",
    "promises": "promised",
    "flags": "told",
    "due": "falls due in days",
    "paused": "paused",
    "deferred": "deferred by days",
    "differs": "differs from the source",
}


def pages() -> dict[str, str]:
    """``golden-days.md``; nothing where the tests are not installed."""
    if not STORIES.is_file():
        return {}
    content = yaml.safe_load(STORIES.read_text(encoding="utf-8"))
    parts = ["# Golden days\n", INTRODUCTION, *(line for story in content["stories"] for line in _story(story))]
    return {"golden-days.md": "\n".join(parts)}


def _story(story: dict[str, Any]) -> Iterator[str]:
    yield f"## {story['story']}\n"
    about = {name: story[name] for name in ("party", "points", "conflicts") if name in story}
    if about:
        yield f"The borrower: {_words(about)}.\n"
    yield "| day | what it brings | what follows |"
    yield "|---|---|---|"
    for day in story["days"]:
        brings = "; ".join(f"{words} {_words(day[name])}" for name, words in BRINGS.items() if name in day)
        follows = ", ".join(f"{name} {_words(value)}" for name, value in day.get("then", {}).items())
        yield f"| {day['day']} | {brings or 'nothing'} | {follows} |"
    yield ""


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(item)}" for name, item in value.items())
    if isinstance(value, list):
        return "; ".join(_words(item) for item in value)
    return str(value) if value != "" else "none"
