"""The ledger contract: what a portfolio's SELECTs deliver, one ``raw__`` table each.

Every ``raw__`` table also carries ``source_file`` and ``source_line`` so that any figure can be walked back.
Columns and tables are declared here when something reads them.
"""

from __future__ import annotations

from dataclasses import replace

from arrears.contracts.model import (
    Check,
    Column,
    Contract,
    Reference,
    Severity,
    at,
    code,
    count,
    days,
    flag,
    minor,
    on,
    pseudonym,
    text,
)

LINEAGE = (
    Column("source_file", text("", "").type, "File or SELECT the row came from", nullable=True),
    Column("source_line", minor("", "").type, "Line in that file, or ordinal in that SELECT's result", nullable=True),
)

OPEN_STATUSES = ("active", "charged_off")
TERMINAL_STATUSES = ("paid_off", "settled", "sold", "transferred", "cancelled")
FIRST_DAY, LAST_DAY = "1950-01-01", "2199-12-31"
LARGEST_MINOR = 10**15  # no debt of a person; sums of thousands of these still fit 64 bits
ROLL_DAYS = 10  # a due date rolled over a weekend or the longest run of holidays
LATE_DAYS = 31  # a correction booked later than this after the close is rare
IN = "('repayment', 'waiver', 'goodwill_credit', 'merchant_refund', 'payout_refund')"
AGREED = "status_code = 'active' AND restructured_on IS NULL"


def _fail(rule: str, column: str, offends: str, reason: str) -> Check:
    return Check(rule, column, offends, Severity.FAIL, reason)


def _warn(rule: str, column: str, offends: str, reason: str) -> Check:
    return Check(rule, column, offends, Severity.WARN, reason)


def _hold(rule: str, column: str, offends: str, reason: str) -> Check:
    return Check(rule, column, offends, Severity.HOLD, reason)


def _in_range(noun: str, *columns: str) -> Check:
    """Amounts that 64 bits hold one by one, but not summed, would end the whole day."""
    largest = f"greatest({', '.join(f'coalesce({column}, 0)' for column in columns)})"
    offends = f"{largest if len(columns) > 1 else columns[0]} > {LARGEST_MINOR}"
    return _fail(f"{noun}.amounts_in_range", columns[0], offends, "what cannot be summed cannot be aged")


def _of_our_time(noun: str, column: str) -> Check:
    """Systems write 0001-01-01 and 9999-12-31 where they know no date: aged, these are millennia late, or never due."""
    offends = f"{column} NOT BETWEEN DATE '{FIRST_DAY}' AND DATE '{LAST_DAY}'"
    return _fail(f"{noun}.{column}_of_our_time", column, offends, "a date that stands for none is no date")


def _raw(  # noqa: PLR0913  a contract is its parts
    noun: str,
    grain: str,
    key: tuple[str, ...],
    columns: tuple[Column, ...],
    meaning: str,
    *,
    checks: tuple[Check, ...] = (),
    references: tuple[Reference, ...] = (),
    may_be_empty: bool = True,
    required: bool = False,
    totals: tuple[str, ...] = (),
) -> Contract:
    return Contract(
        table=f"raw__{noun}",
        grain=grain,
        key=key,
        columns=columns + LINEAGE,
        meaning=meaning,
        owner="sources",
        checks=checks,
        references=references,
        may_be_empty=may_be_empty,
        required=required,
        totals=totals,
    )


