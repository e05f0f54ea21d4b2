"""Package repositories as stanzas of `Field: value`, separated by blank lines."""

from __future__ import annotations

import re

from changeover.merge.formats.base import Format
from changeover.merge.formats.linewise import Header, normal, section
from changeover.merge.tree import Block, Item, Leaf, Value, blank, comment, lines_of
from changeover.merge.values import Meaning
from changeover.merge.verdict import Unreadable

_FIELD = re.compile(
    r"(?P<head>(?P<key>[^\s:#][^\s:]*)[ \t]*:)(?P<value>.*?)(?P<tail>[ \t]*\n?)\Z", re.S
)


def read(text: str) -> tuple[Block, Value]:
    """Read stanzas; each is an element of a list."""
    root = Block([], "list")
    body: list[Item] | None = None
    pending: list[Item] = []
    for line in lines_of(text):
        if not line.strip():
            pending.append(blank(line))
            body = None
        elif line.startswith("#"):
            pending.append(comment(line))
        elif line[0] in " \t" and body and not pending:
            body[-1] = _field(body[-1].text + line)
        else:
            if body is None:
                root.items.extend(pending)
                body = []
                root.items.append(section(Header("", (), ""), body))
            else:
                body.extend(pending)
            pending = []
            body.append(_field(line))
    root.items.extend(pending)
    return root, values(text)


def _field(text: str) -> Item:
    found = _FIELD.match(text)
    if found is None:
        raise Unreadable(f"not a field: {text.strip()[:60]!r}")
    head, key, value, tail = found.group("head", "key", "value", "tail")
    return Item("entry", head, Leaf(value, normal(value)), "", tail, key=(key.lower(),))


def values(text: str) -> Value:
    """Return the stanzas as a list of maps, read without the tree."""
    stanzas: list[Value] = []
    bare = re.sub(r"(?m)^#[^\n]*\n", "", text)
    for stanza in re.split(r"\n[ \t]*\n", bare):
        fields: dict[str, Value] = {}
        for field in re.split(r"\n(?=\S)", stanza.strip()):
            name, _, value = field.partition(":")
            if name.strip():
                fields[name.strip().lower()] = normal(value)
        if fields:
            stanzas.append(fields)
    return stanzas


FORMAT = Format("deb822", read, values, Meaning())
