"""supervisor's `environment=A="1",B="2"`: one setting that holds variables by name."""

from __future__ import annotations

import re

from changeover.merge.tree import Block, Item, Leaf, Value

_PAIR = re.compile(
    r"(?P<head>\s*(?P<key>[A-Za-z_]\w*)\s*=)"
    r"(?P<value>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[^\s,\"'=]*)(?P<sep>\s*,)?"
)


def variables(key: str, text: str) -> Block | None:
    """Return the variables of a value; None where it is something else."""
    if key.lower() != "environment" or "=" not in text:
        return None
    block = Block(flow=True)
    place = 0
    while found := _PAIR.match(text, place):
        head, name, value, sep = found.group("head", "key", "value", "sep")
        leaf = Leaf(value, _unquoted(value))
        block.items.append(Item("entry", head, leaf, sep or "", key=(name,)))
        place = found.end()
        if not sep:
            break
    block.close = text[place:]
    names = {item.key for item in block.items}
    return None if block.close.strip() or not names or len(names) < len(block.items) else block


def _unquoted(text: str) -> str:
    return text[1:-1] if text[:1] in ("'", '"') else text


_PART = re.compile(r"((?:[^,\"']|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')*+)(,|\Z)")
_NAMED = re.compile(r"([A-Za-z_]\w*)\s*=(\"[^\"]*\"|\".*\\\".*\"|'.*'|[^\s\"'=]*)", re.DOTALL)


def variable_values(key: str, text: str) -> dict[str, Value] | None:
    """Return the variables of a value, read without the tree."""
    if key.lower() != "environment" or "=" not in text:
        return None
    found: dict[str, Value] = {}
    place = 0
    while place < len(text):
        part = _PART.match(text, place)
        pair = _NAMED.fullmatch(part[1].strip()) if part else None
        if part is None or (pair is None and (part[1].strip() or part[2])):
            return None
        if pair is not None:
            if pair[1] in found:
                return None
            found[pair[1]] = _unquoted(pair[2])
        place = part.end()
    return found or None
