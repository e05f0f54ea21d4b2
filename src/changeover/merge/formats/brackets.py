"""Children inside brackets, separated by commas: shared by JSON, TOML and YAML's flow style."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from changeover.merge.tree import Block, Item, Key, Leaf, blank, comment, lines_of

_REST = re.compile(r"[ \t\r]*(?:(?:#|//)[^\n]*|/\*[^\n]*?\*/[ \t\r]*)?\n")


@dataclass(frozen=True)
class Child:
    """One child: where its entry and its value start, where it ends, and what it is."""

    start: int
    value_start: int
    end: int
    value: Leaf | Block
    key: Key = ()


def bracketed(
    text: str, span: tuple[int, int], inner: tuple[int, int], children: Sequence[Child], shape: str
) -> Block:
    """Cut `text[span]`, whose brackets enclose `inner`, into a block."""
    start, end = span
    low, high = inner
    opening = _rest_of_line(text, low, children[0].start if children else high)
    block = Block([], shape, text[start:opening], flow=True)
    place = opening
    for number, child in enumerate(children):
        lead = _take_lines(text, place, child.start, block.items)
        limit = children[number + 1].start if number + 1 < len(children) else high
        comma = _comma(text, child.end, limit)
        after = comma if comma > child.end else child.end
        tail = _rest_of_line(text, after, limit)
        block.items.append(
            Item("entry", text[lead : child.value_start], child.value, text[child.end : after],
                 text[after:tail], child.key, None if shape == "map" else "")
        )  # fmt: skip
        place = tail
    close = _take_lines(text, place, high, block.items)
    block.close = text[close:end]
    block.indent = _column(block)
    return block


def _column(block: Block) -> int:
    for item in block.items:
        head = item.head
        if block.open.endswith("\n") and item.value is not None:
            return len(head) - len(head.lstrip(" "))
    return 0


def _rest_of_line(text: str, place: int, limit: int) -> int:
    found = _REST.match(text, place)
    return found.end() if found and found.end() <= limit else place


def _take_lines(text: str, place: int, limit: int, items: list[Item]) -> int:
    """Move whole lines before the next child into comments and blanks."""
    if place and text[place - 1] != "\n":
        return place
    if text.find("\n", place, limit) < 0:
        return place
    for line in lines_of(text[place:limit]):
        if not line.endswith("\n"):
            break
        items.append(comment(line) if line.strip() else blank(line))
        place += len(line)
    return place


def _comma(text: str, place: int, limit: int) -> int:
    """Return the place behind the comma that follows, or `place` where there is none."""
    here = place
    if text.startswith(",", place) and place < limit:
        return place + 1
    while here < limit:
        sign = text[here]
        if sign == ",":
            return here + 1
        if sign == "#" or text.startswith("//", here):
            return place
        if text.startswith("/*", here):
            here = text.find("*/", here, limit)
            if here < 0:
                return place
            here += 2
        elif sign.isspace():
            here += 1
        else:
            return place
    return place
