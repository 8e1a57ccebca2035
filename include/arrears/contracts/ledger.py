"""The ledger contract: what a portfolio's SELECTs deliver, one ``raw__`` table each.

Columns and tables are declared, in ``raw_loans``, ``raw_people`` and ``raw_floor``, when something reads them.
"""

from __future__ import annotations

from dataclasses import replace

from arrears.contracts.model import Contract, code, count, minor, text
from arrears.contracts.raw import raw
from arrears.contracts.raw_floor import AGENT_CONFLICT, AGENT_SHIFT, COST, QUEUE, SCORE
from arrears.contracts.raw_loans import INSTALMENT, LOAN, PAUSE, TRANSACTION
from arrears.contracts.raw_people import CONSENT, CONTACT, CONTACT_POINT, FLAG, LOAN_PARTY, PARTY, PROMISE

LEDGER = (
    LOAN,
    INSTALMENT,
    TRANSACTION,
    PAUSE,
    PARTY,
    LOAN_PARTY,
    CONTACT_POINT,
    CONSENT,
    FLAG,
    CONTACT,
    PROMISE,
    AGENT_SHIFT,
    QUEUE,
    SCORE,
    AGENT_CONFLICT,
    COST,
)

CONTROL_TOTAL = raw(
    "control_total",
    "one row per ledger table and measure",
    ("table_name", "measure_code"),
    (
        code("table_name", "Ledger table without its layer", tuple(contract.noun for contract in LEDGER)),
        code("measure_code", "rows, or a column whose sum is given"),
        minor("amount", "Rows, or the sum in minor units, by the source's own books"),
    ),
    "What the source says it delivered; extracted beside the ledger, compared with it, never published",
    may_be_empty=False,
)


def extract_of(contract: Contract) -> Contract:
    """The frozen extract of a ledger table: every delivered row, nothing left out yet.

    A value that could not be read as its contract type is NULL here, and its column is named in
    ``conversion_errors``; the delivered text itself goes to the vault.
    """
    return Contract(
        table=f"extract__{contract.noun}",
        grain="one row per delivered row",
        key=("row_number",),
        columns=(
            *(replace(column, nullable=True) for column in contract.columns),
            count("row_number", "Ordinal of the row in the extract, from 1"),
            text("conversion_errors", "Columns whose value is not of its type, comma separated", nullable=True),
        ),
        meaning=f"Delivered rows of {contract.table}",
        owner="sources",
        totals=contract.totals,
        version=contract.version,
    )
