"""From the events of the YAML parser to plain data and marks, within limits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml
from yaml import events

from changeover.errors import InvalidInput

DEEPEST = 100
"""Levels of nesting."""

MOST_VALUES = 100_000
"""Values a document may have once its aliases are followed."""

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_START = frozenset("+-.0123456789")
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_LONGEST_NUMBER = 400


@dataclass(slots=True)
class Mark:
    """Where a value stands (lines and columns count from 1), and the marks below it."""

    line: int = 1
    column: int = 1
    key_line: int = 0
    key_column: int = 0
    raw: str = ""
    below: dict[str | int, Mark] | None = None

    def child(self, word: str | int) -> Mark | None:
        """Return the mark of a key or list position."""
        return self.below.get(word) if self.below else None


@dataclass
class _Anchor:
    value: Any
    mark: Mark
    size: int


class Reader:
    """Builds one document from the events of the parser."""

    def __init__(self, text: str, file: str, *, zeros: bool = True) -> None:
        self._file, self._zeros = file, zeros
        self._events = self._parsed(text)
        self._anchors: dict[str, _Anchor | None] = {}
        self._count = 0

    def document(self) -> tuple[Any, Mark]:
        """Return the only document's data and marks; an empty file is None."""
        next(self._events)
        if isinstance(next(self._events), events.StreamEndEvent):
            return None, Mark()
        built = self._value(next(self._events), 0)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, events.StreamEndEvent):
            self._fail(after, "a second document starts here", "keep one document in a file")
        return built

    def _parsed(self, text: str) -> Iterator[Any]:
        parser = None
        try:
            parser = _Parser(text)
            while True:
                event = parser.get_event()
                yield event
                if isinstance(event, events.StreamEndEvent):
                    return
        except yaml.MarkedYAMLError as error:
            raise self._explained(error, text) from None
        except yaml.YAMLError as error:
            raise InvalidInput(f"{self._file}: not YAML: {error}") from None
        finally:
            if parser is not None:
                parser.dispose()

    def _explained(self, error: yaml.MarkedYAMLError, text: str) -> InvalidInput:
        mark = error.problem_mark or error.context_mark
        at = f"{self._file}:{mark.line + 1}:{mark.column + 1}" if mark else self._file
        lines = text.splitlines()
        line = lines[mark.line] if mark and mark.line < len(lines) else ""
        if "\t" in line[: len(line) - len(line.lstrip())]:
            return InvalidInput(f"{at}: a tab indents this line", "indent with spaces")
        what = " ".join(filter(None, (error.problem, error.context))) or "not YAML"
        return InvalidInput(f"{at}: {what}", "correct the YAML here or on the line before")

    def _fail(self, event: Any, what: str, remedy: str) -> NoReturn:
        mark = event.start_mark
        raise InvalidInput(f"{self._file}:{mark.line + 1}:{mark.column + 1}: {what}", remedy)

    def _value(self, event: Any, depth: int) -> tuple[Any, Mark]:
        self._count += 1
        if self._count > MOST_VALUES or depth > DEEPEST:
            bound = f"{MOST_VALUES} values" if depth <= DEEPEST else f"{DEEPEST} levels of nesting"
            self._fail(event, f"more than {bound}", "split the file, or write less into it")
        if isinstance(event, events.AliasEvent):
            return self._alias(event)
        mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
        anchor = event.anchor
        if anchor:
            self._anchors[anchor] = None
        before = self._count
        value = self._built(event, mark, depth)
        if anchor:
            self._anchors[anchor] = _Anchor(value, mark, self._count - before + 1)
        return value, mark

    def _built(self, event: Any, mark: Mark, depth: int) -> Any:
        if isinstance(event, events.ScalarEvent):
            return self._scalar(event, mark)
        if event.tag and not event.implicit:
            self._fail(event, f"the tag {event.tag} means nothing here", "remove it")
        if isinstance(event, events.MappingStartEvent):
            return self._mapping(mark, depth)
        return self._sequence(mark, depth)

    def _alias(self, event: Any) -> tuple[Any, Mark]:
        found = self._anchors.get(event.anchor, False)
        if found is None:
            self._fail(event, f"*{event.anchor} stands inside itself", "remove the alias")
        if not isinstance(found, _Anchor):
            self._fail(
                event, f"*{event.anchor} names no anchor above", f"define &{event.anchor} first"
            )
        self._count += found.size
        if self._count > MOST_VALUES:
            self._fail(event, f"aliases unfold to more than {MOST_VALUES} values", "write less")
        return found.value, found.mark

    def _sequence(self, mark: Mark, depth: int) -> list[Any]:
        values: list[Any] = []
        marks: dict[str | int, Mark] = {}
        mark.below = marks
        while not isinstance(event := next(self._events), events.SequenceEndEvent):
            value, below = self._value(event, depth + 1)
            marks[len(values)] = below
            values.append(value)
        return values

    def _mapping(self, mark: Mark, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        marks: dict[str | int, Mark] = {}
        mark.below = marks
        while not isinstance(event := next(self._events), events.MappingEndEvent):
            key = self._key(event)
            if key in values:
                first = marks[key].key_line
                self._fail(event, f"`{key}` stands here twice", f"first on line {first}: keep one")
            values[key], below = self._value(next(self._events), depth + 1)
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            # An alias shares the mark of its anchor: its key has a place of its own.
            marks[key] = Mark(below.line, below.column, line, column, below.raw, below.below)
        return values

    def _key(self, event: Any) -> str:
        if not isinstance(event, events.ScalarEvent) or event.anchor:
            self._fail(event, "a key must be a plain word", "write the key as a string")
        if event.value == "<<" and not event.style:
            self._fail(event, "merge keys (<<) are not YAML 1.2", "write the keys out")
        self._refuse_zero(event)
        return str(event.value)

    def _scalar(self, event: Any, mark: Mark) -> Any:
        # The C parser says "" for a plain scalar, the Python one None.
        text: str = event.value
        if event.tag and event.tag not in ("!", "tag:yaml.org,2002:str"):
            self._fail(event, f"the tag {event.tag} means nothing here", "remove it")
        if not event.implicit[0] or event.style:
            self._refuse_zero(event)
            return text
        if text in _WORDS:
            mark.raw = text
            return _WORDS[text]
        if text[0] in _NUMBER_START and len(text) < _LONGEST_NUMBER:
            number = _number(text)
            if number is not None:
                mark.raw = text
                return number
        return text

    def _refuse_zero(self, event: Any) -> None:
        # No path, word of a command, address or name can hold one: it would be cut off there.
        if not self._zeros and "\0" in event.value:
            remedy = "for a backslash and a zero use single quotes: '\\0'"
            self._fail(event, "a zero byte stands in this text", remedy)


def _number(text: str) -> int | float | None:
    if _INT.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    infinite = _INFINITE.fullmatch(text)
    if infinite:
        return -math.inf if infinite[1] == "-" else math.inf
    return math.nan if text in (".nan", ".NaN", ".NAN") else None
