"""What a configuration file may cost: larger or deeper ones are refused, with the place."""

from __future__ import annotations

from changeover.merge.verdict import Unreadable

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 100
MAX_NODES = 100_000


def refuse_masses(text: str) -> None:
    """Refuse a text with more separators than values are allowed, before it is read."""
    if text.count(",") <= MAX_NODES and text.count("\n") <= MAX_NODES:
        return
    line = text.count("\n", 0, MAX_BYTES // 4) + 1
    raise Unreadable(f"more than {MAX_NODES:,} values", line)
