"""Overrides: a file that holds only local differences, beside the vendor's untouched one.

A Compose override, a systemd drop-in, a file of conf.d. Pieces of the edited text are kept as they
are written; what the two files mean together is compared with what the edited one meant.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from changeover.merge.catalogue import detect, load
from changeover.merge.comments import comments_of
from changeover.merge.dropin import DropIn, remarks_of
from changeover.merge.encoding import decode
from changeover.merge.formats.base import Format
from changeover.merge.formats.yaml_writing import block_lines
from changeover.merge.homes import grouped
from changeover.merge.layers import Lists, beyond, layered, lists_of
from changeover.merge.layout import settle_commas
from changeover.merge.pieces import is_table
from changeover.merge.settings import value_at
from changeover.merge.tree import Block, Item, Key, Leaf, Value
from changeover.merge.values import element_keys, first_difference, unwrapped
from changeover.merge.verdict import Told, Unreadable, shown_path

FORMATS = ("compose", "yaml", "toml", "json", "systemd", "ini", "dotenv", "directives", "sshd")
"""Formats whose programs lay a second file over the first."""


@dataclass(frozen=True)
class Override:
    """An override, and what it cannot say."""

    text: bytes
    unsaid: tuple[str, ...] = ()
    """Paths of settings that were taken out here; the reference's stay in force."""


def override(
    theirs: bytes,
    ours: bytes,
    *,
    name: str,
    format: str | None = None,
    resets: Collection[str] = (),
) -> Override:
    """Reduce an edited file to what it says beyond the reference, or otherwise.

    A Compose override takes out the paths of `resets` (`!reset`, `!override`: Docker Compose 2.24
    and later). Raises `Unreadable` for formats that have no overrides, and
    where one cannot be written.
    """
    texts = [decode(content).text for content in (theirs, ours)]
    form = overriding_form(format or detect(name, texts[1] or texts[0]))
    values = [form.values(text) if text.strip() else {} for text in texts]
    if values[0] == values[1]:
        return Override(b"")
    text, unsaid, reset = _written(form, texts, values, resets=resets)
    _refuse_errors(form, (values[0], values[1]), text, [*unsaid, *reset])
    return Override(decode(ours).written(text), tuple(dict.fromkeys(map(shown_path, unsaid))))


Written = tuple[str, list[Key], list[Key]]
"""A text, what it cannot say, and what it takes out."""


def _written(
    form: Format, texts: list[str], values: list[Value], *, resets: Collection[str]
) -> Written:
    if form.name == "systemd":
        return (*_drop_in(form, texts, values), [])
    cut = _Reduction(form, values[0], values[1], resets if form.name == "compose" else ())
    block = cut.block(form.read(texts[0])[0], form.read(texts[1])[0], ())
    text = block.text if block is not None else ""
    try:
        form.values(text)
    except Unreadable:
        # An alias stands there without its anchor, say: what it means can be written.
        if form.name not in ("yaml", "compose"):
            raise
        changed = beyond(form, values[0], values[1])
        return "".join(f"{line}\n" for line in block_lines(changed, 0)), cut.unsaid, []
    return text, cut.unsaid, cut.reset


def overriding_form(name: str) -> Format:
    """Return a format; raise `Unreadable` where no program lays files of it over each other."""
    if name not in FORMATS:
        raise Unreadable(f"{name} files have no overrides: one file has to say all")
    return load(name)


def _drop_in(form: Format, texts: list[str], values: list[Value]) -> tuple[str, list[Key]]:
    vendor, local = values
    assert isinstance(vendor, dict) and isinstance(local, dict)  # noqa: S101, PT018 - units are sections
    known = frozenset(comments_of(form.read(texts[0])[0]))
    writer = DropIn(vendor, remarks_of(form.read(texts[1])[0], known))
    text = "".join(f"{line}\n" for line in writer.lines(local))
    return text, writer.unsaid


def _refuse_errors(form: Format, values: tuple[Value, Value], text: str, unsaid: list[Key]) -> None:
    """Raise `Unreadable` where reference and override mean something else than they have to."""
    theirs, ours = values
    over = form.values(text) if text.strip() else {}
    skip = frozenset(path[:size] for path in unsaid for size in (len(path), len(path) - 1) if size)
    both = layered(form, theirs, over)
    wrong = first_difference(unwrapped(ours), unwrapped(both), skip=skip)
    if wrong is not None:
        said = "cannot be said by an override; the whole file is needed"
        raise Unreadable(f"{shown_path(wrong)}: {said}")


