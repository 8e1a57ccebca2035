"""Everything about one case for an auditor, as one archive: what was decided, by which rule, who did what, and proof.

Belongs here: which rows speak of a case, and the archive. Identifiers of people are replaced by keyed pseudonyms, the
same in every archive of this deployment, unless somebody asks for the identifiers, by name and with a reason. What
people wrote, numbers and addresses are never in it: they are in the vault. The same state gives the same bytes.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import zipfile
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Table, Text, cast, or_, select

from arrears.contracts import CONTRACTS
from arrears.contracts.model import PiiClass
from arrears.errors import ArrearsError, RuleInputError
from arrears.jobs.explain import explain
from arrears.warehouse.anchors import verify
from arrears.warehouse.audit import record
from arrears.warehouse.connection import transaction
from arrears.warehouse.feedback_tables import CONTACT_APPROVAL, FEEDBACK_EVENT
from arrears.warehouse.tables import (
    AUDIT_ENTRY,
    MART,
    NOTIFICATION,
    NOTIFICATION_EVENT,
    PUBLISH_LEDGER,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy import ColumnElement, Connection

    from arrears.keys import KeyRing
    from arrears.settings import Settings

Row = dict[str, Any]
PURPOSE = "evidence-pseudonym"
PEOPLE = frozenset(
    {"person_key", "author_id"}
    | {c.name for contract in CONTRACTS.values() for c in contract.columns if c.pii is PiiClass.PSEUDONYM}
)
EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date that a ZIP can say: the archive depends on nothing but its content
MANIFEST = "manifest.json"


def evidence(  # noqa: PLR0913  an archive is asked for with all of it
    portfolio: str, case_id: str, out: Path, *, settings: Settings, actor: str = "", reason: str = ""
) -> dict[str, Any]:
    """Write the archive of a case.

    Args:
        portfolio: Folder name.
        case_id: The case.
        out: The ZIP file; replaced.
        settings: This deployment, with its master keys.
        actor: Who wants identifiers instead of pseudonyms; empty: pseudonyms.
        reason: Why; goes into the audit trail with the actor.

    Returns:
        The file's SHA-256, and rows by part.

    Raises:
        RuleInputError: Nothing was ever published of such a case; or identifiers are asked for without a reason.
        WarehouseUnreachableError: The server did not answer.
    """
    with transaction(settings.warehouse) as connection:
        parts = _parts(connection, portfolio, case_id)
        if not parts["mart.fct_case_daily"]:
            raise RuleInputError("a case that was never published", "a case_id of bi.case_daily", portfolio)
        if actor or reason:
            subject = f"{portfolio} {case_id}"
            record(connection, actor=actor, action="evidence.identified", subject=subject, reason=reason)
    parts |= _explained(portfolio, parts, settings)
    parts["audit_trail"] = [asdict(verify(settings))]
    if not actor:
        parts = {name: [_hidden(row, settings.keys) for row in rows] for name, rows in parts.items()}
    files = {f"{name}.json": _json(rows) for name, rows in parts.items()}
    files["index.html"] = _page(portfolio, case_id, parts).encode()
    manifest = {
        "portfolio": portfolio,
        "case_id": case_id,
        "as_of": max(str(row["business_date"]) for row in parts["mart.fct_case_daily"]),
        "people_are": "identified" if actor else "pseudonyms",
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    archive = _zip({**files, MANIFEST: _json(manifest)})
    out.write_bytes(archive)
    return {
        "file": str(out),
        "sha256": hashlib.sha256(archive).hexdigest(),
        "people_are": manifest["people_are"],
        "rows": {name: len(rows) for name, rows in parts.items()},
    }


def _parts(connection: Connection, portfolio: str, case_id: str) -> dict[str, list[Row]]:
    """Rows that speak of the case, by table: by case, by its loans, by its steps, by its borrower."""
    parts: dict[str, list[Row]] = {}
    facts = [table for table in MART.values() if {"case_id", "loan_id", "borrower_id"} & set(table.columns.keys())]
    for table in facts:
        if "case_id" in table.c and "loan_id" not in table.c:
            parts[str(table)] = _rows(connection, table, table.c.portfolio == portfolio, table.c.case_id == case_id)
    days = [row["business_date"] for row in parts["mart.fct_case_daily"]]
    people = {row["borrower_id"] for row in parts["mart.fct_case_daily"]}
    loans = _loans(connection, portfolio, case_id, people)
    for table in facts:
        if str(table) not in parts:
            whose = table.c.loan_id.in_(loans) if "loan_id" in table.c else table.c.borrower_id.in_(people)
            parts[str(table)] = _rows(connection, table, table.c.portfolio == portfolio, whose)
    step = NOTIFICATION.c
    parts["ops.notification"] = _rows(connection, NOTIFICATION, step.portfolio == portfolio, step.case_id == case_id)
    keys = {row["step_key"] for row in parts["ops.notification"]}
    parts["ops.notification_event"] = _rows(
        connection, NOTIFICATION_EVENT, NOTIFICATION_EVENT.c.step_key.in_(keys), order=NOTIFICATION_EVENT.c.event_id
    )
    event = FEEDBACK_EVENT.c
    about = or_(event.party_id.in_(people), event.loan_ids.op("&&")(cast(sorted(loans), ARRAY(Text))))
    parts["ops.feedback_event"] = _rows(
        connection, FEEDBACK_EVENT, event.portfolio == portfolio, about, order=event.sequence
    )
    approval, publication = CONTACT_APPROVAL.c, PUBLISH_LEDGER.c
    parts["ops.contact_approval"] = _rows(
        connection, CONTACT_APPROVAL, approval.portfolio == portfolio, approval.business_date.in_(days)
    )
    parts["ops.publish_ledger"] = _rows(
        connection,
        PUBLISH_LEDGER,
        publication.portfolio == portfolio,
        publication.business_date.in_(days),
        order=publication.sequence,
    )
    reported = {row["event_id"] for row in parts["ops.feedback_event"]}
    parts["ops.audit_entry"] = _entries(connection, portfolio, {case_id, f"{portfolio} {case_id}", *keys, *reported})
    return parts


def _rows(
    connection: Connection, table: Table, *where: ColumnElement[bool], order: ColumnElement[Any] | None = None
) -> list[Row]:
    by = [order] if order is not None else list(table.primary_key.columns)
    return [dict(row) for row in connection.execute(select(table).where(*where).order_by(*by)).mappings()]


def _loans(connection: Connection, portfolio: str, case_id: str, people: set[str]) -> set[str]:
    """Loans of the case: those that facts of the case name, and all past-due loans of its borrower."""
    found: set[str] = set()
    for table in MART.values():
        if {"loan_id", "borrower_id"} <= set(table.columns.keys()):
            asked = select(table.c.loan_id).where(table.c.portfolio == portfolio, table.c.borrower_id.in_(people))
        elif {"loan_id", "case_id"} <= set(table.columns.keys()):
            asked = select(table.c.loan_id).where(table.c.portfolio == portfolio, table.c.case_id == case_id)
        else:
            continue
        found |= set(connection.execute(asked.distinct()).scalars())
    return found - {None}


def _entries(connection: Connection, portfolio: str, subjects: set[str]) -> list[Row]:
    """Entries about the case, its messages, decisions about it and its portfolio's plans; stops and releases: few."""
    entry = AUDIT_ENTRY.c
    about = or_(
        entry.subject.in_(subjects),
        entry.action.startswith("contact_approval.") & entry.subject.startswith(f"{portfolio} ", autoescape=True),
        entry.action.in_(("outbox.stop", "outbox.start")),
        entry.subject == "outbox",
    )
    return _rows(connection, AUDIT_ENTRY, about)


