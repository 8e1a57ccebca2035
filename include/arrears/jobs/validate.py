"""Validate: offenders to quarantine by file, line, column and rule; what is left becomes the day's ledger.

Belongs here: the order of steps. Rules, gates and totals stand in ``arrears.quality``.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from arrears.contracts.ledger import CONTROL_TOTAL, LEDGER
from arrears.contracts.model import Severity
from arrears.engine.duckdb import literal, quoted
from arrears.errors import ArrearsError, ControlTotalError
from arrears.failpoints import failpoint
from arrears.jobs.day import Day, Work
from arrears.jobs.pick_up import check_one_delivery, pick_up
from arrears.quality.offenders import (
    accept_all_of_clean_tables,
    make_offender_table,
    note_contradictions,
    note_offenders,
    parents_first,
)
from arrears.quality.profile import decide_on_profiles, profile_of
from arrears.quality.report import Report, read_findings
from arrears.quality.slices import note_slices, slice_figures
from arrears.quality.subjects import make_subject_table
from arrears.quality.totals import check_control_totals, check_not_empty, check_reject_limit
from arrears.quality.trend import (
    TABLE,
    make_before_view,
    profile_figures,
    refuse_collapse,
    register_figures,
    same_weekdays,
)
from arrears.sources.convert import MALFORMED, UNREADABLE
from arrears.sources.vault import RejectedRow, keep_rejected, rejected_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from arrears.contracts.model import Contract
    from arrears.lake import Manifest
    from arrears.quality.profile import Profile
    from arrears.settings import Settings

log = logging.getLogger(__name__)
COUNTS = ("rows", "accepted", "rejected", "warned", "held")
VAULT_ROWS = 10_000
VALUE_REJECTED = (
    f"severity_code = {literal(Severity.FAIL.value)} AND rule_id NOT IN ({literal(MALFORMED)}, {literal(UNREADABLE)})"
)


def validate(
    portfolio: str, business_date: date, *, run_ref: str = "", settings: Settings | None = None
) -> dict[str, Any]:
    """Judge every row of the day's extracts, and write the accepted ones as the ledger.

    Quarantine is written before anything may stop the day; the ledger only after everything held, and then the
    delivery of an inbox is picked up. Tables that the portfolio does not map stay absent.

    Args:
        portfolio: Folder name.
        business_date: The day.
        run_ref: The run, for people.
        settings: This deployment, unless a test brings its own.

    Returns:
        Counts per table and per rule, about how many loans and parties contact stops, figures far from those of the
        same weekdays before, what the gate said, and content hashes; no value of a row.

    Raises:
        PartitionMissingError: A mapped table was not extracted.
        DeliveryConflictError: The tables, or what lies in the inbox now, are not of one delivery.
        EmptyTableError: A table that may not be empty is.
        RejectLimitError: More rows of a table were rejected than the portfolio allows.
        ControlTotalError: The source's totals differ from the extract's, or ours do not add up.
        QualityGateError: A critical expectation failed.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    contracts = [contract for contract in LEDGER if contract.table in day.folder.selects]
    where = f"{portfolio} {business_date}"
    with day.work() as work:
        judged = [*contracts, CONTROL_TOTAL] if day.folder.control else contracts
        earlier = [day.key(TABLE, date) for date in same_weekdays(business_date)]
        make_before_view(work.connection, day.lake, earlier)
        extracted, repeated, slices = _note_all(work, judged)
        check_one_delivery(extracted, where)
        quarantined = work.write("out__quarantine")
        offending = _tables_with_rejected_values(work)
        for contract in judged:
            rows = _rejected_rows(work, contract) if contract.table in offending else ()
            keep_rejected(day.settings, portfolio, business_date, contract.table, rows)
        failpoint("validate.after_quarantine")
        profiles = {c.table: _profile(work, c, extracted, repeated) for c in contracts}
        followed = _write_figures(work, [*profile_figures(profiles, {c.table: c for c in contracts}), *slices])
        with _reported(work, profiles) as report:
            check_not_empty(contracts, profiles, where)
            check_reject_limit(work.connection, profiles, day.folder.portfolio.reject_limit_pct, where)
            if day.folder.control:
                control = _profile(work, CONTROL_TOTAL, extracted, repeated)
                check_not_empty([CONTROL_TOTAL], {CONTROL_TOTAL.table: control}, where)
                report.control_totals = check_control_totals(work.connection, control, extracted, where)
            refuse_collapse(work.connection, where)
            gate = decide_on_profiles(profiles, {c.table: c for c in contracts}, where)
            report.warnings = gate["warnings"]
        written = [_write_accepted(work, contract, profiles[contract.table]) for contract in contracts]
        picked_up = pick_up(day, extracted)
        return {
            "tables": {
                c.noun: {name: profiles[c.table][name] for name in ("rows", "accepted", "rejected", "warned")}
                for c in contracts
            },
            "rules": _rules(work),
            "quarantined": quarantined.rows,
            "control_totals": report.control_totals,
            "held": report.holds,
            "departures": len(report.departures),
            "gate": gate,
            "picked_up": picked_up,
            "content_hashes": {manifest.table: manifest.content_hash for manifest in (quarantined, followed, *written)},
        }


