"""Cases of the oracle files as loans of ours, or the reason why a check is outside what this rule claims.

Belongs here: reading the files' shape. What other systems do and this rule does not is left out by name, never bent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from arrears.rules.allocation import Instalment, Transaction
from arrears.rules.pauses import Pause
from support.ageing import Loan

# Classifications, of loans and of instalments, are left out: they are tags stored when a job last ran.
FIGURES = ("past_due_days", "delinquent_days", "past_due_date", "delinquent_amount", "installments")
ORDERS = {
    "penalty-fee-interest-principal": ("penalty", "fee", "interest", "principal"),
    "due-pipf-in-advance-pipf": ("penalty", "interest", "principal", "fee"),
}
IGNORED = ("disbursement", "classification_run")  # bring no obligation beyond the schedule, no payment


@dataclass(frozen=True)
class Unsupported:
    """Why a check is left out."""

    reason: str


def minor(amount: float) -> int:
    """Two-digit currencies throughout."""
    return round(amount * 100)


def fineract_loan(case: dict[str, Any], seq: int) -> Loan | Unsupported:
    """The loan as it stands before check ``seq``."""
    if not case.get("schedule"):
        return Unsupported("no schedule: the test states its repayment table only")
    allocation = case["config"].get("allocation")
    if allocation and (
        allocation["schedule_processing"] != "horizontal"
        or allocation["rules"]["DEFAULT"]["future_rule"] != "NEXT_INSTALLMENT"
    ):
        return Unsupported("payments settle the last instalment, or components before instalments")
    events = [event for event in case["events"] if event["seq"] < seq]
    if sum(event["type"] == "disbursement" for event in events) > 1:
        return Unsupported("a second disbursement makes a new schedule")
    schedule = tuple(
        Instalment(row["no"], date.fromisoformat(row["due_date"]), *_components(row)) for row in case["schedule"]
    )
    account, pauses = [], []
    for event in events:
        entry = _entry(event)
        if isinstance(entry, Unsupported):
            return entry
        if isinstance(entry, Transaction):
            account.append(entry)
        elif event["type"] == "pause":
            pauses.append(Pause(date.fromisoformat(event["start"]), date.fromisoformat(event["end"])))
        elif event["type"] == "resume":
            resumed = date.fromisoformat(event["date"])
            pauses = [replace(each, ends_on=min(each.ends_on, max(each.starts_on, resumed))) for each in pauses]
        elif event["type"] == "disbursement":
            account += _down_payment(case, event)
    return Loan("a", schedule, tuple(account), tuple(pauses))


def chronological(case: dict[str, Any], seq: int) -> str:
    """Why the order of entries matters before check ``seq`` ("" when it does not): our pool has no order."""
    events = [event for event in case["events"] if event["seq"] < seq]
    charges = [event for event in events if event["type"] == "charge"]
    paid = [event["seq"] for event in events if event["type"] == "repayment"]
    if any(event["seq"] > min(paid, default=seq) for event in charges):
        return "a charge booked after a payment does not take what was paid in advance"
    down = {row["due_date"] for row in case["schedule"] if row.get("down_payment")}
    if any(event["due_date"] in down for event in charges):
        return "a charge on the day of a down payment belongs to the next instalment"
    return ""


def component_order(case: dict[str, Any]) -> tuple[str, ...] | None:
    """Component order inside an instalment; None when it differs between past due, due and in advance."""
    if case["config"]["strategy"] != "advanced":
        return ORDERS.get(case["config"]["strategy"])
    order = case["config"]["allocation"]["rules"]["DEFAULT"]["order"]
    parts = {tuple(name.rsplit("_", 1)[1].lower() for name in order[start : start + 4]) for start in (0, 4, 8)}
    return parts.pop() if len(parts) == 1 else None


def _components(row: dict[str, Any]) -> list[int]:
    return [minor(row[name]) for name in ("principal", "interest", "fee", "penalty")]


def _entry(event: dict[str, Any]) -> Transaction | Unsupported | None:
    kind, name = event["type"], f"t{event['seq']}"
    if kind == "repayment":
        return Transaction(name, kind, date.fromisoformat(event["date"]), minor(event["amount"]))
    if kind == "reversal":
        original = event["of"] if isinstance(event["of"], str) else f"t{event['of']}"
        return Transaction(name, kind, date.fromisoformat(event["booked_on"]), 1, original)
    if kind == "charge":
        return Transaction(name, kind, date.fromisoformat(event["due_date"]), minor(event["amount"]))
    if kind in (*IGNORED, "pause", "resume"):
        return None
    if kind == "chargeback":
        return Unsupported("overdue-since of a chargeback is not modelled")
    return Unsupported(f"{kind} is not modelled")


def _down_payment(case: dict[str, Any], event: dict[str, Any]) -> list[Transaction]:
    """The first instalment is paid at disbursement where the product collects it by itself."""
    product = case["config"].get("down_payment")
    if not (product and product["auto"] and event["auto_down_payment"]):
        return []
    amount = sum(sum(_components(row)) for row in case["schedule"] if row.get("down_payment"))
    name = f"auto_down_payment:{event['date']}"
    return [Transaction(name, "repayment", date.fromisoformat(event["date"]), amount)]


def fineract_figures(row: dict[str, Any], check: dict[str, Any]) -> dict[str, Any]:
    """Our row in the words of a check: only the figures it states."""
    unpaid = row["instalments"] if row["delinquent_days"] > 0 else []
    ours = {
        "past_due_days": row["past_due_days"],
        "delinquent_days": row["delinquent_days"],
        "past_due_date": row["past_due_on"] and row["past_due_on"].isoformat(),
        "delinquent_amount": row["past_due_minor"],
        "installments": [{"no": each["seq"], "delinquent_days": each["delinquent_days"]} for each in unpaid],
    }
    return {name: ours[name] for name in FIGURES if name in check}


def expected_figures(check: dict[str, Any]) -> dict[str, Any]:
    """A check's figures with amounts in minor units."""
    stated = {name: check[name] for name in FIGURES if name in check}
    if "delinquent_amount" in stated:
        stated["delinquent_amount"] = minor(stated["delinquent_amount"])
    return stated
