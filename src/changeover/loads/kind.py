"""What becomes of each item of a file: created, kept, or brought back to what the file says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from changeover.loads.reference import ACTION
from changeover.loads.selection import require_path, selected

MOST_SHOWN = 200
"""Items a plan shows one by one, of each kind."""


@dataclass(frozen=True)
class Kind:
    """One list of the file."""

    items: str
    """Path of the items: `users[]`."""
    present: str
    """SQL that gives one column: the keys of those that are there."""
    key: str = ""
    """Path of the key within an item: `params.email`; empty where the item is its own key."""
    called: str = ""
    """What people call them; the name of the list otherwise."""
    resets: bool = False
    """Whether those that are there are brought back to what the file says, on request."""

    def __post_init__(self) -> None:
        require_path(ACTION, self.items)
        if self.key:
            require_path(ACTION, self.key)

    @property
    def word(self) -> str:
        """What a plan calls them."""
        return self.called or self.items.removesuffix("[]")

    def keys(self, value: Any) -> list[str]:
        """Return the key of every item."""
        path = f"{self.items}.{self.key}" if self.key else self.items
        return [str(found) for _, found in selected(value, path)]


@dataclass(frozen=True)
class Fate:
    """What becomes of the items of one kind."""

    word: str
    created: tuple[str, ...]
    kept: tuple[str, ...]
    reset: tuple[str, ...]

    @property
    def nothing_new(self) -> bool:
        """Whether nothing is created or reset."""
        return not self.created and not self.reset

    def __str__(self) -> str:
        told = (("create", self.created), ("reset", self.reset), ("keep", self.kept))
        return f"{self.word}: " + (
            ", ".join(f"{verb} {len(keys)}" for verb, keys in told if keys) or "none"
        )

    def lines(self) -> Iterator[str]:
        """Yield a line for each item, as a diff shows it."""
        for sign, keys, why in (("+", self.created, ""), ("!", self.reset, " (reset)")):
            yield from (f"{sign} {self.word} {key}{why}\n" for key in keys[:MOST_SHOWN])
            if len(keys) > MOST_SHOWN:
                yield f"{sign} {self.word}: {len(keys) - MOST_SHOWN} more\n"
        yield from (f"  {self.word} {key} (kept)\n" for key in self.kept[:MOST_SHOWN])


def fate(kind: Kind, keys: Iterable[str], present: Iterable[str], *, reset: bool) -> Fate:
    """Say what becomes of the items with these keys."""
    wanted, there = list(keys), {*present}
    old = tuple(key for key in wanted if key in there)
    new = tuple(key for key in wanted if key not in there)
    resetting = reset and kind.resets
    return Fate(kind.word, new, () if resetting else old, old if resetting else ())
