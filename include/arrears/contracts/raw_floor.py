"""Ledger tables of the collections floor: shifts, queues, conflicts of interest, scores and costs."""

from __future__ import annotations

from arrears.contracts.model import Reference, at, code, days, minor, on, pseudonym, text
from arrears.contracts.raw import fail, in_range, raw

AGENT_SHIFT = raw(
    "agent_shift",
    "one row per agent and day",
    ("agent_id", "shift_on"),
    (
        pseudonym("agent_id", "Agent identifier"),
        on("shift_on", "Day of the shift"),
        text("queue_ids", "Queues the agent works, comma separated"),
        text("languages", "BCP 47 languages the agent speaks, comma separated"),
        days("productive_minutes", "Minutes available for cases"),
        code("team_id", "Team; its worklist is seen by it alone", nullable=True),
        text("portfolios", "Portfolios the agent is licensed for, comma separated; NULL: all", nullable=True),
        code("absence_code", "Why the agent is not there after all; NULL: is there", nullable=True),
    ),
    "Who works today, where, in which languages and for how long",
    checks=(
        fail(
            "agent_shift.minutes_in_day",
            "productive_minutes",
            "productive_minutes NOT BETWEEN 0 AND 1440",
            "a day has 1440 minutes",
        ),
    ),
)

QUEUE = raw(
    "queue",
    "one row per queue",
    ("queue_id",),
    (
        text("queue_id", "Queue identifier"),
        code(
            "work_mode_code",
            "How the queue is worked",
            ("bot", "pooled_dialler", "named", "field", "agency", "legal"),
        ),
        days("avg_handle_seconds", "Handling time of one attempt, in seconds"),
        days("attempts_per_case", "Attempts planned per case and day"),
    ),
    "Queues and their handling times",
    checks=(
        fail(
            "queue.handling_positive",
            "avg_handle_seconds",
            "avg_handle_seconds < 1 OR attempts_per_case < 1",
            "capacity divides by them",
        ),
    ),
)

AGENT_CONFLICT = raw(
    "agent_conflict",
    "one row per agent and party",
    ("agent_id", "party_id"),
    (
        pseudonym("agent_id", "Agent identifier"),
        pseudonym("party_id", "Party whom the agent may not work: family, neighbour, earlier complaint ..."),
    ),
    "Conflicts of interest",
    references=(Reference(("party_id",), "raw__party"),),
)

SCORE = raw(
    "score",
    "one row per party, model and scoring",
    ("party_id", "model_code", "scored_at"),
    (
        pseudonym("party_id", "Party scored"),
        code("model_code", "Model"),
        at("scored_at", "When"),
        code("band_code", "Risk band: it may lower pressure, never raise it", ("low", "medium", "high")),
        on("expires_on", "Last date it holds; NULL: until the next", nullable=True),
    ),
    "Risk bands of the source's own models",
    references=(Reference(("party_id",), "raw__party"),),
)

COST = raw(
    "cost",
    "one row per date, kind of cost and queue",
    ("cost_on", "cost_code", "queue_id"),
    (
        on("cost_on", "Date the cost was incurred"),
        code(
            "cost_code",
            "Kind of cost",
            ("agent_minute", "telco", "sms", "letter", "visit", "commission", "legal", "fixed"),
        ),
        text("queue_id", "Queue it was incurred for; empty when for all"),
        minor("amount_minor", "Amount in the portfolio's currency"),
    ),
    "What collecting costs; without it cost to collect is not available",
    checks=(in_range("cost", "amount_minor"),),
    totals=("amount_minor",),
)
