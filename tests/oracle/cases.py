"""Cases of the oracle files as loans of ours, or the reason why a check is outside what this rule claims.

Belongs here: reading the files' shape. What other systems do and this rule does not is left out by name, never bent.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from arrears.rules.account import ADDING_KINDS, COMPONENTS, PAYMENT_KINDS, Instalment, Transaction
from arrears.rules.allocation import Account, Waterfall, Waterfalls
from arrears.rules.allocation import replay as replayed
from arrears.rules.next_payment import next_payment
from arrears.rules.pauses import Pause
from support.ageing import Loan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

END_OF_TIME = date(2100, 1, 1)
LONG_BEFORE = date(1900, 1, 1)
SIMPLE = {
    "penalty-fee-interest-principal": Waterfall(),
    "due-pipf-in-advance-pipf": Waterfall.of(("penalty", "interest", "principal", "fee")),
    "due-pfip-in-advance-ppfi": Waterfall(in_advance=("principal", "penalty", "fee", "interest")),
}
PROCESSING = ("horizontal", "vertical")
PREPAYS = {"NEXT_INSTALLMENT": "next", "LAST_INSTALLMENT": "last", "REAMORTIZATION": "reamortise"}
KINDS = {
    "repayment": "repayment",
    "payoff": "repayment",
    "down_payment": "repayment",
    "charge_adjustment": "repayment",
    "goodwill_credit": "goodwill_credit",
    "merchant_issued_refund": "merchant_refund",
    "payout_refund": "payout_refund",
    "chargeback": "chargeback",
    "credit_balance_refund": "credit_refund",
    "charge": "charge",
}
IGNORED = ("classification_run", "charge_off", "pause", "resume")  # bring no obligation and no payment
KNOWN = {*KINDS, *IGNORED, "disbursement", "reversal"}
# A bucket is stored when one of these happens, and moves only then.
CLASSIFYING = ({*KINDS} - {"charge"}) | {"reversal", "disbursement", "classification_run"}


@dataclass(frozen=True)
class Unsupported:
    """Why a check is left out."""

    reason: str


def minor(amount: float) -> int:
    """Two-digit currencies throughout."""
    return round(amount * 100)


def fineract_loan(case: dict[str, Any], seq: int) -> Loan | Unsupported:
    """The loan as it stands before check ``seq``."""
    events = [event for event in case["events"] if event["seq"] < seq]
    reason = unspreadable(case) or _unmodelled(case, events)
    if reason:
        return Unsupported(reason)
    kinds = {True: "down_payment", False: None}
    schedule = tuple(
        Instalment(
            row["no"],
            date.fromisoformat(row["due_date"]),
            *(minor(row[name]) for name in COMPONENTS),
            kinds[bool(row.get("down_payment"))],
        )
        for row in case["schedule"]
    )
    account: list[Transaction] = []
    for event in events:
        if event["type"] == "disbursement":
            account += _down_payment(case, event, schedule)
        elif event["type"] not in IGNORED:
            account.append(_entry(case, event, schedule, account))
    return Loan("a", schedule, tuple(account), tuple(_pauses(events)))


def _unmodelled(case: dict[str, Any], events: list[dict[str, Any]]) -> str:
    """Why an account with these events is not replayed; "" where it is."""
    unknown = [event for event in events if event["type"] == "unsupported"]
    unheard = sorted({event["type"] for event in events} - KNOWN - {"unsupported"})
    reasons = (
        (not case.get("schedule"), "no schedule: the test states its repayment table only"),
        (
            case["config"].get("interest_recalculation"),
            "interest recalculation makes new schedules, which a source delivers",
        ),
        (
            sum(event["type"] == "disbursement" for event in events) > 1,
            "a second disbursement makes a new schedule, which a source delivers",
        ),
        (unknown, f"after {unknown[0]['what'][:60]}" if unknown else ""),
        (unheard, f"an event that is no entry of ours: {unheard[0]}" if unheard else ""),
    )
    return next((reason for holds, reason in reasons if holds), "")


def _pauses(events: list[dict[str, Any]]) -> list[Pause]:
    """Pauses as entered, cut where counting was resumed."""
    pauses: list[Pause] = []
    for event in events:
        if event["type"] == "pause":
            pauses.append(Pause(date.fromisoformat(event["start"]), date.fromisoformat(event["end"])))
        elif event["type"] == "resume":
            resumed = date.fromisoformat(event["date"])
            pauses = [replace(each, ends_on=resumed) if _contains(each, resumed) else each for each in pauses]
    return pauses


def _contains(pause: Pause, on: date) -> bool:
    return pause.starts_on <= on and (pause.ends_on is None or on <= pause.ends_on)


def unspreadable(case: dict[str, Any]) -> str:
    """Why we do not spread payments as the case's product does; "" where we do."""
    config = case["config"]
    if config.get("strategy", "advanced") not in {"advanced", *SIMPLE}:
        return f"a strategy that is not ours: {config['strategy']}"
    if config.get("strategy") != "advanced":
        return ""
    allocation = config["allocation"]
    ways = {allocation["schedule_processing"]} - {*PROCESSING}
    ways |= {rule["future_rule"] for rule in allocation["rules"].values()} - {*PREPAYS}
    return f"a way of spreading that is not ours: {min(ways)}" if ways else ""


