"""Conflicts as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from changeover.merge import Conflict, Side

KINDS = {
    "changed": "changed here and in the reference",
    "deleted-here": "deleted here, changed in the reference",
    "deleted-there": "changed here, deleted in the reference",
    "added": "added on both sides, differently",
    "shape": "has another shape on each side",
    "order": "both sides changed a sequence at one place",
    "emptied": "would be left empty",
    "required": "is required now and has no value here",
    "text": "lines changed on both sides",
    "unmergeable": "cannot be merged",
    "homeless": "may belong to several of the new files",
    "doubled": "the files that became one say different things",
    "unsaid": "deleted here, which an override cannot say",
    "guessed": "the base is a guess",
}
_ONE_SIDED = ("guessed", "homeless", "doubled", "unsaid")
"""Kinds that are about one text."""
_WIDTH = 12


def conflict_lines(conflict: Conflict, files: Sequence[str]) -> list[str]:
    """Return a conflict's path and kind, then its three texts with file and line."""
    lines = [f"conflict: {conflict.path}: {KINDS.get(conflict.kind, conflict.kind)}"]
    sides = (conflict.base, conflict.ours, conflict.theirs)
    named = list(zip(("base", "ours", "theirs"), sides, files, strict=True))
    if conflict.kind in _ONE_SIDED:
        named = [one for one in named if one[1] is not None]
    for label, side, name in named:
        lines += _side_lines(label, side, name)
    if conflict.reason:
        lines.append(f"  ({conflict.reason})")
    if conflict.note:
        lines.append(f"  note    {conflict.note}")
    return lines


def _side_lines(label: str, side: Side | None, name: str) -> list[str]:
    if side is None:
        return [f"  {label:7} (not there)"]
    place = f"{name}:{side.line}" if side.line else name
    texts = side.text.split("\n")
    shown = texts[:_WIDTH] + (
        [f"... {len(texts) - _WIDTH} more lines"] if len(texts) > _WIDTH else []
    )
    if len(shown) == 1:
        return [f"  {label:7} {shown[0].strip()}    ({place})"]
    return [f"  {label:7} ({place})", *(f"    | {line}" for line in shown)]
