"""Conflicts and notes in the words and lines of the three files."""

from __future__ import annotations

from dataclasses import replace

from changeover.merge.pieces import Clash
from changeover.merge.tree import Block, Item, Key, walk
from changeover.merge.values import ValueMerge
from changeover.merge.verdict import Conflict, Side, Told, shown_path

Trees = tuple[Block | None, Block, Block]
Places = dict[Key, tuple[Item, int]]
"""Entries of a text by their paths, each with the line it starts on."""


def conflicts_of(
    trees: Trees, clashes: tuple[Clash, ...], values: ValueMerge, difference: Key | None
) -> list[Conflict]:
    """Return the conflicts that remain once the meaning of the result has been looked at."""
    if not clashes and not values.conflicts and difference is None:
        return []
    places = _placed(trees, values.told)
    real = _widened(
        [clash for clash in clashes if clash.kind == "order" or _is_real(clash.path, values)],
        values,
    )
    found = [_from_clash(clash, trees, places) for clash in real]
    for path, kind in values.conflicts.items():
        if not any(_related(path, clash.path) for clash in real):
            found.append(_from_path(path, kind, places))
    if difference is not None and not found:
        reason = "the pieces do not add up to what both sides mean; the local file is kept"
        found.append(_from_path(difference, "unmergeable", places, reason))
    elif difference is not None:
        reason = "nothing of the new reference was taken: decide this first, then merge again"
        found = [Conflict(c.path, c.kind, c.base, c.ours, c.theirs, reason) for c in found]
    return found


def _placed(trees: Trees, told: Told) -> list[Places]:
    """Return the entries of the three texts by path; what has a new name stands there too."""
    places = [_places(tree) for tree in trees]
    for old, new in told.renamed.items():
        # The question is about what stood there under the old name: an answer is bound to that.
        for known in places[:2]:
            if old in known:
                known.setdefault(new, known[old])
    return places


def _widened(clashes: list[Clash], values: ValueMerge) -> list[Clash]:
    """Name each conflict by the whole of what is undecided: a table, not one part of it."""
    found: dict[Key, Clash] = {}
    for clash in clashes:
        wider = [
            path for path in values.conflicts
            if len(path) < len(clash.path) and path == clash.path[: len(path)]
        ]  # fmt: skip
        path = min(wider, key=len) if wider else clash.path
        found.setdefault(path, replace(clash, path=path))
    return list(found.values())


def _is_real(path: Key, values: ValueMerge) -> bool:
    return any(_related(path, other) for other in values.conflicts)


def _related(one: Key, other: Key) -> bool:
    size = min(len(one), len(other))
    return all(map(_same_word, one[:size], other[:size]))


def _same_word(one: str, other: str) -> bool:
    return one == other or one.partition("#")[0] == other.partition("#")[0] != ""


def _places(tree: Block | None) -> Places:
    """Return every entry of a text by its path, with the line it starts on."""
    if tree is None:
        return {}
    text = tree.text
    places: Places = {}
    line, at = 1, 0
    for path, item, offset in walk(tree):
        start = offset + len(item.head) - len(item.head.lstrip())
        line += text.count("\n", at, start) if start >= at else -text.count("\n", start, at)
        at = start
        places.setdefault(path, (item, line))
    return places


def _from_clash(clash: Clash, trees: Trees, places: list[Places]) -> Conflict:
    sides = []
    for item, known in zip(clash.sides, places, strict=True):
        placed = known.get(clash.path)
        same = placed is not None and item is not None and placed[0].text == item.text
        line = placed[1] if placed and same else None
        sides.append(Side(item.text.strip("\n"), line) if item is not None else None)
    return Conflict(shown_path(clash.path), clash.kind, sides[0], sides[1], sides[2])


def _from_path(path: Key, kind: str, places: list[Places], reason: str = "") -> Conflict:
    sides = []
    for known in places:
        placed = known.get(path)
        sides.append(Side(placed[0].text.strip("\n"), placed[1]) if placed else None)
    return Conflict(shown_path(path) or "(file)", kind, sides[0], sides[1], sides[2], reason)
