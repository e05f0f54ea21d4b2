"""One small tree for every format: a partition of the text into comments, blanks and entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Plain(NamedTuple):
    """A scalar that is not a string: two of them are equal only if their kinds are."""

    kind: str
    text: str


Value = dict[str, "Value"] | list["Value"] | str | Plain
"""What a text means: every scalar that is not a string is a `Plain`."""

Key = tuple[str, ...]


@dataclass(slots=True, eq=False)
class Leaf:
    """A value that is merged as a whole; `text` carries the blanks before it."""

    text: str
    value: Value
    fixed: bool = False
    """Set where the lines inside may not be indented anew."""


@dataclass(slots=True, eq=False)
class Block:
    """A value with children; its text is open, the children and close."""

    items: list[Item] = field(default_factory=list)
    shape: str = "map"
    open: str = ""
    close: str = ""
    indent: int = 0
    flow: bool = False
    """Set where children are separated by commas or blanks inside brackets."""
    comma: str = ","
    compact: bool = False
    """Set where the first child shares its line with what comes before it."""

    @property
    def text(self) -> str:
        """Return the text of the block."""
        inner = "".join(item.text for item in self.items)
        if self.compact and inner.startswith(" " * self.indent):
            inner = inner[self.indent :]
        return self.open + inner + self.close

    @property
    def value(self) -> Value:
        """Return what the block means, as far as the reader of its format knows."""
        entries = [item for item in self.items if item.value is not None]
        if self.shape == "list":
            return [item.plain for item in entries]
        found: dict[str, Value] = {}
        for item in entries:
            inner = item.plain
            if item.key:
                found[".".join(item.key)] = inner
            elif item.group is not None:
                name = item.group
                found[f"{name}#{len(found)}" if name in found else name] = inner
            elif isinstance(inner, dict):
                found.update(inner)
        return found

    @property
    def entries(self) -> list[Item]:
        """Return the children that are neither comments nor blanks."""
        return [item for item in self.items if item.value is not None]


@dataclass(slots=True, eq=False)
class Item:
    """A comment, a blank line or an entry: head, value, separator and tail."""

    kind: str
    head: str
    value: Leaf | Block | None = None
    sep: str = ""
    tail: str = ""
    key: Key = ()
    group: str | None = None
    """Names the siblings this one gets its identity among, jointly in all three texts."""
    names: str | None = None
    """The setting a comment sets when its mark is taken away."""
    sides: tuple[Item | None, Item | None, Item | None] | None = None
    conflicted: bool = False
    _text: str | None = None

    @property
    def text(self) -> str:
        """Return the text of the item."""
        if self._text is None:
            middle = self.value.text if self.value is not None else ""
            self._text = self.head + middle + self.sep + self.tail
        return self._text

    @property
    def plain(self) -> Value:
        """Return what the item means."""
        return "" if self.value is None else self.value.value


def comment(text: str, names: str | None = None) -> Item:
    """Make a comment of one whole line."""
    return Item("comment", text, names=names)


def blank(text: str) -> Item:
    """Make a blank line."""
    return Item("blank", text)


def lines_of(text: str) -> list[str]:
    """Cut a text at line feeds only, and keep them."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def copied(item: Item) -> Item:
    """Return a copy down to the leaves, which nobody changes."""
    value = item.value
    if isinstance(value, Block):
        items = [copied(child) for child in value.items]
        value = Block(items, value.shape, value.open, value.close, value.indent, value.flow,
                      value.comma, value.compact)  # fmt: skip
    return Item(item.kind, item.head, value, item.sep, item.tail, item.key, item.group, item.names)


def number_repeats(items: Sequence[Item]) -> None:
    """Give the second entry of one key, and those after it, an occurrence number."""
    named = [item.key for item in items if item.key]
    if len(set(named)) == len(named):
        return
    seen: dict[Key, int] = {}
    for item in items:
        if item.value is None or item.group is not None or not item.key:
            continue
        count = seen[item.key] = seen.get(item.key, 0) + 1
        if count > 1:
            item.key = (*item.key[:-1], f"{item.key[-1]}#{count}")


def walk(block: Block, offset: int = 0, path: Key = ()) -> Iterator[tuple[Key, Item, int]]:
    """Visit every entry with its path and the offset its text starts at."""
    offset += len(block.open)
    stripped = block.indent if block.compact else 0
    for item in block.items:
        if item.value is not None:
            where = (*path, *item.key)
            yield where, item, offset
            if isinstance(item.value, Block):
                yield from walk(item.value, offset + len(item.head) - stripped, where)
        offset += len(item.text) - stripped
        stripped = 0


def shifted(item: Item, by: int) -> Item:
    """Return a copy whose lines are indented by so many blanks more (or fewer)."""
    return _Shift(by).item(item) if by else item


class _Shift:
    def __init__(self, by: int) -> None:
        self.by = by
        self.at_line_start = True

    def piece(self, text: str, *, fixed: bool = False) -> str:
        if fixed or not text:
            self.at_line_start = text.endswith("\n") if text else self.at_line_start
            return text
        lines = lines_of(text)
        moved = [
            self._line(line) if number or self.at_line_start else line
            for number, line in enumerate(lines)
        ]
        self.at_line_start = text.endswith("\n")
        return "".join(moved)

    def _line(self, line: str) -> str:
        if not line.strip(" \n"):
            return line
        if self.by > 0:
            return " " * self.by + line
        cut = min(-self.by, len(line) - len(line.lstrip(" ")))
        return line[cut:]

    def item(self, item: Item) -> Item:
        head = self.piece(item.head)
        value = item.value
        if isinstance(value, Leaf):
            value = Leaf(self.piece(value.text, fixed=value.fixed), value.value, value.fixed)
        elif value is not None:
            value = self.block(value)
        sep, tail = self.piece(item.sep), self.piece(item.tail)
        return Item(item.kind, head, value, sep, tail, item.key, item.group, item.names,
                    item.sides, item.conflicted)  # fmt: skip

    def block(self, block: Block) -> Block:
        opening = self.piece(block.open)
        if block.compact:
            self.at_line_start = True
        items = [self.item(item) for item in block.items]
        indent = max(block.indent + self.by, 0)
        return Block(items, block.shape, opening, self.piece(block.close), indent, block.flow,
                     block.comma, block.compact)  # fmt: skip