def waterfalls(case: dict[str, Any]) -> Waterfalls:
    """How the case's product spreads payments; ours where it does as we do not: no check is made of that."""
    config = case["config"]
    if "strategy" not in config or unspreadable(case):
        return Waterfalls()
    if config["strategy"] != "advanced":
        return Waterfalls(SIMPLE[config["strategy"]])
    allocation, kinds = config["allocation"], {}
    for name, rule in allocation["rules"].items():
        orders = defaultdict(list)
        for cell in rule["order"]:
            timing, component = cell.lower().rsplit("_", 1)
            orders[timing].append(component)
        kinds[KINDS.get(name.lower(), name.lower())] = Waterfall(
            *(tuple(orders[timing]) for timing in ("past_due", "due", "in_advance")),
            allocation["schedule_processing"],
            PREPAYS[rule["future_rule"]],
        )
    return Waterfalls(kinds.pop("default"), kinds)


def _booked(event: dict[str, Any]) -> datetime:
    day = datetime.combine(date.fromisoformat(event["booked_on"]), datetime.min.time(), UTC)
    return day + timedelta(seconds=event["seq"])


def _entry(
    case: dict[str, Any], event: dict[str, Any], schedule: tuple[Instalment, ...], account: list[Transaction]
) -> Transaction:
    name, booked_at = f"t{event['seq']}", _booked(event)
    if event["type"] == "reversal":
        original = event["of"] if isinstance(event["of"], str) else f"t{event['of']}"
        return Transaction(name, "reversal", LONG_BEFORE, 1, original, booked_at)
    on = date.fromisoformat(event["due_date"] if event["type"] == "charge" else event["date"])
    if event["amount"] is None:  # a payoff pays whatever is left
        amount = outstanding(replayed(schedule, account, on, waterfalls(case)))
    else:
        amount = minor(event["amount"])
    return Transaction(name, KINDS[event["type"]], on, amount, None, booked_at, event.get("kind"))


def _down_payment(case: dict[str, Any], event: dict[str, Any], schedule: tuple[Instalment, ...]) -> list[Transaction]:
    """The first instalment is paid at disbursement where the product collects it by itself."""
    product = case["config"].get("down_payment")
    amount = sum(each.total_minor for each in schedule if each.kind_code)
    if not (product and product["auto"] and event["auto_down_payment"] and amount):
        return []
    name = f"auto_down_payment:{event['date']}"
    return [Transaction(name, "repayment", date.fromisoformat(event["date"]), amount, None, _booked(event))]


def outstanding(account: Account) -> int:
    """Everything not paid, due or not."""
    return sum(each.unpaid_total_minor for each in account.obligations)


# ------------------------------------------------------------------------------------------------------- days
def stated_loan(case: dict[str, Any], seq: int) -> Loan | Unsupported:
    """The loan by the repayment table stated last before check ``seq``: what is left of each instalment, and pauses."""
    states = [state for state in case.get("schedule_states", ()) if state["seq"] < seq]
    if not states:
        return Unsupported("the repayment table it was computed from is not in the file")
    schedule = tuple(
        Instalment(row["no"], date.fromisoformat(row["due_date"]), minor(row["outstanding"]))
        for row in states[-1]["periods"]
    )
    return Loan("a", schedule, (), tuple(_pauses([event for event in case["events"] if event["seq"] < seq])))


