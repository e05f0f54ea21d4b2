"""Texts that are only lines, side by side: what changed, hunk by hunk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from changeover.merge.tree import lines_of


@dataclass(frozen=True)
class Hunk:
    """Lines of the base, and what stands there in the two others; None where nothing does."""

    line: int
    """The number of the first line in the base; 1 is the first."""
    base: str | None
    ours: str | None
    theirs: str | None


def hunks(base: str, ours: str, theirs: str) -> Iterator[Hunk]:
    """Yield the places where one of three texts differs, in the base's order."""
    old, mine, yours = lines_of(base), lines_of(ours), lines_of(theirs)
    sides = [_changes(old, mine), _changes(old, yours)]
    for low, high in _ranges([span for side in sides for span in side]):
        texts = [_side(side, old, low, high) for side in sides]
        yield Hunk(low + 1, _text(old[low:high]), *texts)


Spans = dict[tuple[int, int], list[str]]
"""First and last line of the base that were replaced -> what by."""


def _changes(old: list[str], new: list[str]) -> Spans:
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return {(i, j): new[k:n] for tag, i, j, k, n in codes if tag != "equal"}


def _ranges(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that overlap, or begin at one place."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if joined and (low < joined[-1][1] or low == joined[-1][0]):
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return joined


def _side(changes: Spans, old: list[str], low: int, high: int) -> str | None:
    lines: list[str] = []
    at = low
    for (first, last), new in changes.items():
        # What is inserted behind the last line of a hunk is one of its own.
        if low <= first and last <= high and (first < high or low == high):
            lines += [*old[at:first], *new]
            at = last
    return _text([*lines, *old[at:high]])


def _text(lines: list[str]) -> str | None:
    return "".join(lines).rstrip("\n") if lines else None