LOAN = _raw(
    "loan",
    "one row per loan, current and ended",
    ("loan_id",),
    (
        text("loan_id", "Loan identifier of the source"),
        pseudonym("borrower_id", "party_id of the main borrower"),
        code("product_code", "Product of the source"),
        code("currency", "ISO 4217 code; the portfolio's currency"),
        minor("principal_minor", "Principal granted"),
        on("disbursed_on", "Date of disbursement"),
        on("maturity_on", "Due date of the last instalment"),
        code("status_code", "Status at the ledger's close", OPEN_STATUSES + TERMINAL_STATUSES),
        on("status_on", "Date since which the status holds", nullable=True),
        days("grace_days", "Grace of this loan, where it differs from the portfolio's", nullable=True),
        code("grace_code", "How this loan's grace works, where it differs", ("subtract", "threshold"), nullable=True),
        minor("outstanding_principal_minor", "Principal not yet repaid, by the source"),
        minor("accrued_interest_minor", "Interest accrued and not paid, by the source", nullable=True),
        minor("outstanding_fee_minor", "Fees charged and not paid, by the source", nullable=True),
        minor("outstanding_penalty_minor", "Penalties charged and not paid, by the source", nullable=True),
        minor("payoff_minor", "What would end the loan, by the source", nullable=True),
        days("source_past_due_days", "Days past due by the source's own count", nullable=True),
        minor("source_past_due_minor", "Past-due amount by the source's own count", nullable=True),
        on("restructured_on", "Date since which a new schedule replaces the agreed one", nullable=True),
        code(
            "residence_region_code",
            "Where the borrower lives, ISO 3166 as far down as known: US, US-MA, US-NY-NYC; NULL: nobody knows",
            nullable=True,
        ),
    ),
    "Loans of the portfolio at the ledger's close",
    checks=(
        _fail(
            "loan.currency_known", "currency", "currency <> $currency", "amounts of another currency cannot be summed"
        ),
        _fail("loan.principal_positive", "principal_minor", "principal_minor <= 0", "a loan lends something"),
        _fail(
            "loan.outstanding_in_range",
            "outstanding_principal_minor",
            "outstanding_principal_minor < 0 OR outstanding_principal_minor > principal_minor",
            "PAR is a share of outstanding principal",
        ),
        _fail(
            "loan.matures_after_disbursal", "maturity_on", "maturity_on < disbursed_on", "a schedule has a direction"
        ),
        _fail(
            "loan.disbursed_by_close", "disbursed_on", "disbursed_on > $closing_date", "the ledger is closed before it"
        ),
        _fail("loan.grace_not_negative", "grace_days", "grace_days < 0", "grace delays, it never hastens"),
        _fail(
            "loan.has_schedule",
            "loan_id",
            "status_code IN ('active', 'charged_off') AND loan_id NOT IN "
            "(SELECT i.loan_id FROM extract__instalment AS i WHERE i.loan_id IS NOT NULL)",
            "without a schedule nothing is ever past due; that is no age",
        ),
        _in_range("loan", "principal_minor", "outstanding_principal_minor"),
        _of_our_time("loan", "disbursed_on"),
        _hold(
            "loan.principal_is_scheduled",
            "principal_minor",
            f"{AGREED} AND loan_id IN (SELECT l.loan_id "
            "FROM once__loan AS l INNER JOIN (SELECT i.loan_id, sum(i.principal_minor) AS principal_minor, "
            "bool_or(i.kind_code = 'minimum_payment') AS is_open_ended FROM once__instalment AS i "
            "GROUP BY i.loan_id) AS due ON l.loan_id = due.loan_id "
            "WHERE due.principal_minor <> l.principal_minor AND NOT coalesce(due.is_open_ended, FALSE))",
            "an instalment is missing or wrong, and so may the age be",
        ),
        _hold(
            "loan.repaid_is_received",
            "outstanding_principal_minor",
            f"{AGREED} AND outstanding_principal_minor < principal_minor "
            "AND loan_id IN (SELECT l.loan_id FROM once__loan AS l LEFT JOIN (SELECT t.loan_id, sum(t.amount_minor) "
            f"AS received FROM once__transaction AS t WHERE t.kind_code IN {IN} GROUP BY t.loan_id) AS paid "
            "ON l.loan_id = paid.loan_id "
            "WHERE l.principal_minor - l.outstanding_principal_minor > coalesce(paid.received, 0))",
            "more principal is repaid than money came in: a payment is missing, and who has paid is not asked to",
        ),
        _hold(
            "loan.received_was_owed",
            "outstanding_principal_minor",
            f"{AGREED} AND outstanding_principal_minor > 0 AND loan_id IN (SELECT due.loan_id "
            "FROM (SELECT i.loan_id, "
            "sum(i.principal_minor + i.interest_minor + i.fee_minor + i.penalty_minor) AS owed, "
            "bool_or(i.kind_code = 'minimum_payment') AS is_open_ended, bool_or(i.principal_minor IS NULL "
            "OR i.interest_minor IS NULL OR i.fee_minor IS NULL OR i.penalty_minor IS NULL) AS is_unreadable "
            "FROM once__instalment AS i GROUP BY i.loan_id) AS due INNER JOIN (SELECT t.loan_id, "
            f"coalesce(sum(t.amount_minor) FILTER (t.kind_code IN {IN}), 0) AS received, "
            f"coalesce(sum(t.amount_minor) FILTER (t.kind_code NOT IN {IN}), 0) AS other "
            "FROM accepted__transaction AS t GROUP BY t.loan_id) AS paid ON due.loan_id = paid.loan_id "
            "WHERE paid.received - paid.other > due.owed "
            "AND NOT coalesce(due.is_open_ended, FALSE) AND NOT due.is_unreadable)",
            "more came in than was ever owed, and principal is still open: an amount is wrong, and so may the age be",
        ),
        _hold(
            "loan.matures_with_last_due",
            "maturity_on",
            f"{AGREED} AND loan_id IN (SELECT l.loan_id FROM once__loan AS l INNER JOIN (SELECT i.loan_id, "
            "max(i.due_on) AS last_due_on, bool_or(i.due_on IS NULL) AS is_unreadable, "
            "bool_or(i.kind_code = 'minimum_payment') AS is_open_ended FROM once__instalment AS i "
            "GROUP BY i.loan_id) AS due ON l.loan_id = due.loan_id "
            f"WHERE l.maturity_on > due.last_due_on + {ROLL_DAYS} "
            "AND NOT coalesce(due.is_open_ended, FALSE) AND NOT due.is_unreadable)",
            "the last instalment is missing or its date is wrong, and so may the age be",
        ),
    ),
    may_be_empty=False,
    required=True,
    totals=("principal_minor", "outstanding_principal_minor"),
)