def loan_before(case: dict[str, Any], check: dict[str, Any], seq: int | None = None) -> Loan | Unsupported:
    """The loan a delinquency check speaks of, as it stood before ``seq`` (left out: before the check)."""
    if check.get("known_gap"):
        return Unsupported(f"known gap of the file: {check['known_gap'][:60]}")
    if check["basis"] == "stated state":
        return stated_loan(case, seq or check["seq"])
    if check.get("after_unsupported"):
        return Unsupported("after an action that is not modelled")
    return fineract_loan(case, seq or check["seq"])


def stored_buckets(case: dict[str, Any], check: dict[str, Any], row_of: Any) -> Iterator[tuple[date, dict[str, Any]]]:
    """Each time a bucket was stored before the check: the day, and our row of that day.

    Args:
        case: The case.
        check: The check.
        row_of: Our row of a loan on a day.
    """
    events = [event for event in case["events"] if event["seq"] < check["seq"]]
    for event, following in zip(events, [*(each["seq"] for each in events), check["seq"]][1:], strict=True):
        is_pause = event["type"] == "pause" and event["start"] < event["booked_on"]
        is_re_aged = event["type"] == "unsupported" and "re-aging" in event["what"]  # its new table is stated
        if not (event["type"] in CLASSIFYING or is_pause or is_re_aged):
            continue
        loan = loan_before(case, check, following)
        if isinstance(loan, Unsupported):
            continue
        on = date.fromisoformat(event["booked_on"])
        if event.get("job") == "catch_up_before_api_call":  # catches up with the day before
            on -= timedelta(days=1)
        yield on, row_of(loan, on)


NEXT_PAYMENT = {"next-unpaid-due-date": "next_due", "earliest-unpaid-date": "earliest_unpaid"}


def next_payment_figures(case: dict[str, Any], check: dict[str, Any], loan: Loan) -> dict[str, Any]:
    """Which payment comes next, where the check states it."""
    as_of = date.fromisoformat(check["as_of"])
    account = replayed(loan.schedule, loan.transactions, as_of, waterfalls(case))
    if check["basis"] == "stated state":  # what was paid is in the table, when it was is not
        paid = [event for event in case["events"] if event["seq"] < check["seq"] and event.get("date")]
        account.entries = [
            Transaction(f"t{event['seq']}", "repayment", date.fromisoformat(event["date"]), 1)
            for event in paid
            if KINDS.get(event["type"]) in PAYMENT_KINDS
        ]
    found = next_payment(account, as_of, NEXT_PAYMENT[check["next_payment_policy"]])
    return {"next_payment_due_date": found.due_on.isoformat(), "next_payment_amount": found.amount_minor}


def range_of(case: dict[str, Any], days: int) -> str | None:
    """Name of the case's range that holds these days."""
    for each in case["ranges"]:
        if each["min_days"] <= days and (each["max_days"] is None or days <= each["max_days"]):
            return str(each["name"])
    return None


def day_figures(case: dict[str, Any], check: dict[str, Any], row: dict[str, Any], stored: list[Any]) -> dict[str, Any]:
    """Our rows in the words of a delinquency check: only the figures it states.

    Args:
        case: The case.
        check: The check.
        row: Our row of the check's day.
        stored: Days and rows as ``stored_buckets`` gives them.
    """
    tagged = stored[-1][1] if stored else {"bucket_days": 0, "delinquent_days": 0, "instalments": []}
    since = row["past_due_on"]
    delinquent_on = since and (since + timedelta(days=case["grace_days"])).isoformat()
    ours = {
        "past_due_days": row["past_due_days"],
        "delinquent_days": row["delinquent_days"],
        "past_due_date": since and since.isoformat(),
        "delinquent_date": delinquent_on,
        "event_delinquent_date": delinquent_on,
        "delinquent_amount": row["past_due_minor"],
        "total_overdue": row["past_due_minor"],
        "classification": range_of(case, tagged["bucket_days"]),
        "installment_level": _by_range(case, tagged),
        "installments": [
            {"no": each["seq"], "delinquent_days": each["delinquent_days"], "amount": each["past_due_minor"]}
            for each in (row["instalments"] if row["delinquent_days"] > 0 else [])
        ],
        "pause_periods": _pause_periods(case, check),
        "history": _history(case, stored),
    }
    stated = {name: ours[name] for name in ours if name in check}
    for name in ("installments", "history"):
        if check.get(name):
            stated[name] = [{k: v for k, v in each.items() if k in check[name][0]} for each in stated[name]]
    return stated