def _write_figures(work: Work, figures: list[dict[str, Any]]) -> Manifest:
    """The day's figures beside those of the same weekdays before."""
    day = work.day
    register_figures(work.connection, figures)
    manifest = work.write(TABLE, day.folder.portfolio.quality.model_dump())
    day.lake.view(work.connection, day.key(TABLE))
    return manifest


@contextmanager
def _reported(work: Work, profiles: Mapping[str, Profile]) -> Iterator[Report]:
    """Leave the run's quality report, whether what follows lets the day go on or stops it."""
    day = work.day
    report = Report(day.name, day.business_date.isoformat(), day.closing_date.isoformat())
    report.tables = [
        {"table": table, **{name: profile[name] for name in COUNTS}} for table, profile in profiles.items()
    ]
    read_findings(work.connection, report)
    try:
        yield report
    except ArrearsError as error:
        report.stopped_by = f"{error.code}: {error.found}; expected {error.expected}"
        raise
    finally:
        day.lake.attach(day.key(TABLE), "report.json", report.as_json())
        place = day.lake.attach(day.key(TABLE), "report.html", report.as_html())
        log.info("quality report: %s", place)


def _note_all(
    work: Work, contracts: Sequence[Contract]
) -> tuple[dict[str, Manifest], dict[str, int], list[dict[str, Any]]]:
    """Note every offender of the day: manifests of extracts, rows that repeat a key (by table), figures of slices."""
    extracted = {contract.table: work.read(f"extract__{contract.noun}") for contract in contracts}
    parameters = {
        "currency": work.day.folder.portfolio.currency,
        "business_date": work.day.business_date,
        "closing_date": work.day.closing_date,
    }
    make_offender_table(work.connection)
    repeated = {
        contract.table: note_offenders(work.connection, contract, list(extracted), parameters)
        for contract in parents_first(contracts)
    }
    for contract in contracts:
        note_contradictions(work.connection, contract, parameters)
    accept_all_of_clean_tables(work.connection, contracts)
    slices = slice_figures(work.connection, list(extracted), parameters)
    note_slices(work.connection, slices, work.day.folder.portfolio.quality.model_dump())
    make_subject_table(work.connection, contracts, _lines(work))
    return extracted, repeated, slices


def _lines(work: Work) -> Iterator[tuple[str, int, str]]:
    """Table, row number and text of the lines that are no rows."""
    tables = work.connection.execute(
        f"SELECT DISTINCT table_name FROM offender WHERE rule_id = {literal(MALFORMED)} ORDER BY 1"
    ).fetchall()
    day = work.day
    for (table,) in tables:
        extract = f"extract__{table.removeprefix('raw__')}"
        for number, line in rejected_lines(
            day.settings, day.name, day.business_date, extract, MALFORMED, most=VAULT_ROWS
        ):
            yield table, number, line


def _tables_with_rejected_values(work: Work) -> set[str]:
    found = work.connection.execute(f"SELECT DISTINCT table_name FROM offender WHERE {VALUE_REJECTED}").fetchall()
    return {table for (table,) in found}


def _rejected_rows(work: Work, contract: Contract) -> Iterator[RejectedRow]:
    """Rejected rows with their typed values; those that could not be read are in the vault since the extract."""
    values = ", ".join(f"{quoted(c.name)} := e.{quoted(c.name)}::VARCHAR" for c in contract.columns)
    reader = work.connection.sql(
        f"SELECT e.row_number, e.source_file, e.source_line, o.rule_id, struct_pack({values}) AS delivered "
        f"FROM {quoted(f'extract__{contract.noun}')} AS e JOIN (SELECT DISTINCT row_number, rule_id FROM offender "
        f"WHERE table_name = {literal(contract.table)} AND {VALUE_REJECTED}) AS o USING (row_number)"
    ).to_arrow_reader(VAULT_ROWS)
    for batch in reader:
        yield from (RejectedRow(**row) for row in batch.to_pylist())


def _profile(work: Work, contract: Contract, extracted: Mapping[str, Manifest], repeated: Mapping[str, int]) -> Profile:
    day = work.day
    before = day.lake.intact(day.key(f"extract__{contract.noun}", day.business_date - timedelta(days=1)))
    return profile_of(
        work.connection,
        contract,
        extracted[contract.table],
        mapped=list(extracted),
        closing_date=day.closing_date,
        rows_before=before.rows if before else None,
        repeated=repeated[contract.table],
    )


def _write_accepted(work: Work, contract: Contract, profile: Profile) -> Manifest:
    """Write the ledger table, and check that what is in the lake is what was accepted.

    Raises:
        ControlTotalError: It is not.
    """
    columns = ", ".join(quoted(column.name) for column in contract.columns)
    manifest = work.write(contract.table, select=f"SELECT {columns} FROM {quoted(f'accepted__{contract.noun}')}")
    accepted = {"accepted": manifest.rows, **{f"sum__{name}": total for name, total in manifest.totals.items()}}
    wrong = [name for name, figure in accepted.items() if profile[name] != figure]
    if wrong:
        raise ControlTotalError(f"other {', '.join(wrong)} written", "accepted rows as judged", contract.table)
    return manifest


def _rules(work: Work) -> dict[str, int]:
    """Offenders by table and rule."""
    return dict(
        work.connection.execute(
            "SELECT table_name || ' ' || rule_id, count(*) FROM offender GROUP BY ALL ORDER BY 1"
        ).fetchall()
    )
