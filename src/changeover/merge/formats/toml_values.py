"""What TOML means, by the standard library's parser; and how new entries are written."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date, datetime, time

from changeover.merge.tree import Block, Item, Leaf, Plain, Value
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