INSTALMENT = _raw(
    "instalment",
    "one row per loan and instalment",
    ("loan_id", "seq"),
    (
        text("loan_id", "Loan identifier of the source"),
        days("seq", "Number of the instalment, from 1"),
        on("due_on", "Contractual due date"),
        minor("principal_minor", "Principal due"),
        minor("interest_minor", "Interest due"),
        minor("fee_minor", "Fees due"),
        minor("penalty_minor", "Penalties due"),
        code(
            "kind_code",
            "What it is; a down payment takes no charges",
            ("instalment", "minimum_payment", "down_payment"),
            nullable=True,
        ),
    ),
    "Contractual schedule",
    checks=(
        _fail("instalment.seq_positive", "seq", "seq < 1", "instalments count from 1"),
        _fail(
            "instalment.amounts_not_negative",
            "principal_minor",
            "least(principal_minor, interest_minor, fee_minor, penalty_minor) < 0",
            "an obligation is never negative",
        ),
        _in_range("instalment", "principal_minor", "interest_minor", "fee_minor", "penalty_minor"),
        _of_our_time("instalment", "due_on"),
        _warn(
            "instalment.due_in_order",
            "due_on",
            "row_number IN (SELECT o.row_number FROM (SELECT row_number, due_on < max(due_on) OVER "
            "(PARTITION BY loan_id ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS is_earlier "
            "FROM extract__instalment) AS o WHERE o.is_earlier)",
            "instalments age by date whatever their numbers, but numbers that run against the dates want a look",
        ),
        _hold(
            "instalment.due_after_disbursal",
            "due_on",
            "kind_code IS DISTINCT FROM 'down_payment' AND row_number IN (SELECT i.row_number "
            "FROM once__instalment AS i INNER JOIN once__loan AS l ON i.loan_id = l.loan_id "
            f"WHERE {AGREED} AND i.due_on < l.disbursed_on)",
            "nothing but a down payment falls due before the money is lent: a date is wrong, and so may the age be",
        ),
        _hold(
            "instalment.due_by_maturity",
            "due_on",
            "principal_minor > 0 AND kind_code IS DISTINCT FROM 'minimum_payment' AND row_number IN "
            "(SELECT i.row_number FROM once__instalment AS i INNER JOIN once__loan AS l ON i.loan_id = l.loan_id "
            f"WHERE {AGREED} AND i.due_on > l.maturity_on + {ROLL_DAYS})",
            "only a charge falls due after the last principal: a date is wrong, and what is late may look current",
        ),
    ),
    references=(Reference(("loan_id",), "raw__loan"),),
    may_be_empty=False,
    required=True,
    totals=("principal_minor", "interest_minor", "fee_minor", "penalty_minor"),
)

