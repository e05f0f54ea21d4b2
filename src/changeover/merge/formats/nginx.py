"""nginx: a tree of directives; order matters where nginx says so."""

from __future__ import annotations

import re

from changeover.merge.formats.base import Format, Read
from changeover.merge.formats.nginx_values import (
    LITERAL_BLOCKS,
    TOKEN,
    balanced,
    key_of,
    nginx_meaning,
    silenced_headers,
    values,
)
from changeover.merge.limits import MAX_DEPTH, MAX_NODES
from changeover.merge.tree import Block, Item, Leaf, Value, blank, comment, copied
from changeover.merge.verdict import Unreadable

_GAP = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?\n")
_LOOSE = re.compile(r"[^\S\n]*(?P<remark>#[^\n]*)?(?:\n|\Z)")
_SIMPLE = re.compile(r"[\w-]+(?:[ \t]+[^\s;{}\"'\\#]+)*[ \t]*;")


_SHORTEST, _LONGEST, _MOST = 48, 4_000, 2_000_000
"""Of a block that is remembered, and of all of them, in characters."""
_ALIKE = 16
"""Blocks remembered that begin alike."""
Known = dict[tuple[str, str, int], list[Item]]
"""Blocks by how they begin, where they are and how deep."""


def read_several() -> Read:
    """Return a reader for texts that have much in common."""
    known: Known = {}
    return lambda text: read(text, known)


def read(text: str, known: Known | None = None) -> tuple[Block, Value]:
    """Read a configuration; blocks known from an earlier one are not read again."""
    reader = _Reader(text, known)
    root, end = reader.block(0, "", 0)
    if end < len(text):
        raise reader.fail("a closing brace without an opening one", end)
    return root, values(text)


class _Reader:
    def __init__(self, text: str, known: Known | None = None) -> None:
        self.text, self.count = text, 0
        self.known: Known = {} if known is None else known
        self.room = 0 if known or known is None else _MOST

    def fail(self, what: str, place: int) -> Unreadable:
        line = self.text.count("\n", 0, place) + 1
        return Unreadable(f"not nginx: {what}", line, place - self.text.rfind("\n", 0, place))

    def block(self, place: int, parent: str, depth: int) -> tuple[Block, int]:
        """Read children up to the closing brace; return them and where it is."""
        if depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH} levels", place)
        block = Block([])
        while True:
            place = self._loose(place, block)
            start = self._skip_blanks(place)
            if start >= len(self.text) or self.text[start] == "}":
                block.close = self.text[place:start]
                block.indent = _indent(block)
                return block, start
            item, place = self._known_or_new(place, start, parent, depth)
            block.items.append(item)

    def _known_or_new(self, place: int, start: int, parent: str, depth: int) -> tuple[Item, int]:
        where = (self.text[place : place + _SHORTEST], parent, depth)
        alike = self.known.get(where, [])
        for item in alike:
            # Whole lines that close what they open are the same wherever they stand.
            if self.text.startswith(item.text, place):
                return copied(item), place + len(item.text)
        item, end = self._directive(place, start, parent, depth)
        fits = _SHORTEST <= end - place <= min(_LONGEST, self.room) and len(alike) < _ALIKE
        if fits and isinstance(item.value, Block) and self.text[end - 1] == "\n":
            self.room -= end - place
            self.known.setdefault(where, []).append(item)
        return item, end

    def _loose(self, place: int, block: Block) -> int:
        """Take whole lines that hold no directive."""
        if place and self.text[place - 1] != "\n":
            return place
        while (found := _LOOSE.match(self.text, place)) and found.end() > place:
            line = found.group(0)
            block.items.append(comment(line) if found["remark"] else blank(line))
            place = found.end()
        return place

    def _skip_blanks(self, place: int) -> int:
        found = _GAP.match(self.text, place)
        return found.end() if found else place

    def _directive(self, place: int, start: int, parent: str, depth: int) -> tuple[Item, int]:
        self.count += 1
        if self.count > MAX_NODES:
            raise self.fail(f"more than {MAX_NODES:,} directives", start)
        simple = _SIMPLE.match(self.text, start)
        if simple:
            words = simple.group(0)[:-1].split()
            span = (place, start + len(words[0]), simple.end() - 1)
            return self._simple(span, words, parent)
        return self._any_directive(place, start, parent, depth)

    def _any_directive(self, place: int, start: int, parent: str, depth: int) -> tuple[Item, int]:
        words, ends, here = [], [], start
        while True:
            found = TOKEN.match(self.text, here)
            if found is None:
                break
            words.append(found.group(0))
            ends.append(found.end())
            here = found.end()
            if self.text[here : here + 1] not in (";", "{"):
                here = self._skip_blanks(here)
        sign = self.text[here : here + 1]
        if not words or sign not in (";", "{"):
            raise self.fail("a semicolon or an opening brace is expected", here)
        if sign == ";":
            return self._simple((place, ends[0], here), words, parent)
        return self._nested((place, here), words, parent, depth)

    def _simple(
        self, span: tuple[int, int, int], words: list[str], parent: str
    ) -> tuple[Item, int]:
        place, name_end, semicolon = span
        end = self._rest(semicolon + 1)
        key, group, skipped = key_of(words, parent, nested=False)
        head_end = name_end
        if skipped:
            found = TOKEN.match(self.text, self._skip_blanks(name_end))
            head_end = found.end() if found else name_end
        leaf = Leaf(self.text[head_end:semicolon], " ".join(words[1 + skipped :]))
        head, tail = self.text[place:head_end], self.text[semicolon:end]
        return Item("entry", head, leaf, "", tail, key=key, group=group), end

    def _nested(
        self, span: tuple[int, int], words: list[str], parent: str, depth: int
    ) -> tuple[Item, int]:
        place, brace = span
        key, group, _ = key_of(words, parent, nested=True)
        if words[0].endswith(LITERAL_BLOCKS):
            closing = balanced(self.text, brace) - 1
            value: Leaf | Block = Leaf(self.text[brace : closing + 1],
                                       self.text[brace : closing + 1], fixed=True)  # fmt: skip
            head = self.text[place:brace]
        else:
            opening = self._rest(brace + 1)
            block, closing = self.block(opening, words[0], depth + 1)
            if closing >= len(self.text):
                raise self.fail("a brace is not closed", brace)
            block.open = self.text[brace + 1 : opening]
            value, head = block, self.text[place : brace + 1]
        end = self._rest(closing + 1)
        tail_start = closing + (1 if isinstance(value, Leaf) else 0)
        item = Item("entry", head, value, "", self.text[tail_start:end], key=key, group=group)
        return item, end

    def _rest(self, place: int) -> int:
        found = _REST.match(self.text, place)
        return found.end() if found else place


def _indent(block: Block) -> int:
    for item in block.items:
        if item.value is not None:
            return len(item.head) - len(item.head.lstrip(" "))
    return 0


FORMAT = Format("nginx", read, values, nginx_meaning(), remarks=silenced_headers,
                several=read_several)  # fmt: skip
