"""The text catalogue: every word a page says, in English and 中文, from ``words/*.yaml``.

A key without one of the languages is an error when the catalogue is loaded; a test walks templates, tables and codes
for keys that are missing from it or that nobody uses.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

LANGUAGES = {"en": "English", "zh": "中文"}
COUNTED = ("number", "days", "contacts")
FOLDER = Path(__file__).parent / "words"


class Words:
    """The words of one language.

    Args:
        language: A key of ``LANGUAGES``.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = catalogue()[language]

    def __call__(self, key: str, **values: object) -> str:
        """The text of ``key``, its ``{names}`` filled in; ``<key>.one`` where there is one and what is counted is 1."""
        is_one = "1" in {str(values.get(name)) for name in COUNTED}
        text = self._texts.get(f"{key}.one", self._texts[key]) if is_one else self._texts[key]
        return text.format(**values) if values else text

    def code(self, kind: str, value: object) -> str:
        """The word for a code of a closed list, or of a family such as ``smtp_*``; else the code stands for itself."""
        code = str(value)
        name, _, rest = code.partition("_")
        family = self._texts.get(f"{kind}.{name}_*")
        return self._texts.get(f"{kind}.{code}") or (family.format(rest=rest) if family and rest else code)


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Text by key by language.

    Raises:
        KeyError: A key lacks a language.
    """
    entries: dict[str, dict[str, str]] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        entries |= yaml.safe_load(file.read_text(encoding="utf-8"))
    return {language: {key: texts[language] for key, texts in entries.items()} for language in LANGUAGES}


def language_of(wanted: str | None, accepted: str) -> str:
    """The language to answer in.

    Args:
        wanted: What the reader has chosen, if anything.
        accepted: The browser's ``Accept-Language``.
    """
    if wanted in LANGUAGES:
        return wanted
    first = accepted.split(",", maxsplit=1)[0].strip().lower()
    return "zh" if first.startswith("zh") else "en"
