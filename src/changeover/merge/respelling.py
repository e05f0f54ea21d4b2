"""Tables and variables that have another name now, given that name in the older texts as well.

Most settings that were renamed have their value carried along by the merge itself. Of a table the
edits inside are merged one by one, and what may be said several times (a variable of `.env`) is
known by its place among its like: both take the same name in all three texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from changeover.merge.catalogue import detect, load
from changeover.merge.encoding import decode
from changeover.merge.formats.base import Format
from changeover.merge.replay import name_elements
from changeover.merge.tree import Block, Key, walk
from changeover.merge.verdict import Unreadable, split_path


def respelled(
    old: bytes,
    new: bytes,
    renamed: Mapping[str, str],
    *,
    format: str | None = None,
    name: str | None = None,
) -> bytes:
    """Return an older text with what was renamed called as the new reference calls it.

    Only those are that the reference has under the new name alone, and the older text under the
    old one alone. What cannot be read is returned as it is: the merge says why.
    """
    source, reference = decode(old), decode(new)
    form = load(format or detect(name, reference.text))
    text = source.text
    try:
        there = set(_tables(form, reference.text))
        for told, becomes in renamed.items():
            before, after = split_path(told), split_path(becomes)
            same_place = before[:-1] == after[:-1]
            if same_place and after in there and before not in there:
                text = _renamed(form, text, before, after)
    except Unreadable:
        return old
    return old if text == source.text else source.written(text)


def _renamed(form: Format, text: str, before: Key, after: Key) -> str:
    tables = _tables(form, text)
    if before not in tables or after in tables:
        return text
    start, end = tables[before]
    head = text[start:end]
    place = head.rfind(before[-1])
    if place < 0:
        return text
    return text[: start + place] + after[-1] + text[start + place + len(before[-1]) :]


def _tables(form: Format, text: str) -> dict[Key, tuple[int, int]]:
    """Return where the head of every table and of every repeatable setting stands, by its path."""
    return dict(_found(form, text))


def _found(form: Format, text: str) -> Iterator[tuple[Key, tuple[int, int]]]:
    tree, _ = form.read(text)
    unnamed = {id(item) for _, item, _ in walk(tree) if item.group is not None}
    name_elements(form, tree)
    for path, item, offset in walk(tree):
        if isinstance(item.value, Block) and path:
            yield path, (offset, offset + len(item.head) + len(item.value.open))
        elif id(item) in unnamed and path:
            yield path, (offset, offset + len(item.head))
