"""Why a loan is as many days past due as it is: from the ledger rows and the scalar rules, not from the SELECTs.

Belongs here: one loan's account in words. That the answer equals the published row is what the twin tests prove.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import quoted
from arrears.errors import RuleInputError
from arrears.jobs.day import Day
from arrears.rules.account import ADDING_KINDS, COMPONENTS, Instalment, Transaction
from arrears.rules.ageing import OPEN_STATUS_CODES, LoanAge, age_of_account, not_past_due
from arrears.rules.allocation import Account, Obligation, replay
from arrears.rules.buckets import bucket_of
from arrears.rules.conventions import counted_until
from arrears.rules.money import in_words
from arrears.rules.next_payment import next_payment
from arrears.rules.pauses import CONTACT_HOLD, DEFERRAL, EFFECTS, FREEZE, Pause, deferred, merged, with_effect

if TYPE_CHECKING:
    from datetime import date

    from arrears.jobs.day import Work
    from arrears.rules.ageing import Terms
    from arrears.settings import Settings

WHOLE = 100


def explain(portfolio: str, business_date: date, loan_id: str, *, settings: Settings | None = None) -> dict[str, Any]:
    """Age one loan again and show every step.

    Returns:
        ``why`` (the sentence), the day counts and buckets, what is past due by component, ``counters`` (each step from
        past due to bucket, with its rule), ``allocation`` (due, paid and unpaid by instalment and component),
        ``transactions`` (in the order of the replay; each counted or not, and why, what it settled and where),
        ``overpaid_minor``, ``next_payment``, ``pauses`` (merged, half-open).

    Raises:
        RuleInputError: The day's ledger has no such loan.
        PartitionMissingError: The day is not validated.
    """
    day = Day.open(portfolio, business_date, settings=settings)
    config = day.folder.portfolio
    as_of = config.as_of(business_date)
    with day.work() as work:
        loans = _rows(work, "raw__loan", loan_id)
        schedule = [Instalment(**row) for row in _rows(work, "raw__instalment", loan_id, Instalment)]
        entries = [
            Transaction(**row | {"booked_at": row["booked_at"] and row["booked_at"].astimezone(config.zone)})
            for row in _rows(work, "raw__transaction", loan_id, Transaction)
        ]
        pauses = [Pause(**row) for row in _rows(work, "raw__pause", loan_id, Pause)]
    if not loans:
        raise RuleInputError(
            f"no loan {loan_id!r} in the ledger", "a loan_id of raw__loan", f"{portfolio} {business_date}"
        )
    loan = loans[0]
    own = {name: loan[name] for name in ("grace_days", "grace_code") if loan[name] is not None}
    terms = replace(config.ageing.terms, **own)
    schedule = deferred(schedule, pauses, counted_until(as_of, terms.convention))
    account = replay(schedule, entries, as_of, terms.waterfalls)
    is_open = loan["status_code"] in OPEN_STATUS_CODES
    exposure = loan["outstanding_principal_minor"]
    age = (
        age_of_account(account, pauses, as_of=as_of, terms=terms, exposure_minor=exposure)
        if is_open
        else not_past_due(terms)
    )
    bucket = bucket_of(age.bucket_days, config.bucket_set)
    return {
        "loan_id": loan_id,
        "business_date": business_date,
        "as_of": as_of,
        "status_code": loan["status_code"],
        "currency": loan["currency"],
        "why": _sentence(age, account, loan, terms, as_of) + (f" -> {bucket}" if age.past_due_on else ""),
        "past_due_on": age.past_due_on,
        "past_due_days": age.past_due_days,
        "paused_days": age.paused_days,
        "grace_days": terms.grace_days,
        "delinquent_days": age.delinquent_days,
        "bucket": bucket,
        "contract_bucket": bucket_of(age.past_due_days, config.bucket_set),
        "past_due_minor": age.past_due_minor,
        "past_due_components": {
            name: age.component_minor(name) for name in terms.waterfalls.default.past_due if age.component_minor(name)
        },
        "counters": _counters(age, terms, as_of),
        "next_payment": asdict(next_payment(account, as_of)) if is_open and account.schedule else None,
        "allocation": [line for row in account.obligations for line in _lines(row, terms)],
        "overpaid_minor": account.overpaid_minor,
        "transactions": [
            _transaction(each, entries, account, as_of) for each in sorted(entries, key=lambda one: one.replay_key)
        ],
        "pauses": [
            asdict(each) | {"effect_code": effect}
            for effect in EFFECTS
            for each in merged(with_effect(pauses, effect), counted_until(as_of, terms.convention))
        ],
    }


def in_text(explained: dict[str, Any]) -> str:
    """The same for people: the sentence, then what it rests on."""
    amount = partial(in_words, currency=explained["currency"])
    lines = [f"{explained['loan_id']} on {explained['business_date']}: {explained['why']}", *_standing(explained)]
    if explained["counters"]:
        lines += ["", "Counted"]
    lines += [
        f"  {each['value']:>6}  {each['counter']:<16} {each['says']} ({each['rule']})" for each in explained["counters"]
    ]
    lines += ["", "Schedule, and what is paid of it"]
    lines += [
        f"  {each['seq']:>3}  {each['due_on']}  {each['component']:<9} due {amount(each['due_minor'])}, "
        f"paid {amount(each['paid_minor'])}, unpaid {amount(each['unpaid_minor'])}"
        for each in explained["allocation"]
    ]
    lines += ["", "Entries in the order they are spent, and on what (ARR-AGE-02, ARR-AGE-03, ARR-AGE-04)"]
    for each in explained["transactions"]:
        lines.append(
            f"  {each['effective_on']}  {each['kind_code']} {amount(each['amount_minor'])} "
            f"[{each['transaction_id']}]: {each['effect']}"
        )
        is_adding = each["kind_code"] in ADDING_KINDS
        verb, kept = ("adds ", "is met by what was overpaid") if is_adding else ("", "is kept for later")
        lines += [
            f"      {verb}{amount(cell['minor'])} {cell['component']} of instalment {cell['seq']}"
            for cell in each["spent"]
        ]
        lines += [f"      {amount(each['overpaid_minor'])} {kept}"] if each["overpaid_minor"] else []
    if explained["overpaid_minor"]:
        lines.append(f"  kept for later: {amount(explained['overpaid_minor'])}")
    if explained["pauses"]:
        lines += ["", "Pauses"]
    lines += [
        f"  {each['effect_code']} from {each['starts_on']} until {each['ends_on']}: {SAYS[each['effect_code']]}"
        for each in explained["pauses"]
    ]
    return "\n".join([*lines, *_coming(explained)])


SAYS = {
    FREEZE: "its days are not counted, the bucket is held (ARR-AGE-05, ARR-BKT-03)",
    DEFERRAL: "due dates from its first day on are later by its length, above too (ARR-AGE-12)",
    CONTACT_HOLD: "touches no figure",
}


def _standing(explained: dict[str, Any]) -> list[str]:
    """What the loan is, and what is past due in all."""
    amount = partial(in_words, currency=explained["currency"])
    parts = ", ".join(f"{amount(minor)} {name}" for name, minor in explained["past_due_components"].items())
    held, contractual = explained["bucket"], explained["contract_bucket"]
    lines = [f"Status {explained['status_code']}"]
    if explained["past_due_on"]:
        lines += [
            f"Past due in all {amount(explained['past_due_minor'])}: {parts}",
            f"Bucket {held} by bucket_days, {contractual} by past_due_days (ARR-BKT-01)",
        ]
    return lines


def _coming(explained: dict[str, Any]) -> list[str]:
    """What falls due next; past due or not, it is another question."""
    coming = explained["next_payment"]
    if not coming:
        return []
    if not coming["amount_minor"]:
        return ["", f"Falls due next: nothing, the last date is {coming['due_on']} (ARR-ALC-01)"]
    amount = in_words(coming["amount_minor"], explained["currency"])
    beside = ", beside what is past due" if explained["past_due_on"] else ""
    return ["", f"Falls due next: {amount} on {coming['due_on']}{beside} (ARR-ALC-01)"]


def _counters(age: LoanAge, terms: Terms, as_of: date) -> list[dict[str, Any]]:
    """Each figure, what it is, and the rule that says so."""
    until = counted_until(as_of, terms.convention)
    grace = {"subtract": "taken off", "threshold": "forgiven up to it, counted in full past it"}[terms.grace_code]
    rows = [
        (
            "past_due_days",
            age.past_due_days,
            f"{terms.convention}, {age.past_due_on} to {until}",
            "ARR-AGE-01, ARR-AGE-08",
        ),
        ("paused_days", age.paused_days, "taken off, inside the past-due span only", "ARR-AGE-05"),
        ("grace_days", terms.grace_days, grace, "ARR-AGE-09"),
        ("delinquent_days", age.delinquent_days, "what is left", "ARR-AGE-06"),
        ("bucket_days", age.bucket_days, "what the bucket is of; a freeze holds them", "ARR-BKT-03"),
        ("months_ots", age.months_ots, "by the OTS method", "ARR-AGE-08"),
        ("months_mba", age.months_mba, "by the MBA method", "ARR-AGE-08"),
    ]
    if age.material_days is not None:
        rows.append(("material_days", age.material_days, "since the amount is material without a break", "ARR-AGE-11"))
    names = ("counter", "value", "says", "rule")
    return [dict(zip(names, row, strict=True)) for row in rows] if age.past_due_on else []


def _rows(work: Work, table: str, loan_id: str, kind: type | None = None) -> list[dict[str, Any]]:
    """The loan's rows of a ledger table, in the order of its key, with the fields of ``kind`` or all columns."""
    if table == "raw__pause":
        work.read_optional(table)
    else:
        work.read(table)
    names = getattr(kind, "__dataclass_fields__", None) or [column.name for column in CONTRACTS[table].columns]
    listed = ", ".join(map(quoted, names))
    order = ", ".join(map(quoted, CONTRACTS[table].key))
    found: Any = work.connection.sql(
        f"SELECT {listed} FROM {table} WHERE loan_id = $loan_id ORDER BY {order}", params={"loan_id": loan_id}
    ).to_arrow_table()
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def _lines(row: Obligation, terms: Terms) -> list[dict[str, Any]]:
    """One line per component that something is due of."""
    return [
        {
            "seq": row.seq,
            "due_on": row.due_on,
            "component": component,
            "due_minor": row.owed[component],
            "paid_minor": row.paid[component],
            "unpaid_minor": row.unpaid_minor(component),
        }
        for component in terms.waterfalls.default.past_due
        if row.owed[component] > 0
    ]


