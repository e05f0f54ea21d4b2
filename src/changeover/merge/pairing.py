"""Which child of one text is which child of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from changeover.merge.sequence import align
from changeover.merge.tree import Block, Item

Token = tuple[str, ...]


@dataclass(slots=True, eq=False)
class Slot:
    """One child as it stands in base, ours and theirs; None where it does not."""

    base: Item | None = None
    ours: Item | None = None
    theirs: Item | None = None

    @property
    def any(self) -> Item:
        """Return one of the versions there are."""
        item = self.theirs or self.ours or self.base
        assert item is not None  # noqa: S101 - a slot is made from an item
        return item


def token(item: Item) -> Token:
    """Return what makes an item equal to another when sequences are aligned."""
    if item.kind == "entry":
        return ("entry", *item.key)
    if item.kind == "comment":
        return ("comment", " ".join(item.head.split()))
    return ("blank",)


def _weight(found: object) -> int:
    kind = found[0] if isinstance(found, tuple) else ""
    return {"entry": 16, "comment": 4}.get(kind, 1)


def pair(left: Sequence[Item], right: Sequence[Item]) -> dict[int, int]:
    """Return which index on the left is which on the right."""
    mine, yours = [token(item) for item in left], [token(item) for item in right]
    if mine == yours and len({one for one in mine if one[0] == "entry"}) == sum(
        one[0] == "entry" for one in mine
    ):
        return {i: i for i in range(len(mine))}
    pairs = {}
    entries = {yours[j]: j for j, item in enumerate(right) if item.kind == "entry"}
    for i, item in enumerate(left):
        if item.kind == "entry" and mine[i] in entries:
            pairs[i] = entries[mine[i]]
    for i, j in align(mine, yours, _weight):
        if left[i].kind != "entry":
            pairs[i] = j
    _pair_moved(mine, yours, pairs)
    _pair_defaults(left, right, pairs)
    return pairs


def _pair_moved(mine: list[Token], yours: list[Token], pairs: dict[int, int]) -> None:
    """Pair comments that moved, where only one of each is left."""
    taken = set(pairs.values())
    lost = [i for i, found in enumerate(mine) if i not in pairs and found[0] == "comment"]
    fresh = [j for j, found in enumerate(yours) if j not in taken and found[0] == "comment"]
    counts, others = Counter(mine[i] for i in lost), Counter(yours[j] for j in fresh)
    places = {yours[j]: j for j in fresh}
    for i in lost:
        if counts[mine[i]] == 1 and others[mine[i]] == 1:
            pairs[i] = places[mine[i]]


def _pair_defaults(left: Sequence[Item], right: Sequence[Item], pairs: dict[int, int]) -> None:
    """Pair commented-out settings of one name: the default in the comment changed."""
    taken = set(pairs.values())
    counts = Counter(item.names for item in left if item.names)
    others = Counter(item.names for item in right if item.names)
    places = {item.names: j for j, item in enumerate(right) if item.names and j not in taken}
    for i, item in enumerate(left):
        name = item.names
        if name and i not in pairs and name in places and counts[name] == others[name] == 1:
            pairs[i] = places[name]


@dataclass
class Slots:
    """The children of three blocks as slots, and the order each text has them in."""

    all: list[Slot]
    base: list[Slot]
    ours: list[Slot]
    theirs: list[Slot]
    restyled: bool = False
    """Set where the reference is indented anew."""

    @property
    def ours_is_skeleton(self) -> bool:
        """Return whether ours gives the order: theirs kept the base's, or ours alone moved."""
        if _same_sequence(self.base, self.ours, "ours"):
            return False
        if self.restyled:
            return False
        if _same_sequence(self.base, self.theirs, "theirs"):
            return True
        mine, yours = _moved(self.base, self.ours), _moved(self.base, self.theirs)
        return mine and not yours

    @property
    def both_moved(self) -> bool:
        """Return whether both sides brought the base's entries into another order."""
        if not (_moved(self.base, self.ours) and _moved(self.base, self.theirs)):
            return False
        return _moved(self.ours, self.theirs)


def _same_sequence(base: list[Slot], side: list[Slot], name: str) -> bool:
    return base == side and all(
        slot.base is None or slot.any.kind != "comment" or _same_comment(slot, name)
        for slot in base
    )


def _same_comment(slot: Slot, name: str) -> bool:
    version: Item | None = getattr(slot, name)
    return version is not None and slot.base is not None and token(version) == token(slot.base)


def _moved(one: list[Slot], other: list[Slot]) -> bool:
    places = {id(slot): place for place, slot in enumerate(other) if slot.any.kind == "entry"}
    order = [places[id(slot)] for slot in one if id(slot) in places]
    return order != sorted(order)


def make_slots(base: Block | None, ours: Block, theirs: Block) -> Slots:
    """Match the children of three blocks."""
    old = base.items if base else []
    mine, yours = ours.items, theirs.items
    slots = [Slot(item) for item in old]
    first = _place(slots, pair(old, mine), mine, "ours")
    second = _place(slots, pair(old, yours), yours, "theirs")
    for i, j in pair(mine, yours).items():
        if i not in first and j not in second:
            slot = Slot(None, mine[i], yours[j])
            first[i] = second[j] = slot
            slots.append(slot)
    for items, places, name in ((mine, first, "ours"), (yours, second, "theirs")):
        for place, item in enumerate(items):
            if place not in places:
                slot = places[place] = Slot()
                setattr(slot, name, item)
                slots.append(slot)
    restyled = base is not None and base.indent != theirs.indent
    return Slots(slots, slots[: len(old)], _in_order(first), _in_order(second), restyled)


def _place(
    slots: list[Slot], pairs: dict[int, int], items: list[Item], name: str
) -> dict[int, Slot]:
    placed = {}
    for i, j in pairs.items():
        setattr(slots[i], name, items[j])
        placed[j] = slots[i]
    return placed


def _in_order(places: dict[int, Slot]) -> list[Slot]:
    return [places[place] for place in sorted(places)]
