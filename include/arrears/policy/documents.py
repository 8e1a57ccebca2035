"""A YAML file read into a pydantic model, with every mistake named by file, line and key.

Belongs here: reading. What a pack or a strategy holds stands beside its model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from arrears.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

Key = tuple[int | str, ...]


class Document(BaseModel):
    """Base of everything read from a file: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


DocumentT = TypeVar("DocumentT", bound=Document)


def read_document(path: Path, model: type[DocumentT]) -> DocumentT:
    """Read and validate one file.

    Raises:
        ConfigurationError: It is missing, is no YAML, or is not what the model wants; every mistake is named.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        source = path.read_text(encoding="utf-8")
        node, content = yaml.compose(source), yaml.safe_load(source)
    except FileNotFoundError:
        raise ConfigurationError("no such file", "one of the files beside it", where) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise ConfigurationError("not readable as YAML", "one mapping of keys", where + line) from None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = _lines(node)
        mistakes = (
            _mistake(lines, problem["loc"], problem["msg"])
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError("; ".join(mistakes), "keys and values as documented", where) from None


def _mistake(lines: dict[Key, int], loc: Key, message: str) -> str:
    """Line and key of a mistake; parts of ``loc`` that are no keys of the file (pydantic's union tags) are left out."""
    key: Key = ()
    for part in loc:
        if (*key, part) in lines:
            key = (*key, part)
    shown = key if not loc or loc[-1] in key else (*key, loc[-1])
    return f"line {lines.get(key, 1)}, key {'.'.join(map(str, shown)) or '(top)'}: {message}"


def _lines(node: yaml.Node | None, key: Key = ()) -> dict[Key, int]:
    """1-based line of every key path."""
    if node is None:
        return {}
    found: dict[Key, int] = {key: node.start_mark.line + 1}
    if isinstance(node, yaml.MappingNode):
        for name, child in node.value:
            found |= _lines(child, (*key, name.value)) | {(*key, name.value): name.start_mark.line + 1}
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            found |= _lines(child, (*key, index))
    return found
