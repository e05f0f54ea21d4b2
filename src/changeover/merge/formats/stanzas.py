"""Stanzas: a line that is not indented opens one, the indented lines below it are its settings.

haproxy, unbound, ipsec and `/etc/network/interfaces` are written so.
"""

from __future__ import annotations

import re

from changeover.merge.formats.base import Format
from changeover.merge.formats.linewise import Header, add_repeated, section
from changeover.merge.limits import MAX_NODES
from changeover.merge.tree import (
    Block,
    Item,
    Leaf,
    Value,
    blank,
    comment,
    lines_of,
    number_repeats,
)
from changeover.merge.values import Meaning
from changeover.merge.verdict import Unreadable

_ENTRY = re.compile(r"(?P<key>[^\s=:]+|[=:])(?P<sign>[ \t]*[=:](?=\s|[^=:\s])|)(?P<value>.*)\Z")
_TWO_WORDS = {"server", "acl", "option", "timeout", "errorfile", "stats", "no", "default-server",
              "stick-table", "capture", "compression", "filter", "nameserver"}  # fmt: skip


def read(text: str) -> tuple[Block, Value]:
    """Read a file of stanzas."""
    lines = lines_of(text)
    if len(lines) > MAX_NODES:
        raise Unreadable(f"more than {MAX_NODES:,} lines")
    root = Block([])
    body, loose = root.items, list[Item]()
    for number, line in enumerate(lines):
        bare = line.strip()
        if not bare or bare[0] == "#":
            loose.append(comment(line) if bare else blank(line))
            continue
        inner = line[0].isspace()
        if bare.startswith("- "):
            raise Unreadable("a list within a stanza", number + 1)
        # What stands above a line that is not indented belongs to the file, not to the stanza.
        (body if inner else root.items).extend(loose)
        loose = []
        if inner or not _opens(lines, number):
            (body if inner else root.items).append(_entry(line))
        else:
            body = []
            root.items.append(section(Header(line, (" ".join(bare.split()),)), body))
    root.items.extend(loose)
    number_repeats(root.items)
    return root, values(text)


def _opens(lines: list[str], number: int) -> bool:
    """Return whether the next setting is indented."""
    for line in lines[number + 1 :]:
        bare = line.strip()
        if bare and bare[0] != "#":
            return line[0].isspace()
    return False


def _entry(line: str) -> Item:
    key, place = _named(line.strip())
    lead = len(line) - len(line.lstrip())
    cut = lead + place
    value = line[cut:].rstrip()
    tail = line[cut + len(value) :]
    return Item("entry", line[:cut], Leaf(value, " ".join(value.split())), "", tail, group=key)


def _named(bare: str) -> tuple[str, int]:
    """Return what a setting is called, and where its value begins."""
    found = _ENTRY.match(bare)
    assert found is not None  # noqa: S101 - any line that is not blank matches
    key, place = found["key"], found.start("value")
    second = re.match(r"\s+(\S+)", found["value"]) if key in _TWO_WORDS else None
    if second and not found["sign"]:
        return f"{key} {second[1]}", place + second.end()
    return key, place


def values(text: str) -> Value:
    """Return `{stanza: {setting: value}}`, read without the tree."""
    bare = re.sub(r"(?m)^[^\S\n]*(?:#[^\n]*)?(?:\n|\Z)", "", text)
    result: dict[str, Value] = {}
    seen: dict[str, int] = {}
    for stanza in re.split(r"\n(?=[^\s])", bare):
        first, *inner = stanza.rstrip("\n").split("\n")
        if first[:1].isspace():
            # Settings before the first stanza belong to the file.
            inner, first = [first, *inner], ""
        if not inner and first.strip():
            _put(result, first)
            continue
        place = result
        if first:
            name = " ".join(first.split())
            seen[name] = seen.get(name, 0) + 1
            place = {}
            result[name if seen[name] == 1 else f"{name}#{seen[name]}"] = place
        for line in inner:
            _put(place, line)
    return result


def _put(place: dict[str, Value], line: str) -> None:
    bare = line.strip()
    key, cut = _named(bare)
    add_repeated(place, key, " ".join(bare[cut:].split()))


FORMAT = Format("stanzas", read, values, Meaning(repeats=True))
