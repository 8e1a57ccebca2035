"""One frozen contract per table; ``CONTRACTS`` holds them all by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.contracts.core import CORE
from arrears.contracts.ledger import CONTROL_TOTAL, LEDGER, extract_of
from arrears.contracts.measures import MEASURES
from arrears.contracts.out import OUT

if TYPE_CHECKING:
    from arrears.contracts.model import Contract

CONTRACTS: dict[str, Contract] = {
    contract.table: contract
    for contract in (*LEDGER, *map(extract_of, (*LEDGER, CONTROL_TOTAL)), *CORE, *OUT, *MEASURES)
}
