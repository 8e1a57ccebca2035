"""Whether groups of people are treated alike: who belongs to which group, loaded apart, for a restricted role alone.

Belongs here: filling the one table that holds groups. No rule, strategy, score or assignment reads it (a test
holds them to that); the views ``parity.*`` compare contacts and relief over it, and hide groups too small to be read.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert

from arrears.errors import ConfigurationError
from arrears.warehouse.audit import record
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import GROUP_MEMBER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CODE = re.compile(r"[a-z0-9][a-z0-9_+-]{0,39}")
COLUMNS = ("party_id", "attribute_code", "group_code")


def load_groups(url: str, portfolio: str, path: Path, *, actor: str) -> int:
    """Replace a portfolio's groups by those of a file, in one transaction, with an audit entry; returns the rows.

    Args:
        url: The warehouse.
        portfolio: Folder name.
        path: CSV with the columns party_id, attribute_code, group_code.
        actor: Who loads it.

    Raises:
        ConfigurationError: The file is not that; nothing was changed. Line and column are named, values are not.
        WarehouseUnreachableError: The server did not answer; nothing was changed.
    """
    rows = [{"portfolio": portfolio, **row} for row in _rows(path)]
    with transaction(url) as connection:
        connection.execute(delete(GROUP_MEMBER).where(GROUP_MEMBER.c.portfolio == portfolio))
        if rows:
            connection.execute(insert(GROUP_MEMBER), rows)
        record(
            connection,
            actor=actor,
            action="parity.load_groups",
            subject=portfolio,
            reason="parity report",
            before={},
            after={"rows": len(rows), "attributes": sorted({row["attribute_code"] for row in rows})},
        )
    return len(rows)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    known = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ConfigurationError("another header", ",".join(COLUMNS), f"{path.name}, line 1")
        for row in reader:
            place = f"{path.name}, line {reader.line_num}"
            if None in row or not all(row[name] for name in COLUMNS):
                raise ConfigurationError("a row that is not whole", "three values", place)
            for name in COLUMNS[1:]:
                if not CODE.fullmatch(row[name]):
                    raise ConfigurationError(f"{name} that is no code", "small letters, digits, _ + -", place)
            if (key := (row["party_id"], row["attribute_code"])) in known:
                raise ConfigurationError("a party twice under one attribute", "one group each", place)
            known.add(key)
            yield {name: row[name] for name in COLUMNS}
