"""Frozen migrations of the warehouse's tables; run by ``arrears.warehouse.migrate.upgrade``."""
