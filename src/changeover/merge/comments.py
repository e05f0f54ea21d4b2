"""Comments that both sides added in another place arrive once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from changeover.merge.tree import Block, Item


def without_repeats(merged: Block, ours: Block, theirs: Block) -> Block:
    """Return a merged tree in which no comment stands more often than in either text."""
    found = Counter(comments_of(merged))
    repeated = {text for text, count in found.items() if count > 1}
    if not repeated:
        return merged
    mine, yours = Counter(comments_of(ours)), Counter(comments_of(theirs))
    surplus = {text: found[text] - max(mine[text], yours[text]) for text in repeated}
    surplus = {text: count for text, count in surplus.items() if count > 0}
    return _dropped(merged, surplus) if surplus else merged


def comments_of(block: Block) -> Iterator[str]:
    """Yield every comment in a text that has its own line."""
    for item in block.items:
        if item.kind == "comment":
            yield item.head.strip()
        elif isinstance(item.value, Block):
            yield from comments_of(item.value)


def _dropped(block: Block, surplus: dict[str, int]) -> Block:
    items: list[Item] = []
    for item in block.items:
        text = item.head.strip()
        if item.kind == "comment" and surplus.get(text, 0) > 0:
            surplus[text] -= 1
            continue
        if isinstance(item.value, Block):
            inner = _dropped(item.value, surplus)
            changed = len(inner.items) != len(item.value.items) or any(
                new is not old for new, old in zip(inner.items, item.value.items, strict=True)
            )
            item = replace(item, value=inner, _text=None) if changed else item  # noqa: PLW2901 - the copy stands for it
        items.append(item)
    return replace(block, items=items)
