"""Where each setting of a file lives, once the file was divided into several."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from changeover.merge.comments import comments_of
from changeover.merge.layout import settle_commas
from changeover.merge.pieces import is_table
from changeover.merge.renaming import find
from changeover.merge.settings import value_at
from changeover.merge.tree import Block, Item, Key, Leaf, Value
from changeover.merge.values import Meaning, element_keys
from changeover.merge.verdict import Told

Names = frozenset[str]
_NUMBER = re.compile(r"#\d+\Z")


@dataclass(frozen=True)
class Part:
    """One of the new files, as settings are looked up in it."""

    tree: Block
    value: Value
    renamed: Mapping[Key, Key] = field(default_factory=dict)
    """Old path -> the path a setting has in this part."""


@dataclass
class Homes:
    """Finds the parts every entry of a file belongs to, and cuts the file along them."""

    meaning: Meaning
    told: Told
    parts: Mapping[str, Part]
    own: str = ""
    """The part that is the same file: what is added here, and nobody else has, stays in it."""
    chosen: Mapping[Key, str] = field(default_factory=dict)
    """Where somebody decided that an addition goes; empty for nowhere."""
    homeless: dict[Key, tuple[str, Item]] = field(default_factory=dict)
    """Additions that may belong to several parts, each with the one it is put into meanwhile."""
    _of: dict[int, Names] = field(default_factory=dict)
    _divided: set[int] = field(default_factory=set)
    _filled: dict[int, Names] = field(default_factory=dict)
    """Divided tables, by id: the parts that have a child in one of the two texts."""
    _said: dict[str, Names] = field(default_factory=dict)
    _remarks: dict[str, frozenset[str]] = field(default_factory=dict)

    def settle(self, base: Block | None, ours: Block) -> None:
        """Find the homes of everything in the two texts."""
        trees: dict[str, Block | None] = {name: part.tree for name, part in self.parts.items()}
        _alone_among_several((base, ours), self.parts)
        self._remarks = {n: frozenset(comments_of(p.tree)) for n, p in self.parts.items()}
        self._block((base, ours), trees, ())

    def cut(self, block: Block, name: str) -> Block:
        """Return what belongs to one part."""
        items: list[Item] = []
        for item in block.items:
            if name not in self._of[id(item)]:
                continue
            if id(item) in self._divided and isinstance(item.value, Block):
                inner = self.cut(item.value, name)
                emptied = bool(item.key and item.value.entries and not inner.entries)
                if emptied and name not in self._filled.get(id(item), ()):
                    continue
                items.append(
                    _emptied(item, inner) if emptied else replace(item, value=inner, _text=None)
                )
            else:
                items.append(item)
        left = replace(block, items=items)
        return settle_commas(left, block) if block.flow and len(items) < len(block.items) else left

    def _block(
        self,
        sides: tuple[Block | None, Block | None],
        blocks: Mapping[str, Block | None],
        path: Key,
    ) -> None:
        """Find the homes of the children of one block, in base and ours alike."""
        self._identify(sides, blocks, path)
        entries = _by_key(sides)
        known = {name: _first_by_key(block) for name, block in blocks.items()}
        homes: dict[Key, Names] = {}
        for key, pair in entries.items():
            homes[key] = self._home(key, pair, known, path)
        copied = _is_copied(entries, homes, frozenset(blocks))
        for key, pair in entries.items():
            if not homes[key]:
                homes[key] = self._adopted((*path, *key), pair, blocks, copied=copied)
        for side in sides:
            self._of.update({id(i): homes[i.key] for i in (side.entries if side else ())})
            self._loose(side, homes, frozenset(blocks))

    def _identify(
        self,
        sides: tuple[Block | None, Block | None],
        blocks: Mapping[str, Block | None],
        path: Key,
    ) -> None:
        """Give the elements of groups their keys, jointly in both texts and all parts."""
        old, mine = (grouped(block) for block in sides)
        new = [(name, item) for name, block in blocks.items() for item in _of_groups(block)]
        for group in dict.fromkeys((*old, *mine)):
            prefix = (group,) if group else ()
            own = [(name, item) for name, item in new if item.group == group]
            found = [old.get(group, []), mine.get(group, []), [item for _, item in own]]
            if prefix and _stands_once(found, own) and not is_table(found):
                for item in (item for items in found for item in items):
                    item.key = prefix
                continue
            values = [[item.plain for item in items] for items in found]
            keys = element_keys(self.meaning, self.told, (*path, *prefix), values)
            keys[2] = _renumbered(own, keys[2])
            for items, names in zip(found, keys, strict=True):
                for item, name in zip(items, names, strict=True):
                    item.key = (*prefix, name)

    def _home(
        self,
        key: Key,
        pair: list[Item | None],
        known: Mapping[str, Mapping[Key, Item]],
        path: Key,
    ) -> Names:
        """Return the parts an entry lives in; its children, where there are several."""
        where = (*path, *key)
        if not key:
            found: dict[str, Item | None] = {name: items.get(key) for name, items in known.items()}
        else:
            found = dict(self._found(where, key, known))
        reach = [n for n in known if n in found or self._reaches(n, where)]
        values = [item.value for item in pair if item is not None]
        inner = {n: _block_of(found.get(n)) for n in reach}
        blocks = [value for value in values if isinstance(value, Block)]
        if (len(reach) > 1 or not key) and len(blocks) == len(values):
            self._divided.update(id(item) for item in pair if item is not None)
            self._block((_block_of(pair[0]), _block_of(pair[1])), inner, where)
            children = [self._of[id(child)] for block in blocks for child in block.entries]
            filled = frozenset(name for home in children for name in home)
            self._filled.update({id(item): filled for item in pair if item is not None})
        return frozenset(reach)

    def _found(
        self, where: Key, key: Key, known: Mapping[str, Mapping[Key, Item]]
    ) -> Iterator[tuple[str, Item | None]]:
        for name, items in known.items():
            part = self.parts[name]
            moved = part.renamed.get(where)
            if moved is not None and (item := find(part.tree, moved)) is not None:
                yield name, item
            elif key in items:
                yield name, items[key]
            elif value_at(part.value, where) is not None:
                yield name, None

    def _reaches(self, name: str, where: Key) -> bool:
        """Say whether something beneath a path has another place in a part."""
        part = self.parts[name]
        return any(
            len(old) > len(where) and old[: len(where)] == where and find(part.tree, new)
            for old, new in part.renamed.items()
        )

    def _adopted(
        self,
        where: Key,
        pair: list[Item | None],
        blocks: Mapping[str, Block | None],
        *,
        copied: bool,
    ) -> Names:
        """Return where an entry goes that no part has."""
        put = self._fullest(blocks)
        base, ours = pair
        if ours is None or base is not None or len(blocks) == 1:
            # What the reference took away is a matter of the merge, wherever it takes place.
            return frozenset((put,))
        if where in self.chosen:
            return frozenset((self.chosen[where],))
        if self.own in blocks:
            return frozenset((self.own,))
        if copied:
            return frozenset(blocks)
        self.homeless[where] = (put, ours)
        return frozenset((put,))

    def _fullest(self, blocks: Mapping[str, Block | None]) -> str:
        if self.own in blocks:
            return self.own
        sizes = {name: len(block.entries) if block else 0 for name, block in blocks.items()}
        return max(sizes, key=lambda name: sizes[name])

    def _loose(self, block: Block | None, homes: Mapping[Key, Names], within: Names) -> None:
        """Send comments and blanks along: where the reference has them, else with what follows."""
        items = block.items if block else []
        following: Names | None = None
        last = next((homes[i.key] for i in reversed(items) if i.value is not None), within)
        for item in reversed(items):
            if item.value is not None:
                following = homes[item.key]
            elif item.kind == "blank":
                self._of[id(item)] = following or last
            else:
                self._of[id(item)] = self._remark(item.head.strip(), following or last, within)

    def _remark(self, text: str, near: Names, within: Names) -> Names:
        if text not in self._said:
            there = frozenset(name for name in within if text in self._remarks[name])
            one = self.own if self.own in near else next((n for n in self.parts if n in near), "")
            self._said[text] = there or frozenset((one,))
        return self._said[text]


def _emptied(item: Item, inner: Block) -> Item:
    """Return a table whose children all went elsewhere, or were deleted."""
    if inner.flow or not item.head.rstrip().endswith(":"):
        return replace(item, value=inner, _text=None)
    # YAML has no block without children.
    value: Value = {} if inner.shape == "map" else []
    sign = " {}" if inner.shape == "map" else " []"
    return replace(item, head=item.head.rstrip(), value=Leaf(sign, value), tail="\n", _text=None)


def _alone_among_several(sides: tuple[Block | None, Block], parts: Mapping[str, Part]) -> None:
    """Let the one document of a text be one of several, where another text has several."""
    trees = [side for side in sides if side is not None] + [part.tree for part in parts.values()]
    if not any(item.group == "" for tree in trees for item in tree.items):
        return
    for item in (item for tree in trees for item in tree.entries):
        if item.group is None and not item.key:
            item.group = ""


def grouped(block: Block | None) -> dict[str, list[Item]]:
    """Return the children that get their identity among others, by the group's name."""
    groups: dict[str, list[Item]] = {}
    for item in _of_groups(block):
        groups.setdefault(item.group or "", []).append(item)
    return groups


