"""Writes new YAML in the shape of the block it goes to."""

from __future__ import annotations

import json
import re

from changeover.merge.formats.yaml_values import scalar_value
from changeover.merge.tree import Block, Item, Leaf, Plain, Value

_SAFE = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_/.@+ -]*(?:[:=][A-Za-z0-9_/.@+-]+)*\Z")


def written_value(text: str, like: Leaf) -> str:
    """Write an answer, given as text, where a leaf stood."""
    blanks = like.text[: len(like.text) - len(like.text.lstrip())]
    return (blanks or " ") + text.strip()


_ANCHOR = re.compile(r"(?m)^([ \t]*[^\s#:]+:[ \t]+)&([^\s,\[\]{}]+)")


def rename_anchors(base: str, ours: str, theirs: str) -> tuple[str, str]:
    """Give anchors the names they have in theirs: what local text refers to stays there."""
    if "&" not in base or "&" not in theirs:
        return base, ours
    new = dict(_ANCHOR.findall(theirs))
    kept = set(new.values())
    for place, name in _ANCHOR.findall(base):
        wanted = new.get(place)
        if wanted and name not in kept and f"&{wanted}" not in base + ours:
            pattern = re.compile(rf"([&*]){re.escape(name)}(?![^\s,\[\]{{}}])")
            base, ours = (pattern.sub(rf"\g<1>{wanted}", text) for text in (base, ours))
    return base, ours


def make_entry(key: str, value: Value, block: Block, like: Item | None) -> Item | None:
    """Write a new entry for a block; lists take the value alone."""
    mark = "-" if block.shape == "list" else f"{scalar_text(key, flow=block.flow)}:"
    if block.flow:
        text = f"{mark} {flow_text(value)}" if block.shape == "map" else flow_text(value)
        return Item("entry", text, Leaf("", value), key=(key,))
    head = " " * block.indent + mark
    if isinstance(value, (dict, list)) and value:
        nested = "\n".join(block_lines(value, block.indent + 2))
        return Item("entry", head, Leaf("\n" + nested, value), tail="\n", key=(key,))
    return Item("entry", head, Leaf(" " + flow_text(value), value), tail="\n", key=(key,))


def block_lines(value: Value, indent: int) -> list[str]:
    """Write a value in block style, a line for each entry."""
    pad = " " * indent
    if isinstance(value, dict):
        pairs = [(f"{scalar_text(key)}:", inner) for key, inner in value.items()]
    elif isinstance(value, list):
        pairs = [("-", inner) for inner in value]
    else:
        return [pad + flow_text(value)]
    lines = []
    for mark, inner in pairs:
        if isinstance(inner, (dict, list)) and inner:
            lines += [pad + mark, *block_lines(inner, indent + 2)]
        else:
            lines.append(f"{pad}{mark} {flow_text(inner)}")
    return lines


def flow_text(value: Value) -> str:
    """Write a value on one line."""
    if isinstance(value, dict):
        inner = ", ".join(
            f"{scalar_text(key, flow=True)}: {flow_text(v)}" for key, v in value.items()
        )
        return "{" + inner + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow_text(inner) for inner in value) + "]"
    return scalar_text(value, flow=True)


def scalar_text(value: str | Plain, *, flow: bool = False) -> str:
    """Write a scalar, quoted where its bare text would mean something else."""
    if isinstance(value, Plain):
        if value.kind.startswith("!"):
            return f"{value.kind} {json.dumps(value.text)}"
        return value.text if value.kind != "null" else "null"
    bare = (
        _SAFE.match(value) and value == value.strip() and scalar_value(value, None, None) == value
    )
    return value if bare else json.dumps(value, ensure_ascii=False)
