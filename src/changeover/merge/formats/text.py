"""Plain text: merged line by line; what both sides changed at one place is a conflict."""

from __future__ import annotations

from changeover.merge.formats.base import Format
from changeover.merge.formats.linewise import sectioned
from changeover.merge.tree import Block, Value, comment, lines_of


def read(text: str) -> tuple[Block, Value]:
    """Read a text as lines."""
    return sectioned([comment(line) for line in lines_of(text)]), values(text)


def values(text: str) -> Value:
    """Return the text: it means what it says."""
    return text


FORMAT = Format("text", read, values)
