"""A deployment whose first day is planned and published: what a dispatcher finds, and all it must ask."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from arrears.settings import INCLUDE
from arrears.warehouse.connection import transaction
from arrears.warehouse.partitions import ensure_partitions
from arrears.warehouse.tables import MART, NOTIFICATION, PUBLISH_LEDGER
from pydantic import SecretStr
from sqlalchemy import insert, text

from support.books import rows_of
from support.floor import aged, make_floor, put_ledger, work

if TYPE_CHECKING:
    from pathlib import Path

    from arrears.settings import Settings

DAY = date(2026, 3, 2)
TEN = datetime(2026, 3, 2, 2, tzinfo=UTC)  # 10:00 in Shanghai
REGION = {1: "CN-44", 2: "CN-31"}
SENDER = "creditor: Demo Lender\nphone: 400-000-0000\npay_url: https://pay.example/x\nagency: north\n"


def made_floor(
    folder: Path, url: str, day: date = DAY, zone: str = "Asia/Shanghai", people: int = 3
) -> tuple[Settings, list[dict[str, Any]]]:
    """A deployment, and the rows of its outbox: a reminder by SMS for each; the first person lives in the zone."""
    made = make_floor(folder)
    made = made.model_copy(
        update={"warehouse_url": SecretStr(url), "templates": INCLUDE / "templates", "outbox_folder": folder / "outbox"}
    )
    strategy = folder / "strategies/path.yaml"
    strategy.write_text(strategy.read_text().replace("template: hello", "template: friendly_reminder"))
    book = folder / "portfolios/book/portfolio.yaml"
    book.write_text(book.read_text().replace("2026-03-02", day.isoformat()) + "promises: {grace_days: 1}\n")
    (folder / "portfolios/book/sender.yaml").write_text(SENDER)
    numbers = range(1, people + 1)
    loans = [aged(f"l{number}", 5, product_code="card") for number in numbers]
    said = [
        {
            "loan_id": f"l{number}",
            "borrower_id": f"b{number}",
            "product_code": "card",
            "residence_region_code": REGION.get(number),
        }
        for number in numbers
    ]
    points = [
        {
            "contact_point_id": f"m-b{number}",
            "party_id": f"b{number}",
            "kind_code": "mobile",
            "place_code": "personal",
            "timezone": zone if number == 1 else "Asia/Shanghai",
        }
        for number in numbers
    ]
    put_ledger(made, day, loans, contact_point=points, loan=said)
    work(made, day)
    names = {column.name for column in NOTIFICATION.columns}
    rows = [
        {name: value for name, value in row.items() if name in names}
        | {"loan_ids": row["loan_ids"].split(","), "portfolio": "book", "business_date": day}
        for row in rows_of(made, "out__contact_plan_daily", day)
        if row["state_code"] == "planned"
    ]
    return made, rows


def prepare(
    made: Settings, rows: list[dict[str, Any]], day: date, *, known_until: datetime | None = None, people: int = 3
) -> None:
    """The outbox as the publication left it; nothing reported since."""
    ledger = MART["core__loan_delinquency_daily"]
    ensure_partitions(made.warehouse, day)
    with transaction(made.warehouse) as connection:
        connection.execute(text("ALTER TABLE ops.feedback_event DISABLE TRIGGER appended_only"))
        connection.execute(text("DELETE FROM ops.feedback_event"))
        connection.execute(text("ALTER TABLE ops.feedback_event ENABLE TRIGGER appended_only"))
        for table in ("ops.notification", "ops.outbox_stop", "ops.publish_ledger", str(ledger)):
            connection.execute(text(f"DELETE FROM {table}"))
        connection.execute(insert(NOTIFICATION), rows)
        if people:
            connection.execute(insert(ledger), [loan_row(number, day) for number in range(1, people + 1)])
        connection.execute(
            insert(PUBLISH_LEDGER).values(
                publication_id="00000000-0000-0000-0000-000000000001",
                portfolio="book",
                business_date=day,
                content_hash="x",
                contract_versions={},
                control_totals={},
                inputs={},
                known_until=known_until or datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8),
                run_ref="",
            )
        )


def loan_row(number: int, day: date) -> dict[str, Any]:
    """A loan as the day's publication has it."""
    columns = MART["core__loan_delinquency_daily"].columns
    filler = {"TEXT": "x", "BIGINT": 0, "INTEGER": 0, "BOOLEAN": True, "DATE": day}
    row = {column.name: None if column.nullable else filler[str(column.type)] for column in columns}
    return row | {
        "portfolio": "book",
        "business_date": day,
        "closing_date": day - timedelta(days=1),
        "loan_id": f"l{number}",
        "borrower_id": f"b{number}",
        "product_code": "card",
        "currency": "CNY",
        "past_due_minor": 5000,
        "past_due_days": 5,
    }
