"""Agents' worklists: ``work.agent_worklist``, one row for each case that people work today, seen by their team alone.

Belongs here: the tables, writing them with a publication, and the export. A list shows a token where a number would
stand: the dialler turns it into the number, and nobody else can (``vault.dial_token``). Once the first window of the
day has opened the list is history: a restatement leaves it as it is. The contact alone goes on with its row of the
outbox (trigger ``work.follow_outbox``): while that is held, or once it is suppressed, nobody is told to call.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    bindparam,
    select,
    text,
)

from arrears.contracts.model import PiiClass
from arrears.csv_cells import safe_cell
from arrears.warehouse.base import INSTANT, metadata

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime
    from pathlib import Path

    from sqlalchemy import Connection

Row = dict[str, Any]
PSEUDONYM = {"pii": PiiClass.PSEUDONYM.value}

WORKLIST = Table(
    "agent_worklist",
    metadata,
    Column("portfolio", Text, nullable=False, comment="Portfolio folder name"),
    Column("business_date", Date, nullable=False, comment="The day that is worked"),
    Column("case_id", Text, nullable=False, comment="Case"),
    Column("team_id", Text, nullable=False, comment="Team that sees the row; empty: supervisors only"),
    Column("agent_id", Text, nullable=True, comment="Agent; NULL in a pool", info=PSEUDONYM),
    Column("queue_id", Text, nullable=False, comment="Queue"),
    Column("work_rank", Integer, nullable=False, comment="Order within the agent's or queue's list, from 1"),
    Column("state_code", Text, nullable=False, comment="State of the case"),
    Column("bucket", Text, nullable=False, comment="Bucket the case is worked in"),
    Column("delinquent_days", Integer, nullable=False, comment="Of its loans that may be worked"),
    Column("past_due_minor", BigInteger, nullable=False, comment="Past-due amount that may be spoken of"),
    Column("currency", Text, nullable=False, comment="ISO 4217 code"),
    Column("promised_on", Date, nullable=True, comment="When a live promise is due"),
    Column("step_id", Text, nullable=True, comment="Step of the strategy due today; NULL: none"),
    Column("step_key", Text, nullable=True, comment="Row of the outbox that the contact is", info=PSEUDONYM),
    Column("contact_state_code", Text, nullable=True, comment="Where it stands; held, suppressed ...: nobody calls"),
    Column("channel_code", Text, nullable=True, comment="Channel; NULL: no contact today, or none that may be made"),
    Column("template_code", Text, nullable=True, comment="Script or text"),
    Column("language", Text, nullable=True, comment="BCP 47 language"),
    Column("not_before_at", INSTANT, nullable=True, comment="Earliest lawful instant"),
    Column("not_after_at", INSTANT, nullable=True, comment="First instant too late"),
    Column("dial_token", Uuid, nullable=True, comment="What the dialler is given instead of a number"),
    Column("reason", Text, nullable=False, comment="Why the case stands here"),
    PrimaryKeyConstraint("portfolio", "business_date", "case_id", name="agent_worklist_pkey"),
    Index("agent_worklist_team", "team_id", "business_date"),
    Index("agent_worklist_step", "step_key"),
    schema="work",
    comment="What agents work today; each team sees its own rows (row-level security), history once the day has begun.",
)
TEAM_MEMBER = Table(
    "team_member",
    metadata,
    Column("role_name", Text, primary_key=True, comment="Database role of an agent or of a team's tool"),
    Column("team_id", Text, primary_key=True, comment="Team whose rows it sees"),
    schema="work",
    comment="Who sees which team's worklist.",
)
DIAL_TOKEN = Table(
    "dial_token",
    metadata,
    Column("dial_token", Uuid, primary_key=True, comment="Drawn at random, for one case and day"),
    Column("portfolio", Text, nullable=False, comment="Portfolio folder name"),
    Column("contact_point_id", Text, nullable=False, comment="Point it stands for", info=PSEUDONYM),
    Column("expires_at", INSTANT, nullable=False, comment="Since when the dialler refuses it"),
    schema="vault",
    comment="Which contact point a worklist's token stands for; for the dialler alone.",
)

MAY_BE_MADE = ("planned", "claimed", "rejected_retryable", "sent")  # states of the outbox; the trigger says the same
FILL = text(
    f"""
    WITH listed AS (
        SELECT assigned.*, standing.state_code, standing.worked_bucket, standing.worked_delinquent_days,
            standing.worked_minor, standing.currency, standing.promised_on,
            step.step_id, step.step_key, contact.state_code AS contact_state_code, made.channel_code,
            made.template_code, made.language, made.contact_point_id, made.not_before_at, made.not_after_at,
            CASE WHEN made.channel_code IN ('call', 'visit') THEN gen_random_uuid() END AS dial_token
        FROM mart.fct_assignment_daily AS assigned
        JOIN mart.fct_case_daily AS standing USING (portfolio, business_date, case_id)
        LEFT JOIN mart.fct_contact_plan_daily AS step
            ON step.portfolio = assigned.portfolio AND step.business_date = assigned.business_date
            AND step.case_id = assigned.case_id AND step.state_code = 'planned'
        LEFT JOIN ops.notification AS contact ON contact.step_key = step.step_key
        LEFT JOIN ops.notification AS made
            ON made.step_key = step.step_key AND made.state_code IN {MAY_BE_MADE}
            AND made.delivery_code IS DISTINCT FROM 'withdrawn'
        WHERE assigned.portfolio = :portfolio AND assigned.business_date = :business_date
            AND assigned.is_assigned
            AND (assigned.agent_id IS NOT NULL OR assigned.reason_code IN ('pooled', 'supervisor'))
    ), token AS (
        INSERT INTO vault.dial_token (dial_token, portfolio, contact_point_id, expires_at)
        SELECT dial_token, portfolio, contact_point_id, not_after_at FROM listed WHERE dial_token IS NOT NULL
    )
    INSERT INTO work.agent_worklist (
        portfolio, business_date, case_id, team_id, agent_id, queue_id, work_rank, state_code, bucket, delinquent_days,
        past_due_minor, currency, promised_on, step_id, step_key, contact_state_code, channel_code, template_code,
        language, not_before_at, not_after_at, dial_token, reason
    )
    SELECT portfolio, business_date, case_id, coalesce(team_id, '') AS team_id, agent_id, queue_id, work_rank,
        state_code, worked_bucket, worked_delinquent_days, worked_minor, currency, promised_on,
        step_id, step_key, contact_state_code, channel_code, template_code, language, not_before_at, not_after_at,
        dial_token, reason
    FROM listed
    """
)
OPENED = text(
    """
    SELECT EXISTS (
        SELECT FROM mart.fct_contact_plan_daily AS step
        WHERE step.portfolio = :portfolio AND step.business_date = :business_date AND step.not_before_at <= :now
    ) AND EXISTS (
        SELECT FROM ops.publish_ledger AS done
        WHERE done.portfolio = :portfolio AND done.business_date = :business_date
            AND done.released_contacts IS NOT NULL
    )
    """
)
CLEAR = text(
    """
    WITH gone AS (
        DELETE FROM work.agent_worklist WHERE portfolio = :portfolio AND business_date = :business_date
        RETURNING dial_token
    )
    DELETE FROM vault.dial_token WHERE dial_token IN (SELECT dial_token FROM gone)
    """
)

AT_RISK = text(
    """
    SELECT DISTINCT portfolio, party_id, person_id
    FROM ops.feedback
    WHERE kind_code = 'flag' AND detail ->> 'flag_code' = 'self_harm_risk'
        AND COALESCE((detail ->> 'ends_at')::TIMESTAMPTZ, 'infinity') > NOW()
        AND (portfolio = :portfolio OR person_id IS NOT NULL)
    """
)
TAKE_FROM_AGENTS = text(
    """
    UPDATE work.agent_worklist AS listed
    SET team_id = '', agent_id = NULL, reason = :reason
    FROM mart.fct_case_daily AS standing
    WHERE standing.portfolio = listed.portfolio AND standing.business_date = listed.business_date
        AND standing.case_id = listed.case_id AND listed.business_date >= CURRENT_DATE - 1
        AND (
            (standing.portfolio = :portfolio AND standing.borrower_id = :party_id)
            OR (standing.portfolio, standing.borrower_id) IN (
                SELECT known.portfolio, known.borrower_id FROM ops.notification AS known
                WHERE known.person_id = :person_id
            )
        )
    """
)


def take_from_agents(connection: Connection, portfolio: str, party_id: str | None, person_id: str | None) -> int:
    """Leave a person's cases to supervisors alone, at once: no agent sees them any more.

    Args:
        connection: With the caller's transaction.
        portfolio: Folder name.
        party_id: The person's party there.
        person_id: The human: their cases in other portfolios go too, as far as the outbox has met them there.

    Returns:
        Rows of today's lists (and yesterday's, where it is still yesterday) that went.
    """
    about = {"portfolio": portfolio, "party_id": party_id, "person_id": person_id}
    reason = "held: self_harm_risk; no machine and no agent, a supervisor calls"
    return connection.execute(TAKE_FROM_AGENTS, {**about, "reason": reason}).rowcount


def has_opened(connection: Connection, portfolio: str, business_date: date, now: datetime) -> bool:
    """Whether the day's contacts were released and the first of their windows has opened: then the day is history."""
    day = {"portfolio": portfolio, "business_date": business_date, "now": now}
    return bool(connection.execute(OPENED, day).scalar_one())


