-- Cash and where it went, each transaction on the day it became known; reversals, chargebacks and payments that
-- vanished count backwards. Agents show as the source's own pseudonym, 'unknown' where none is credited.
-- Grain: one row per portfolio, business date and transaction.
-- Of: mart.fct_payment_allocated
-- agent_id: Agent who is credited, the source's own pseudonym; unknown: nobody, or not said [pseudonym]
SELECT
    portfolio,
    business_date,
    transaction_id,
    loan_id,
    product_code,
    currency,
    status_code,
    case_id,
    effective_on,
    past_due_days_before,
    past_due_before_minor,
    cash_minor,
    past_due_minor,
    due_minor,
    advance_minor,
    principal_minor,
    interest_minor,
    fee_minor,
    penalty_minor,
    unallocated_minor,
    credit_code,
    credited_contact_id,
    credited_channel_code,
    COALESCE(credited_agent_id, 'unknown') AS agent_id
FROM mart.fct_payment_allocated
