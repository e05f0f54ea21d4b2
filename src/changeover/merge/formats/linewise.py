"""Files of lines: settings, comments, and headers that open sections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from changeover.merge.formats.base import commented_setting
from changeover.merge.limits import MAX_NODES
from changeover.merge.tree import (
    Block,
    Item,
    Key,
    Leaf,
    Value,
    blank,
    comment,
    lines_of,
    number_repeats,
)
from changeover.merge.verdict import Unreadable

NO_SECTION: Key = ()


@dataclass(frozen=True)
class Header:
    """A line that opens a section; an element of a list of tables names its group instead."""

    text: str
    key: Key
    group: str | None = None


@dataclass(frozen=True)
class Dialect:
    """How one kind of line-wise file is written."""

    header: re.Pattern[str] | None
    """Its first group is the section's name."""
    entry: re.Pattern[str]
    """Groups: head, key, value, tail; has to match every line that is neither comment nor blank."""
    comments: str = "#"
    continued: str = ""
    """`indent`, `backslash` or both: how a value goes on in the next line."""
    defaults: re.Pattern[str] = re.compile(r"\s*[#;]+\s?([A-Za-z_][\w.\-]*)\s*=")
    value: Callable[[str, str], Leaf | Block] = lambda key, text: Leaf(text, normal(text))
    name: Callable[[str], str] = lambda key: key
    repeated: frozenset[str] = frozenset()
    """Sections that are elements of a list."""


def normal(text: str) -> str:
    """Return a value without the blanks around it and the marks of continued lines."""
    lines = [line.strip().removesuffix("\\").rstrip() for line in text.split("\n")]
    return "\n".join(lines).strip()


def read_lines(text: str, dialect: Dialect) -> Block:
    """Read a file of lines into its tree."""
    return sectioned(parts_of(text, dialect))


def parts_of(text: str, dialect: Dialect) -> Iterable[Item | Header]:
    """Read a file of lines into its headers and what stands between them."""
    lines = lines_of(text)
    if len(lines) > MAX_NODES:
        raise Unreadable(f"more than {MAX_NODES:,} lines")
    number = 0
    while number < len(lines):
        line = lines[number]
        stripped = line.strip()
        if not stripped:
            yield blank(line)
        elif stripped[0] in dialect.comments:
            yield comment(line, commented_setting(line, dialect.defaults))
        elif dialect.header and (found := dialect.header.match(line)):
            name = dialect.name(" ".join(found.group(1).split()))
            several = name in dialect.repeated
            yield Header(line, () if several else (name,), name if several else None)
        else:
            last = _last_line(lines, number, dialect)
            yield _entry("".join(lines[number : last + 1]), dialect, number + 1)
            number = last
        number += 1


def _last_line(lines: list[str], number: int, dialect: Dialect) -> int:
    """Return the last line of the value that begins on a line."""
    depth = _indent(lines[number])
    last, folds = number, "indent" in dialect.continued
    while last + 1 < len(lines):
        if "backslash" in dialect.continued and lines[last].rstrip().endswith("\\"):
            last += 1
            continue
        following = _deeper(lines, last + 1, depth, dialect) if folds else -1
        if following < 0:
            break
        last = following
    return last


def _deeper(lines: list[str], number: int, depth: int, dialect: Dialect) -> int:
    """Return the next line beyond comments if it is indented deeper, else -1."""
    marks = tuple(dialect.comments)
    if not lines[number][0].isspace() and lines[number][0] not in marks:
        return -1
    while number < len(lines) and lines[number].lstrip()[:1] in marks:
        number += 1
    deeper = number < len(lines) and lines[number].strip() and _indent(lines[number]) > depth
    return number if deeper else -1


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _entry(text: str, dialect: Dialect, number: int) -> Item:
    made = _made(dialect.entry, dialect.name, dialect.value, text)
    if made is None:
        raise Unreadable(
            f"neither a setting, a comment nor a section: {text.strip()[:60]!r}", number
        )
    head, name, value, tail = made
    if isinstance(value, Block):
        value = dialect.value(name, value.text)
    return Item("entry", head, value, "", tail, group=name)


@lru_cache(maxsize=8192)
def _made(
    entry: re.Pattern[str],
    named: Callable[[str], str],
    valued: Callable[[str, str], Leaf | Block],
    text: str,
) -> tuple[str, str, Leaf | Block, str] | None:
    """Cut an entry into head, name, value and tail: most lines come in all three texts."""
    found = entry.match(text)
    if found is None:
        return None
    head, key, value, tail = found.group("head", "key", "value", "tail")
    return head, named(key), valued(named(key), value), tail


def sectioned(parts: Iterable[Item | Header]) -> Block:
    """Build the tree of a file: what precedes the first header, then the sections."""
    body: list[Item] = []
    root = Block([section(Header("", NO_SECTION), body)])
    for part in parts:
        if isinstance(part, Item):
            body.append(part)
            continue
        root.items.extend(_before_header(body, _indent(part.text)))
        body = []
        root.items.append(section(part, body))
    number_repeats(root.items)
    return root


def section(header: Header, body: list[Item]) -> Item:
    """Make a section of a header and its children."""
    return Item("entry", header.text, Block(body), key=header.key, group=header.group)


def _before_header(body: list[Item], indent: int) -> list[Item]:
    """Take what stands above a header, rather than in the section before it."""
    cut = len(body)
    while cut and body[cut - 1].kind == "comment" and body[cut - 1].names is None:
        if _indent(body[cut - 1].head) > indent:
            break
        cut -= 1
    if cut and body[cut - 1].kind == "comment":
        return []
    while cut and body[cut - 1].kind == "blank":
        cut -= 1
    taken = body[cut:]
    del body[cut:]
    return taken


def collect(
    pairs: Iterable[tuple[str, str, Value]], sections: Iterable[str] = ()
) -> dict[str, Value]:
    """Build `{section: {setting: value}}`; settings that are repeated become lists."""
    result: dict[str, Value] = {name: {} for name in sections}
    for where, key, value in pairs:
        place = result.setdefault(where, {}) if where else result
        if isinstance(place, dict):
            add_repeated(place, key, value)
    return result


def add_repeated(place: dict[str, Value], key: str, value: Value) -> None:
    """Put a value at a key; a second one makes a list of both."""
    known = place.get(key)
    if known is None:
        place[key] = value
    elif isinstance(known, list):
        known.append(value)
    else:
        place[key] = [known, value]
