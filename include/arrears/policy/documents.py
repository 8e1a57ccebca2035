"""A YAML file read into a pydantic model, with every mistake named by file, line and key.

Belongs here: reading. What a portfolio, a pack or a strategy holds stands beside its model.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from arrears.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Key = tuple[int | str, ...]
VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::-([^}]*))?\}")


class Document(BaseModel):
    """Base of everything read from a file: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# What the library says of these is about its own models.
WORDS = {
    "extra_forbidden": "unknown key",
    "missing": "this key is missing",
    **dict.fromkeys(("tuple_type", "list_type", "set_type", "frozen_set_type"), "a list, such as [one, two]"),
    **dict.fromkeys(("model_type", "dict_type", "model_attributes_type"), "keys with values"),
    "string_type": "text",
    "string_too_short": "this must not be empty",
    "timezone_aware": 'an instant with its offset, such as "2026-03-02T10:00:00+08:00"',
}

DocumentT = TypeVar("DocumentT", bound=Document)


def read_document(
    path: Path,
    model: type[DocumentT],
    *,
    defaults: Mapping[str, Any] | None = None,
    environment: Mapping[str, str | None] | None = None,
) -> DocumentT:
    """Read and validate one file.

    Args:
        path: The file.
        model: What it must be.
        defaults: Values of top keys that the file may leave out.
        environment: Stands for ``${VARIABLE}`` and ``${VARIABLE:-default}`` in text values; None leaves them as they
            are.

    Raises:
        ConfigurationError: It is missing, is no YAML, or is not what the model wants; every mistake is named.
    """
    where = _shown(path)
    try:
        source = path.read_text(encoding="utf-8")
        node = yaml.compose(source, yaml.CSafeLoader)
        unreadable = [*_doubled(node), *_undated(node)]
        if unreadable:
            raise ConfigurationError("; ".join(unreadable), "each key once, dates and times that there are", where)
        content = yaml.load(source, yaml.CSafeLoader)
    except FileNotFoundError:
        raise ConfigurationError("no such file", "one of the files beside it", where) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise ConfigurationError("not readable as YAML", "one mapping of keys", where + line) from None
    if not isinstance(content, dict):
        raise ConfigurationError("no mapping at the top", "keys as in the files beside it", where)
    lines = _lines(node)
    unset: dict[Key, str] = {}
    if environment is not None:
        content = _expanded(content, (), environment, unset)
    mistakes = [_mistake(lines, key, f"environment variable {name} is not set") for key, name in unset.items()]
    document = None
    try:
        document = model.model_validate({**(defaults or {}), **content})
    except ValidationError as error:
        problems = [
            (
                _key_of(lines, problem["loc"]),
                problem["loc"] if problem["type"] == "missing" else _key_of(lines, problem["loc"]),
                _words(problem),
            )
            for problem in _first_hand(error)
        ]
        # What stands where a variable is not set is no value: that it is none of its kind goes without saying.
        mistakes += [_mistake(lines, loc, message) for key, loc, message in problems if key not in unset]
    if document is None or mistakes:
        raise ConfigurationError("; ".join(mistakes), "keys and values as documented", where)
    return document


def _words(problem: Any) -> str:  # noqa: ANN401  pydantic's own dictionary
    if problem["type"] == "union_tag_invalid":
        return "{discriminator} is one of {expected_tags}".format(**problem["ctx"])
    message: str = WORDS.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
    return message


def _doubled(node: yaml.Node | None, key: Key = ()) -> list[str]:
    """Keys that stand twice in one mapping: the reader of YAML would drop all but the last, and say nothing."""
    found: list[str] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, child in node.value:
            if name.value in seen:
                found.append(_said_of(name, (*key, name.value), "this key stands twice"))
            seen.add(name.value)
            found += _doubled(child, (*key, name.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            found += _doubled(child, (*key, index))
    return found


def _undated(node: yaml.Node | None, key: Key = ()) -> list[str]:
    """What looks like a date or a time and is none, such as 2026-02-30."""
    if isinstance(node, yaml.MappingNode):
        return [said for name, child in node.value for said in _undated(child, (*key, name.value))]
    if isinstance(node, yaml.SequenceNode):
        return [said for index, child in enumerate(node.value) for said in _undated(child, (*key, index))]
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:timestamp":
        try:
            yaml.SafeLoader("").construct_yaml_timestamp(node)
        except ValueError as error:
            return [_said_of(node, key, str(error))]
    return []


def _said_of(node: yaml.Node, key: Key, message: str) -> str:
    return f"line {node.start_mark.line + 1}, key {'.'.join(map(str, key)) or '(top)'}: {message}"


def _first_hand(error: ValidationError) -> list[Any]:
    """The problems, without the lists that are short only because an item of theirs is wrong."""
    problems = error.errors(include_input=False, include_url=False)
    wrong = [problem["loc"] for problem in problems]

    def follows(problem: Any) -> bool:  # noqa: ANN401  pydantic's own dictionary
        loc = problem["loc"]
        return problem["type"] == "too_short" and any(len(one) > len(loc) and one[: len(loc)] == loc for one in wrong)

    return [problem for problem in problems if not follows(problem)]


def has_key(path: Path, key: Key) -> bool:
    """Whether a readable document has that key."""
    return key in _lines(yaml.compose(path.read_text(encoding="utf-8")))


def place_of(path: Path, key: Key) -> str:
    """File, line and key, for a mistake that only a second look at a readable document finds."""
    lines = _lines(yaml.compose(path.read_text(encoding="utf-8")))
    return f"{_shown(path)} line {lines.get(key, 1)}, key {'.'.join(map(str, key))}"


def _shown(path: Path) -> str:
    """The file with its folder, where one is named."""
    return "/".join(path.parts[-2:])


def _expanded(value: Any, key: Key, environment: Mapping[str, str | None], unset: dict[Key, str]) -> Any:  # noqa: ANN401  YAML values
    """The value with its variables replaced; those without a value are noted by key."""
    if isinstance(value, dict):
        return {name: _expanded(item, (*key, name), environment, unset) for name, item in value.items()}
    if isinstance(value, list):
        return [_expanded(item, (*key, index), environment, unset) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replaced(match: re.Match[str]) -> str:
        found = environment.get(match[1]) or match[2]
        if found is None:
            unset.setdefault(key, match[1])
        return match[0] if found is None else found

    return VARIABLE.sub(replaced, value)


def _key_of(lines: dict[Key, int], loc: Key) -> Key:
    """The key of a mistake; parts of ``loc`` that are no keys of the file (pydantic's union tags) are left out."""
    key: Key = ()
    for part in loc:
        if (*key, part) in lines:
            key = (*key, part)
    return key


def _mistake(lines: dict[Key, int], loc: Key, message: str) -> str:
    """Line, key and message of a mistake."""
    key = _key_of(lines, loc)
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