TRANSACTION = _raw(
    "transaction",
    "one row per transaction",
    ("transaction_id",),
    (
        text("transaction_id", "Transaction identifier of the source"),
        text("loan_id", "Loan identifier of the source"),
        code(
            "kind_code",
            "Kind of transaction",
            (
                "repayment",
                "reversal",
                "chargeback",
                "waiver",
                "charge",
                "goodwill_credit",
                "merchant_refund",
                "payout_refund",
                "credit_refund",
            ),
        ),
        on("effective_on", "Date of contractual crediting, given by the source"),
        at("booked_at", "Instant of booking"),
        minor("amount_minor", "Amount, always positive; the kind gives the direction"),
        text("reverses_id", "transaction_id that a reversal undoes", nullable=True),
        code("component_code", "What a charge is; a fee where not said", ("fee", "penalty"), nullable=True),
    ),
    "What happened on the loans up to the ledger's close",
    checks=(
        _fail("transaction.amount_positive", "amount_minor", "amount_minor <= 0", "the kind gives the direction"),
        _fail(
            "transaction.reversal_names_original",
            "reverses_id",
            "(kind_code = 'reversal') <> (reverses_id IS NOT NULL)",
            "a reversal without its original cannot be replayed",
        ),
        _fail(
            "transaction.effective_by_close",
            "effective_on",
            "effective_on > $closing_date AND kind_code <> 'charge'",
            "the ledger is closed before it; a charge may be known before it falls due",
        ),
        _in_range("transaction", "amount_minor"),
        _of_our_time("transaction", "effective_on"),
        _warn(
            "transaction.after_disbursement",
            "effective_on",
            "row_number IN (SELECT t.row_number FROM extract__transaction AS t INNER JOIN extract__loan AS l "
            "ON t.loan_id = l.loan_id AND t.effective_on < l.disbursed_on)",
            "strange, but without the payment the loan would be older than it is",
        ),
        _fail(
            "transaction.same_loan",
            "reverses_id",
            "row_number IN (SELECT r.row_number FROM extract__transaction AS r INNER JOIN extract__transaction AS o "
            "ON r.reverses_id = o.transaction_id AND r.loan_id <> o.loan_id)",
            "a reversal undoes an entry of its own loan",
        ),
        _fail(
            "transaction.reversed_once",
            "reverses_id",
            "row_number IN (SELECT r.row_number FROM extract__transaction AS r INNER JOIN extract__transaction AS e "
            "ON r.reverses_id = e.reverses_id AND r.kind_code = 'reversal' AND e.kind_code = 'reversal' "
            "AND (e.effective_on, e.transaction_id) < (r.effective_on, r.transaction_id) WHERE e.transaction_id NOT IN "
            "(SELECT u.reverses_id FROM extract__transaction AS u WHERE u.reverses_id IS NOT NULL))",
            "what is undone cannot be undone again, unless the first reversal was itself reversed",
        ),
        _fail(
            "transaction.reversal_undoes_an_entry",
            "reverses_id",
            "row_number IN (SELECT r.row_number FROM extract__transaction AS r "
            "INNER JOIN extract__transaction AS a ON r.reverses_id = a.transaction_id AND a.kind_code = 'reversal' "
            "INNER JOIN extract__transaction AS b ON a.reverses_id = b.transaction_id AND b.kind_code = 'reversal' "
            "INNER JOIN extract__transaction AS c ON b.reverses_id = c.transaction_id AND c.kind_code = 'reversal' "
            "WHERE r.kind_code = 'reversal')",
            "at most three reversals stand one upon the other: longer chains and circles are not followed",
        ),
        _warn(
            "transaction.booked_near_close",
            "booked_at",
            f"booked_at > $closing_date + INTERVAL {LATE_DAYS + 1} DAY",
            "strange, but nothing ages by it; a correction may be booked late",
        ),
        _hold(
            "transaction.reversal_amount_is_originals",
            "amount_minor",
            "row_number IN (SELECT r.row_number FROM once__transaction AS r INNER JOIN once__transaction AS o "
            "ON r.reverses_id = o.transaction_id AND r.loan_id = o.loan_id "
            "WHERE r.kind_code = 'reversal' AND r.amount_minor <> o.amount_minor)",
            "a reversal undoes its original entirely; another amount says that something else was meant",
        ),
    ),
    references=(Reference(("loan_id",), "raw__loan"), Reference(("reverses_id",), "raw__transaction")),
    required=True,
    totals=("amount_minor",),
)

