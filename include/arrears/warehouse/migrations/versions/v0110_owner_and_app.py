"""The jobs own nothing any more: partitions are made for them, and policies let them fill worklists."""

from __future__ import annotations

from alembic import op

revision = "0110"
down_revision = "0090"

# Runs as its owner: attaching a partition is the owner's alone. It makes the month of a fact that is partitioned, and
# nothing else, whatever it is given.
MAKE_PARTITION = """
CREATE FUNCTION ops.make_partition(fact text, first date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    place text := format('%s_%s', fact, to_char(first, 'YYYY_MM'));
BEGIN
    IF first <> date_trunc('month', first)::date OR NOT EXISTS (
        SELECT FROM pg_class WHERE relnamespace = 'mart'::regnamespace AND relname = fact AND relkind = 'p'
    ) THEN
        RAISE EXCEPTION 'no partitioned fact, or no first day of a month' USING ERRCODE = 'check_violation';
    END IF;
    EXECUTE format('CREATE TABLE mart.%I (LIKE mart.%I INCLUDING ALL)', place, fact);
    EXECUTE format(
        'ALTER TABLE mart.%I ATTACH PARTITION mart.%I FOR VALUES FROM (%L) TO (%L)',
        fact, place, first, (first + interval '1 month')::date
    );
END $$
"""


def upgrade() -> None:
    """Make the function and the policies."""
    op.execute(MAKE_PARTITION)
    op.execute("REVOKE EXECUTE ON FUNCTION ops.make_partition(text, date) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION ops.make_partition(text, date) TO arrears_app")
    for table in ("team_member", "agent_worklist"):
        op.execute(f"ALTER POLICY publisher ON work.{table} TO CURRENT_USER")  # an older warehouse's was its login
        op.execute(f"CREATE POLICY jobs ON work.{table} FOR ALL TO arrears_app USING (TRUE)")
