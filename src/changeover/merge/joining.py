"""Several files laid into each other, as the reference has them in one now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from changeover.merge.formats.base import Format
from changeover.merge.identity import facts
from changeover.merge.layout import placed, settle_commas
from changeover.merge.replay import name_elements
from changeover.merge.settings import value_at
from changeover.merge.tree import Block, Item, Key, Plain, Value
from changeover.merge.verdict import Conflict, Side, shown_path

_ONE_ALONE = ("http", "events", "stream", "mail")
"""Blocks of nginx that a configuration has once: two of them are one."""


@dataclass(frozen=True)
class Text:
    """One of several files, in the same state of all of them."""

    name: str
    text: str


def laid_together(form: Format, texts: Sequence[Text]) -> str:
    """Return one text that says what all say; where two say another thing, the last counts."""
    if form.name == "text":
        return "".join(one.text for one in texts)
    trees = [form.read(one.text)[0] for one in texts if one.text.strip()] or [form.read("")[0]]
    for tree in trees:
        name_elements(form, tree)
    first, *others = trees
    for tree in others:
        first = _laid(first, tree)
    return first.text


def _laid(block: Block, other: Block) -> Block:
    """Put the children of another block into one, remarks with what they stand above."""
    items = list(block.items)
    remarks = {item.head.strip() for item in items if item.kind == "comment"}
    loose: list[Item] = []
    for item in other.items:
        if item.value is None:
            if item.kind == "blank" or item.head.strip() not in remarks:
                loose.append(placed(item, other, block))
            continue
        place = next((n for n, known in enumerate(items) if _is_same(known, item)), None)
        if place is None:
            items += [*loose, placed(item, other, block)]
        else:
            items[place] = _one_of(items[place], placed(item, other, block))
            items[place:place] = [one for one in loose if one.kind == "comment"]
        loose = []
    grown = replace(block, items=[*items, *loose])
    return settle_commas(grown, block) if block.flow and len(items) > len(block.items) else grown


def _is_same(one: Item, other: Item) -> bool:
    """Say whether two entries are the same setting; what may be repeated is not, but for copies."""
    if one.value is None or one.key != other.key or one.group != other.group:
        return False
    if one.group is None:
        return True
    if one.group == "" or isinstance(other.value, Block):
        return one.plain == other.plain or one.group in _ONE_ALONE
    return True


def _one_of(one: Item, other: Item) -> Item:
    if isinstance(one.value, Block) and isinstance(other.value, Block):
        return replace(one, value=_laid(one.value, other.value), _text=None)
    return one if one.plain == other.plain else other


def doubled(
    form: Format, bases: Sequence[Text | None], ours: Sequence[Text]
) -> Iterator[tuple[Key, Conflict]]:
    """Yield the settings edited in one file while another one says something else last."""
    was = [form.values(base.text) if base else None for base in bases]
    now = [form.values(one.text) for one in ours]
    for path in dict.fromkeys(path for value in now for path in _leaves(value, ())):
        if len(path) > 1 and form.name == "nginx":
            continue  # blocks of one name are several things
        said = [(n, found) for n, v in enumerate(now) if (found := value_at(v, path)) is not None]
        last = said[-1][1]
        lost = [n for n, v in said[:-1] if v not in (last, value_at(was[n], path))]
        if lost:
            yield path, _doubled(path, [(ours[n].name, value) for n, value in said])


def _doubled(path: Key, said: Sequence[tuple[str, Value]]) -> Conflict:
    shown = "; ".join(f"{name}: {_shown(value)}" for name, value in said)
    reason = "one file can say one thing: the last one is kept"
    return Conflict(shown_path(path), "doubled", None, Side(shown), None, reason)


def _shown(value: Value) -> str:
    return value.text if isinstance(value, Plain) else str(value)


def _leaves(value: Value, path: Key) -> Iterator[Key]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif not isinstance(value, list):
        yield path


def loses(form: Format, texts: Sequence[str], joined: str) -> bool:
    """Say whether a joined text says more or less than the texts, but for what a later one says."""
    together = _facts(form, joined)
    files = [_facts(form, text) for text in texts]
    if together - {fact for facts in files for fact in facts}:
        return True
    for number, found in enumerate(files):
        later = {_path(fact) for facts in files[number + 1 :] for fact in facts}
        if any(_path(fact) not in later for fact in found - together):
            return True
    return False


def _facts(form: Format, text: str) -> set[str]:
    return {fact.replace("[]", "") for fact in facts(form.values(text))} if text.strip() else set()


def _path(fact: str) -> str:
    return fact.partition("=")[0]
