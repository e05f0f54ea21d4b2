"""The three-way merge of plain lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from changeover.merge.marking import between_markers
from changeover.merge.sequence import align
from changeover.merge.tree import lines_of
from changeover.merge.verdict import Answer, Conflict, Side, Told


@dataclass(frozen=True)
class Hunk:
    """A stretch of base, ours and theirs, as ranges of lines."""

    base: range
    ours: range
    theirs: range
    stable: bool


def merge_lines(
    base: str | None, ours: str, theirs: str, told: Told, size: int = 7
) -> tuple[str, str, list[Conflict]]:
    """Merge three texts; return the merged one, the same with markers, and the conflicts."""
    texts = [lines_of(text) for text in (base or "", ours, theirs)]
    merged, marked, conflicts = [], [], []
    for hunk in hunks(*texts):
        old, mine, new = (
            "".join(lines[span.start : span.stop])
            for lines, span in zip(texts, (hunk.base, hunk.ours, hunk.theirs), strict=True)
        )
        path = f"line {hunk.ours.start + 1}"
        if mine in (old, new):
            chosen = new
        elif new == old or told.answers.get(path) == Answer("ours"):
            chosen = mine
        elif path in told.answers:
            answer = told.answers[path]
            chosen = new if answer.choice == "theirs" else answer.value + "\n"
        else:
            shown = [
                Side(text.strip("\n"), span.start + 1)
                for text, span in zip(
                    (old, mine, new), (hunk.base, hunk.ours, hunk.theirs), strict=True
                )
            ]
            conflicts.append(Conflict(path, "text", shown[0], shown[1], shown[2]))
            merged.append(mine)
            marked.append(between_markers(old, mine, new, size))
            continue
        merged.append(chosen)
        marked.append(chosen)
    return "".join(merged), "".join(marked), conflicts


def hunks(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[Hunk]:
    """Cut three texts where a line is the same in all of them."""
    mine, yours = dict(align(base, ours)), dict(align(base, theirs))
    found: list[Hunk] = []
    start = (0, 0, 0)
    for line in [*range(len(base)), -1]:
        if line >= 0 and not (line in mine and line in yours):
            continue
        stop = (line, mine[line], yours[line]) if line >= 0 else (len(base), len(ours), len(theirs))
        spans = [range(low, high) for low, high in zip(start, stop, strict=True)]
        if any(spans):
            found.append(Hunk(spans[0], spans[1], spans[2], stable=False))
        if line >= 0:
            whole = [range(at, at + 1) for at in stop]
            found.append(Hunk(whole[0], whole[1], whole[2], stable=True))
            start = (stop[0] + 1, stop[1] + 1, stop[2] + 1)
    return found
