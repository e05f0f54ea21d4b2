"""The second way: write what has to change into one of the texts, in the shape it has there."""

from __future__ import annotations

from dataclasses import replace

from changeover.merge.formats.base import Format
from changeover.merge.layout import settle_commas
from changeover.merge.renaming import find, without
from changeover.merge.tree import Block, Item, Key, Leaf, Value

_MOST_EDITS = 400


class _CannotWrite(Exception):
    """This edit has no form in this file."""


def replay(form: Format, text: str, value: Value, wanted: Value | None) -> str | None:
    """Return `text` edited until it means `wanted`; None where that cannot be written."""
    tree, _ = form.read(text)
    edits = _edits(value, wanted, ())
    if len(edits) > _MOST_EDITS:
        return None
    try:
        for path, new in edits:
            tree = _apply(form, tree, path, new)
    except _CannotWrite:
        return None
    return tree.text


def _edits(old: Value | None, new: Value | None, path: Key) -> list[tuple[Key, Value | None]]:
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*new, *(key for key in old if key not in new)]
        return [edit for key in keys for edit in _edits(old.get(key), new.get(key), (*path, key))]
    return [(path, new)]


def _apply(form: Format, tree: Block, path: Key, new: Value | None) -> Block:
    if not path:
        raise _CannotWrite
    item = _locate(form, tree, path)
    if new is None:
        if item is None or not item.key:
            raise _CannotWrite
        return without(tree, path)
    if item is None:
        return _add(form, tree, path, new)
    if isinstance(item.value, Block) and isinstance(new, list) and item.value.shape == "list":
        tree = _alone(tree, item)
        return _put(tree, item, replace(item, value=_list(form, item.value, new), _text=None))
    return _put(tree, item, _rewritten(form, item, path[-1], new, tree))


def _alone(block: Block, wanted: Item) -> Block:
    """Drop the other lines of a repeated setting: all its words go to one."""
    if not wanted.group:
        return block
    items: list[Item] = []
    for item in block.items:
        if item.group == wanted.group and item is not wanted and any(
            other is wanted for other in block.items
        ):  # fmt: skip
            continue
        inner = _alone(item.value, wanted) if isinstance(item.value, Block) else None
        same = inner is None or inner is item.value
        items.append(item if same or item is wanted else replace(item, value=inner, _text=None))
    changed = len(items) != len(block.items) or any(
        new is not old for new, old in zip(items, block.items, strict=True)
    )
    return replace(block, items=items) if changed else block


def _locate(form: Format, tree: Block, path: Key) -> Item | None:
    """Return the entry at a path; elements of lists are found by their identity."""
    name_elements(form, tree)
    return find(tree, path)


def name_elements(form: Format, block: Block, path: Key = ()) -> None:
    """Give every entry that has none a key of its own, by its identity in this text alone."""
    for item in block.items:
        if item.value is None:
            continue
        if item.group is not None and not item.key:
            where = (*path, item.group) if item.group else path
            name = form.meaning.identify(where, item.plain)
            item.key = (name,) if name and not item.group else (item.group,) if item.group else ()
        if isinstance(item.value, Block):
            name_elements(form, item.value, (*path, *item.key))


def _rewritten(form: Format, item: Item, key: str, new: Value, tree: Block) -> Item:
    parent = _parent_of(tree, item)
    made = form.make(key, new, parent, item) if parent is not None else None
    if made is None or made.value is None:
        raise _CannotWrite
    text = made.value.text
    if parent is not None and parent.shape == "list":
        text = made.value.text if not parent.flow else made.text
    if item.head.endswith(" "):
        text = text.lstrip(" ")
    elif isinstance(item.value, Leaf):
        lead = item.value.text[: len(item.value.text) - len(item.value.text.lstrip(" "))]
        text = (lead or text[: len(text) - len(text.lstrip(" "))]) + text.lstrip(" ")
    tail = item.tail if item.tail or parent_is_flow(parent) else "\n"
    return replace(item, value=Leaf(text, new), tail=tail, _text=None)


def parent_is_flow(block: Block | None) -> bool:
    """Return whether a block is written inside brackets."""
    return block is not None and block.flow


def _parent_of(block: Block, wanted: Item) -> Block | None:
    for item in block.items:
        if item is wanted:
            return block
        if isinstance(item.value, Block):
            found = _parent_of(item.value, wanted)
            if found is not None:
                return found
    return None


def _put(block: Block, old: Item, new: Item) -> Block:
    items = []
    for item in block.items:
        if item is old:
            items.append(new)
        elif isinstance(item.value, Block):
            inner = _put(item.value, old, new)
            same = all(a is b for a, b in zip(inner.items, item.value.items, strict=True))
            items.append(item if same else replace(item, value=inner, _text=None))
        else:
            items.append(item)
    return replace(block, items=items)


def _add(form: Format, tree: Block, path: Key, new: Value) -> Block:
    for size in range(len(path) - 1, -1, -1):
        parent = _home(tree, path[:size])
        if parent is None:
            continue
        value = new
        for word in reversed(path[size + 1 :]):
            value = {word: value}
        made = form.make(path[size], value, parent, None)
        if made is None:
            raise _CannotWrite
        return _with_child(tree, parent, made)
    raise _CannotWrite


def _home(tree: Block, path: Key) -> Block | None:
    """Return the block that new entries beneath a path belong to."""
    if not path:
        first = next((item for item in tree.items if item.value is not None), None)
        whole = first is not None and not first.key and first.group is None
        inner = first.value if whole and first is not None else None
        return inner if isinstance(inner, Block) else tree
    item = find(tree, path)
    return item.value if item is not None and isinstance(item.value, Block) else None


def _with_child(block: Block, parent: Block, child: Item) -> Block:
    if block is parent:
        return _appended(block, child)
    items = []
    for item in block.items:
        if isinstance(item.value, Block):
            inner = _with_child(item.value, parent, child)
            item = item if inner is item.value else replace(item, value=inner, _text=None)  # noqa: PLW2901 - the copy stands for it
        items.append(item)
    same = all(a is b for a, b in zip(items, block.items, strict=True))
    return block if same else replace(block, items=items)


def _appended(block: Block, child: Item) -> Block:
    last = max((n for n, item in enumerate(block.items) if item.value is not None), default=-1)
    items = [*block.items[: last + 1], child, *block.items[last + 1 :]]
    grown = replace(block, items=items)
    return settle_commas(grown, block) if block.flow else grown


def _list(form: Format, block: Block, wanted: list[Value]) -> Block:
    """Drop elements that are not wanted and add those that are missing."""
    missing = list(wanted)
    items = []
    for item in block.items:
        if item.value is not None:
            if item.plain not in missing:
                continue
            missing.remove(item.plain)
        items.append(item)
    grown = replace(block, items=items)
    for value in missing:
        name = form.meaning.identify(("", "ports"), value) or ""
        made = form.make(name, value, grown, None)
        if made is None:
            raise _CannotWrite
        grown = _appended(grown, made)
    return grown
