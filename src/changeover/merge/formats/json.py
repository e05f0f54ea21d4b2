"""JSON, with the comments and trailing commas that some programs allow."""

from __future__ import annotations

import json
import re

from changeover.merge.encoding import require_utf8
from changeover.merge.formats.base import Format, Read
from changeover.merge.formats.brackets import Child, bracketed
from changeover.merge.limits import MAX_DEPTH, MAX_NODES, refuse_masses
from changeover.merge.tree import Block, Item, Leaf, Plain, Value, blank, comment, copied, lines_of
from changeover.merge.values import Meaning
from changeover.merge.verdict import Unreadable

_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SPACES = frozenset((" ", "\n", "\t", "\r", "/"))
_CONSTANTS = {word: Plain("constant", word) for word in ("true", "false", "null")}
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_ATOM = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")
_SIMPLE = re.compile(
    rf'"(?P<key>[^"\\\n]*)":[ \t]*(?P<value>"[^"\\\n]*"|{_ATOM.pattern})(?=[\s,}}])'
)


_SHORTEST, _LONGEST, _MOST = 48, 4_000, 2_000_000
"""Of an element that is remembered, and of all of them, in characters."""
_ALIKE = 16
"""Elements remembered that begin alike."""
Known = dict[tuple[str, int, bool], list[tuple[str, Child]]]
"""Elements by how they begin, how deep they are and whether they have a name."""


class _Reader:
    def __init__(self, text: str, known: Known | None = None) -> None:
        self.text, self.count = text, 0
        self.known: Known = {} if known is None else known
        self.room = 0 if known or known is None else _MOST

    def fail(self, what: str, place: int) -> Unreadable:
        line = self.text.count("\n", 0, place) + 1
        return Unreadable(f"not JSON: {what}", line, place - self.text.rfind("\n", 0, place))

    def space(self, place: int) -> int:
        if self.text[place : place + 1] not in _SPACES:
            return place
        found = _SPACE.match(self.text, place)
        return found.end() if found else place

    def value(self, start: int, depth: int) -> tuple[Leaf | Block, int]:
        """Read the value at a place; return it and where it ends."""
        self.count += 1
        if depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH} levels", start)
        if self.count > MAX_NODES:
            raise self.fail(f"more than {MAX_NODES:,} values", start)
        sign = self.text[start : start + 1]
        if sign in ("{", "["):
            return self._collection(start, depth)
        found = (_STRING if sign == '"' else _ATOM).match(self.text, start)
        if found is None:
            raise self.fail("a value is expected", start)
        return Leaf(found.group(0), self._scalar(found.group(0), start)), found.end()

    def _scalar(self, text: str, place: int) -> Value:
        if text[0] != '"':
            return _CONSTANTS.get(text) or Plain("number", text)
        if "\\" not in text:
            return text[1:-1]
        try:
            return str(json.loads(text))
        except ValueError as error:
            raise self.fail(f"{text[:40]} is no value", place) from error

    def _collection(self, start: int, depth: int) -> tuple[Block, int]:
        closing = "}" if self.text[start] == "{" else "]"
        children: list[Child] = []
        place = self.space(start + 1)
        while self.text[place : place + 1] != closing:
            child = self._child(place, depth, named=closing == "}")
            children.append(child)
            place = self.space(child.end)
            if self.text[place : place + 1] == ",":
                place = self.space(place + 1)
            elif self.text[place : place + 1] != closing:
                raise self.fail(f"a comma or {closing} is expected", place)
        shape = "map" if closing == "}" else "list"
        block = bracketed(self.text, (start, place + 1), (start + 1, place), children, shape)
        names = [item.key for item in block.entries]
        if shape == "map" and len(set(names)) < len(names):
            raise self.fail("a key is there twice", start)
        return block, place + 1

    def _child(self, place: int, depth: int, *, named: bool) -> Child:
        where = (self.text[place : place + _SHORTEST], depth, named)
        alike = self.known.get(where, [])
        for text, child in alike:
            # What opens and closes brackets of its own is the same wherever it stands.
            if self.text.startswith(text, place):
                value = copied(Item("entry", "", child.value)).value or child.value
                start = place + child.value_start - child.start
                return Child(place, start, place + len(text), value, child.key)
        child = self._new_child(place, depth, named=named)
        size = child.end - place
        fits = _SHORTEST <= size <= min(_LONGEST, self.room) and len(alike) < _ALIKE
        if fits and isinstance(child.value, Block):
            self.room -= size
            self.known.setdefault(where, []).append((self.text[place : child.end], child))
        return child

    def _new_child(self, place: int, depth: int, *, named: bool) -> Child:
        if not named:
            value, end = self.value(place, depth + 1)
            return Child(place, place, end, value)
        simple = _SIMPLE.match(self.text, place)
        if simple is not None:
            self.count += 1
            text = simple["value"]
            leaf = Leaf(text, self._scalar(text, place))
            return Child(place, simple.start("value"), simple.end(), leaf, (simple["key"],))
        return self._member(place, depth)

    def _member(self, place: int, depth: int) -> Child:
        found = _STRING.match(self.text, place)
        if found is None:
            raise self.fail("a key in double quotes is expected", place)
        colon = self.space(found.end())
        if self.text[colon : colon + 1] != ":":
            raise self.fail("a colon is expected", colon)
        start = self.space(colon + 1)
        value, end = self.value(start, depth + 1)
        key = self._scalar(found.group(0), place)
        return Child(place, start, end, value, (str(key),))


