"""What was actually done to a person against the contact rules."""

from __future__ import annotations

from arrears.warehouse.migrations.versions.v0001_facts import at, fact, text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add it."""
    fact(
        "fct_contact_breach",
        "Contacts that were made, judged by the rules valid then",
        "one row per outgoing contact first known today and rule it was made against, or fact that is missing; one "
        "with rule_id '' when neither, where rule_id <> ''",
        ("contact_id", "rule_id"),
        text("contact_id", "Contact identifier of the source"),
        text("case_id", "Case of the person at the time; NULL when there was none", nullable=True),
        text("loan_id", "The one loan it can have been about; NULL when there are several or none", nullable=True),
        text("person_id", "Same human over portfolios; the party where the source does not say"),
        text("channel_code", "Channel used"),
        text("purpose_code", "Purpose"),
        at("occurred_at", "Instant of the attempt"),
        text("rule_id", "Rule it was made against, or insufficient_facts.<fact>; empty when neither"),
        text("pack", "Pack of the rule, with its version; empty where there is no rule"),
        text("citation", "Where the rule stands; empty when there is none"),
        text(
            "effect_code",
            "Force of the rule; insufficient_facts: a fact that is missing, no breach; empty when neither",
        ),
    )
