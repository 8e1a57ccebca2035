"""The quality report of a run: one HTML file that needs nothing else, and the same as JSON, beside the day's figures.

Belongs here: what it says and how it looks. It holds figures, rules and places; of rows it holds no value but the
identifiers of loans about which contact stops.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

SHOWN = 500  # loans and rules listed; the rest is counted
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; margin: .5rem 0 2rem; } caption { text-align: left; font-weight: 600; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #d0d7de; text-align: left; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.departs, .warn { background: #fff4d6; } .stops, .fail { background: #ffe0dc; } .hold, .holds { background: #ffeccc; }
.verdict { font-size: 1.1rem; padding: .5rem .75rem; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass
class Report:
    """What one run's validation found.

    Attributes:
        portfolio: Folder name.
        business_date: The day.
        closing_date: Close of the ledger.
        tables: Rows, accepted, rejected, warned by table.
        rules: Rule, table, column, severity, rows, first place.
        departures: Figures far from those of the same weekdays before.
        holds: Loans and parties about which contact stops.
        held_loans: Identifiers of the first of them.
        control_totals: Totals of the source that were compared and are equal.
        warnings: What the gate told.
        stopped_by: Code and words of what stopped the day; empty when it went on.
    """

    portfolio: str
    business_date: str
    closing_date: str
    tables: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    departures: list[dict[str, Any]] = field(default_factory=list)
    holds: dict[str, int] = field(default_factory=dict)
    held_loans: list[str] = field(default_factory=list)
    control_totals: int = 0
    warnings: list[str] = field(default_factory=list)
    stopped_by: str = ""

    def as_json(self) -> str:
        """For machines."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    def as_html(self) -> str:
        """For people: no script, nothing from elsewhere."""
        title = f"Data quality: {escape(self.portfolio)}, {self.business_date}"
        verdict = f"Stopped: {escape(self.stopped_by)}" if self.stopped_by else "The day went on."
        held = (
            f"<p>Contact stops about {self.holds.get('loans', 0)} loans and {self.holds.get('parties', 0)} parties."
            f"{' The first:' if len(self.held_loans) < self.holds.get('loans', 0) else ''} "
            f"{', '.join(f'<code>{escape(loan)}</code>' for loan in self.held_loans)}</p>"
        )
        warnings = "".join(f"<li>{escape(warning)}</li>" for warning in self.warnings)
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{STYLE}</style></head><body>'
            f"<h1>{title}</h1><p>Ledger closed on {self.closing_date}. "
            f"{self.control_totals} control totals compared.</p>"
            f'<p class="verdict {"stops" if self.stopped_by else ""}">{verdict}</p>{held}'
            f"{_table('Rows by table', self.tables)}"
            f"{_table('Rules that rows break', self.rules, mark='severity')}"
            f"{_table('Figures far from the same weekdays before', self.departures, mark='verdict')}"
            f"{f'<h2>The gate warns</h2><ul>{warnings}</ul>' if warnings else ''}</body></html>\n"
        )


def read_findings(connection: duckdb.DuckDBPyConnection, report: Report) -> None:
    """Fill in what the day's relations say: ``offender``, ``subject``, ``out__data_quality_daily``."""
    report.rules = _rows(
        connection,
        "SELECT table_name AS table, rule_id AS rule, column_name AS column, severity_code AS severity, "
        "count(*) AS rows, arg_min(source_file, source_line) AS first_file, min(source_line) AS first_line "
        f"FROM offender GROUP BY ALL ORDER BY severity, rows DESC, 1, 2, 3 LIMIT {SHOWN}",
    )
    stops = (
        "FROM offender JOIN subject USING (table_name, row_number) WHERE offender.severity_code IN ('fail', 'hold') "
        "AND "
    )
    loans = _rows(connection, f"SELECT DISTINCT loan_id {stops} loan_id IS NOT NULL ORDER BY 1")
    parties = _rows(connection, f"SELECT DISTINCT party_id {stops} party_id IS NOT NULL")
    report.holds = {"loans": len(loans), "parties": len(parties)}
    report.held_loans = [row["loan_id"] for row in loans[:SHOWN]]
    report.departures = _rows(
        connection,
        "SELECT table_name AS table, profile_code AS figure, profile_value AS found, median_value AS median, "
        "compared_days AS days, verdict_code AS verdict FROM out__data_quality_daily "
        "WHERE verdict_code IN ('departs', 'holds', 'stops') ORDER BY verdict DESC, 1, 2",
    )


def _rows(connection: duckdb.DuckDBPyConnection, select: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = connection.sql(select).to_arrow_table().to_pylist()
    return found


def _table(caption: str, rows: Sequence[dict[str, Any]], *, mark: str = "") -> str:
    """Rows as a table; nothing where there are none."""
    if not rows:
        return ""
    names = list(rows[0])
    head = "".join(f"<th{_numeric(rows, name)}>{escape(name.replace('_', ' '))}</th>" for name in names)
    body = "".join(
        f'<tr class="{escape(str(row.get(mark, "")))}">'
        + "".join(f"<td{_numeric(rows, name)}>{_shown(row[name])}</td>" for name in names)
        + "</tr>"
        for row in rows
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _numeric(rows: Iterable[dict[str, Any]], name: str) -> str:
    return ' class="n"' if all(isinstance(row[name], int | None) for row in rows) else ""


def _shown(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else escape(str(value))
