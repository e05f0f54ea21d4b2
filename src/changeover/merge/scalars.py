"""Single values: which side's is taken; texts inside a file are merged by their lines."""

from __future__ import annotations

import re

from changeover.merge.lines import merge_lines
from changeover.merge.tree import Item, Leaf, Value, lines_of
from changeover.merge.verdict import Told

_LITERAL = re.compile(r" *\|[+-]?(?:[ \t]+#[^\n]*)?\n")
_INDENTED = re.compile(r"(?m)^( +)\S")
_FEWEST = 3
"""Lines that make a text of a string."""


def chosen_leaf(base: Item | None, ours: Item, theirs: Item) -> Leaf | None:
    """Return the value that one side alone changed, or that both did alike; else None."""
    assert isinstance(ours.value, Leaf) and isinstance(theirs.value, Leaf)  # noqa: S101, PT018 - callers saw to it
    old = base.plain if base is not None else None
    if ours.plain == theirs.plain:
        was = base.value.text if base and isinstance(base.value, Leaf) else None
        return ours.value if theirs.value.text == was else theirs.value
    if ours.plain == old:
        return theirs.value
    return ours.value if theirs.plain == old else None


def merged_text(base: Value | None, ours: Value, theirs: Value) -> str | None:
    """Return a text merged by lines; None where it is none, or both changed it at one place."""
    texts = [text for text in (base, ours, theirs) if isinstance(text, str)]
    if len(texts) < 3 or any(text.count("\n") + 1 < _FEWEST for text in texts):
        return None
    merged, _, conflicts = merge_lines(texts[0], texts[1], texts[2], Told())
    return None if conflicts else merged


def merged_literal(base: Item | None, ours: Item, theirs: Item) -> Leaf | None:
    """Return YAML's literal text merged by lines, indented as theirs; None where it cannot be."""
    value = merged_text(base.plain if base else None, ours.plain, theirs.plain)
    cut = [_cut(item) for item in (base, ours, theirs) if item is not None]
    if value is None or not all(cut):
        return None
    bodies = [body for found in cut if found for body in found[2:]]
    merged, _, conflicts = merge_lines(bodies[0], bodies[1], bodies[2], Told())
    head, indent = cut[2][:2] if cut[2] else ("", "")
    text = "".join(indent + line if line.strip("\n") else line for line in lines_of(merged))
    return None if conflicts else Leaf(head + text.removesuffix("\n"), value)


def _cut(item: Item) -> tuple[str, str, str] | None:
    """Cut a literal into its head, its indentation and its lines without it."""
    text = item.value.text if isinstance(item.value, Leaf) else ""
    head = _LITERAL.match(text)
    first = _INDENTED.search(text, head.end()) if head else None
    if head is None or first is None:
        return None
    body = re.sub(rf"(?m)^ {{1,{len(first[1])}}}", "", text[head.end() :])
    return head.group(0), first[1], body + "\n"
