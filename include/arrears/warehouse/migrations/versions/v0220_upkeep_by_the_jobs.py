"""The jobs may vacuum what they have published: a new month's partition lets them, as upgrades let them on old ones."""

from __future__ import annotations

from alembic import op

revision = "0220"
down_revision = "0210"

MAKE_PARTITION = """
CREATE OR REPLACE FUNCTION ops.make_partition(fact text, first date) RETURNS void
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
    IF current_setting('server_version_num')::int >= 170000 THEN  -- no server before knows the right
        EXECUTE format('GRANT MAINTAIN ON mart.%I TO arrears_app', place);
    END IF;
END $$
"""


def upgrade() -> None:
    """Replace the function."""
    op.execute(MAKE_PARTITION)
