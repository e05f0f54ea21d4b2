"""What a format has to offer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from changeover.merge.tree import Block, Item, Leaf, Value
from changeover.merge.values import Meaning
from changeover.merge.verdict import Note


def _as_given(value: str, like: Leaf) -> str:
    blanks = like.text[: len(like.text) - len(like.text.lstrip())]
    return blanks + value


def _nothing_new(result: Value, ours: Value, theirs: Value) -> list[Note]:
    return []


def _cannot_make(key: str, value: Value, block: Block, like: Item | None) -> Item | None:
    return None


def _as_they_are(base: str, ours: str, theirs: str) -> tuple[str, str]:
    return base, ours


Read = Callable[[str], tuple[Block, Value]]


@dataclass(frozen=True)
class Format:
    """Reads one kind of file: as a tree that keeps every character, and as plain values."""

    name: str
    read: Read
    values: Callable[[str], Value]
    """The independent parser that checks results; raises `Unreadable`."""
    meaning: Meaning = field(default_factory=Meaning)
    value_text: Callable[[str, Leaf], str] = _as_given
    """How an answer given as plain text is written where a leaf stood."""
    make: Callable[[str, Value, Block, Item | None], Item | None] = _cannot_make
    """Writes a new entry for a block, in its shape; None where it cannot."""
    restate: Callable[[str, str, str], tuple[str, str]] = _as_they_are
    """Rewrites base and ours in the words of theirs, where those words have no value."""
    several: Callable[[], Read] | None = None
    """Makes a reader for texts that have much in common."""
    remarks: Callable[[Value, Value, Value], list[Note]] = _nothing_new
    """Looks at result, ours and theirs for effects that no single value shows."""


def commented_setting(line: str, pattern: re.Pattern[str]) -> str | None:
    """Return the setting a comment line sets once its mark is taken away."""
    found = pattern.match(line)
    return found.group(1) if found else None