def _by_range(case: dict[str, Any], row: dict[str, Any]) -> list[tuple[str, int]]:
    amounts: dict[str, int] = defaultdict(int)
    is_asked = case["config"].get("installment_level") and row["delinquent_days"] > 0
    for each in row["instalments"] if is_asked else []:
        name = range_of(case, each["delinquent_days"])
        if name:
            amounts[name] += each["past_due_minor"]
    return sorted(amounts.items())


def _pause_periods(case: dict[str, Any], check: dict[str, Any]) -> list[dict[str, Any]]:
    pauses = _pauses([event for event in case["events"] if event["seq"] < check["seq"]])
    return [
        {
            "start": each.starts_on.isoformat(),
            "end": each.ends_on.isoformat(),
            "active": each.starts_on.isoformat() <= check["as_of"] <= each.ends_on.isoformat(),
        }
        for each in pauses
    ]


def _history(case: dict[str, Any], stored: list[Any]) -> list[dict[str, Any]]:
    """Ranges a loan was in, the last first."""
    rows: list[dict[str, Any]] = []
    for on, row in stored:
        name = range_of(case, row["bucket_days"])
        before = rows[-1] if rows and rows[-1]["lifted"] is None else None
        if before and before["classification"] != name:
            before["lifted"] = on.isoformat()
        if name and (before is None or before["classification"] != name):
            rows.append({"classification": name, "added": on.isoformat(), "lifted": None})
    return rows[::-1]


BOOKKEEPING = {
    *("seq", "as_of", "line", "basis", "note", "known_gap", "after_unsupported"),
    *("next_payment_policy", "history_rows_never_compared_upstream"),
}
PLAIN = (
    *("past_due_days", "delinquent_days", "past_due_date", "delinquent_date", "event_delinquent_date"),
    *("classification", "pause_periods", "history"),
)
AMOUNTS = ("delinquent_amount", "total_overdue", "outstanding")
NEXT = {"next_payment_due_date": str, "next_payment_amount": minor}
LISTED = ("installment_level", "installments")


def not_ours(check: dict[str, Any]) -> list[str]:
    """What a delinquency check says and nobody compares: figures we do not have, amounts and days left empty."""
    known = BOOKKEEPING | {*PLAIN, *AMOUNTS, *NEXT, *LISTED}
    empty = [name for name in (*AMOUNTS, *NEXT, "past_due_days", "delinquent_days") if check.get(name, "") is None]
    return sorted({*check} - known | {*empty})


def stated_day_figures(check: dict[str, Any]) -> dict[str, Any]:
    """A delinquency check's figures with amounts in minor units, without those ``not_ours`` names."""
    given = {name: value for name, value in check.items() if name not in not_ours(check)}
    stated = {name: given[name] for name in PLAIN if name in given}
    stated |= {name: minor(given[name]) for name in AMOUNTS if name in given}
    stated |= {name: convert(given[name]) for name, convert in NEXT.items() if name in given}
    if "installment_level" in given:
        stated["installment_level"] = sorted(
            (each["classification"], minor(each["amount"])) for each in given["installment_level"]
        )
    if "installments" in given:
        stated["installments"] = [
            each | ({"amount": minor(each["amount"])} if "amount" in each else {}) for each in given["installments"]
        ]
    return stated


# -------------------------------------------------------------------------------------------------- allocation
ALLOCATION_KINDS = ("schedule", "schedule_total", "transactions", "outstanding", "overpaid")


