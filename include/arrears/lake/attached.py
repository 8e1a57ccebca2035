"""Texts beside a partition, for people: each ends with a checksum of itself, so that a flipped bit is noticed.

Belongs here: putting the checksum on and taking it off, in a way that HTML and JSON bear.
"""

from __future__ import annotations

import hashlib

ENDS = {".html": ("<!-- sha256 ", " -->\n"), ".json": (',\n "checksum": "', '"\n}\n')}


def with_checksum(text: str, name: str) -> str:
    """The text as it is kept; of JSON an object."""
    before, after = _ends(name)
    body = text.rstrip().removesuffix("}").rstrip() if name.endswith(".json") else text
    return f"{body}{before}{_digest(body)}{after}"


def is_as_written(text: str, name: str) -> bool:
    """Whether a text is what ``with_checksum`` made."""
    before, after = _ends(name)
    body, _, end = text.rpartition(before)
    return end == f"{_digest(body)}{after}"


def _ends(name: str) -> tuple[str, str]:
    return ENDS[name[name.rindex(".") :]]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
