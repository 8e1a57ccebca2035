"""What Alembic runs: the migrations on the connection, and in the transaction, that ``upgrade`` opened."""

from __future__ import annotations

from alembic import context

from arrears.warehouse.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema="ops",
)
context.run_migrations()
