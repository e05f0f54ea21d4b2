"""An override that is there already, looked at again when the file it lies over changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from changeover.merge.catalogue import detect
from changeover.merge.encoding import decode
from changeover.merge.engine import Identity, merge
from changeover.merge.formats.base import Format
from changeover.merge.layers import Lists, lists_of
from changeover.merge.layout import settle_commas
from changeover.merge.overriding import overriding_form
from changeover.merge.replay import name_elements
from changeover.merge.tree import Block, Item, Key
from changeover.merge.verdict import Answer, Merged


def followed(  # noqa: PLR0913 - a public door; all but three are named
    base: bytes | None,
    over: bytes,
    theirs: bytes,
    *,
    name: str,
    format: str | None = None,
    identity: Identity | None = None,
    renamed: Mapping[str, str] | None = None,
    answers: Mapping[str, Answer | str] | None = None,
) -> Merged:
    """Return an override as it has to be over a new reference; it stays as it is where it can.

    What the reference changed as well, or took away, is a conflict: the override would hide it.
    Raises `Unreadable`.
    """
    text = decode(over).text
    form = overriding_form(format or detect(name, text))
    moves = dict(renamed or {})
    sides = [_beneath(form, side, text, moves) for side in (base, theirs)]
    return merge(sides[0], over, sides[1] or b"", format=form.name, name=name, identity=identity,
                 renamed=moves, answers=answers)  # fmt: skip


def _beneath(
    form: Format, content: bytes | None, over: str, renamed: Mapping[str, str]
) -> bytes | None:
    """Return what a reference says about the settings of an override."""
    if content is None:
        return None
    source = decode(content)
    tree, known = form.read(source.text)[0], form.read(over)[0]
    for one in (tree, known):
        name_elements(form, one)
    wanted = {*renamed, *renamed.values()}
    cut = _cut(form, tree, known, (), wanted)
    text = cut.text if cut is not None else ""
    return source.written(text if text.strip() or form.name != "json" else "{}\n")


def _cut(form: Format, block: Block, over: Block, path: Key, wanted: set[str]) -> Block | None:
    known = {item.key: item for item in over.entries}
    items: list[Item] = []
    for item in block.entries:
        where = (*path, *item.key)
        other = known.get(item.key)
        both = other is not None and _divides(form, item, other, where)
        if both and other is not None:
            assert isinstance(item.value, Block) and isinstance(other.value, Block)  # noqa: S101, PT018
            inner = _cut(form, item.value, other.value, where, wanted)
            items += [replace(item, value=inner, _text=None)] if inner is not None else []
        elif other is not None or ".".join(where) in wanted:
            items.append(item)
    if not items:
        return None
    cut = replace(block, items=items)
    return settle_commas(cut, block) if block.flow else cut


def _divides(form: Format, item: Item, other: Item, path: Key) -> bool:
    one, two = item.value, other.value
    if not isinstance(one, Block) or not isinstance(two, Block) or one.shape != two.shape:
        return False
    return one.shape == "map" or lists_of(form.name, path) is not Lists.REPLACED
