"""Taking providers' receipts: kept first, then worked off; an address that is dead is flagged by the same door as ever.

Belongs here: the order of the steps. Each may be done again: a delivery is known by its bytes, a receipt by its place
in the log, the report of a dead address by its reference. A process that dies in between leaves open receipts, which
the next ``due_work`` works off.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from arrears.errors import ReceiptRefusedError
from arrears.failpoints import failpoint
from arrears.feedback.intake import Delivery, Row, take_in
from arrears.feedback.subjects import Subject
from arrears.lake import Lake
from arrears.sending import receipts
from arrears.sending.receipts import Receipt
from arrears.sending.values import reference_of
from arrears.warehouse.connection import transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from arrears.settings import Settings

AT_ONCE = 500


def take_receipts(
    settings: Settings, provider: str, delivery_id: str, said: Iterable[tuple[int, object]]
) -> dict[str, Any]:
    """Take in one delivery of receipts; what is none is refused by its number, the others are taken.

    Args:
        settings: This deployment.
        provider: Whose receipts: another's message of the same reference is none of theirs.
        delivery_id: The same for the same bytes.
        said: Each receipt as it was read, with its number.

    Returns:
        ``kept``, ``refused`` (row and what was expected), ``is_known``: the delivery was taken in before; and what was
        worked off, as ``work_off`` says.

    Raises:
        WarehouseUnreachableError: The warehouse did not answer; nothing was taken, or it is worked off later.
    """
    good: list[tuple[int, Receipt]] = []
    refused: list[dict[str, Any]] = []
    for number, one in said:
        try:
            good.append((number, Receipt.of(one)))
        except ReceiptRefusedError as error:
            refused.append({"row": number, "code": error.code, "expected": error.expected})
    if good:
        with transaction(settings.warehouse) as connection:
            if not receipts.keep(connection, provider, delivery_id, good):
                return {"kept": 0, "refused": refused, "is_known": True}
    failpoint("receipts.kept")
    return {"kept": len(good), "refused": refused, "is_known": False, **work_off(settings, (provider, delivery_id))}


def work_off(settings: Settings, delivery: tuple[str, str] | None = None) -> dict[str, int]:
    """Do what the receipts of one delivery say; or all open ones, and strangers' whose message has become known since.

    Args:
        settings: This deployment.
        delivery: Provider and delivery_id.

    Returns:
        Receipts by what became of them: taken, known (no news), unmatched.
    """
    done: Counter[str] = Counter()
    while True:
        with transaction(settings.warehouse) as connection:
            found = receipts.waiting(connection, AT_ONCE, delivery)
        for receipt in found:
            _flag_dead_address(settings, receipt)
            failpoint("receipts.flagged")
            with transaction(settings.warehouse) as connection:
                done[receipts.apply(connection, receipt)] += 1
        if len(found) < AT_ONCE:
            return dict(done)


def _flag_dead_address(settings: Settings, receipt: Mapping[str, Any]) -> None:
    """A hard bounce or an invalid number is a wrong number, as if a person had reported it: it holds from now on."""
    if receipt["status_code"] not in receipts.DEAD_ADDRESS:
        return
    with transaction(settings.warehouse) as connection:
        row = receipts.message_of(connection, receipt)
        attempt = receipts.attempt_of(connection, row) if row is not None else None
    was_refused = row is not None and attempt is not None and row["state_code"] in (*receipts.REJECTED, *receipts.TRIED)
    if row is None or not (was_refused or receipts.is_news(row, receipt["status_code"])):
        return
    attempt = attempt or {"contact_point_id": row["contact_point_id"], "at": receipt["received_at"]}
    name = f"receipt {receipt['delivery_id'][:16]}/{receipt['row_number']}"
    ref = row["reference"] or row["step_key"][:32]
    _take_in_dead(settings, row | attempt | {"provider_code": receipt["provider_code"]}, name, ref)


def flag_refused_addresses(settings: Settings) -> int:
    """Flag addresses of which a provider said, when it refused a message, that nobody is there; how many were new.

    Raises:
        WarehouseUnreachableError: The warehouse did not answer; the rest is flagged the next time.
    """
    with transaction(settings.warehouse) as connection:
        found = receipts.refused_addresses(connection, AT_ONCE)
    for event in found:
        ref = f"{reference_of(event['step_key'], event['attempt_no'])}-refused"
        _take_in_dead(settings, event, receipts.delivery_of(event["event_id"]), ref)
    return len(found)


def _take_in_dead(settings: Settings, row: Mapping[str, Any], name: str, ref: str) -> None:
    report = {
        "kind": "wrong_number",
        "ref": ref,
        "occurred_at": row["at"].isoformat(),
        "contact_point_id": row["contact_point_id"],
    }
    delivery = Delivery(row["portfolio"], row["provider_code"], name, "receipt", name, (Row(1, report),))
    take_in(settings, Lake(settings.lake_url), delivery, Subject(row["borrower_id"], row["person_id"]))


def read_lines(text: str) -> list[tuple[int, object]]:
    """Receipts of a file, one JSON object a line, with the line's number; a line that is no JSON is none."""
    found: list[tuple[int, object]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found.append((number, json.loads(line)))
            except (ValueError, RecursionError):
                found.append((number, None))
    return found