def read_several() -> Read:
    """Return a reader for texts that have much in common."""
    known: Known = {}
    return lambda text: read(text, known)


def read(text: str, known: Known | None = None) -> tuple[Block, Value]:
    """Read a JSON text; elements known from an earlier one are not read again."""
    require_utf8(text)
    refuse_masses(text)
    reader = _Reader(text, known)
    start = reader.space(0)
    value, end = reader.value(start, 0)
    rest = reader.space(end)
    if rest < len(text):
        raise reader.fail("something follows the value", rest)
    root = Block()
    lead = text[:start]
    for line in lines_of(lead):
        if line.endswith("\n"):
            root.items.append(comment(line) if line.strip() else blank(line))
            lead = lead[len(line) :]
    root.items.append(Item("entry", lead, value, "", text[end:]))
    return root, values(text)


def values(text: str) -> Value:
    """Return the value, read by the standard library once comments are gone."""
    try:
        return _load(text)
    except (ValueError, RecursionError):
        bare = _STRING_OR_COMMENT.sub(lambda found: found.group(1) or " ", text)
        bare = _TRAILING.sub(lambda found: found.group(1) or "", bare)
    try:
        return _load(bare)
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", None), getattr(error, "colno", None)
        raise Unreadable(f"not JSON: {error}", line, column) from error


_STRING_OR_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING = re.compile(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)


def _load(text: str) -> Value:
    return canonical(json.loads(text, parse_int=_number, parse_float=_number,
                                parse_constant=_number))  # fmt: skip


def _number(text: str) -> Plain:
    return Plain("number", text)


def canonical(value: object) -> Value:
    """Return a loaded value with typed scalars."""
    if isinstance(value, dict):
        return {key: canonical(inner) for key, inner in value.items()}
    if isinstance(value, (Plain, str)):
        return value
    if isinstance(value, list):
        return [canonical(inner) for inner in value]
    return Plain("constant", "null" if value is None else str(value).lower())


def make(key: str, value: Value, block: Block, like: Item | None) -> Item | None:
    """Write a new entry for an object or array."""
    lead = f"{json.dumps(key, ensure_ascii=False)}: " if block.shape == "map" else ""
    return Item("entry", lead, Leaf(text_of(value), value), key=(key,))


def text_of(value: Value) -> str:
    """Write a value on one line."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k, ensure_ascii=False)}: {text_of(v)}" for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(text_of, value)) + "]"
    return value.text if isinstance(value, Plain) else json.dumps(value, ensure_ascii=False)


def answered(text: str, like: Leaf) -> str:
    """Write an answer: as it is where it is JSON, else as a string."""
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(text, ensure_ascii=False)
    return text


FORMAT = Format("json", read, values, Meaning(), answered, make, several=read_several)
