"""Keys the release renamed or moved: the operator's value goes along."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace

from changeover.merge.tree import Block, Item, Key, Value


@dataclass(frozen=True)
class Carried:
    """Base and ours without the old keys, and the entries that stood there, by their new path."""

    trees: tuple[Block | None, Block]
    items: dict[Key, tuple[Item | None, Item | None]]
    renamed: Mapping[Key, Key]

    def value(self, value: Value) -> Value:
        """Return a value with its old keys under their new paths."""
        if not self.items:
            return value
        moved = deepcopy(value)
        for old, new in self.renamed.items():
            if new in self.items:
                move_value(moved, old, new)
        return moved


def carry(renamed: Mapping[Key, Key], base: Block | None, ours: Block, theirs: Block) -> Carried:
    """Take the old keys out of base and ours, where theirs has the new one."""
    items: dict[Key, tuple[Item | None, Item | None]] = {}
    for old, new in renamed.items():
        if find(theirs, new) is None or find(theirs, old) is not None or find(ours, new):
            continue
        first, second = find(base, old) if base else None, find(ours, old)
        if first or second:
            items[new] = (first, second)
            base, ours = without(base, old) if base else None, without(ours, old)
    return Carried((base, ours), items, renamed)


def find(block: Block, path: Key) -> Item | None:
    """Return the entry at a path."""
    for item in block.items:
        if item.value is None or path[: len(item.key)] != item.key:
            continue
        rest = path[len(item.key) :]
        if not rest and item.key:
            return item
        found = find(item.value, rest) if isinstance(item.value, Block) else None
        if found is not None:
            return found
    return None


def without(block: Block, path: Key) -> Block:
    """Return a block that lacks the entry at a path."""
    items = []
    for item in block.items:
        if item.value is None or path[: len(item.key)] != item.key:
            items.append(item)
            continue
        rest = path[len(item.key) :]
        if not rest and item.key:
            continue
        if isinstance(item.value, Block) and rest:
            item = replace(item, value=without(item.value, rest), _text=None)  # noqa: PLW2901 - the copy stands for it
        items.append(item)
    return replace(block, items=items)


def move_value(value: Value, old: Key, new: Key) -> None:
    """Put what stands at a path of tables under another one, if anything does."""
    parent = _parent(value, old, make=False)
    if parent is None or old[-1] not in parent:
        return
    moved = parent.pop(old[-1])
    target = _parent(value, new, make=True)
    if target is not None:
        target[new[-1]] = moved


def _parent(value: Value, path: Key, *, make: bool) -> dict[str, Value] | None:
    for word in path[:-1]:
        if not isinstance(value, dict):
            return None
        if word not in value and make:
            value[word] = {}
        value = value.get(word, "")
    return value if isinstance(value, dict) else None
