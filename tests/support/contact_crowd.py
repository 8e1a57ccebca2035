"""A made-up crowd for the benches: people, whom somebody would like to contact, and what is known of them.

Belongs here: Parquet files of the relations that ``arrears.contact.set_policy`` reads, made by the database and the
same every time; no row is about anybody. Half of the people live in the United States under a third-party collector,
half in China.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

PLANNED_AT = datetime(2026, 10, 28, 14, 0, tzinfo=UTC)  # a Wednesday between the clock changes of London and New York
BOOKS = {
    "us": ("us_reg_f", "us_tcpa", "house_humane"),
    "cn": ("cn_gbt45251", "cn_cba2026", "house_humane"),
}

# {people} and {history} are numbers; every drawn number is a hash, so that the same world comes out each time.
SELECTS = {
    "contact_candidate": """
        SELECT
            id AS candidate_id,
            CASE id % 2 WHEN 0 THEN 'us' ELSE 'cn' END AS book,
            'p' || id AS person_id,
            CASE
                WHEN id % 2 = 1 THEN ['Asia/Shanghai']
                WHEN h % 10 = 0 THEN ['America/New_York', 'America/Los_Angeles']
                ELSE [['America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles'][1 + h % 4]]
            END AS zones,
            CASE id % 2 WHEN 0 THEN 'US' ELSE 'CN' END AS calendar,
            ['call', 'call', 'sms', 'email', 'voice_bot', 'letter'][1 + h % 6] AS channel,
            'consumer' AS party,
            'consumer' AS party_id,
            'personal' AS place,
            'collection' AS purpose,
            CASE WHEN h % 6 IN (2, 3) THEN ['opt_out_notice'] ELSE []::VARCHAR[] END AS content,
            (h // 7 % 120)::INTEGER AS days_past_due,
            'n' || id AS contact_point_id,
            'A' AS collector,
            CASE WHEN h % 5 = 0 THEN ['d' || id, 'e' || id] ELSE ['d' || id] END AS debts,
            TRUE AS is_party_known,
            TRUE AS are_flags_known,
            TRUE AS is_history_known,
            TRUE AS are_consents_known,
            TRUE AS are_times_known,
            TIMESTAMPTZ '{at}' AS planned_at,
            CASE '{asked}' WHEN 'day' THEN TIMESTAMPTZ '{at}' + INTERVAL 1 DAY END AS until_at,
            TIMESTAMPTZ '{at}' AS known_until_at
        FROM (SELECT range AS id, (hash(range) >> 2)::BIGINT AS h FROM range({people}))
    """,
    "contact_prior": """
        SELECT
            'p' || id AS person_id,
            TIMESTAMPTZ '{at}' - to_minutes(1 + h % 129600) AS started_at,
            ['call', 'call', 'call', 'sms', 'email', 'letter', 'voice_bot'][1 + h // 11 % 7] AS channel,
            ['no_answer', 'no_answer', 'no_answer', 'voicemail', 'busy', 'conversation', 'handed_over', 'delivered']
                [1 + h // 83 % 8] AS outcome,
            CASE WHEN h // 997 % 20 = 0 THEN 'in' ELSE 'out' END AS direction,
            CASE WHEN h // 1009 % 50 = 0 THEN 'relative' ELSE 'consumer' END AS party,
            CASE WHEN h // 1009 % 50 = 0 THEN 'aunt' ELSE 'consumer' END AS party_id,
            CASE WHEN h // 2003 % 20 = 0 THEN 'workplace' ELSE 'personal' END AS place,
            CASE WHEN h // 3001 % 10 = 0 THEN 'service' ELSE 'collection' END AS purpose,
            CASE WHEN h // 4001 % 10 = 0 THEN 'm' || id ELSE 'n' || id END AS contact_point_id,
            CASE WHEN h // 5003 % 4 = 0 THEN 'B' ELSE 'A' END AS collector,
            CASE WHEN h // 6007 % 8 = 0 THEN ['e' || id] ELSE ['d' || id] END AS debts
        FROM (SELECT range % {people} AS id, (hash(range, 7) >> 2)::BIGINT AS h FROM range({history}))
    """,
    "contact_flag": """
        SELECT
            'p' || id AS person_id,
            ['promise', 'hardship', 'dispute', 'opt_out_sms', 'attorney_known', 'identity_verified'][1 + h // 10 % 6]
                AS code,
            TIMESTAMPTZ '{at}' - to_hours(h // 77 % 960) AS starts_at,
            CASE WHEN h // 13 % 2 = 0 THEN TIMESTAMPTZ '{at}' + to_hours(h // 79 % 480) END AS ends_at,
            CASE WHEN h // 17 % 3 = 0 THEN 'd' || id END AS loan_id,
            NULL::VARCHAR AS contact_point_id
        FROM (SELECT range AS id, (hash(range, 11) >> 2)::BIGINT AS h FROM range({people}))
        WHERE h % 10 = 0
    """,
    "contact_consent": """
        SELECT
            'p' || id AS person_id,
            ['sms', 'voice_bot', 'call'][1 + h // 10 % 3] AS channel,
            CASE WHEN h // 10 % 3 = 2 THEN 'frequency' ELSE 'collection' END AS purpose,
            TIMESTAMPTZ '{at}' - to_hours(h // 77 % 300) AS given_at,
            CASE WHEN h // 13 % 4 = 0 THEN TIMESTAMPTZ '{at}' + to_hours(h // 79 % 480) END AS ends_at,
            ['autodialled', 'ai_voice', ''][1 + h // 10 % 3] AS scope,
            CASE WHEN h // 10 % 3 < 2 THEN 'n' || id END AS contact_point_id,
            CASE WHEN h // 10 % 3 = 2 THEN ['d' || id] ELSE []::VARCHAR[] END AS debts
        FROM (SELECT range AS id, (hash(range, 13) >> 2)::BIGINT AS h FROM range({people}))
        WHERE h % 10 < 6
    """,
    "contact_inconvenient": """
        SELECT
            'p' || id AS person_id,
            [0, 1, 2, 3, 4]::INTEGER[] AS weekdays,
            (360 + 60 * (h // 77 % 10))::INTEGER AS start_minute,
            (480 + 60 * (h // 77 % 10))::INTEGER AS end_minute,
            []::VARCHAR[] AS channels
        FROM (SELECT range AS id, (hash(range, 17) >> 2)::BIGINT AS h FROM range({people}))
        WHERE h % 20 = 0
    """,
}


def write_crowd(folder: Path, *, people: int, history: int, asked: str = "instant") -> None:
    """Write one file a relation; ``asked`` is instant (at the moment of sending) or day (a plan)."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": 2, "memory_limit": "2GB"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, select in SELECTS.items():
            filled = select.format(people=people, history=history, at=PLANNED_AT.isoformat(), asked=asked)
            connection.execute(f"COPY ({filled}) TO '{folder / name}.parquet'")
