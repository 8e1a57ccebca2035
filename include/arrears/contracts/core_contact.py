"""Contracts of the core layer about contact: what was decided, what happened elsewhere, what broke a rule."""

from __future__ import annotations

from arrears.contracts.model import Contract, at, code, days, flag, pseudonym, text

CHANNEL_CODES = ("sms", "email", "push", "chat", "call", "voice_bot", "voicemail_drop", "letter", "visit")
EFFECT_CODES = ("deny", "presumption", "soft", "safe_harbour", "house")

CONTACT_ELSEWHERE = Contract(
    table="core__contact_elsewhere_daily",
    grain="one row per contact beside the portfolio's own ledger with a person of the portfolio",
    key=("origin", "source_code", "contact_id"),
    columns=(
        code("origin", "Portfolio it was made or planned by; the own one for contacts its outbox gave out"),
        code(
            "source_code",
            "Who says so: another portfolio's ledger, its plan of today, or the outbox",
            ("ledger", "plan", "outbox"),
        ),
        text("contact_id", "Contact identifier of that source, or the step's key"),
        pseudonym("person_id", "Same human over portfolios"),
        at("started_at", "Instant of the attempt; of a plan or the outbox, the earliest it may have been made"),
        code("channel_code", "Channel"),
        code("direction_code", "Who began", ("out", "in")),
        code("purpose_code", "Purpose"),
        code("place_code", "Place of the point"),
        code("outcome_code", "What came of it; claimed, unknown and the like may have been anything"),
    ),
    meaning="Contacts elsewhere with the portfolio's people, as known when the day was cut; caps count them",
    owner="plan",
)

CONTACT_DECISION = Contract(
    table="core__contact_decision_daily",
    grain="one row per candidate (case, step, channel, point) and rule that fired; one with rule_id '' when allowed",
    key=("case_id", "step_id", "channel_code", "point_rank", "rule_id"),
    columns=(
        text("case_id", "Case"),
        text("step_id", "Stable id of the strategy's step"),
        code("channel_code", "Channel asked about", CHANNEL_CODES),
        days("point_rank", "Order of the point among those the channel can use, from 1; 0 when there is none"),
        flag("is_allowed", "Whether this contact may be made today"),
        text("rule_id", "Rule that forbids; empty when allowed"),
        text("citation", "Where the rule stands; empty when allowed"),
        code("effect_code", "Force of the rule; empty when allowed", ("", *EFFECT_CODES)),
        at("earliest_at", "Earliest instant it would be allowed; NULL when no waiting helps", nullable=True),
        text("packs", "Packs asked, each with its version"),
    ),
    meaning="Every answer of the contact policy, denials too",
    owner="plan",
    mart="fct_contact_decision",
    grows=True,
    version=2,
)

CONTACT_BREACH = Contract(
    table="core__contact_breach_daily",
    grain="one row per outgoing contact first known today and rule it was made against, or fact that is missing; one "
    "with rule_id '' when neither",
    key=("contact_id", "rule_id"),
    columns=(
        text("contact_id", "Contact identifier of the source"),
        text("case_id", "Case of the person at the time; NULL when there was none", nullable=True),
        text("loan_id", "The one loan it can have been about; NULL when there are several or none", nullable=True),
        pseudonym("person_id", "Same human over portfolios; the party where the source does not say"),
        code("channel_code", "Channel used"),
        code("purpose_code", "Purpose"),
        at("occurred_at", "Instant of the attempt"),
        text("rule_id", "Rule it was made against, or insufficient_facts.<fact>; empty when neither"),
        text("pack", "Pack of the rule, with its version; empty where there is no rule"),
        text("citation", "Where the rule stands; empty when there is none"),
        code(
            "effect_code",
            "Force of the rule; insufficient_facts: a fact that is missing, no breach; empty when neither",
            ("", *EFFECT_CODES, "insufficient_facts"),
        ),
    ),
    meaning="Contacts that were made, judged by the rules valid then",
    owner="plan",
    mart="fct_contact_breach",
    grows=True,
    mart_rows="rule_id <> ''",
)
