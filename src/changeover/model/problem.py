"""Something wrong in a file people wrote, with its place and its remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from changeover.model.release import Where

ERROR = "error"
WARNING = "warning"


@dataclass(frozen=True)
class Problem:
    """One thing wrong at one place: `file:line:column: what`, then what to do about it."""

    message: str
    where: Where = field(default_factory=Where)
    remedy: str = ""
    level: str = ERROR
    name: str = ""
    """What `waived:` calls it, such as `uncovered-write:migrate`; empty where it cannot be."""

    def __str__(self) -> str:
        place = f"{self.where}: " if str(self.where) else ""
        return f"{place}{self.message}" + (f" ({self.remedy})" if self.remedy else "")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word most like the one written, or an empty string."""
    words = sorted(known)
    # Two letters in the wrong order are the commonest slip, and difflib rates them low.
    swapped = [w for w in words if sorted(w) == sorted(word)]
    return next(iter(swapped or difflib.get_close_matches(word, words, n=1, cutoff=0.6)), "")


def suggestion(word: str, known: Iterable[str], *, most: int = 12) -> str:
    """Say which word was probably meant, or which ones there are."""
    words = sorted(known)
    meant = nearest(word, words)
    if meant:
        return f"did you mean `{meant}`?"
    shown = ", ".join(words[:most]) + (", ..." if len(words) > most else "")
    return f"known: {shown}" if words else ""
