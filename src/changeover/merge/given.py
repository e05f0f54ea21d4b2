"""Settings written into a file as somebody gave them: a required one that no text has."""

from __future__ import annotations

import re
from copy import deepcopy

from changeover.merge.catalogue import detect, load
from changeover.merge.encoding import decode
from changeover.merge.formats.base import Format
from changeover.merge.replay import name_elements, replay
from changeover.merge.tree import Block, Item, Key, Leaf, Value, walk
from changeover.merge.verdict import Unreadable, shown_path, split_path

_STANDS_IN = "stands-in-for-what-was-given"
_LINES = {
    "dotenv": "{0}={1}",
    "ini": "{0} = {1}",
    "systemd": "{0}={1}",
    "directives": "{0} {1}",
    "sshd": "{0} {1}",
    "nginx": "{0} {1};",
    "deb822": "{0}: {1}",
}
"""How a setting is spelled in formats of lines."""


def with_setting(
    content: bytes, path: str, literal: str, *, format: str | None = None, name: str | None = None
) -> bytes:
    """Return a file in which a setting has a value, spelled as that format spells it.

    Raises `Unreadable` where the setting has no place in the file, or the spelling is no value.
    """
    source = decode(content)
    form = load(format or detect(name, source.text))
    key = split_path(path)
    text = _as_line(form, source.text, key, literal) or _by_value(form, source.text, key, literal)
    if text is None:
        raise Unreadable(f"{path}: has no place in a file of the format {form.name}")
    form.values(text)
    return source.written(text)


def with_value(form: Format, text: str, path: Key, literal: str) -> str:
    """Return a text in which a setting has the value that was given for it in a conflict.

    Raises `Unreadable` where it has no place in the text.
    """
    tree, _ = form.read(text)
    name_elements(form, tree)
    for found, item, offset in walk(tree):
        if found == path and isinstance(item.value, Leaf):
            start = offset + len(item.head)
            end = start + len(item.value.text)
            return text[:start] + form.value_text(literal, item.value) + text[end:]
    written = _as_line(form, text, path, literal) or _by_value(form, text, path, literal)
    if written is None:
        said = f"{shown_path(path)}: a value cannot be written there; answer ours or theirs"
        raise Unreadable(said)
    form.values(written)
    return written


def _as_line(form: Format, text: str, key: Key, literal: str) -> str | None:
    if form.name not in _LINES:
        return None
    tree, _ = form.read(text)
    name_elements(form, tree)
    for path, item, offset in walk(tree):
        if path == key and item.value is not None and not isinstance(item.value, Block):
            start, old = offset + len(item.head), item.value.text
            lead = old[: len(old) - len(old.lstrip())]
            return text[:start] + lead + literal + text[start + len(old.rstrip()) :]
    line = _LINES[form.name].format(key[-1], literal)
    for path, item, offset in walk(tree):
        if path == key[:-1] and isinstance(item.value, Block):
            return _below(text, item, item.value, offset, line)
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n" if (
        len(key) == 1
    ) else None  # fmt: skip


def _below(text: str, item: Item, block: Block, offset: int, line: str) -> str:
    """Put a line after the last entry of a block, indented like it."""
    last = max((n for n, one in enumerate(block.items) if one.value is not None), default=-1)
    before = "".join(one.text for one in block.items[: last + 1])
    at = offset + len(item.head) + len(block.open) + len(before)
    head = block.items[last].head if last >= 0 else ""
    indent = re.match(r"[ \t]*", head.rpartition("\n")[2])
    lead = "" if text[:at].endswith("\n") else "\n"
    return f"{text[:at]}{lead}{indent[0] if indent else ''}{line}\n{text[at:]}"


def _by_value(form: Format, text: str, key: Key, literal: str) -> str | None:
    """Write something that stands in for the value by structure, then put the value there."""
    value = form.values(text)
    wanted = _put(value, key)
    written = replay(form, text, value, wanted) if wanted is not None else None
    if written is None or _STANDS_IN not in written:
        return None
    return re.sub(rf"""(["']?){_STANDS_IN}\1""", lambda _: literal, written, count=1)


def _put(value: Value, path: Key) -> Value | None:
    """Return the meaning with something new at a path; None where a part of it is no table."""
    whole = deepcopy(value)
    inner = whole
    for word in path[:-1]:
        if not isinstance(inner, dict):
            return None
        inner = inner.setdefault(word, {})
    if not isinstance(inner, dict):
        return None
    inner[path[-1]] = _STANDS_IN
    return whole
