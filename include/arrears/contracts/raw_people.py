"""Ledger tables of people: who owes, how they are reached, what they allow and forbid, and what was said."""

from __future__ import annotations

from arrears.contracts.model import Reference, at, code, days, flag, minor, on, pseudonym, text
from arrears.contracts.raw import fail, in_range, raw

PARTY = raw(
    "party",
    "one row per party",
    ("party_id",),
    (
        pseudonym("party_id", "Party identifier of the source"),
        pseudonym("person_id", "Same human over portfolios"),
        flag("is_minor", "Under the age of majority"),
        code("language", "BCP 47 language the party is addressed in"),
    ),
    "People and firms around the loans, without names or numbers",
)

LOAN_PARTY = raw(
    "loan_party",
    "one row per loan, party and role",
    ("loan_id", "party_id", "role_code"),
    (
        text("loan_id", "Loan identifier of the source"),
        pseudonym("party_id", "Party identifier of the source"),
        code(
            "role_code",
            "Role of the party in the loan",
            (
                "borrower",
                "co_borrower",
                "guarantor",
                "emergency_contact",
                "reference",
                "employer",
                "attorney",
                "representative",
                "executor",
            ),
        ),
        flag("is_obligor", "Owes the debt"),
    ),
    "Who stands in which role to which loan",
    references=(Reference(("loan_id",), "raw__loan"), Reference(("party_id",), "raw__party")),
)

CONTACT_POINT = raw(
    "contact_point",
    "one row per contact point",
    ("contact_point_id",),
    (
        pseudonym("contact_point_id", "Contact point identifier of the source; the value stays in the vault"),
        pseudonym("party_id", "Party identifier of the source"),
        code("kind_code", "Kind of point", ("mobile", "landline", "email", "postal", "push")),
        text("timezone", "IANA zone of the point, where known", nullable=True),
        code("place_code", "Place", ("personal", "home", "mobile", "workplace", "other")),
        at("verified_at", "When the point was last verified", nullable=True),
        at("invalid_from", "Since when the point is known to be wrong", nullable=True),
    ),
    "Where a party may be reached, without the number or address itself",
    references=(Reference(("party_id",), "raw__party"),),
)

CHANNELS = ("sms", "email", "push", "chat", "call", "voice_bot", "voicemail_drop", "letter", "visit")

CONSENT = raw(
    "consent",
    "one row per consent",
    ("consent_id",),
    (
        text("consent_id", "Consent identifier of the source"),
        pseudonym("party_id", "Party who consented"),
        pseudonym(
            "contact_point_id", "Number or address it was given for; NULL: for none in particular", nullable=True
        ),
        code("channel_code", "Channel consented to", CHANNELS),
        code("purpose_code", "Purpose consented to", ("collection", "service", "hours", "third_person")),
        code(
            "scope_code",
            "How the contact may be made; NULL: it was not said",
            ("manual", "autodialled", "prerecorded", "ai_voice"),
            nullable=True,
        ),
        at("given_at", "Since when"),
        at("expires_at", "Until when; NULL while it lasts", nullable=True),
        at("revoked_at", "Withdrawn at; NULL while it lasts", nullable=True),
    ),
    "Who agreed to be contacted how",
    references=(Reference(("party_id",), "raw__party"),),
)

FLAG = raw(
    "flag",
    "one row per flag",
    ("flag_id",),
    (
        text("flag_id", "Flag identifier of the source"),
        code("flag_code", "What holds: dispute, hardship, bankruptcy_stay, deceased, attorney_known, opt_out ..."),
        pseudonym("party_id", "Party it holds for", nullable=True),
        text("loan_id", "Loan it holds for", nullable=True),
        pseudonym("contact_point_id", "Contact point it holds for", nullable=True),
        at("starts_at", "First instant"),
        at("ends_at", "First instant after it (half-open); NULL while it lasts", nullable=True),
    ),
    "Instants during which a fact about a party, loan or point holds",
    checks=(
        fail(
            "flag.has_one_subject",
            "flag_id",
            "(party_id IS NOT NULL)::INT + (loan_id IS NOT NULL)::INT + (contact_point_id IS NOT NULL)::INT <> 1",
            "a flag that holds for nobody, or for two, protects nobody",
        ),
    ),
    references=(
        Reference(("party_id",), "raw__party"),
        Reference(("loan_id",), "raw__loan"),
        Reference(("contact_point_id",), "raw__contact_point"),
    ),
)

CONTACT = raw(
    "contact",
    "one row per contact attempt",
    ("contact_id",),
    (
        text("contact_id", "Contact identifier of the source"),
        pseudonym("party_id", "Party contacted"),
        pseudonym("contact_point_id", "Point used", nullable=True),
        code("channel_code", "Channel used", CHANNELS),
        code("direction_code", "Who began", ("out", "in")),
        code("purpose_code", "Purpose", ("collection", "service", "reminder")),
        at("started_at", "Instant of the attempt"),
        code(
            "outcome_code",
            "What came of it",
            (
                "conversation",
                "no_answer",
                "voicemail",
                "voicemail_full",
                "unable_to_reach_or_leave_message",
                "dropped",
                "rejected",
                "busy",
                "not_in_service",
                "delivered",
                "read",
                "sent",
                "received",
            ),
        ),
        code("right_party", "Whether the right party was reached", ("yes", "no", "unknown"), nullable=True),
        pseudonym("agent_id", "Agent who made it; NULL: a machine, or not said", nullable=True),
    ),
    "Contacts so far; every cap counts them",
    references=(Reference(("party_id",), "raw__party"),),
)

PROMISE = raw(
    "promise",
    "one row per promise and part; a promise in instalments has several",
    ("promise_id", "seq"),
    (
        text("promise_id", "Promise identifier of the source"),
        days("seq", "Number of the part, from 1"),
        text("loan_ids", "Loans whose payments keep it, comma separated, without blanks"),
        text("contact_id", "Contact in which it was made", nullable=True),
        pseudonym("agent_id", "Agent to whom it was made; NULL: a machine", nullable=True),
        at("made_at", "When it was made"),
        minor("amount_minor", "Promised in this part"),
        code("currency", "ISO 4217 code; the portfolio's currency"),
        on("due_on", "Last promised day"),
        at("cancelled_at", "Since when it no longer stands; NULL while it does", nullable=True),
    ),
    "Promises to pay so far; what became of them is found, not delivered",
    checks=(
        fail("promise.currency_known", "currency", "currency <> $currency", "no payment could keep it"),
        fail("promise.amount_positive", "amount_minor", "amount_minor <= 0", "a promise promises something"),
        in_range("promise", "amount_minor"),
        fail("promise.seq_positive", "seq", "seq < 1", "parts count from 1"),
        fail(
            "promise.due_after_made",
            "due_on",
            "due_on < made_at::DATE - 1",  # a day of room for the zone
            "what is due before it is promised is no promise",
        ),
        fail(
            "promise.loans_known",
            "loan_ids",
            "row_number IN (SELECT p.row_number FROM (SELECT row_number, unnest(string_split(loan_ids, ',')) "
            "AS loan_id FROM extract__promise) AS p WHERE p.loan_id NOT IN "
            "(SELECT l.loan_id FROM extract__loan AS l WHERE l.loan_id IS NOT NULL))",
            "nobody's payments could keep it",
        ),
    ),
    totals=("amount_minor",),
)