def fill_worklist(connection: Connection, portfolio: str, business_date: date) -> int:
    """Write the day's worklists anew from the published assignment and plan; returns the rows.

    Only for a day that has not opened, in the transaction that publishes it. A risk to life that became known since the
    day was cut, or that another lender was told of, takes the person's cases from agents here.
    """
    day = {"portfolio": portfolio, "business_date": business_date}
    connection.execute(CLEAR, day)
    rows = connection.execute(FILL, day, execution_options={"preserve_rowcount": True}).rowcount
    for known, party_id, person_id in connection.execute(AT_RISK, {"portfolio": portfolio}).all():
        take_from_agents(connection, known, party_id, person_id)
    return rows


def export_worklist(connection: Connection, portfolio: str, business_date: date, team_id: str, path: Path) -> int:
    """Write a team's worklist as CSV that no spreadsheet takes for a formula; returns the rows.

    Args:
        connection: As a role that sees the team's rows.
        portfolio: Folder name.
        business_date: The day.
        team_id: The team.
        path: The file; replaced.
    """
    asked = (
        select(WORKLIST)
        .where(
            WORKLIST.c.portfolio == bindparam("portfolio"),
            WORKLIST.c.business_date == bindparam("business_date"),
            WORKLIST.c.team_id == bindparam("team_id"),
        )
        .order_by(WORKLIST.c.agent_id, WORKLIST.c.queue_id, WORKLIST.c.work_rank)
    )
    day = {"portfolio": portfolio, "business_date": business_date, "team_id": team_id}
    rows = [dict(row) for row in connection.execute(asked, day).mappings()]
    write_csv(path, [column.name for column in WORKLIST.columns], rows)
    return len(rows)


def write_csv(path: Path, names: Iterable[str], rows: Iterable[Row]) -> None:
    """Write rows as CSV: text that a spreadsheet would run gets a leading apostrophe, numbers stay numbers."""
    names = list(names)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(names)
        writer.writerows([safe_cell(row[name]) for name in names] for row in rows)
