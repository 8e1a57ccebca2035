"""The manifest of a partition: what it holds, what it was made from, how to check it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKSUM = "checksum"


@dataclass(frozen=True)
class DataFile:
    """One immutable Parquet file beside the manifest."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """What a partition holds.

    Attributes:
        table: Contract name.
        portfolio: Portfolio folder name.
        business_date: ISO date.
        contract_version: Version of the contract it was written to.
        rows: Row count.
        totals: Sums of the contract's total columns, in minor units or counts.
        content_hash: Order-free hash over the rows; equal rows give equal hashes whichever engine wrote them.
        files: The data files; no other file is ever read.
        inputs: Content hash by input name; the configuration is an input too.
        load_id: Derived from table, key and inputs; stands for this making of the partition.
        known_until: ISO instant up to which feedback was known when the day was cut.
        run_ref: The run that wrote it; not part of any hash.
    """

    table: str
    portfolio: str
    business_date: str
    contract_version: int
    rows: int
    totals: dict[str, int]
    content_hash: str
    files: tuple[DataFile, ...]
    inputs: dict[str, str]
    load_id: str
    known_until: str
    run_ref: str

    def to_json(self) -> str:
        """Canonical JSON, with a checksum of all the rest: one flipped bit is noticed, as in a data file."""
        values = {**vars(self), "files": [vars(file) for file in self.files]}
        return json.dumps({**values, CHECKSUM: _checksum(values)}, sort_keys=True, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """The inverse of ``to_json``; a manifest of before there were checksums has none.

        Raises:
            ValueError: It is no JSON, or not as it was written.
            TypeError: It has other keys.
            KeyError: It lacks one.
        """
        values = json.loads(text)
        if not isinstance(values, dict) or values.pop(CHECKSUM, None) not in (None, _checksum(values)):
            raise ValueError("not as it was written")
        values["files"] = tuple(DataFile(**file) for file in values["files"])
        return cls(**values)


def _checksum(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def load_id_of(table: str, portfolio: str, business_date: str, inputs: Mapping[str, str]) -> str:
    """Id of one making of a partition: equal inputs give an equal id."""
    canonical = json.dumps([table, portfolio, business_date, sorted(inputs.items())])
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]
