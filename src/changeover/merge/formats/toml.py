"""TOML: tables are sections, elements of arrays of tables hold their sub-tables."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache

from changeover.merge.encoding import require_utf8
from changeover.merge.formats.base import Format, Read, commented_setting
from changeover.merge.formats.brackets import Child, bracketed
from changeover.merge.formats.linewise import Header, sectioned
from changeover.merge.formats.sections import Sections
from changeover.merge.formats.toml_values import answered, canonical, make, tables, values
from changeover.merge.limits import MAX_DEPTH, refuse_masses
from changeover.merge.tree import Block, Item, Key, Leaf, Value, blank, comment, number_repeats
from changeover.merge.values import Meaning
from changeover.merge.verdict import Unreadable

_PART = r"(?:[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')"
_KEY = re.compile(rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*")
_SINGLE = re.compile(_PART)
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_KEY.pattern})[ \t]*\]\]?[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_SCALAR = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:\'{0,2})|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\''
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[ Tt][0-9:.]+(?:[Zz]|[+-][0-9:]+)?|[^\s,\]}#]+",
    re.DOTALL,
)
_SIMPLE = re.compile(
    rf"(?P<head>[ \t]*(?P<key>{_KEY.pattern})[ \t]*=)"
    r"(?P<value>[ \t]*(?:\"[^\"\\\x00-\x1f\x7f]*\"(?!\")|true|false|0|[1-9][0-9]*))"
    r"(?P<tail>[ \t]*(?:#[^\n]*)?\n)"
)
_GAP = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BLANKS = re.compile(r"[ \t]*")
_TAIL = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_DEFAULT = re.compile(rf"\s*#+\s?({_KEY.pattern})\s*=")


def read(text: str) -> tuple[Block, Value]:
    """Read a TOML file."""
    require_utf8(text)
    refuse_masses(text)
    reader = _Reader(text)
    return _finished(reader.parts(), text)


def _finished(parts: list[Item | Header], text: str) -> tuple[Block, Value]:
    value = tables(parts)
    if value is None:
        # The library says what is wrong, or knows better.
        value = values(text)
    return _nested(sectioned(parts)), value


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def fail(self, what: str, place: int) -> Unreadable:
        line = self.text.count("\n", 0, place) + 1
        return Unreadable(f"not TOML: {what}", line, place - self.text.rfind("\n", 0, place))

    def parts(self) -> list[Item | Header]:
        parts: list[Item | Header] = []
        place = 0
        while place < len(self.text):
            end = self.text.find("\n", place) + 1 or len(self.text)
            line = self.text[place:end]
            stripped = line.strip()
            if not stripped:
                parts.append(blank(line))
            elif stripped[0] == "#":
                parts.append(comment(line, commented_setting(line, _DEFAULT)))
            elif stripped[0] == "[":
                parts.append(self._header(place))
            else:
                part, end = self._entry(place)
                parts.append(part)
            place = end
        return parts

    def _header(self, place: int) -> Header:
        found = _HEADER.match(self.text, place)
        if found is None:
            raise self.fail("a table's name is expected", place)
        key = self._words(found.group(2), place)
        return Header(found.group(0), key, ".".join(key) if found.group(1) == "[[" else None)

    def _entry(self, place: int) -> tuple[Item, int]:
        found = _SIMPLE.match(self.text, place)
        if found is not None:
            head, text, tail = found.group("head", "value", "tail")
            lead = text[: len(text) - len(text.lstrip())]
            leaf = Leaf(text, scalar(text[len(lead) :]))
            key = self._words(found["key"], place)
            return Item("entry", head, leaf, "", tail, key), found.end()
        return self._any_entry(place)

    def _any_entry(self, place: int) -> tuple[Item, int]:
        start = self._skip(_BLANKS, place)
        found = _KEY.match(self.text, start)
        equals = self._skip(_BLANKS, found.end()) if found else start
        if found is None or self.text[equals : equals + 1] != "=":
            raise self.fail("`key = value` is expected", start)
        value_start = self._skip(_BLANKS, equals + 1)
        value, end = self.value(value_start, 0)
        tail = _TAIL.match(self.text, end)
        if tail is None:
            raise self.fail("a line has to end after its value", end)
        lead = self.text[equals + 1 : value_start]
        if isinstance(value, Leaf):
            value = Leaf(lead + value.text, value.value, value.fixed)
        else:
            value.open = lead + value.open
        head = self.text[place : equals + 1]
        key = self._words(found.group(0), start)
        return Item("entry", head, value, "", tail.group(0), key), tail.end()

    def _skip(self, pattern: re.Pattern[str], place: int) -> int:
        found = pattern.match(self.text, place)
        return found.end() if found else place

    def value(self, start: int, depth: int) -> tuple[Leaf | Block, int]:
        """Read the value at a place; return it and where it ends."""
        if depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH} levels", start)
        if self.text[start : start + 1] in ("[", "{"):
            return self._collection(start, depth)
        found = _SCALAR.match(self.text, start)
        if found is None:
            raise self.fail("a value is expected", start)
        text = found.group(0)
        try:
            value = scalar(text)
        except tomllib.TOMLDecodeError as error:
            raise self.fail(f"{text[:40]} is no value", start) from error
        return Leaf(text, value, fixed="\n" in text), found.end()

    def _collection(self, start: int, depth: int) -> tuple[Block, int]:
        closing = "]" if self.text[start] == "[" else "}"
        children: list[Child] = []
        place = self._skip(_GAP, start + 1)
        while self.text[place : place + 1] != closing:
            child = self._child(place, depth, named=closing == "}")
            children.append(child)
            place = self._skip(_GAP, child.end)
            if self.text[place : place + 1] == ",":
                place = self._skip(_GAP, place + 1)
            elif self.text[place : place + 1] != closing:
                raise self.fail(f"a comma or {closing} is expected", place)
        shape = "list" if closing == "]" else "map"
        block = bracketed(self.text, (start, place + 1), (start + 1, place), children, shape)
        return block, place + 1

    def _child(self, place: int, depth: int, *, named: bool) -> Child:
        if not named:
            value, end = self.value(place, depth + 1)
            return Child(place, place, end, value)
        found = _KEY.match(self.text, place)
        equals = self._skip(_BLANKS, found.end()) if found else place
        if found is None or self.text[equals : equals + 1] != "=":
            raise self.fail("`key = value` is expected", place)
        start = self._skip(_BLANKS, equals + 1)
        value, end = self.value(start, depth + 1)
        return Child(place, start, end, value, self._words(found.group(0), place))

    def _words(self, key: str, place: int) -> Key:
        try:
            return words(key)
        except tomllib.TOMLDecodeError as error:
            raise self.fail(f"{key[:40]} is no key", place) from error


@lru_cache(maxsize=4096)
def scalar(text: str) -> Value:
    """Return what one scalar means."""
    return canonical(tomllib.loads(f"v = {text}\n")["v"])


@lru_cache(maxsize=4096)
def words(key: str) -> Key:
    """Return the words of a dotted key."""
    return tuple(str(scalar(word)) if word[0] in "'\"" else word for word in _SINGLE.findall(key))


def _nested(root: Block) -> Block:
    """Put the sub-tables of an array's element inside the element."""
    top = Block([])
    open_elements: list[tuple[Key, Block]] = []
    for item in root.items:
        name = tuple((item.group or "").split(".")) if item.group else item.key
        name = _header_words(item) if item.value is not None and item.head else name
        while open_elements and item.value is not None and not _beneath(name, open_elements[-1][0]):
            _return_loose(open_elements.pop()[1], _owner(top, open_elements))
        owner = _owner(top, open_elements)
        prefix = open_elements[-1][0] if open_elements else ()
        if item.group is None:
            item.key = name[len(prefix) :] if item.value is not None else ()
        else:
            item.group = ".".join(name[len(prefix) :])
            element = Block([Item("entry", "", item.value)])
            item.value = element
            open_elements.append((name, element))
        owner.items.append(item)
    while open_elements:
        _return_loose(open_elements.pop()[1], _owner(top, open_elements))
    number_repeats(top.items)
    return top


def _owner(top: Block, open_elements: list[tuple[Key, Block]]) -> Block:
    return open_elements[-1][1] if open_elements else top


def _beneath(name: Key, prefix: Key) -> bool:
    return len(name) > len(prefix) and name[: len(prefix)] == prefix


def _return_loose(element: Block, owner: Block) -> None:
    """Give back comments and blanks behind an element: they stand between elements."""
    cut = len(element.items)
    while element.items[cut - 1].value is None:
        cut -= 1
    owner.items.extend(element.items[cut:])
    del element.items[cut:]


def _header_words(item: Item) -> Key:
    found = _HEADER.match(item.head)
    return words(found.group(2)) if found else item.key


def _parts(text: str) -> list[Item | Header]:
    return _Reader(text).parts()


def read_several() -> Read:
    """Return a reader for texts that have much in common."""
    pieces = Sections(re.compile(r"(?m)^\["), lambda text: _parts, _finished, read)

    def read_one(text: str) -> tuple[Block, Value]:
        require_utf8(text)
        refuse_masses(text)
        return pieces.read(text)

    return read_one


FORMAT = Format("toml", read, values, Meaning(), answered, make, several=read_several)
