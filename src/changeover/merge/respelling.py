"""Tables and sections that have another name now, given that name in the older texts as well.

A setting that was renamed has its value carried along by the merge itself; of a table the edits
inside are merged one by one, which takes the same table in all three texts.
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
    """Return an older text with its renamed tables called as the new reference calls them.

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
    """Return where the head of every table stands, by its path."""
    return dict(_found(form, text))


def _found(form: Format, text: str) -> Iterator[tuple[Key, tuple[int, int]]]:
    tree, _ = form.read(text)
    name_elements(form, tree)
    for path, item, offset in walk(tree):
        if isinstance(item.value, Block) and path:
            size = len(item.head) + len(item.value.open)
            yield path, (offset, offset + size)
