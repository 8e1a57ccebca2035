"""A book of any size, made set-based in seconds: one Parquet file a ledger table, as a source would deliver them.

Two loans a borrower, twelve monthly instalments of which six are due, due dates spread over the month. One loan in
twelve or so is past due, and one in eight hundred enters each day. The plain book has repayments only, which is all
that the yardsticks know; the mixed one adds reversals, charges, chargebacks, waivers and pauses.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

FIRST = date(2026, 3, 2)  # the first business date worked
LEDGER = ("loan", "instalment", "transaction", "pause")
UNDATED = ("instalment", "pause", "party", "loan_party", "contact_point", "consent", "flag", "queue")
LOAN_ID = "'L' || lpad(i::VARCHAR, 9, '0') AS loan_id"
DUE_ON = "(DATE '2026-03-02' + (hash(i) % 30)::INTEGER + 30 * (s - 7)::INTEGER)::DATE"
LAST_DUE_ON = DUE_ON.replace("s - 7", "5")
SELECTS = {
    "loan": f"""
        SELECT {LOAN_ID}, 'B' || (i // 2) AS borrower_id, 'p' || i % 3 AS product_code, 'CNY' AS currency,
            120000::BIGINT AS principal_minor, DATE '2025-08-01' AS disbursed_on, {LAST_DUE_ON} AS maturity_on,
            CASE i % 100 WHEN 0 THEN 'paid_off' ELSE 'active' END AS status_code,
            CASE i % 50 WHEN 1 THEN 3 END::INTEGER AS grace_days, NULL::VARCHAR AS grace_code,
            60000::BIGINT AS outstanding_principal_minor
        FROM range($loans) AS t(i)""",
    "instalment": f"""
        SELECT {LOAN_ID}, s::INTEGER AS seq, {DUE_ON} AS due_on, 10000::BIGINT AS principal_minor,
            400 + (i % 200)::BIGINT AS interest_minor, 0::BIGINT AS fee_minor, 0::BIGINT AS penalty_minor,
            NULL::VARCHAR AS kind_code
        FROM range($loans) AS t(i), range(1, 13) AS u(s)""",
    # instalments are paid on their dates; one loan in twenty pays the sixth in part, one in fifty leaves out three, one
    # in twenty-five the seventh
    "transaction": f"""
        WITH numbered AS (
            SELECT i, s, {LOAN_ID}, hash(i, 1) % 1000 AS luck
            FROM range($loans) AS t(i), range(1, 8) AS u(s)
            WHERE s < 7 OR hash(i, 2) % 25 > 0
        )
        SELECT 'T' || lpad(i::VARCHAR, 9, '0') || s AS transaction_id, loan_id,
            CASE
                WHEN $mixed AND s = 6 AND luck BETWEEN 0 AND 4 THEN 'reversal'
                WHEN $mixed AND s = 6 AND luck BETWEEN 5 AND 14 THEN 'charge'
                WHEN $mixed AND s = 6 AND luck BETWEEN 15 AND 16 THEN 'chargeback'
                WHEN $mixed AND s = 6 AND luck BETWEEN 17 AND 20 THEN 'waiver'
                ELSE 'repayment'
            END AS kind_code,
            {DUE_ON} AS effective_on, timezone('Asia/Shanghai', {DUE_ON} + INTERVAL 10 HOUR) AS booked_at,
            CASE
                WHEN i % 100 = 0 THEN 10400 + i % 200 -- ended: the yardsticks do not know that it has
                WHEN luck >= 980 AND s > 3 THEN 1
                WHEN luck >= 930 AND s = 6 THEN 2500
                ELSE 10400 + i % 200
            END::BIGINT AS amount_minor,
            CASE WHEN $mixed AND s = 6 AND luck <= 4 THEN 'T' || lpad(i::VARCHAR, 9, '0') || 4 END AS reverses_id,
            NULL::VARCHAR AS component_code
        FROM numbered WHERE {DUE_ON} <= $closing""",
    "pause": f"""
        SELECT {LOAN_ID}, DATE '2026-02-01' AS starts_on, DATE '2026-02-11' AS ends_on, 'hardship' AS reason_code,
            NULL::VARCHAR AS effect_code
        FROM range(0, $loans, 30) AS t(i) WHERE $mixed""",
    "party": """
        SELECT 'B' || b AS party_id, 'P' || b AS person_id, FALSE AS is_minor, 'zh-CN' AS language
        FROM range($loans // 2) AS t(b)""",
    "loan_party": f"""
        SELECT {LOAN_ID}, 'B' || (i // 2) AS party_id, 'borrower' AS role_code, TRUE AS is_obligor
        FROM range($loans) AS t(i)""",
    "contact_point": """
        SELECT 'M' || b AS contact_point_id, 'B' || b AS party_id, 'mobile' AS kind_code, 'Asia/Shanghai' AS timezone,
            'mobile' AS place_code, TIMESTAMPTZ '2026-01-05 12:00+08' AS verified_at, NULL::TIMESTAMPTZ AS invalid_from
        FROM range($loans // 2) AS t(b)""",
    "consent": """
        SELECT 'C' || b AS consent_id, 'B' || b AS party_id, 'sms' AS channel_code, 'collection' AS purpose_code,
            TIMESTAMPTZ '2025-08-01 12:00+08' AS given_at, NULL::TIMESTAMPTZ AS expires_at,
            NULL::TIMESTAMPTZ AS revoked_at
        FROM range($loans // 2) AS t(b)""",
    "flag": """
        SELECT 'F' || b AS flag_id, CASE b % 2 WHEN 0 THEN 'hardship' ELSE 'dispute' END AS flag_code,
            'B' || b AS party_id, NULL::VARCHAR AS loan_id, NULL::VARCHAR AS contact_point_id,
            TIMESTAMPTZ '2026-02-20 12:00+08' AS starts_at, NULL::TIMESTAMPTZ AS ends_at
        FROM range(0, $loans // 2, 101) AS t(b)""",
    # two texts within three weeks to every tenth borrower
    "contact": """
        SELECT 'K' || b || '-' || n AS contact_id, 'B' || b AS party_id, 'M' || b AS contact_point_id,
            'sms' AS channel_code, 'out' AS direction_code, 'collection' AS purpose_code,
            timezone('Asia/Shanghai', $closing - (b % 9 + 8 * n)::INTEGER + INTERVAL 15 HOUR) AS started_at,
            'delivered' AS outcome_code
        FROM range(0, $loans // 2, 10) AS t(b), range(2) AS u(n)""",
    "agent_shift": """
        SELECT 'A' || a AS agent_id, $closing + 1 AS shift_on,
            ['m1_bot', 'm2_dialler', 'm3_named', 'late_field'][a % 4 + 1] AS queue_ids, 'zh-CN,en' AS languages,
            420 AS productive_minutes
        FROM range(400) AS t(a)""",
    "queue": """
        SELECT * FROM (VALUES
            ('m1_bot', 'bot', 60, 1), ('m2_dialler', 'pooled_dialler', 240, 2), ('m3_named', 'named', 420, 1),
            ('late_field', 'field', 2700, 1)
        ) AS t (queue_id, work_mode_code, avg_handle_seconds, attempts_per_case)""",
}


def file_of(noun: str, closing: date) -> str:
    """Name of a delivered file; what does not change between dates is delivered once."""
    return f"{noun}.parquet" if noun in UNDATED else f"{noun}_{closing}.parquet"


def write_book(folder: Path, *, loans: int, business_date: date = FIRST, mixed: bool = True) -> dict[str, int]:
    """Write every table of the ledger closed the day before, those that are there already apart.

    Returns:
        Rows by noun.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = {"loans": loans, "closing": business_date - timedelta(days=1), "mixed": mixed}
    rows = {}
    with duckdb.connect(config={"threads": 2, "preserve_insertion_order": False}) as connection:
        for noun, select in SELECTS.items():
            path = folder / file_of(noun, known["closing"])
            if not path.exists():
                used = {name: value for name, value in known.items() if f"${name}" in select}
                connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)", used)
            [(rows[noun],)] = connection.execute(f"SELECT count(*) FROM '{path}'").fetchall()
    return rows
