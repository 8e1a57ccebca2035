"""Warehouses upgraded here and now: what a migration grants on the database itself, a copy would not have."""

import pytest
from arrears.warehouse.migrate import upgrade


@pytest.fixture(scope="module")
def warehouse_url(database_of_own):
    """SQLAlchemy URL of an upgraded, empty warehouse that this test module has for itself."""
    with database_of_own() as url:
        upgrade(url)
        yield url