def _of_groups(block: Block | None) -> Iterable[Item]:
    return (item for item in block.items if item.group is not None) if block else ()


def _by_key(sides: tuple[Block | None, Block | None]) -> dict[Key, list[Item | None]]:
    found: dict[Key, list[Item | None]] = {}
    for side, block in enumerate(sides):
        for item in block.entries if block else ():
            found.setdefault(item.key, [None, None])[side] = item
    return found


def _first_by_key(block: Block | None) -> dict[Key, Item]:
    return {item.key: item for item in reversed(block.entries)} if block else {}


def _block_of(item: Item | None) -> Block | None:
    return item.value if item is not None and isinstance(item.value, Block) else None


def _stands_once(found: list[list[Item]], own: list[tuple[str, Item]]) -> bool:
    """Say whether no text has a setting twice: its value is then no part of its name."""
    parts = [part for part, _ in own]
    return len(found[0]) <= 1 and len(found[1]) <= 1 and len(set(parts)) == len(parts)


def _renumbered(found: list[tuple[str, Item]], keys: list[str]) -> list[str]:
    """Count repeats in each part alone: what two parts have is not the second in one of them."""
    seen: dict[tuple[str, str], int] = {}
    names = []
    for (part, _), key in zip(found, keys, strict=True):
        stem = _NUMBER.sub("", key)
        count = seen[part, stem] = seen.get((part, stem), 0) + 1
        names.append(stem if count == 1 else f"{stem}#{count}")
    return names


def _is_copied(
    entries: Mapping[Key, list[Item | None]], homes: Mapping[Key, Names], within: Names
) -> bool:
    """Say whether every part has all that the block had: it was copied, not divided."""
    lived = [homes[key] for key, (base, _) in entries.items() if base is not None and homes[key]]
    return bool(lived) and all(home == within for home in lived)