def _explained(portfolio: str, parts: Mapping[str, list[Row]], settings: Settings) -> dict[str, list[Row]]:
    """Why each loan is as late as it is, on the last date that it was published past due."""
    last: dict[str, Any] = {}
    for row in parts["mart.fct_loan_daily"]:
        last[row["loan_id"]] = max(last.get(row["loan_id"], row["business_date"]), row["business_date"])
    found = []
    for loan, day in sorted(last.items()):
        try:
            found.append(explain(portfolio, day, loan, settings=settings))
        except ArrearsError as error:
            found.append({"loan_id": loan, "business_date": day, "not_available": error.code, "found": error.found})
    return {"explain": found}


def _hidden(value: Any, keys: KeyRing, name: str = "") -> Any:  # noqa: ANN401  a row, or what is in it
    """The same with pseudonyms for people; the purpose keeps them apart from those of BI."""
    if isinstance(value, dict):
        return {key: _hidden(item, keys, key) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item, keys, name) for item in value]
    if name in PEOPLE and isinstance(value, str) and value:
        return f"P-{keys.mac(PURPOSE, value)[:24]}"
    return value


def _json(value: Any) -> bytes:  # noqa: ANN401  rows
    return json.dumps(value, indent=1, sort_keys=True, default=str, ensure_ascii=False).encode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _page(portfolio: str, case_id: str, parts: Mapping[str, list[Row]]) -> str:
    """All of it to read, without a script or anything from outside."""
    body = [f"<h1>Case {html.escape(case_id)} of {html.escape(portfolio)}</h1>"]
    body.append("<p>Every table is in a JSON file of its own beside this page; manifest.json has their SHA-256.</p>")
    for name, rows in parts.items():
        body.append(f"<h2>{html.escape(name)}: {len(rows)}</h2>")
        if rows:
            names = list(dict.fromkeys(key for row in rows for key in row))
            head = "".join(f"<th>{html.escape(one)}</th>" for one in names)
            lines = "".join(
                "<tr>" + "".join(f"<td>{html.escape(_cell(row.get(one)))}</td>" for one in names) + "</tr>"
                for row in rows
            )
            body.append(f"<table><tr>{head}</tr>{lines}</table>")
    style = "body{font:14px sans-serif}table{border-collapse:collapse}td,th{border:1px solid #999;padding:2px 6px;"
    style += "text-align:left;vertical-align:top}"
    title = f"<title>Evidence: {html.escape(case_id)}</title>"
    return f'<!doctype html><html lang="en"><meta charset="utf-8">{title}<style>{style}</style>{"".join(body)}</html>'


def _cell(value: Any) -> str:  # noqa: ANN401  any value of a row
    if value is None:
        return ""
    return json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
