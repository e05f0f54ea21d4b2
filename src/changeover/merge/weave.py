"""Order the merged children: one text is the skeleton, what only the other has is woven in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from changeover.merge.pairing import Slot, Slots
from changeover.merge.tree import Item

Kept = Mapping[int, Item]
"""The merged item of each slot that is in the result, by the slot's id."""


@dataclass(frozen=True)
class Woven:
    """The children in order, and the slots both sides inserted at one gap."""

    items: list[Item]
    gaps: list[tuple[list[Slot], list[Slot]]]


def weave(slots: Slots, kept: Kept) -> Woven:
    """Return the merged children in order."""
    skeleton, other = slots.theirs, slots.ours
    if slots.ours_is_skeleton:
        skeleton, other = other, skeleton
    return _Loom(skeleton, other, kept).weave()


class _Loom:
    def __init__(self, skeleton: list[Slot], other: list[Slot], kept: Kept) -> None:
        self.skeleton, self.other, self.kept = skeleton, other, kept
        self.place = {id(slot): index for index, slot in enumerate(skeleton)}
        self.there = {id(slot) for slot in other}
        self.inserted: dict[int, list[Slot]] = {}
        self.gaps: list[tuple[list[Slot], list[Slot]]] = []
        self.spaced: set[int] = set()

    def weave(self) -> Woven:
        for low, high in self._runs():
            self._insert(low, high)
        order = list(self.inserted.get(-1, []))
        for index, slot in enumerate(self.skeleton):
            order.append(slot)
            order.extend(self.inserted.get(index, []))
        return Woven(self._trimmed(order), self.gaps)

    def _runs(self) -> list[tuple[int, int]]:
        """Return the stretches of the other text that the skeleton lacks."""
        runs, start = [], None
        for index, slot in enumerate(self.other):
            missing = id(slot) not in self.place
            if missing and start is None:
                start = index
            elif not missing and start is not None:
                runs.append((start, index))
                start = None
        return [*runs, (start, len(self.other))] if start is not None else runs

    def _insert(self, low: int, high: int) -> None:
        run = [slot for slot in self.other[low:high] if id(slot) in self.kept]
        if not run:
            return
        anchor = self._anchor(low)
        if all(slot.any.kind == "blank" for slot in run):
            if self._still_meet(low, high):
                self.inserted.setdefault(anchor, []).extend(run)
            return
        place = self._beyond_additions(anchor)
        mine = [slot for slot in self.skeleton[anchor + 1 : place + 1] if self._is_new_entry(slot)]
        if mine:
            self.gaps.append((mine, run))
        place = self._before_glued(place, run)
        place = self._beside_default(place, run)
        first = next(i for i in range(low, high) if self.other[i] is run[0])
        if first and self.other[first - 1].any.kind == "blank":
            self.spaced.add(id(run[0]))
        self.inserted.setdefault(place, []).extend(run)

    def _anchor(self, low: int) -> int:
        for slot in reversed(self.other[:low]):
            if id(slot) in self.place and id(slot) in self.kept:
                return self.place[id(slot)]
        return -1

    def _is_new(self, slot: Slot) -> bool:
        return slot.base is None and id(slot) not in self.there

    def _is_new_entry(self, slot: Slot) -> bool:
        return self._is_new(slot) and slot.any.kind == "entry"

    def _beyond_additions(self, anchor: int) -> int:
        """Go past what the skeleton added after the anchor, and past what is gone there."""
        place, last, dropped = anchor, anchor, False
        while place + 1 < len(self.skeleton):
            slot = self.skeleton[place + 1]
            gone = id(slot) not in self.kept
            if not gone and (dropped or not self._is_new(slot)):
                break
            place += 1
            # What replaces an entry that is gone takes its place.
            dropped |= gone and slot.any.kind == "entry"
            if slot.any.kind != "blank":
                last = place
        return last

    def _before_glued(self, place: int, run: list[Slot]) -> int:
        """Do not come between a new comment and the entry it stands above."""
        following = self._kind(place + 1)
        if following != "entry" or run[-1].any.kind == "comment":
            return place
        while place >= 0 and self._kind(place) == "comment" and self._is_new(self.skeleton[place]):
            place -= 1
        return place

    def _beside_default(self, place: int, run: list[Slot]) -> int:
        """Put a setting that is new here where the skeleton has it commented out."""
        entries = [slot.any for slot in run if slot.any.kind == "entry"]
        if len(entries) != 1:
            return place
        name = entries[0].key[-1] if entries[0].key else ""
        found = [
            index for index, slot in enumerate(self.skeleton)
            if slot.any.names == name and name
        ]  # fmt: skip
        return found[-1] if found else place

    def _follows_a_gap(self, slot: Slot) -> bool:
        place = self.place.get(id(slot), 0)
        return place > 0 and id(self.skeleton[place - 1]) not in self.kept

    def _kind(self, place: int) -> str:
        if not 0 <= place < len(self.skeleton) or id(self.skeleton[place]) not in self.kept:
            return ""
        return self.skeleton[place].any.kind

    def _still_meet(self, low: int, high: int) -> bool:
        before = self.place.get(id(self.other[low - 1]), -2) if low else -1
        after = (
            self.place.get(id(self.other[high]), -2) if high < len(self.other)
            else len(self.skeleton)
        )  # fmt: skip
        between = self.skeleton[before + 1 : after] if 0 <= before + 1 <= after else None
        return between is not None and not any(id(slot) in self.kept for slot in between)

    def _trimmed(self, order: list[Slot]) -> list[Item]:
        """Drop blank lines that would pile up where two texts meet."""
        skeleton = set(self.place)
        result: list[Item] = []
        last: Slot | None = None
        for slot in order:
            item = self.kept.get(id(slot))
            if item is None:
                continue
            twice = item.kind == "blank" and result and result[-1].kind == "blank"
            if twice and last and (id(slot) in skeleton) != (id(last) in skeleton):
                continue
            if (
                item.kind == "blank"
                and (twice or not any(one.text for one in result))
                and self._follows_a_gap(slot)
            ):
                continue
            if id(slot) in self.spaced and result and result[-1].kind != "blank":
                result.append(Item("blank", "\n"))
            result.append(item)
            last = slot
        return result
