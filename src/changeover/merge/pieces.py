"""Small decisions about pieces of text: heads, tails, blanks, remarks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from changeover.merge.pairing import Slot
from changeover.merge.tree import Block, Item, Key
from changeover.merge.values import Meaning, is_ordered, reduced
from changeover.merge.verdict import Told, shown_path

Triple = tuple[Item | None, Item | None, Item | None]


@dataclass(frozen=True)
class Clash:
    """A conflict found in the trees, before its texts and lines are looked up."""

    path: Key
    kind: str
    sides: Triple


def remarks_left(left: Item, base: Item, *, local: bool) -> tuple[Item | None, str]:
    """Return the operator's remarks on an entry that the reference removed, and a note."""
    new = [line for line in remarks_in(left) if line not in base.text]
    if not new:
        return None, ""
    shown = "; ".join(new)
    if not local:
        return None, f"deleted here; the reference remarks: {shown}"
    lead = left.head[: len(left.head) - len(left.head.lstrip())]
    kept = Item("comment", "".join(f"{lead}{line}\n" for line in new))
    return kept, f"removed by the reference; what was remarked here stays: {shown}"


def remarks_in(item: Item) -> list[str]:
    """Return the comments within an entry, and the one behind its value."""
    found = []
    if isinstance(item.value, Block):
        for child in item.value.items:
            if child.kind == "comment":
                found.append(child.head.strip())
            elif child.value is not None:
                found += remarks_in(child)
    behind = item.tail.strip().lstrip(";} ").strip()
    return [*found, behind] if behind.startswith(("#", "//")) else found


def prefixes(slots: list[Slot]) -> Iterator[Key]:
    """Return every prefix of the keys of some slots."""
    for slot in slots:
        if slot.any.kind == "entry":
            yield from (slot.any.key[:size] for size in range(1, len(slot.any.key) + 1))


def is_table(found: list[list[Item]]) -> bool:
    """Return whether a group is an array of tables, which is named even when alone."""
    return any(item.head.lstrip().startswith("[[") for items in found for item in items)


def unchanged(base: Block | None, ours: Block, theirs: Block) -> Block | None:
    """Return the block that wins unread, where one side changed nothing."""
    if ours.text == theirs.text or (base is not None and ours.text == base.text):
        return theirs
    return ours if base is not None and theirs.text == base.text else None


def alike(one: Block, other: Block) -> bool:
    """Return whether two blocks have the same shape and style."""
    return one.shape == other.shape and one.flow == other.flow


def same_text(one: Item, other: Item) -> bool:
    """Return whether two entries are equal, byte for byte."""
    return one.text == other.text


def merged_blank(base: Item | None, ours: Item | None, theirs: Item | None) -> Item | None:
    """Return the blank line that stays."""
    if base is None or (ours is not None and theirs is not None):
        return theirs or ours
    return None


def pick(base: str | None, ours: str, theirs: str) -> str:
    """Return the changed one of two texts; the reference's where both changed."""
    return ours if theirs == base else theirs


def merged_tail(base: str | None, ours: str, theirs: str) -> str:
    """Merge what follows a value: both sides' remarks survive."""
    if ours in (base, theirs):
        return theirs
    if theirs == base:
        return ours
    mine, yours = ours.strip(), theirs.strip()
    if not mine or mine in yours:
        return theirs
    if not yours or yours in mine or yours == (base or "").strip():
        return ours
    if mine == (base or "").strip() or "\n" in ours.rstrip("\n") or not ours.endswith("\n"):
        return theirs
    return f"{ours.rstrip()}  {yours}\n"


def order_clash(
    meaning: Meaning, told: Told, path: Key, gap: tuple[list[Slot], list[Slot]]
) -> Clash | None:
    """Return the conflict of two insertions at one gap, where order means something."""
    keys = [[slot.any.key[-1] for slot in side if slot.any.key] for side in gap]
    if not all(is_ordered(meaning, told, path, names) for names in keys if names):
        return None
    mine, run = gap
    ours, theirs = (mine, run) if mine[0].ours is not None else (run, mine)
    entries = [slot.ours for slot in ours if slot.ours and slot.any.kind == "entry"]
    others = [slot.theirs for slot in theirs if slot.theirs and slot.any.kind == "entry"]
    if not entries or not others:
        return None
    where = (*path, *entries[0].key)
    answered = shown_path(where) in told.answers
    return None if answered else Clash(where, "order", (None, entries[0], others[0]))


def is_new_or_changed(slot: Slot) -> bool:
    """Return whether one side alone has an entry that the base lacks or has otherwise."""
    if slot.base is None:
        return True
    left = slot.ours or slot.theirs
    alone = left is not None and (slot.ours is None or slot.theirs is None)
    return alone and left is not None and not reduced(slot.base.plain, left.plain)
