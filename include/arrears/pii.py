"""Values of people, and text that may hold one by mistake.

Belongs here: ``Private``, the only shape in which a number, an address or a name travels through the process, and
``scrubbed``, the net under everything that is written to a log. A value is shown on purpose, by ``reveal``, and from
then on the net knows it by heart.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from typing import NoReturn

SHOWN = "<private>"
SHORTEST_KNOWN = 4  # shorter values would tear holes into every text
KNOWN_VALUES = 1000

_known: deque[str] = deque(maxlen=KNOWN_VALUES)

PATTERNS = re.compile(
    r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"  # an e-mail address
    r"|(?<![\w.-])\+\d[\d ()./-]{6,18}\d(?!\w)"  # a number with its country
    r"|(?<![\w.+-])(?:(?:00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![\w-]|\.\d)"  # a mobile number in China
    r"|(?<![\w.+-])(?:1[ .-])?\(?[2-9]\d{2}\)?[ .-][2-9]\d{2}[ .-]\d{4}(?![\w-])"  # a number in North America
    r"|(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"  # a social security number
    r"|(?<!\w)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\w)"  # an identity card
)


class Private:
    """A value of a person (number, address, text with a name): shown only on purpose, by ``reveal``.

    It cannot be printed, formatted, pickled, copied into JSON, nor handed on between tasks.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the socket or the file it is meant for."""
        if len(self._value) >= SHORTEST_KNOWN and self._value not in _known:
            _known.append(self._value)
        return self._value

    def __repr__(self) -> str:
        return SHOWN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Private) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a private value is not written down: hand on the identifier, and read it where it is needed")


def scrubbed(text: str) -> str:
    """The text without what looks like somebody's number, address or card, and without values revealed just now."""
    for value in _known:
        if value in text:
            text = text.replace(value, SHOWN)
    clean = PATTERNS.sub(SHOWN, text)
    if not clean.isascii():  # digits of full width and the like
        plain = unicodedata.normalize("NFKC", clean)
        said = PATTERNS.sub(SHOWN, plain)
        return clean if said == plain else said
    return clean