@dataclass
class _Reduction:
    """Takes out of a tree what the reference has alike."""

    form: Format
    theirs: Value
    ours: Value
    resets: Collection[str] = ()
    unsaid: list[Key] = field(default_factory=list)
    reset: list[Key] = field(default_factory=list)

    def block(self, theirs: Block, ours: Block, path: Key) -> Block | None:
        """Return what a block says beyond the reference's; None for nothing."""
        _name_groups(self.form, theirs, ours, path)
        there = {item.key: item for item in reversed(theirs.entries)}
        remarks = set(comments_of(theirs))
        kept: list[Item] = []
        loose: list[Item] = []
        for item in ours.items:
            if item.value is None:
                loose = [] if item.kind == "blank" else [*loose, item]
                continue
            left = self._left(there.get(item.key), item, (*path, *item.key))
            if left is not None:
                kept += [one for one in loose if one.head.strip() not in remarks]
                kept.append(left)
            loose = []
        kept += self._taken_out(there, ours, path)
        if not kept:
            return None
        cut = replace(ours, items=kept)
        return settle_commas(cut, ours) if ours.flow else cut

    def _left(self, theirs: Item | None, ours: Item, path: Key) -> Item | None:
        """Return what an override has to say of an entry."""
        if theirs is None:
            return ours
        if ours.key and self._is_same(theirs, ours, path):
            return None
        old, new = theirs.value, ours.value
        if not isinstance(old, Block) or not isinstance(new, Block):
            return self._appended(theirs, ours, path)
        replaced = new.shape == "list" and lists_of(self.form.name, path) is Lists.REPLACED
        return ours if replaced or old.shape != new.shape else self._inside(old, ours, path)

    def _inside(self, theirs: Block, ours: Item, path: Key) -> Item | None:
        assert isinstance(ours.value, Block)  # noqa: S101 - the caller saw to it
        inner = self.block(theirs, ours.value, path)
        lost = [gone for gone in self.unsaid if gone[: len(path)] == path]
        if lost and ours.value.shape == "list" and all(shown_path(g) in self.resets for g in lost):
            return self._replaced(ours, path)
        return replace(ours, value=inner, _text=None) if inner is not None else None

    def _appended(self, theirs: Item, ours: Item, path: Key) -> Item:
        """Return an element as it is; where lists are appended to, the old one stays beside it."""
        parent = path[:-1]
        known = value_at(self.theirs, parent)
        if isinstance(known, list) and lists_of(self.form.name, parent) is Lists.APPENDED:
            self.unsaid.append((*parent, _word(theirs.plain)))
        return ours

    def _is_same(self, theirs: Item, ours: Item, path: Key) -> bool:
        one, other = value_at(self.theirs, path), value_at(self.ours, path)
        return theirs.plain == ours.plain if one is None or other is None else one == other

    def _replaced(self, ours: Item, path: Key) -> Item:
        """Return a whole list that takes the place of the reference's."""
        self.reset += [gone for gone in self.unsaid if gone[: len(path)] == path]
        self.unsaid = [gone for gone in self.unsaid if gone[: len(path)] != path]
        return replace(ours, head=f"{ours.head} !override", _text=None)

    def _taken_out(self, there: dict[Key, Item], ours: Block, path: Key) -> list[Item]:
        here = {item.key for item in ours.entries}
        gone = [key for key in there if key and key not in here
                and value_at(self.ours, (*path, *key)) is None]  # fmt: skip
        written: list[Item] = []
        for key in gone:
            if shown_path((*path, *key)) in self.resets and ours.shape == "map" and not ours.flow:
                head = f"{' ' * ours.indent}{key[-1]}:"
                written.append(Item("entry", head, Leaf(" !reset null", ""), "", "\n", key))
                self.reset.append((*path, *key))
            else:
                self.unsaid.append((*path, *key))
        return written


def _name_groups(form: Format, theirs: Block, ours: Block, path: Key) -> None:
    """Give the elements of groups their keys, jointly in both texts."""
    old, new = grouped(theirs), grouped(ours)
    for group in dict.fromkeys((*old, *new)):
        found = [old.get(group, []), new.get(group, [])]
        prefix = (group,) if group else ()
        if prefix and all(len(items) <= 1 for items in found) and not is_table(found):
            keys = [[""] * len(items) for items in found]
        else:
            values = [[item.plain for item in items] for items in (found[0], *found)]
            keys = element_keys(form.meaning, Told(), (*path, *prefix), values)[1:]
        for items, names in zip(found, keys, strict=True):
            for item, name in zip(items, names, strict=True):
                item.key = (*prefix, name) if name or not prefix else prefix


def _word(value: Value) -> str:
    return value if isinstance(value, str) else str(getattr(value, "text", value))
