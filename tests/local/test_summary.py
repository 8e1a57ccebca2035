"""The figures a drive ends with."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

from arrears.local.summary import FIGURES, blocked_table, breach_table, published, summary_table
from arrears.warehouse.connection import transaction
from arrears.warehouse.partitions import ensure_partitions
from arrears.warehouse.tables import MART
from rich.console import Console
from sqlalchemy import insert

DAY = date(2026, 2, 1)
LATER = date(2026, 2, 2)


def row(day, content_hash, **figures):
    empty = dict.fromkeys(FIGURES, 0)
    return {**empty, "business_date": day, "par30_ratio": Decimal("0.0341"), "content_hash": content_hash, **figures}


def printed(table):
    console = Console(file=StringIO(), width=80)
    console.print(table)
    return [" ".join(line.replace("│", " ").split()) for line in console.file.getvalue().splitlines()]


def test_summary_shows_figures_down_and_dates_across():
    days = {DAY: row(DAY, "a" * 64, loans=5000), LATER: row(LATER, "b" * 64, loans=5011, par30_ratio=None)}

    lines = printed(summary_table("demo", days, {}))

    assert "loans 5,000 5,011" in lines
    assert "PAR30 3.41 % -" in lines
    assert "content hash aaaaaaaaaaaa bbbbbbbbbbbb" in lines


def test_summary_says_which_hash_changed():
    before = {DAY: row(DAY, "a" * 64), LATER: row(LATER, "b" * 64)}
    days = {DAY: row(DAY, "a" * 64), LATER: row(LATER, "c" * 64)}

    lines = printed(summary_table("demo", days, before))

    assert "before the same CHANGED" in lines


def test_nothing_is_published_in_an_empty_warehouse(warehouse_url):
    assert published(warehouse_url, "demo", [DAY]) == {}
    assert blocked_table(warehouse_url, "demo", [DAY]).row_count == 0
    assert breach_table(warehouse_url, "demo", [DAY]).row_count == 0


def test_breaches_of_law_come_before_those_of_the_house(warehouse_url):
    said = [
        ("night", "law.hours", "deny", DAY),
        ("night", "house.hours", "house", DAY),
        ("again", "law.hours", "deny", LATER),
    ]
    rows = [
        {
            **dict.fromkeys(("portfolio", "person_id", "channel_code", "purpose_code", "pack", "load_id"), "demo"),
            "contact_id": contact,
            "rule_id": rule,
            "effect_code": effect,
            "citation": "page 1",
            "business_date": day,
            "occurred_at": datetime(2026, 1, 31, 15, tzinfo=UTC),
        }
        for contact, rule, effect, day in said
    ]
    for day in (DAY, LATER):
        ensure_partitions(warehouse_url, day)
    with transaction(warehouse_url) as connection:
        connection.execute(insert(MART["core__contact_breach_daily"]).values(rows))

    table = breach_table(warehouse_url, "demo", [DAY, LATER])

    assert [list(column.cells) for column in table.columns] == [
        ["law.hours (deny)\npage 1", "house.hours (house)\npage 1"],
        ["1", "1"],
        ["1", "0"],
    ]