def allocation_figures(account: Account, check: dict[str, Any]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """What an allocation check states and what we have, by the same names."""
    rows = sorted(account.obligations, key=lambda each: each.seq)
    if check["kind"] == "schedule":
        stated = {(row["no"], name): _stated(row[name], name) for row in check["periods"] for name in _row(rows[0])}
        return stated, {(each.seq, name): value for each in rows for name, value in _row(each).items()}
    if check["kind"] == "schedule_total":
        ours = {name: sum(_row(each)[name] for each in rows) for name in _row(rows[0]) if not name.endswith("_date")}
        return {name: minor(check[name]) for name in ours}, ours
    if check["kind"] == "transactions":
        ignored = ("disbursement", "charge_off")
        live = [row for row in check["rows"] if not row.get("reversed") and row["type"] not in ignored]
        splits = [each for each in account.splits.values() if each.transaction.kind_code != "charge"]
        return {"rows": sorted(map(_stated_split, live))}, {"rows": sorted(map(_split, splits))}
    ours = {"outstanding": outstanding(account), "overpaid": account.overpaid_minor}
    return {check["kind"]: minor(check["amount"])}, {check["kind"]: ours[check["kind"]]}


def reversed_figures(case: dict[str, Any], check: dict[str, Any]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Reversed entries stay listed as they were spent before their reversal: what a check states, and ours."""
    stated = sorted(_stated_split(row) for row in check.get("rows", ()) if row.get("reversed"))
    ours = []
    for event in case["events"]:
        if stated and event["type"] == "reversal" and event["seq"] < check["seq"]:
            before = fineract_loan(case, event["seq"])
            assert not isinstance(before, Unsupported), "the check was found supported"
            name = event["of"] if isinstance(event["of"], str) else f"t{event['of']}"
            account = replayed(before.schedule, before.transactions, END_OF_TIME, waterfalls(case))
            ours.append(_split(account.splits[name]))
    return ({"reversed": stated}, {"reversed": sorted(ours)}) if stated else ({}, {})


def _stated_split(row: dict[str, Any]) -> tuple[str, ...]:
    return (row["date"], *(minor(row[name]) for name in ("amount", *COMPONENTS)))


def _split(split: Any) -> tuple[str, ...]:
    return (split.transaction.effective_on.isoformat(), split.transaction.amount_minor, *split.parts.values())


def _row(row: Any) -> dict[str, Any]:
    return {
        "due_date": row.due_on.isoformat(),
        "paid_date": row.settled_on and row.settled_on.isoformat(),
        "due": row.owed_total_minor,
        "paid": row.paid_total_minor,
        "in_advance": row.early_minor,
        "late": row.late_minor,
        "outstanding": row.unpaid_total_minor,
        **row.owed,
    }


def _stated(value: Any, name: str) -> Any:
    return value if name.endswith("_date") else minor(value)


def departure(case: dict[str, Any], check: dict[str, Any], account: Account, differing: Collection[Any]) -> str:
    """Why just these figures may differ from the check's: what we do otherwise on purpose; "" where they may not.

    Args:
        case: The case.
        check: An allocation check of it.
        account: As we replayed it.
        differing: Names of the figures that differ, as ``allocation_figures`` has them.
    """
    config, splits = case["config"], account.splits.values()
    names = {name[1] if isinstance(name, tuple) else name for name in differing}
    kinds = {each.transaction.kind_code for each in splits}
    adding = [each for each in splits if each.transaction.kind_code in ADDING_KINDS]
    met_by_overpaid = {each.transaction.kind_code for each in adding if each.overpaid_minor}
    maturity = max(one.due_on for one in account.schedule)
    late = [each.transaction.kind_code for each in splits if each.transaction.effective_on > maturity]
    departures = (
        (
            "chargeback" in kinds and config.get("credit_allocation") and names <= {*COMPONENTS, "rows"},
            "a chargeback is principal here; there it takes the components of the payment it takes back",
        ),
        (
            config.get("strategy") == "due-pfip-in-advance-ppfi" and "charge" in kinds and names == {"rows"},
            "a charge is due with its instalment here; there on its own date when a payment is spread",
        ),
        (
            names == {"paid_date"} and any(row["due"] == 0 for row in check["periods"]),
            "an instalment of nothing is never settled here",
        ),
        (
            "chargeback" in met_by_overpaid and check["kind"].startswith("schedule"),
            "of a chargeback partly met by what was overpaid only the rest is owed here",
        ),
        (
            late.count("charge") + late.count("chargeback") > 1 and names <= {"in_advance", "late"},
            "early and late are noted when a payment comes; there anew when the extra instalment's date moves",
        ),
        (
            "charge" in met_by_overpaid and names == {"rows"},
            "what was overpaid and pays a later charge stays with no payment here",
        ),
    )
    return next((reason for holds, reason in departures if holds), "")


# ---------------------------------------------------------------------------------------------------- frappe
FRAPPE_RANGES = ((30, "SMA-0"), (60, "SMA-1"), (90, "SMA-2"), (365, "D1"), (1098, "D2"))
NPA_DAYS = 90


def frappe_figures(days: int) -> dict[str, Any]:
    """What that system says of a loan that is so many days past due."""
    name = next((code for top, code in FRAPPE_RANGES if days <= top), "D3")
    npa = days > NPA_DAYS
    return {"days_past_due": days, "classification": name, "classification_code": name, "npa": npa, "is_npa": npa}
