"""Days, runs and texts of the warehouse that the page tests look at."""

from datetime import timedelta

from support.facts import DAY

SCRIPT = "<script>alert('x')</script>"
NEXT = DAY + timedelta(days=1)
RUN = "manual__1"
FAILED_RUN = "manual__2"
UNPUBLISHED = NEXT + timedelta(days=1)
UNPUBLISHED_RUN = "manual__4"
QUALITY_REPORT = "<!doctype html><title>Data quality: book</title>"
# Text that a source or a lender chooses, wherever a page shows it.
CHOSEN_ELSEWHERE = (
    "UPDATE mart.fct_queue_daily SET queue_id = queue_id || :script",
    "UPDATE mart.fct_assignment_daily SET agent_id = :script, queue_id = :script, reason = :script",
    "UPDATE mart.fct_entry_daily SET product_code = :script",
    "UPDATE mart.fct_loan_daily SET product_code = :script, bucket = :script",
    "UPDATE mart.fct_delinquency_event_daily SET product_code = :script, from_bucket = :script",
    "UPDATE mart.fct_portfolio_daily SET contract_bucket = contract_bucket || :script",
    "UPDATE mart.fct_bucket_migration_daily SET to_bucket = to_bucket || :script",
    "UPDATE mart.fct_contact_decision SET citation = :script, rule_id = rule_id || :script",
    "UPDATE mart.fct_contact_plan_daily SET reason = :script, purpose_code = :script, strategy = :script",
    "UPDATE mart.fct_quarantine SET source_file = :script, column_name = :script",
)