def _transaction(entry: Transaction, entries: list[Transaction], account: Account, as_of: date) -> dict[str, Any]:
    counted = [each for each in entries if each.posted_on <= as_of]
    undone_by = ", ".join(each.transaction_id for each in counted if each.reverses_id == entry.transaction_id)
    split = account.splits.get(entry.transaction_id)
    if entry not in counted:
        code, effect = "not_yet", f"not effective by {as_of}"
    elif entry.kind_code == "reversal":
        code, effect = "reverses", f"reverses {entry.reverses_id}"
        effect += f", reversed itself by {undone_by}" if undone_by else ""
    elif split:
        code, effect = "counts", "counts"
    else:
        code, effect = "annulled", f"annulled by {undone_by}"
    spent = {f"{name}_minor": split.parts[name] for name in COMPONENTS if split.parts[name]} if split else {}
    cells = split.cells.items() if split else ()
    over = split.overpaid_minor if split else 0
    by_instalment = [{"seq": seq, "component": name, "minor": paid} for (seq, name), paid in cells]
    told = {"effect": effect, "effect_code": code, "undone_by": undone_by}
    return {**asdict(entry), **told, "settles": spent, "spent": by_instalment, "overpaid_minor": over}


def _sentence(age: LoanAge, account: Account, loan: dict[str, Any], terms: Terms, as_of: date) -> str:
    currency = loan["currency"]
    if age.past_due_on is None:
        return _current(account, loan, terms, as_of)
    oldest = next(each for each in age.unpaid if each.overdue_on == age.past_due_on)
    owed = next(each for each in account.obligations if each.seq == oldest.seq).owed_total_minor
    since = f"of {oldest.due_on}" if oldest.overdue_on == oldest.due_on else f"charged back on {oldest.overdue_on}"
    return (
        f"{age.past_due_days} days past due: instalment {oldest.seq} {since} lacks "
        f"{in_words(oldest.past_due_minor, currency)} of {in_words(owed, currency)}; {age.paused_days} paused days; "
        f"grace {terms.grace_days}; delinquent {age.delinquent_days}"
    )


def _current(account: Account, loan: dict[str, Any], terms: Terms, as_of: date) -> str:
    if loan["status_code"] not in OPEN_STATUS_CODES:
        return f"Not past due: the loan has ended ({loan['status_code']})"
    due = [row for row in account.obligations if row.due_on < counted_until(as_of, terms.convention)]
    if not due:
        return f"Not past due: nothing is due as of {as_of}"
    shortfall = sum(row.unpaid_total_minor for row in due)
    if shortfall:
        lacks, within = in_words(shortfall, loan["currency"]), in_words(terms.tolerance_minor, loan["currency"])
        nearly = f", or of instalments paid to {terms.full_payment_pct} %" if terms.full_payment_pct < WHOLE else ""
        return f"Not past due: {lacks} are missing, within the tolerance of {within}{nearly}"
    return f"Not past due: everything due as of {as_of} is paid"
