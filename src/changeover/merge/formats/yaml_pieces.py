"""YAML in pieces: what base, ours and theirs have in common is read once.

A piece is one entry with its lines, cut by indentation alone. It is believed only if libyaml has
read it as one entry, in an earlier text or by itself: an open quote or bracket is an error, and
then the file is read as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from changeover.merge.tree import Block, Item, Value, blank, comment, copied, lines_of
from changeover.merge.verdict import Unreadable

Whole = Callable[[str], tuple[Block, Value]]

_LONG = 1_500
# What reaches beyond an entry, or ends lines for libyaml alone: anchors, merge keys, documents...
_FAR = re.compile(
    r"(?m)(?:^|[\s,\[{])[&*][^\s,\]}&*]|<<|^(?:---|\.\.\.|%)|^ *\t|^[ -]*\?[ \n]|^[ -]*!"
    r"|[\r\x85\u2028\u2029]"
)
_START = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*---[ \t]*\n")
_HEADER = re.compile(r" *[A-Za-z_][\w.-]*:([ \t]*(?:#[^\n]*)?\n)")


class _Odd(Exception):
    """The layout cannot be cut by indentation."""


class Piece(NamedTuple):
    """The children that one piece consists of, and what its entry means."""

    items: Sequence[Item]
    key: str | None
    """None in a list."""
    value: Value


class Pieces:
    """Reads texts that have most of their entries in common; the first one as a whole."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole
        self.known: dict[tuple[str, int], Piece] = {}

    def read(self, text: str) -> tuple[Block, Value]:
        """Read one text; raises `Unreadable`."""
        found = _START.match(text)
        head = found.group(0) if found else ""
        if _FAR.search(text, len(head)):
            return self.whole(text)
        if not self.known:
            tree, value = self.whole(text)
            root = tree.items[0]
            if root.head == head and isinstance(root.value, Block) and not root.value.flow:
                self._learn(root.value, value)
            return tree, value
        try:
            block, value = self._children(text[len(head) :], 0)
        except (_Odd, Unreadable):
            return self.whole(text)
        return Block([Item("entry", head, block)]), value

    def _learn(self, block: Block, value: Value) -> None:
        """Remember the entries of a block by their lines."""
        starts = [place for place, item in enumerate(block.items) if item.value is not None]
        for number, (low, high) in enumerate(pairwise([*starts, len(block.items)])):
            entry = block.items[low]
            key = entry.key[0] if block.shape == "map" and entry.key else None
            inner: Value | None = None
            if isinstance(value, dict) and key is not None and "#" not in key:
                inner = value.get(key)
            elif isinstance(value, list) and number < len(value):
                inner = value[number]
            if inner is None:
                continue
            items = block.items[low:high]
            text = "".join(item.text for item in items)
            self.known[text, block.indent] = Piece(items, key, inner)
            if len(text) > _LONG and isinstance(entry.value, Block) and not entry.value.flow:
                self._learn(entry.value, inner)

    def _children(self, text: str, column: int) -> tuple[Block, Value]:
        """Read entries that begin at one column."""
        lead, texts = _cut(text, column)
        items = [comment(line) if line.strip() else blank(line) for line in lead]
        pieces = [self._piece(piece, column) for piece in texts]
        for piece in pieces:
            items.extend(map(copied, piece.items))
        named = {piece.key: piece.value for piece in pieces if piece.key is not None}
        if not named:
            return Block(items, "list", indent=column), [piece.value for piece in pieces]
        if len(named) < len(pieces):
            raise _Odd
        return Block(items, indent=column), named

    def _piece(self, text: str, column: int) -> Piece:
        known = self.known.get((text, column))
        if known is not None:
            return known
        header = _HEADER.match(text) if len(text) > _LONG else None
        if header:
            return self._long(text, column, header)
        tree, value = self.whole(text)
        block = tree.items[0].value
        if not isinstance(block, Block) or block.flow or block.compact or block.open:
            raise _Odd
        if len(tree.items) != 1 or len(block.entries) != 1 or block.indent != column:
            raise _Odd
        if isinstance(value, dict):
            ((key, inner),) = value.items()
            return Piece(block.items, key, inner)
        return Piece(block.items, None, value[0])

    def _long(self, text: str, column: int, header: re.Match[str]) -> Piece:
        """Read a long entry by its own entries."""
        body = text[header.end() :]
        first = re.search(r"(?m)^( *)[^\s#]", body)
        if first is None or len(first[1]) < column:
            raise _Odd
        block, value = self._children(body, len(first[1]))
        if block.indent == column and block.shape != "list":
            raise _Odd
        cut = len(block.items)
        while _is_outer(block.items[cut - 1], column):
            cut -= 1
        rest = block.items[cut:]
        del block.items[cut:]
        block.open = header[1]
        head = header.group(0)[: -len(header[1])]
        key = _key(head)
        return Piece([Item("entry", head, block, key=(key,)), *rest], key, value)


def _key(head: str) -> str:
    name = head.strip()[:-1]
    # Typed as a key alone would be: `null`, `True`.
    lowered = name.lower()
    if lowered == "null":
        raise _Odd
    return lowered if lowered in ("true", "false") else name


def _cut(text: str, column: int) -> tuple[list[str], list[str]]:
    """Cut at the lines that begin at a column; what comes before the first is the lead."""
    lines = lines_of(text)
    lead = 0
    while lead < len(lines) and lines[lead].strip()[:1] in ("", "#"):
        lead += 1
    dash = re.compile(" " * column + r"-[ \n]")
    dashes = lead < len(lines) and dash.match(lines[lead]) is not None
    # The items of a list may begin at the column of the key that holds it.
    begins = re.compile(" " * column + (r"-[ \n]" if dashes else r"(?!-[ \n])[^\s#]"))
    starts = [number for number, line in enumerate(lines) if begins.match(line)]
    if not starts or starts[0] != lead:
        raise _Odd
    pairs = zip(starts, [*starts[1:], len(lines)], strict=True)
    return lines[:lead], ["".join(lines[low:high]) for low, high in pairs]


def _is_outer(item: Item, column: int) -> bool:
    """Return whether a comment or blank line behind an entry belongs to what holds the entry."""
    deeper = len(item.head) - len(item.head.lstrip(" ")) > column
    return item.kind == "blank" or (item.kind == "comment" and not deeper)
