"""What TOML means, by the standard library's parser; and how new entries are written."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime, time

from changeover.merge.formats.linewise import Header
from changeover.merge.tree import Block, Item, Key, Leaf, Plain, Value
from changeover.merge.verdict import Unreadable

_PLACE = re.compile(r"(.*) \(at line (\d+), column (\d+)\)")


def values(text: str) -> Value:
    """Return the value of a TOML text."""
    try:
        return canonical(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.match(str(error))
        if found is None:
            raise Unreadable(f"not TOML: {error}") from error
        what, line, column = found.groups()
        raise Unreadable(f"not TOML: {what}", int(line), int(column)) from error


def canonical(value: object) -> Value:
    """Return a loaded value with typed scalars."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {str(key): canonical(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [canonical(inner) for inner in value]
    if isinstance(value, bool):
        return Plain("bool", "true" if value else "false")
    if isinstance(value, (datetime, date, time)):
        return Plain("time", value.isoformat())
    return Plain(type(value).__name__, repr(value))


def tables(parts: Sequence[Item | Header]) -> Value | None:
    """Return what the parts of a file mean; None where that is not plain to see."""
    root: dict[str, Value] = {}
    current = root
    try:
        for part in parts:
            if isinstance(part, Header):
                current = _opened(root, part)
            elif part.value is not None:
                _put(current, part.key, part.value)
    except (KeyError, TypeError):
        return None
    return root


def _opened(root: dict[str, Value], header: Header) -> dict[str, Value]:
    """Return the table a header opens: the last one of an array, where there is an array."""
    if header.group is None:
        return _beneath(root, header.key)
    *above, name = header.key
    elements = _beneath(root, tuple(above)).setdefault(name, [])
    made: dict[str, Value] = {}
    if not isinstance(elements, list):
        raise TypeError
    elements.append(made)
    return made


def _beneath(table: dict[str, Value], path: Key) -> dict[str, Value]:
    for word in path:
        inner = table.setdefault(word, {})
        inner = inner[-1] if isinstance(inner, list) else inner
        if not isinstance(inner, dict):
            raise TypeError
        table = inner
    return table


def _put(table: dict[str, Value], path: Key, value: Leaf | Block) -> None:
    place = _beneath(table, path[:-1])
    if path[-1] in place:
        raise KeyError
    place[path[-1]] = _meant(value)


def _meant(value: Leaf | Block) -> Value:
    if isinstance(value, Leaf):
        return value.value
    if value.shape == "list":
        return [_meant(item.value) for item in value.items if item.value is not None]
    found: dict[str, Value] = {}
    for item in value.items:
        if item.value is not None:
            _put(found, item.key, item.value)
    return found


def make(key: str, value: Value, block: Block, like: Item | None) -> Item | None:
    """Write a new entry for a table or array."""
    if block.shape == "list":
        return Item("entry", "", Leaf(text_of(value), value), key=(key,))
    tail = "" if block.flow else "\n"
    return Item("entry", f"{_key(key)} =", Leaf(" " + text_of(value), value), tail=tail, key=(key,))


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def text_of(value: Value) -> str:
    """Write a value on one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {text_of(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(text_of, value)) + "]"
    return value.text if isinstance(value, Plain) else json.dumps(value, ensure_ascii=False)


def answered(text: str, like: Leaf) -> str:
    """Write an answer: as it is where it is TOML, else as a string."""
    lead = like.text[: len(like.text) - len(like.text.lstrip())]
    try:
        tomllib.loads(f"v = {text}\n")
    except tomllib.TOMLDecodeError:
        return lead + json.dumps(text, ensure_ascii=False)
    return lead + text
