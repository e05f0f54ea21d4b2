"""Conflict markers, for those who want them: whole lines, as git writes them."""

from __future__ import annotations

from changeover.merge.tree import Block, Item

_SIZE = 7


def marked_text(tree: Block, size: int = _SIZE) -> str:
    """Return the text of a merged tree with markers around its conflicts."""
    return _block(tree, size)


def _block(block: Block, size: int) -> str:
    inner = "".join(_item(item, size) for item in block.items)
    if block.compact and inner.startswith(" " * block.indent):
        inner = inner[block.indent :]
    return block.open + inner + block.close


def _item(item: Item, size: int) -> str:
    if item.conflicted:
        return marked(item, size)
    if not isinstance(item.value, Block) or not has_conflict(item.value):
        return item.text
    if item.value.flow or item.value.compact:
        return marked(item, size)
    return item.head + _block(item.value, size) + item.sep + item.tail


def has_conflict(block: Block) -> bool:
    """Return whether something inside a block is in conflict."""
    return any(
        item.conflicted or (isinstance(item.value, Block) and has_conflict(item.value))
        for item in block.items
    )


def marked(item: Item, size: int) -> str:
    """Return the three texts of one entry between markers."""
    base, ours, theirs = item.sides or (None, item, None)
    old, mine, new = (_lines(side.text if side else "") for side in (base, ours, theirs))
    return between_markers(old, mine, new, size)


def between_markers(base: str, ours: str, theirs: str, size: int = _SIZE) -> str:
    """Return three texts, each of whole lines, between markers."""
    return (
        f"{'<' * size} ours\n{ours}{'|' * size} base\n{base}"
        f"{'=' * size}\n{theirs}{'>' * size} theirs\n"
    )


def _lines(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