PAUSE = _raw(
    "pause",
    "one row per loan and pause",
    ("loan_id", "starts_on", "reason_code"),
    (
        text("loan_id", "Loan identifier of the source"),
        on("starts_on", "First paused day"),
        on("ends_on", "Day on which counting resumes (half-open); NULL while it lasts", nullable=True),
        code("reason_code", "Why the count is paused"),
        code(
            "effect_code",
            "A freeze takes days off delinquent_days and holds the bucket, a deferral moves due dates, a contact hold "
            "does neither; NULL: a freeze",
            ("classification_freeze", "deferral", "contact_hold"),
            nullable=True,
        ),
    ),
    "Days that do not count, due dates that move, or contact that rests",
    checks=(
        _fail("pause.ends_after_start", "ends_on", "ends_on < starts_on", "a pause has a direction"),
        _warn(
            "pause.overlaps_another",
            "starts_on",
            "row_number IN (SELECT a.row_number FROM extract__pause AS a INNER JOIN extract__pause AS b "
            "ON a.loan_id = b.loan_id AND a.row_number <> b.row_number "
            "AND a.starts_on < coalesce(b.ends_on, DATE '9999-12-31') "
            "AND b.starts_on < coalesce(a.ends_on, DATE '9999-12-31'))",
            "each paused day is taken off once, but two pauses of one day want a look",
        ),
        _warn("pause.has_end", "ends_on", "ends_on IS NULL", "it lasts until it is ended; nobody may forget that"),
    ),
    references=(Reference(("loan_id",), "raw__loan"),),
)

PARTY = _raw(
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

LOAN_PARTY = _raw(
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

CONTACT_POINT = _raw(
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

CONSENT = _raw(
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

FLAG = _raw(
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
        _fail(
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

CONTACT = _raw(
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

PROMISE = _raw(
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
        _fail("promise.currency_known", "currency", "currency <> $currency", "no payment could keep it"),
        _fail("promise.amount_positive", "amount_minor", "amount_minor <= 0", "a promise promises something"),
        _in_range("promise", "amount_minor"),
        _fail("promise.seq_positive", "seq", "seq < 1", "parts count from 1"),
        _fail(
            "promise.due_after_made",
            "due_on",
            "due_on < made_at::DATE - 1",  # a day of room for the zone
            "what is due before it is promised is no promise",
        ),
        _fail(
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

AGENT_SHIFT = _raw(
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
        _fail(
            "agent_shift.minutes_in_day",
            "productive_minutes",
            "productive_minutes NOT BETWEEN 0 AND 1440",
            "a day has 1440 minutes",
        ),
    ),
)

QUEUE = _raw(
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
        _fail(
            "queue.handling_positive",
            "avg_handle_seconds",
            "avg_handle_seconds < 1 OR attempts_per_case < 1",
            "capacity divides by them",
        ),
    ),
)

AGENT_CONFLICT = _raw(
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

SCORE = _raw(
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

COST = _raw(
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
    checks=(_in_range("cost", "amount_minor"),),
    totals=("amount_minor",),
)

LEDGER = (
    LOAN,
    INSTALMENT,
    TRANSACTION,
    PAUSE,
    PARTY,
    LOAN_PARTY,
    CONTACT_POINT,
    CONSENT,
    FLAG,
    CONTACT,
    PROMISE,
    AGENT_SHIFT,
    QUEUE,
    SCORE,
    AGENT_CONFLICT,
    COST,
)

CONTROL_TOTAL = _raw(
    "control_total",
    "one row per ledger table and measure",
    ("table_name", "measure_code"),
    (
        code("table_name", "Ledger table without its layer", tuple(contract.noun for contract in LEDGER)),
        code("measure_code", "rows, or a column whose sum is given"),
        minor("amount", "Rows, or the sum in minor units, by the source's own books"),
    ),
    "What the source says it delivered; extracted beside the ledger, compared with it, never published",
    may_be_empty=False,
)


def extract_of(contract: Contract) -> Contract:
    """The frozen extract of a ledger table: every delivered row, nothing left out yet.

    A value that could not be read as its contract type is NULL here, and its column is named in
    ``conversion_errors``; the delivered text itself goes to the vault.
    """
    return Contract(
        table=f"extract__{contract.noun}",
        grain="one row per delivered row",
        key=("row_number",),
        columns=(
            *(replace(column, nullable=True) for column in contract.columns),
            count("row_number", "Ordinal of the row in the extract, from 1"),
            text("conversion_errors", "Columns whose value is not of its type, comma separated", nullable=True),
        ),
        meaning=f"Delivered rows of {contract.table}",
        owner="sources",
        totals=contract.totals,
        version=contract.version,
    )
