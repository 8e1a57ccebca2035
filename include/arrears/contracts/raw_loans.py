"""Ledger tables of money: loans, what falls due, what moves, and agreed pauses."""

from __future__ import annotations

from arrears.contracts.model import Reference, at, code, days, minor, on, pseudonym, text
from arrears.contracts.raw import fail, hold, in_range, of_our_time, raw, warn

OPEN_STATUSES = ("active", "charged_off")
TERMINAL_STATUSES = ("paid_off", "settled", "sold", "transferred", "cancelled")
ROLL_DAYS = 10  # a due date rolled over a weekend or the longest run of holidays
LATE_DAYS = 31  # a correction booked later than this after the close is rare
IN = "('repayment', 'waiver', 'goodwill_credit', 'merchant_refund', 'payout_refund')"
AGREED = "status_code = 'active' AND restructured_on IS NULL"

LOAN = raw(
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
        fail(
            "loan.currency_known", "currency", "currency <> $currency", "amounts of another currency cannot be summed"
        ),
        fail("loan.principal_positive", "principal_minor", "principal_minor <= 0", "a loan lends something"),
        fail(
            "loan.outstanding_in_range",
            "outstanding_principal_minor",
            "outstanding_principal_minor < 0 OR outstanding_principal_minor > principal_minor",
            "PAR is a share of outstanding principal",
        ),
        fail("loan.matures_after_disbursal", "maturity_on", "maturity_on < disbursed_on", "a schedule has a direction"),
        fail(
            "loan.disbursed_by_close", "disbursed_on", "disbursed_on > $closing_date", "the ledger is closed before it"
        ),
        fail("loan.grace_not_negative", "grace_days", "grace_days < 0", "grace delays, it never hastens"),
        fail(
            "loan.has_schedule",
            "loan_id",
            "status_code IN ('active', 'charged_off') AND loan_id NOT IN "
            "(SELECT i.loan_id FROM extract__instalment AS i WHERE i.loan_id IS NOT NULL)",
            "without a schedule nothing is ever past due; that is no age",
        ),
        in_range("loan", "principal_minor", "outstanding_principal_minor"),
        of_our_time("loan", "disbursed_on"),
        hold(
            "loan.principal_is_scheduled",
            "principal_minor",
            f"{AGREED} AND loan_id IN (SELECT l.loan_id "
            "FROM once__loan AS l INNER JOIN (SELECT i.loan_id, sum(i.principal_minor) AS principal_minor, "
            "bool_or(i.kind_code = 'minimum_payment') AS is_open_ended FROM once__instalment AS i "
            "GROUP BY i.loan_id) AS due ON l.loan_id = due.loan_id "
            "WHERE due.principal_minor <> l.principal_minor AND NOT coalesce(due.is_open_ended, FALSE))",
            "an instalment is missing or wrong, and so may the age be",
        ),
        hold(
            "loan.repaid_is_received",
            "outstanding_principal_minor",
            f"{AGREED} AND outstanding_principal_minor < principal_minor "
            "AND loan_id IN (SELECT l.loan_id FROM once__loan AS l LEFT JOIN (SELECT t.loan_id, sum(t.amount_minor) "
            f"AS received FROM once__transaction AS t WHERE t.kind_code IN {IN} GROUP BY t.loan_id) AS paid "
            "ON l.loan_id = paid.loan_id "
            "WHERE l.principal_minor - l.outstanding_principal_minor > coalesce(paid.received, 0))",
            "more principal is repaid than money came in: a payment is missing, and who has paid is not asked to",
        ),
        hold(
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
        hold(
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

INSTALMENT = raw(
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
        fail("instalment.seq_positive", "seq", "seq < 1", "instalments count from 1"),
        fail(
            "instalment.amounts_not_negative",
            "principal_minor",
            "least(principal_minor, interest_minor, fee_minor, penalty_minor) < 0",
            "an obligation is never negative",
        ),
        in_range("instalment", "principal_minor", "interest_minor", "fee_minor", "penalty_minor"),
        of_our_time("instalment", "due_on"),
        warn(
            "instalment.due_in_order",
            "due_on",
            "row_number IN (SELECT o.row_number FROM (SELECT row_number, due_on < max(due_on) OVER "
            "(PARTITION BY loan_id ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS is_earlier "
            "FROM extract__instalment) AS o WHERE o.is_earlier)",
            "instalments age by date whatever their numbers, but numbers that run against the dates want a look",
        ),
        hold(
            "instalment.due_after_disbursal",
            "due_on",
            "kind_code IS DISTINCT FROM 'down_payment' AND row_number IN (SELECT i.row_number "
            "FROM once__instalment AS i INNER JOIN once__loan AS l ON i.loan_id = l.loan_id "
            f"WHERE {AGREED} AND i.due_on < l.disbursed_on)",
            "nothing but a down payment falls due before the money is lent: a date is wrong, and so may the age be",
        ),
        hold(
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

TRANSACTION = raw(
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
        fail("transaction.amount_positive", "amount_minor", "amount_minor <= 0", "the kind gives the direction"),
        fail(
            "transaction.reversal_names_original",
            "reverses_id",
            "(kind_code = 'reversal') <> (reverses_id IS NOT NULL)",
            "a reversal without its original cannot be replayed",
        ),
        fail(
            "transaction.effective_by_close",
            "effective_on",
            "effective_on > $closing_date AND kind_code <> 'charge'",
            "the ledger is closed before it; a charge may be known before it falls due",
        ),
        in_range("transaction", "amount_minor"),
        of_our_time("transaction", "effective_on"),
        warn(
            "transaction.after_disbursement",
            "effective_on",
            "row_number IN (SELECT t.row_number FROM extract__transaction AS t INNER JOIN extract__loan AS l "
            "ON t.loan_id = l.loan_id AND t.effective_on < l.disbursed_on)",
            "strange, but without the payment the loan would be older than it is",
        ),
        fail(
            "transaction.same_loan",
            "reverses_id",
            "row_number IN (SELECT r.row_number FROM extract__transaction AS r INNER JOIN extract__transaction AS o "
            "ON r.reverses_id = o.transaction_id AND r.loan_id <> o.loan_id)",
            "a reversal undoes an entry of its own loan",
        ),
        fail(
            "transaction.reversed_once",
            "reverses_id",
            "row_number IN (SELECT r.row_number FROM extract__transaction AS r INNER JOIN extract__transaction AS e "
            "ON r.reverses_id = e.reverses_id AND r.kind_code = 'reversal' AND e.kind_code = 'reversal' "
            "AND (e.effective_on, e.transaction_id) < (r.effective_on, r.transaction_id) WHERE e.transaction_id NOT IN "
            "(SELECT u.reverses_id FROM extract__transaction AS u WHERE u.reverses_id IS NOT NULL))",
            "what is undone cannot be undone again, unless the first reversal was itself reversed",
        ),
        fail(
            "transaction.reversal_undoes_an_entry",
            "reverses_id",
            "row_number IN (SELECT r.row_number FROM extract__transaction AS r "
            "INNER JOIN extract__transaction AS a ON r.reverses_id = a.transaction_id AND a.kind_code = 'reversal' "
            "INNER JOIN extract__transaction AS b ON a.reverses_id = b.transaction_id AND b.kind_code = 'reversal' "
            "INNER JOIN extract__transaction AS c ON b.reverses_id = c.transaction_id AND c.kind_code = 'reversal' "
            "WHERE r.kind_code = 'reversal')",
            "at most three reversals stand one upon the other: longer chains and circles are not followed",
        ),
        warn(
            "transaction.booked_near_close",
            "booked_at",
            f"booked_at > $closing_date + INTERVAL {LATE_DAYS + 1} DAY",
            "strange, but nothing ages by it; a correction may be booked late",
        ),
        hold(
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

PAUSE = raw(
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
        fail("pause.ends_after_start", "ends_on", "ends_on < starts_on", "a pause has a direction"),
        warn(
            "pause.overlaps_another",
            "starts_on",
            "row_number IN (SELECT a.row_number FROM extract__pause AS a INNER JOIN extract__pause AS b "
            "ON a.loan_id = b.loan_id AND a.row_number <> b.row_number "
            "AND a.starts_on < coalesce(b.ends_on, DATE '9999-12-31') "
            "AND b.starts_on < coalesce(a.ends_on, DATE '9999-12-31'))",
            "each paused day is taken off once, but two pauses of one day want a look",
        ),
        warn("pause.has_end", "ends_on", "ends_on IS NULL", "it lasts until it is ended; nobody may forget that"),
    ),
    references=(Reference(("loan_id",), "raw__loan"),),
)
