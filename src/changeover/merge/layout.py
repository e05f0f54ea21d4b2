"""How a piece of one text fits into another: indentation, commas, line breaks."""

from __future__ import annotations

from dataclasses import replace

from changeover.merge.tree import Block, Item, shifted


def placed(item: Item, source: Block, target: Block) -> Item:
    """Return an item as it has to be written in the target block."""
    if source is target or source.flow != target.flow:
        return item
    return shifted(item, target.indent - source.indent)


def spread(block: Block) -> bool:
    """Return whether a bracketed block has a line for each of its children."""
    entries = block.entries
    return "\n" in block.open or any("\n" in item.head or "\n" in item.tail for item in entries)


def settle_commas(block: Block, like: Block) -> Block:
    """Return a bracketed block with separators where they belong."""
    if not block.comma:
        return _settle_words(block, like)
    model = like.entries
    multiline = spread(like) if model else spread(block)
    first_head = _lead(model[0]) if model else ""
    next_head = _lead(model[1]) if len(model) > 1 else " "
    trailing = bool(model and model[-1].sep.strip())
    entries = block.entries
    own = {id(item) for item in model}
    items = []
    for item in block.items:
        if item.value is None:
            items.append(item)
            continue
        position = entries.index(item) if item is entries[0] or item is entries[-1] else 1
        last = item is entries[-1]
        sep = block.comma if (trailing or not last) else ""
        if sep and item.sep.strip() == sep.strip():
            sep = item.sep
        fitted = replace(item, sep=sep, _text=None)
        if not multiline:
            lead = first_head if position == 0 else next_head
            fitted.head = lead + item.head.lstrip()
            fitted.tail = ""
        elif id(item) not in own:
            fitted = _on_a_line_of_its_own(fitted, model)
        items.append(fitted)
    return replace(block, items=items)


def _settle_words(block: Block, like: Block) -> Block:
    """Keep words apart: what is before each of them came along with it."""
    first = like.items[0].head if like.items else ""
    items = [
        replace(item, head=(item.head or " ") if number else first, _text=None)
        for number, item in enumerate(block.items)
    ]
    return replace(block, items=items)


def _lead(item: Item) -> str:
    return item.head[: len(item.head) - len(item.head.lstrip())]


def _on_a_line_of_its_own(item: Item, model: list[Item]) -> Item:
    if model and "\n" in _lead(model[-1]) and not model[-1].tail:
        # Line breaks come before each child here, not behind it.
        return replace(item, head=_lead(model[-1]) + item.head.lstrip(), tail="", _text=None)
    tail = item.tail if item.tail.endswith("\n") else item.tail + "\n"
    lead = _lead(model[0]) if model else _lead(item)
    if "\n" in lead:
        lead = lead.rpartition("\n")[2]
    return replace(item, head=lead + item.head.lstrip(), tail=tail, _text=None)
