"""Borrowers in BI are HMACs by a key of their lender, in versions; one key for the whole warehouse goes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from arrears.warehouse.migrations.versions.v0002_operations import INSTANT, column

revision = "0112"
down_revision = "0111"

# The 64 octets are HMAC's key already padded, XORed with its two constants; PostgreSQL has SHA-256 and no HMAC.
NEW_KEY = """
CREATE FUNCTION ops.rotate_pseudonyms(of_lender text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    key bytea := sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text
        || gen_random_uuid()::text, 'UTF8'));
    new_inner bytea := decode(repeat('36', 64), 'hex');
    new_outer bytea := decode(repeat('5c', 64), 'hex');
    made integer;
BEGIN
    FOR i IN 0..31 LOOP
        new_inner := set_byte(new_inner, i, get_byte(new_inner, i) # get_byte(key, i));
        new_outer := set_byte(new_outer, i, get_byte(new_outer, i) # get_byte(key, i));
    END LOOP;
    PERFORM pg_advisory_xact_lock(hashtextextended('arrears.pseudonyms', 0));
    INSERT INTO vault.pseudonym_key (lender, key_version, inner_pad, outer_pad)
    SELECT of_lender, coalesce(max(key_version), 0) + 1, new_inner, new_outer
    FROM vault.pseudonym_key WHERE lender = of_lender
    RETURNING key_version INTO made;
    RETURN made;
END $$
"""
NAME_LENDER = """
CREATE FUNCTION ops.name_lender(of_portfolio text, its_lender text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('arrears.pseudonyms', 0));
    INSERT INTO vault.lender_of (portfolio, lender) VALUES (of_portfolio, its_lender)
    ON CONFLICT (portfolio) DO UPDATE SET lender = excluded.lender WHERE lender_of.lender <> excluded.lender;
    IF NOT EXISTS (SELECT FROM vault.pseudonym_key WHERE lender = its_lender) THEN
        PERFORM ops.rotate_pseudonyms(its_lender);
    END IF;
END $$
"""


def upgrade() -> None:
    """Make keys of lenders; views that read the old key are made anew afterwards."""
    op.execute("DROP TABLE vault.pseudonym_key CASCADE")
    op.create_table(
        "pseudonym_key",
        column("lender", sa.Text(), "Whose borrowers it hides", primary_key=True),
        column("key_version", sa.Integer(), "From 1; the highest is in use", primary_key=True, autoincrement=False),
        column("inner_pad", sa.LargeBinary(), "Key of HMAC-SHA-256, XORed with its inner constant"),
        column("outer_pad", sa.LargeBinary(), "Key of HMAC-SHA-256, XORed with its outer constant"),
        column("made_at", INSTANT, "When", server_default=sa.text("now()")),
        schema="vault",
        comment="Keys by which borrowers are hashed in bi: whoever knows one can tell a borrower. Never shown.",
    )
    op.create_table(
        "lender_of",
        column("portfolio", sa.Text(), "Portfolio folder name", primary_key=True),
        column("lender", sa.Text(), "Its lender: portfolios of one lender have one key"),
        schema="vault",
        comment="Which lender a portfolio belongs to, as it said when it was published last.",
    )
    op.execute(NEW_KEY)
    op.execute(NAME_LENDER)
    for function in ("ops.rotate_pseudonyms(text)", "ops.name_lender(text, text)"):
        op.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO arrears_app")
    op.execute("SELECT ops.name_lender(portfolio, portfolio) FROM (SELECT DISTINCT portfolio FROM ops.publish_ledger)")
