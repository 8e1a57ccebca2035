"""A job takes the smaller of what it needs and what the deployment allows, whichever way each is written."""

import duckdb
import pytest
from arrears.engine.duckdb import smaller_size


@pytest.mark.parametrize(
    ("sizes", "smaller"),
    [
        (("800MB", "2 GiB"), "800MB"),
        (("1.5GB", "3GB"), "1.5GB"),
        (("1GiB", "1GB"), "1GB"),
        (("999KiB", "1MB"), "1MB"),
    ],
)
def test_sizes_are_compared_as_duckdb_compares_them(sizes, smaller):
    asked = "SELECT arg_min(size, parse_formatted_bytes(size)) FROM unnest($sizes) AS sizes (size)"

    assert smaller_size(*sizes) == duckdb.execute(asked, {"sizes": list(sizes)}).fetchall()[0][0] == smaller
