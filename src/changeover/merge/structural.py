"""The one algorithm: merges three trees child by child and splices their texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from changeover.merge.layout import placed, settle_commas
from changeover.merge.pairing import Slot, Slots, make_slots
from changeover.merge.pieces import (
    Clash,
    Triple,
    alike,
    is_new_or_changed,
    is_table,
    merged_blank,
    merged_tail,
    order_clash,
    pick,
    prefixes,
    remarks_left,
    same_text,
    unchanged,
)
from changeover.merge.scalars import chosen_leaf, merged_literal
from changeover.merge.tree import Block, Item, Key, Leaf
from changeover.merge.values import Meaning, element_keys, kind_of, list_clash, reduced
from changeover.merge.verdict import Answer, Told, shown_path
from changeover.merge.weave import weave


@dataclass
class TreeMerge:
    """Merges trees and collects conflicts and notes by path."""

    meaning: Meaning
    told: Told
    value_text: Callable[[str, Leaf], str] = lambda value, like: value
    clashes: list[Clash] = field(default_factory=list)
    notes: dict[Key, str] = field(default_factory=dict)
    carried: dict[Key, tuple[Item | None, Item | None]] = field(default_factory=dict)
    forced: dict[int, bool] = field(default_factory=dict)
    """Entries, by id, that stay or go whatever the other texts say."""
    answered: set[Key] = field(default_factory=set)
    whole: bool = True
    """Unset in tests: the root is then merged even where one side is the base."""

    def root(self, base: Block | None, ours: Block, theirs: Block) -> Block:
        """Merge three files."""
        return self._block(base, ours, theirs, (), top=True)

    def _block(
        self, base: Block | None, ours: Block, theirs: Block, path: Key, *, top: bool = False
    ) -> Block:
        if not top or self.whole:
            same = unchanged(base, ours, theirs)
            if same is not None:
                return same
        self._identify(base, ours, theirs, path)
        slots = make_slots(base, ours, theirs)
        self._refuse_orphans(slots, path)
        kept = {}
        like = ours if slots.ours_is_skeleton else theirs
        for slot in slots.all:
            merged = self._slot(slot, path)
            if merged is not None:
                source = theirs if merged is slot.theirs else ours if merged is slot.ours else like
                kept[id(slot)] = placed(merged, source, like)
        woven = weave(slots, kept)
        self._report_order(slots, woven.gaps, path)
        changed = len(woven.items) != len(like.items) or any(
            mine is not other for mine, other in zip(woven.items, like.items, strict=True)
        )
        block = replace(
            like,
            items=woven.items,
            open=pick(base.open if base else None, ours.open, theirs.open),
            close=pick(base.close if base else None, ours.close, theirs.close),
        )
        return settle_commas(block, like) if changed and block.flow else block

    def _identify(self, base: Block | None, ours: Block, theirs: Block, path: Key) -> None:
        """Give every entry that belongs to a group its key, jointly in all three texts."""
        groups: dict[str, list[list[Item]]] = {}
        for side, block in enumerate((base, ours, theirs)):
            for item in block.items if block else ():
                if item.group is not None:
                    groups.setdefault(item.group, [[], [], []])[side].append(item)
        for group, found in groups.items():
            self._name_group(group, found, path)

    def _name_group(self, group: str, found: list[list[Item]], path: Key) -> None:
        prefix = (group,) if group else ()
        if prefix and all(len(items) <= 1 for items in found) and not is_table(found):
            for item in (item for items in found for item in items):
                item.key = prefix
            return
        where = (*path, *prefix)
        values = [[item.plain for item in items] for items in found]
        keys = element_keys(self.meaning, self.told, where, values)
        if prefix and list_clash(self.meaning, self.told, where, keys, values):
            self._force(where, found)
        for items, names in zip(found, keys, strict=True):
            for item, name in zip(items, names, strict=True):
                item.key = (*prefix, name)

    def _force(self, path: Key, found: list[list[Item]]) -> None:
        """Leave a repeated setting as one side has it, and ask."""
        answer = self.told.answers.get(shown_path(path))
        kept = 2 if answer == Answer("theirs") else 1
        for side, items in enumerate(found):
            self.forced.update({id(item): side == kept for item in items})
        if answer is None:
            first = [items[0] if items else None for items in found]
            self.clashes.append(Clash(path, "order", (first[0], first[1], first[2])))

    def _slot(self, slot: Slot, path: Key) -> Item | None:
        base, ours, theirs = slot.base, slot.ours, slot.theirs
        if any(id(item) in self.forced for item in (ours, theirs, base)):
            return self._forced(slot)
        if slot.any.kind == "blank":
            return merged_blank(base, ours, theirs)
        if slot.any.kind == "comment":
            return self._comment(base, ours, theirs, path)
        where = (*path, *slot.any.key)
        if where in self.carried and theirs is not None and ours is None and base is None:
            base, ours = self.carried[where]
        return self._entry((base, ours, theirs), where)

    def _forced(self, slot: Slot) -> Item | None:
        versions = (slot.ours, slot.theirs)
        return next((item for item in versions if item and self.forced.get(id(item))), None)

    def _comment(
        self, base: Item | None, ours: Item | None, theirs: Item | None, path: Key
    ) -> Item | None:
        if base is None:
            return theirs or ours
        if ours is None or theirs is None:
            other = ours or theirs
            if theirs and base.names and theirs.head.strip() != base.head.strip():
                self.notes[(*path, base.names)] = (
                    f"the reference's commented default is now {theirs.head.strip()!r}, "
                    f"it was {base.head.strip()!r}"
                )
            changed = other is not None and other.head.split() != base.head.split()
            return other if changed and other is ours else None
        return ours if same_text(theirs, base) else theirs

    def _entry(  # noqa: PLR0911 - one line for each way to be done early
        self, sides: Triple, path: Key
    ) -> Item | None:
        base, ours, theirs = sides
        if ours is None or theirs is None:
            return self._one_sided(sides, path)
        if base is not None and same_text(ours, base):
            return theirs
        if same_text(ours, theirs):
            return theirs
        if base is not None and same_text(theirs, base):
            return ours
        if isinstance(ours.value, Block) and isinstance(theirs.value, Block):
            if alike(ours.value, theirs.value):
                return self._blocks(sides, path)
        elif isinstance(ours.value, Leaf) and isinstance(theirs.value, Leaf):
            return self._leaves(sides, path)
        return self._restyled(sides, path)

    def _one_sided(self, sides: Triple, path: Key) -> Item | None:
        base, ours, theirs = sides
        left = ours or theirs
        if left is None:
            return None
        if base is None:
            return left
        if left.plain == base.plain or reduced(base.plain, left.plain):
            stays, note = remarks_left(left, base, local=ours is not None)
            if note:
                self.notes[path] = note
            return stays
        return self._conflict(sides, path)

    def _restyled(self, sides: Triple, path: Key) -> Item | None:
        """Merge an entry that has another shape in one of the texts."""
        base, ours, theirs = sides
        assert ours is not None and theirs is not None  # noqa: S101, PT018 - callers saw to it
        if ours.plain == theirs.plain or (base is not None and base.plain == ours.plain):
            return theirs
        if base is not None and base.plain == theirs.plain:
            return ours
        return self._conflict(sides, path)

    def _leaves(self, sides: Triple, path: Key) -> Item | None:
        base, ours, theirs = sides
        assert ours and theirs  # noqa: S101, PT018 - callers saw to it
        chosen = chosen_leaf(base, ours, theirs)
        if chosen is None and self.meaning.texts:
            chosen = merged_literal(base, ours, theirs)
        if chosen is None:
            return self._conflict(sides, path)
        return self._dressed(sides, chosen, path)

    def _blocks(self, sides: Triple, path: Key) -> Item | None:
        base, ours, theirs = sides
        assert ours and theirs  # noqa: S101, PT018 - callers saw to it
        assert isinstance(ours.value, Block) and isinstance(theirs.value, Block)  # noqa: S101, PT018
        before = base.value if base is not None and isinstance(base.value, Block) else None
        before = before if before and before.shape == theirs.value.shape else None
        if self._list_clash(before, ours.value, theirs.value, path):
            return self._conflict(sides, path, "order")
        merged = self._block(before, ours.value, theirs.value, path)
        if not merged.entries and ours.value.entries and theirs.value.entries \
                and not self.meaning.may_empty:  # fmt: skip
            return self._conflict(sides, path, "emptied")
        return self._dressed(sides, merged, path)

    def _list_clash(self, base: Block | None, ours: Block, theirs: Block, path: Key) -> bool:
        if ours.shape != "list":
            return False
        blocks = (base, ours, theirs)
        lists = [[item.plain for item in block.entries] if block else [] for block in blocks]
        keys = element_keys(self.meaning, self.told, path, lists)
        return list_clash(self.meaning, self.told, path, keys, lists)

    def _dressed(self, sides: Triple, value: Leaf | Block | None, path: Key) -> Item:
        """Give a merged value its head, separator and tail."""
        base, ours, theirs = sides
        assert ours is not None and theirs is not None  # noqa: S101, PT018 - callers saw to it
        head = pick(base.head if base else None, ours.head, theirs.head)
        if path in self.carried:
            head = theirs.head
        tail = merged_tail(base.tail if base else None, ours.tail, theirs.tail)
        item = replace(theirs, head=head, value=value, tail=tail, sides=sides, _text=None)
        item.sep = pick(base.sep if base else None, ours.sep, theirs.sep)
        return item

    def _conflict(self, sides: Triple, path: Key, kind: str = "") -> Item | None:
        _, ours, theirs = sides
        answer = self.told.answers.get(shown_path(path))
        if answer == Answer("theirs"):
            return theirs
        if answer is not None and answer.choice == "value":
            return self._answered(sides, answer.value, path)
        if answer is None:
            found = kind or kind_of(*(item.plain if item else None for item in sides))
            self.clashes.append(Clash(path, found, sides))
        elif ours is None:
            return None
        if ours is None:
            return Item("gone", "", sides=sides, conflicted=True)
        return replace(ours, sides=sides, conflicted=answer is None)

    def _answered(self, sides: Triple, value: str, path: Key) -> Item | None:
        like = next((item for item in (sides[2], sides[1]) if item is not None), None)
        if like is None or not isinstance(like.value, Leaf):
            return sides[1]
        self.answered.add(path)
        text = self.value_text(value, like.value)
        return replace(like, value=replace(like.value, text=text), _text=None)

    def _refuse_orphans(self, slots: Slots, path: Key) -> None:
        """Ask about what one side added or changed beneath a table the other side removed."""
        known = [set(prefixes(side)) for side in (slots.base, slots.ours, slots.theirs)]
        for own, other in ((slots.ours, 2), (slots.theirs, 1)):
            for slot in own:
                if self.meaning.repeats and slot.any.group is not None:
                    continue
                lost = [
                    prefix for prefix in prefixes([slot])
                    if len(prefix) < len(slot.any.key) and is_new_or_changed(slot)
                    and prefix in known[0] and prefix not in known[other]
                ]  # fmt: skip
                if lost:
                    self._force_beneath(lost[0], slots, path, slot)

    def _force_beneath(self, prefix: Key, slots: Slots, path: Key, added: Slot) -> None:
        where = (*path, *prefix)
        answer = self.told.answers.get(shown_path(where))
        for slot in slots.all:
            if slot.any.key[: len(prefix)] == prefix:
                for side, item in enumerate((slot.base, slot.ours, slot.theirs)):
                    if item is not None:
                        self.forced[id(item)] = side == (2 if answer == Answer("theirs") else 1)
        if answer is None and not any(clash.path == where for clash in self.clashes):
            kind = "deleted-here" if added.ours is None else "deleted-there"
            old = next((s.base for s in slots.base if s.any.key[: len(prefix)] == prefix), None)
            self.clashes.append(Clash(where, kind, (old, added.ours, added.theirs)))

    def _report_order(
        self, slots: Slots, gaps: list[tuple[list[Slot], list[Slot]]], path: Key
    ) -> None:
        found = [order_clash(self.meaning, self.told, path, gap) for gap in gaps]
        self.clashes.extend(clash for clash in found if clash is not None)
        if slots.both_moved:
            self.notes[path] = "both sides moved entries: the reference's order was taken"
