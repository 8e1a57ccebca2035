"""Columns the way Arrow holds them: identifiers, days, instants.

An identifier is a letter for the kind and a zero-padded number. It names nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from arrears.sources.demo.calendar import NEVER
from arrears.sources.demo.schema import INSTANT

if TYPE_CHECKING:
    import numpy.typing as npt

    from arrears.sources.demo.calendar import Calendar, Days, Mask, Whole


def ids(prefix: str, numbers: Whole, width: int = 8) -> pa.Array:
    """``prefix`` and the zero-padded number, as strings."""
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), digits, "")


def loan_ids(numbers: Whole) -> pa.Array:
    """Loan numbers as the source writes them."""
    return ids("L", numbers)


def customer_ids(numbers: Whole) -> pa.Array:
    """Customer numbers as the source writes them."""
    return ids("C", numbers)


def days(numbers: Days | Whole) -> pa.Array:
    """Dates; NEVER and beyond is NULL."""
    return pa.array(np.asarray(numbers, dtype=np.int32), mask=np.asarray(numbers) >= NEVER).cast(pa.date32())


def instants(calendar: Calendar, numbers: Days | Whole, seconds: Whole) -> pa.Array:
    """UTC instants of local days and seconds of the day; NEVER and beyond is NULL."""
    local = np.asarray(numbers).astype(np.int64)
    micros = (local * 86_400 + seconds - calendar.utc_offset(local)) * 1_000_000
    return pa.array(micros, mask=local >= NEVER).cast(INSTANT)


def texts(values: npt.NDArray[Any], *, absent: Mask | None = None) -> pa.Array:
    """Strings; NULL where ``absent``."""
    return pa.array(values.astype(object), pa.string(), mask=absent)
